// SPDX-License-Identifier: MIT

package tarball

import (
	"archive/tar"
	"bytes"
	"testing"

	"github.com/rung-build/rung/internal/format/formattest"
)

func FuzzDecode(f *testing.F) {
	tr, b := sample(f)
	limits := Limits{Files: 100, Bytes: 1 << 16, Path: 1000, Devices: true, AbsoluteLinks: true}
	for _, seed := range [][]byte{
		mustEncode(f, tr, b), stream(f, file("a", 10), tar.Header{Typeflag: tar.TypeLink, Name: "b", Linkname: "a"}),
		stream(f, tar.Header{Typeflag: tar.TypeReg, Name: "gnu", Format: tar.FormatGNU, Uid: 1 << 30}),
	} {
		if !roundTrip(f, seed, limits) {
			f.Fatal("a seed does not reach the end")
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) { roundTrip(t, in, limits) })
}

// roundTrip checks that what decodes encodes to a stream that decodes to the same tree; false where it does not decode.
func roundTrip(t testing.TB, in []byte, limits Limits) bool {
	b := formattest.Blobs{}
	first, err := Decode(bytes.NewReader(in), limits, b.Put)
	if err != nil {
		if first.Len() != 0 {
			t.Errorf("Decode gave %d nodes beside %v", first.Len(), err)
		}
		return false
	}
	second, err := Decode(bytes.NewReader(mustEncode(t, first, b)), limits, formattest.Blobs{}.Put)
	if err != nil {
		t.Fatalf("decoding what was encoded: %v", err)
	}
	if diff := first.Diff(second); diff != "" {
		t.Errorf("decoding what was encoded differs: %s", diff)
	}
	return true
}
