// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Sources brings declared distfiles into the store that Options.Blobs is; *source.Fetcher does.
type Sources interface {
	// Fetch gives one result for each file, in their order. It asks no place for what the store has.
	Fetch(ctx context.Context, files ...source.Distfile) ([]source.Fetched, error)
}

// Source is a distfile as the stages of a climb see it.
type Source struct {
	source.Fetched            // its Tree is as it was unpacked
	Patched        tree.Tree  // the tree with the patches applied
	Run            ledger.Run // how it was unpacked and patched
}

// fetching is the one fetch of a run, which goes on beside the stages that need no distfile.
type fetching struct {
	over chan struct{} // closed when the rest is known
	all  []Source      // in the order of their declarations
	err  error

	patching sync.Mutex // held while a tree is patched, so that it is done, and written down, once
}

// fetch begins to fetch what the plan uses.
func (r *runner) fetch(ctx context.Context) {
	r.sources = &fetching{over: make(chan struct{})}
	used := r.plan.Used()
	if len(used) == 0 {
		close(r.sources.over)
		return
	}
	go func() {
		defer close(r.sources.over)
		if r.Sources == nil {
			r.sources.err = fault.New(fault.Internal, "the chain has distfiles, and nothing fetches them")
			return
		}
		r.sources.all, r.sources.err = r.bring(ctx, used...)
		if r.sources.err == nil {
			r.sources.err = r.checkTaken()
		}
	}()
}

// bring fetches distfiles and patches their trees. A tree that turns out damaged while it is patched is unpacked again.
func (r *runner) bring(ctx context.Context, files ...source.Distfile) ([]Source, error) {
	fetched, err := r.Sources.Fetch(ctx, files...)
	if err != nil {
		return nil, err
	}
	all := make([]Source, len(fetched))
	for i, got := range fetched {
		all[i], err = r.unpacked(ctx, got)
		if damaged(err) && ctx.Err() == nil {
			r.tell(StageHealing{Stage: distfilePrefix + got.Distfile.Name, Cause: err})
			var again []source.Fetched
			if again, err = r.Sources.Fetch(ctx, got.Distfile); err == nil {
				all[i], err = r.unpacked(ctx, again[0])
			}
		}
		if err != nil {
			return nil, fmt.Errorf("distfile %q: %w", got.Distfile.Name, err)
		}
	}
	return all, nil
}

// damaged tells that the store turned out not to have what it should, which can be put again.
func damaged(err error) bool {
	var corrupt *store.CorruptError
	var missing *store.MissingError
	return errors.As(err, &corrupt) || errors.As(err, &missing)
}

// unpacked patches a distfile's tree, or takes the patched files of an earlier time, which count only where the store
// has every byte of them. What is new is written down.
func (r *runner) unpacked(ctx context.Context, got source.Fetched) (Source, error) {
	r.sources.patching.Lock()
	defer r.sources.patching.Unlock()
	s := Source{Fetched: got, Run: r.unpacking(got)}
	rec, sound, unsound := r.recall(ctx, s.Run.Job)
	if ctx.Err() != nil {
		return Source{}, ctx.Err()
	}
	if unsound != nil {
		r.tell(StageHealing{Stage: s.Run.Stage, Cause: unsound})
	}
	if sound && !r.Rebuild && slices.Equal(rec.Run.Inputs, s.Run.Inputs) {
		s.Run = rec.Run
		_, known, err := r.Ledger.Last(ctx, s.Run.Job)
		if err == nil && !known {
			err = r.Ledger.Append(ctx, s.Run)
		}
		if err == nil {
			s.Patched, err = rec.over(got.Tree)
		}
		return s, err
	}
	begin := r.Now()
	patched, changed, err := source.ApplyPatches(ctx, r.Blobs, got.Tree, r.plan.patches[got.Distfile.Name]...)
	if err != nil {
		return Source{}, err
	}
	s.Patched, s.Run.Time, s.Run.Wall = patched, begin.UTC(), r.Now().Sub(begin)
	made := newRecord(changed)
	s.Run.Outputs = filesOf(changed)
	made.Run = s.Run
	if sound && slices.Equal(rec.Run.Inputs, s.Run.Inputs) && slices.Equal(rec.Run.Outputs, s.Run.Outputs) {
		s.Run = rec.Run // patched again for Rebuild, and nothing new to be told
		return s, nil
	}
	if err := r.Ledger.Append(ctx, s.Run); err != nil {
		return Source{}, err
	}
	return s, r.record(ctx, s.Run.Job, made)
}

