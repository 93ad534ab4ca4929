// SPDX-License-Identifier: MIT

package page

import (
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
)

// New gathers a report. The error is a fault of kind NotFound where no stage of the plan has a run that ended well.
func New(m Material) (Report, error) {
	g := &gatherer{Material: m, runs: map[string][]ledger.Run{}, chosen: map[string]map[string]digest.Digest{}}
	for _, run := range m.Runs {
		if run.Chain == m.Plan.Chain && run.Arch == m.Plan.Arch && run.Failure == "" {
			g.runs[run.Stage] = append(g.runs[run.Stage], run)
		}
	}
	r := Report{
		Chain: m.Plan.Chain, Arch: m.Plan.Arch, Rung: m.Rung, Go: m.Go,
		Ledger: Ledger{Lines: m.Head.Lines, Digest: m.Head.Digest},
		Seed:   []File{}, Stages: []Stage{}, Sources: []Source{}, Texts: slices.Concat([]Text{}, m.Texts),
	}
	for _, p := range m.Plan.Programs() {
		r.Seed = append(r.Seed, File{Name: p.Path, Digest: p.Digest})
	}
	for _, defined := range m.Plan.Stages {
		s := g.stage(defined)
		if s.Time.After(r.AsOf) {
			r.AsOf = s.Time
		}
		r.Stages = append(r.Stages, s)
	}
	r.Sources = g.sources()
	r.Comparison = g.comparison(r.Stages)
	r.Verdict = verdict(r.Stages)
	if r.Verdict.Made == 0 {
		return Report{}, fault.New(fault.NotFound, "the ledger has no run of chain %s for %s that ended well", r.Chain, r.Arch).
			WithHint("rung bootstrap climbs the chain")
	}
	return r, nil
}

// gatherer is a report on its way.
type gatherer struct {
	Material
	runs   map[string][]ledger.Run             // that ended well, by stage, the oldest first
	chosen map[string]map[string]digest.Digest // what each stage made in the run that stands for it, by name
}

// stage tells of one stage. Those below it are known already.
func (g *gatherer) stage(defined chain.Stage) Stage {
	s := Stage{Name: defined.Name, Exports: defined.Exports, Files: []Output{}, Same: []Same{}}
	run, outdated, ok := g.choose(defined)
	if !ok {
		s.Takes, s.Steps = g.defined(defined), argvs(defined)
		return s
	}
	s.Made, s.Outdated = true, outdated
	s.Time, s.Job, s.Log = run.Time, run.Job, run.Log
	s.Machine, s.Version, s.Isolated = run.Machine, run.Version, run.Isolated
	s.Wall, s.CPU, s.Memory, s.Steps = run.Wall, run.CPU, run.Memory, run.Steps
	s.Stored, s.Repeats = g.Stored[run.Job], g.repeats(run)
	s.Takes, s.Says = g.flows(run.Inputs), strings.TrimSpace(g.Said[run.Job])
	made := map[string]digest.Digest{}
	for _, out := range run.Outputs {
		made[out.Name] = out.Digest
		s.Files = append(s.Files, g.output(defined, out, len(outdated) == 0))
		if s.Files[len(s.Files)-1].Export {
			s.Bytes += out.Digest.Size()
		}
	}
	g.chosen[s.Name] = made
	for _, pair := range run.Same {
		s.Same = append(s.Same, Same{A: pair[0], B: pair[1], Digest: either(made, run.Inputs, pair)})
	}
	return s
}

// choose finds the run that stands for a stage.
func (g *gatherer) choose(s chain.Stage) (run ledger.Run, outdated []string, ok bool) {
	for i, r := range slices.Backward(g.runs[s.Name]) {
		why := g.outdated(s, r)
		if len(why) == 0 {
			return g.isolated(r), nil, true
		}
		if i == len(g.runs[s.Name])-1 {
			run, outdated, ok = r, why, true
		}
	}
	return run, outdated, ok
}

// isolated is the latest run of a job on a machine that isolates, where there is one that gave the same; else the run.
func (g *gatherer) isolated(run ledger.Run) ledger.Run {
	for _, r := range slices.Backward(g.runs[run.Stage]) {
		if r.Isolated && r.Job == run.Job && slices.Equal(r.Outputs, run.Outputs) {
			return r
		}
	}
	return run
}

