// SPDX-License-Identifier: MIT

package srcfs

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/tree"
)

var loose = Limits{Files: 100, Bytes: 3 << 20}

// image is a stream behind the front of an image, filled up.
func image(t testing.TB, stream string) []byte {
	t.Helper()
	b := mustBoot(t)
	in := append(append([]byte{}, b.stage1...), b.stage2...)
	in = append(append(in, make([]byte, b.size()-int64(len(in)))...), stream...)
	return append(in, make([]byte, padded(int64(len(in)))-int64(len(in)))...)
}

// trailerLines is the end of every stream.
func trailerLines() []string { return strings.Split(strings.TrimSuffix(trailer, "\n"), "\n") }

func TestDecodeGivesAllParts(t *testing.T) {
	tr, b := sample(t)
	got := formattest.Blobs{}
	in := append(mustEncode(t, mustBoot(t), tr, b), "a partition behind it"...)
	img, err := Decode(bytes.NewReader(in), loose, got.Put)
	if err != nil {
		t.Fatal(err)
	}
	if diff := img.Tree.Diff(tr); diff != "" {
		t.Errorf("Decode: %s", diff)
	}
	if string(img.Boot.stage2) != stage2Text(3) || img.Boot.Start() != 3 {
		t.Errorf("Decode: stage2 = %q", img.Boot.stage2)
	}
	if strings.Join(img.Trailer, "\n") != strings.Join(trailerLines(), "\n") {
		t.Errorf("Decode: the trailer is %q", img.Trailer)
	}
	for n := range tr.Nodes() {
		if n.Kind == tree.File && !bytes.Equal(got[n.Content], b[n.Content]) {
			t.Errorf("Decode: %q has other content", n.Path)
		}
	}
}

// TestDecodeTakesAnyOrder reads entries as rootfs.py writes them: all folders of a folder, then its files, then what is
// below.
func TestDecodeTakesAnyOrder(t *testing.T) {
	b := formattest.Blobs{}
	want := formattest.Tree(t, b.Plain("z/f", "in z"), b.Plain("a/d/f", "in d"), b.Plain("top", "top"), b.Plain("a/empty", ""))
	in := image(t, "src 0 .\nsrc 0 ./z\nsrc 0 ./a\nsrc 3 ./top\ntopsrc 4 ./z/f\nin zsrc 0 ./a/d\nsrc 0 ./a/empty\n"+
		"src 4 ./a/d/f\nin d"+trailer)
	img, err := Decode(bytes.NewReader(in), loose, formattest.Blobs{}.Put)
	if err != nil || img.Tree.Diff(want) != "" {
		t.Errorf("Decode = %s, %v; want the tree", img.Tree.Diff(want), err)
	}
}

