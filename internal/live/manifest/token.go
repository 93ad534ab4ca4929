// SPDX-License-Identifier: MIT

package manifest

import (
	"strings"
	"unicode/utf8"
)

// maxToken is the length of the longest field in bytes: the guest has 64 for each, with the NUL, and does not check.
const maxToken = 63

// endByte is taken for the end of the file by the guest where its characters are signed.
const endByte = 0xFF

// token is a field of a line; empty between two spaces.
type token struct {
	text   string
	column int
}

// line is a line with at least one token.
type line struct {
	number int
	tokens []token
	end    int // the column after what was read, where something is missing
}

// tokenize splits a text into lines and fields as the guest does: each single space ends a field, a '#' anywhere begins
// a comment, and one space before the end of the line or the comment is nothing.
func (p *parser) tokenize(text string) []line {
	lines := make([]line, 0, strings.Count(text, "\n")+1)
	all := make([]token, 0, len(text)/8)
	for number := 1; text != ""; number++ {
		raw, rest, _ := strings.Cut(text, "\n")
		text = rest
		p.line = number
		if i := strings.IndexByte(raw, endByte); i >= 0 {
			p.problems.add(p.at(i+1), Error, "a byte 0xFF: the guest takes it for the end of the manifest\n"+
				"remove the byte")
			raw, text = raw[:i], ""
		} else if !utf8.ValidString(raw) {
			p.problems.add(p.at(1), Error, "the line is no UTF-8: rootfs.py ends at it\nwrite ASCII")
		}
		if i := strings.IndexByte(raw, '#'); i == 0 || raw == "" {
			continue
		} else if i > 0 {
			raw = raw[:i]
		}
		from := len(all)
		all = p.fields(all, raw)
		lines = append(lines, line{number: number, tokens: all[from:len(all):len(all)], end: len(raw) + 1})
	}
	return lines
}

// fields appends the fields of a line without its comment.
func (p *parser) fields(tokens []token, raw string) []token {
	column := 1
	for {
		field, rest, more := strings.Cut(raw, " ")
		tokens = append(tokens, token{p.field(field, column), column})
		if !more || rest == "" {
			return tokens
		}
		column += len(field) + 1
		raw = rest
	}
}

// field checks a field, and gives what the guest's strings hold of it.
func (p *parser) field(field string, column int) string {
	if len(field) > maxToken {
		p.problems.stop(p.at(column), "%.20q... has %d bytes: the guest holds %d and does not check\n"+
			"use a shorter name",
			field, len(field), maxToken)
	}
	for i := 0; i < len(field); i++ {
		switch c := field[i]; {
		case c == '\r' && i == len(field)-1:
			p.problems.add(p.at(column+i), Error, "a carriage return before the line feed: for the guest it belongs to %q\n"+
				"end lines with a line feed alone", field[:i])
		case c == '\t':
			p.problems.add(p.at(column+i), Error, "a tab: for the guest it belongs to %q\n"+
				"separate fields with single spaces", field)
		case c < ' ' || c == 0x7F:
			p.problems.add(p.at(column+i), Error, "a control character 0x%02X in %q\nremove it", c, field)
		}
	}
	field, _, _ = strings.Cut(field, "\x00")
	return field
}