// outdated tells what a stage takes or does now that it did not in a run. What it takes of distfiles is not looked at:
// their trees are known by digest only.
func (g *gatherer) outdated(s chain.Stage, run ledger.Run) []string {
	var why []string
	taken := map[string]digest.Digest{}
	for _, in := range run.Inputs {
		taken[in.Name] = in.Digest
	}
	for _, in := range s.Inputs {
		text, isText := g.Plan.Text(in.From.Path)
		if in.From.Stage == "" && in.From.Distfile == "" && isText && taken[in.Name] != text.Digest {
			why = append(why, in.From.String()+" has changed since")
		}
	}
	for _, in := range run.Inputs {
		stage, name, _ := strings.Cut(in.From, "/")
		if made, known := g.chosen[stage]; known && made[name] != in.Digest {
			why = append(why, in.From+" is made anew since")
		}
	}
	if !slices.EqualFunc(argvs(s), run.Steps, slices.Equal[[]string]) {
		why = append(why, "its steps have changed since")
	}
	return why
}

func argvs(s chain.Stage) [][]string {
	all := [][]string{}
	for _, step := range s.Steps {
		all = append(all, step.Argv)
	}
	return all
}

// repeats looks for other runs of a job.
func (g *gatherer) repeats(run ledger.Run) Repeats {
	var r Repeats
	for _, other := range g.runs[run.Stage] {
		if other.Job != run.Job {
			continue
		}
		r.Runs++
		r.Machines = append(r.Machines, other.Machine)
		r.Differ = r.Differ || !slices.Equal(other.Outputs, run.Outputs)
	}
	slices.Sort(r.Machines)
	r.Machines = slices.Compact(r.Machines)
	return r
}

// output compares what a stage made with the answers, which are those of the stage as it is now.
func (g *gatherer) output(s chain.Stage, f ledger.File, current bool) Output {
	o := Output{Name: f.Name, Digest: f.Digest}
	o.Export = slices.ContainsFunc(s.Exports, func(e string) bool { return f.Name == e || strings.HasPrefix(f.Name, e+"/") })
	if want, ok := g.Plan.Answers[s.Name+"/"+f.Name]; ok && o.Export && current {
		o.Answer = Unequal
		if want == f.Digest.Hex() {
			o.Answer = Equal
		}
	}
	return o
}

// either finds the bytes of a fixed point among what was made or taken.
func either(made map[string]digest.Digest, inputs []ledger.File, pair [2]string) digest.Digest {
	for _, name := range pair {
		if d, ok := made[name]; ok {
			return d
		}
	}
	for _, in := range inputs {
		if in.Name == pair[0] || in.Name == pair[1] {
			return in.Digest
		}
	}
	return digest.Digest{}
}

// sources tells of the distfiles that the plan declares.
func (g *gatherer) sources() []Source {
	all := []Source{}
	for _, d := range g.Plan.Distfiles {
		s := Source{Name: d.Name, Licence: d.Licence, File: d.File, Tree: d.Tree, Places: d.Places, Takers: []string{}}
		if f, ok := g.fetch(d.Name, d.File); ok {
			s.Fetched, s.Repacked = &f, f.File != d.File
		}
		for _, stage := range g.Plan.Stages {
			if slices.ContainsFunc(stage.Inputs, func(in chain.Input) bool { return in.From.Distfile == d.Name }) {
				s.Takers = append(s.Takers, stage.Name)
			}
		}
		all = append(all, s)
	}
	return all
}

// fetch finds what the ledger tells last of a distfile as it is declared now.
func (g *gatherer) fetch(name string, declared digest.Digest) (Fetch, bool) {
	for _, run := range slices.Backward(g.runs[distfilePrefix+name]) {
		if run.Distfile == nil || run.Distfile.File != declared || len(run.Inputs) == 0 {
			continue
		}
		return Fetch{Place: run.Inputs[0].From, File: run.Inputs[0].Digest}, true
	}
	return Fetch{}, false
}
