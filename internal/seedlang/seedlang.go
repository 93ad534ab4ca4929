// SPDX-License-Identifier: MIT

// Package seedlang holds reference assemblers for the languages of the seed chain: hex0, hex2, M0, hex2pp and M1pp.
// They check what the chain's own programs make; no artefact of the chain is ever made by them.
//
// The languages are specified in docs/seed-languages.md. The assemblers here share nothing with the programs under
// seed/ and are stricter: what the specification leaves open, such as a byte that does not belong in the language,
// they refuse.
//
// Left out on purpose: speed beyond a few million words a second, and recovery after a syntax error.
package seedlang

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// Lang is a language of the seed chain.
type Lang string

// The languages, from the lowest rung up. A text of hex0 is one of hex2, one of hex2 is one of M0 and of hex2pp, and
// one of either of these is one of M1pp; it gives the same bytes.
const (
	Hex0   Lang = "hex0"
	Hex2   Lang = "hex2"
	M0     Lang = "M0"
	Hex2pp Lang = "hex2pp"
	M1pp   Lang = "M1pp"
)

// Langs lists the languages, from the lowest rung up.
func Langs() []Lang { return []Lang{Hex0, Hex2, M0, Hex2pp, M1pp} }

// Base is the address of the first byte of a program where no other is asked for.
const Base = 0x400000

// Limits of a text; far beyond what a person can read, they end texts that would not end by themselves.
const (
	maxSource    = 1 << 28 // bytes of one source
	maxOutput    = 1 << 28 // bytes
	maxWords     = 1 << 17 // expanded, and wordsPerByte more for each byte of the text
	wordsPerByte = 64      // a P1 instruction of 12 bytes expands to some 20 words
	maxDepth     = 200     // macros within macros, and expressions within expressions
	maxProblems  = 20      // reported at once
)

// Source is one input text. Its name is for messages.
type Source struct {
	Name string
	Text []byte
}

// Assemble turns texts, read one after the other as if they were one, into the bytes of a program whose first byte
// has the address base. M0 texts are expanded and linked as hex2, M1pp texts as hex2pp. An error is an *Error, or
// several of them joined.
func Assemble(lang Lang, base uint64, sources ...Source) ([]byte, *Map, error) {
	if !slices.Contains(Langs(), lang) {
		return nil, nil, fmt.Errorf("language %q: want one of %v", lang, Langs())
	}
	l := newLinker(lang, base)
	if err := feed(lang, l, sources); err != nil {
		return nil, nil, err
	}
	return l.finish()
}

// Expand turns M0 texts into hex2 text, or M1pp texts into hex2pp text: one output line for each line with words.
// Errors are as those of Assemble; the expanded words themselves are not checked.
func Expand(lang Lang, sources ...Source) ([]byte, error) {
	if lang != M0 && lang != M1pp {
		return nil, fmt.Errorf("language %q: not a macro language", lang)
	}
	var p printer
	if err := feed(lang, &p, sources); err != nil {
		return nil, err
	}
	p.out.WriteByte('\n')
	return p.out.Bytes(), nil
}

// feed reads the texts, expands what there is to expand, and gives words and bytes to a sink.
func feed(lang Lang, to sink, sources []Source) error {
	lex, err := newLexer(lang, sources)
	if err != nil {
		return err
	}
	if lang == M0 || lang == M1pp {
		e := newExpander(lang, to)
		for _, s := range sources {
			e.words += wordsPerByte * len(s.Text)
		}
		return e.run(lex)
	}
	for {
		w, err := lex.next()
		if err != nil || w.kind == endOfText {
			return err
		}
		if err := to.word(w.text, origin{pos: w.pos}); err != nil {
			return err
		}
	}
}

// sink takes what remains of a text once macros are expanded.
type sink interface {
	word(text string, at origin) error
	bytes(b []byte, at origin) error
}

// printer is a sink that writes the words as text.
type printer struct {
	out  bytes.Buffer
	last Position
}

func (p *printer) word(text string, at origin) error {
	pos := at.outermost()
	switch {
	case p.out.Len() == 0:
	case pos.File == p.last.File && pos.Line == p.last.Line:
		p.out.WriteByte(' ')
	default:
		p.out.WriteByte('\n')
	}
	p.last = pos
	p.out.WriteString(text)
	if p.out.Len() > maxOutput {
		return at.errorf("the output is longer than %d bytes", maxOutput)
	}
	return nil
}

func (p *printer) bytes(b []byte, at origin) error {
	if len(b) == 0 {
		return nil
	}
	return p.word(fmt.Sprintf("%X", b), at)
}

// ParseNumber reads a decimal number, or a hexadecimal one behind 0x, of 64 bits.
func ParseNumber(s string) (uint64, error) {
	digits, base := s, 10
	if len(s) > 2 && s[:2] == "0x" {
		digits, base = s[2:], 16
	}
	for _, c := range []byte(digits) {
		if hexDigit(c) < 0 || base == 10 && c > '9' {
			return 0, fmt.Errorf("%q is not a number", s)
		}
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number of 64 bits", s)
	}
	return n, nil
}
