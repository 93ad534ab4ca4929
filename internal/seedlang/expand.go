// SPDX-License-Identifier: MIT

package seedlang

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
)

// expander reads M0 or M1pp.
type expander struct {
	lang   Lang
	to     sink
	consts map[string]int64
	macros map[string]*macro
	count  int // expansions so far
	words  int // that may still be expanded
}

type macro struct {
	name string
	args int
	body []word
	pos  Position
}

func newExpander(lang Lang, to sink) *expander {
	return &expander{lang: lang, to: to, words: maxWords, consts: map[string]int64{}, macros: map[string]*macro{}}
}

// run expands a whole text.
func (e *expander) run(in words) error {
	stop, err := e.block(in, nil, 0)
	if err == nil && stop.kind != endOfText {
		err = origin{pos: stop.pos}.errorf("%q without a macro or an if before it", stop.text)
	}
	return err
}

// block expands words up to an end or an else that is not its own, or the end of the text, and gives that word.
func (e *expander) block(in words, call *Call, depth int) (word, error) {
	for {
		w, err := in.next()
		if err != nil {
			return word{}, err
		}
		if w.kind == endOfText || w.kind == plain && (w.text == "end" || w.text == "else") {
			return w, nil
		}
		if e.words--; e.words < 0 {
			return word{}, origin{w.pos, call}.errorf("the text expands to more than %d words a byte", wordsPerByte)
		}
		if err := e.word(w, in, call, depth); err != nil {
			return word{}, err
		}
	}
}

// word expands a word and takes from in what belongs to it.
func (e *expander) word(w word, in words, call *Call, depth int) error {
	at := origin{w.pos, call}
	switch {
	case w.kind == quoted:
		return e.to.bytes([]byte(w.text), at)
	case w.kind == expression:
		return at.errorf("the expression %s stands where no number can", clip(w.text))
	case e.macros[w.text] != nil:
		return e.call(e.macros[w.text], in, at, depth)
	}
	switch w.text {
	case ".1", ".2", ".4", ".8":
		return e.number(int(w.text[1]-'0'), in, at)
	case "const":
		return e.constant(in, at)
	case "macro":
		return e.define(in, at)
	case "if":
		if e.lang == M1pp {
			return e.condition(in, at, depth)
		}
	}
	if strings.Contains(w.text, "$") {
		return at.errorf("%q: $ outside of a macro", clip(w.text))
	}
	return e.to.word(w.text, at)
}

// argument takes the word that must follow another one.
func (e *expander) argument(in words, of string, at origin) (word, error) {
	w, err := in.next()
	switch {
	case err != nil:
		return word{}, err
	case w.kind == endOfText:
		return word{}, at.errorf("%s wants another word, and there is none", of)
	case w.kind == quoted:
		return word{}, at.errorf("%s cannot take a string", of)
	case reserved(w.text):
		return word{}, at.errorf("%s wants another word, not %q", of, w.text)
	}
	return w, nil
}

func reserved(s string) bool {
	switch s {
	case "const", "macro", "if", "else", "end", ".1", ".2", ".4", ".8":
		return true
	}
	return false
}

func (e *expander) call(m *macro, in words, at origin, depth int) error {
	e.count++
	if depth >= maxDepth {
		return at.errorf("macro %s: more than %d expansions within each other", m.name, maxDepth)
	}
	call := &Call{Name: m.name, Pos: at.pos, Up: at.call}
	for range m.args {
		w, err := e.argument(in, "macro "+m.name, at)
		if err != nil {
			return err
		}
		call.Args = append(call.Args, w.text)
	}
	body := &bodyReader{words: m.body, call: call, unique: e.count}
	_, err := e.block(body, call, depth+1)
	return err
}

// number expands .1 and its like. The value must fit, as a signed or as an unsigned number.
func (e *expander) number(size int, in words, at origin) error {
	w, err := e.argument(in, "."+strconv.Itoa(size), at)
	if err != nil {
		return err
	}
	v, err := e.value(w.text, at)
	if err != nil {
		return err
	}
	if size < 8 && (v < math.MinInt64>>(64-8*size) || v >= 1<<(8*size)) {
		return at.errorf("%s: %d does not fit in %d bytes", clip(w.text), v, size)
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(v))
	return e.to.bytes(b[:size], at)
}

func (e *expander) constant(in words, at origin) error {
	name, err := e.argument(in, "const", at)
	if err != nil {
		return err
	}
	if err := e.free(name.text, "+-", at); err != nil {
		return err
	}
	sum, err := e.argument(in, "const "+name.text, at)
	if err != nil {
		return err
	}
	v, err := e.value(sum.text, at)
	if err != nil {
		return err
	}
	e.consts[name.text] = v
	return nil
}

// free tells that a name can be given to a constant or a macro.
func (e *expander) free(name, without string, at origin) error {
	if strings.IndexByte(":%&!@<>.(-+0123456789", name[0]) >= 0 || strings.ContainsAny(name, "$>"+without) {
		return at.errorf("%q is not a name that can be defined", clip(name))
	}
	if _, twice := e.consts[name]; twice {
		return at.errorf("%q is a constant already", clip(name))
	}
	if m := e.macros[name]; m != nil {
		return at.errorf("%q is a macro already, defined at %s", clip(name), m.pos)
	}
	return nil
}

