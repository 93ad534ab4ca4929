// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
)

// Options say with what a plan is climbed. All but Watch, Lint and Sources are needed.
type Options struct {
	Blobs   store.Blobs
	Actions store.Actions
	Ledger  *ledger.Ledger
	Machine machine.Machine
	Sources Sources          // of distfiles; nil for chains without any
	Jobs    int              // stages that run side by side; at least 1
	Rebuild bool             // run every stage, and compare its exports with what earlier runs gave
	GoOn    bool             // after a stage has failed, go on with those that do not stand on it
	Now     func() time.Time // for the ledger and for durations
	Watch   func(Event)      // told of progress, from one goroutine at a time

	// Lint checks texts of the seed before a stage runs: each that it takes by itself, then those that a step is given,
	// together and in the order of its arguments. It is not asked about programs, nor where a stored result is taken.
	Lint func(texts ...Text) error
}

// Run climbs a plan: stages whose inputs are ready run side by side, or their stored results are taken. The first stage
// that fails stops the run, unless GoOn says otherwise; then the error is that of the first in the plan's order. The
// faults are those of docs/exit-status.md, and causes of interest are a *StepError, a *MismatchError and a
// *store.CorruptError. Where ctx ends, the error is a fault of kind Interrupted. Whatever happens, what was finished is
// kept.
func Run(ctx context.Context, plan *Plan, o Options) (Outcome, error) {
	begin := o.Now()
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &runner{plan: plan, Options: o, seats: make(chan struct{}, max(o.Jobs, 1)), slots: map[string]*slot{}}
	for _, s := range plan.Stages {
		r.slots[s.Name] = &slot{over: make(chan struct{})}
	}
	r.fetch(inner)
	defer func() {
		cancel(nil)
		<-r.sources.over
	}()
	var climbing sync.WaitGroup
	for _, s := range plan.Stages {
		climbing.Go(func() {
			defer close(r.slots[s.Name].over)
			if err := r.climb(inner, s); err != nil {
				r.giveUp(inner, s, err, cancel)
			}
		})
	}
	climbing.Wait()
	if ctx.Err() != nil {
		return Outcome{}, interrupted(ctx)
	}
	if inner.Err() != nil {
		return Outcome{}, context.Cause(inner)
	}
	out := Outcome{Plan: plan, Sources: r.sources.all, Wall: o.Now().Sub(begin)}
	for _, s := range plan.Stages {
		slot := r.slots[s.Name]
		if slot.failed != nil {
			return Outcome{}, slot.failed
		}
		out.Stages = append(out.Stages, *slot.done)
	}
	return out, nil
}

func interrupted(ctx context.Context) error {
	return fault.New(fault.Interrupted, "interrupted: %w", ctx.Err()).
		WithHint("what was finished is kept; the same command goes on from there")
}

// runner is one climb of one plan.
type runner struct {
	Options
	plan  *Plan
	seats chan struct{}    // one for each stage that runs
	slots map[string]*slot // by stage; the map itself does not change

	sources *fetching // of the distfiles

	watching sync.Mutex // held while Watch is told
	probing  sync.Once  // guards probed: the machine is asked once, and only where something has to run
	probed   error
}

// slot is where a stage leaves its outcome.
type slot struct {
	over   chan struct{} // closed when the stage is finished or given up
	done   *Done         // nil where it was given up; read after over is closed
	failed error         // why it was given up, where that was its own failure; read like done
}

var errGivenUp = errors.New("a stage below failed")

// climb waits for the stages below and for a seat, and then sees to one stage.
func (r *runner) climb(ctx context.Context, s Stage) error {
	for _, below := range s.Below() {
		select {
		case <-r.slots[below].over:
		case <-ctx.Done():
			return ctx.Err()
		}
		if r.slots[below].done == nil {
			return errGivenUp
		}
	}
	if err := r.needDistfiles(ctx, s); err != nil {
		return err
	}
	select {
	case r.seats <- struct{}{}:
		defer func() { <-r.seats }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	done, err := r.stage(ctx, s)
	if err != nil {
		return err
	}
	r.slots[s.Name].done = &done
	r.tell(StageDone{done})
	return nil
}

// giveUp sees to a stage that was not finished: it stops the others, or lets those go on that do not stand on it.
func (r *runner) giveUp(ctx context.Context, s Stage, err error, stop func(error)) {
	if ctx.Err() == nil && !errors.Is(err, errGivenUp) {
		r.slots[s.Name].failed = err
		r.tell(StageFailed{Stage: s.Name, Err: err})
	}
	if !r.GoOn {
		stop(err)
	}
}

func (r *runner) tell(e Event) {
	if r.Watch == nil {
		return
	}
	r.watching.Lock()
	defer r.watching.Unlock()
	r.Watch(e)
}

// ready asks the machine, once a run, whether it works here.
func (r *runner) ready(ctx context.Context) error {
	r.probing.Do(func() { r.probed = r.Machine.Check(ctx) })
	return r.probed
}
