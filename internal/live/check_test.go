// SPDX-License-Identifier: MIT

package live_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/manifest"
)

// huge says that some distfiles are larger than they are.
type huge struct {
	served
	sizes map[string]int64
}

func (h huge) Size(f distfile.File) (int64, bool) {
	if n, ok := h.sizes[f.Name]; ok {
		return n, true
	}
	return h.served.Size(f)
}

// wantFindings checks that some findings are there: "SEVERITY AREA: WORDS", and that no other error is.
func wantFindings(t *testing.T, about string, all []live.Finding, want ...string) {
	t.Helper()
	used := map[int]bool{}
	for _, w := range want {
		head, words, _ := strings.Cut(w, ": ")
		found := false
		for i, f := range all {
			if f.Severity.String()+" "+string(f.Area) == head && strings.Contains(f.String(), words) {
				found, used[i] = true, true
				if f.Hint == "" {
					t.Errorf("%s: %s has no hint", about, f)
				}
			}
		}
		if !found {
			t.Errorf("%s: findings %v; want one of %s", about, all, w)
		}
	}
	for i, f := range all {
		if f.Severity == manifest.Error && !used[i] {
			t.Errorf("%s: %s %s; want no such error", about, f.Area, f)
		}
	}
}

// TestCheckFindsNothing: R3, R31: the checkout of ours is right in every mode, which exit status 0 says.
func TestCheckFindsNothing(t *testing.T) {
	c := open(t, checkout(t))
	for _, g := range goldenCases() {
		if g.fork != "" || g.name == "qemu-importer" || strings.Contains(g.name, "kernel") {
			continue
		}
		all := c.Check(options(g.mode, g.change), served{})
		wantFindings(t, g.name, all)
		if err := live.Failed(all); err != nil {
			t.Errorf("%s: Failed = %v; want nothing", g.name, err)
		}
	}
}

// TestCheckFinds: R3, R53, R54, R55, R56, R57, R71: each thing that can be wrong, with its place and the way out.
func TestCheckFinds(t *testing.T) {
	for _, c := range []struct {
		about string
		spoil func(dir string)
		o     func(*live.Options)
		want  []string
	}{
		{"a manifest at which the guest ends", func(dir string) {
			appendTo(t, dir, "steps/manifest",
				"biuld: cc-0.1\n")
		}, nil,
			[]string{"error manifest: steps/manifest:30:1: error: \"biuld:\" is no directive"}},
		{"a word at which rootfs.py cuts", func(dir string) {
			name := filepath.Join(dir, "steps/manifest")
			was, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			write(t, name, "# the first line of all\nimprove: after # as there is no network yet\n"+string(was))
		}, nil,
			[]string{"warning manifest: steps/manifest:2:1: warning: rootfs.py ends the early distfiles here"}},
		{"a package that is missing", func(dir string) { appendTo(t, dir, "steps/manifest", "build: none-1.0\n") }, nil,
			[]string{"error manifest: steps/manifest:30:1: error: no folder steps/none-1.0"}},
		{"a pass that is missing in kaem", func(dir string) {
			remove(t, filepath.Join(dir,
				"steps/make-0.1/pass1.kaem"))
		}, nil,
			[]string{"error manifest: no steps/make-0.1/pass1.kaem, which this line runs"}},
		{"a pass that is missing in bash", func(dir string) { remove(t, filepath.Join(dir, "steps/net-1.0/pass1.sh")) },
			func(o *live.Options) { o.Mirrors = []string{"http://a"} },
			[]string{"warning manifest: no steps/net-1.0/pass1.sh, so that"}},
		{"an improvement that is missing", func(dir string) { remove(t, filepath.Join(dir, "steps/improve/after.sh")) },
			nil,
			[]string{"error manifest: no steps/improve/after.sh"}},
		{"a sources file that is wrong", func(dir string) { appendTo(t, dir, "steps/cc-0.1/sources", "f x\n") }, nil,
			[]string{"error sources: steps/cc-0.1/sources:4:4: error: the line has 2 fields"}},
		{"a name with two contents", func(dir string) {
			appendTo(t, dir, "steps/net-1.0/sources", "f _ "+strings.Repeat("1", 64)+" cc-0.1.tar.gz\n")
		}, nil, []string{"error sources: steps/net-1.0/sources:2:1: error: cc-0.1.tar.gz has another SHA-256 in steps/cc-0.1/sources:1:1"}},
		{"what is no source", func(dir string) {
			appendTo(t, dir, "steps/net-1.0/sources", "f http://a/x.deb "+strings.Repeat("1", 64)+"\n")
		}, nil, []string{"warning sources: steps/net-1.0/sources:2:1: warning: x.deb looks like a binary package"}},
		{"a file of the seed that is missing", func(dir string) { remove(t, filepath.Join(dir, "seed/seed.kaem")) },
			nil,
			[]string{"error checkout: seed/seed.kaem is missing"}},
		{"a submodule that is empty", func(dir string) { remove(t, filepath.Join(dir, "builder-hex0")) }, nil,
			[]string{"error checkout: builder-hex0"}},
		{"a stray file", func(dir string) { write(t, filepath.Join(dir, "steps/env~"), "") }, nil,
			[]string{"warning checkout: steps/env~ is no input"}},
		{"another kexec-fiwix", func(dir string) {
			write(t, filepath.Join(dir,
				"steps/kexec-fiwix-1.0/src/kexec-fiwix.c"), "other\n")
		}, nil,
			[]string{"warning checkout: kexec-fiwix.c is not the one"}},
		{"files that are not there", func(string) {}, func(o *live.Options) {
			o.Kernel, o.Repo = "/nonexistent/k",
				"/nonexistent/r"
		},
			[]string{"error host: --kernel: stat", "error host: --repo: stat", "error options: --repo"}},
		{"no configuration", func(string) {}, func(o *live.Options) { o.NoCreateConfig = true },
			[]string{"warning configuration: bootstrap.cfg is empty"}},
		{"options", func(string) {}, func(o *live.Options) { o.Cores = 0 }, []string{"error options: --cores 0"}},
		{"a kernel of hex0 that is another", func(dir string) {
			appendTo(t, dir, "builder-hex0/builder-hex0-x86-stage2.hex0", strings.Repeat("# more\n", 100))
		},
			nil, []string{"error options: sector"}},
	} {
		dir := checkout(t)
		c.spoil(dir)
		wantFindings(t, c.about, open(t, dir).Check(options(live.QEMU, c.o), served{}), c.want...)
	}
}

