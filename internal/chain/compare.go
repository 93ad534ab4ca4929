// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Compare compares what machines made of a plan, each by itself: every stage with what the first machine that made it
// made, and that with the answers. Contents that differ are read from blobs, to find where; where one cannot be read,
// the offset is left open. Attempts name at least one machine; the error is that of ctx.
func Compare(ctx context.Context, blobs store.Blobs, plan *Plan, attempts []Attempt) (ledger.Comparison, error) {
	c := ledger.Comparison{Time: attempts[0].Begin.UTC(), Chain: plan.Chain, Arch: plan.Arch}
	for _, a := range attempts {
		c.Machines = append(c.Machines, ledger.ComparedMachine{Name: a.Machine.Name, Version: a.Machine.Version,
			Isolated: a.Machine.Isolated, Start: a.Start, Wall: a.Wall})
	}
	for _, s := range plan.Stages {
		c.Stages = append(c.Stages, compareStage(ctx, blobs, plan, s, attempts))
	}
	if ctx.Err() != nil {
		return ledger.Comparison{}, interrupted(ctx)
	}
	return c, nil
}

func compareStage(ctx context.Context, blobs store.Blobs, plan *Plan, s Stage, attempts []Attempt) ledger.ComparedStage {
	row := ledger.ComparedStage{Name: s.Name}
	var against *Done
	made := 0
	for _, a := range attempts {
		done, ok := a.Done[s.Name]
		if !ok {
			continue
		}
		if made++; against == nil {
			against, row.Against = &done, a.Machine.Name
			row.Artefacts = len(filesOf(done.Outputs))
			row.Answers = plan.answered(s, done.Outputs)
		}
	}
	for _, a := range attempts {
		cell := a.cell(plan, s)
		if done, ok := a.Done[s.Name]; ok {
			cell.Difference = firstDifference(ctx, blobs, done.Outputs, against.Outputs)
			cell.Same = made > 1 && cell.Difference == nil
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
}

// cell is what can be told of a stage without looking at other machines.
func (a Attempt) cell(plan *Plan, s Stage) ledger.Cell {
	if err, ok := a.Failed[s.Name]; ok {
		return ledger.Cell{Failure: strings.ReplaceAll(err.Error(), "\n", "; ")}
	}
	done, ok := a.Done[s.Name]
	if !ok {
		return ledger.Cell{Below: a.failedBelow(plan, s)}
	}
	return ledger.Cell{Outputs: ledger.Sum(filesOf(done.Outputs)), Kept: done.Hit, Wall: done.Run.Wall}
}

// failedBelow names the first stage that failed of those that a stage stands on, in the plan's order.
func (a Attempt) failedBelow(plan *Plan, s Stage) string {
	part, err := plan.Through(s.Name)
	if err != nil {
		return ""
	}
	for _, below := range part.Stages {
		if _, failed := a.Failed[below.Name]; failed {
			return below.Name
		}
	}
	return ""
}

// answered compares the exports of a stage with the answers.
func (p *Plan) answered(s Stage, outputs tree.Tree) ledger.Answers {
	var a ledger.Answers
	for _, artefact := range sortedKeys(p.Answers) {
		name, ok := strings.CutPrefix(artefact, s.Name+"/")
		if !ok {
			continue
		}
		a.Known++
		if n, ok := outputs.Lookup(name); ok && hexOf(n.Content) == p.Answers[artefact] {
			continue
		}
		if a.Unequal++; a.First == "" {
			a.First = name
		}
	}
	return a
}

// firstDifference finds the first path in which a tree differs from the one that is wanted; nil where there is none.
func firstDifference(ctx context.Context, blobs store.Blobs, got, want tree.Tree) *ledger.Difference {
	paths := map[string]bool{}
	for _, t := range []tree.Tree{got, want} {
		for n := range t.Nodes() {
			paths[n.Path] = true
		}
	}
	for _, path := range sortedKeys(paths) {
		g, made := got.Lookup(path)
		w, wanted := want.Lookup(path)
		d := ledger.Difference{Artefact: path, Offset: -1, Got: g.Content, Want: w.Content}
		switch {
		case !made:
			d.What = ledger.Missing
		case !wanted:
			d.What = ledger.Extra
		case g.Kind != w.Kind:
			d.What = ledger.Kind
		case g.Content != w.Content:
			d.What, d.Offset = bytesDiffer(ctx, blobs, g.Content, w.Content)
		case g.Mode != w.Mode:
			d.What = ledger.Mode
		case g.Target != w.Target:
			d.What = ledger.Target
		default:
			continue
		}
		return &d
	}
	return nil
}

// bytesDiffer finds where two contents part.
func bytesDiffer(ctx context.Context, blobs store.Blobs, got, want digest.Digest) (ledger.What, int64) {
	left, err := blobs.Open(ctx, got)
	if err != nil {
		return ledger.Bytes, -1
	}
	defer left.Close()
	right, err := blobs.Open(ctx, want)
	if err != nil {
		return ledger.Bytes, -1
	}
	defer right.Close()
	offset := difference(left, right)
	if offset == min(got.Size(), want.Size()) {
		return ledger.Length, offset
	}
	return ledger.Bytes, offset
}
