// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/guest"
)

// Process is a program that a run starts.
type Process struct {
	Argv []string
	Env  []string // all of it; nil for that of the host
	// Root is a folder that is the program's root: it gets namespaces of its own there, with devices and a procfs (R42),
	// and nothing that it mounts is left. "" for a program of the host as it is.
	Root string
	// Network lets a program with a Root reach the host's network.
	Network bool
	// Terminal hands the terminal of the person over.
	Terminal bool
	// Monitor tells that it is a QEMU to be controlled: it is started stopped, and stays when its guest has ended.
	Monitor bool
}

// Running is a program that was started.
type Running interface {
	// Monitor is the control connection; nil without Process.Monitor.
	Monitor() Monitor
	// Kill ends the program and all that it has started, soon.
	Kill()
	// Done is closed when the program has ended and all that it printed was written.
	Done() <-chan struct{}
	// Exit is how it ended, after Done.
	Exit() guest.Exit
}

// Monitor controls a QEMU. Its methods are those of the driver's (internal/machine/qemu).
type Monitor interface {
	Ended() <-chan string
	Continue(ctx context.Context) error
	Overlay(ctx context.Context, drive, file string) error
	Save(ctx context.Context, name string) error
	Forget(ctx context.Context, name string) error
	Commit(ctx context.Context) error
	Quit(ctx context.Context) error
}

// Host is what a run needs of its host beside files; the edge gives it.
type Host interface {
	// Start starts a program. What it prints goes to console as it comes.
	Start(ctx context.Context, p Process, console io.Writer) (Running, error)
	// Ask runs a program of the host to its end and gives what it printed on its standard output.
	Ask(ctx context.Context, argv ...string) (string, error)
	// Accelerator tells whether KVM works, and why it is used or not.
	Accelerator(ctx context.Context, program string) (kvm bool, why string, err error)
	// Now is the clock.
	Now() time.Time
}

// Runner runs a plan.
type Runner struct {
	Host    Host
	Builder Builder
	Version string            // of rung, for the report
	Times   guest.Times       // of earlier runs
	Ports   map[string]string // of the mirrors that are shown: Mirrors.Ports
	Ticks   <-chan time.Time  // tell it to look whether the guest stands still, once a second or so

	Resume      bool // go on from the last checkpoint
	Checkpoints bool // keep the guest as it is at the end of each script, in QEMU
	Keep        bool // leave what a guest in QEMU wrote in its overlay, beside the images as they were made

	Screen   io.Writer           // gets the console as it is; nil for nobody
	Progress func(s guest.State) // told at each tick and with each step; nil for nobody
	Note     func(text string)   // told of what a person should know; nil for nobody

	Took guest.Times // of the packages that were built: set by Run
}

// Run runs a plan to its end: it makes the media where the target has none, starts the guest, watches it, and writes
// the report into the target, also where the guest failed; the failure is in the report. An error means that the guest
// could not be run, or that ctx ended.
func (r *Runner) Run(ctx context.Context, p *Plan) (*RunReport, error) {
	if len(p.Command.Argv) == 0 {
		return nil, fault.New(fault.Usage, "bare metal: rung cannot start it").
			WithHint("follow the directions of rung live media")
	}
	g := &going{Runner: r, plan: p, dir: filepath.Join(p.Options.Target, runDir)}
	if err := g.ready(ctx); err != nil {
		return nil, err
	}
	if err := g.open(); err != nil {
		return nil, err
	}
	defer g.close()
	err := g.run(ctx)
	if err != nil && (g.report == nil || g.report.Started.IsZero()) { // nothing has run: nothing to report
		return nil, err
	}
	if err != nil {
		g.report.Failure = newFailure(asFailure(err), g.steps)
	}
	r.Took = g.watcher.Took()
	return g.report, errors.Join(err, g.finish())
}

// going is a run on its way.
type going struct {
	*Runner
	plan  *Plan
	dir   string // of rung's own files in the target
	state runState

	steps   []guest.Step
	watcher *guest.Watcher
	log     *os.File
	report  *RunReport
	running Running

	reached []int // steps that began and were not looked at
}

// Files of a run, in the target.
const (
	runDir      = "rung"
	consoleFile = "console.log"
	reportFile  = "report.json"
	textFile    = "report.txt"
	stateFile   = "run.json"
)

func (g *going) note(text string) {
	if g.Note != nil {
		g.Note(text)
	}
}

