// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/report"
	"github.com/rung-build/rung/seed"
)

// seedChain is the name of the seed chain in the ledger.
const seedChain = "seed"

// climb holds the flags of rung bootstrap.
type climb struct {
	arch, out, machine, seed string
	export, conductor        string
	mirrors                  []string
	jobs                     int
	machineFlags
	rebuild bool
}

// bootstrap is rung bootstrap.
func (a *app) bootstrap() *cobra.Command {
	var f climb
	c := a.command(verb{
		use:   "bootstrap [flags]",
		short: "Climb the seed chain",
		long: `Climb the seed chain: run each stage on a machine, or take its stored result, check what comes out against
the expected digests, and put the artefacts into OUT/ARCH/STAGE/NAME.

A second run takes stored results, and reads every byte of them. What an interrupted run has finished is kept, and two
runs on one store do not disturb each other.

With --export, the exports of a stage become a tar archive too: those of the stage that the chain calls its product, or
of one that is named. It unpacks anywhere, and is the same, byte for byte, wherever the chain was climbed.`,
		example: `  rung bootstrap
  rung bootstrap --rebuild --out /tmp/o    # run everything again; fail where a byte differs from the last time
  rung bootstrap --machine host            # where namespaces are forbidden; marked so in the ledger
  rung bootstrap --machine qemu            # on another kernel, in a virtual machine
  rung bootstrap --interactive             # look around where a step has failed
  rung bootstrap --export sysroot.tar      # take home what the chain is climbed for
  rung bootstrap --export boot2=boot2.tar
  rung bootstrap --json | jq .verdict`,
		kinds: []fault.Kind{fault.NotFound, fault.BuildFailed, fault.Mismatch, fault.Limit, fault.Unavailable,
			fault.Panic, fault.Oops, fault.OutOfMemory, fault.Reboot, fault.Silence, fault.EarlyExit, fault.Interrupted},
		run: func(c *cobra.Command, _ []string) error { return a.climb(c.Context(), f) },
	})
	flags := c.Flags()
	flags.StringVar(&f.arch, "arch", runtime.GOARCH, "architecture, by Go's name")
	flags.StringVar(&f.out, "out", "build", "folder for the artefacts")
	flags.StringVar(&f.machine, "machine", sandboxName, "machine to run on: "+oneOf(a.machineNames()))
	flags.StringVar(&f.seed, "seed", "", "folder with the seed, in place of the one rung carries")
	flags.IntVarP(&f.jobs, "jobs", "j", runtime.NumCPU(), "stages to run side by side")
	flags.BoolVar(&f.rebuild, "rebuild", false, "run every stage, and compare with what earlier runs gave")
	flags.StringVar(&f.export, "export", "", "write a tar archive of a stage's exports: FILE, or STAGE=FILE")
	flags.StringVar(&f.conductor, "conductor", conductorGo, "who conducts a virtual machine: go (rung's agent) or scheme "+
		"(scheme1 of the chain itself)")
	complete(c, "conductor", conductorGo, conductorScheme)
	addMachineFlags(c, &f.machineFlags)
	addMirrorFlag(c, &f.mirrors)
	complete(c, "arch", "amd64", "arm64", "riscv64")
	complete(c, "machine", a.machineNames()...)
	completeFolder(c, "out")
	completeFolder(c, "seed")
	return c
}

func (a *app) climb(ctx context.Context, f climb) error {
	if f.jobs < 1 {
		return fault.New(fault.Usage, "--jobs %d: want at least 1", f.jobs)
	}
	plan, err := seedPlan(f.seed, f.arch)
	if err != nil {
		return err
	}
	var take export
	if f.export != "" {
		if take, err = parseExport(plan, f.export); err != nil {
			return err
		}
	}
	name, err := conductorOf(f.machine, f.conductor)
	if err != nil {
		return err
	}
	m, err := a.newMachine(name, f.machineFlags)
	if err != nil {
		return err
	}
	info := m.Info()
	if !slices.Contains(info.Arches, f.arch) {
		return fault.New(fault.Unavailable, "machine %s runs no %s programs here", info.Name, f.arch)
	}
	outcome, err := a.run(ctx, plan, m, f)
	if err != nil {
		return err
	}
	if err := take.write(ctx, a.home.disk, outcome.Stages); err != nil {
		return err
	}
	r := report.NewClimb(outcome, info.Name, info.Isolated, filepath.Join(f.out, f.arch))
	r.Export = take.file
	return a.show(r, r.Text)
}

// run climbs a plan on a machine, and lands the artefacts of the stages that were finished, whatever became of others.
func (a *app) run(ctx context.Context, plan *chain.Plan, m machine.Machine, f climb) (chain.Outcome, error) {
	h, err := a.openHome(false)
	if err != nil {
		return chain.Outcome{}, err
	}
	view := a.newView(f.interactive)
	defer view.close()
	fetcher, err := a.newFetcher(h, "/", f.mirrors, false, view.tellSource)
	if err != nil {
		return chain.Outcome{}, err
	}
	var finished []chain.Done
	tell := watching(m, view.tell)
	outcome, err := chain.Run(ctx, plan, chain.Options{
		Blobs: h.disk, Actions: h.disk, Ledger: h.ledger, Machine: m, Jobs: f.jobs, Rebuild: f.rebuild, Now: time.Now,
		Lint: lint, Sources: fetcher,
		Watch: func(e chain.Event) {
			if done, ok := e.(chain.StageDone); ok {
				finished = append(finished, done.Done)
			}
			tell(e)
		},
	})
	view.close()
	if ctx.Err() == nil {
		if landing := land(ctx, h.disk, filepath.Join(f.out, f.arch), finished); err == nil {
			err = landing
		}
	}
	if err != nil {
		return chain.Outcome{}, err
	}
	return outcome, nil
}

// seedPlan is the plan of the seed chain for an architecture, with the seed in a folder, or the one that rung carries.
func seedPlan(dir, arch string) (*chain.Plan, error) {
	files, err := seedFiles(dir)
	if err != nil {
		return nil, err
	}
	return chain.Load(seedChain, files, arch)
}

// seedFiles is the seed that rung carries, or a folder in its place.
func seedFiles(dir string) (fs.FS, error) {
	if dir == "" {
		return seed.Files(), nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fault.New(fault.NotFound, "seed: %w", err)
	}
	if !info.IsDir() {
		return nil, fault.New(fault.Usage, "seed: %s is not a folder", dir)
	}
	return os.DirFS(dir), nil
}
