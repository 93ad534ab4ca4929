// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
)

// Attempt is what one machine came to, by itself, in a comparison.
type Attempt struct {
	Machine machine.Info
	Start   time.Duration    // that the machine takes to begin; the caller's to set
	Begin   time.Time        // when the climb began
	Wall    time.Duration    // of the climb
	Done    map[string]Done  // the finished stages, by name
	Failed  map[string]error // the stages that failed, by name; those above them are in neither map
}

// Try climbs a plan on one machine for a comparison. It goes on after a failure, with the stages that do not stand on
// the one that failed. Answers do not count: the comparison tells of them. No result of another machine is taken, nor
// one of another version of it, and none of this climb is taken elsewhere; what an earlier Try has finished is kept,
// unless o.Rebuild is set. The error is a fault of kind Interrupted where ctx ends. o.GoOn is not looked at.
func Try(ctx context.Context, plan *Plan, o Options) (Attempt, error) {
	unanswered := *plan
	unanswered.Answers = nil
	a := Attempt{Machine: o.Machine.Info(), Begin: o.Now(), Done: map[string]Done{}, Failed: map[string]error{}}
	own := &ownResults{Actions: o.Actions, owner: fmt.Sprintf("machine %q %q", a.Machine.Name, a.Machine.Version)}
	if o.Rebuild {
		own.made = map[digest.Digest]bool{}
	}
	watch := o.Watch
	o.Actions, o.Rebuild, o.GoOn = own, false, true
	o.Watch = func(e Event) {
		switch e := e.(type) {
		case StageDone:
			a.Done[e.Stage.Name] = e.Done
		case StageFailed:
			a.Failed[e.Stage] = e.Err
		}
		if watch != nil {
			watch(e)
		}
	}
	if _, err := Run(ctx, &unanswered, o); err != nil && (ctx.Err() != nil || len(a.Failed) == 0) {
		return Attempt{}, err
	}
	a.Wall = o.Now().Sub(a.Begin)
	return a, nil
}

// ownResults is the part of an action cache that belongs to one machine. Its keys are digests of the action and the
// machine, so that results of several lie side by side in one cache.
type ownResults struct {
	store.Actions
	owner string

	mu   sync.Mutex
	made map[digest.Digest]bool // what was recorded since the view was made, where nothing else is to be seen; else nil
}

func (o *ownResults) key(action digest.Digest) digest.Digest {
	return digest.Of(fmt.Appendf(nil, "rung compare 1\n%s\n%v\n", o.owner, action))
}

// Result implements store.Actions.
func (o *ownResults) Result(ctx context.Context, action digest.Digest) (result []byte, ok bool, err error) {
	o.mu.Lock()
	hidden := o.made != nil && !o.made[action]
	o.mu.Unlock()
	if hidden {
		return nil, false, ctx.Err()
	}
	return o.Actions.Result(ctx, o.key(action))
}

// Record implements store.Actions.
func (o *ownResults) Record(ctx context.Context, action digest.Digest, result []byte) error {
	if err := o.Actions.Record(ctx, o.key(action), result); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.made != nil {
		o.made[action] = true
	}
	return nil
}
