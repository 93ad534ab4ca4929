// SPDX-License-Identifier: MIT

package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/seedlang"
)

// assembler says which program of a chain speaks which language.
func assembler(program string) (seedlang.Lang, bool) {
	switch name := strings.TrimSuffix(path.Base(program), "-seed"); name {
	case "hex0", "hex2", "M0", "hex2pp", "M1pp":
		return seedlang.Lang(name), true
	}
	return "", false
}

// file is a file of a stage as the reference assemblers see it.
type file struct {
	sources []seedlang.Source // its text, or the texts that a macro assembler is to expand
	macros  seedlang.Lang     // the macro assembler that has them; "" for the text itself
	bytes   []byte            // of a program
	m       *seedlang.Map
	texts   []string // the seed's texts that it is made of
}

// replay walks the steps of a chain's stages with reference assemblers in place of the chain's own.
type replay struct {
	chain *Chain
	files map[string]file // exports by STAGE/PATH
}

// stage gives the files of a stage after its steps. A step whose program is no assembler, or whose inputs are unknown,
// makes unknown files. The step of an error is told by its words.
func (r *replay) stage(s Stage) (map[string]file, []error) {
	files := map[string]file{}
	for _, in := range s.Inputs {
		if in.Stage != "" {
			if f, ok := r.files[in.Stage+"/"+in.Path]; ok {
				files[in.Name] = f
			}
			continue
		}
		if text, ok := r.chain.Texts[in.Path]; ok {
			source := seedlang.Source{Name: text.Path, Text: text.Bytes}
			files[in.Name] = file{sources: []seedlang.Source{source}, bytes: text.Bytes, texts: []string{text.Path}}
		}
	}
	var errs []error
	for _, step := range s.Steps {
		if err := r.step(files, step); err != nil {
			errs = append(errs, err)
		}
	}
	for _, name := range s.Exports {
		if f, ok := files[name]; ok {
			r.files[s.Name+"/"+name] = f
		}
	}
	return files, errs
}

// step replays PROGRAM INPUT... OUTPUT.
func (r *replay) step(files map[string]file, argv []string) error {
	lang, ok := assembler(argv[0])
	args, base, err := baseOption(argv[1:])
	if !ok || len(args) < 2 || err != nil {
		return err
	}
	output := path.Clean(args[len(args)-1])
	delete(files, output)
	var inputs []file
	for _, name := range args[:len(args)-1] {
		in, ok := files[path.Clean(name)]
		if !ok {
			return nil
		}
		inputs = append(inputs, in)
	}
	out, err := assemble(lang, base, inputs)
	if err == nil {
		files[output] = out
	}
	return err
}

// baseOption takes hex2pp's -B ADDRESS.
func baseOption(args []string) ([]string, uint64, error) {
	if len(args) < 2 || args[0] != "-B" {
		return args, seedlang.Base, nil
	}
	base, err := seedlang.ParseNumber(args[1])
	if err != nil {
		return nil, 0, fmt.Errorf("-B: %w", err)
	}
	return args[2:], base, nil
}

func assemble(lang seedlang.Lang, base uint64, inputs []file) (file, error) {
	var out file
	for _, in := range inputs {
		out.texts = append(out.texts, in.texts...)
	}
	if lang == seedlang.M0 || lang == seedlang.M1pp {
		sources, err := plainSources(inputs)
		out.sources, out.macros = sources, lang
		return out, err
	}
	whole := map[seedlang.Lang]seedlang.Lang{seedlang.Hex2: seedlang.M0, seedlang.Hex2pp: seedlang.M1pp}[lang]
	sources := inputs[0].sources
	if len(inputs) == 1 && whole != "" && inputs[0].macros == whole {
		lang = whole // one pass from the macros to the bytes, so that the map knows the text's lines
	} else {
		var err error
		if sources, err = plainSources(inputs); err != nil {
			return file{}, err
		}
	}
	var err error
	out.bytes, out.m, err = seedlang.Assemble(lang, base, sources...)
	if err != nil {
		return file{}, err
	}
	out.sources = []seedlang.Source{{Name: "program", Text: out.bytes}}
	return out, nil
}

