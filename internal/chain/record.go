// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/tree"
)

// record is what the action cache keeps of a stage that was run and found right: JSON under the job's digest. It holds
// the whole line of the ledger, so that a ledger that was lost is made again from what is taken.
type record struct {
	Outputs []output   `json:"outputs"`
	Run     ledger.Run `json:"run"`
}

// output is one node of a job's exports.
type output struct {
	Path       string        `json:"path"`
	Kind       string        `json:"kind"` // as tree.Kind names it: "file", "dir" or "symlink"
	Executable bool          `json:"executable,omitempty"`
	Digest     digest.Digest `json:"digest,omitzero"`
	Target     string        `json:"target,omitempty"`
}

// newRecord keeps of a tree what other stages may see.
func newRecord(outputs tree.Tree) *record {
	rec := &record{}
	for n := range outputs.Nodes() {
		rec.Outputs = append(rec.Outputs, output{
			Path: n.Path, Kind: n.Kind.String(), Executable: n.Kind == tree.File && n.Executable(), Digest: n.Content,
			Target: n.Target,
		})
	}
	return rec
}

// tree is the record's outputs as a tree.
func (r *record) tree() (tree.Tree, error) {
	kinds := map[string]tree.Kind{}
	for _, k := range []tree.Kind{tree.File, tree.Dir, tree.Symlink} {
		kinds[k.String()] = k
	}
	nodes := make([]tree.Node, len(r.Outputs))
	for i, o := range r.Outputs {
		kind := kinds[o.Kind]
		nodes[i] = tree.Node{Path: o.Path, Kind: kind, Mode: mode(o.Executable), Content: o.Digest, Target: o.Target}
	}
	t, err := tree.New(nodes...)
	if err != nil {
		return tree.Tree{}, err
	}
	return machine.Normal(t)
}

// file finds an output that is a file.
func (r *record) file(name string) (digest.Digest, bool) {
	for _, o := range r.Outputs {
		if o.Path == name && o.Kind == tree.File.String() {
			return o.Digest, true
		}
	}
	return digest.Digest{}, false
}

// entry is the ledger's line of a run.
func (r *runner) entry(w *work, result machine.Result, begin time.Time) ledger.Run {
	info := r.Machine.Info()
	run := ledger.Run{
		Time: begin.UTC(), Chain: r.plan.Chain, Arch: r.plan.Arch, Stage: w.Name, Job: w.key,
		Machine: info.Name, Version: info.Version, Isolated: info.Isolated, Inputs: w.inputs,
		Wall: result.Usage.Wall, CPU: result.Usage.CPU, Memory: result.Usage.Memory, Log: result.Log,
		Console: result.Console,
	}
	for _, s := range w.Steps {
		run.Steps = append(run.Steps, s.Argv)
	}
	run.Outputs = filesOf(result.Outputs)
	if result.Failure == nil {
		for _, p := range w.Same {
			run.Same = append(run.Same, [2]string{p.A, p.B})
		}
	}
	if n := len(result.Steps); n > 0 {
		run.Exit = result.Steps[n-1].Exit
	}
	return run
}

// filesOf lists the files of a tree for the ledger.
func filesOf(t tree.Tree) []ledger.File {
	var files []ledger.File
	for n := range t.Nodes() {
		if n.Kind == tree.File {
			files = append(files, ledger.File{Name: n.Path, Digest: n.Content})
		}
	}
	return files
}

// recall finds the stored result of a job. It is sound where the machine may take it as its own and all outputs are in
// the store, byte for byte; unsound says what is wrong with one that should have been.
func (r *runner) recall(ctx context.Context, key digest.Digest) (rec *record, sound bool, unsound error) {
	text, ok, err := r.Actions.Result(ctx, key)
	if err != nil {
		return nil, false, err
	}
	if !ok {
		return nil, false, nil
	}
	rec = &record{}
	if err := json.Unmarshal(text, rec); err != nil {
		return nil, false, fmt.Errorf("stored result of job %s: %w", key.Short(), err)
	}
	if _, err := rec.tree(); err != nil {
		return nil, false, fmt.Errorf("stored result of job %s: %w", key.Short(), err)
	}
	if r.Machine.Info().Isolated && !rec.Run.Isolated {
		return rec, false, nil
	}
	unsound = r.verifyAll(ctx, rec)
	return rec, unsound == nil, unsound
}

// verifyAll reads every output. It does not stop at the first that is damaged: the store moves damaged content aside
// when it is read, and only then can it be put again.
func (r *runner) verifyAll(ctx context.Context, rec *record) error {
	var first error
	for _, o := range rec.Outputs {
		if o.Digest.IsZero() {
			continue
		}
		if err := r.verify(ctx, o.Digest); err != nil && first == nil {
			first = fmt.Errorf("stored output %q: %w", o.Path, err)
		}
	}
	return first
}

// verify reads content to its end, which is when the store finds out whether it is what it should be.
func (r *runner) verify(ctx context.Context, d digest.Digest) error {
	content, err := r.Blobs.Open(ctx, d)
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(io.Discard, content)
	return err
}

// remember stores a result for the next time. A result of an isolated machine is not replaced by one that says less.
func (r *runner) remember(ctx context.Context, w *work, rec *record) error {
	if w.stored != nil && w.stored.Run.Isolated && !rec.Run.Isolated {
		return nil
	}
	text, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	return r.Actions.Record(ctx, w.key, text)
}

// checkStored checks a stored result as if it had been made now, and writes down its run where the ledger was lost.
func (r *runner) checkStored(ctx context.Context, w *work) error {
	if err := r.check(ctx, w, w.stored); err != nil {
		return err
	}
	_, known, err := r.Ledger.Last(ctx, w.key)
	if err == nil && !known {
		err = r.Ledger.Append(ctx, w.stored.Run)
	}
	if err != nil {
		return fmt.Errorf("stage %q: %w", w.Name, err)
	}
	return nil
}
