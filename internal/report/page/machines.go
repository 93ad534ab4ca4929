// SPDX-License-Identifier: MIT

package page

import (
	"slices"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/report"
)

// comparison tells of the latest comparison of machines, and whether it is of what the stages' runs made.
func (g *gatherer) comparison(stages []Stage) *Comparison {
	if g.Comparison == nil {
		return nil
	}
	c := &Comparison{Comparison: report.NewComparison(*g.Comparison)}
	compared := map[string]digest.Digest{}
	for _, row := range c.Stages {
		for i, m := range c.Machines {
			if m.Name == row.Against {
				compared[row.Name] = row.Cells[i].Outputs
			}
		}
	}
	for _, s := range stages {
		var exports []ledger.File
		for _, f := range s.Files {
			if f.Export {
				exports = append(exports, ledger.File{Name: f.Name, Digest: f.Digest})
			}
		}
		if s.Made && compared[s.Name] != ledger.Sum(exports) {
			c.Outdated = append(c.Outdated, s.Name)
		}
	}
	return c
}

// findings say what the comparison shows.
func (c Comparison) findings() []finding {
	all := []finding{{good, "machines compared: " + c.Headline()}}
	if !c.Verdict.Agree() || c.Verdict.Unequal > 0 {
		all[0].Mark = bad
	}
	if len(c.Outdated) > 0 {
		all = append(all, finding{open, "not compared between machines, as they are now: " + enumerate(c.Outdated, 6)})
	}
	return all
}

// Known tells whether the page has a stage of a name.
func (v view) Known(stage string) bool {
	return slices.ContainsFunc(v.Stages, func(s Stage) bool { return s.Name == stage })
}

// cellMark is what a cell means.
func cellMark(c ledger.Cell) mark {
	switch c.State() {
	case ledger.IsSame:
		return good
	case ledger.NotRun, ledger.Alone:
		return open
	}
	return bad
}
