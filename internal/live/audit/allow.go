// SPDX-License-Identifier: MIT

package audit

import (
	_ "embed"
	"path"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/fault"
)

//go:embed allow.txt
var builtin string

// Allow is an allow-list. The zero value allows nothing. Its form is a line for each permission:
//
//	KIND DISTFILE PATH REASON...
//
// KIND is one of Kinds, or *. DISTFILE and PATH are patterns: * is any text without a slash, ** any text, and the rest is
// itself. The distfile's own findings have the path "". Blank lines and lines that begin with # are nothing.
type Allow struct {
	lines []permission
}

type permission struct {
	kind           Kind
	distfile, path string
	reason         string
}

// Builtin is the list that rung carries.
func Builtin() (Allow, error) { return ParseAllow("allow.txt", builtin) }

// ParseAllow reads a list. The file's name is for positions. What is wrong with a line is a fault of kind Usage.
func ParseAllow(file, text string) (Allow, error) {
	var a Allow
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		const form = "a line is KIND DISTFILE PATH REASON..."
		if len(fields) < 4 {
			return Allow{}, fault.New(fault.Usage, "%s:%d:1: %d fields, which are too few", file, number, len(fields)).WithHint(form)
		}
		kind := Kind(fields[0])
		if kind != "*" && !slices.Contains(Kinds(), kind) {
			return Allow{}, fault.New(fault.Usage, "%s:%d:1: %q is no kind of finding", file, number, fields[0]).
				WithHint("the kinds are %v, and *", Kinds())
		}
		a.lines = append(a.lines, permission{kind, fields[1], fields[2], strings.Join(fields[3:], " ")})
	}
	return a, nil
}

// And gives the permissions of both lists.
func (a Allow) And(b Allow) Allow { return Allow{slices.Concat(a.lines, b.lines)} }

// reason is why a finding is allowed; "" where it is not.
func (a Allow) reason(kind Kind, distfile, member string) string {
	for _, p := range a.lines {
		if (p.kind == "*" || p.kind == kind) && like(p.distfile, distfile) && like(p.path, path.Clean("/" + member)[1:]) {
			return p.reason
		}
	}
	return ""
}

// like matches a pattern with a text, in time that grows with the product of their lengths.
func like(pattern, text string) bool {
	// reach tells at which ends of the text what has been read of the pattern can end.
	reach := make([]bool, len(text)+1)
	reach[0] = true
	for i := 0; i < len(pattern); i++ {
		next := make([]bool, len(text)+1)
		star := pattern[i] == '*'
		deep := star && i+1 < len(pattern) && pattern[i+1] == '*'
		for j := range next {
			switch {
			case star:
				next[j] = reach[j] || j > 0 && next[j-1] && (deep || text[j-1] != '/')
			default:
				next[j] = j > 0 && reach[j-1] && text[j-1] == pattern[i]
			}
		}
		if deep {
			i++
		}
		reach = next
	}
	return reach[len(text)]
}
