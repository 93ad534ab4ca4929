// SPDX-License-Identifier: MIT

package cctest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/seedlang"
	"github.com/rung-build/rung/seed"
)

// The texts of what cc needs, in the order in which they are put together.
var (
	scheme1Texts = []string{
		"scheme1/memory.P1", "scheme1/nodes.P1", "scheme1/compile.P1", "scheme1/read.P1", "scheme1/print.P1",
		"scheme1/data.P1", "scheme1/system.P1", "scheme1/table.P1",
	}
	ccTexts = []string{
		"prelude.scm", "cc/lex.scm", "cc/type.scm", "cc/gen.scm", "cc/float.scm", "cc/parse.scm", "cc/decl.scm",
	}
)

// tools are the files that each compilation has at hand, by name.
var tools = sync.OnceValues(func() (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, texts := range map[string][]string{
		"scheme1": scheme1Texts, "M1pp": {"text.P1", "M1pp.P1"}, "hex2pp": {"text.P1", "hex2pp.P1"},
	} {
		program, err := assemble(texts)
		if err != nil {
			return nil, err
		}
		files[name] = program
	}
	for name, texts := range map[string][]string{
		"cc.scm": ccTexts, "start.P1": {"amd64/P1.M1", "cc/cc.P1"}, "float.c": {"cc/float.c"},
	} {
		for _, text := range texts {
			b, err := fs.ReadFile(seed.Files(), text)
			if err != nil {
				return nil, err
			}
			files[name] = append(files[name], b...)
		}
	}
	return files, nil
})

func assemble(texts []string) ([]byte, error) {
	var sources []seedlang.Source
	for _, name := range append([]string{"amd64/P1.M1"}, texts...) {
		text, err := fs.ReadFile(seed.Files(), name)
		if err != nil {
			return nil, err
		}
		sources = append(sources, seedlang.Source{Name: name, Text: text})
	}
	program, _, err := seedlang.Assemble(seedlang.M1pp, seedlang.Base, sources...)
	return program, err
}

// A bench is a folder with the tools in it.
type bench struct {
	testing.TB
	dir string
}

func newBench(t testing.TB) bench {
	t.Helper()
	need.Arch(t, "amd64")
	files, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	b := bench{t, t.TempDir()}
	for name, text := range files {
		b.write(name, text)
	}
	for _, name := range []string{"lib.c", "test.h", "pp.h"} {
		b.write(name, read(t, name))
	}
	return b
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (b bench) write(name string, text []byte) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), text, 0o755); err != nil {
		b.Fatal(err)
	}
}

// run gives what a program printed and its status; path is relative to the folder, or absolute.
func (b bench) run(path string, args ...string) (stdout, stderr string, status int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	if !filepath.IsAbs(path) {
		path = filepath.Join(b.dir, path)
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, &out, &errs
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		b.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// must runs a program that has to succeed, and gives what it printed.
func (b bench) must(path string, args ...string) string {
	b.Helper()
	out, errs, status := b.run(path, args...)
	if status != 0 {
		b.Fatalf("%s %q ended with %d: %s", path, args, status, errs)
	}
	return out
}

// cc gives what a program prints that cc makes of some files.
func (b bench) cc(files ...string) string {
	b.Helper()
	args := append([]string{"cc.scm", "-D", "CC=1"}, files...)
	b.must("scheme1", append(args, "lib.c", "float.c", "out.P1")...)
	b.must("M1pp", "start.P1", "out.P1", "out.hex2")
	b.must("hex2pp", "out.hex2", "out")
	return b.must("out")
}

// host gives the same for the host's compiler. It is asked for what cc does where C leaves the result open.
func (b bench) host(files ...string) string {
	b.Helper()
	compiler := need.Tool(b, "gcc")
	args := append([]string{"-w", "-O0", "-fwrapv", "-fno-strict-aliasing", "-DHOST", "-o", "host"}, files...)
	b.must(compiler, append(args, "lib.c")...)
	return b.must("host")
}

// programs are the names of the written programs; what is more than one file is said here.
func programs(t *testing.T) map[string][]string {
	t.Helper()
	names, err := filepath.Glob("testdata/*.out")
	if err != nil || len(names) < 10 {
		t.Fatalf("Glob gave %q and %v; want ten names or more", names, err)
	}
	all := map[string][]string{}
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".out")
		all[name] = []string{name + ".c"}
	}
	all["decl"] = []string{"decl.c", "decl2.c"}
	return all
}

// written puts a program's files into the folder, and gives what it is to print.
func (b bench) written(name string, files []string) (want string) {
	b.Helper()
	for _, file := range append(files, name+".out") {
		text := read(b, file)
		b.write(file, text)
		want = string(text)
	}
	if strings.Count(want, "\n") < 4 {
		b.Fatalf("%s.out has only %d lines", name, strings.Count(want, "\n"))
	}
	return want
}

func TestPrograms(t *testing.T) {
	for name, files := range programs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			want := b.written(name, files)
			if diff := cmp.Diff(want, b.cc(files...)); diff != "" {
				t.Errorf("%s: want (-) and got (+) differ:\n%s", name, diff)
			}
		})
	}
}

// TestProgramsOnHost makes sure that what the programs are to print is what C says, and not only what cc does.
func TestProgramsOnHost(t *testing.T) {
	for name, files := range programs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			want := b.written(name, files)
			if diff := cmp.Diff(want, b.host(files...)); diff != "" {
				t.Errorf("%s: want (-) and the host's (+) differ:\n%s", name, diff)
			}
		})
	}
}
