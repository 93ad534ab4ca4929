// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/report"
)

// comparing holds the flags of rung compare.
type comparing struct {
	arch, seed, through string
	machines            []string
	mirrors             []string
	jobs                int
	rebuild             bool
	machineFlags
}

// compareVerb is rung compare.
func (a *app) compareVerb() *cobra.Command {
	var f comparing
	c := a.command(verb{
		use:   "compare [flags]",
		short: "Climb the seed chain on several machines, and compare byte for byte",
		long: `Climb the seed chain once on each machine, one machine after the other, and compare every export of every stage
with what the first of them made, and that with the expected digests. A row a stage, a column a machine: same, or the
first artefact that differs and where, or why the stage failed. The matrix goes into the ledger, and into the report.

Each machine makes everything by itself: no result of another is taken, nor one of another version of it, nor one of
rung bootstrap. What a comparison that was stopped has finished is kept, and the next one goes on from there.

Without --machines, all that work here are compared but the host, which isolates nothing; those that are left out are
told of. docs/compare.md tells more.`,
		example: `  rung compare
  rung compare --machines sandbox,host --through boot2
  rung compare --rebuild                   # keep nothing of earlier comparisons
  rung compare --json | jq '.stages[] | {name, cells}'`,
		kinds: []fault.Kind{fault.NotFound, fault.BuildFailed, fault.Mismatch, fault.Limit, fault.Unavailable,
			fault.Panic, fault.Oops, fault.OutOfMemory, fault.Reboot, fault.Silence, fault.EarlyExit, fault.Interrupted},
		run: func(c *cobra.Command, _ []string) error { return a.compare(c.Context(), f) },
	})
	flags := c.Flags()
	flags.StringSliceVar(&f.machines, "machines", nil, "machines to compare, the first with the others: two or more of "+
		strings.Join(a.machineNames(), ", ")+" (default all that work here but host)")
	flags.StringVar(&f.arch, "arch", runtime.GOARCH, "architecture, by Go's name")
	flags.StringVar(&f.through, "through", "", "climb as far as this stage only")
	flags.StringVar(&f.seed, "seed", "", "folder with the seed, in place of the one rung carries")
	flags.IntVarP(&f.jobs, "jobs", "j", runtime.NumCPU(), "stages to run side by side on a machine")
	flags.BoolVar(&f.rebuild, "rebuild", false, "run every stage, whatever earlier comparisons have kept")
	addGuestFlags(c, &f.machineFlags)
	addMirrorFlag(c, &f.mirrors)
	complete(c, "machines", a.machineNames()...)
	complete(c, "arch", "amd64", "arm64", "riscv64")
	completeFolder(c, "seed")
	return c
}

func (a *app) compare(ctx context.Context, f comparing) error {
	if f.jobs < 1 {
		return fault.New(fault.Usage, "--jobs %d: want at least 1", f.jobs)
	}
	plan, err := seedPlan(f.seed, f.arch)
	if err == nil && f.through != "" {
		plan, err = plan.Through(f.through)
	}
	if err != nil {
		return err
	}
	machines, err := a.contenders(ctx, f)
	if err != nil {
		return stopped(ctx, err)
	}
	h, err := a.openHome(false)
	if err != nil {
		return err
	}
	var attempts []chain.Attempt
	for _, m := range machines {
		a.say("on %s:", m.Info().Name)
		attempt, err := a.try(ctx, h, plan, m, f)
		if err != nil {
			return err
		}
		attempts = append(attempts, attempt)
	}
	c, err := chain.Compare(ctx, h.disk, plan, attempts)
	if err != nil {
		return err
	}
	if err := h.ledger.AppendComparison(ctx, c); err != nil {
		return stopped(ctx, err)
	}
	r := report.NewComparison(c)
	if err := a.show(r, r.Text); err != nil {
		return err
	}
	return disagreement(r, attempts)
}

// hostName is the machine that has to be asked for by name.
const hostName = "host"

// contender is a machine that works here, and how long its check took.
type contender struct {
	machine.Machine
	start time.Duration
}

