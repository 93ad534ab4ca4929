// SPDX-License-Identifier: MIT

package cpio_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/format/compressed"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/tree"
)

// run runs a program on bytes in a directory and gives what it prints.
func run(t *testing.T, dir string, in []byte, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(need.Tool(t, program), args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	cmd.Env = []string{"TZ=UTC", "LC_ALL=C.UTF-8", "PATH=" + os.Getenv("PATH")}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("%s %q: %v\n%s", program, args, err, complaints.Bytes())
	}
	return out
}

func TestGNUCpioListsWhatEncodeWrote(t *testing.T) {
	b := formattest.Blobs{}
	f := b.File("d/f", 0o4755, "12345")
	f.UID, f.GID, f.ModTime = 4_000_000_000, 7, 0xffffffff
	_, in := archive(t, b, f, tree.Node{Path: "d/l", Kind: tree.Symlink, Mode: 0o777, Target: "f"},
		tree.Node{Path: "null", Kind: tree.CharDevice, Mode: 0o666, Major: 1, Minor: 3},
		tree.Node{Path: "p", Kind: tree.Fifo, Mode: 0o600}, tree.Node{Path: "vda", Kind: tree.BlockDevice, Mode: 0o660, Major: 254})
	var got []string
	for line := range strings.Lines(string(run(t, t.TempDir(), in, "cpio", "-itvn", "--quiet"))) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"drwxr-xr-x 2 0 0 0 Jan 1 1970 d", "-rwsr-xr-x 1 4000000000 7 5 Feb 7 2106 d/f",
		"lrwxrwxrwx 1 0 0 1 Jan 1 1970 d/l -> f", "crw-rw-rw- 1 0 0 1, 3 Jan 1 1970 null",
		"prw------- 1 0 0 0 Jan 1 1970 p", "brw-rw---- 1 0 0 254, 0 Jan 1 1970 vda",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cpio -t (-want +got):\n%s", diff)
	}
}

func TestGNUCpioUnpacksWhatEncodeWrote(t *testing.T) {
	b := formattest.Blobs{}
	_, in := archive(t, b, b.File("a/b", 0o755, "content"), b.File("a-b", 0o644, strings.Repeat("x", 5000)),
		tree.Node{Path: "a/l", Kind: tree.Symlink, Mode: 0o777, Target: "../a-b"})
	dir := t.TempDir()
	run(t, dir, in, "cpio", "-i", "--quiet", "--no-preserve-owner")
	for name, want := range map[string]string{"a/b": "content", "a/l": strings.Repeat("x", 5000)} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s as GNU cpio unpacked it = %d bytes, %v; want %d", name, len(got), err, len(want))
		}
	}
}

// TestDecodeReadsWhatGNUCpioWrote has hard links in two groups, one of them empty, whose content comes last.
func TestDecodeReadsWhatGNUCpioWrote(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.Mkdir(at("d"), 0o755), os.WriteFile(at("f"), []byte("content"), 0o644), os.Link(at("f"), at("d/g")),
		os.Link(at("f"), at("h")), os.WriteFile(at("empty"), nil, 0o600), os.Link(at("empty"), at("void")),
		os.Symlink("../f", at("d/l")), os.Chmod(at("f"), 0o754), os.WriteFile(at("single"), []byte("x"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b := formattest.Blobs{}
	want, _ := archive(t, b, b.File("f", 0o754, "content"), b.File("d/g", 0o754, "content"), b.File("h", 0o754, "content"),
		b.File("empty", 0o600, ""), b.File("void", 0o600, ""), b.File("single", 0o600, "x"),
		tree.Node{Path: "d", Kind: tree.Dir, Mode: 0o755},
		tree.Node{Path: "d/l", Kind: tree.Symlink, Mode: 0o777, Target: "../f"})
	for _, format := range []string{"newc", "crc"} {
		names := []byte(".\n./f\n./d\n./d/g\nempty\nsingle\n./h\nd/l\nvoid\n")
		in := run(t, dir, names, "cpio", "-o", "--quiet", "--format="+format, "--owner=0:0", "--renumber-inodes")
		segments, err := decode(in, formattest.Blobs{})
		if err != nil || len(segments) != 1 {
			t.Errorf("%s: Decode = %d segments, %v; want 1", format, len(segments), err)
			continue
		}
		if diff := want.Diff(timeless(t, segments[0].Tree)); diff != "" {
			t.Errorf("%s: Decode differs: %s", format, diff)
		}
	}
	in := run(t, dir, []byte("f\nempty\n"), "cpio", "-o", "--quiet", "--format=newc")
	if _, err := decode(in, b); err == nil || !strings.Contains(err.Error(), `"empty": the content of 2 links never comes`) {
		t.Errorf("Decode of one name of two, without content = %v; want an error", err)
	}
}

func timeless(t *testing.T, tr tree.Tree) tree.Tree {
	t.Helper()
	var nodes []tree.Node
	for n := range tr.Nodes() {
		n.ModTime = 0
		nodes = append(nodes, n)
	}
	same, err := tree.New(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	return same
}

// TestDecodeReadsWhatTheProgramsPacked has the programs that people make an initramfs with pack a segment each.
func TestDecodeReadsWhatTheProgramsPacked(t *testing.T) {
	b := formattest.Blobs{}
	var parts [][]byte
	programs := []string{"gzip -9", "zstd -19 -q", "xz --check=crc32 -9", "lz4 -l -9 -q", "zstd -q --no-check", "gzip -1n"}
	for i, program := range programs {
		_, plain := archive(t, b, b.File(fmt.Sprint(i), 0o644, strings.Repeat(program, 20_000)))
		words := strings.Fields(program)
		parts = append(parts, run(t, t.TempDir(), plain, words[0], append(words[1:], "-c")...))
	}
	segments, err := decode(join(t, parts...), formattest.Blobs{})
	if err != nil || len(segments) != len(programs) {
		t.Fatalf("Decode = %d segments, %v; want %d", len(segments), err, len(programs))
	}
	for i, s := range segments {
		n, ok := s.Tree.Lookup(fmt.Sprint(i))
		want := strings.Repeat(programs[i], 20_000)
		if !ok || n.Content != b.File("", 0, want).Content {
			t.Errorf("segment %d, packed with %s: %v; want %d bytes", i, programs[i], n.Content, len(want))
		}
	}
	sum64 := run(t, t.TempDir(), parts[0], "xz", "-c")
	if _, err := decode(sum64, b); err == nil || !strings.Contains(err.Error(), "which a kernel does not read") {
		t.Errorf("Decode of xz with CRC-64 = %v; want an error, as a kernel gives it", err)
	}
}

// TestTheProgramsUnpackWhatWePacked is the other direction.
func TestTheProgramsUnpackWhatWePacked(t *testing.T) {
	b := formattest.Blobs{}
	for kind, program := range map[compressed.Kind]string{
		compressed.Gzip: "gzip", compressed.Zstd: "zstd", compressed.XZ: "xz", compressed.LZ4: "lz4",
	} {
		size := 300_000
		if kind == compressed.LZ4 { // more than a block
			size = 9_000_000
		}
		_, plain := archive(t, b, b.File("f", 0o644, strings.Repeat("x", size)))
		if got := run(t, t.TempDir(), pack(t, kind, plain), program, "-dcq"); !bytes.Equal(got, plain) {
			t.Errorf("%s -d of what we packed = %d bytes; want %d", program, len(got), len(plain))
		}
	}
}
