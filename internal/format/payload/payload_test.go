// SPDX-License-Identifier: MIT

package payload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/tree"
)

func mustEncode(t testing.TB, v Version, tr tree.Tree, b formattest.Blobs) []byte {
	t.Helper()
	var w bytes.Buffer
	if err := Encode(&w, v, tr, b.OpenNode); err != nil {
		t.Fatalf("Encode(%v): %v", v, err)
	}
	return w.Bytes()
}

// claim is a digest of a size whose bytes nobody has.
func claim(t testing.TB, size int64) digest.Digest {
	t.Helper()
	d, err := digest.FromHex(digest.Of(nil).Hex(), size)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var loose = Limits{Files: 100, Bytes: 1 << 20}

// u32 and u64 are numbers as the format has them.
func u32(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }
func u64(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }

// sample is a tree whose names are out of order as bytes of UTF-16, to show which order is meant.
func sample(t testing.TB) (tree.Tree, formattest.Blobs) {
	b := formattest.Blobs{}
	return formattest.Tree(t, b.Plain("\U0001f4e6", "box"), b.Plain("\ufb01.tar", ""), b.Plain("b c", strings.Repeat("x", 600)),
		b.Plain("a-1.tar.gz", "alpha")), b
}

// TestEncodeIsCanonical compares with streams written out by hand. R5, R11: a length-prefixed stream with the magic
// LBPAYLD1; names in the order of code points; whole sectors.
func TestEncodeIsCanonical(t *testing.T) {
	tr, b := sample(t)
	x := strings.Repeat("x", 600)
	for v, want := range map[Version]string{
		U32: "LBPAYLD1" + u32(4) + u32(10) + u32(5) + "a-1.tar.gz" + "alpha" + u32(3) + u32(600) + "b c" + x +
			u32(7) + u32(0) + "\ufb01.tar" + u32(4) + u32(3) + "\U0001f4e6" + "box",
		U64: "LBPAYLD1" + u64(4) + u64(10) + u64(5) + "a-1.tar.gz" + "alpha" + u64(3) + u64(600) + "b c" + x +
			u64(7) + u64(0) + "\ufb01.tar" + u64(4) + u64(3) + "\U0001f4e6" + "box",
	} {
		got := mustEncode(t, v, tr, b)
		want += strings.Repeat("\x00", 1024-len(want))
		if string(got) != want {
			t.Errorf("Encode(%v) =\n%q; want\n%q", v, got, want)
		}
		if size := Size(v, tr); size != int64(len(got)) {
			t.Errorf("Size(%v) = %d; Encode writes %d", v, size, len(got))
		}
	}
}

// TestDecodeTellsVersions: both versions are read without being told which it is, and what follows, as on a disk, is not
// looked at.
func TestDecodeTellsVersions(t *testing.T) {
	tr, b := sample(t)
	for _, v := range []Version{U32, U64} {
		got := formattest.Blobs{}
		in := append(mustEncode(t, v, tr, b), "what was on the disk before"...)
		version, decoded, err := Decode(bytes.NewReader(in), loose, got.Put)
		if err != nil || version != v || decoded.Diff(tr) != "" {
			t.Errorf("Decode of %v = %v, %s, %v; want the tree", v, version, decoded.Diff(tr), err)
		}
		for n := range tr.Nodes() {
			if !bytes.Equal(got[n.Content], b[n.Content]) {
				t.Errorf("Decode of %v: %q has other content", v, n.Path)
			}
		}
	}
	empty32, empty64 := mustEncode(t, U32, tree.Tree{}, nil), mustEncode(t, U64, tree.Tree{}, nil)
	if !bytes.Equal(empty32, empty64) {
		t.Error("a payload without files differs between the versions")
	}
	for _, in := range [][]byte{empty32, empty32[:12]} {
		if v, got, err := Decode(bytes.NewReader(in), loose, nil); err != nil || v != U32 || got.Len() != 0 {
			t.Errorf("Decode of %d bytes without files = %v, %d files, %v; want u32, 0", len(in), v, got.Len(), err)
		}
	}
}

func TestCheckRefusesWhatNoImporterTakes(t *testing.T) {
	b := formattest.Blobs{}
	big := tree.Node{Path: "big", Kind: tree.File, Content: claim(t, 1<<32)}
	many := make([]tree.Node, MaxFiles+1)
	for i := range many {
		many[i] = b.Plain(fmt.Sprint(i), "")
	}
	for want, tr := range map[string]tree.Tree{
		`"big": 4294967296 bytes`:      formattest.Tree(t, big),
		`"d": a dir;`:                  formattest.Tree(t, tree.Node{Path: "d", Kind: tree.Dir}),
		`"sub": a dir;`:                formattest.Tree(t, b.Plain("sub/f", "")),
		`"l": a symlink;`:              formattest.Tree(t, tree.Node{Path: "l", Kind: tree.Symlink, Target: "x"}),
		`"a\\b": a name with "/"`:      formattest.Tree(t, b.Plain(`a\b`, "")),
		`a name of 1025 bytes`:         formattest.Tree(t, b.Plain(strings.Repeat("n", 1025), "")),
		`"\xff": a name that is no`:    formattest.Tree(t, b.Plain("\xff", "")),
		`200001 files; 200000 are the`: formattest.Tree(t, many...),
	} {
		err := Encode(io.Discard, U32, tr, b.OpenNode)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Encode = %v; want an error with %q", err, want)
		}
	}
	if err := Check(U64, formattest.Tree(t, big)); err != nil {
		t.Errorf("Check(u64) of 4 GiB = %v; want none", err)
	}
	if err := Check(0, tree.Tree{}); err == nil {
		t.Error("Check of no version gives no error")
	}
	huge := formattest.Tree(t, tree.Node{Path: "a", Kind: tree.File, Content: claim(t, 1<<62)},
		tree.Node{Path: "b", Kind: tree.File, Content: claim(t, 1<<62)})
	if got := Size(U64, huge); got != -1 {
		t.Errorf("Size of more than 2 to the 63 = %d; want -1", got)
	}
}

