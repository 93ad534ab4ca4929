// SPDX-License-Identifier: MIT

package chain

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/source"
)

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
func (p *planner) indexDistfiles(declared []source.Distfile) {
	if err := source.CheckAll(declared); err != nil {
		p.problems = append(p.problems, err)
	}
	for _, d := range declared {
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
	var all Stage
	for _, s := range p.Stages {
		all.Inputs = append(all.Inputs, s.Inputs...)
	}
	return p.distfiles(all)
}

// distfiles lists the distfiles that a stage takes inputs from.
func (p *Plan) distfiles(s Stage) []source.Distfile {
	takes := map[string]bool{}
	for _, in := range s.Inputs {
		takes[in.From.Distfile] = true
	}
	return slices.DeleteFunc(slices.Clone(p.Distfiles), func(d source.Distfile) bool { return !takes[d.Name] })
}
