// SPDX-License-Identifier: MIT

package cpio

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/tree"
)

func mustEncode(t testing.TB, tr tree.Tree, b formattest.Blobs) []byte {
	t.Helper()
	var w bytes.Buffer
	if err := Encode(&w, tr, b.Open); err != nil {
		t.Fatalf("Encode: %v", err)
	}
	return w.Bytes()
}

// TestEncodeIsCanonical compares with an archive written out by hand from buffer-format.rst.
func TestEncodeIsCanonical(t *testing.T) {
	b := formattest.Blobs{}
	f := b.File("d/f", 0o4755, "12345")
	f.UID, f.GID, f.ModTime = 1, 0xffffffff, 0xffffffff
	got := mustEncode(t, formattest.Tree(t, f, tree.Node{Path: "d/l", Kind: tree.Symlink, Mode: 0o777, Target: "f"},
		tree.Node{Path: "null", Kind: tree.CharDevice, Mode: 0o666, Major: 1, Minor: 3}), b)
	entry := func(name string, numbers ...string) string {
		return "070701" + strings.Join(numbers, "") + name
	}
	const o = "00000000"
	//             ino         mode        uid         gid         nlink       mtime
	want := entry("d\x00", "00000001", "000041ED", o, o, "00000002", o,
		o, o, o, o, o, "00000002", o) +
		entry("d/f\x00\x00\x00", "00000002", "000089ED", "00000001", "FFFFFFFF", "00000001", "FFFFFFFF",
			"00000005", o, o, o, o, "00000004", o) + "12345\x00\x00\x00" +
		entry("d/l\x00\x00\x00", "00000003", "0000A1FF", o, o, "00000001", o,
			"00000001", o, o, o, o, "00000004", o) + "f\x00\x00\x00" +
		entry("null\x00\x00", "00000004", "000021B6", o, o, "00000001", o,
			o, o, o, "00000001", "00000003", "00000005", o) +
		entry("TRAILER!!!\x00\x00\x00\x00", o, o, o, o, "00000001", o, o, o, o, o, o, "0000000B", o)
	if string(got) != want {
		t.Errorf("Encode =\n%q; want\n%q", got, want)
	}
}

func TestEncodeRefusesWhatDoesNotFit(t *testing.T) {
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	large, err := digest.FromHex(sum, 1<<32)
	if err != nil {
		t.Fatal(err)
	}
	for want, n := range map[string]tree.Node{
		"4294967296 bytes": {Path: "big", Kind: tree.File, Content: large},
		"time -1":          {Path: "old", Kind: tree.Dir, ModTime: -1},
		"time 4294967296":  {Path: "late", Kind: tree.Dir, ModTime: 1 << 32},
		"name of 4096":     {Path: strings.Repeat("n", 4096), Kind: tree.Dir},
		"target of 4096":   {Path: "l", Kind: tree.Symlink, Target: strings.Repeat("n", 4096)},
		"the end":          {Path: "TRAILER!!!", Kind: tree.Dir},
	} {
		err := Encode(io.Discard, formattest.Tree(t, n), formattest.Blobs{}.Open)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), n.Path) {
			t.Errorf("Encode(%.20q) = %v; want an error with %q and the name", n.Path, err, want)
		}
	}
}

func TestEncodeRefusesOtherContent(t *testing.T) {
	b := formattest.Blobs{}
	n := b.File("a-b", 0o644, "content")
	tr := formattest.Tree(t, n)
	for name, content := range map[string]string{"shorter": "x", "longer": "content and more"} {
		b[n.Content] = []byte(content)
		if err := Encode(io.Discard, tr, b.Open); err == nil || !strings.Contains(err.Error(), `"a-b"`) {
			t.Errorf("Encode of %s content than the tree says: %v; want an error that names the file", name, err)
		}
	}
	delete(b, n.Content)
	if err := Encode(io.Discard, tr, b.Open); err == nil || !strings.Contains(err.Error(), "no blob") {
		t.Errorf("Encode without the content: %v; want the error of open", err)
	}
}

// full takes nothing.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestEncodePassesErrorsOn(t *testing.T) {
	b := formattest.Blobs{}
	for _, tr := range []tree.Tree{{}, formattest.Tree(t, b.File("f", 0o644, strings.Repeat("x", 1<<17)))} {
		if err := Encode(full{}, tr, b.Open); !errors.Is(err, errFull) {
			t.Errorf("Encode of %d nodes to a writer that fails = %v; want %v", tr.Len(), err, errFull)
		}
	}
}
