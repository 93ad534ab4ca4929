// SPDX-License-Identifier: MIT

package source_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/tree"
)

// entry is one entry of an archive in a test: a file unless its type says otherwise.
type entry struct {
	name, text, link string
	kind             byte
	mode             int64
}

// tarOf writes entries as they are, hostile ones too.
func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Mode: e.mode, Size: int64(len(e.text))}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, b []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, level)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func xzed(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := xz.NewWriter(&out)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// hello are the entries of a small source, and helloTree the digest of its tree without the directory "hello-1.0". It
// was computed by the program in docs/sources.md, which has nothing in common with this package.
func hello() []entry {
	return []entry{
		{name: "hello-1.0/", kind: tar.TypeDir, mode: 0o755},
		{name: "hello-1.0/README", text: "A greeting.\n"},
		{name: "hello-1.0/configure", text: "#!/bin/sh\nexit 0\n", mode: 0o755},
		{name: "hello-1.0/src/", kind: tar.TypeDir, mode: 0o700},
		{name: "hello-1.0/src/hello.c", text: "int main(void) { return 0; }\n", mode: 0o600},
		{name: "hello-1.0/src/empty.h"},
		{name: "hello-1.0/src/link", kind: tar.TypeSymlink, link: "../README", mode: 0o777},
		{name: "hello-1.0/src/copy.c", kind: tar.TypeLink, link: "hello-1.0/src/hello.c"},
	}
}

const helloTree = "e4a92c3d5fa6a840cb8fa44492ed84bfd1490ebc0613875333c395f94ec7b411/243"

func keepNothing(r io.Reader) (digest.Digest, error) {
	h := digest.NewHasher()
	_, err := io.Copy(h, r)
	return h.Digest(), err
}

func unpack(b []byte, strip int) (source.Unpacked, error) {
	return source.Unpack(bytes.NewReader(b), int64(len(b)), strip, keepNothing)
}

func TestUnpack(t *testing.T) {
	plain := tarOf(t, hello()...)
	for name, b := range map[string][]byte{"tar": plain, "gzip": gzipped(t, plain, 9), "gzip, fast": gzipped(t, plain, 1),
		"xz": xzed(t, plain)} {
		got, err := unpack(b, 1)
		if err != nil {
			t.Errorf("Unpack(%s) = %v", name, err)
			continue
		}
		if got.Root.String() != helloTree {
			t.Errorf("Unpack(%s).Root = %v; want %s", name, got.Root, helloTree)
		}
	}
}

func TestUnpackNormalises(t *testing.T) {
	got, err := unpack(tarOf(t, hello()...), 1)
	if err != nil {
		t.Fatal(err)
	}
	file := func(p string, mode uint32, text string) tree.Node {
		return tree.Node{Path: p, Kind: tree.File, Mode: mode, Content: digest.Of([]byte(text))}
	}
	want, err := tree.New(file("README", 0o444, "A greeting.\n"), file("configure", 0o555, "#!/bin/sh\nexit 0\n"),
		tree.Node{Path: "src", Kind: tree.Dir, Mode: 0o555}, file("src/hello.c", 0o444, "int main(void) { return 0; }\n"),
		file("src/empty.h", 0o444, ""), file("src/copy.c", 0o444, "int main(void) { return 0; }\n"),
		tree.Node{Path: "src/link", Kind: tree.Symlink, Mode: 0o777, Target: "../README"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := got.Tree.Diff(want); diff != "" {
		t.Errorf("Unpack(...).Tree: %s", diff)
	}
}

// TestUnpackRefuses wants every hostile archive to be refused with the name of what is wrong with it.
func TestUnpackRefuses(t *testing.T) {
	many := strings.Repeat("x", 1<<20)
	for _, test := range []struct {
		name    string
		archive []byte
		strip   int
		kind    fault.Kind
		says    string
	}{
		{"absolute name", tarOf(t, entry{name: "/etc/passwd"}), 0, fault.Mismatch, `"/etc/passwd"`},
		{"climbing name", tarOf(t, entry{name: "../x"}), 0, fault.Mismatch, `"../x"`},
		{"climbing in the middle", tarOf(t, entry{name: "a/../../x"}), 0, fault.Mismatch, `"a/../../x"`},
		{"absolute link", tarOf(t, entry{name: "l", kind: tar.TypeSymlink, link: "/etc"}), 0, fault.Mismatch, `"/etc"`},
		{"climbing link", tarOf(t, entry{name: "d/l", kind: tar.TypeSymlink, link: "../../x"}), 0, fault.Mismatch,
			`"../../x"`},
		{"link that climbs once the top is gone", tarOf(t, entry{name: "top/l", kind: tar.TypeSymlink, link: "../top/x"},
			entry{name: "top/x"}), 1, fault.Mismatch, `"../top/x"`},
		{"file below a link", tarOf(t, entry{name: "l", kind: tar.TypeSymlink, link: "d"}, entry{name: "l/x"}), 0,
			fault.Mismatch,
			`"l/x"`},
		{"hard link to nothing", tarOf(t, entry{name: "h", kind: tar.TypeLink, link: "/etc/passwd"}), 0, fault.Mismatch,
			`"/etc/passwd"`},
		{"device", tarOf(t, entry{name: "null", kind: tar.TypeChar}), 0, fault.Mismatch, `"null"`},
		{"fifo", tarOf(t, entry{name: "pipe", kind: tar.TypeFifo}), 0, fault.Mismatch, `"pipe"`},
		{"name twice", tarOf(t, entry{name: "a", text: "1"}, entry{name: "./a", text: "2"}), 0, fault.Mismatch,
			`"a" stands twice`},
		{"name that is not UTF-8", tarOf(t, entry{name: "caf\xe9"}), 0, fault.Mismatch, `UTF-8`},
		{"no end mark", tarOf(t, entry{name: "a"})[:512], 0, fault.Mismatch, "EOF"},
		{"cut gzip", gzipped(t, tarOf(t, entry{name: "a"}), 9)[:40], 0, fault.Mismatch, "EOF"},
		{"bytes behind the gzip", append(gzipped(t, tarOf(t, entry{name: "a"}), 9), "tail"...), 0, fault.Mismatch, "gzip"},
		{"bytes behind the tar", append(tarOf(t, entry{name: "a"}), "tail"...), 0, fault.Mismatch, "after the end mark"},
		{"a bomb", gzipped(t, tarOf(t, entry{name: "a", text: strings.Repeat(many, 20)}), 9), 0, fault.Limit, "bomb"},
		{"a long name", tarOf(t, entry{name: strings.Repeat("a/", 600) + "a"}), 0, fault.Limit, "bytes of path"},
		{"two tops", tarOf(t, entry{name: "a/x"}, entry{name: "b/x"}), 1, fault.Mismatch, `"b"`},
		{"a file at the top", tarOf(t, entry{name: "a"}), 1, fault.Mismatch, `"a"`},
		{"nothing to strip", tarOf(t), 1, fault.Mismatch, "strip"},
		{"no archive", []byte(strings.Repeat("not a tarball at all\n", 99)), 0, fault.Mismatch, "archive"},
		{"nothing", nil, 0, fault.Mismatch, "EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := unpack(test.archive, test.strip)
			if err == nil || fault.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Unpack(...) = %v nodes, %v; want a fault of kind %v that says %s", got.Tree.Len(), err, test.kind,
					test.says)
			}
			if !cmp.Equal(got.Messages, [][]byte(nil)) || !got.Root.IsZero() {
				t.Error("Unpack(...) gives something beside the error")
			}
		})
	}
}

