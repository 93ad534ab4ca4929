// SPDX-License-Identifier: MIT

// Package audit checks the seed chain by means that share nothing with it.
//
// It assembles every text again with the reference assemblers of seedlang and compares the bytes with what the chain
// made; decodes the hex0 text of the seed binary by itself; disassembles hex0 and hex2 programs with golang.org/x/arch
// and compares each line with its comment; checks the style of the texts; and counts them. docs/audit.md specifies the
// conventions and says how to do the same by hand.
//
// It leaves out on purpose: running any program of the chain, and reading stores or ledgers. What was made is asked
// for through a function.
package audit

import (
	"bytes"
	"context"
	"path"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/seedlang"
)

// Artefact is what is known about an export of a stage.
type Artefact struct {
	SHA256 string // 64 lower-case hex digits
	Bytes  []byte // nil where only the digest is known
	From   string // where it is known from: "ledger", "answers"
}

// Made tells what the chain made as an export of a stage: everything that is known, in the order of trust; nothing
// where nothing is.
type Made func(ctx context.Context, stage, export string) ([]Artefact, error)

// Report is the outcome of an audit.
type Report struct {
	Arch     string    `json:"arch"`
	Seed     []Binary  `json:"seed"`
	Programs []Program `json:"programs"`
	Listings []Listing `json:"listings"`
	Texts    []string  `json:"texts"` // whose style was checked
	Problems []Problem `json:"problems"`
	mismatch bool
}

// Binary is a program that the chain starts from, compared with its text.
type Binary struct {
	Path   string `json:"path"`
	Text   string `json:"text"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
	Equal  bool   `json:"equal"`
}

// Program is an export of a stage, assembled again.
type Program struct {
	Stage  string   `json:"stage"`
	Name   string   `json:"name"`
	Texts  []string `json:"texts,omitempty"`  // that it is made of
	Size   int      `json:"size,omitempty"`   // bytes of what the reference assembler made
	SHA256 string   `json:"sha256,omitempty"` // of the same; "" where no reference assembler makes it
	Same   []string `json:"same"`             // what was compared and is equal: "ledger", "answers"
}

// Problem is something that the audit found wrong.
type Problem struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // 0 for the whole file
	Text string `json:"text"`
}

// Run audits a chain. The error speaks of what hindered the audit; what the audit found stands in the report.
func Run(ctx context.Context, c *Chain, made Made) (*Report, error) {
	a := &auditor{chain: c, report: &Report{
		Arch: c.Arch, Seed: []Binary{}, Programs: []Program{}, Listings: []Listing{}, Texts: []string{},
		Problems: []Problem{},
	}}
	a.binaries()
	if err := a.programs(ctx, made); err != nil {
		return nil, err
	}
	for _, text := range c.texts() {
		if !text.Program && isText(text.Path) {
			a.report.Texts = append(a.report.Texts, text.Path)
			a.problems(text.Path, Style(text.Bytes))
		}
		switch path.Ext(text.Path) {
		case ".hex0", ".hex2":
			a.listing(text.Text)
		case ".scm":
			if err := seedlang.Lint(text.Path, text.Bytes); err != nil {
				a.defects([]error{err})
			}
		}
	}
	return a.report, nil
}

// Err is nil where nothing was found wrong; else a fault of kind Mismatch.
func (r *Report) Err() error {
	switch {
	case len(r.Problems) == 0:
		return nil
	case r.mismatch:
		return fault.New(fault.Mismatch, "audit of the %s chain: %s, bytes that differ among them", r.Arch, r.found()).
			WithHint("each problem is listed above, by file and line")
	}
	return fault.New(fault.Mismatch, "audit of the %s chain: %s", r.Arch, r.found()).
		WithHint("each problem is listed above, by file and line; docs/audit.md has the conventions")
}

type auditor struct {
	chain  *Chain
	report *Report
}

func (a *auditor) problem(file string, line int, text string) {
	a.report.Problems = append(a.report.Problems, Problem{File: file, Line: line, Text: text})
}

func (a *auditor) problems(file string, all []Problem) {
	for _, p := range all {
		a.problem(file, p.Line, p.Text)
	}
}

// binaries compares the chain's binary programs with their texts: NAME-seed with NAME.hex0.
func (a *auditor) binaries() {
	for _, program := range a.chain.texts() {
		if program.Program {
			a.report.Seed = append(a.report.Seed, a.binary(program.Text))
		}
	}
}

func (a *auditor) binary(program Text) Binary {
	b := Binary{Path: program.Path, Text: textOf(program.Path), Size: len(program.Bytes)}
	b.SHA256 = hexDigest(program.Bytes)
	text, ok := a.chain.Texts[b.Text]
	if !ok {
		a.problem(program.Path, 0, "a binary without a text: the chain takes no "+b.Text)
		return b
	}
	decoded, err := DecodeHex0(text.Bytes)
	switch {
	case err != nil:
		a.problem(b.Text, 0, err.Error())
	case !bytes.Equal(decoded, program.Bytes):
		a.report.mismatch = true
		a.problem(program.Path, 0, "differs from "+b.Text+": "+a.firstDifference(text, decoded, program.Bytes))
	default:
		b.Equal = true
	}
	return b
}

// firstDifference says where the bytes of a text differ from others, and which line they come from.
func (a *auditor) firstDifference(text Text, want, got []byte) string {
	_, m, err := seedlang.Assemble(seedlang.Hex0, seedlang.Base, seedlang.Source{Name: text.Path, Text: text.Bytes})
	if err != nil {
		m = &seedlang.Map{Base: seedlang.Base}
	}
	return difference(want, got, m)
}

// listing compares a program's bytes with their comments.
func (a *auditor) listing(text Text) {
	l, problems := Disassemble(a.chain.Arch, text.Path, text.Bytes)
	a.problems(text.Path, problems)
	if l != nil {
		a.report.Listings = append(a.report.Listings, *l)
	}
}

func hexDigest(b []byte) string { return digest.Of(b).Hex() }
