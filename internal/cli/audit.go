// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"io"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/audit"
	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
)

// auditVerb is rung audit.
func (a *app) auditVerb() *cobra.Command {
	var arch, seed string
	var count bool
	c := a.command(verb{
		use:   "audit [flags]",
		short: "Check the seed chain by means that share nothing with it",
		long: `Assemble every seed text again with a reference assembler, and compare the bytes with the latest run of the
stage in the ledger that took the same texts, and with the expected digests; decode the text of the seed binary; disassemble
hex0 and hex2 programs and compare each line with its comment and each jump with its label; check the style of the
texts. docs/audit.md has the conventions, and tells how to do the same by hand.

With --count, count the texts by stage and language instead.`,
		example: `  rung audit
  rung audit --count
  rung audit --seed seed --json | jq '.problems[]'`,
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, _ []string) error {
			plan, err := seedPlan(seed, arch)
			if err != nil {
				return err
			}
			if count {
				sizes := audit.CountTexts(audited(plan))
				return a.show(sizes, sizes.Text)
			}
			return a.audit(c.Context(), plan)
		},
	})
	flags := c.Flags()
	flags.StringVar(&arch, "arch", runtime.GOARCH, "architecture, by Go's name")
	flags.StringVar(&seed, "seed", "", "folder with the seed, in place of the one rung carries")
	flags.BoolVar(&count, "count", false, "count lines and bytes of the texts by stage and language")
	c.AddCommand(a.auditAssemble())
	return c
}

func (a *app) audit(ctx context.Context, plan *chain.Plan) error {
	h, err := a.openHome(false)
	if err != nil {
		return err
	}
	runs, err := h.runs(ctx)
	if err != nil {
		return err
	}
	made := func(ctx context.Context, stage, export string) ([]audit.Artefact, error) {
		return h.made(ctx, plan, runs, stage, export)
	}
	report, err := audit.Run(ctx, audited(plan), made)
	if err != nil {
		return stopped(ctx, err)
	}
	if err := a.show(report, report.Text); err != nil {
		return err
	}
	return report.Err()
}

// audited tells the audit what it has to know of a plan.
func audited(plan *chain.Plan) *audit.Chain {
	c := &audit.Chain{Arch: plan.Arch, Texts: map[string]audit.Text{}}
	for _, s := range plan.Stages {
		stage := audit.Stage{Name: s.Name, Exports: s.Exports}
		for _, in := range s.Inputs {
			if in.From.Distfile != "" {
				continue // other people's
			}
			stage.Inputs = append(stage.Inputs, audit.Input{Name: in.Name, Stage: in.From.Stage, Path: in.From.Path})
			if text, ok := plan.Text(in.From.Path); ok && in.From.Stage == "" {
				c.Texts[text.Path] = audit.Text{Path: text.Path, Bytes: text.Bytes, Program: text.Program}
			}
		}
		for _, step := range s.Steps {
			stage.Steps = append(stage.Steps, step.Argv)
		}
		for _, pair := range s.Same {
			stage.Same = append(stage.Same, [2]string{pair.A, pair.B})
		}
		c.Stages = append(c.Stages, stage)
	}
	return c
}

// made finds what is known of an export: in the latest run of the stage that took the plan's texts, and in the answers.
func (h *home) made(ctx context.Context, plan *chain.Plan, runs []ledger.Run, stage, export string) (
	[]audit.Artefact, error) {
	var all []audit.Artefact
	for _, run := range slices.Backward(runs) {
		if run.Chain != plan.Chain || run.Arch != plan.Arch || run.Stage != stage || !tookTexts(plan, run) {
			continue
		}
		for _, out := range run.Outputs {
			if out.Name == export {
				known := audit.Artefact{SHA256: out.Digest.Hex(), From: "ledger"}
				var err error
				if known.Bytes, err = h.content(ctx, out.Digest); err != nil {
					return nil, err
				}
				all = append(all, known)
			}
		}
		break
	}
	if sum, ok := plan.Answers[stage+"/"+export]; ok {
		all = append(all, audit.Artefact{SHA256: sum, From: "answers"})
	}
	return all, nil
}

// tookTexts tells whether a run that ended well took exactly the texts that the plan's stage takes.
func tookTexts(plan *chain.Plan, run ledger.Run) bool {
	s, ok := plan.Stage(run.Stage)
	if !ok || run.Failure != "" || run.Exit != 0 {
		return false
	}
	for _, in := range s.Inputs {
		text, isText := plan.Text(in.From.Path)
		if in.From.Stage != "" || in.From.Distfile != "" || !isText {
			continue
		}
		taken := func(f ledger.File) bool { return f.Name == in.Name && f.Digest == text.Digest }
		if !slices.ContainsFunc(run.Inputs, taken) {
			return false
		}
	}
	return true
}

// maxAudited bounds an artefact whose bytes are compared; of a larger one the digest must do.
const maxAudited = 1 << 26

// content reads an artefact; nil where the store does not hold it whole or it is too large.
func (h *home) content(ctx context.Context, d digest.Digest) ([]byte, error) {
	has, err := h.disk.Has(ctx, d)
	if err != nil || !has || d.Size() > maxAudited {
		return nil, err
	}
	r, err := h.disk.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
