// SPDX-License-Identifier: MIT

// Package guest reads the console of a live-bootstrap guest as bytes come, and knows where the run is: which package
// of how many, how long it may still take, whether it stands still, and when it went wrong, at what and why most
// likely.
//
//	w := New(Options{Steps: steps, Times: times, Now: clock})
//	w.Write(p)                      // what the console shows
//	s := w.State()                  // for a line of progress
//	end, over := w.Stalled()        // asked now and then
//	end = w.End(Exit{Status: 0})    // when the guest is gone: regular, or the first failing check with its lines
//
// A console is text that many programs write, without a form. What is recognised are lines of the checkout's own
// scripts (helpers.sh), of kaem, of sha256sum and curl, and of the kernels; the table of each stands beside its
// source. A failure is believed only when the guest ends or stands still, or where nothing can come after it: a
// package that is built after a suspicious line proves it harmless.
//
// Left out on purpose: starting and stopping guests, files, and the clock, which the caller gives.
//
// Specification: docs/live-run.md.
package guest

import (
	"slices"
	"time"

	"github.com/rung-build/rung/internal/live/manifest"
	"github.com/rung-build/rung/internal/machine/console"
)

// Step is a step of the guest's scripts, and the root whose it is.
type Step struct {
	Root string // "steps", "steps-NAME"
	manifest.Step
}

// Steps are the steps of a root's scripts.
func Steps(root string, s *manifest.Scripts) []Step {
	steps := make([]Step, len(s.Steps))
	for i, one := range s.Steps {
		steps[i] = Step{root, one}
	}
	return steps
}

// Options say what is known of a guest before it starts.
type Options struct {
	Steps []Step // of all roots, in the order in which they run
	From  int    // the step that runs already, after a checkpoint; 0 where the guest starts
	Times Times  // of an earlier run; nil where there was none
	// Silence is how long the console may show nothing where no more is known of a step; 0 for half an hour.
	Silence time.Duration
	// Slow is by how much the guest is slower than a processor, for the known silences; 0 for 1.
	Slow float64
	// Chroot tells that there is no kernel in the guest: its end is the end of a process.
	Chroot bool
	Now    func() time.Time
	// Reached is told of each step that begins, from within Write; nil for nobody.
	Reached func(at int)
}

// DefaultSilence is how long a console may show nothing where no more is known.
const DefaultSilence = 30 * time.Minute

// Watcher is a guest that is watched. Make one with New. It is not safe for use by several goroutines at once.
type Watcher struct {
	o       Options
	lines   splitter
	console *console.Watcher
	started time.Time

	at       int       // the step that runs; -1 before the first
	begun    time.Time // when it began
	finished bool      // it is known to have ended well
	pass     string    // the package that kaem is in
	doing    string    // what it does: "compiling source."
	command  string    // what kaem started last
	phase    Phase
	prompt   bool // a shell waits for a person
	silent   time.Time
	took     Times
	last     time.Duration // how long the last package took
	good     Good

	recent   []string // the last lines, oldest first
	suspects []*suspect
	fatal    *Failure
	marker   bool // the kernel powered the machine off
}

// New begins to watch.
func New(o Options) *Watcher {
	if o.Silence == 0 {
		o.Silence = DefaultSilence
	}
	if o.Slow < 1 {
		o.Slow = 1
	}
	now := o.Now()
	w := &Watcher{o: o, at: -1, started: now, begun: now, silent: now, took: Times{}, phase: PhaseSeed,
		good: Good{Step: -1}}
	switch {
	case o.From > 0:
		w.phase, w.at = PhaseScripts, o.From
	case !o.Chroot:
		w.phase = PhaseFirmware
	}
	w.watchKernel()
	return w
}

// watchKernel begins to look for a kernel that gives up.
func (w *Watcher) watchKernel() {
	if w.console != nil {
		w.console.Done()
	}
	w.console = console.New(console.Options{})
}

// Write takes what the console shows next. It never fails.
func (w *Watcher) Write(p []byte) (int, error) {
	now := w.o.Now()
	w.silent = now
	for line := range w.lines.feed(p) {
		w.line(line, now)
	}
	w.open(w.lines.rest())
	return len(p), nil
}

// keep is how many lines are held for a failure.
const keep = 40

func (w *Watcher) line(line string, now time.Time) {
	if line == "" {
		return
	}
	w.recent = append(w.recent, line)
	if len(w.recent) > keep {
		w.recent = slices.Delete(w.recent, 0, len(w.recent)-keep)
	}
	w.prompt = false
	w.place(line, now)
	w.suspect(line)
	w.kernel(line)
}

// Phase is a part of a run.
type Phase string

// The phases.
const (
	PhaseFirmware Phase = "firmware" // before the first program of the checkout
	PhaseSeed     Phase = "stage0"   // the seeds up to the script generator
	PhaseScripts  Phase = "scripts"  // steps
	PhaseDone     Phase = "done"     // the last step has ended
)

// Good is the last point up to which all is known to be well.
type Good struct {
	Step int       `json:"step"` // index of the last step that ended well; -1 for none
	Name string    `json:"name,omitempty"`
	Pass int       `json:"pass,omitempty"`
	At   time.Time `json:"at"`
}

// State is where a run is.
type State struct {
	Phase     Phase
	Step      int // index of the step that runs; -1 before the first
	Name      string
	Pass      int
	Doing     string // what the step said last that it does; or ""
	Package   int    // number of the package among all packages of the run, from 1; 0 before the first
	Packages  int
	Elapsed   time.Duration // of the run
	InStep    time.Duration // of the step
	Last      time.Duration // how long the last package took; 0 before the first has ended
	Expected  time.Duration // of the step, from an earlier run; 0 where nothing is known
	Remaining time.Duration // of all, from an earlier run; 0 where too little is known
	Silent    time.Duration // since the console showed something
	Prompt    bool          // a shell waits for a person
	Good      Good
}

// State tells where the run is.
func (w *Watcher) State() State {
	now := w.o.Now()
	s := State{
		Phase: w.phase, Step: w.at, Doing: w.doing, Elapsed: now.Sub(w.started), InStep: now.Sub(w.begun), Last: w.last,
		Silent: now.Sub(w.silent), Prompt: w.prompt, Good: w.good, Expected: w.expected(),
	}
	for i, step := range w.o.Steps {
		if step.Kind == manifest.Build {
			s.Packages++
			if i <= w.at {
				s.Package++
			}
		}
	}
	if w.at >= 0 && w.at < len(w.o.Steps) {
		s.Name, s.Pass = w.o.Steps[w.at].Arg, w.o.Steps[w.at].Pass
	}
	if w.at < 0 {
		s.Step = -1
	}
	s.Remaining = w.remaining(s.InStep)
	return s
}

// Took are the times of the packages that were built in this run.
func (w *Watcher) Took() Times { return w.took }
