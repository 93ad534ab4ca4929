// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/report"
)

// why is rung why.
func (a *app) why() *cobra.Command {
	var arch string
	c := a.command(verb{
		use:   "why NAME|DIGEST|FILE [flags]",
		short: "Tell where an artefact comes from, down to the seed",
		long: `Walk the ledger from an artefact down to the seed: each run with its steps and machine, each input with its
digest and size. The artefact is a name (scheme1, or boot2/scheme1), a digest (eight or more of its hex digits), or a
file, which is looked for by the digest of its content. A path that begins with ./, ../ or / is always a file.`,
		example: `  rung why scheme1
  rung why build/amd64/boot2/scheme1
  rung why 54986ea97618 --json`,
		args:  cobra.ExactArgs(1),
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			return a.tellWhy(c.Context(), report.Question{What: args[0], Arch: arch})
		},
	})
	c.Flags().StringVar(&arch, "arch", "", "only runs for this architecture, by Go's name (default any)")
	complete(c, "arch", "amd64", "arm64", "riscv64")
	c.ValidArgsFunction = a.completeArtefact
	return c
}

func (a *app) tellWhy(ctx context.Context, q report.Question) error {
	h, err := a.openHome(false)
	if err != nil {
		return err
	}
	runs, err := h.runs(ctx)
	if err != nil {
		return err
	}
	var why report.Why
	isPath := strings.HasPrefix(q.What, "./") || strings.HasPrefix(q.What, "../") || strings.HasPrefix(q.What, "/")
	if !isPath {
		why, err = report.NewWhy(runs, q)
	}
	if isPath || fault.KindOf(err) == fault.NotFound && isFile(q.What) {
		d, err := fileDigest(q.What)
		if err != nil {
			return fault.New(fault.NotFound, "why: %w", err)
		}
		if why, err = report.NewWhy(runs, report.Question{What: d.String(), Arch: q.Arch}); err != nil {
			return fault.New(fault.KindOf(err), "%s: %w", q.What, err).WithHint("%s", fault.HintOf(err))
		}
		return a.show(why, why.Text)
	}
	if err != nil {
		return err
	}
	return a.show(why, why.Text)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
