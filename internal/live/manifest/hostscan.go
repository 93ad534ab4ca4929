// SPDX-License-Identifier: MIT

package manifest

import (
	"strings"
	"unicode"
)

// Scanned is a build line as the host's scripts read it: without predicates, so that all packages that any
// configuration builds are there.
type Scanned struct {
	Pos     Position // of the line
	Package string
}

// Cut is a place in a manifest at which a set of distfiles ends.
type Cut string

// The cuts, by the improvement that they are at.
const (
	Network       Cut = "get_network"    // from here on the guest can fetch
	ImportPayload Cut = "import_payload" // from here on the guest has the payload's distfiles
)

// hostLines calls a function for each line as a text file of Python has them: a carriage return ends a line too.
func (m *Manifest) hostLines(f func(pos Position, raw, stripped string) bool) {
	text := m.text
	for number := 1; text != ""; number++ {
		raw := text
		if i := strings.IndexAny(text, "\r\n"); i < 0 {
			text = ""
		} else {
			raw, text = text[:i], strings.TrimPrefix(text[i:], "\r")
			text = strings.TrimPrefix(text, "\n")
		}
		if !f(Position{m.file, number, 1}, raw, strings.TrimFunc(raw, pythonSpace)) {
			return
		}
	}
}

// pythonSpace is what Python's strip takes away: four separators of ASCII more than Unicode's white space.
func pythonSpace(r rune) bool { return 0x1C <= r && r <= 0x1F || unicode.IsSpace(r) }

// Scan gives the build lines as the host's scripts read them: those whose text, without blanks around it, begins with
// "build: ". The package is the second field of the whole line, up to a '#'; so it is wrong where blanks come first.
func (m *Manifest) Scan() []Scanned {
	var all []Scanned
	m.hostLines(func(pos Position, raw, stripped string) bool {
		if strings.HasPrefix(stripped, "build: ") {
			_, rest, _ := strings.Cut(raw, " ")
			field, _, _ := strings.Cut(rest, " ")
			name, _, _ := strings.Cut(field, "#")
			all = append(all, Scanned{pos, strings.TrimFunc(name, pythonSpace)})
		}
		return true
	})
	return all
}

// Cut gives the line at which a host of a generation cuts, and whether there is one. Of H that is the first line that
// begins with "improve: " and has "network" anywhere, even in a comment; it has no other cut. Of F1 and F2 it is the
// first improve of exactly the cut's name.
func (m *Manifest) Cut(c Cut, g Generation) (Position, bool) {
	var at Position
	if g == H && c != Network {
		return at, false
	}
	m.hostLines(func(pos Position, raw, stripped string) bool {
		if rest, ok := strings.CutPrefix(stripped, "improve: "); ok {
			name, _, _ := strings.Cut(rest, " ")
			name, _, _ = strings.Cut(name, "#")
			if g == H && strings.Contains(raw, "network") || g != H && name == string(c) {
				at = pos
				return false
			}
		}
		return true
	})
	return at, at.Line > 0
}

// ScanBefore gives the build lines above a cut: the packages whose distfiles are early. Without the cut it gives all,
// and false.
func (m *Manifest) ScanBefore(c Cut, g Generation) ([]Scanned, bool) {
	all := m.Scan()
	at, ok := m.Cut(c, g)
	if !ok {
		return all, false
	}
	for i, s := range all {
		if s.Pos.Line > at.Line {
			return all[:i], true
		}
	}
	return all, true
}
