// SPDX-License-Identifier: MIT

// Package fake is a machine for tests of what uses machines: its programs are functions, and its tree is in memory.
//
// It holds no limit, and runs the steps of a group one after the other.
package fake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Program is a step's program. It gives its exit status, 0 to 255, or the negative number of the signal that ends it.
// It should return soon after ctx ends.
type Program func(ctx context.Context, s *State) int

// State is what a program sees and changes.
type State struct {
	Argv []string
	Env  []string
	// Files are all files by their paths. A program may add files and change its own, not the inputs.
	Files map[string]File
	Out   io.Writer // standard output and error
}

// File is a file of the tree.
type File struct {
	Content    string
	Executable bool
}

// Machine runs jobs. The fields are set before its first use; Run may be called by several goroutines at once.
type Machine struct {
	Description machine.Info       // what Info says; its Arches have to name those of the jobs
	Fault       error              // what Check and Run say, where not nil
	Programs    map[string]Program // by argv[0]; one that is absent cannot be started, whether or not there is such a file
	Now         func() time.Time   // nil for a clock that stands still
}

// Info implements machine.Machine.
func (m *Machine) Info() machine.Info { return m.Description }

// Check implements machine.Machine.
func (m *Machine) Check(context.Context) error { return m.Fault }

// Run implements machine.Machine.
func (m *Machine) Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	if err := errors.Join(m.Fault, job.Validate()); err != nil {
		return machine.Result{}, err
	}
	known := false
	for _, arch := range m.Description.Arches {
		known = known || arch == job.Arch
	}
	if !known {
		return machine.Result{}, fault.New(fault.Unavailable, "job %s: no machine for %s", job.Name, job.Arch)
	}
	now := m.Now
	if now == nil {
		now = func() time.Time { return time.Time{} }
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed, fail := context.WithCancel(ctx)
	defer fail()
	course := walk.Begin(job, walk.Options{Watch: watch, Now: now, MaxLog: 16 << 20, Kill: fail})
	outputs, err := m.run(ctx, failed, job, blobs, course)
	if ctx.Err() != nil || err != nil {
		return machine.Result{}, course.Abandon(ctx, err)
	}
	return course.Finish(ctx, blobs, outputs)
}

func (m *Machine) run(ctx, failed context.Context, job machine.Job, blobs store.Blobs, c *walk.Course) (tree.Tree, error) {
	files, err := load(ctx, job.Inputs, blobs)
	if err != nil {
		return tree.Tree{}, err
	}
	for i, s := range job.Steps {
		c.Start(i)
		program, ok := m.Programs[s.Argv[0]]
		if !ok {
			c.End(i, walk.Ended{Exit: -1}, walk.NotStarted(i, s.Argv[0], errors.New("no such file or directory")))
			return tree.Tree{}, nil
		}
		var out bytes.Buffer
		status := program(failed, &State{Argv: s.Argv, Env: job.Env, Files: files, Out: &out})
		if out.Len() > 0 {
			c.Output(i, out.Bytes())
		}
		e := walk.Ended{Exit: status}
		if status < 0 {
			e = walk.Ended{Exit: -1, Signal: walk.SignalName(-status)}
		}
		c.End(i, e, walk.Judge(i, e, job.Limits, job.Calls))
		if c.Failed() {
			return tree.Tree{}, nil
		}
	}
	outputs, missing, err := export(ctx, files, job.Exports, blobs)
	if missing != "" {
		c.Fail(&machine.Failure{Cause: machine.CauseMissing, Step: len(job.Steps), Detail: fmt.Sprintf("no file %q", missing)})
	}
	return outputs, err
}

// load reads the files of the inputs.
func load(ctx context.Context, inputs tree.Tree, blobs store.Blobs) (map[string]File, error) {
	files := make(map[string]File)
	for n := range inputs.Nodes() {
		if n.Kind != tree.File {
			continue
		}
		content, err := read(ctx, blobs, n)
		if err != nil {
			return nil, fault.New(fault.KindOf(err), "input %q: %w", n.Path, err)
		}
		files[n.Path] = File{string(content), n.Executable()}
	}
	return files, nil
}

func read(ctx context.Context, blobs store.Blobs, n tree.Node) (_ []byte, err error) {
	r, err := blobs.Open(ctx, n.Content)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return io.ReadAll(r)
}

// export stores the files that are exports or lie below one, and names the first export that is neither.
func export(ctx context.Context, files map[string]File, exports []string, blobs store.Blobs) (tree.Tree, string, error) {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	var nodes []tree.Node
	for _, e := range exports {
		before := len(nodes)
		for _, name := range names {
			if name != e && !strings.HasPrefix(name, e+"/") {
				continue
			}
			d, err := blobs.Put(ctx, strings.NewReader(files[name].Content))
			if err != nil {
				return tree.Tree{}, "", fault.New(fault.KindOf(err), "export %q: %w", name, err)
			}
			n := tree.Node{Path: path.Clean(name), Kind: tree.File, Content: d}
			if files[name].Executable {
				n.Mode = machine.ModeExecutable
			}
			nodes = append(nodes, n)
		}
		if len(nodes) == before {
			return tree.Tree{}, e, nil
		}
	}
	outputs, err := tree.New(nodes...)
	if err != nil {
		return tree.Tree{}, "", err
	}
	outputs, err = machine.Normal(outputs)
	return outputs, "", err
}
