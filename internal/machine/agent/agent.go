// SPDX-License-Identifier: MIT

// Package agent walks a job where its steps run, and reports what comes of it: it is what the machines have in common
// whose steps are processes of a root directory of their own.
//
// An agent is rung's own program, started once more as process 1 of whatever a driver made: namespaces, a container, a
// virtual machine. There (Child, Serve) it reads an order, makes a tmpfs its root and lets go of everything else, lays out
// and guards the inputs, forks the steps, and sends reports; here (Run) the order is written and the reports are heard.
//
// A step sees the job's tree and nothing else: no /proc, no /dev, no network where the driver left none. It has no
// capability and cannot get one, not by a user namespace either; its only descriptors are an empty standard input and the
// log. What it leaves running ends with it. Steps of machine.CallsSeed run under a seccomp filter (calls.go).
//
// Left out on purpose: cgroups, which an ordinary user often cannot have; memory is sampled instead. A program that
// swallows an error for a full disk and removes what it wrote within one step is not found out.
//
// Specification: the manual pages pivot_root(2), mount_namespaces(7), user_namespaces(7), seccomp(2), capabilities(7).
package agent

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Options say how jobs are run. Defaults come with With.
type Options struct {
	Now      func() time.Time // the clock, for what the ledger says
	Wide     int              // most steps of a group side by side; 0 for as many as there are processors
	MaxLog   int64            // bytes a job may print; 0 for 16 MiB
	Boot     time.Duration    // how long a machine may take until the first step can start; 0 for 30 s
	Slow     int              // how many times longer than its limits say a job may take; 0 for what the machine is known for
	Terminal *Terminal        // where a person is who wants a shell at a step that fails; nil for nobody
}

// Terminal is where a person sits. What is typed comes in lines.
type Terminal struct {
	In  io.Reader
	Out io.Writer
}

// With gives the options with defaults in the place of what is not set.
func (o Options) With() Options {
	if o.Wide <= 0 {
		o.Wide = runtime.GOMAXPROCS(0)
	}
	if o.MaxLog <= 0 {
		o.MaxLog = 16 << 20
	}
	if o.Boot <= 0 {
		o.Boot = 30 * time.Second
	}
	return o
}

// Session is an agent that was started, seen from rung.
type Session struct {
	Order   io.WriteCloser // where the agent reads its order, and what is typed; never nil
	Placed  bool           // the agent has its order already: only what is typed goes to Order
	Reports *bufio.Reader  // what the agent says
	PID     int            // a process of this host that has all steps below it and nothing else; 0 where only the agent sees them
	// Network says that the agent is in a network namespace of its own and takes down what is up in it.
	Network bool
	Kill    func()        // ends the agent and every step, soon; may be called at any time, by anyone, more than once
	Wait    func() string // waits until all of it is gone, and says how it ended; called once
	Trouble func() error  // what is known, after Wait, about why the reports ended early; nil where that is nothing
}

// CheckJob tells whether a machine whose programs are those of this host can run the job at all.
func CheckJob(ctx context.Context, machine string, job machine.Job) error {
	if err := job.Validate(); err != nil {
		return err
	}
	if job.Arch != runtime.GOARCH {
		return fault.New(fault.Unavailable, "job %s: the machine %s runs %s here, not %s", job.Name, machine, runtime.GOARCH, job.Arch)
	}
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Interrupted, "job %s: %w", job.Name, err)
	}
	return nil
}

// Run runs a job with an agent that start starts: see machine.Machine. Start is given the job's course, which it may tell
// of a console.
func Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch, o Options,
	start func(*walk.Course) (*Session, error)) (machine.Result, error) {
	o = o.With()
	var s *Session
	ready := make(chan struct{}) // closed when s is set
	course := walk.Begin(job, walk.Options{Watch: watch, Now: o.Now, MaxLog: o.MaxLog, Boot: o.Boot, Slow: o.Slow, Kill: func() {
		go func() {
			<-ready
			if s != nil {
				s.Kill()
			}
		}()
	}})
	s, err := start(course)
	close(ready)
	if err != nil {
		course.Stop()
		return machine.Result{}, err
	}
	outputs, err := converse(ctx, s, job, blobs, course, o)
	if ctx.Err() != nil || err != nil && !course.Failed() {
		return machine.Result{}, course.Abandon(ctx, err)
	}
	return course.Finish(ctx, blobs, outputs)
}

// Check starts an agent for a job of no steps, and tells what kept it from being done.
func Check(ctx context.Context, o Options, start func(*walk.Course) (*Session, error)) error {
	o = o.With()
	job := machine.Job{Name: "check", Limits: machine.Limits{Time: o.Boot, Memory: 1 << 30, Output: 1 << 20, Files: 1}}
	s, err := start(nil)
	if err != nil {
		return err
	}
	course := walk.Begin(job, walk.Options{Now: o.Now, Boot: o.Boot, Kill: s.Kill})
	_, err = converse(ctx, s, job, store.Blobs(nil), course, o)
	if course.Failed() { // and err tells no more than that it was ended
		err = fault.New(fault.Unavailable, "not ready after %v", o.Boot)
	}
	if ctx.Err() != nil || err != nil {
		return course.Abandon(ctx, err)
	}
	course.Stop()
	return nil
}

// converse sends the job to its agent and hears it out. When it returns, agent and steps are gone.
func converse(ctx context.Context, s *Session, job machine.Job, blobs store.Blobs, c *walk.Course, o Options) (tree.Tree, error) {
	stop := context.AfterFunc(ctx, s.Kill)
	defer stop()
	guarded, unguard := context.WithCancel(ctx)
	fed, done := make(chan error, 1), make(chan struct{})
	talk := &talk{
		session: s, job: job, began: map[int]bool{}, course: c, blobs: blobs, terminal: o.Terminal, fed: make(chan struct{}),
	}
	go func() {
		err := talk.feed(ctx, job, o)
		if err != nil {
			s.Kill() // it must not start on inputs that nobody vouches for
		}
		close(talk.fed)
		fed <- err
	}()
	go func() {
		defer close(done)
		guard(guarded, s.PID, job.Limits, c)
	}()
	outputs, err := talk.listen(ctx)
	s.Kill() // it has said all it has to say, and ends faster so than by itself
	unguard()
	<-done
	ended := s.Wait()
	feedErr := <-fed
	s.Order.Close()
	return outputs, verdict(s, err, feedErr, ended)
}

// guard holds the limit on memory from outside, where the steps can be seen.
func guard(ctx context.Context, pid int, limits machine.Limits, c *walk.Course) {
	if pid == 0 {
		return
	}
	proc := walk.HostProc()
	walk.Guard{
		Proc: proc, Limits: limits, Processes: func() []int { return walk.Descendants(proc, pid) },
		Own: walk.RunsFile(self), Fail: c.Fail,
	}.Run(ctx)
}

// verdict says why a conversation ended before its end. What was known of the machine tells more than the end of a line.
func verdict(s *Session, err, feedErr error, ended string) error {
	gone := []error{unix.EPIPE, unix.ECONNRESET, os.ErrClosed, io.ErrClosedPipe}
	if feedErr != nil && !slices.ContainsFunc(gone, func(e error) bool { return errors.Is(feedErr, e) }) {
		return feedErr
	}
	if err == nil {
		return nil
	}
	if s.Trouble != nil {
		if trouble := s.Trouble(); trouble != nil {
			return trouble
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || slices.ContainsFunc(gone, func(e error) bool {
		return errors.Is(err, e)
	}) {
		return fault.New(fault.Internal, "the agent ended early: %v", ended)
	}
	return err
}