func TestEncodeRefusesOtherContent(t *testing.T) {
	b := formattest.Blobs{}
	n := b.Plain("a-b", "content")
	tr := formattest.Tree(t, n)
	for name, content := range map[string]string{"shorter": "x", "longer": "content and more"} {
		b[n.Content] = []byte(content)
		if err := Encode(io.Discard, U64, tr, b.OpenNode); err == nil || !strings.Contains(err.Error(), `"a-b"`) {
			t.Errorf("Encode of %s content than the tree says: %v; want an error that names the file", name, err)
		}
	}
	delete(b, n.Content)
	if err := Encode(io.Discard, U64, tr, b.OpenNode); err == nil || !strings.Contains(err.Error(), "no blob") {
		t.Errorf("Encode without the content: %v; want the error of open", err)
	}
}

// full takes nothing.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestEncodePassesErrorsOn(t *testing.T) {
	b := formattest.Blobs{}
	for _, tr := range []tree.Tree{{}, formattest.Tree(t, b.Plain("f", strings.Repeat("x", 2*bufferSize)))} {
		if err := Encode(full{}, U32, tr, b.OpenNode); !errors.Is(err, errFull) {
			t.Errorf("Encode of %d files to a writer that fails = %v; want %v", tr.Len(), err, errFull)
		}
	}
}

