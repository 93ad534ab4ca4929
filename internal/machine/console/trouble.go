// SPDX-License-Identifier: MIT

package console

import (
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// Trouble says how a guest went wrong. It does not change once it was told.
type Trouble struct {
	// Kind is fault.Panic, Oops, OutOfMemory, Reboot, Silence or EarlyExit.
	Kind fault.Kind
	// Text is one line with the telling part of what the console showed, at most 300 bytes:
	// "kernel panic: Attempted to kill init! exitcode=0x00000100".
	Text string
	// Tail is the end of the console, oldest line first: at most 40 lines that are not empty, of at most 4 KiB, UTF-8
	// without escape sequences and control characters but tabs.
	Tail []string
	// Console is all that the console showed, in the store; zero until Fault sets it.
	Console digest.Digest
}

// Error is one line; the tail is left to the reader of the fields.
func (t *Trouble) Error() string { return t.Text }

// Fault is the trouble as an error of its kind, with a hint; console is all that the console showed, zero where nothing
// holds it. errors.As finds the Trouble in it.
func (t *Trouble) Fault(console digest.Digest) *fault.Error {
	whole := *t
	whole.Console = console
	err := fault.New(t.Kind, "%w", &whole)
	switch t.Kind {
	case fault.OutOfMemory:
		err.WithHint("give the stage more memory, in its definition")
	case fault.Silence:
		err.WithHint("--verbose shows the console as it comes; an empty one is that of a kernel without a driver for it")
	case fault.EarlyExit:
		err.WithHint("rung doctor tells whether the machine works at all")
	case fault.Panic, fault.Oops, fault.Reboot:
		err.WithHint("--kernel gives the machine another kernel")
	}
	return err
}