// TestDecodeRefuses: each is an error that says what is wrong, and nothing is returned beside it.
func TestDecodeRefuses(t *testing.T) {
	front := image(t, "")[:3*Sector]
	dirty := image(t, "src 0 .\n")
	dirty[1<<20-1] = 1
	gap := image(t, "src 0 .\n")
	gap[3*Sector-1] = 1
	long := "src 0 ./" + strings.Repeat("n", 3000) + "\n"
	for name, test := range map[string]struct {
		in   []byte
		want string
	}{
		"nothing":               {nil, "stage1: unexpected EOF"},
		"a boot sector alone":   {front[:Sector], "stage2: unexpected EOF"},
		"no mark":               {make([]byte, 1<<20), "boot sector ends in 55aa"},
		"bytes behind stage2":   {gap, "byte 1535 is 0x01"},
		"no stream":             {front, "unexpected EOF"},
		"an empty stream":       {image(t, ""), "an empty stream"},
		"another beginning":     {image(t, "src 0 ./a\n"), `"src 0 ./a"; a stream starts with "src 0 ."`},
		"bytes behind":          {dirty, "byte 1048575 is 0x01"},
		"no padding":            {image(t, "src 0 .\n")[:3*Sector+8], "unexpected EOF"},
		"half a padding":        {image(t, "src 0 .\n")[:3*Sector+100], "unexpected EOF"},
		"half a line":           {append(front, "src 0 .\nsrc 0 ./a"...), "unexpected EOF"},
		"a short file":          {append(front, "src 0 .\nsrc 9 ./a\n1234"...), `"./a": 4 bytes of 9`},
		"no size":               {image(t, "src 0 .\nsrc ./a\n"), `want "src SIZE NAME"`},
		"a size with a zero":    {image(t, "src 0 .\nsrc 01 ./a\n1"), `want "src SIZE NAME"`},
		"a size with a sign":    {image(t, "src 0 .\nsrc -1 ./a\n"), `want "src SIZE NAME"`},
		"a size of 2 to the 64": {image(t, "src 0 .\nsrc 18446744073709551616 ./a\n"), `want "src SIZE NAME"`},
		"a large size":          {image(t, "src 0 .\nsrc 99999999 ./a\n"), "more than 3145728 bytes of content"},
		"a word like src":       {image(t, "src 0 .\nsrx 0 ./a\n"), "no command"},
		"a long line":           {image(t, "src 0 .\n"+long), "bytes of line"},
		"a long name":           {image(t, "src 0 .\n"+strings.Replace(long, strings.Repeat("n", 1900), "", 1)), "a name of 1100 bytes"},
		"a name twice":          {image(t, "src 0 .\nsrc 0 ./a\nsrc 0 ./a\n"), "stands twice"},
		"no folder":             {image(t, "src 0 .\nsrc 0 ./a/b\n"), `no folder "a" before it`},
		"below a file":          {image(t, "src 0 .\nsrc 1 ./a\nxsrc 0 ./a/b\n"), `no folder "a" before it`},
		"a way out":             {image(t, "src 0 .\nsrc 0 ./..\n"), ".."},
		"content elsewhere":     {image(t, "src 0 .\nsrc 1 /a\nx"), "no entry of the tree"},
		"an entry at the end":   {image(t, "src 0 .\n"+trailer+"src 0 ./a\n"), "behind the commands that end"},
	} {
		img, err := Decode(bytes.NewReader(test.in), loose, formattest.Blobs{}.Put)
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), `"a"`+": 4", `"./a": 4`), test.want) ||
			img.Tree.Len() != 0 || img.Trailer != nil {
			t.Errorf("%s: Decode = %d nodes, %v; want an error with %q alone", name, img.Tree.Len(), err, test.want)
		}
	}
}

func TestDecodeHasLimits(t *testing.T) {
	tr, b := sample(t)
	in := mustEncode(t, mustBoot(t), tr, b)
	for want, limits := range map[string]Limits{
		"more than 3 files": {3, 1 << 20}, "more than 20 bytes of content": {100, 20},
	} {
		_, err := Decode(bytes.NewReader(in), limits, formattest.Blobs{}.Put)
		if limit := (*LimitError)(nil); !errors.As(err, &limit) || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode with %+v = %v; want a LimitError with %q", limits, err, want)
		}
	}
	for n := 0; n < len(in); n += 1 + n/10 {
		if _, err := Decode(io.LimitReader(bytes.NewReader(in), int64(n)), loose, formattest.Blobs{}.Put); err == nil {
			t.Errorf("Decode of %d of %d bytes gives no error", n, len(in))
		}
	}
}

func FuzzDecode(f *testing.F) {
	tr, b := sample(f)
	full := mustEncode(f, mustBoot(f), tr, b)
	foreign := image(f, "src 0 .\nsrc 0 ./z\nsrc 2 ./a\n\x00\nsrc 0 ./z/y\n"+trailer)
	front := len(full[:3*Sector])
	for _, seed := range [][]byte{full, foreign} {
		if !roundTrip(f, seed) {
			f.Fatal("a seed does not reach the end")
		}
		f.Add(bytes.TrimRight(seed[front:], "\x00")) // the fuzzer has the stream to itself
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		if len(stream) < 1<<16 {
			roundTrip(t, image(t, string(stream)))
		}
	})
}

// roundTrip checks that what decodes, with what an image needs added, encodes to an image that decodes to the same, and
// that this encodes to its own bytes; false where it does not decode.
func roundTrip(t testing.TB, in []byte) bool {
	b := formattest.Blobs{}
	img, err := Decode(bytes.NewReader(in), loose, b.Put)
	if err != nil {
		if img.Tree.Len() != 0 {
			t.Errorf("Decode gave %d nodes beside %v", img.Tree.Len(), err)
		}
		return false
	}
	if Check(img.Tree) != nil {
		return true // it decodes, but nothing could be started from it
	}
	out := mustEncode(t, img.Boot, img.Tree, b)
	again, err := Decode(bytes.NewReader(out), loose, b.Put)
	if err != nil {
		t.Fatalf("decoding what was encoded: %v", err)
	}
	if diff := again.Tree.Diff(img.Tree); diff != "" {
		t.Errorf("decoding what was encoded differs: %s", diff)
	}
	if !bytes.Equal(mustEncode(t, again.Boot, again.Tree, b), out) {
		t.Error("an image does not encode to its own bytes")
	}
	return true
}
