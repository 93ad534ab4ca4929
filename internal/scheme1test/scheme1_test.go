// SPDX-License-Identifier: MIT

package scheme1test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/seedlang"
	"github.com/rung-build/rung/seed"
)

// The texts of scheme1, in the order in which they are assembled.
var texts = []string{
	"memory.P1", "nodes.P1", "compile.P1", "read.P1", "print.P1", "data.P1", "system.P1", "table.P1",
}

// A variant of scheme1 has other values for some of its constants.
type variant map[string]string

var (
	plain      = variant{}
	collecting = variant{"GC.RATE": "0", "GC.MIN": "0"} // each allocation collects
	small      = variant{"SPACE.size": "(* 8 MEG)", "STACK.size": "(* 1 MEG)"}
)

// programs holds what is assembled already, by the variant's constants.
var programs sync.Map

func (v variant) assemble() ([]byte, error) {
	names := []string{"amd64/P1.M1"}
	for _, name := range texts {
		names = append(names, "scheme1/"+name)
	}
	var sources []seedlang.Source
	for _, name := range names {
		text, err := fs.ReadFile(seed.Files(), name)
		if err != nil {
			return nil, err
		}
		for constant, value := range v {
			line := regexp.MustCompile("(?m)^const " + regexp.QuoteMeta(constant) + " .*$")
			text = line.ReplaceAll(text, []byte("const "+constant+" "+value))
		}
		sources = append(sources, seedlang.Source{Name: name, Text: text})
	}
	program, _, err := seedlang.Assemble(seedlang.M1pp, seedlang.Base, sources...)
	return program, err
}

// scheme1 gives the path of the program.
func (v variant) scheme1(t testing.TB) string {
	t.Helper()
	need.Arch(t, "amd64")
	once, _ := programs.LoadOrStore(fmt.Sprint(v), sync.OnceValues(v.assemble))
	program, err := once.(func() ([]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "scheme1")
	// A process that is started while the file is open for writing would hold it open: "text file busy".
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// prelude is the text that comes before a program.
func prelude(t testing.TB) string {
	t.Helper()
	text, err := fs.ReadFile(seed.Files(), "prelude.scm")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// result is what a run gave.
type result struct {
	Out, Err string
	Status   int
	memory   int64 // the most that was resident, in KiB
}

// run runs a program text as FILE.scm in a folder of its own, with a line on standard input.
func run(t testing.TB, interpreter, text string, args ...string) result {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "t.scm"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return runIn(t, dir, interpreter, append([]string{"t.scm"}, args...)...)
}

func runIn(t testing.TB, dir, interpreter string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, interpreter, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader("input\n"), &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := result{Out: out.String(), Err: errs.String(), Status: cmd.ProcessState.ExitCode()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.memory = usage.Maxrss
	}
	return r
}

// wanted collects the comments that tell what a program prints.
func wanted(text string) string {
	var want strings.Builder
	for line := range strings.Lines(text) {
		if _, after, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ";=>"); ok {
			want.WriteString(strings.TrimPrefix(after, " ") + "\n")
		}
	}
	return want.String()
}

func TestSuite(t *testing.T) {
	for _, name := range []string{"core", "syntax", "data", "numbers", "errors", "io", "control"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, name, plain)
		})
	}
}

// TestSuiteCollecting leaves out control, which is large by design.
func TestSuiteCollecting(t *testing.T) {
	for _, name := range []string{"core", "syntax", "data", "numbers", "errors", "io"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, name, collecting)
		})
	}
}

// suite runs a file of testdata: core by itself, the others behind prelude and preamble.
func suite(t *testing.T, name string, v variant) {
	text := read(t, name+".scm")
	want := result{Out: wanted(text)}
	if strings.Count(want.Out, "\n") < 10 {
		t.Fatalf("%s says of %d lines only what they are", name, strings.Count(want.Out, "\n"))
	}
	if name != "core" {
		text = prelude(t) + read(t, "preamble.scm") + text
	}
	got := run(t, v.scheme1(t), text, "one", "two words", "")
	got.memory = 0
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("%s.scm: want (-) and got (+) differ:\n%s", name, diff)
	}
}

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
