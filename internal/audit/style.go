// SPDX-License-Identifier: MIT

package audit

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

const (
	licence    = "SPDX-License-Identifier: MIT"
	maxColumns = 80
	tabWidth   = 8
)

// isText tells by its extension whether a file of the seed is a text whose style is checked.
func isText(name string) bool { return language(name) != "" }

// language names the language of a text by its file's extension; "" where it is none of the chain's.
func language(name string) string {
	switch ext := path.Ext(name); ext {
	case ".hex0", ".hex2", ".M1pp", ".P1":
		return strings.TrimPrefix(ext, ".")
	case ".c", ".h":
		return "C"
	case ".M0", ".M1":
		return "M0"
	case ".scm":
		return "Scheme"
	}
	return ""
}

// Style checks what all texts of the seed have in common: ASCII, lines of at most 80 columns that end with no blank, a
// licence in the first lines, a newline at the end.
func Style(text []byte) []Problem {
	var all []Problem
	add := func(line int, format string, args ...any) {
		all = append(all, Problem{Line: line, Text: fmt.Sprintf(format, args...)})
	}
	lines := bytes.Split(text, []byte("\n"))
	if last := len(lines); len(lines[last-1]) > 0 {
		add(last, "the last line does not end with a newline")
	}
	if !bytes.Contains(bytes.Join(lines[:min(3, len(lines))], nil), []byte(licence)) {
		add(1, "want %s in the first lines", licence)
	}
	for i, line := range lines {
		column := 0
		for _, c := range line {
			switch {
			case c == '\t':
				column += tabWidth - column%tabWidth - 1
			case c < ' ' || c > '~':
				add(i+1, "byte %#02x at column %d is not printable ASCII", c, column+1)
			}
			column++
		}
		if column > maxColumns {
			add(i+1, "%d columns; want %d at most", column, maxColumns)
		}
		if n := len(line); n > 0 && (line[n-1] == ' ' || line[n-1] == '\t') {
			add(i+1, "the line ends with a blank")
		}
	}
	return all
}
