// SPDX-License-Identifier: MIT

package sysroottest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// apart are the tests of tests2 that are not run, or fail, with the reason.
var apart = map[string]string{
	"34_array_assignment": "tcc's own Makefile leaves it out: it is not C",
	"73_arm64":            "for another architecture",
	"98_al_ax_extend":     "for another architecture",
	"99_fastcall":         "for another architecture",
	"112_backtrace":       "-bt: our tcc is built without backtraces, CONFIG_TCCBOOT",
	"113_btdll":           "-bt, and shared libraries, of which there are none",
	"114_bound_signal":    "-b: our tcc is built without bound checking, CONFIG_TCCBOOT",
	"115_bound_setjmp":    "-b: our tcc is built without bound checking, CONFIG_TCCBOOT",
	"116_bound_setjmp2":   "-b: our tcc is built without bound checking, CONFIG_TCCBOOT",
}

// special are the tests that need more than a compilation and a run.
var special = map[string]struct{ flags, args []string }{
	"31_args":                   {args: strings.Fields("arg1 arg2 arg3 arg4 arg5")},
	"46_grep":                   {args: []string{`[^* ]*[:a:d: ]+\:\*-/: $`, "46_grep.c"}},
	"76_dollars_in_identifiers": {flags: []string{"-fdollars-in-identifiers"}},
	"104_inline":                {flags: []string{"104+_inline.c"}},
	"106_pthread":               {flags: []string{"-pthread"}},
}

// many are tests that hold many small ones, which a macro chooses. The Makefile has tcc run them in memory, with -dt,
// to which a static tcc has to add a second C library that nobody ends; here each is a program.
var many = []string{"60_errors_and_warnings", "96_nodata_wanted"}

// unpackTests2 writes tcc's tests2 to a folder and gives the names of the tests.
func unpackTests2(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	for file, text := range tccTree(t) {
		name, ok := strings.CutPrefix(file, "tests/tests2/")
		if !ok {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`^\d+_.*\.c$`).MatchString(name) {
			names = append(names, strings.TrimSuffix(name, ".c"))
		}
	}
	slices.Sort(names)
	return names
}

// together runs a program and gives all that it prints, in order, and its status.
func together(t *testing.T, dir string, argv ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, []string{}
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// runTest2 compiles a test and runs it, as the Makefile of tests2 does. The status is that of the run, 0 without one.
func runTest2(t *testing.T, dir, name string, flags ...string) (out string, status int) {
	t.Helper()
	how := special[name]
	tcc := append([]string{filepath.Join(sysroot(t), "bin/tcc"), name + ".c"}, append(how.flags, flags...)...)
	program := filepath.Join(t.TempDir(), "program")
	out, failed := together(t, dir, append(tcc, "-o", program)...)
	if strings.Contains(out, "undefined symbol 'main'") { // it is enough that it compiles
		out, _ = together(t, dir, append(tcc, "-c", "-o", program)...)
	}
	if failed != 0 {
		return out, 0
	}
	printed, status := together(t, dir, append([]string{program}, how.args...)...)
	return out + printed, status
}

// runMany does the work of -dt for the small tests that the expected text names.
func runMany(t *testing.T, dir, name, want string) string {
	t.Helper()
	var parts []string
	for _, head := range regexp.MustCompile(`(?m)^\[(test_\w+)\]$`).FindAllStringSubmatch(want, -1) {
		out, status := runTest2(t, dir, name, "-D"+head[1])
		if status != 0 {
			out += fmt.Sprintf("[returns %d]\n", status)
		}
		parts = append(parts, head[0]+"\n"+out)
	}
	return strings.Join(parts, "\n")
}

// plain is a text as diff -b sees it: without blanks at the ends of lines, and one for any number of them.
func plain(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		line = regexp.MustCompile(`[ \t]+`).ReplaceAllString(line, " ")
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return strings.TrimRight(out.String(), "\n")
}

func TestTests2(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	names := unpackTests2(t, dir)
	if len(names) < 107 {
		t.Fatalf("%d tests; want 107 at least", len(names))
	}
	for _, name := range names {
		if _, out := apart[name]; out {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(filepath.Join(dir, name+".expect"))
			if err != nil {
				t.Fatal(err)
			}
			var got string
			if slices.Contains(many, name) {
				got = runMany(t, dir, name, string(want))
			} else {
				got, _ = runTest2(t, dir, name)
			}
			if diff := cmp.Diff(plain(string(want)), plain(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
