// SPDX-License-Identifier: MIT

// Package fault gives an error its kind, which decides the exit status, and its hint, which tells the reader what to
// do.
//
// It leaves out stack traces and error codes on purpose: an error names the object it is about and wraps its cause, and
// a kind is used for exit statuses and retries only.
package fault

import (
	"errors"
	"fmt"
)

// Kind sorts errors by what their reader can do about them.
type Kind int

// The kinds, in the order of docs/exit-status.md.
const (
	Internal    Kind = iota // a defect of rung, or of the host under it
	Usage                   // the command line or a definition file is wrong
	NotFound                // a name, digest or file that does not exist
	BuildFailed             // a step of a stage ended with a failure
	Mismatch                // bytes differ from what an answer, the ledger or a digest says
	Limit                   // a limit on time, memory, output bytes or file count was passed
	Unavailable             // a machine, store, or network that cannot be used here or now
	Panic                   // the kernel of a guest gave up
	Oops                    // the kernel of a guest met a defect of its own, and went on
	OutOfMemory             // the kernel of a guest ended programs for lack of memory
	Reboot                  // a guest started again where nobody asked for it
	Silence                 // a guest gave no sign of life for too long
	EarlyExit               // a machine ended before its job did
	Interrupted             // the user stopped the run
)

var kinds = [...]struct {
	name string
	exit int
}{
	Internal:    {"internal", 1},
	Usage:       {"usage", 2},
	NotFound:    {"not found", 3},
	BuildFailed: {"build failed", 4},
	Mismatch:    {"mismatch", 5},
	Limit:       {"limit", 6},
	Unavailable: {"unavailable", 7},
	Panic:       {"kernel panic", 8},
	Oops:        {"kernel oops", 9},
	OutOfMemory: {"out of memory", 10},
	Reboot:      {"reboot", 11},
	Silence:     {"silence", 12},
	EarlyExit:   {"early exit", 13},
	Interrupted: {"interrupted", 130},
}

// String is the kind's name as it stands in JSON output and in docs/exit-status.md.
func (k Kind) String() string { return kinds[k].name }

// ExitStatus is the status a process ends with because of an error of this kind.
func (k Kind) ExitStatus() int { return kinds[k].exit }

// Kinds lists every kind, for the documentation and its test.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Error is an error with a kind and perhaps a hint. Make one with New or Wrap.
type Error struct {
	kind Kind
	text string
	hint string
	err  error
}

// New makes an error of a kind. The text names the object first, in lower case, without a full stop.
func New(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	e := &Error{kind: kind, text: err.Error(), err: errors.Unwrap(err)}
	if _, several := err.(interface{ Unwrap() []error }); several {
		e.err = err
	}
	return e
}

// WithHint gives the error a hint: one sentence that tells the reader what to do. It returns the error itself.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.hint = fmt.Sprintf(format, args...)
	return e
}

func (e *Error) Error() string { return e.text }

// Unwrap gives the cause that %w in the format named, an error that wraps all of them where it named several, or nil.
func (e *Error) Unwrap() error { return e.err }

// KindOf is the kind of the outermost fault in the error's chain; Internal where there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.kind
	}
	return Internal
}

// HintOf is the outermost hint in the error's chain that is not empty, or "". Of joined errors the first that has one
// counts.
func HintOf(err error) string {
	if e, ok := err.(*Error); ok && e.hint != "" {
		return e.hint
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return HintOf(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			if hint := HintOf(cause); hint != "" {
				return hint
			}
		}
	}
	return ""
}
