// SPDX-License-Identifier: MIT

package live_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/live"
)

// goldenCase is a mode with its golden file.
type goldenCase struct {
	name, fork string
	mode       live.Mode
	change     func(*live.Options)
}

func goldenCases() []goldenCase {
	external := func(o *live.Options) { o.ExternalSources = true }
	kernel := func(o *live.Options) { o.Kernel = "/kernel" }
	return []goldenCase{
		{"qemu", "", live.QEMU, nil},
		{"qemu-interactive-external", "", live.QEMU, func(o *live.Options) {
			o.Interactive, o.ExternalSources = true,
				true
		}},
		{"qemu-repo", "", live.QEMU, func(o *live.Options) { o.Repo = "testdata/repo" }},
		{"qemu-repo-external", "", live.QEMU, func(o *live.Options) {
			o.Repo, o.ExternalSources = "testdata/repo",
				true
		}},
		{"qemu-kernel", "", live.QEMU, kernel},
		{"qemu-kernel-interactive", "", live.QEMU, func(o *live.Options) { o.Kernel, o.Interactive = "/kernel", true }},
		{"qemu-ci", "", live.QEMU, func(o *live.Options) { o.InternalCI, o.BuildKernels = "pass1", true }},
		{"qemu-importer", "", live.QEMU, func(o *live.Options) { o.ExternalSources, o.ShipImporter = true, true }},
		{"bare-metal", "", live.BareMetal, func(o *live.Options) { o.Swap = 2048 }},
		{"bare-metal-external", "", live.BareMetal, external},
		{"bare-metal-kernel", "", live.BareMetal, kernel},
		{"chroot", "", live.Chroot, nil},
		{"chroot-amd64", "", live.Chroot, func(o *live.Options) { o.Arch, o.BuildKernels = "amd64", true }},
		{"bwrap", "", live.Bwrap, nil},
		{"bwrap-external", "", live.Bwrap, external},
		{"f1-qemu-guix", "F1", live.QEMU, func(o *live.Options) { o.ExternalSources, o.BuildGuixAlso = true, true }},
		{"f1-qemu-repo", "F1", live.QEMU, func(o *live.Options) { o.Repo = "testdata/repo" }},
		{"f2-qemu", "F2", live.QEMU, nil},
		{"f2-bare-metal-guix", "F2", live.BareMetal, func(o *live.Options) {
			o.ExternalSources, o.ExtraBuilds = true,
				[]string{"guix"}
		}},
		{"f2-break", "F2", live.QEMU, func(o *live.Options) {
			o.InternalCI, o.ExtraBuilds, o.BreakAfter = "pass2", []string{"guix"}, "steps-guix:cross-1.0"
		}},
	}
}

// TestPlanGolden: R5, R6, R9, R20 to R22, R29, R36, R39, R72 to R76: for every mode the configuration, the scripts, the
// media with all that is in them, and the command line or the directions. What each should be has tests of its own below
// and in manifest; here every change shows.
func TestPlanGolden(t *testing.T) {
	dirs := map[string]string{"": checkout(t), "F1": checkout(t, "testdata/forks/F1"), "F2": checkout(t,
		"testdata/forks/F2")}
	for _, c := range goldenCases() {
		t.Run(c.name, func(t *testing.T) {
			dir := dirs[c.fork]
			p := mustPlan(t, open(t, dir), options(c.mode, c.change), served{})
			got := strings.ReplaceAll(describe(t, p), dir, "CHECKOUT")
			file := filepath.Join("testdata", "golden", c.name+".txt")
			if *update {
				write(t, file, got)
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("plan of %s (-want +got):\n%s", c.name, d)
			}
		})
	}
}

// describe is all that a plan says.
func describe(t *testing.T, p *live.Plan) string {
	var b strings.Builder
	for _, r := range p.Scripts {
		for _, f := range r.Files {
			fmt.Fprintf(&b, "==== %s (%s)\n%s", f.Path, r.Root, f.Text)
		}
	}
	fmt.Fprintf(&b, "==== bootstrap.cfg\n%s", p.Config.Format())
	for _, m := range p.Media {
		fmt.Fprintf(&b, "==== medium %q: %s, %d bytes of content, file of %d\n", m.Name, m.Shape, m.Bytes, m.Size)
		for _, e := range m.Entries {
			fmt.Fprintf(&b, "%v %4d %s\n", e.Mode, e.Size, e.Path)
		}
	}
	if len(p.Command.Argv) > 0 {
		fmt.Fprintf(&b, "==== command, root %v\n%s\n", p.Command.Root, p.Command)
	}
	for _, line := range p.Directions {
		fmt.Fprintf(&b, "==== %s\n", line)
	}
	return b.String()
}

// TestPlanIsDeterministic: the same checkout and options give the same plan.
func TestPlanIsDeterministic(t *testing.T) {
	o := options(live.QEMU, func(o *live.Options) { o.ExternalSources = true })
	var texts []string
	for range 2 {
		dir := checkout(t)
		texts = append(texts, strings.ReplaceAll(describe(t, mustPlan(t, open(t, dir), o, served{})), dir, ""))
	}
	if d := cmp.Diff(texts[0], texts[1]); d != "" {
		t.Errorf("plans of two copies differ:\n%s", d)
	}
}
