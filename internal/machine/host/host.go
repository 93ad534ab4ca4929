// SPDX-License-Identifier: MIT

// Package host is the machine of last resort: steps are plain processes of this host in a private directory, which is
// removed afterwards. Nothing keeps them from seeing the host: Info.Isolated is false, and the ledger says so.
//
// It holds the limits as well as an ordinary process can: time, memory and log as the sandbox does; output and files are
// counted after each step or group of steps, so that a step may fill the disk before. Inputs are read-only by their mode,
// which does not bind root. The set of system calls is not enforced. A process that a step leaves behind is ended where
// it is in the step's process group, or its descendant when the job is ended.
package host

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// version of the driver, for the ledger.
const version = "1"

// Options of a host machine.
type Options struct {
	Now    func() time.Time // the clock, for what the ledger says
	Dir    string           // where the directories of jobs are made; it has to exist
	Wide   int              // most steps of a group side by side; 0 for as many as there are processors
	MaxLog int64            // bytes a job may print; 0 for 16 MiB

	Terminal *agent.Terminal // where a person is who wants a shell at a step that fails; nil for nobody
}

// Machine runs jobs without isolation. Make one with New. It is safe for use by several goroutines at once.
type Machine struct{ options Options }

// New makes a machine.
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
	return machine.Info{Name: "host", Version: version + " linux " + release, Arches: []string{runtime.GOARCH}}
}

// Check tells whether directories for jobs can be made, in which programs may run.
func (m *Machine) Check(context.Context) error {
	dir, err := os.MkdirTemp(m.options.Dir, "rung-host-")
	if err != nil {
		return fault.New(fault.Unavailable, "host: %w", err).WithHint("name a directory that can be written to")
	}
	var s unix.Statfs_t
	if err := errors.Join(unix.Statfs(dir, &s), os.Remove(dir)); err != nil {
		return fault.New(fault.Unavailable, "host: %s: %w", m.options.Dir, err)
	}
	if s.Flags&unix.ST_NOEXEC != 0 {
		return fault.New(fault.Unavailable, "host: no program can run in %s: it is mounted noexec", m.options.Dir).
			WithHint("set TMPDIR to a directory on another file system")
	}
	return nil
}

// Run runs a job: see machine.Machine.
func (m *Machine) Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	if err := job.Validate(); err != nil {
		return machine.Result{}, err
	}
	if job.Arch != runtime.GOARCH {
		return machine.Result{}, fault.New(fault.Unavailable, "job %s: this host runs %s, not %s", job.Name, runtime.GOARCH, job.Arch)
	}
	if job.Devices {
		return machine.Result{}, fault.New(fault.Unavailable, "job %s: it wants devices, and the machine host has no root "+
			"directory of its own to put them into", job.Name)
	}
	if err := ctx.Err(); err != nil {
		return machine.Result{}, fault.New(fault.Interrupted, "job %s: %w", job.Name, err)
	}
	dir, err := os.MkdirTemp(m.options.Dir, "rung-host-")
	if err != nil {
		return machine.Result{}, fault.New(fault.Unavailable, "job %s: %w", job.Name, err)
	}
	r := &runner{ctx: ctx, job: job, root: dir, wide: m.options.Wide, terminal: m.options.Terminal, pids: make(map[int]bool)}
	r.course = walk.Begin(job, walk.Options{Watch: watch, Now: m.options.Now, MaxLog: m.options.MaxLog, Kill: r.kill})
	outputs, err := r.run(ctx, blobs)
	if removeErr := removeAll(dir); err == nil {
		err = removeErr
	}
	if ctx.Err() != nil || err != nil {
		return machine.Result{}, r.course.Abandon(ctx, err)
	}
	return r.course.Finish(ctx, blobs, outputs)
}

// run does everything between the job's directory being made and being removed.
func (r *runner) run(ctx context.Context, blobs store.Blobs) (tree.Tree, error) {
	fill := func(f *os.File, n tree.Node) error { return copyBlob(ctx, f, blobs, n) }
	var inputs []tree.Node
	for n := range r.job.Inputs.Nodes() {
		inputs = append(inputs, n)
	}
	if err := walk.Place(r.root, inputs, r.job.Exports, fill); err != nil {
		return tree.Tree{}, err
	}
	var err error
	if r.base, err = measure(r.root); err != nil {
		return tree.Tree{}, err
	}
	if err := r.walk(ctx); err != nil || r.course.Failed() {
		return tree.Tree{}, err
	}
	var nodes []tree.Node
	err = walk.Gather(r.root, r.job.Exports, func(n tree.Node, f *os.File, _ int64) (err error) {
		if f != nil {
			n.Content, err = blobs.Put(ctx, f)
		}
		nodes = append(nodes, n)
		return err
	})
	var missing *walk.ExportError
	if errors.As(err, &missing) {
		f := &machine.Failure{Cause: machine.CauseMissing, Step: len(r.job.Steps), Detail: missing.Detail}
		r.shell(f)
		r.course.Fail(f)
		return tree.Tree{}, nil
	}
	if err != nil {
		return tree.Tree{}, err
	}
	return tree.New(nodes...)
}

func copyBlob(ctx context.Context, w io.Writer, blobs store.Blobs, n tree.Node) (err error) {
	from, err := blobs.Open(ctx, n.Content)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	_, err = io.Copy(w, from)
	return err
}

// used is what a directory holds.
type used struct{ bytes, files int64 }

func measure(root string) (used, error) {
	var u used
	err := filepath.WalkDir(root, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		u.files++
		if info.Mode().IsRegular() {
			u.bytes += info.Size()
		}
		return nil
	})
	return u, err
}

// removeAll removes a directory with directories in it that cannot be written to.
func removeAll(dir string) error {
	err := filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			err = os.Chmod(at, 0o700)
		}
		return err
	})
	return errors.Join(err, os.RemoveAll(dir))
}
