// SPDX-License-Identifier: MIT

package sysroottest

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/need"
)

// run runs a program of the host in a folder and gives what it prints.
func run(t *testing.T, dir string, argv ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", argv, err, out)
	}
	return out
}

// write puts files below a folder.
func write(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPatched compares what seed/patch.scm made of the sources with what patch makes of them.
func TestPatched(t *testing.T) {
	t.Parallel()
	made, tool := filepath.Dir(sysroot(t)), need.Tool(t, "patch")
	for name, tree := range map[string]map[string][]byte{"tcc": tccTree(t), "musl": muslTree(t)} {
		dir := t.TempDir()
		patches, err := filepath.Glob(filepath.Join(above, "seed", name, "*.patch"))
		if err != nil || len(patches) < 2 {
			t.Fatalf("patches of %s = %q, %v; want two at least", name, patches, err)
		}
		changed := map[string]bool{}
		for _, p := range patches {
			text, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				if file, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "+++ b/"); ok && !changed[file] {
					changed[file] = true
					write(t, dir, map[string][]byte{file: tree[file]})
				}
			}
			write(t, dir, map[string][]byte{"patch": text})
			run(t, dir, tool, "-p1", "-i", "patch")
		}
		files, err := os.ReadDir(filepath.Join(made, name+"-patched"))
		if err != nil || len(files) != len(changed) {
			t.Errorf("%s: %d files, %v; want %d", name, len(files), err, len(changed))
		}
		for file := range changed {
			if !sameFile(t, filepath.Join(made, name+"-patched", path.Base(file)), filepath.Join(dir, file)) {
				t.Errorf("%s: another one than patch makes", file)
			}
		}
	}
}

// TestGenerated compares what seed/musl/headers.scm made with what the sed of musl's Makefile makes.
func TestGenerated(t *testing.T) {
	t.Parallel()
	made, dir := filepath.Join(filepath.Dir(sysroot(t)), "boot5-headers"), t.TempDir()
	tree, sed := muslTree(t), need.Tool(t, "sed")
	const script, own, types, calls = "tools/mkalltypes.sed", "arch/x86_64/bits/alltypes.h.in", "include/alltypes.h.in",
		"arch/x86_64/bits/syscall.h.in"
	for _, name := range []string{script, own, types, calls} {
		write(t, dir, map[string][]byte{name: tree[name]})
	}
	want := map[string][]byte{
		"alltypes.h": run(t, dir, sed, "-f", script, own, types),
		"syscall.h":  append(bytes.Clone(tree[calls]), run(t, dir, sed, "-n", "-e", "s/__NR_/SYS_/p", calls)...),
		"version.h":  []byte("#define VERSION \"1.2.3\"\n"),
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(made, name))
		if err != nil || !bytes.Equal(got, text) || len(text) < 20 {
			t.Errorf("%s: %d bytes, %v; want the %d that sed makes", name, len(got), err, len(text))
		}
	}
}
