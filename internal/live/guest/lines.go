// SPDX-License-Identifier: MIT

package guest

import (
	"bytes"
	"iter"
	"strings"
)

// maxLine is how much of a line is looked at, in bytes. Compilers are called with longer ones.
const maxLine = 4 << 10

// splitter makes lines of what a console shows. A carriage return is as good as the end of a line: curl draws its
// progress with it, and a serial console ends lines with both.
type splitter struct {
	held []byte
}

func (s *splitter) feed(p []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(p) > 0 {
			i := bytes.IndexAny(p, "\r\n")
			part := p
			if i >= 0 {
				part = p[:i]
			}
			room := maxLine - len(s.held)
			s.held = append(s.held, part[:min(len(part), room)]...)
			if i < 0 {
				return
			}
			p = p[i+1:]
			line := plain(s.held)
			s.held = s.held[:0]
			if line != "" && !yield(line) {
				return
			}
		}
	}
}

// rest is the line that is not at its end yet.
func (s *splitter) rest() string { return plain(s.held) }

// plain is a line without escape sequences, control characters and blanks at the end.
func plain(line []byte) string {
	var b strings.Builder
	escape := byte(0)
	for _, c := range line {
		switch {
		case escape == 0 && c == 0x1b:
			escape = 1
		case escape == 1: // ECMA-48: after "ESC [" numbers, up to a letter
			escape = 0
			if c == '[' {
				escape = 2
			}
		case escape == 2:
			if c >= '@' && c <= '~' {
				escape = 0
			}
		case c >= ' ' && c != 0x7f || c == '\t':
			b.WriteByte(c)
		}
	}
	return strings.ToValidUTF8(strings.TrimRight(b.String(), " \t"), "\uFFFD")
}
