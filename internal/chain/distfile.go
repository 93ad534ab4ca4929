// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/tree"
)

// Sources brings declared distfiles into the store that Options.Blobs is; *source.Fetcher does.
type Sources interface {
	// Fetch gives one result for each file, in their order.
	Fetch(ctx context.Context, files ...source.Distfile) ([]source.Fetched, error)
}

// distfilePrefix marks a reference to a distfile.
const distfilePrefix = "distfile:"

// parseDistfileRef reads "distfile:NAME" and "distfile:NAME/PATH".
func parseDistfileRef(s string) (Ref, bool) {
	rest, ok := strings.CutPrefix(s, distfilePrefix)
	name, path, below := strings.Cut(rest, "/")
	return Ref{Distfile: name, Path: path}, ok && name != "" && (!below || cleanPath(path))
}

// distfile is distfile(name, size, sha256, licence, places, tree="", strip=0), by keyword only.
func (e *evaluator) distfile(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple,
	kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 0 {
		return nil, fmt.Errorf("distfile: takes keyword arguments only")
	}
	d := source.Distfile{Pos: t.CallFrame(1).Pos.String()}
	var size int64
	var sum, root string
	var places starlark.Iterable
	err := starlark.UnpackArgs("distfile", nil, kwargs, "name", &d.Name, "size", &size, "sha256", &sum,
		"licence", &d.Licence, "places", &places, "tree?", &root, "strip?", &d.Strip)
	if err != nil {
		return nil, err
	}
	if d.File, err = digest.FromHex(sum, size); err != nil {
		return nil, fmt.Errorf("distfile %q: sha256 and size: %w", d.Name, err)
	}
	if err := d.Tree.UnmarshalText([]byte(root)); err != nil {
		return nil, fmt.Errorf("distfile %q: tree: %w", d.Name, err)
	}
	if d.Places, err = stringsOf("places", places); err != nil {
		return nil, fmt.Errorf("distfile %q: %w", d.Name, err)
	}
	e.distfiles = append(e.distfiles, d)
	return starlark.None, nil
}

// indexDistfiles checks the declarations.
func (p *planner) indexDistfiles(files []source.Distfile) {
	if err := source.CheckAll(files); err != nil {
		p.problems = append(p.problems, err)
	}
	for _, d := range files {
		p.distfiles[d.Name] = d
	}
}

// checkDistfile finds what an input refers to. Whether a path is in the tree is known only once that was unpacked.
func (p *planner) checkDistfile(s Stage, in Input) {
	d, ok := p.distfiles[in.From.Distfile]
	switch {
	case !ok:
		p.problem(s, "input %q: there is no distfile %q", in.Name, in.From.Distfile)
	case d.Tree.IsZero() && in.From.Path != "":
		p.problem(s, "input %q: distfile %q is used as it is: it has no tree", in.Name, d.Name)
	}
}

// Used lists the distfiles that stages of the plan take inputs from, in the order of their declarations.
func (p *Plan) Used() []source.Distfile {
	var used []source.Distfile
	for _, d := range p.Distfiles {
		takes := func(in Input) bool { return in.From.Distfile == d.Name }
		if slices.ContainsFunc(p.Stages, func(s Stage) bool { return slices.ContainsFunc(s.Inputs, takes) }) {
			used = append(used, d)
		}
	}
	return used
}

// fetching is the one fetch of a run, which goes on beside the stages that need no distfile.
type fetching struct {
	over  chan struct{} // closed when the rest is known
	trees map[string]tree.Tree
	err   error
}

// fetch begins to fetch what the plan uses.
func (r *runner) fetch(ctx context.Context) {
	r.sources = &fetching{over: make(chan struct{}), trees: map[string]tree.Tree{}}
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
		got, err := r.Sources.Fetch(ctx, used...)
		for _, f := range got {
			r.sources.trees[f.Distfile.Name] = f.Tree
		}
		r.sources.err = err
	}()
}

// supplyDistfiles sees to it that the store has what a stage takes from distfiles. That costs little where it has, and
// unpacks again what was found damaged and moved aside.
func (r *runner) supplyDistfiles(ctx context.Context, s Stage) error {
	for _, d := range r.plan.Distfiles {
		if !slices.ContainsFunc(s.Inputs, func(in Input) bool { return in.From.Distfile == d.Name }) {
			continue
		}
		if _, err := r.Sources.Fetch(ctx, d); err != nil {
			return fmt.Errorf("stage %q: %w", s.Name, err)
		}
	}
	return nil
}

// needDistfiles waits for the distfiles, where a stage takes any.
func (r *runner) needDistfiles(ctx context.Context, s Stage) error {
	if !slices.ContainsFunc(s.Inputs, func(in Input) bool { return in.From.Distfile != "" }) {
		return nil
	}
	select {
	case <-r.sources.over:
		return r.sources.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unpacked gives the nodes that an input takes from a distfile: all of its tree below a directory of the input's name,
// a part of it, or the file itself where it is used as it is.
func (r *runner) unpacked(s Stage, in Input) ([]tree.Node, error) {
	name, from := in.From.Distfile, in.From.Path
	whole := r.sources.trees[name]
	if n, ok := whole.Lookup(name); from == "" && ok && r.plan.plainDistfile(name) {
		n.Path = in.Name
		return []tree.Node{n}, nil
	}
	var nodes []tree.Node
	if from == "" {
		nodes = append(nodes, tree.Node{Path: in.Name, Kind: tree.Dir, Mode: 0o555})
	}
	for n := range whole.Nodes() {
		switch {
		case from == "":
			n.Path = in.Name + "/" + n.Path
		case covers(n.Path)(from):
			n.Path = in.Name + n.Path[len(from):]
		default:
			continue
		}
		nodes = append(nodes, n)
	}
	if len(nodes) == 0 {
		return nil, fault.New(fault.Usage, "%s: stage %q: input %q: distfile %q has no %q", s.Pos, s.Name, in.Name, name,
			from)
	}
	return nodes, nil
}

// plainDistfile tells that a distfile is used as it is.
func (p *Plan) plainDistfile(name string) bool {
	return slices.ContainsFunc(p.Distfiles, func(d source.Distfile) bool { return d.Name == name && d.Tree.IsZero() })
}
