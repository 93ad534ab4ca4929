// SPDX-License-Identifier: MIT

// Package chain climbs a chain of stages: it reads their definitions, plans their order, runs each on a machine or
// takes its stored result, and checks what came out against the expected digests.
//
// Definitions are written in Starlark; docs/chain-language.md is the specification. The package leaves out on purpose:
// loops, conditions and variables inside a stage (every value is resolved before the run, so that the same line can be
// walked in a container or by a kernel that has nothing else), the choice of a machine, and all printing.
package chain

import (
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/source"
)

// Plan is a chain for one architecture, checked, in an order in which it can be climbed. It is read-only.
type Plan struct {
	Chain   string  // the chain's name, for the ledger
	Arch    string  // Go's name of the architecture
	Stages  []Stage // every stage stands after all stages it takes inputs from
	Answers Answers // expected digests; empty where the chain has none for the architecture

	Distfiles []source.Distfile // all that are declared, in their order; no stage need use one

	texts map[string]Text // by path in the seed
}

// Text is a file of the seed, as it was when the plan was made.
type Text struct {
	Path    string // in the seed: "amd64/hex0.hex0"
	Bytes   []byte
	Digest  digest.Digest
	Program bool // a program rather than a text: runs as it is, and no lint can read it
}

// Stage is one rung of a chain: a straight-line program over a tree of named inputs.
type Stage struct {
	Name    string
	Pos     string  // where it is defined: "chain.star:12:6"
	Inputs  []Input // sorted by name
	Steps   []machine.Step
	Exports []string // paths in the job's tree, sorted
	Same    []Pair   // fixed points
	Limits  machine.Limits
	Calls   machine.Calls
	Says    string // the program of the last step, where what that prints is shown in the end; otherwise ""
	Product bool   // its exports are what people climb the chain for; of one stage at most
}

// Input puts a file, or a directory that another stage exports, into the tree of a job.
type Input struct {
	Name string // path in the job's tree
	From Ref
}

// Ref says where an input comes from.
type Ref struct {
	Stage    string // "" for the seed and for distfiles
	Distfile string // the name of one; "" for the seed and for stages
	Path     string // in the seed, of the stage's export, or in the distfile's tree, where "" is all of it
	Program  bool   // program("seed:..."): the input gets its execute permission
}

// seedPrefix marks a reference to a file of the seed.
const seedPrefix = "seed:"

// String is the reference as it stands in a definition and in the ledger: "seed:amd64/hex0.hex0", "boot0/hex0",
// "distfile:NAME/PATH".
func (r Ref) String() string {
	switch {
	case r.Distfile != "" && r.Path == "":
		return distfilePrefix + r.Distfile
	case r.Distfile != "":
		return distfilePrefix + r.Distfile + "/" + r.Path
	case r.Stage == "":
		return seedPrefix + r.Path
	}
	return r.Stage + "/" + r.Path
}

// parseRef reads the form that String gives.
func parseRef(s string) (Ref, bool) {
	if strings.HasPrefix(s, distfilePrefix) {
		return parseDistfileRef(s)
	}
	if p, ok := strings.CutPrefix(s, seedPrefix); ok {
		return Ref{Path: p}, cleanPath(p)
	}
	stage, p, ok := strings.Cut(s, "/")
	return Ref{Stage: stage, Path: p}, ok && stageName(stage) && cleanPath(p)
}

// Pair is a fixed point: two files of a stage, inputs or exports, that must have equal bytes.
type Pair struct{ A, B string }

// Stage finds a stage by its name.
func (p *Plan) Stage(name string) (Stage, bool) {
	for _, s := range p.Stages {
		if s.Name == name {
			return s, true
		}
	}
	return Stage{}, false
}

// Through is the plan as far as a stage: that and all it stands on. The error is a fault of kind NotFound.
func (p *Plan) Through(name string) (*Plan, error) {
	needed := map[string]bool{name: true}
	part := *p
	part.Stages = nil
	for _, s := range slices.Backward(p.Stages) {
		if !needed[s.Name] {
			continue
		}
		part.Stages = append(part.Stages, s)
		for _, below := range s.Below() {
			needed[below] = true
		}
	}
	if len(part.Stages) == 0 {
		var names []string
		for _, s := range p.Stages {
			names = append(names, s.Name)
		}
		return nil, fault.New(fault.NotFound, "chain %s has no stage %q", p.Chain, name).
			WithHint("its stages are: %s", strings.Join(names, ", "))
	}
	slices.Reverse(part.Stages)
	return &part, nil
}

// Product is the stage whose exports are what people climb the chain for.
func (p *Plan) Product() (Stage, bool) {
	for _, s := range p.Stages {
		if s.Product {
			return s, true
		}
	}
	return Stage{}, false
}

// Text finds a file of the seed that some stage takes.
func (p *Plan) Text(path string) (Text, bool) {
	t, ok := p.texts[path]
	return t, ok
}

// Programs lists the seed's binary programs in order of their paths: all that has to be trusted without being made.
func (p *Plan) Programs() []Text {
	var programs []Text
	for _, path := range sortedKeys(p.texts) {
		if t := p.texts[path]; t.Program {
			programs = append(programs, t)
		}
	}
	return programs
}
