// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/report"
)

// ledgerVerbs is rung ledger.
func (a *app) ledgerVerbs() *cobra.Command {
	return a.group(verb{
		use:   "ledger",
		short: "Read the ledger",
		long: `The ledger remembers what was run, from what, on which machine, and what came out, and how the results of several
machines compared: a file of JSON lines in the store's folder. Each line holds the digest of the one before.`,
		example: `  rung ledger ls
  rung ledger verify`,
	}, a.ledgerList(), a.ledgerVerify())
}

// ledgerList is rung ledger ls.
func (a *app) ledgerList() *cobra.Command {
	return a.command(verb{
		use:   "ls",
		short: "List the runs and comparisons, the oldest first",
		long: `List the runs, the oldest first: when, which stage, on which machine, how long, and how it ended; and the
comparisons of machines among them. With --json, a comparison is an object with one field of that name.`,
		example: "  rung ledger ls\n  rung ledger ls --json | jq '.[-1]'",
		kinds:   []fault.Kind{fault.Mismatch, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, _ []string) error {
			h, err := a.openHome(false)
			if err != nil {
				return err
			}
			lines := []ledger.Line{}
			err = h.ledger.Lines(func(line ledger.Line) error {
				lines = append(lines, line)
				return c.Context().Err()
			})
			if err != nil {
				return stopped(c.Context(), err)
			}
			return a.show(lines, func(w io.Writer) error { return listLines(w, lines) })
		},
	})
}

func listLines(w io.Writer, lines []ledger.Line) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		if line.Comparison != nil {
			fmt.Fprintln(t, comparisonLine(*line.Comparison))
			continue
		}
		run, how := line.Run, "ok"
		if run.Failure != "" {
			how = run.Failure
		}
		fmt.Fprintf(t, "%s\t%s/%s\t%s\t%s\t%s\t%s\n", run.Time.Format(time.RFC3339), run.Arch, run.Stage, run.Job.Short(),
			run.Machine, report.Span(run.Wall), how)
	}
	return t.Flush()
}

func comparisonLine(c ledger.Comparison) string {
	var names []string
	var wall time.Duration
	for _, m := range c.Machines {
		names = append(names, m.Name)
		wall += m.Wall
	}
	return fmt.Sprintf("%s\t%s\tcomparison\t%s\t%s\t%s", c.Time.Format(time.RFC3339), c.Arch, strings.Join(names, ","),
		report.Span(wall), report.NewComparison(c).Headline())
}

// ledgerVerify is rung ledger verify.
func (a *app) ledgerVerify() *cobra.Command {
	return a.command(verb{
		use:   "verify",
		short: "Check that no line of the ledger was changed",
		long: `Check that each line of the ledger holds the digest of the line before. The digest of the last line, which is
printed, stands for the whole: keep it elsewhere to find out later whether anything before it was changed.`,
		example: "  rung ledger verify",
		kinds:   []fault.Kind{fault.Mismatch, fault.Unavailable},
		run: func(*cobra.Command, []string) error {
			h, err := a.openHome(false)
			if err != nil {
				return err
			}
			head, err := h.ledger.Verify()
			if err != nil {
				return err
			}
			facts := struct {
				Lines  int           `json:"lines"`
				Digest digest.Digest `json:"digest"`
				Path   string        `json:"path"`
			}{head.Lines, head.Digest, h.ledger.Path()}
			return a.show(facts, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%d lines, sound; the last is %s\n", head.Lines, head.Digest)
				return err
			})
		},
	})
}