// plainSources gives the texts of files, expanded where they are not yet.
func plainSources(inputs []file) ([]seedlang.Source, error) {
	var all []seedlang.Source
	for _, in := range inputs {
		if in.macros == "" {
			all = append(all, in.sources...)
			continue
		}
		text, err := seedlang.Expand(in.macros, in.sources...)
		if err != nil {
			return nil, err
		}
		all = append(all, seedlang.Source{Name: "expanded", Text: text})
	}
	return all, nil
}

// programs assembles what the stages export and compares it with what the chain made.
func (a *auditor) programs(ctx context.Context, made Made) error {
	r := &replay{chain: a.chain, files: map[string]file{}}
	for _, s := range a.chain.Stages {
		files, errs := r.stage(s)
		a.defects(errs)
		for _, pair := range s.Same {
			left, right := files[pair[0]], files[pair[1]]
			if left.bytes != nil && right.bytes != nil && !bytes.Equal(left.bytes, right.bytes) {
				a.report.mismatch = true
				a.problem(s.Name+"/"+pair[0], 0, "should equal "+pair[1]+", but by the reference assembler "+
					difference(left.bytes, right.bytes, left.m))
			}
		}
		for _, name := range s.Exports {
			if err := a.export(ctx, s.Name, name, files[name], made); err != nil {
				return err
			}
		}
	}
	return nil
}

// defects lists errors of the reference assemblers, each once.
func (a *auditor) defects(errs []error) {
	for _, err := range errs {
		var e *seedlang.Error
		p := Problem{Text: err.Error()}
		if errors.As(err, &e) {
			p = Problem{File: e.Pos.File, Line: int(e.Pos.Line), Text: e.Text}
		}
		if !slices.Contains(a.report.Problems, p) {
			a.report.Problems = append(a.report.Problems, p)
		}
	}
}

// export compares one export with everything that is known of it.
func (a *auditor) export(ctx context.Context, stage, name string, f file, made Made) error {
	p := Program{Stage: stage, Name: name, Texts: f.texts, Same: []string{}}
	if f.bytes != nil {
		p.Size, p.SHA256 = len(f.bytes), hexDigest(f.bytes)
	}
	artefacts, err := made(ctx, stage, name)
	if err != nil {
		return fmt.Errorf("%s/%s: %w", stage, name, err)
	}
	for _, known := range artefacts {
		switch {
		case f.bytes == nil:
		case known.SHA256 == p.SHA256:
			p.Same = append(p.Same, known.From)
		default:
			a.report.mismatch = true
			a.problem(stage+"/"+name, 0, mismatch(f, p, known))
		}
	}
	a.report.Programs = append(a.report.Programs, p)
	return nil
}

func mismatch(f file, p Program, known Artefact) string {
	s := fmt.Sprintf("sha256 is %s by the reference assembler; %s has %s", p.SHA256, known.From, known.SHA256)
	if known.Bytes != nil {
		s += ": " + difference(f.bytes, known.Bytes, f.m)
	}
	return s
}

// difference says where bytes differ from those that a text should give, and where in the text they come from.
func difference(want, got []byte, m *seedlang.Map) string {
	n := 0
	for n < len(want) && n < len(got) && want[n] == got[n] {
		n++
	}
	switch {
	case n == len(want) && n == len(got):
		return "equal"
	case n == len(want):
		return fmt.Sprintf("%d bytes more than the text's %d", len(got)-n, n)
	}
	s := fmt.Sprintf("first differing offset %d", n)
	if n == len(got) {
		s = fmt.Sprintf("ends at offset %d of %d", n, len(want))
	}
	if m != nil {
		s += fmt.Sprintf(" (%s)", m.Describe(m.Base+uint64(n)))
	}
	return s
}
