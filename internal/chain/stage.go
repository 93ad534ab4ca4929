// SPDX-License-Identifier: MIT

package chain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// work is one stage on its way to its outcome.
type work struct {
	Stage
	job    machine.Job
	key    digest.Digest
	inputs []ledger.File
	stored *record // what an earlier run of the job gave; nil where that is not known
}

// stage takes the stored result of a stage, or runs it.
func (r *runner) stage(ctx context.Context, s Stage) (Done, error) {
	begin := r.Now()
	w, err := r.prepare(s)
	if err != nil {
		return Done{}, err
	}
	done := Done{Stage: s, Job: w.key}
	var sound bool
	w.stored, sound, done.Healed = r.recall(ctx, w.key)
	if sound {
		_, done.Healed = r.said(ctx, s, w.stored.Run)
		sound = done.Healed == nil
	}
	if ctx.Err() != nil {
		return Done{}, ctx.Err()
	}
	if done.Healed != nil {
		r.tell(StageHealing{Stage: s.Name, Cause: done.Healed})
	}
	rec := w.stored
	if done.Hit = sound && !r.Rebuild; done.Hit {
		err = r.checkStored(ctx, w)
	} else {
		rec, err = r.execute(ctx, w)
	}
	if err != nil {
		return Done{}, err
	}
	done.Run = rec.Run
	outputs, err := rec.tree()
	if err == nil {
		done.Outputs, err = outputs.Only(s.Exports...)
	}
	if err == nil {
		done.Said, err = r.said(ctx, s, rec.Run)
	}
	if err != nil {
		return Done{}, fmt.Errorf("stage %q: %w", s.Name, err)
	}
	done.Wall = r.Now().Sub(begin)
	return done, nil
}

// prepare makes a stage's job out of the seed and of the outcomes of the stages below.
func (r *runner) prepare(s Stage) (*work, error) {
	w := &work{Stage: s}
	var nodes []tree.Node
	for _, in := range s.Inputs {
		for _, n := range r.resolve(in) {
			nodes = append(nodes, n)
			if n.Kind == tree.File {
				w.inputs = append(w.inputs, ledger.File{Name: n.Path, Digest: n.Content, From: fileRef(in, n.Path)})
			}
		}
	}
	root, err := tree.New(nodes...)
	if err == nil {
		root, err = machine.Normal(root)
	}
	if err != nil {
		return nil, fault.New(fault.Usage, "%s: stage %q: %w", s.Pos, s.Name, err)
	}
	w.job = machine.Job{
		Name: r.plan.Arch + "/" + s.Name, Arch: r.plan.Arch, Inputs: root, Steps: s.Steps,
		Exports: slices.Sorted(slices.Values(append(s.compared(), s.Exports...))), Limits: s.Limits, Calls: s.Calls,
	}
	if w.key, err = w.job.Digest(); err != nil {
		return nil, fault.New(fault.Usage, "%s: stage %q: %w", s.Pos, s.Name, err)
	}
	return w, nil
}

// resolve gives the nodes that an input puts into the tree: a file, or a directory and what it holds.
func (r *runner) resolve(in Input) []tree.Node {
	if in.From.Distfile != "" {
		nodes, _ := r.fromDistfile(in) // checkTaken has found it
		return nodes
	}
	if in.From.Stage == "" {
		text := r.plan.texts[in.From.Path]
		return []tree.Node{{Path: in.Name, Kind: tree.File, Mode: mode(text.Program), Content: text.Digest}}
	}
	nodes, _ := moved(r.slots[in.From.Stage].done.Outputs, in.From.Path, in.Name) // the planner has seen that it is exported
	return nodes
}

// mode is that of a file before machine.Normal, which keeps nothing of it but the execute permission.
func mode(executable bool) uint32 {
	if executable {
		return machine.ModeExecutable
	}
	return machine.ModeFile
}

// fileRef is the reference to one file of an input, which is the input itself unless that is a directory.
func fileRef(in Input, p string) string { return in.From.String() + p[len(in.Name):] }

// supply puts the seed's files that a stage takes into the store, the texts seen by the lint first.
func (r *runner) supply(ctx context.Context, s Stage) error {
	if err := r.lint(s); err != nil {
		return err
	}
	if err := r.supplyDistfiles(ctx, s); err != nil {
		return err
	}
	for _, in := range s.Inputs {
		if in.From.Stage != "" || in.From.Distfile != "" {
			continue
		}
		text := r.plan.texts[in.From.Path]
		if _, err := r.Blobs.Put(ctx, bytes.NewReader(text.Bytes)); err != nil {
			return fmt.Errorf("stage %q: storing input %q: %w", s.Name, in.Name, err)
		}
	}
	return nil
}

