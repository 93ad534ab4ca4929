// SPDX-License-Identifier: MIT

package chain

import (
	"slices"
	"strings"
)

// order sorts stages so that each stands after those it takes inputs from, and otherwise as they are defined. Stages on
// a cycle are a problem.
func (p *planner) order(stages []Stage) []Stage {
	s := sorter{planner: p, seen: map[string]bool{}}
	for _, stage := range stages {
		s.visit(stage.Name)
	}
	return s.sorted
}

// sorter walks stages depth first.
type sorter struct {
	*planner
	seen   map[string]bool
	path   []string // the stages being visited, from the first to the one that needs the next
	sorted []Stage
}

func (s *sorter) visit(name string) {
	stage, ok := s.byName[name]
	if !ok {
		return
	}
	if i := slices.Index(s.path, name); i >= 0 {
		cycle := append(slices.Clone(s.path[i:]), name)
		s.problem(stage, "takes inputs that are made from its own exports: %s", strings.Join(cycle, " <- "))
		return
	}
	if s.seen[name] {
		return
	}
	s.seen[name] = true
	s.path = append(s.path, name)
	for _, below := range stage.Below() {
		s.visit(below)
	}
	s.path = s.path[:len(s.path)-1]
	s.sorted = append(s.sorted, stage)
}

// Below lists the stages whose exports the stage takes, sorted.
func (s Stage) Below() []string {
	var names []string
	for _, in := range s.Inputs {
		if in.From.Stage != "" {
			names = append(names, in.From.Stage)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
