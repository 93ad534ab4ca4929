// SPDX-License-Identifier: MIT

package seedlang

import "strings"

// CheckScheme reads a Scheme text as scheme1's reader does and says where it is not well formed: a parenthesis
// without its partner (at the one that was opened), a string or a block comment without an end, an unknown # word, a
// quote or a #; with nothing behind it, a dot where there can be none. It does not know what the words mean.
func CheckScheme(source Source) error {
	lex, err := newLexer(Hex0, []Source{source})
	if err != nil {
		return err
	}
	s := &schemeReader{lexer: lex}
	for {
		more, err := s.step()
		if err != nil || !more {
			return err
		}
	}
}

// schemeReader checks a text datum by datum with a stack of its own, so that depth costs no Go stack.
type schemeReader struct {
	*lexer
	open []schemeList
}

// schemeList is a list, vector or quote that is being read.
type schemeList struct {
	opener string // "(", "#(", "#u8(", or a prefix such as "'" that waits for one datum
	at     Position
	items  int
	dot    int // the number of items before a dot, plus one; 0 without a dot
}

// step reads one token; it tells whether there may be another one.
func (s *schemeReader) step() (more bool, err error) {
	if err := s.atmosphere(); err != nil {
		return false, err
	}
	at := origin{pos: s.pos}
	if s.off == len(s.text) {
		if n := len(s.open); n > 0 {
			return false, origin{pos: s.open[n-1].at}.errorf("%q has no partner", s.open[n-1].opener)
		}
		return false, nil
	}
	rest := s.text[s.off:]
	for _, opener := range []string{"(", "#(", "#u8(", "'", "`", ",@", ",", "#;"} {
		if strings.HasPrefix(rest, opener) {
			s.skip(len(opener))
			s.open = append(s.open, schemeList{opener: opener, at: at.pos})
			return true, nil
		}
	}
	switch {
	case rest[0] == ')':
		return true, s.close(at)
	case rest[0] == '"':
		return true, s.delimitedText('"', at)
	case rest[0] == '|':
		return true, s.delimitedText('|', at)
	case strings.HasPrefix(rest, `#\`):
		return true, s.character(at)
	}
	return true, s.atom(at)
}

func (s *schemeReader) skip(n int) {
	for range n {
		s.advance()
	}
}

// atmosphere passes over blanks, line comments and nested block comments.
func (s *schemeReader) atmosphere() error {
	for s.off < len(s.text) {
		rest := s.text[s.off:]
		switch {
		case rest[0] == ';':
			if err := s.comment(); err != nil {
				return err
			}
		case strings.HasPrefix(rest, "#|"):
			if err := s.block(); err != nil {
				return err
			}
		case strings.IndexByte(" \t\r\n\f", rest[0]) >= 0:
			s.advance()
		default:
			return nil
		}
	}
	return nil
}

func (s *schemeReader) block() error {
	at := origin{pos: s.pos}
	for depth := 0; s.off < len(s.text); {
		rest := s.text[s.off:]
		switch {
		case strings.HasPrefix(rest, "#|"):
			depth++
			s.skip(2)
		case strings.HasPrefix(rest, "|#"):
			depth--
			s.skip(2)
		default:
			s.advance()
		}
		if depth == 0 {
			return nil
		}
	}
	return at.errorf("the block comment does not end")
}

// close ends a list.
func (s *schemeReader) close(at origin) error {
	n := len(s.open)
	if n == 0 {
		return at.errorf("a parenthesis is closed that was not opened")
	}
	top := s.open[n-1]
	switch {
	case !strings.HasSuffix(top.opener, "("):
		return origin{pos: top.at}.errorf("%q has nothing behind it", top.opener)
	case top.dot > 0 && top.items != top.dot:
		return at.errorf("want one datum between a dot and the parenthesis")
	}
	s.skip(1)
	s.open = s.open[:n-1]
	s.datum()
	return nil
}

// datum counts a datum that was read; prefixes that wait for one are done, and a datum behind #; counts as nothing.
func (s *schemeReader) datum() {
	for n := len(s.open); n > 0; n = len(s.open) {
		top := &s.open[n-1]
		if strings.HasSuffix(top.opener, "(") {
			top.items++
			return
		}
		s.open = s.open[:n-1]
		if top.opener == "#;" {
			return
		}
	}
}

// delimitedText reads a string, or a symbol between bars.
func (s *schemeReader) delimitedText(delimiter byte, at origin) error {
	s.skip(1)
	for s.off < len(s.text) {
		switch s.text[s.off] {
		case delimiter:
			s.skip(1)
			s.datum()
			return nil
		case '\\':
			if err := s.escape(); err != nil {
				return err
			}
		default:
			s.advance()
		}
	}
	return at.errorf("the string or symbol does not end")
}

func (s *schemeReader) escape() error {
	at := origin{pos: s.pos}
	rest := s.text[s.off+1:]
	switch {
	case rest == "":
		s.skip(1)
	case rest[0] == 'x' || rest[0] == 'X':
		n := strings.IndexByte(rest, ';')
		if n < 2 || !hexDigits(rest[1:n]) {
			return at.errorf(`want \x, hex digits and a semicolon`)
		}
		s.skip(n + 2)
	case strings.IndexByte("abtnr\"\\|\n \t", rest[0]) < 0:
		return at.errorf("%q is not an escape", rest[:1])
	default:
		s.skip(2)
	}
	return nil
}

func hexDigits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 'f' || hexDigit(byte(r)) < 0 })
}

func (s *schemeReader) character(at origin) error {
	s.skip(2)
	if s.off == len(s.text) {
		return at.errorf("the character does not end")
	}
	start := s.off
	s.skip(1)
	s.rest()
	name := s.text[start:s.off]
	known := len(name) == 1 || name[0] == 'x' && hexDigits(name[1:])
	switch name {
	case "alarm", "backspace", "delete", "escape", "newline", "null", "return", "space", "tab":
		known = true
	}
	if !known {
		return at.errorf("%q is not the name of a character", clip(name))
	}
	s.datum()
	return nil
}

// rest passes over the bytes of a word.
func (s *schemeReader) rest() {
	for s.off < len(s.text) && strings.IndexByte(" \t\r\n\f()\";'`,|", s.text[s.off]) < 0 {
		s.advance()
	}
}

func (s *schemeReader) atom(at origin) error {
	start := s.off
	s.rest()
	text := s.text[start:s.off]
	for _, c := range []byte(text) {
		if c < ' ' || c >= 0x7F {
			return at.errorf("byte %#02x is not ASCII", c)
		}
	}
	switch {
	case text == ".":
		return s.point(at)
	case text[0] == '#' && !knownHash(text):
		return at.errorf("%q is not a word that starts with #", clip(text))
	}
	s.datum()
	return nil
}

func knownHash(text string) bool {
	switch text {
	case "#t", "#f", "#true", "#false":
		return true
	}
	return len(text) > 2 && strings.IndexByte("xXbBoOdD", text[1]) >= 0
}

func (s *schemeReader) point(at origin) error {
	n := len(s.open)
	if n == 0 || s.open[n-1].opener != "(" || s.open[n-1].items == 0 || s.open[n-1].dot > 0 {
		return at.errorf("a dot stands where there can be none")
	}
	s.open[n-1].dot = s.open[n-1].items + 1
	return nil
}
