// SPDX-License-Identifier: MIT

package manifest

import "strings"

// Kind is what a directive does.
type Kind int

// The kinds of directives.
const (
	Build     Kind = iota + 1 // runs a pass of a package
	Improve                   // runs a script of steps/improve
	Jump                      // runs a script of steps/jump, and goes on in the next script
	Define                    // sets a variable for the lines below
	Uninstall                 // removes packages or files
)

// String is the directive's word, without the colon.
func (k Kind) String() string {
	if k < Build || k > Uninstall {
		return "unknown"
	}
	return [...]string{Build: "build", Improve: "improve", Jump: "jump", Define: "define", Uninstall: "uninstall"}[k]
}

// Directive is one line of a manifest.
type Directive struct {
	Kind Kind
	Pos  Position   // of the line's first byte
	Arg  string     // package, script, variable; of uninstall all arguments with single spaces between
	If   *Predicate // nil: always

	// Of a define: the constant, or the predicate whose result is the value.
	Value   string
	Formula *Predicate
}

// Predicate is a comparison, perhaps joined to another predicate: the chain leans to the right and has no precedence,
// so that a && b || c is a && (b || c).
type Predicate struct {
	Pos   Position // of the name
	Name  string
	Op    string // "==", "!=", or "" where the name stands alone: its result is the name itself
	Value string
	Join  string     // "||", "&&", or "" at the end
	Rest  *Predicate // nil where Join is ""
}

// Manifest is what a guest reads from a manifest.
type Manifest struct {
	Directives []Directive // without lines at which the guest would stop

	file, text string
	stops      *Problem
}

// Parse reads a manifest as the guest's script generator does. The name is for positions. There is always a manifest;
// one with a problem that Stops can be looked at, but not evaluated.
func Parse(file, text string) (*Manifest, Problems) {
	m := &Manifest{file: file, text: text, Directives: make([]Directive, 0, strings.Count(text, "\n")+1)}
	p := parser{file: file}
	for _, l := range p.tokenize(text) {
		p.line, p.tokens, p.end = l.number, l.tokens, l.end
		if d, ok := p.directive(); ok {
			m.Directives = append(m.Directives, d)
		}
	}
	m.lint(&p.problems)
	p.problems.sort()
	m.stops = p.problems.Stops()
	return m, p.problems
}