func (e *expander) define(in words, at origin) error {
	if at.call != nil {
		return at.errorf("a macro is defined within a macro")
	}
	name, err := e.argument(in, "macro", at)
	if err != nil {
		return err
	}
	if err := e.free(name.text, "", at); err != nil {
		return err
	}
	n, err := e.argument(in, "macro "+name.text, at)
	if err != nil {
		return err
	}
	if len(n.text) != 1 || n.text[0] < '0' || n.text[0] > '9' {
		return at.errorf("macro %s: %q is not a number of arguments from 0 to 9", name.text, clip(n.text))
	}
	m := &macro{name: name.text, args: int(n.text[0] - '0'), pos: at.pos}
	if m.body, err = e.body(in, m); err != nil {
		return err
	}
	e.macros[m.name] = m
	return nil
}

// body reads a macro's words up to its end and checks what can be checked before it is used.
func (e *expander) body(in words, m *macro) ([]word, error) {
	open, elses := []word{{text: "macro"}}, []bool{true}
	var body []word
	for {
		w, err := in.next()
		at := origin{pos: w.pos}
		switch {
		case err != nil:
			return nil, err
		case w.kind == endOfText:
			return nil, origin{pos: m.pos}.errorf("macro %s has no end", m.name)
		case w.kind == plain && w.text == "macro":
			return nil, at.errorf("a macro is defined within macro %s", m.name)
		case w.kind == plain && w.text == "if" && e.lang == M1pp:
			open, elses = append(open, w), append(elses, false)
		case w.kind == plain && w.text == "else":
			if elses[len(elses)-1] {
				return nil, at.errorf("else without an if before it")
			}
			elses[len(elses)-1] = true
		case w.kind == plain && w.text == "end":
			open, elses = open[:len(open)-1], elses[:len(elses)-1]
			if len(open) == 0 {
				return body, nil
			}
		case w.kind != quoted:
			if err := e.dollars(w, m); err != nil {
				return nil, err
			}
		}
		body = append(body, w)
	}
}

// dollars checks that each $ in a word of a body names an argument.
func (e *expander) dollars(w word, m *macro) error {
	for rest := w.text; ; {
		_, after, ok := strings.Cut(rest, "$")
		if !ok {
			return nil
		}
		if after == "" || after[0] > byte('0'+m.args) || after[0] < '0' || after[0] == '0' && e.lang != M1pp {
			return origin{pos: w.pos}.errorf("%q: macro %s has %d arguments", clip(w.text), m.name, m.args)
		}
		rest = after[1:]
	}
}

// condition expands one of the bodies of an if.
func (e *expander) condition(in words, at origin, depth int) error {
	w, err := e.argument(in, "if", at)
	if err != nil {
		return err
	}
	v, err := e.value(w.text, at)
	if err != nil {
		return err
	}
	if depth >= maxDepth {
		return at.errorf("more than %d macros and ifs within each other", maxDepth)
	}
	var stop word
	if v == 0 {
		if stop, err = e.skip(in, at); err != nil {
			return err
		}
		if stop.text == "else" {
			stop, err = e.block(in, at.call, depth+1)
		}
	} else {
		if stop, err = e.block(in, at.call, depth+1); err != nil {
			return err
		}
		if stop.kind == plain && stop.text == "else" {
			stop, err = e.skip(in, at)
		}
	}
	switch {
	case err != nil:
		return err
	case stop.kind == endOfText:
		return at.errorf("the if has no end")
	case stop.text != "end":
		return origin{stop.pos, at.call}.errorf("a second else, for the if at %s", at.pos)
	}
	return nil
}

// skip passes over words up to the end or else of the if that they are in.
func (e *expander) skip(in words, at origin) (word, error) {
	for open := 0; ; {
		w, err := in.next()
		switch {
		case err != nil:
			return word{}, err
		case w.kind == endOfText:
			return word{}, at.errorf("the if has no end")
		case w.kind != plain:
		case w.text == "if" || w.text == "macro":
			open++
		case open == 0 && (w.text == "end" || w.text == "else"):
			return w, nil
		case w.text == "end":
			open--
		}
	}
}

// bodyReader reads the words of a macro's body with the arguments of a call put in.
type bodyReader struct {
	words  []word
	call   *Call
	unique int
}

func (b *bodyReader) next() (word, error) {
	if len(b.words) == 0 {
		return word{pos: b.call.Pos}, nil
	}
	w := b.words[0]
	b.words = b.words[1:]
	if w.kind == quoted || !strings.Contains(w.text, "$") {
		return w, nil
	}
	var text strings.Builder
	for i := 0; i < len(w.text); i++ {
		switch c := w.text[i]; {
		case c != '$':
			text.WriteByte(c)
			continue
		case w.text[i+1] == '0':
			text.WriteString(strconv.Itoa(b.unique))
		default:
			text.WriteString(b.call.Args[w.text[i+1]-'1'])
		}
		i++
		if text.Len() > 1<<16 {
			return word{}, origin{w.pos, b.call}.errorf("a word of more than 65536 bytes")
		}
	}
	w.text = text.String()
	if w.text[0] == '(' {
		w.kind = expression
	}
	return w, nil
}
