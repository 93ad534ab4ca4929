// SPDX-License-Identifier: MIT

package live_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/live/manifest"
)

// TestOpenGenerations: the three versions of live-bootstrap are told apart, and extra roots are found.
func TestOpenGenerations(t *testing.T) {
	for fork, want := range map[string]manifest.Generation{"": manifest.H, "F1": manifest.F1, "F2": manifest.F2} {
		roots := []string{"steps"}
		var overlays []string
		if fork != "" {
			overlays, roots = []string{"testdata/forks/" + fork}, []string{"steps", "steps-guix"}
		}
		c := open(t, checkout(t, overlays...))
		var names []string
		for _, r := range c.Roots {
			names = append(names, r.Name)
		}
		if c.Generation != want || !slices.Equal(names, roots) {
			t.Errorf("Open(%s): generation %v, roots %q; want %v, %q", fork, c.Generation, names, want, roots)
		}
	}
}

// TestOpenRefuses: R53, R55: what is no checkout, an old one, and one without its submodules.
func TestOpenRefuses(t *testing.T) {
	empty := t.TempDir()
	_, err := live.Open(empty)
	wantFault(t, "Open of an empty folder", err, fault.NotFound, "no steps/manifest", "git clone --recursive")
	_, err = live.Open(filepath.Join(empty, "none"))
	wantFault(t, "Open of nothing", err, fault.NotFound, "git clone")
	write(t, filepath.Join(empty, "file"), "")
	_, err = live.Open(filepath.Join(empty, "file"))
	wantFault(t, "Open of a file", err, fault.Usage, "not a folder")
	write(t, filepath.Join(empty, "sysa", "run.sh"), "")
	_, err = live.Open(empty)
	wantFault(t, "Open of an old checkout", err, fault.Usage, "sysa", "git -C")

	dir := checkout(t)
	remove(t, filepath.Join(dir, "seed/stage0-posix"))
	if err := os.Mkdir(filepath.Join(dir, "seed/stage0-posix"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = live.Open(dir)
	wantFault(t, "Open without stage0-posix", err, fault.Usage, "seed/stage0-posix",
		"git -C "+dir+" submodule update --init --recursive")

	dir = checkout(t)
	for _, name := range []string{"builder-hex0", "seed/stage0-posix/AMD64", "seed/stage0-posix/M2libc"} {
		remove(t, filepath.Join(dir, name))
	}
	c := open(t, dir)
	for _, want := range []struct {
		o     live.Options
		names []string
	}{
		{options(live.QEMU, nil), []string{"builder-hex0", "seed/stage0-posix/M2libc"}},
		{options(live.Chroot, func(o *live.Options) { o.Arch = "amd64" }), []string{"seed/stage0-posix/M2libc",
			"seed/stage0-posix/AMD64"}},
	} {
		if d := cmp.Diff(want.names, c.Missing(want.o)); d != "" {
			t.Errorf("Missing (-want +got):\n%s", d)
		}
		_, err = c.Plan(want.o, served{})
		wantFault(t, "Plan without submodules", err, fault.Usage, want.names[0], "submodule update --init --recursive")
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
}

// TestOpenTakesInputsOnly: what editors leave behind and what git keeps is no input; links are followed.
func TestOpenTakesInputsOnly(t *testing.T) {
	dir := checkout(t)
	for _, name := range []string{"steps/env~", "steps/cc-0.1/.pass1.kaem.swp", "steps/cc-0.1/x.orig",
		"seed/__pycache__/a", "seed/#env#"} {
		write(t, filepath.Join(dir, name), "stray")
	}
	for _, name := range []string{"steps/.gitignore", "steps/bootstrap.cfg", "seed/stage0-posix/.git"} {
		write(t, filepath.Join(dir, name), "not an input")
	}
	outside := filepath.Join(t.TempDir(), "file")
	write(t, outside, "outside")
	for link, to := range map[string]string{"steps/cc-0.1/linked": "../env", "steps/cc-0.1/folder": "../make-0.1",
		"steps/cc-0.1/out": outside} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	c := open(t, dir)
	if d := cmp.Diff([]string{"seed/#env#", "seed/__pycache__", "steps/cc-0.1/.pass1.kaem.swp", "steps/cc-0.1/x.orig",
		"steps/env~"}, c.Stray); d != "" {
		t.Errorf("Stray (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"steps/cc-0.1/out"}, c.Outside); d != "" {
		t.Errorf("Outside (-want +got):\n%s", d)
	}
	sizes := map[string]int64{}
	for _, e := range c.Roots[0].Entries {
		sizes[e.Path] = e.Size
	}
	for name, want := range map[string]int64{"steps/cc-0.1/linked": sizes["steps/env"],
		"steps/cc-0.1/folder/mk/main.mk": 5, "steps/cc-0.1/out": 7} {
		if sizes[name] != want || want == 0 {
			t.Errorf("%s: %d bytes; want %d", name, sizes[name], want)
		}
	}
	for _, name := range []string{"steps/.gitignore", "steps/bootstrap.cfg", "steps/env~"} {
		if _, ok := sizes[name]; ok {
			t.Errorf("%s is an input; want it left out", name)
		}
	}
}

func TestOpenEndsInCircles(t *testing.T) {
	dir := checkout(t)
	if err := os.Symlink("..", filepath.Join(dir, "steps/cc-0.1/up")); err != nil {
		t.Fatal(err)
	}
	_, err := live.Open(dir)
	wantFault(t, "Open of a circle", err, fault.Usage, "folders deep", "symbolic link")
}

// TestIdentity: R66, and what reports name: the sum of all inputs, and commits where git has written them.
func TestIdentity(t *testing.T) {
	dir := checkout(t)
	first := identity(t, dir)
	if again := identity(t, checkout(t)); again.Tree != first.Tree || first.Commit != "" {
		t.Errorf("Identity of another copy: %v, %q; want %v and no commit", again.Tree, again.Commit, first.Tree)
	}
	one, two, three := strings.Repeat("1", 40), strings.Repeat("2", 40), strings.Repeat("3", 40)
	write(t, filepath.Join(dir, ".git/HEAD"), "ref: refs/heads/main\n")
	write(t, filepath.Join(dir, ".git/packed-refs"), "# pack-refs with: peeled\n"+one+" refs/heads/main\n")
	write(t, filepath.Join(dir, "builder-hex0/.git"), "gitdir: ../.git/modules/b\n")
	write(t, filepath.Join(dir, ".git/modules/b/HEAD"), two+"\n")
	write(t, filepath.Join(dir, "seed/stage0-posix/.git"), "gitdir: ../../.git/worktrees/s\n")
	write(t, filepath.Join(dir, ".git/worktrees/s/HEAD"), "ref: refs/heads/side\n")
	write(t, filepath.Join(dir, ".git/worktrees/s/commondir"), "../..\n")
	write(t, filepath.Join(dir, ".git/refs/heads/side"), three+"\n")
	got := identity(t, dir)
	commits := map[string]string{}
	for _, m := range got.Submodules {
		commits[m.Path] = m.Commit
	}
	if got.Tree != first.Tree || got.Commit != one || commits["builder-hex0"] != two ||
		commits["seed/stage0-posix"] != three || len(commits) != 11 {
		t.Errorf("Identity = %+v; want commits of ones, twos and threes", got)
	}
	write(t, filepath.Join(dir, "steps/env"), "PATH=/usr/bin\n")
	if got := identity(t, dir); got.Tree == first.Tree {
		t.Error("Identity after a change: the same tree")
	}
}

func identity(t *testing.T, dir string) live.Identity {
	t.Helper()
	id, err := open(t, dir).Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestSeeds: R62, R66: the programs that a run starts from, with their sizes and sums.
func TestSeeds(t *testing.T) {
	c := open(t, checkout(t))
	for _, test := range []struct {
		o    live.Options
		want map[string]digest.Digest
	}{
		{options(live.Bwrap, nil), map[string]digest.Digest{
			"seed/stage0-posix/bootstrap-seeds/POSIX/x86/hex0-seed":          digest.Of([]byte("the first seed for x86\n")),
			"seed/stage0-posix/bootstrap-seeds/POSIX/x86/kaem-optional-seed": digest.Of([]byte("the seed for x86\n")),
		}},
		{options(live.QEMU, nil), map[string]digest.Digest{
			"builder-hex0/builder-hex0-x86-stage1.hex0": digest.Of([]byte(strings.Repeat("\x90", 510) + "\x55\xaa")),
			"seed/stage0-posix/x86/hex0_x86.hex0":       digest.Of([]byte("\x7fELF")),
			"seed/stage0-posix/x86/kaem-minimal.hex0":   digest.Of([]byte("\x7fELF")),
		}},
		{options(live.QEMU, func(o *live.Options) { o.Stage0Image = "/i" }), map[string]digest.Digest{}},
	} {
		seeds, err := c.Seeds(test.o)
		got := map[string]digest.Digest{}
		for _, s := range seeds {
			got[s.Path] = s.Digest
		}
		if err != nil || !maps.Equal(got, test.want) {
			t.Errorf("Seeds(%s) = %v, %v; want %v", test.o.Mode, got, err, test.want)
		}
	}
}
