// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/guest"
)

// saveTime bounds how long QEMU may take to keep a guest, or to write an overlay back.
const saveTime = 30 * time.Minute

// machine is QEMU's command line: the plan's, with the accelerator that works, and with overlays where the guest goes
// on.
func (g *going) machine() []string {
	v := g.plan.VM()
	v.Software = g.state.Accelerator == accelSoftware
	c := g.checkpoint()
	if c == nil {
		return v.Args()
	}
	v.Format, v.Drives = "qcow2", nil
	for _, name := range g.state.Overlays {
		v.Drives = append(v.Drives, filepath.Join(g.dir, name))
	}
	return append(v.Args(), "-loadvm", c.Name)
}

// checkpoint is where the run goes on; nil where it begins.
func (g *going) checkpoint() *Checkpoint {
	if n := len(g.state.Checkpoints); n > 0 && g.Resume {
		return &g.state.Checkpoints[n-1]
	}
	return nil
}

// accelerate chooses the accelerator. A guest that goes on has that with which it was kept.
func (g *going) accelerate(ctx context.Context) error {
	if g.plan.Options.Mode != QEMU || g.checkpoint() != nil {
		return nil
	}
	kvm, why, err := g.Host.Accelerator(ctx, g.plan.Options.QEMUCommand)
	if err != nil {
		return err
	}
	g.state.Accelerator = "kvm"
	if !kvm {
		g.state.Accelerator = accelSoftware
		g.note("without KVM (" + why + "): a whole run takes many days; --chroot or --bwrap takes hours")
	}
	return nil
}

// begin lets a guest in QEMU run, on overlays where checkpoints are wanted: a guest can be kept only where all that it
// writes goes into a file that holds more than a disk.
func (g *going) begin(ctx context.Context) error {
	m := g.running.Monitor()
	g.state.Begun = true
	if m != nil && g.Checkpoints && g.checkpoint() == nil {
		for i, medium := range g.plan.Media {
			name := medium.Name + ".qcow2"
			if err := m.Overlay(ctx, fmt.Sprintf("ide0-hd%d", i), filepath.Join(g.dir, name)); err != nil {
				return err
			}
			g.state.Overlays = append(g.state.Overlays, name)
		}
	}
	if err := g.state.write(g.dir); err != nil || m == nil {
		return err
	}
	return m.Continue(ctx)
}

// kept is how many checkpoints stay: the last, and one before it in case the guest was already wrong at the last.
const kept = 2

// save keeps the guest as it is. That it cannot be is no reason to stop it.
func (g *going) save(ctx context.Context, at int) {
	m := g.running.Monitor()
	if m == nil || !g.Checkpoints {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	c := Checkpoint{Name: fmt.Sprintf("%s-%d", g.steps[at].Root, g.steps[at].Script), Script: g.steps[at].Script, Step: at,
		Time: g.Host.Now(), Steps: append([]ReportStep(nil), g.report.Steps...)}
	if err := m.Save(ctx, c.Name); err != nil {
		g.note(fmt.Sprintf("no checkpoint at script %d: %v", c.Script, err))
		return
	}
	g.state.Checkpoints = append(g.state.Checkpoints, c)
	for len(g.state.Checkpoints) > kept {
		if err := m.Forget(ctx, g.state.Checkpoints[0].Name); err != nil {
			g.note(fmt.Sprintf("an old checkpoint stays: %v", err))
		}
		g.state.Checkpoints = g.state.Checkpoints[1:]
	}
	if err := g.state.write(g.dir); err != nil {
		g.note(fmt.Sprintf("no checkpoint at script %d: %v", c.Script, err))
		return
	}
	g.note(fmt.Sprintf("checkpoint at script %d, which begins with %s", c.Script, g.steps[at].Arg))
}

// powered sees a guest in QEMU out: at a regular end what it wrote goes into the images.
func (g *going) powered(ctx context.Context, reason string) error {
	exit := guest.Exit{Text: "QEMU: " + reason}
	if reason != "guest-shutdown" {
		exit.Status = 1
	}
	end := g.watcher.End(exit)
	g.end(end)
	m := g.running.Monitor()
	if end.Failure == nil && len(g.state.Overlays) > 0 && !g.Keep {
		ctx, cancel := context.WithTimeout(ctx, saveTime)
		defer cancel()
		if err := m.Commit(ctx); err != nil {
			return fault.New(fault.Unavailable, "target: writing the overlays into the images: %w", err).
				WithHint("make room; the overlays in %s hold all that the guest wrote", g.dir)
		}
		g.report.Committed = true
	}
	if err := m.Quit(ctx); err != nil {
		return nil // it has ended already, or is killed
	}
	select {
	case <-g.running.Done():
	case <-time.After(drainTime):
	}
	if g.report.Committed {
		return g.forgetOverlays()
	}
	return nil
}

// forgetOverlays removes overlays and what is kept in them.
func (g *going) forgetOverlays() error {
	for _, name := range g.state.Overlays {
		if err := os.Remove(filepath.Join(g.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Unavailable, "target: %w", err)
		}
	}
	g.state.Overlays, g.state.Checkpoints = nil, nil
	return nil
}