// contenders are the machines of a comparison: those that are named, all of which have to work, or else all that work.
func (a *app) contenders(ctx context.Context, f comparing) ([]contender, error) {
	var found []contender
	names := f.machines
	if len(names) == 0 {
		names = slices.DeleteFunc(a.machineNames(), func(name string) bool { return name == hostName })
		a.say("note: host is left out: it isolates nothing")
	}
	if err := a.checkNames(f.machines); err != nil {
		return nil, err
	}
	for _, name := range names {
		c, err := a.contender(ctx, name, f)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil && len(f.machines) > 0 {
			return nil, err
		}
		if err != nil {
			a.say("note: %s is left out: %v", name, err)
			continue
		}
		found = append(found, c)
	}
	if len(found) < 2 {
		return nil, fault.New(fault.Unavailable, "compare: of the machines but host, %d can be used here; want two", len(found)).
			WithHint("rung doctor tells what mends the others; --machines takes host too")
	}
	return found, nil
}

// checkNames wants two or more known machines, none twice; or no name.
func (a *app) checkNames(names []string) error {
	known := a.machineNames()
	for i, name := range names {
		if !slices.Contains(known, name) {
			return fault.New(fault.Usage, "--machines: no machine %q: want two or more of %s", name, strings.Join(known, ", "))
		}
		if slices.Contains(names[:i], name) {
			return fault.New(fault.Usage, "--machines: %s is named twice", name)
		}
	}
	if len(names) == 1 {
		return fault.New(fault.Usage, "--machines %s: one machine has nothing to be compared with", names[0])
	}
	return nil
}

// contender makes a machine and sees whether it works.
func (a *app) contender(ctx context.Context, name string, f comparing) (contender, error) {
	m, err := a.newMachine(name, f.machineFlags)
	if err != nil {
		return contender{}, err
	}
	if !slices.Contains(m.Info().Arches, f.arch) {
		return contender{}, fault.New(fault.Unavailable, "machine %s runs no %s programs here", name, f.arch)
	}
	begin := time.Now()
	if err := m.Check(ctx); err != nil {
		return contender{}, fmt.Errorf("machine %s does not work: %w", name, err)
	}
	return contender{m, time.Since(begin)}, nil
}

// try climbs the plan on one machine.
func (a *app) try(ctx context.Context, h *home, plan *chain.Plan, m contender, f comparing) (chain.Attempt, error) {
	view := a.newView(false)
	defer view.close()
	fetcher, err := a.newFetcher(h, "/", f.mirrors, false, view.tellSource)
	if err != nil {
		return chain.Attempt{}, err
	}
	attempt, err := chain.Try(ctx, plan, chain.Options{
		Blobs: h.disk, Actions: h.disk, Ledger: h.ledger, Machine: m, Jobs: f.jobs, Rebuild: f.rebuild, Now: time.Now,
		Lint: lint, Sources: fetcher, Watch: watching(m.Machine, view.tell),
	})
	attempt.Start = m.start
	return attempt, err
}

// disagreement is the fault of a comparison: bytes that differ, or else the first failure.
func disagreement(r report.Comparison, attempts []chain.Attempt) error {
	for _, s := range r.Stages {
		for i, cell := range s.Cells {
			if d := cell.Difference; d != nil {
				return fault.New(fault.Mismatch, "stage %q on %s and %s: %s", s.Name, r.Machines[i].Name, s.Against,
					report.DifferenceText(*d)).WithHint("rung store path DIGEST tells where each of the two lies")
			}
		}
		if s.Answers.Unequal > 0 {
			return fault.New(fault.Mismatch, "stage %q: %q is not what the answers say", s.Name, s.Answers.First).
				WithHint("rung bootstrap tells of both digests")
		}
	}
	for _, s := range r.Stages {
		for i, cell := range s.Cells {
			if cell.State() == ledger.Failed {
				err := attempts[i].Failed[s.Name]
				return fault.New(fault.KindOf(err), "on %s: %w", r.Machines[i].Name, err).WithHint("%s", fault.HintOf(err))
			}
		}
	}
	return nil
}