// open makes the log of the console and the watcher.
func (g *going) open() error {
	for _, r := range g.plan.Scripts {
		g.steps = append(g.steps, guest.Steps(r.Root, r.Scripts)...)
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	from := 0
	if c := g.checkpoint(); c != nil {
		flags, from = os.O_WRONLY|os.O_CREATE|os.O_APPEND, c.Step
	}
	var err error
	if g.log, err = os.OpenFile(filepath.Join(g.dir, consoleFile), flags, 0o644); err != nil {
		return fault.New(fault.Unavailable, "target: %w", err)
	}
	o := g.plan.Options
	g.watcher = guest.New(guest.Options{
		Steps: g.steps, From: from, Times: g.Times, Silence: o.Silence, Slow: g.state.slow(),
		Chroot: o.Mode == Chroot || o.Mode == Bwrap, Now: g.Host.Now,
		Reached: func(at int) { g.reached = append(g.reached, at) },
	})
	return nil
}

func (g *going) close() {
	if g.log != nil {
		g.log.Close()
	}
}

// process is the program to start.
func (g *going) process() Process {
	o := g.plan.Options
	c := g.plan.Command
	p := Process{Argv: c.Argv, Env: c.Env, Terminal: o.Interactive || o.Configurator}
	switch o.Mode {
	case Chroot:
		p.Root, p.Network = o.Target, !o.ExternalSources
		p.Argv = []string{path.Join("/bootstrap-seeds/POSIX", o.ArchDir(), "kaem-optional-seed")}
	case QEMU:
		p.Argv, p.Monitor, p.Terminal = g.machine(), !o.Interactive, false
	}
	if g.Resume && o.Mode != QEMU {
		p.Argv = resumed(p.Argv)
	}
	return p
}

// run starts the guest and waits for its end.
func (g *going) run(ctx context.Context) error {
	if err := g.accelerate(ctx); err != nil {
		return err
	}
	pieces := make(chan []byte)
	over := make(chan struct{})
	process := g.process()
	g.describe(ctx, process)
	running, err := g.Host.Start(ctx, process, consoleOf{pieces, over})
	if err != nil {
		return err
	}
	g.running = running
	g.report.Started = g.Host.Now()
	defer func() { // no program is left, whatever happened
		close(over)
		running.Kill()
		<-running.Done()
	}()
	if err := g.begin(ctx); err != nil {
		return err
	}
	return g.attend(ctx, pieces)
}

// consoleOf passes on what a console shows to the goroutine that watches.
type consoleOf struct {
	to   chan<- []byte
	over <-chan struct{}
}

func (c consoleOf) Write(p []byte) (int, error) {
	select {
	case c.to <- append([]byte(nil), p...):
		return len(p), nil
	case <-c.over:
		return 0, io.ErrClosedPipe
	}
}

// attend hears the guest out.
func (g *going) attend(ctx context.Context, pieces <-chan []byte) error {
	var powered <-chan string
	if m := g.running.Monitor(); m != nil {
		powered = m.Ended()
	}
	for {
		select {
		case <-ctx.Done():
			return fault.New(fault.Interrupted, "run: interrupted: %w", context.Cause(ctx)).WithHint("%s", g.way())
		case p := <-pieces:
			if err := g.heard(ctx, p); err != nil {
				return err
			}
		case <-g.Ticks:
			if g.Progress != nil {
				g.Progress(g.watcher.State())
			}
			if e, over := g.watcher.Stalled(); over && !g.plan.unwatched() {
				g.end(e)
				return nil
			}
		case reason := <-powered:
			g.drain(ctx, pieces)
			return g.powered(ctx, reason)
		case <-g.running.Done():
			exit := g.running.Exit()
			if e := g.watcher.End(exit); !g.plan.unwatched() || exit.Status != 0 {
				g.end(e)
			}
			return nil
		}
	}
}

// unwatched tells whether the guest's console is a window, which nobody but the person reads.
func (p *Plan) unwatched() bool { return p.Options.Mode == QEMU && p.Options.Interactive }

// heard takes what the console shows.
func (g *going) heard(ctx context.Context, p []byte) error {
	if _, err := g.log.Write(p); err != nil {
		return fault.New(fault.Unavailable, "console log: %w", err).WithHint("make room for the target")
	}
	if g.Screen != nil {
		if _, err := g.Screen.Write(p); err != nil {
			g.Screen = nil // whoever looked has gone; the run goes on
		}
	}
	if _, err := g.watcher.Write(p); err != nil {
		return err
	}
	reached := g.reached
	g.reached = nil
	for _, at := range reached {
		g.began(ctx, at)
	}
	return nil
}

// drainTime is how long a console may have something to say after its guest has ended.
const drainTime = 300 * time.Millisecond

// drain takes what is still on its way from a guest that has ended.
func (g *going) drain(ctx context.Context, pieces <-chan []byte) {
	quiet := time.NewTimer(drainTime)
	defer quiet.Stop()
	for {
		select {
		case p := <-pieces:
			if g.heard(ctx, p) != nil {
				return
			}
		case <-quiet.C:
			return
		}
	}
}

// began looks at a step that has begun.
func (g *going) began(ctx context.Context, at int) {
	before := -1
	if n := len(g.report.Steps); n > 0 {
		before = g.report.Steps[n-1].Step
	}
	g.report.reached(at, g.steps, g.Host.Now())
	if g.Progress != nil {
		g.Progress(g.watcher.State())
	}
	if before >= 0 && (g.steps[at].Script != g.steps[before].Script || g.steps[at].Root != g.steps[before].Root) {
		g.save(ctx, at)
	}
}

// end takes the outcome into the report.
func (g *going) end(e guest.End) {
	g.report.Break = e.Break
	if e.Failure != nil {
		g.report.Failure = newFailure(e.Failure, g.steps)
	}
}

// way is how to go on after an interruption.
func (g *going) way() string {
	if len(g.state.Checkpoints) > 0 {
		return "--resume goes on from the last checkpoint"
	}
	return "the same command begins again, in an empty --target"
}
