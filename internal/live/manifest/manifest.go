// SPDX-License-Identifier: MIT

// Package manifest is the manifest language of a live-bootstrap checkout, its bootstrap.cfg, and the script generator
// that a guest runs over both: what the guest will read, which steps survive, and the very scripts it will write.
//
//	m, problems := Parse("steps/manifest", text)   // directives with positions; what is wrong or misleading
//	cfg, more := ParseConfig("steps/bootstrap.cfg", cfgText)
//	e, err := m.Evaluate(cfg)                      // surviving directives, pass numbers, final variables
//	s := e.Scripts(Generator{Env: envText})        // the files, and which step stands in which script
//	early, cut := m.ScanBefore(Network, H)         // what the host's own scripts read, who know no predicates
//
// The guest's reader is simple, and does not check. Here each text has the meaning that the guest gives it, however
// odd, and each oddity is a Problem at its position.
//
// Left out on purpose: whether the packages and scripts that are named exist, which is the checkout's matter, and all
// that scripts do when they run.
//
// Specification: docs/live-bootstrap.md, and script-generator.c of live-bootstrap, which `.ci/live-real` compares with.
package manifest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rung-build/rung/internal/fault"
)

// Position is a place in a text. Line and Column count from 1, columns in bytes.
type Position struct {
	File         string
	Line, Column int
}

// String is FILE:LINE:COLUMN.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Severity tells how bad a problem is.
type Severity int

// The severities.
const (
	Warning Severity = iota // it works, by a rule that a reader may not expect
	Error                   // the guest would fail or crash, or do something else than it looks like
)

// String is the severity's name in output.
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// Problem is something to tell the author of a text.
type Problem struct {
	Pos      Position
	Severity Severity
	Stops    bool   // the guest's script generator ends with an error or crashes here; then Severity is Error
	Text     string // lower case, names the object first
	Hint     string // what to write instead, one sentence; or ""
}

// String is FILE:LINE:COLUMN: SEVERITY: TEXT, without the hint.
func (p Problem) String() string { return p.Pos.String() + ": " + p.Severity.String() + ": " + p.Text }

// Problems are in the order of the text.
type Problems []Problem

// Errors gives those that are errors.
func (ps Problems) Errors() Problems {
	var errs Problems
	for _, p := range ps {
		if p.Severity == Error {
			errs = append(errs, p)
		}
	}
	return errs
}

// Stops gives the first problem at which the guest's script generator would end, or nil.
func (ps Problems) Stops() *Problem {
	for i := range ps {
		if ps[i].Stops {
			return &ps[i]
		}
	}
	return nil
}

// Err joins the errors into one of kind fault.Usage, each FILE:LINE:COLUMN: TEXT on a line of its own, with the hint of
// the first that has one. It is nil where there are only warnings.
func (ps Problems) Err() error {
	var causes []error
	for _, p := range ps.Errors() {
		e := fault.New(fault.Usage, "%s: %s", p.Pos, p.Text)
		if p.Hint != "" {
			e = e.WithHint("%s", p.Hint)
		}
		causes = append(causes, e)
	}
	switch len(causes) {
	case 0:
		return nil
	case 1:
		return causes[0]
	}
	return fault.New(fault.Usage, "%w", errors.Join(causes...))
}

// add notes a problem. A hint is the part of the text after a line feed.
func (ps *Problems) add(pos Position, s Severity, format string, args ...any) *Problem {
	text, hint, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
	*ps = append(*ps, Problem{Pos: pos, Severity: s, Text: text, Hint: hint})
	return &(*ps)[len(*ps)-1]
}

// stop notes an error at which the guest's script generator ends or crashes.
func (ps *Problems) stop(pos Position, format string, args ...any) {
	ps.add(pos, Error, format, args...).Stops = true
}

// Generation is a version of live-bootstrap, as far as the manifest and the script generator go.
//
// What differs: in H scripts are in /steps, heads name the files beside the script, and the early distfiles end at the
// first improve line that has "network" anywhere. In F1 and F2 a manifest of another root is possible, heads name files
// of a configuration root by their full path, and the early distfiles end at improvements of exact names. F1 and F2 are
// the same here.
//
// Not known, as no such checkout could be read: the bash level at which scripts of another root start (here 2, as the
// bash that starts them is a late one), and whether init files of another root have names of their own (here they share
// /init.N, which the specification tells).
type Generation int

// The generations, by the extra builds they know.
const (
	H  Generation = iota // 984b8322 of 2026-02-14: none
	F1                   // --build-guix-also
	F2                   // --extra-builds
)
