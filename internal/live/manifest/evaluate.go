// SPDX-License-Identifier: MIT

package manifest

import "github.com/rung-build/rung/internal/fault"

// Survivor is a directive that takes part in the scripts.
type Survivor struct {
	Directive
	Pass int // of a build: 1 + the number of earlier survivors of any kind with the same Arg; else 0
}

// Evaluation is a manifest under a configuration.
type Evaluation struct {
	Survivors []Survivor // in order, without defines
	Config    Config     // after all defines: what scripts are written with, and what bootstrap.cfg becomes
	Problems  Problems   // that show under this configuration only
}

// Evaluate gives the directives that survive under a configuration, as the guest's script generator does it: in order,
// so that a define counts for the lines below it. It fails with fault.Usage where the manifest has a problem that
// Stops. The configuration stays as it is.
func (m *Manifest) Evaluate(c Config) (*Evaluation, error) {
	if m.stops != nil {
		return nil, fault.New(fault.Usage, "%s: %s", m.stops.Pos, m.stops.Text).WithHint("%s", m.stops.Hint)
	}
	e := &Evaluation{Config: c, Survivors: make([]Survivor, 0, len(m.Directives))}
	passes := make(map[string]int, len(m.Directives))
	unset := map[string]bool{}
	for _, d := range m.Directives {
		e.unset(d.Formula, unset)
		e.unset(d.If, unset)
		if !d.If.Holds(e.Config) {
			continue
		}
		if d.Kind == Define {
			e.define(d)
			continue
		}
		s := Survivor{Directive: d}
		passes[d.Arg]++
		if d.Kind == Build {
			s.Pass = passes[d.Arg]
		}
		e.Survivors = append(e.Survivors, s)
	}
	return e, nil
}

// define sets a variable, and says where the guest's way to do so shows.
func (e *Evaluation) define(d Directive) {
	value := d.Value
	if d.Formula != nil {
		value = d.Formula.Result(e.Config)
	}
	switch {
	case len(e.Config) == 0:
		e.Problems.add(d.Pos, Warning, "bootstrap.cfg is empty: the guest writes %s twice, and no later define changes it\n"+
			"write the configuration on the host", d.Arg)
	case e.Config[0].Name == d.Arg:
		e.Problems.add(d.Pos, Warning, "%s is the first variable of bootstrap.cfg: predicates go on seeing %q, shells see %q\n"+
			"put another variable first", d.Arg, e.Config[0].Value, value)
	}
	e.Config = e.Config.Define(d.Arg, value)
}

// unset says, once for each name, where a predicate asks for a variable that has no value yet.
func (e *Evaluation) unset(q *Predicate, told map[string]bool) {
	for ; q != nil; q = q.Rest {
		if q.Op != "" && !told[q.Name] && !e.Config.Has(q.Name) {
			told[q.Name] = true
			e.Problems.add(q.Pos, Warning, "%s is not set here: it counts as the empty value\n"+
				"set it in bootstrap.cfg or above", q.Name)
		}
	}
}
