// SPDX-License-Identifier: MIT

// Package walk is what machines that run steps as processes of this kernel have in common: the order of steps, inputs
// laid out in a directory, exports read back, the verdict on a step, and the course of a job with its limits and log.
//
// It starts no process and makes no namespace: that is what tells one machine from another.
package walk

import (
	"sync"

	"github.com/rung-build/rung/internal/machine"
)

// Batches cuts steps into runs of indices that may go side by side: neighbours of one Group other than 0, and every
// other step by itself.
func Batches(steps []machine.Step) [][]int {
	var batches [][]int
	for i, s := range steps {
		if i > 0 && s.Group != 0 && s.Group == steps[i-1].Group {
			last := len(batches) - 1
			batches[last] = append(batches[last], i)
			continue
		}
		batches = append(batches, []int{i})
	}
	return batches
}

// Walker runs steps. Every field is set but Enter, which may be nil.
type Walker struct {
	Wide   int                          // most steps side by side
	Enter  func() error                 // called once by each goroutine that will call Step
	Step   func(i int, alone bool) bool // runs a step; false ends the walk
	Stop   func()                       // makes every running step end; called when one of a batch failed
	Settle func()                       // called after each batch, when no step is running
}

// Walk runs the steps batch by batch until one fails. It tells whether all ran, or what Enter said.
func (w Walker) Walk(steps []machine.Step) (bool, error) {
	batches := Batches(steps)
	wide := 1
	for _, b := range batches {
		wide = max(wide, min(len(b), w.Wide))
	}
	work, results, stop := w.hire(wide)
	defer stop()
	for range wide {
		if r := <-results; r.err != nil {
			return false, r.err
		}
	}
	for _, batch := range batches {
		if !w.run(batch, wide, work, results) {
			return false, nil
		}
	}
	return true, nil
}

// task is a step to run, and whether it is alone in its batch; result is what came of it, or of entering.
type (
	task struct {
		step  int
		alone bool
	}
	result struct {
		ok  bool
		err error
	}
)

// hire starts goroutines that enter, send one result for that, and then one for each task.
func (w Walker) hire(wide int) (chan<- task, <-chan result, func()) {
	work, results := make(chan task), make(chan result, wide)
	var all sync.WaitGroup
	for range wide {
		all.Go(func() {
			if w.Enter != nil {
				if err := w.Enter(); err != nil {
					results <- result{err: err}
					return
				}
			}
			results <- result{ok: true}
			for t := range work {
				results <- result{ok: w.Step(t.step, t.alone)}
			}
		})
	}
	return work, results, func() {
		close(work)
		all.Wait()
	}
}

// run sends out the steps of a batch, as many at a time as there are workers, until one fails.
func (w Walker) run(batch []int, wide int, work chan<- task, results <-chan result) bool {
	defer w.Settle()
	ok, running := true, 0
	for next := 0; running > 0 || ok && next < len(batch); {
		if ok && next < len(batch) && running < wide {
			work <- task{step: batch[next], alone: len(batch) == 1}
			next, running = next+1, running+1
			continue
		}
		r := <-results
		running--
		if !r.ok && ok {
			ok = false
			w.Stop()
		}
	}
	return ok
}
