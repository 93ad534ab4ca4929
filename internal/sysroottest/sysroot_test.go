// SPDX-License-Identifier: MIT

package sysroottest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/need"
)

// above is the folder that holds the whole of the source.
const above = "../.."

// folder is a folder that the environment names, or one below build/.
func folder(t *testing.T, variable, below, hint string) string {
	t.Helper()
	name := os.Getenv(variable)
	if name == "" {
		name = filepath.Join(above, "build", below)
	}
	name, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		need.Unmet(t, "%s, which is not there: %s, or %s names another", name, hint, variable)
	}
	return name
}

// sysroot is the folder of the sysroot.
func sysroot(t *testing.T) string {
	t.Helper()
	need.Arch(t, "amd64")
	return folder(t, "RUNG_SYSROOT", filepath.Join(runtime.GOARCH, "boot5"), "rung bootstrap makes it")
}

// tarball is a source that is not ours.
func tarball(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(folder(t, "RUNG_SOURCES", "sources", "rung source mirror build/sources fills it"), "name", name)
}

// outcome is what a program did.
type outcome struct {
	Out, Err string
	Status   int // -1 where a signal ended it
}

// start runs a program in a folder, with no environment but what is given, and text on its standard input.
func start(t *testing.T, dir, input string, argv ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, []string{}, strings.NewReader(input), &out, &errs
	if exit := (*exec.ExitError)(nil); !errors.As(cmd.Run(), &exit) && cmd.ProcessState == nil {
		t.Fatalf("%q could not be started", argv)
	}
	return outcome{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// must runs a program that has to end with status 0, without a word on standard error, and gives what it printed.
func must(t *testing.T, dir string, argv ...string) string {
	t.Helper()
	got := start(t, dir, "", argv...)
	if got.Status != 0 || got.Err != "" {
		t.Fatalf("%q: status %d\n%s%s", argv, got.Status, got.Out, got.Err)
	}
	return got.Out
}

// source is the path of a program of testdata.
func source(t *testing.T, name string) string {
	t.Helper()
	name, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// compile makes a program of testdata with the tcc of the sysroot.
func compile(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	tcc := filepath.Join(sysroot(t), "bin/tcc")
	must(t, filepath.Dir(program), tcc, source(t, name), "-o", program, "-lm", "-lpthread")
	return program
}

// host makes a program of testdata with the C compiler of the host, or gives "" where there is none.
func host(t *testing.T, name string) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		return ""
	}
	program := filepath.Join(t.TempDir(), "program")
	cmd := exec.CommandContext(t.Context(), cc, "-w", "-O0", "-ffp-contract=off", source(t, name), "-o", program, "-lm",
		"-lpthread")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cc %s: %v\n%s", name, err, out)
	}
	return program
}
