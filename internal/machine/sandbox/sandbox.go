// SPDX-License-Identifier: MIT

// Package sandbox is the machine that runs steps as processes of this kernel in namespaces of their own: user, mount,
// pid, network, IPC, host name and cgroup. It works for root and for ordinary users, and needs no program but rung.
//
// The root directory of a step is a tmpfs that holds the job's tree and nothing else: no /proc, no /dev, no network, not
// even a loopback device that is up. A step has no capability and cannot get one, not by a user namespace either; its
// only descriptors are an empty standard input and the log. What it leaves running ends with it.
//
// How: the running program is started once more as process 1 of the namespaces (child.go), makes the root (root.go),
// gets the job through a pipe (wire.go), forks the steps (fork.go, confine.go) and sends the exports back. Steps of
// machine.CallsSeed run under a seccomp filter (calls.go). Time and memory are held from outside, by package walk.
//
// Left out on purpose: cgroups, which an ordinary user often cannot have; memory is sampled instead. A program that
// swallows an error for a full disk and removes what it wrote within one step is not found out.
//
// Specification: the manual pages namespaces(7), user_namespaces(7), pivot_root(2), seccomp(2), capabilities(7).
package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// version of the driver, for the ledger. It goes up when a step may see something else than before.
const version = "1"

// Options of a sandbox.
type Options struct {
	Now    func() time.Time // the clock, for what the ledger says
	Wide   int              // most steps of a group side by side; 0 for as many as there are processors
	MaxLog int64            // bytes a job may print; 0 for 16 MiB
}

// Machine runs jobs in namespaces. Make one with New. It is safe for use by several goroutines at once.
type Machine struct {
	options Options
	noUser  atomic.Bool // root where there are no user namespaces
}

// New makes a machine. A program that uses one calls Child first thing.
func New(o Options) *Machine {
	if o.Wide <= 0 {
		o.Wide = runtime.GOMAXPROCS(0)
	}
	if o.MaxLog <= 0 {
		o.MaxLog = 16 << 20
	}
	return &Machine{options: o}
}

// Info names the machine and the kernel.
func (m *Machine) Info() machine.Info {
	release := "unknown"
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		release = unix.ByteSliceToString(name.Release[:])
	}
	return machine.Info{
		Name: "sandbox", Version: version + " linux " + release, Isolated: true, Arches: []string{runtime.GOARCH},
	}
}

// Run runs a job: see machine.Machine.
func (m *Machine) Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	if err := job.Validate(); err != nil {
		return machine.Result{}, err
	}
	if job.Arch != runtime.GOARCH {
		return machine.Result{}, fault.New(fault.Unavailable, "job %s: the sandbox of this machine runs %s, not %s",
			job.Name, runtime.GOARCH, job.Arch)
	}
	if err := ctx.Err(); err != nil {
		return machine.Result{}, fault.New(fault.Interrupted, "job %s: %w", job.Name, err)
	}
	p, err := m.launch()
	if err != nil {
		return machine.Result{}, err
	}
	course := walk.Begin(job, walk.Options{Watch: watch, Now: m.options.Now, MaxLog: m.options.MaxLog, Kill: p.kill})
	outputs, err := m.converse(ctx, p, job, blobs, course)
	if ctx.Err() != nil || err != nil && !course.Failed() {
		return machine.Result{}, course.Abandon(ctx, err)
	}
	return course.Finish(ctx, blobs, outputs)
}

// converse sends the job to its sandbox and hears it out. When it returns, every process of the sandbox is gone.
func (m *Machine) converse(ctx context.Context, p *process, job machine.Job, blobs store.Blobs, c *walk.Course) (tree.Tree, error) {
	stop := context.AfterFunc(ctx, p.kill)
	defer stop()
	guarded, unguard := context.WithCancel(ctx)
	fed, done := make(chan error, 1), make(chan struct{})
	go func() {
		err := m.feed(ctx, p, job, blobs)
		if err != nil {
			p.kill() // it must not start on inputs that nobody vouches for
		}
		fed <- err
	}()
	go func() {
		defer close(done)
		c.Guard(guarded, func() []int { return walk.Descendants(p.pid) }, self)
	}()
	outputs, err := listen(ctx, p.out, blobs, c)
	p.kill() // it has said all it has to say, and ends faster so than by itself
	unguard()
	<-done
	ended := p.wait()
	feedErr := <-fed
	switch {
	case feedErr != nil && !errors.Is(feedErr, unix.EPIPE) && !errors.Is(feedErr, os.ErrClosed):
		return tree.Tree{}, feedErr
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return tree.Tree{}, fault.New(fault.Internal, "the sandbox ended early: %v", ended)
	}
	return outputs, err
}

// feed sends the order, the content of the inputs, and the word that all of it is what its digests say.
func (m *Machine) feed(ctx context.Context, p *process, job machine.Job, blobs store.Blobs) error {
	defer p.in.Close()
	w := bufio.NewWriterSize(p.in, 1<<16)
	o := order{
		Steps: job.Steps, Env: job.Env, Exports: job.Exports, Limits: job.Limits, Calls: job.Calls, Wide: m.options.Wide,
	}
	for n := range job.Inputs.Nodes() {
		o.Nodes = append(o.Nodes, n)
	}
	if err := send(w, o); err != nil {
		return err
	}
	for _, n := range o.Nodes {
		if n.Kind != tree.File {
			continue
		}
		if err := copyBlob(ctx, w, blobs, n); err != nil {
			return fault.New(fault.KindOf(err), "input %q: %w", n.Path, err)
		}
	}
	if _, err := w.WriteString(goLine); err != nil {
		return err
	}
	return w.Flush()
}

func copyBlob(ctx context.Context, w io.Writer, blobs store.Blobs, n tree.Node) (err error) {
	r, err := blobs.Open(ctx, n.Content)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	_, err = io.Copy(w, r) // to the end, where the store tells whether the content is what it should be
	return err
}

// listen takes reports until the sandbox is done, and gives the exports as a tree.
func listen(ctx context.Context, r *bufio.Reader, blobs store.Blobs, c *walk.Course) (tree.Tree, error) {
	var nodes []tree.Node
	for {
		var m report
		if err := receive(r, &m); err != nil {
			return tree.Tree{}, err
		}
		switch m.Kind {
		case kindStart:
			c.Start(m.Step)
		case kindOutput:
			printed := make([]byte, m.Size)
			if _, err := io.ReadFull(r, printed); err != nil {
				return tree.Tree{}, err
			}
			c.Output(m.Step, printed)
		case kindEnd:
			c.End(m.Step, *m.Ended, m.Failure)
		case kindExport:
			n, err := keep(ctx, r, blobs, m)
			if err != nil {
				return tree.Tree{}, err
			}
			nodes = append(nodes, n)
		case kindFail:
			c.Fail(m.Failure)
		case kindFault:
			return tree.Tree{}, fault.New(fault.Internal, "sandbox: %s", m.Text)
		case kindDone:
			return tree.New(nodes...)
		default:
			return tree.Tree{}, fmt.Errorf("sandbox: unknown report %q", m.Kind)
		}
	}
}

// keep puts an export into the store.
func keep(ctx context.Context, r io.Reader, blobs store.Blobs, m report) (tree.Node, error) {
	n := *m.Node
	if n.Kind != tree.File {
		return n, nil
	}
	var err error
	if n.Content, err = blobs.Put(ctx, &exactly{r, m.Size}); err != nil {
		return tree.Node{}, fault.New(fault.KindOf(err), "export %q: %w", n.Path, err)
	}
	return n, nil
}
