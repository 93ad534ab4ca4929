// SPDX-License-Identifier: MIT

package seedlang

import (
	"errors"
	"fmt"
	"strings"
)

// Position is a place in a source; lines and columns count from 1, columns in bytes.
type Position struct {
	File         string
	Line, Column int32
}

// String is FILE:LINE:COLUMN.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Call is one expansion of a macro.
type Call struct {
	Name string
	Args []string
	Pos  Position // of the macro's name where it is called
	Up   *Call    // the expansion whose body has this call; nil where a source has it
}

// String is the call as it would be written.
func (c *Call) String() string { return strings.Join(append([]string{c.Name}, c.Args...), " ") }

// Outermost is the call that stands in a source and led to this one.
func (c *Call) Outermost() *Call {
	for c.Up != nil {
		c = c.Up
	}
	return c
}

// origin says where a word comes from: its own place, in a source or in a macro's body, and the expansion it is in.
type origin struct {
	pos  Position
	call *Call
}

// outermost is the place in the text that is not the body of a macro.
func (o origin) outermost() Position {
	if o.call == nil {
		return o.pos
	}
	return o.call.Outermost().Pos
}

// errorf makes an error at the outermost place that names the expansions on the way in.
func (o origin) errorf(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if o.call != nil {
		names := o.call.Name
		for c := o.call.Up; c != nil && len(names) < 200; c = c.Up {
			names = c.Name + " > " + names
		}
		text = fmt.Sprintf("in %s at %s: %s", names, o.pos, text)
	}
	return &Error{Pos: o.outermost(), Text: text}
}

// Error is a defect of a text.
type Error struct {
	Pos  Position
	Text string
}

func (e *Error) Error() string { return e.Pos.String() + ": " + e.Text }

// problems joins errors, a bounded number of them; nil where there are none.
func problems(all []error) error {
	if len(all) > maxProblems {
		more := fmt.Errorf("and %d more", len(all)-maxProblems)
		all = append(all[:maxProblems:maxProblems], more)
	}
	return errors.Join(all...)
}

// clip shortens a word for a message.
func clip(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "..."
}
