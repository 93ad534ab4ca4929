// SPDX-License-Identifier: MIT

package walk

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Course follows one job: it tells the watcher, keeps the log, holds the time limits, and remembers the first failure.
// Its methods are safe for use by several goroutines at once.
type Course struct {
	job   machine.Job
	watch machine.Watch
	now   func() time.Time
	kill  func()        // ends all steps that run; called once, at the first failure
	slow  time.Duration // a factor

	mu      sync.Mutex // protects what follows, and is held while the watcher is told
	begun   time.Time
	whole   *time.Timer
	steps   []stepCourse
	logged  int64
	maxLog  int64
	failure *machine.Failure
}

// stepCourse is what is known of a step that has started.
type stepCourse struct {
	begun  time.Time
	timer  *time.Timer
	result *machine.StepResult // nil while it runs
	output []byte
}

// Options of a Course.
type Options struct {
	Watch  machine.Watch    // may be nil
	Now    func() time.Time // for what the ledger says; limits are held by timers
	MaxLog int64            // bytes of output of all steps; more is a failure
	Kill   func()           // ends all steps that run, soon; it must not wait
	Boot   time.Duration    // how long until Ready has to be called; 0 for a machine that is ready at once
	// Slow is how many times longer than its limits say a job may take on this machine, for a processor that is played by
	// a program; 0 for 1.
	Slow int
}

// Begin starts the clock of a job. Finish, Abandon or Stop ends it. A machine that takes its time to start says with
// Ready that it has; until then the job's own time does not run.
func Begin(job machine.Job, o Options) *Course {
	c := &Course{
		job: job, watch: o.Watch, now: o.Now, kill: o.Kill, maxLog: o.MaxLog, begun: o.Now(), slow: time.Duration(max(o.Slow, 1)),
	}
	if o.Boot <= 0 {
		c.time()
		return c
	}
	c.whole = time.AfterFunc(o.Boot, func() {
		c.Fail(fail(machine.CauseTime, -1, "the machine was not ready after %v", o.Boot))
	})
	return c
}

// time starts the job's own time.
func (c *Course) time() {
	limit := c.job.Limits.Time * c.slow
	c.whole = time.AfterFunc(limit, func() {
		c.Fail(fail(machine.CauseTime, -1, "the job ran longer than %v", limit))
	})
}

// Ready notes that the machine has started, and the job with it.
func (c *Course) Ready() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.whole.Stop()
	c.begun = c.now()
	c.time()
}

// Hold stops the job's time for good: a person has taken over.
func (c *Course) Hold() { c.Stop() }

// Console passes on what the machine's console showed. It takes the bytes over.
func (c *Course) Console(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell(machine.Event{Step: c.current(), Console: p})
}

// Start notes that a step starts. Steps start in their order.
func (c *Course) Start(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.steps) <= i {
		c.steps = append(c.steps, stepCourse{})
	}
	limit := c.job.Steps[i].Limit * c.slow
	c.steps[i].begun = c.now()
	c.steps[i].timer = time.AfterFunc(limit, func() {
		c.Fail(fail(machine.CauseTime, i, "ran longer than %v", limit))
	})
	c.tell(machine.Event{Step: i})
}

// Output notes what a step that has started printed. It takes the bytes over.
func (c *Course) Output(i int, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := p[:min(int64(len(p)), c.maxLog-c.logged)]
	c.logged += int64(len(kept))
	c.steps[i].output = append(c.steps[i].output, kept...)
	if len(kept) > 0 {
		c.tell(machine.Event{Step: i, Output: kept})
	}
	if len(kept) < len(p) {
		c.fail(fail(machine.CauseOutput, i, "printed more than %s", Size(c.maxLog)))
	}
}

// End notes that a step ended, and why that is a failure if it is one.
func (c *Course) End(i int, e Ended, f *machine.Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.steps[i]
	s.timer.Stop()
	if f != nil {
		c.fail(f)
	}
	s.result = &machine.StepResult{
		Exit: e.Exit, Signal: e.Signal,
		Usage: machine.Usage{Wall: c.now().Sub(s.begun), CPU: e.CPU, Memory: e.Memory},
	}
	c.tell(machine.Event{Step: i, Result: s.result})
}

// Fail notes a failure, the first of which counts, and ends all steps. Step -1 stands for the first that runs.
func (c *Course) Fail(f *machine.Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(f)
}

func (c *Course) fail(f *machine.Failure) {
	if c.failure != nil {
		return
	}
	if f.Step < 0 {
		f.Step = c.current()
	}
	c.failure = f
	c.kill()
}

// current is the first step that runs, or the last that did.
func (c *Course) current() int {
	for i, s := range c.steps {
		if s.result == nil {
			return i
		}
	}
	return max(len(c.steps)-1, 0)
}

// Failed tells whether the job has failed.
func (c *Course) Failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure != nil
}

func (c *Course) tell(e machine.Event) {
	if c.watch != nil {
		c.watch(e)
	}
}

// Abandon stops the clock of a job that could not be run, for the reason ctx ended or err.
func (c *Course) Abandon(ctx context.Context, err error) error {
	c.Stop()
	if ctx.Err() != nil {
		return fault.New(fault.Interrupted, "job %s: %w", c.job.Name, context.Cause(ctx))
	}
	return fault.New(fault.KindOf(err), "job %s: %w", c.job.Name, err)
}

// Stop stops the clock, for a course whose result nobody wants.
func (c *Course) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.whole.Stop()
	for _, s := range c.steps {
		if s.timer != nil {
			s.timer.Stop()
		}
	}
}

// Finish stops the clock and gives the job's result, once no step runs any more. The log is what the steps printed, in
// the order of the steps.
func (c *Course) Finish(ctx context.Context, blobs store.Blobs, outputs tree.Tree) (machine.Result, error) {
	c.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	r := machine.Result{Failure: c.failure, Usage: machine.Usage{Wall: c.now().Sub(c.begun)}}
	var log []io.Reader
	for _, s := range c.steps {
		if s.result == nil { // killed with the machine that ran it
			s.result = &machine.StepResult{Exit: -1, Signal: "SIGKILL"}
			s.result.Usage.Wall = c.now().Sub(s.begun)
		}
		r.Steps = append(r.Steps, *s.result)
		r.Usage.CPU += s.result.Usage.CPU
		r.Usage.Memory = max(r.Usage.Memory, s.result.Usage.Memory)
		log = append(log, bytes.NewReader(s.output))
	}
	if c.failure == nil {
		r.Outputs = outputs
	}
	var err error
	if r.Log, err = blobs.Put(ctx, io.MultiReader(log...)); err != nil {
		return machine.Result{}, fault.New(fault.KindOf(err), "job %s: keeping the log: %w", c.job.Name, err)
	}
	return r, nil
}