func appendTo(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, name)
	was, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	write(t, name, string(was)+text)
}

// TestCheckCapacity: R1, R2: an image that builder-hex0 cannot take is an error of its own kind before anything is made,
// and one that leaves little room is worth a word.
func TestCheckCapacity(t *testing.T) {
	c := open(t, checkout(t))
	o := options(live.QEMU, nil)
	all := c.Check(o, huge{sizes: map[string]int64{"kernel-1.0.tar.xz": 331 << 20}})
	wantFindings(t, "too much", all, "error capacity: bytes")
	if err := live.Failed(all); fault.KindOf(err) != fault.Limit {
		t.Errorf("Failed = %v; want a limit", err)
	}
	_, err := live.Builder{Held: served{}}.Build(t.Context(), mustPlan(t, c, o,
		huge{sizes: map[string]int64{"kernel-1.0.tar.xz": 331 << 20}}))
	wantFault(t, "Build of too much", err, fault.Limit, "init.img", "--kernel")
	wantFindings(t, "much", c.Check(o, huge{sizes: map[string]int64{"kernel-1.0.tar.xz": 250 << 20}}),
		"warning capacity: on top")
	wantFindings(t, "on a second disk", c.Check(options(live.QEMU, func(o *live.Options) { o.ExternalSources = true }),
		huge{sizes: map[string]int64{"big-2.0.tar.xz": 900 << 20}}))
}

// TestCheckDistfilesAndTarget: R33: distfiles that are not held, and a target in the way.
func TestCheckDistfilesAndTarget(t *testing.T) {
	c := open(t, checkout(t))
	o := options(live.QEMU, into(t, nil))
	write(t, filepath.Join(o.Target, "x"), "")
	all := c.Check(o, nothing{})
	wantFindings(t, "nothing held", all, "warning distfiles: 7 of those", "error host: not empty")
	o = options(live.QEMU, into(t, func(o *live.Options) { o.Stage0Image, o.Mirrors = "/nonexistent", nil }))
	wantFindings(t, "no mirror", c.Check(o, served{}), "warning distfiles: cc-extra.tar has no address upstream",
		"error host: --stage0-image")
}
