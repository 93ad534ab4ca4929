// SPDX-License-Identifier: MIT

package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// talk is a conversation with an agent.
type talk struct {
	session  *Session
	job      machine.Job
	began    map[int]bool // the steps that have; those of a group in any order
	course   *walk.Course
	blobs    store.Blobs
	terminal *Terminal
	fed      chan struct{} // closed when the order is out
}

// feed sends the order, unless the agent has it.
func (t *talk) feed(ctx context.Context, job machine.Job, o Options) error {
	if t.session.Placed {
		return nil
	}
	place := Place{Guard: t.session.PID == 0, Network: t.session.Network}
	return WriteOrder(ctx, t.session.Order, job, t.blobs, o, place)
}

// Place is what an agent has to know of where it is.
type Place struct {
	Guard   bool // nobody else sees the steps: it holds the limit on memory itself
	Network bool // it is in a network namespace of its own, and takes down what is up in it
}

// WriteOrder writes the order of a job: what an agent reads before it starts. Where the store does not vouch for an
// input to its last byte, the order has no end, and no agent starts on it.
func WriteOrder(ctx context.Context, to io.Writer, job machine.Job, blobs store.Blobs, o Options, p Place) error {
	o = o.With()
	w := bufio.NewWriterSize(to, 1<<16)
	out := order{
		Name: job.Name, Steps: job.Steps, Env: job.Env, Exports: job.Exports, Limits: job.Limits, Calls: job.Calls, Devices: job.Devices,
		Wide: o.Wide, Place: p, Shell: o.Terminal != nil,
	}
	for n := range job.Inputs.Nodes() {
		out.Nodes = append(out.Nodes, n)
	}
	if err := send(w, out); err != nil {
		return err
	}
	for _, n := range out.Nodes {
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

// listen takes reports until the agent is done, and gives the exports as a tree.
func (t *talk) listen(ctx context.Context) (tree.Tree, error) {
	var nodes []tree.Node
	for {
		var m report
		if err := receive(t.session.Reports, &m, maxReport); err != nil {
			return tree.Tree{}, err
		}
		if err := t.check(m); err != nil {
			return tree.Tree{}, err
		}
		switch m.Kind {
		case kindDone:
			return t.outputs(nodes)
		case kindExport:
			n, err := t.keep(ctx, m)
			if err != nil {
				return tree.Tree{}, err
			}
			nodes = append(nodes, n)
		default:
			if err := t.hear(ctx, m); err != nil {
				return tree.Tree{}, err
			}
		}
	}
}

// check tells what is wrong with a report. It may come from a machine that went wrong, over a line that did.
func (t *talk) check(m report) error {
	wrong := m.Size < 0 || m.Failure != nil && m.Failure.Step > len(t.job.Steps)
	switch m.Kind {
	case kindStart:
		wrong = wrong || m.Step < 0 || m.Step >= len(t.job.Steps) || t.began[m.Step]
		t.began[m.Step] = true
	case kindOutput:
		wrong = wrong || m.Size > maxOutput || !t.began[m.Step]
	case kindEnd:
		wrong = wrong || m.Ended == nil || !t.began[m.Step]
	case kindFail:
		wrong = wrong || m.Failure == nil
	case kindExport:
		wrong = wrong || m.Node == nil
	}
	if wrong {
		return fault.New(fault.Internal, "agent: a report %q that cannot be: step %d, %d bytes", m.Kind, m.Step, m.Size)
	}
	return nil
}

// outputs are the exports as a tree. Where one is missing that no report has told of, the agent is wrong, and there is no
// tree rather than a part of one.
func (t *talk) outputs(nodes []tree.Node) (tree.Tree, error) {
	outputs, err := tree.New(nodes...)
	if err != nil || t.course.Failed() {
		return tree.Tree{}, err
	}
	for _, name := range t.job.Exports {
		if _, ok := outputs.Lookup(name); !ok {
			return tree.Tree{}, fault.New(fault.Internal, "agent: done, and nothing was heard of the export %q", name)
		}
	}
	return machine.Normal(outputs)
}

// hear takes a report that is no export and not the last.
func (t *talk) hear(ctx context.Context, m report) error {
	switch m.Kind {
	case kindReady:
		t.course.Ready()
	case kindStart:
		t.course.Start(m.Step)
	case kindOutput:
		printed := make([]byte, m.Size)
		if _, err := io.ReadFull(t.session.Reports, printed); err != nil {
			return err
		}
		t.course.Output(m.Step, printed)
	case kindEnd:
		t.course.End(m.Step, *m.Ended, m.Failure)
	case kindFail:
		t.course.Fail(m.Failure)
	case kindFault:
		return fault.New(fault.Internal, "agent: %s", m.Text)
	case kindShell:
		return t.shell(ctx)
	case kindPrint:
		if t.terminal == nil {
			return fmt.Errorf("agent: report %q where no shell was asked for", m.Kind)
		}
		_, err := io.CopyN(t.terminal.Out, t.session.Reports, m.Size)
		return err
	default:
		return fmt.Errorf("agent: unknown report %q", m.Kind)
	}
	return nil
}

// keep puts an export into the store.
func (t *talk) keep(ctx context.Context, m report) (tree.Node, error) {
	n := *m.Node
	if n.Kind != tree.File {
		return n, nil
	}
	var err error
	if n.Content, err = t.blobs.Put(ctx, &exactly{t.session.Reports, m.Size}); err != nil {
		return tree.Node{}, fault.New(fault.KindOf(err), "export %q: %w", n.Path, err)
	}
	return n, nil
}
