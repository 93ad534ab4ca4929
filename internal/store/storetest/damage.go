// SPDX-License-Identifier: MIT

package storetest

import (
	"errors"
	"io"
	"testing"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
)

// damages are ways in which the bytes of "some content" can change.
func damages() map[string][]byte {
	return map[string][]byte{
		"a flipped bit": []byte("some_content"),
		"cut short":     []byte("some con"),
		"empty":         {},
		"longer":        []byte("some content."),
	}
}

func testDamageIsFoundAndHealed(t *testing.T, h Harness) {
	for name, bad := range damages() {
		s := h.New(t)
		d := put(t, s, []byte("some content"))
		h.Damage(t, s, d, bad)
		b, err := store.Bytes(t.Context(), s, d, 1<<20)
		var corrupt *store.CorruptError
		if !errors.As(err, &corrupt) || corrupt.Digest != d {
			t.Errorf("%s: reading = %q, %v; want a CorruptError of %v", name, b, err, d)
			continue
		}
		if fault.KindOf(err) != fault.Mismatch || fault.HintOf(err) == "" {
			t.Errorf("%s: kind %v, hint %q; want %v and a hint", name, fault.KindOf(err), fault.HintOf(err), fault.Mismatch)
		}
		checkHas(t, s, d, false)
		put(t, s, []byte("some content"))
		checkContent(t, s, d, []byte("some content"))
	}
}

func testDamageIsFoundBeforeEOF(t *testing.T, h Harness) {
	s := h.New(t)
	d := put(t, s, []byte("some content"))
	h.Damage(t, s, d, []byte("some_content"))
	r, err := s.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var corrupt *store.CorruptError
	if n, err := io.ReadFull(r, make([]byte, d.Size())); !errors.As(err, &corrupt) {
		t.Errorf("reading exactly as many bytes as there are = %d, %v; want a CorruptError", n, err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.As(err, &corrupt) {
		t.Errorf("reading on = %d, %v; want the CorruptError again", n, err)
	}
}
