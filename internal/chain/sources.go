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
	"github.com/rung-build/rung/internal/tree"
)

// Sources brings declared distfiles into the store that Options.Blobs is; *source.Fetcher does.
type Sources interface {
	// Fetch gives one result for each file, in their order. It asks no place for what the store has.
	Fetch(ctx context.Context, files ...source.Distfile) ([]source.Fetched, error)
}

// Source is a distfile as the stages of a climb see it.
type Source struct {
	source.Fetched
	Run ledger.Run // its line in the ledger
}

// fetching is the one fetch of a run, which goes on beside the stages that need no distfile.
type fetching struct {
	over chan struct{} // closed when the rest is known
	all  []Source      // in the order of their declarations
	err  error

	writing sync.Mutex // held from looking for a line in the ledger until it is there
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

// bring fetches distfiles, and writes down where they came from.
func (r *runner) bring(ctx context.Context, files ...source.Distfile) ([]Source, error) {
	fetched, err := r.Sources.Fetch(ctx, files...)
	if err != nil {
		return nil, err
	}
	all := make([]Source, len(fetched))
	for i, got := range fetched {
		run, err := r.writeDown(ctx, r.unpacking(got))
		if err != nil {
			return nil, fmt.Errorf("distfile %q: %w", got.Distfile.Name, err)
		}
		all[i] = Source{got, run}
	}
	return all, nil
}

// unpacking is the ledger's line of a distfile. What stands for a job is the declaration, in a chain
// for an architecture.
func (r *runner) unpacking(got source.Fetched) ledger.Run {
	d := got.Distfile
	declared := fmt.Appendf(nil, "rung unpack 2\nchain %s\narch %s\nname %s\nfile %v\ntree %v\nstrip %d\n",
		r.plan.Chain, r.plan.Arch, d.Name, d.File, d.Tree, d.Strip)
	return ledger.Run{
		Time: r.Now().UTC(), Chain: r.plan.Chain, Arch: r.plan.Arch, Stage: distfilePrefix + d.Name,
		Job: digest.Of(declared), Machine: "unpack", Version: "1", Isolated: true, Steps: [][]string{{"unpack", d.Name}},
		Inputs:   []ledger.File{{Name: d.Name, Digest: got.File, From: got.Place}},
		Distfile: &ledger.Distfile{File: d.File, Tree: d.Tree, Strip: d.Strip, Licence: d.Licence},
	}
}

// writeDown adds a distfile's line to the ledger, or gives the one that tells the same there.
func (r *runner) writeDown(ctx context.Context, run ledger.Run) (ledger.Run, error) {
	r.sources.writing.Lock()
	defer r.sources.writing.Unlock()
	last, known, err := r.Ledger.Last(ctx, run.Job)
	if err == nil && known && slices.Equal(last.Inputs, run.Inputs) {
		return last, nil
	}
	if err == nil {
		err = r.Ledger.Append(ctx, run)
	}
	if err != nil {
		return ledger.Run{}, err
	}
	return run, nil
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
	return moved(s.Tree, from, in.Name)
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
