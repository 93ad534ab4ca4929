// SPDX-License-Identifier: MIT

package page

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/ledger"
)

const (
	seedPrefix     = "seed:"
	distfilePrefix = "distfile:"
)

// flows groups inputs by where they come from: the seed's programs, stages and distfiles in the order of the plan, and
// the texts last.
func (g *gatherer) flows(inputs []ledger.File) []Flow {
	all := []Flow{}
	for _, in := range inputs {
		kind, from := g.origin(in.From)
		i := slices.IndexFunc(all, func(f Flow) bool { return f.Kind == kind && f.From == from })
		if i < 0 {
			i = len(all)
			all = append(all, Flow{Kind: kind, From: from})
		}
		all[i].Files = append(all[i].Files, File{Name: in.Name, Digest: in.Digest, From: in.From})
		all[i].Bytes += in.Digest.Size()
	}
	slices.SortStableFunc(all, func(a, b Flow) int { return cmp.Compare(g.rank(a), g.rank(b)) })
	return all
}

// defined is what a stage that has no run will take, as far as that is known before.
func (g *gatherer) defined(s chain.Stage) []Flow {
	var inputs []ledger.File
	for _, in := range s.Inputs {
		f := ledger.File{Name: in.Name, From: in.From.String()}
		if text, ok := g.Plan.Text(in.From.Path); ok && strings.HasPrefix(f.From, seedPrefix) {
			f.Digest = text.Digest
		}
		if in.From.Stage != "" {
			f.Digest = g.chosen[in.From.Stage][in.From.Path]
		}
		inputs = append(inputs, f)
	}
	return g.flows(inputs)
}

// origin reads a reference.
func (g *gatherer) origin(ref string) (Kind, string) {
	if path, ok := strings.CutPrefix(ref, seedPrefix); ok {
		if text, known := g.Plan.Text(path); known && text.Program {
			return FromSeed, ""
		}
		return FromText, ""
	}
	first, _, _ := strings.Cut(ref, "/")
	if name, ok := strings.CutPrefix(first, distfilePrefix); ok {
		return FromDistfile, name
	}
	return FromStage, first
}

func (g *gatherer) rank(f Flow) int {
	const many = 1 << 20 // more stages or distfiles than any plan has
	switch f.Kind {
	case FromSeed:
		return 0
	case FromStage:
		for i, s := range g.Plan.Stages {
			if s.Name == f.From {
				return 1 + i
			}
		}
		return many
	case FromDistfile:
		for i, d := range g.Plan.Distfiles {
			if d.Name == f.From {
				return many + 1 + i
			}
		}
		return 2 * many
	}
	return 3 * many
}