// unpacking is the ledger's line of a distfile, as far as that is known before its tree is patched. What stands for a
// job is the declaration with the patches.
func (r *runner) unpacking(got source.Fetched) ledger.Run {
	d := got.Distfile
	key := digest.NewHasher()
	fmt.Fprintf(key, "rung unpack 1\nname %s\nfile %v\ntree %v\nstrip %d\n", d.Name, d.File, d.Tree, d.Strip)
	run := ledger.Run{
		Chain: r.plan.Chain, Arch: r.plan.Arch, Stage: distfilePrefix + d.Name, Machine: "unpack", Version: "1",
		Isolated: true, Steps: [][]string{{"unpack", d.Name}},
		Inputs:   []ledger.File{{Name: d.Name, Digest: got.File, From: got.Place}},
		Distfile: &ledger.Distfile{File: d.File, Tree: d.Tree, Strip: d.Strip, Licence: d.Licence},
	}
	for _, p := range r.plan.patches[d.Name] {
		text := r.plan.texts[p.Name]
		fmt.Fprintf(key, "patch %s %v\n", p.Name, text.Digest)
		run.Steps = append(run.Steps, append([]string{"patch", p.Name}, p.Files...))
		run.Inputs = append(run.Inputs, ledger.File{Name: p.Name, Digest: text.Digest, From: seedPrefix + p.Name})
	}
	run.Job = key.Digest()
	return run
}

// over is a tree with the record's files in place of its own.
func (r *record) over(t tree.Tree) (tree.Tree, error) {
	nodes := slices.Collect(t.Nodes())
	for i, n := range nodes {
		if content, ok := r.file(n.Path); ok {
			nodes[i].Content = content
		}
	}
	return tree.New(nodes...)
}

// needDistfiles waits for the distfiles, where a stage takes any.
func (r *runner) needDistfiles(ctx context.Context, s Stage) error {
	if len(r.plan.distfiles(s)) == 0 {
		return nil
	}
	select {
	case <-r.sources.over:
		return r.sources.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// supplyDistfiles sees to it that the store has what a stage takes from distfiles. That costs little where it has, and
// unpacks again what was found damaged and moved aside.
func (r *runner) supplyDistfiles(ctx context.Context, s Stage) error {
	files := r.plan.distfiles(s)
	if len(files) == 0 {
		return nil
	}
	if _, err := r.bring(ctx, files...); err != nil {
		return fmt.Errorf("stage %q: %w", s.Name, err)
	}
	return nil
}

// checkTaken wants every path that an input names to be in the tree of its distfile.
func (r *runner) checkTaken() error {
	var wrong []error
	for _, s := range r.plan.Stages {
		for _, in := range s.Inputs {
			if in.From.Distfile == "" {
				continue
			}
			if _, ok := r.fromDistfile(in); !ok {
				wrong = append(wrong, fmt.Errorf("%s: stage %q: input %q: distfile %q has no %q", s.Pos, s.Name, in.Name,
					in.From.Distfile, in.From.Path))
			}
		}
	}
	if len(wrong) > 0 {
		return fault.New(fault.Usage, "%w", errors.Join(wrong...))
	}
	return nil
}

// fromDistfile gives the nodes that an input takes from a distfile: a part of its tree, all of it below a directory of
// the input's name, or the file itself where it is used as it is.
func (r *runner) fromDistfile(in Input) ([]tree.Node, bool) {
	i := slices.IndexFunc(r.sources.all, func(s Source) bool { return s.Distfile.Name == in.From.Distfile })
	if i < 0 {
		return nil, false
	}
	s, from := r.sources.all[i], in.From.Path
	if from == "" && s.Distfile.Tree.IsZero() {
		from = s.Distfile.Name
	}
	return moved(s.Patched, from, in.Name)
}

// moved gives a node of a tree and all below it under another name; "" is the tree itself.
func moved(t tree.Tree, from, to string) ([]tree.Node, bool) {
	top := tree.Node{Kind: tree.Dir, Mode: 0o555}
	sub := t
	if from != "" {
		var ok bool
		if top, ok = t.Lookup(from); !ok {
			return nil, false
		}
		sub, _ = t.Sub(from) // empty for what is no directory
	}
	top.Path = to
	nodes := []tree.Node{top}
	for n := range sub.Nodes() {
		n.Path = to + "/" + n.Path
		nodes = append(nodes, n)
	}
	return nodes, true
}
