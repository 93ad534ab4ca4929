// SPDX-License-Identifier: MIT

package source

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
)

// LackError says that files could not be had, and why each place of each did not do. It is a fault of kind
// Unavailable, or Mismatch where some place sent wrong bytes.
type LackError struct {
	Lacks []Lack // in the order of the declarations; at least one
}

// Lack is one file that could not be had.
type Lack struct {
	Distfile Distfile
	Tries    []Try // in the order they were made
}

// Try is a place that did not do.
type Try struct {
	Place string // without passwords
	Err   error
}

// Error names every place of every file, a line each.
func (e *LackError) Error() string {
	var b strings.Builder
	for i, lack := range e.Lacks {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "distfile %q (%d bytes): none of its %d places gave it", lack.Distfile.Name,
			lack.Distfile.File.Size(),
			len(lack.Tries))
		for _, try := range lack.Tries {
			fmt.Fprintf(&b, "\n  %s: %s", try.Place, strings.ReplaceAll(try.Err.Error(), "\n", "\n    "))
		}
	}
	return b.String()
}

// Unwrap gives the fault.
func (e *LackError) Unwrap() error {
	kind := fault.Unavailable
	for _, lack := range e.Lacks {
		for _, try := range lack.Tries {
			var wrong *WrongError
			if errors.As(try.Err, &wrong) {
				kind = fault.Mismatch
			}
		}
	}
	return fault.New(kind, "files could not be had").WithHint("without a network: run \"rung source mirror DIR\" on a " +
		"machine " +
		"that has one, bring DIR here, and add --mirror DIR (or, with \"rung source serve DIR\" there, --mirror URL)")
}

// WrongError says that a place sent something else than what was declared. It is a fault of kind Mismatch.
type WrongError struct {
	Want, Got         digest.Digest // of the file
	WantTree, GotTree digest.Digest // of what it unpacks to; zero where that does not matter, or is the same
	Cause             error         // why it could not be unpacked; nil where it could
	Kept              string        // where it lies now; "" where it was not kept
}

// Error gives what was expected, what came, and where it lies.
func (e *WrongError) Error() string {
	var b strings.Builder
	if e.Want.Size() == 0 { // it is not declared
		fmt.Fprintf(&b, "wrong file: expected the SHA-256 %s, got %s", e.Want.Hex(), e.Got.Hex())
	} else {
		fmt.Fprintf(&b, "wrong file: expected %v, got %v", e.Want, e.Got)
	}
	switch {
	case e.Cause != nil:
		fmt.Fprintf(&b, ", which is no other packing of it either: %v", e.Cause)
	case !e.GotTree.IsZero():
		fmt.Fprintf(&b, ", which unpacks to the tree %v, not to %v", e.GotTree, e.WantTree)
	}
	if e.Kept != "" {
		fmt.Fprintf(&b, "; kept aside as %s", e.Kept)
	}
	return b.String()
}

// Unwrap gives the fault.
func (e *WrongError) Unwrap() error {
	if e.Cause != nil {
		return fault.New(fault.Mismatch, "wrong file: %w", e.Cause)
	}
	return fault.New(fault.Mismatch, "wrong file")
}

// finalError is trouble that no other place would help with: this machine's own files, or the declaration.
type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }
func (e *finalError) Unwrap() error { return e.err }

// hostFault names a full disk or a folder that cannot be written for what it is.
func hostFault(err error) error {
	f := fault.New(fault.Unavailable, "distfiles: %w", err)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		f = f.WithHint("free some space, or name a store on another disk with --store DIR")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		f = f.WithHint("the store has to be writable by this user; name another one with --store DIR")
	}
	return &finalError{f}
}

// isAbsent tells that a place works and has no such file, rather than that it does not work.
func isAbsent(err error) bool {
	var status *statusError
	var missing *store.MissingError
	return errors.Is(err, fs.ErrNotExist) || errors.As(err, &missing) || errors.As(err, &status) && status.absent()
}
