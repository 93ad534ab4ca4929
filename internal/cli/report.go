// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/audit"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/report/page"
)

// reporting holds the flags of rung report.
type reporting struct {
	arch, seed, html string
}

// reportVerb is rung report.
func (a *app) reportVerb() *cobra.Command {
	var f reporting
	c := a.command(verb{
		use:   "report [flags]",
		short: "Tell all that is known about the chain, as a page too",
		long: `Tell which stages the chain has and what the latest run of each that ended well took, did, made and cost, from
the ledger; and what that shows: fixed points, answers, isolation, the latest comparison of machines. Nothing is run.

With --html FILE, all of it becomes one page: a picture of the chain, the growth of its programs, every input, step and
output with its digest, the sources with their licences, how to do it again. The page holds no script and refers to
nothing outside of it; it is the same bytes for the same ledger and store. docs/report.md tells more.`,
		example: `  rung report
  rung report --html chain.html
  rung report --html - | gzip >chain.html.gz
  rung report --json | jq '.stages[] | {name, wall_ns, bytes}'`,
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Unavailable, fault.Interrupted},
		run:   func(c *cobra.Command, _ []string) error { return a.report(c.Context(), f) },
	})
	flags := c.Flags()
	flags.StringVar(&f.arch, "arch", runtime.GOARCH, "architecture, by Go's name")
	flags.StringVar(&f.seed, "seed", "", "folder with the seed, in place of the one rung carries")
	flags.StringVar(&f.html, "html", "", "file to write the page to; - for stdout")
	complete(c, "arch", "amd64", "arm64", "riscv64")
	completeFolder(c, "seed")
	return c
}

func (a *app) report(ctx context.Context, f reporting) error {
	if f.html == "-" && a.json {
		return fault.New(fault.Usage, "report: --html - and --json both want stdout").WithHint("name a file for the page")
	}
	m, err := a.material(ctx, f)
	if err != nil {
		return stopped(ctx, err)
	}
	r, err := page.New(m)
	if err != nil {
		return err
	}
	if f.html == "-" {
		return r.HTML(a.stdout)
	}
	if f.html != "" {
		if err := writePage(f.html, r); err != nil {
			return err
		}
	}
	return a.show(r, func(w io.Writer) error {
		if err := r.Text(w); err != nil || f.html == "" {
			return err
		}
		_, err := fmt.Fprintf(w, "page  %s\n", f.html)
		return err
	})
}

// writePage puts the page into its file, whole or not at all.
func writePage(name string, r page.Report) error {
	var b bytes.Buffer
	if err := r.HTML(&b); err != nil {
		return err
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return fault.New(fault.Usage, "report: %s is no file", name).WithHint("--html - writes to stdout")
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fault.New(fault.Unavailable, "report: %w", err)
	}
	if err := replace(name, &b, false); err != nil {
		return fault.New(fault.Unavailable, "report: writing %s: %w", name, err)
	}
	return nil
}

// material gathers what a report is made of.
func (a *app) material(ctx context.Context, f reporting) (page.Material, error) {
	plan, err := seedPlan(f.seed, f.arch)
	if err != nil {
		return page.Material{}, err
	}
	m := page.Material{Plan: plan, Rung: moduleVersion(), Go: runtime.Version()}
	h, err := a.openHome(false)
	if err != nil {
		return page.Material{}, err
	}
	if m.Runs, err = h.runs(ctx); err != nil {
		return page.Material{}, err
	}
	if m.Head, err = h.ledger.Verify(); err != nil {
		return page.Material{}, err
	}
	switch last, ok, err := h.ledger.LastComparison(ctx, m.Plan.Chain, m.Plan.Arch); {
	case err != nil:
		return page.Material{}, err
	case ok:
		m.Comparison = &last
	}
	for _, g := range audit.CountTexts(audited(m.Plan)).Groups {
		m.Texts = append(m.Texts, page.Text{Stage: g.Stage, Language: g.Language, Files: g.Files, Code: g.Code,
			Comments: g.Comments, Bytes: int64(g.Bytes)})
	}
	if m.Stored, err = h.storedJobs(ctx, m); err != nil {
		return page.Material{}, err
	}
	m.Said, err = h.said(ctx, m)
	return m, err
}

// storedJobs tells which jobs of the chain have a result in the store.
func (h *home) storedJobs(ctx context.Context, m page.Material) (map[digest.Digest]bool, error) {
	stored := map[digest.Digest]bool{}
	for _, run := range m.Runs {
		if _, asked := stored[run.Job]; asked || run.Chain != m.Plan.Chain || run.Arch != m.Plan.Arch {
			continue
		}
		_, ok, err := h.disk.Result(ctx, run.Job)
		if err != nil {
			return nil, err
		}
		stored[run.Job] = ok
	}
	return stored, nil
}

// said reads what the last steps of stages printed, where the definition asks for it, of the latest run of each.
func (h *home) said(ctx context.Context, m page.Material) (map[digest.Digest]string, error) {
	all, seen := map[digest.Digest]string{}, map[string]bool{}
	for _, run := range slices.Backward(m.Runs) {
		s, ok := m.Plan.Stage(run.Stage)
		if !ok || s.Says == "" || run.Failure != "" || run.Arch != m.Plan.Arch || seen[s.Name] {
			continue
		}
		seen[s.Name] = true
		log, err := h.content(ctx, run.Log)
		if err != nil {
			return nil, err
		}
		if n := int(run.Said); n >= 0 && n <= len(log) {
			last := log[len(log)-n:]
			all[run.Job] = string(last[:min(n, maxSaid)])
		}
	}
	return all, nil
}

// maxSaid bounds what a report holds of a step's output, in bytes.
const maxSaid = 4 << 10

// moduleVersion is the version of rung's own module.
func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
