// SPDX-License-Identifier: MIT

package sysroottest

import (
	"archive/tar"
	"compress/bzip2"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/seed"
)

// trees holds what is unpacked already, by its path; several tests ask for it.
var trees sync.Map

// tccTree is tcc's tarball, unpacked in memory. It is not to be changed.
func tccTree(t *testing.T) map[string][]byte {
	t.Helper()
	name := tarball(t, "tcc-0.9.27+git20200814.62c30a4a.tar.bz2")
	unpack, _ := trees.LoadOrStore(name, sync.OnceValue(func() map[string][]byte { return unpackTcc(t, name) }))
	return unpack.(func() map[string][]byte)()
}

func unpackTcc(t *testing.T, name string) map[string][]byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return untar(t, bzip2.NewReader(f))
}

// untar gives the files of an archive by their names.
func untar(t *testing.T, archive io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(archive); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if head.Typeflag != tar.TypeReg {
			continue
		}
		if files[strings.TrimPrefix(head.Name, "./")], err = io.ReadAll(io.LimitReader(r, 1<<24)); err != nil {
			t.Fatal(err)
		}
	}
}

// layOut writes what boot4 takes to a folder, but for tcc0.
func layOut(t *testing.T, dir, made string, stage chain.Stage) {
	t.Helper()
	tree := tccTree(t)
	for _, in := range stage.Inputs {
		var text []byte
		var err error
		switch {
		case in.Name == "tcc0":
			continue
		case in.From.Distfile != "":
			text = tree[in.From.Path]
		case in.From.Stage == "":
			text, err = fs.ReadFile(seed.Files(), in.From.Path)
		default:
			text, err = os.ReadFile(filepath.Join(made, in.From.Stage, in.From.Path))
		}
		if err != nil || len(text) == 0 {
			t.Fatalf("input %s: %d bytes, %v", in.Name, len(text), err)
		}
		write(t, dir, map[string][]byte{in.Name: text})
	}
}

// TestDiverseDoubleCompiling takes the steps of boot4 with a tcc0 that the host's compiler made in the place of the one
// that the chain made. The tcc3 that comes out has to be the chain's, byte for byte: then nothing in it stems from what
// is below, unless it is in both. (David A. Wheeler, Countering Trusting Trust through Diverse Double-Compiling, 2005.)
func TestDiverseDoubleCompiling(t *testing.T) {
	t.Parallel()
	need.Arch(t, "amd64")
	cc := need.Tool(t, "gcc")
	made, dir := filepath.Dir(sysroot(t)), t.TempDir()
	plan, err := chain.Load("seed", seed.Files(), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	stage, ok := plan.Stage("boot4")
	if !ok {
		t.Fatal("no stage boot4")
	}
	layOut(t, dir, made, stage)
	// The headers of seed/libc are for the chain's programs: cc takes those of the host, and the rest from a folder apart.
	apart := t.TempDir()
	for _, in := range stage.Inputs {
		if in.From.Distfile != "" || in.From.Stage == "tcc-patched" || in.Name == "config.h" {
			if err := os.Link(filepath.Join(dir, in.Name), filepath.Join(apart, in.Name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.CommandContext(t.Context(), cc, "-w", "-O0", "-o", filepath.Join(dir, "tcc0"), "tcc.c")
	cmd.Dir = apart
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	for _, s := range stage.Steps {
		must(t, dir, append([]string{filepath.Join(dir, s.Argv[0])}, s.Argv[1:]...)...)
	}
	for _, name := range []string{"tcc3", "libc.a", "libtcc1.a", "crt1.o"} {
		if !sameFile(t, filepath.Join(made, "boot4", name), filepath.Join(dir, name)) {
			t.Errorf("%s is another one than the chain's", name)
		}
	}
}
