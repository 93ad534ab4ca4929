// SPDX-License-Identifier: MIT

package console

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// The bounds of what is remembered of a console.
const (
	maxTail = 40
	maxLine = 4 << 10
)

// lines cuts a stream into lines, and keeps the last of them.
type lines struct {
	current []byte   // the line that has not ended, less than maxLine bytes
	last    []string // those before it, at most maxTail, clean and not empty
}

// add takes the next bytes, and gives each line that ends in them to line. CR and LF both end a line; one that is too
// long goes on in the next, so that no flood without an end hides what comes after it.
func (l *lines) add(p []byte, line func(string)) {
	for len(p) > 0 {
		n := min(len(p), maxLine-len(l.current))
		if end := bytes.IndexAny(p[:n], "\r\n"); end >= 0 {
			n = end
		}
		l.current = append(l.current, p[:n]...)
		p = p[n:]
		switch {
		case len(l.current) == maxLine:
			l.end(line)
		case len(p) > 0:
			l.end(line)
			p = p[1:]
		}
	}
}

// end ends the current line.
func (l *lines) end(line func(string)) {
	text := clean(l.current)
	l.current = l.current[:0]
	if text == "" {
		return
	}
	if len(l.last) == maxTail {
		l.last = slices.Delete(l.last, 0, 1)
	}
	l.last = append(l.last, text)
	line(text)
}

// tail is a copy of the last lines, with the one that has not ended.
func (l *lines) tail() []string {
	all := slices.Clone(l.last)
	if text := clean(l.current); text != "" {
		all = append(all, text)
	}
	return all[max(0, len(all)-maxTail):]
}

// escape is a control sequence, a control string or a short escape sequence of ECMA-48, or as much as there is of one.
var escape = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?`)

// clean is a line as it can be shown anywhere.
func clean(line []byte) string {
	if bytes.IndexByte(line, '\x1b') >= 0 {
		line = escape.ReplaceAll(line, nil)
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(line), "\uFFFD"))
	return strings.TrimRight(clip(text, maxLine), " \t")
}

// clip is the text, or as much of its beginning as fits into n bytes.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}
