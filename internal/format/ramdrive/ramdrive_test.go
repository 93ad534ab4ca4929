// SPDX-License-Identifier: MIT

package ramdrive

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/formattest"
)

// TestDriveIsLaidOut shows R49: both sizes as u32, lowest byte first, the kernel at byte 8, the initramfs right behind.
func TestDriveIsLaidOut(t *testing.T) {
	b := formattest.Blobs{}
	kernel, initramfs := b.Add(strings.Repeat("k", 0x102)), b.Add("initramfs")
	var w bytes.Buffer
	if err := Encode(&w, kernel, initramfs, b.Open); err != nil {
		t.Fatal(err)
	}
	want := "\x02\x01\x00\x00" + "\x09\x00\x00\x00" + strings.Repeat("k", 0x102) + "initramfs"
	if w.String() != want {
		t.Errorf("Encode = %q; want %q", w.String(), want)
	}
	got := formattest.Blobs{}
	k, i, err := Decode(strings.NewReader(want+"the rest of the drive"), got.Put)
	if err != nil || k != kernel || i != initramfs || string(got[i]) != "initramfs" {
		t.Errorf("Decode = %v, %v, %v; want %v, %v", k, i, err, kernel, initramfs)
	}
}

// TestDriveHasALimit: R49 and kexec_size=199680, which is in KiB.
func TestDriveHasALimit(t *testing.T) {
	sized := func(size int64) digest.Digest {
		d, err := digest.FromHex(digest.Of(nil).Hex(), size)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const room = 199_680*1024 - 8
	for _, test := range []struct {
		kernel, initramfs int64
		fits              bool
	}{
		{room, 0, true}, {1, room - 1, true}, {room, 1, false}, {2, room - 1, false}, {room + 1, 0, false}, {0, 5, false},
		{1 << 62, 1 << 62, false},
	} {
		if err := Check(sized(test.kernel), sized(test.initramfs)); (err == nil) != test.fits {
			t.Errorf("Check(%d, %d) = %v; want fits %v", test.kernel, test.initramfs, err, test.fits)
		}
	}
}

func TestEncodeRefusesOtherContent(t *testing.T) {
	b := formattest.Blobs{}
	kernel, initramfs := b.Add("kernel"), b.Add("initramfs")
	b[initramfs] = []byte("initramfs and more")
	if err := Encode(io.Discard, kernel, initramfs, b.Open); err == nil || !strings.Contains(err.Error(), "initramfs:") {
		t.Errorf("Encode of a longer initramfs = %v; want an error that names it", err)
	}
	b[kernel] = []byte("k")
	if err := Encode(io.Discard, kernel, initramfs, b.Open); err == nil || !strings.Contains(err.Error(), "kernel:") {
		t.Errorf("Encode of a shorter kernel = %v; want an error that names it", err)
	}
	if err := Encode(io.Discard, b.Add(""), initramfs, b.Open); err == nil {
		t.Error("Encode of an empty kernel gives no error")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"no sizes":            "\x01\x00",
		"no kernel":           "\x00\x00\x00\x00\x01\x00\x00\x00i",
		"a short kernel":      "\x09\x00\x00\x00\x00\x00\x00\x00kern",
		"a short initramfs":   "\x01\x00\x00\x00\x09\x00\x00\x00kinit",
		"more than the drive": "\x01\x00\x00\x00\x00\x00\x30\x0ck",
		"sizes that overflow": "\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		k, i, err := Decode(strings.NewReader(in), formattest.Blobs{}.Put)
		if err == nil || !k.IsZero() || !i.IsZero() || errors.Is(err, io.EOF) {
			t.Errorf("%s: Decode = %v, %v, %v; want an error alone", name, k, i, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b := formattest.Blobs{}
	for _, pair := range [][2]string{{"kernel", "initramfs"}, {"k", ""}} {
		var w bytes.Buffer
		if err := Encode(&w, b.Add(pair[0]), b.Add(pair[1]), b.Open); err != nil {
			f.Fatal(err)
		}
		if !roundTrip(f, w.Bytes()) {
			f.Fatal("a seed does not reach the end")
		}
		f.Add(w.Bytes())
	}
	f.Fuzz(func(t *testing.T, in []byte) { roundTrip(t, in) })
}

// roundTrip checks that what decodes encodes to the same bytes; false where it does not decode.
func roundTrip(t testing.TB, in []byte) bool {
	b := formattest.Blobs{}
	k, i, err := Decode(bytes.NewReader(in), b.Put)
	if err != nil {
		return false
	}
	var w bytes.Buffer
	if err := Encode(&w, k, i, b.Open); err != nil {
		t.Fatalf("Encode(Decode(x)): %v", err)
	}
	if !bytes.HasPrefix(in, w.Bytes()) {
		t.Errorf("Encode(Decode(x)) =\n%q; x =\n%q", w.Bytes(), in)
	}
	return true
}
