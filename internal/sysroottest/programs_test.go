// SPDX-License-Identifier: MIT

package sysroottest

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The programs that check themselves, and how many checks they make: a program that ends early shows nothing.
var programs = map[string]int{
	"compiler.c": 69, "jump.c": 14, "memory.c": 10000, "process.c": 41, "signals.c": 64, "text.c": 75, "threads.c": 172,
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	for name, least := range programs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := func(what, program string) {
				got := start(t, t.TempDir(), "", program)
				checks, failed := 0, -1
				last := got.Out[strings.LastIndexByte(strings.TrimSuffix(got.Out, "\n"), '\n')+1:]
				if _, err := fmt.Sscanf(last, "%d checks, %d failed\n", &checks, &failed); err != nil || failed != 0 ||
					checks < least || got.Status != 0 {
					t.Errorf("%s by %s = status %d, %d checks; want 0, at least %d\n%s%s", name, what, got.Status, checks,
						least, got.Out, got.Err)
				}
			}
			check("tcc", compile(t, name))
			if program := host(t, name); program != "" {
				check("cc", program)
			}
		})
	}
}

// TestSurvey runs a program of 300 lines. What it prints was written down from what gcc and another C library made of
// it.
func TestSurvey(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/survey.expect")
	if err != nil {
		t.Fatal(err)
	}
	check := func(what, program string) {
		got := start(t, t.TempDir(), "", program)
		// Its last act is to look for a file that it has removed.
		all := outcome{string(want), "survey: reports: No such file or directory\n", 1}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("survey.c by %s (-want +got):\n%s", what, diff)
		}
	}
	check("tcc", compile(t, "survey.c"))
	if program := host(t, "survey.c"); program != "" {
		check("cc", program)
	}
}

// TestPlace unpacks the sysroot elsewhere: it has to make the same program there, however its compiler is called.
func TestPlace(t *testing.T) {
	t.Parallel()
	dir, old := t.TempDir(), sysroot(t)
	moved := filepath.Join(dir, "some where")
	if err := os.CopyFS(moved, os.DirFS(old)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(moved, "bin/tcc"), 0o755); err != nil {
		t.Fatal(err)
	}
	hello := filepath.Join(dir, "hello.c")
	text := "#include <stdio.h>\nint main(void) { printf(\"hello, %g\\n\", 0.5); return 0; }\n"
	for _, err := range []error{
		os.WriteFile(hello, []byte(text), 0o600),
		os.Symlink("some where/bin/tcc", filepath.Join(dir, "cc")),
		os.Symlink(filepath.Join(dir, "cc"), filepath.Join(dir, "cc2")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := filepath.Join(dir, "want")
	must(t, dir, filepath.Join(old, "bin/tcc"), hello, "-o", want)
	if got := must(t, dir, want); got != "hello, 0.5\n" {
		t.Errorf("hello = %q; want %q", got, "hello, 0.5\n")
	}
	for _, way := range [][]string{
		{dir, filepath.Join(moved, "bin/tcc")},
		{dir, "./some where/bin/tcc"},
		{moved, "bin/tcc"},
		{filepath.Join(moved, "bin"), "./tcc"},
		{dir, "./cc"},
		{moved, "../cc2"},
		{dir, filepath.Join(old, "bin/tcc"), "-B", moved},
		{dir, "/bin/sh", "-c", `PATH="` + moved + `/bin" tcc "$@"`, "sh"},
	} {
		got := filepath.Join(t.TempDir(), "hello")
		must(t, way[0], append(way[1:], hello, "-o", got)...)
		if !sameFile(t, want, got) {
			t.Errorf("%q makes another program than %s", way, filepath.Join(old, "bin/tcc"))
		}
	}
}

func sameFile(t *testing.T, a, b string) bool {
	t.Helper()
	left, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	right, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(left, right)
}

// TestStatic wants programs that need no loader and no library: they run on a kernel that has nothing else.
func TestStatic(t *testing.T) {
	t.Parallel()
	f, err := elf.Open(compile(t, "survey.c"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("program header %v; want a static program", p.Type)
		}
	}
}

// TestHeaders compiles each header by itself, twice, but for those that need headers of Linux, which no sysroot of ours
// has, or complex numbers, which tcc has not.
func TestHeaders(t *testing.T) {
	t.Parallel()
	root := sysroot(t)
	out := []string{
		"complex.h", "tgmath.h", "sys/vt.h", "sys/kd.h", "sys/soundcard.h", "scsi/sg.h", "scsi/scsi.h", "scsi/scsi_ioctl.h",
	}
	dir := t.TempDir()
	argv := []string{filepath.Join(root, "bin/tcc"), "-c"}
	err := fs.WalkDir(os.DirFS(filepath.Join(root, "include")), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(name, "bits/") || slices.Contains(out, name) {
			return err
		}
		text := "#define _GNU_SOURCE\n#include <" + name + ">\n#include <" + name + ">\n"
		argv = append(argv, strings.ReplaceAll(name, "/", "-")+".c")
		return os.WriteFile(filepath.Join(dir, argv[len(argv)-1]), []byte(text), 0o600)
	})
	if err != nil || len(argv) < 170 {
		t.Fatalf("headers = %d, %v; want at least 170", len(argv)-2, err)
	}
	// Some warn that they have another name nowadays.
	if got := start(t, dir, "", argv...); got.Status != 0 {
		t.Errorf("status %d\n%s", got.Status, got.Err)
	}
}
