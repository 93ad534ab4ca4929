// SPDX-License-Identifier: MIT

package seedlang

import "strings"

// wordKind sorts the words of a text by how they are written.
type wordKind uint8

const (
	endOfText  wordKind = iota
	plain               // a run of bytes up to a blank
	quoted              // "TEXT", of M0 and M1pp; the word's text is what stands between the quotes
	expression          // (OP A B), of M1pp; the word's text is the whole of it
)

type word struct {
	text string
	kind wordKind
	pos  Position
}

// words is a sequence of words that ends with words of kind endOfText.
type words interface {
	next() (word, error)
}

// lexer cuts sources into words.
type lexer struct {
	macros, exprs, comma bool // what the language has: strings, expressions, the comma as a blank
	sources              []Source
	text                 string
	off                  int
	pos                  Position
}

func newLexer(lang Lang, sources []Source) (*lexer, error) {
	for i, s := range sources {
		start := Position{File: s.Name, Line: 1, Column: 1}
		if len(s.Text) > maxSource {
			return nil, &Error{start, "the text is longer than the limit of 256 MiB"}
		}
		if i < len(sources)-1 && len(s.Text) > 0 && s.Text[len(s.Text)-1] != '\n' {
			return nil, &Error{start, "the text is followed by another one and does not end with a newline"}
		}
	}
	l := &lexer{macros: lang == M0 || lang == M1pp, exprs: lang == M1pp, comma: lang != Hex0, sources: sources}
	l.open()
	return l, nil
}

// open goes on to the next source; it tells whether there is one.
func (l *lexer) open() bool {
	if len(l.sources) == 0 {
		return false
	}
	s := l.sources[0]
	l.sources = l.sources[1:]
	l.text, l.off, l.pos = string(s.Text), 0, Position{File: s.Name, Line: 1, Column: 1}
	return true
}

// advance passes over a byte.
func (l *lexer) advance() {
	l.pos.Column++
	if l.text[l.off] == '\n' {
		l.pos.Line++
		l.pos.Column = 1
	}
	l.off++
}

func (l *lexer) errorf(format string, args ...any) error {
	return origin{pos: l.pos}.errorf(format, args...)
}

func (l *lexer) blank(c byte) bool { return c <= ' ' || c == ',' && l.comma }

// blanks are the bytes that a text should have between its words; the comma is none in hex0.
const blanks = " \t\n,"

func comment(c byte) bool { return c == '#' || c == ';' }

// next reads a word.
func (l *lexer) next() (word, error) {
	if err := l.space(); err != nil {
		return word{}, err
	}
	if l.off == len(l.text) {
		if l.open() {
			return l.next()
		}
		return word{pos: l.pos}, nil
	}
	switch c := l.text[l.off]; {
	case c == '"' && l.macros:
		return l.quoted()
	case c == '(' && l.exprs:
		return l.expression()
	}
	return l.plain()
}

// space passes over blanks and comments.
func (l *lexer) space() error {
	for l.off < len(l.text) {
		switch c := l.text[l.off]; {
		case comment(c):
			if err := l.comment(); err != nil {
				return err
			}
		case l.blank(c):
			if strings.IndexByte(blanks, c) < 0 {
				return l.errorf("byte %#02x is no blank that a text should have", c)
			}
			l.advance()
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) comment() error {
	for l.off < len(l.text) && l.text[l.off] != '\n' {
		if l.text[l.off] >= 0x7F {
			return l.errorf("byte %#02x is not ASCII", l.text[l.off])
		}
		l.advance()
	}
	return nil
}

func (l *lexer) plain() (word, error) {
	w := word{kind: plain, pos: l.pos}
	start := l.off
	for l.off < len(l.text) {
		c := l.text[l.off]
		if l.blank(c) || comment(c) {
			break
		}
		if c >= 0x7F {
			return word{}, l.errorf("byte %#02x is not ASCII", c)
		}
		if l.macros && strings.IndexByte(`"()`, c) >= 0 {
			return word{}, l.errorf("%q within a word", c)
		}
		l.advance()
	}
	w.text = l.text[start:l.off]
	return w, nil
}

// quoted reads a string, which may go on over lines.
func (l *lexer) quoted() (word, error) {
	w := word{kind: quoted, pos: l.pos}
	l.advance()
	n := strings.IndexByte(l.text[l.off:], '"')
	if n < 0 {
		return word{}, origin{pos: w.pos}.errorf("the string does not end")
	}
	w.text = l.text[l.off : l.off+n]
	for range n + 1 {
		l.advance()
	}
	return w, l.delimited(w)
}

// expression reads up to the parenthesis that closes the first one.
func (l *lexer) expression() (word, error) {
	w := word{kind: expression, pos: l.pos}
	var text strings.Builder
	for depth := 0; l.off < len(l.text); {
		c, before := l.text[l.off], l.pos
		if comment(c) {
			return word{}, l.errorf("a comment within an expression")
		}
		if strings.IndexByte(blanks, c) >= 0 {
			text.WriteByte(' ')
			l.advance()
			continue
		}
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '"' || c < ' ' || c >= 0x7F:
			return word{}, origin{pos: before}.errorf("%q within an expression", c)
		}
		text.WriteByte(c)
		l.advance()
		if depth == 0 {
			w.text = text.String()
			return w, l.delimited(w)
		}
		if depth > maxDepth {
			return word{}, origin{pos: before}.errorf("more than %d parentheses are open", maxDepth)
		}
	}
	return word{}, origin{pos: w.pos}.errorf("the expression does not end")
}

// delimited wants a blank or a comment after a string or an expression.
func (l *lexer) delimited(w word) error {
	if l.off < len(l.text) && !l.blank(l.text[l.off]) && !comment(l.text[l.off]) {
		return l.errorf("want a blank between the word that starts at %d:%d and this one", w.pos.Line, w.pos.Column)
	}
	return nil
}

// hexDigit is the value of a hexadecimal digit, or -1.
func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