// lint has the texts of a stage checked: one by one, and then, for each step that takes several, together.
func (r *runner) lint(s Stage) error {
	if r.Lint == nil {
		return nil
	}
	texts := map[string]Text{} // by name in the job's tree
	for _, in := range s.Inputs {
		text := r.plan.texts[in.From.Path]
		if in.From.Stage != "" || in.From.Distfile != "" || text.Program {
			continue
		}
		if err := r.Lint(text); err != nil {
			return err
		}
		texts[in.Name] = text
	}
	seen := map[string]bool{}
	for _, step := range s.Steps {
		var together []Text
		var names string
		for _, arg := range step.Argv {
			if text, ok := texts[arg]; ok {
				together, names = append(together, text), names+"\x00"+arg
			}
		}
		if len(together) < 2 || seen[names] {
			continue
		}
		seen[names] = true
		if err := r.Lint(together...); err != nil {
			return err
		}
	}
	return nil
}

// execute runs a stage, and runs it again where the store turned out to hold damaged bytes in the place of an input or
// an output: finding them moved them aside, so that the second time the right ones are put there.
func (r *runner) execute(ctx context.Context, w *work) (*record, error) {
	if err := r.ready(ctx); err != nil {
		return nil, err
	}
	rec, err := r.attempt(ctx, w)
	if damaged(err) && ctx.Err() == nil {
		r.tell(StageHealing{Stage: w.Name, Cause: err})
		rec, err = r.attempt(ctx, w)
	}
	return rec, err
}

// damaged tells that the store turned out not to have what it should, which can be put again.
func damaged(err error) bool {
	var corrupt *store.CorruptError
	var missing *store.MissingError
	return errors.As(err, &corrupt) || errors.As(err, &missing)
}

// attempt runs a stage on the machine, checks what came out, and writes it down.
func (r *runner) attempt(ctx context.Context, w *work) (*record, error) {
	if err := r.supply(ctx, w.Stage); err != nil {
		return nil, err
	}
	r.tell(StageStarted{Stage: w.Name, Steps: len(w.Steps)})
	begin := r.Now()
	said := int64(0)
	result, err := r.Machine.Run(ctx, w.job, r.Blobs, r.listen(w.Stage, &said))
	if err != nil {
		return nil, fmt.Errorf("stage %q: %w", w.Name, err)
	}
	rec := newRecord(result.Outputs)
	if err := r.verifyAll(ctx, rec); err != nil {
		return nil, fmt.Errorf("stage %q: %w", w.Name, err)
	}
	rec.Run = r.entry(w, result, begin)
	rec.Run.Said = said
	if _, err := r.said(ctx, w.Stage, rec.Run); err != nil {
		return nil, err
	}
	verdict := r.judge(ctx, w, rec, result)
	if verdict != nil {
		rec.Run.Failure = verdict.Error()
	}
	if err := r.Ledger.Append(ctx, rec.Run); err != nil {
		return nil, fmt.Errorf("stage %q: %w", w.Name, err)
	}
	if verdict != nil {
		return nil, verdict
	}
	if err := r.remember(ctx, w, rec); err != nil {
		return nil, fmt.Errorf("stage %q: %w", w.Name, err)
	}
	return rec, nil
}

// judge tells why a result does not count; nil where it does.
func (r *runner) judge(ctx context.Context, w *work, rec *record, result machine.Result) error {
	if result.Failure != nil {
		return r.failed(ctx, w, result)
	}
	if err := r.checkRebuilt(ctx, w, rec); err != nil {
		return err
	}
	return r.check(ctx, w, rec)
}

func stepEvent(s Stage, e machine.Event) Event {
	switch {
	case e.Result != nil:
		return StepDone{Stage: s.Name, Step: e.Step, Result: *e.Result}
	case e.Output != nil:
		return StepOutput{Stage: s.Name, Step: e.Step, Bytes: e.Output}
	case e.Console != nil:
		return ConsoleOutput{Stage: s.Name, Bytes: e.Console}
	}
	return StepStarted{Stage: s.Name, Step: e.Step, Argv: s.Steps[e.Step].Argv}
}
