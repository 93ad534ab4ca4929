// SPDX-License-Identifier: MIT

package seedlang

import (
	"fmt"
	"path"
)

// Lint checks a text by itself, as far as its language lets it: texts named .hex0, .hex2, .M0 and .hex2pp are
// assembled, .scm texts are read. A text named .M1, .P1 or .M1pp may use macros and constants of another one; its
// words, its macros and the nesting of its conditions are checked, and LintProgram checks the rest.
func Lint(name string, text []byte) error {
	source := Source{Name: name, Text: text}
	switch ext := path.Ext(name); ext {
	case ".hex0", ".hex2", ".M0", ".hex2pp":
		_, _, err := Assemble(Lang(ext[1:]), Base, source)
		return err
	case ".M1", ".P1", ".M1pp":
		return lintMacros(source)
	case ".scm":
		return CheckScheme(source)
	}
	return fmt.Errorf("%s: no language of the seed chain has this extension", name)
}

// LintProgram checks a P1 program together with the macros of an architecture, or any texts that make a program.
func LintProgram(backend Source, program ...Source) error {
	_, _, err := Assemble(M1pp, Base, append([]Source{backend}, program...)...)
	return err
}

// lintMacros walks the words of a text without expanding them.
func lintMacros(source Source) error {
	lex, err := newLexer(M1pp, []Source{source})
	if err != nil {
		return err
	}
	e := newExpander(M1pp, nil)
	var ifs []lintIf
	for {
		w, err := lex.next()
		at := origin{pos: w.pos}
		switch {
		case err != nil:
			return err
		case w.kind == endOfText && len(ifs) > 0:
			return origin{pos: ifs[len(ifs)-1].at}.errorf("the if has no end")
		case w.kind == endOfText:
			return nil
		case w.kind != plain:
		case w.text == "macro":
			err = e.define(lex, at)
		case w.text == "if":
			ifs = append(ifs, lintIf{at: w.pos})
		case (w.text == "else" || w.text == "end") && len(ifs) == 0,
			w.text == "else" && ifs[len(ifs)-1].elsed:
			err = at.errorf("%q without a macro or an if before it", w.text)
		case w.text == "else":
			ifs[len(ifs)-1].elsed = true
		case w.text == "end":
			ifs = ifs[:len(ifs)-1]
		}
		if err != nil {
			return err
		}
	}
}

type lintIf struct {
	at    Position
	elsed bool
}