// TestDecodeRefuses: each is an error that says what is wrong, and nothing is returned beside it.
func TestDecodeRefuses(t *testing.T) {
	const m = "LBPAYLD1"
	for name, test := range map[string]struct{ in, want string }{
		"another magic":          {"LBPAYLD2" + u32(0), `starts with "LBPAYLD2"`},
		"no header":              {"LBPAY", "unexpected EOF"},
		"a count alone":          {m + u32(1), "unexpected EOF"},
		"too many files":         {m + u32(200_001) + u32(1), "more than 100 files"},
		"an empty name":          {m + u64(1) + u64(0) + u64(0), "an empty name"},
		"a long name":            {m + u32(1) + u32(1025) + u32(0), "a name of 1025 bytes"},
		"a name of 2 to the 63":  {m + u64(1) + u64(1<<63) + u64(0), "a name of 9223372036854775808 bytes"},
		"content of 2 to the 64": {m + u64(1) + u64(1) + u64(1<<64-1) + "f", `"f": more than 1048576 bytes of content`},
		"a slash":                {m + u32(1) + u32(3) + u32(0) + "a/b", "a name with"},
		"a backslash":            {m + u32(1) + u32(3) + u32(0) + `a\b`, "a name with"},
		"NUL":                    {m + u32(1) + u32(2) + u32(0) + "a\x00", "a name with"},
		"the folder":             {m + u32(1) + u32(1) + u32(0) + ".", "means a folder"},
		"the folder above":       {m + u32(1) + u32(2) + u32(0) + "..", "means a folder"},
		"no UTF-8":               {m + u32(1) + u32(1) + u32(0) + "\xff", "no UTF-8"},
		"twice":                  {m + u32(2) + strings.Repeat(u32(1)+u32(0)+"f", 2), `"f" stands behind "f"`},
		"out of order":           {m + u32(2) + u32(1) + u32(0) + "b" + u32(1) + u32(0) + "a", `"a" stands behind "b"`},
		"an end in a number":     {m + u32(2) + u32(1) + u32(0) + "f" + u32(1), `after "f": unexpected EOF`},
		"an end in a name":       {m + u32(1) + u32(9) + u32(0) + "f", "unexpected EOF"},
		"an end in content":      {m + u32(1) + u32(1) + u32(9) + "f" + "1234", `"f": 4 bytes of 9: unexpected EOF`},
	} {
		v, got, err := Decode(strings.NewReader(test.in), loose, formattest.Blobs{}.Put)
		if err == nil || !strings.Contains(err.Error(), test.want) || v != 0 || got.Len() != 0 {
			t.Errorf("%s: Decode = %v, %d files, %v; want an error with %q alone", name, v, got.Len(), err, test.want)
		}
	}
}

// TestDecodeTakesNoTruncation cuts a stream at every byte.
func TestDecodeTakesNoTruncation(t *testing.T) {
	tr, b := sample(t)
	for _, v := range []Version{U32, U64} {
		whole := bytes.TrimRight(mustEncode(t, v, tr, b), "\x00")
		for n := range whole {
			if _, _, err := Decode(bytes.NewReader(whole[:n]), loose, formattest.Blobs{}.Put); err == nil {
				t.Errorf("Decode of %d of %d bytes (%v) gives no error", n, len(whole), v)
			}
		}
	}
}

func TestParseReadsWhatStringGives(t *testing.T) {
	for _, v := range []Version{U32, U64} {
		if got, err := Parse(v.String()); err != nil || got != v {
			t.Errorf("Parse(%q) = %v, %v; want %v", v.String(), got, err, v)
		}
	}
	if _, err := Parse("u16"); err == nil || !strings.Contains(err.Error(), "u32 and u64") {
		t.Errorf("Parse(u16) = %v; want an error that names both versions", err)
	}
}

func FuzzDecode(f *testing.F) {
	tr, b := sample(f)
	seeds := [][]byte{mustEncode(f, U32, tr, b), mustEncode(f, U64, tr, b), mustEncode(f, U32, tree.Tree{}, nil)}
	for _, seed := range seeds {
		if !roundTrip(f, seed) {
			f.Fatal("a seed does not reach the end")
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) { roundTrip(t, in) })
}

// roundTrip checks that what decodes encodes to the bytes it was decoded from, but for those behind the last file; false
// where it does not decode.
func roundTrip(t testing.TB, in []byte) bool {
	b := formattest.Blobs{}
	v, tr, err := Decode(bytes.NewReader(in), loose, b.Put)
	if err != nil {
		if tr.Len() != 0 || v != 0 {
			t.Errorf("Decode gave %v, %d files beside %v", v, tr.Len(), err)
		}
		return false
	}
	used := int64(len(magic)) + int64(v)
	for n := range tr.Nodes() {
		used += 2*int64(v) + int64(len(n.Path)) + n.Content.Size()
	}
	out := mustEncode(t, v, tr, b)
	if !slices.Equal(out[:used], in[:used]) {
		t.Errorf("Encode(Decode(x)) =\n%q; x =\n%q", out, in)
	}
	return true
}