func TestUnpackKeepsErrorsOfPut(t *testing.T) {
	full := fault.New(fault.Unavailable, "disk full")
	b := tarOf(t, hello()...)
	_, err := source.Unpack(bytes.NewReader(b), int64(len(b)), 0, func(io.Reader) (digest.Digest, error) {
		return digest.Digest{}, full
	})
	if !errors.Is(err, error(full)) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Unpack(...) = %v; want the error of put", err)
	}
}

func FuzzUnpack(f *testing.F) {
	plain := tarOf(f, hello()...)
	for _, seed := range [][]byte{plain, gzipped(f, plain, 9), xzed(f, plain)} {
		if got, err := unpack(seed, 1); err != nil || got.Root.String() != helloTree {
			f.Fatalf("a seed does not reach the end: %v", err)
		}
		f.Add(seed, 1)
		f.Add(seed, 0)
	}
	f.Fuzz(func(t *testing.T, b []byte, strip int) {
		got, err := unpack(b, strip)
		if err != nil {
			return
		}
		for n := range got.Tree.Nodes() {
			if n.Escapes() || n.Kind > tree.Symlink || n.UID != 0 || n.ModTime != 0 || n.Mode&0o222 != 0 &&
				n.Kind != tree.Symlink {
				t.Errorf("%+v: not a node of a normal tree", n)
			}
		}
		if root := got.Messages[len(got.Messages)-1]; digest.Of(root) != got.Root {
			t.Errorf("the last message is not the root")
		}
	})
}
