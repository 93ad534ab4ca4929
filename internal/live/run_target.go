// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// runState is what a target knows of its media and of runs, in rung/run.json.
type runState struct {
	Plan        digest.Digest     `json:"plan"`
	Checkout    Identity          `json:"checkout"`
	Media       []ReportMedium    `json:"media"`
	Ports       map[string]string `json:"ports,omitempty"` // of the servers of mirrors, by folder
	Begun       bool              `json:"begun,omitempty"` // a guest has written to the media
	Ended       bool              `json:"ended,omitempty"` // and came to its regular end
	Accelerator string            `json:"accelerator,omitempty"`
	Overlays    []string          `json:"overlays,omitempty"` // files in rung's folder, in the order of the drives
	Checkpoints []Checkpoint      `json:"checkpoints,omitempty"`
}

// Checkpoint is a guest in QEMU that was kept as it was.
type Checkpoint struct {
	Name   string       `json:"name"`
	Script int          `json:"script"`
	Step   int          `json:"step"` // that had just begun
	Time   time.Time    `json:"time"`
	Steps  []ReportStep `json:"steps"` // up to then
}

// slow is by how much a guest is slower than the host's processor.
func (s runState) slow() float64 {
	if s.Accelerator == accelSoftware {
		return 30
	}
	return 1
}

// accelSoftware is QEMU's translator.
const accelSoftware = "tcg"

// Identity is a digest of all that decides what the media of a plan hold: two plans with the same make the same media.
func (p *Plan) Identity() digest.Digest {
	sum := digest.NewHasher()
	fmt.Fprintf(sum, "%s\n%s\n", p.Options.Mode, p.Options.Stage0Image)
	for _, m := range p.Media {
		fmt.Fprintf(sum, "%s %s %d\n", m.Name, m.Shape, m.Size)
		for n := range m.tree.Nodes() {
			fmt.Fprintf(sum, "%o %s %s\n", n.Mode, n.Content, n.Path)
		}
	}
	return sum.Digest()
}

// Mark notes in a target which plan its media are of, so that a run takes them, and which ports they name.
func (p *Plan) Mark(built []Built, ports map[string]string) error {
	id, err := p.Checkout.Identity()
	if err != nil {
		return err
	}
	s := runState{Plan: p.Identity(), Checkout: id, Ports: ports}
	for _, b := range built {
		s.Media = append(s.Media, ReportMedium{Path: b.Path, Shape: b.Medium.Shape, Size: b.Size, Digest: b.Digest})
	}
	dir := filepath.Join(p.Options.Target, runDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.New(fault.Unavailable, "target: %w", err)
	}
	return s.write(dir)
}

func (s runState) write(dir string) error { return writeJSON(filepath.Join(dir, stateFile), s) }

// writeJSON writes a file whole or not at all.
func writeJSON(name string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err == nil {
		err = os.WriteFile(name+".partial", append(text, '\n'), 0o644)
	}
	if err == nil {
		err = os.Rename(name+".partial", name)
	}
	if err != nil {
		return fault.New(fault.Unavailable, "target: %w", err).WithHint("make room for the target")
	}
	return nil
}

// maxState bounds rung's own files in a target.
const maxState = 64 << 20

func readState(dir string) (s runState, found bool, err error) {
	name := filepath.Join(dir, stateFile)
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, false, nil
	case err == nil && info.Size() > maxState:
		return s, false, fault.New(fault.Limit, "%s: %d bytes", name, info.Size()).WithHint("name another --target")
	}
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return s, false, fault.New(fault.Usage, "target: %s: %w", name,
			err).WithHint("name another --target, or remove this one")
	}
	return s, true, nil
}

// check looks at what is used as names of files.
func (s runState) check() error {
	for _, name := range s.Overlays {
		if !filepath.IsLocal(name) || strings.Contains(name, "/") {
			return fmt.Errorf("an overlay %q", name)
		}
	}
	for _, c := range s.Checkpoints {
		if c.Name == "" || strings.Trim(c.Name, wordLetters) != "" || c.Step < 0 {
			return fmt.Errorf("a checkpoint %q", c.Name)
		}
	}
	return nil
}

// ready sees to it that the target holds the plan's media, and nothing that a guest has written unless it is to go on.
func (g *going) ready(ctx context.Context) error {
	o := g.plan.Options
	state, found, err := readState(g.dir)
	if err != nil {
		return err
	}
	if found && o.Stage0Image != "" && !g.Resume { // its copy is patched for each run (R14)
		if err := g.discard(state); err != nil {
			return err
		}
		found = false
	}
	switch same := state.Plan == g.plan.Identity(); {
	case !found && g.Resume:
		return fault.New(fault.Usage, "--resume: no run in %s", o.Target).WithHint("leave out --resume to begin one")
	case o.LaterPass():
	case !found:
	case !same:
		return fault.New(fault.Usage, "target %s: holds media of another plan", o.Target).
			WithHint("give the flags it was made with, or name another --target")
	case g.Resume:
		g.state = state
		return g.resumable()
	case state.Begun && o.Mode == QEMU && !state.Ended && len(state.Overlays) > 0:
		g.note("beginning again: the images are as they were made; --resume would go on from a checkpoint")
		state.Begun, state.Checkpoints = false, nil
		g.state = state
		return g.forgetOverlays()
	case state.Begun:
		return fault.New(fault.Usage, "target %s: a guest has run in it", o.Target).
			WithHint("name another --target, or remove this one; rung live export takes home what a finished one holds")
	}
	if found && !o.LaterPass() {
		g.state = state
		return nil
	}
	return g.build(ctx)
}

// build makes the media.
func (g *going) build(ctx context.Context) error {
	built, err := g.Builder.Build(ctx, g.plan)
	if err != nil {
		return err
	}
	if err := g.plan.Mark(built, g.Ports); err != nil {
		return err
	}
	g.state, _, err = readState(g.dir)
	return err
}

// discard removes what an earlier run of a stage0 image made, and nothing else.
func (g *going) discard(s runState) error {
	g.state = s
	if err := g.forgetOverlays(); err != nil {
		return err
	}
	for _, name := range []string{stage0Work, filepath.Join(runDir, stateFile), filepath.Join(runDir, consoleFile),
		filepath.Join(runDir, reportFile), filepath.Join(runDir, textFile), runDir} {
		err := os.Remove(filepath.Join(g.plan.Options.Target, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Usage, "target: %w", err).WithHint("name another --target")
		}
	}
	g.state = runState{}
	return nil
}

// resumable tells why a run cannot go on.
func (g *going) resumable() error {
	o := g.plan.Options
	switch {
	case o.Mode == QEMU && len(g.state.Checkpoints) == 0:
		return fault.New(fault.Usage, "--resume: no checkpoint in %s", o.Target).
			WithHint("leave out --resume: the guest begins again, on images that are as they were made")
	case g.state.Ended:
		return fault.New(fault.Usage, "--resume: the run in %s has come to its end",
			o.Target).WithHint("rung live export takes it home")
	case o.Mode == QEMU:
		return nil
	}
	init, err := os.ReadFile(filepath.Join(o.Target, "init"))
	if err != nil || !strings.HasPrefix(string(init), "#!/bin/bash") {
		return fault.New(fault.Usage, "--resume: a guest in %s goes on only where it has left an /init of its own at a "+
			"break", o.Mode).
			WithHint("begin again in another --target; in QEMU there are checkpoints")
	}
	return nil
}

// resumed is the command line of a guest that goes on at its own /init.
func resumed(argv []string) []string {
	all := append([]string(nil), argv...)
	all[len(all)-1] = "/init"
	return all
}
