// SPDX-License-Identifier: MIT

package reapi

import (
	"fmt"
	"strings"

	"github.com/rung-build/rung/internal/digest"
)

// ActionResult is what an action came to. Encode sorts each list by path.
type ActionResult struct {
	Files       []OutputFile      // 2
	Directories []OutputDirectory // 3
	ExitCode    int32             // 4
	Stdout      digest.Digest     // 6; zero where there is none
	Stderr      digest.Digest     // 8; zero where there is none
	Symlinks    []OutputSymlink   // 12
}

// OutputFile is a file among the outputs of an action.
type OutputFile struct {
	Path       string        // 1: from the working directory
	Digest     digest.Digest // 2
	Executable bool          // 4
}

// OutputDirectory is a directory among the outputs of an action.
type OutputDirectory struct {
	Path string        // 1: from the working directory
	Root digest.Digest // 5: of the encoded Directory
}

// OutputSymlink is a symbolic link among the outputs of an action.
type OutputSymlink struct {
	Path   string // 1: from the working directory
	Target string // 2
}

// Encode writes the message. It fails where a path is empty or stands twice, a string is not UTF-8, or an output lacks
// its digest or target.
func (r ActionResult) Encode() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	w := &writer{}
	for _, f := range byName(r.Files, func(f OutputFile) string { return f.Path }) {
		w.message(2, func(w *writer) {
			w.text(1, f.Path)
			w.digest(2, f.Digest)
			w.flag(4, f.Executable)
		})
	}
	for _, d := range byName(r.Directories, func(d OutputDirectory) string { return d.Path }) {
		w.message(3, func(w *writer) {
			w.text(1, d.Path)
			w.digest(5, d.Root)
		})
	}
	w.number(4, uint64(int64(r.ExitCode))) // an int32 is written as the int64 of the same value
	w.digest(6, r.Stdout)
	w.digest(8, r.Stderr)
	for _, l := range byName(r.Symlinks, func(l OutputSymlink) string { return l.Path }) {
		w.message(12, func(w *writer) {
			w.text(1, l.Path)
			w.text(2, l.Target)
		})
	}
	return w.done()
}

func (r ActionResult) check() error {
	seen := make(map[string]bool)
	add := func(path string, whole bool) error {
		if path == "" || strings.HasPrefix(path, "/") || seen[path] || !whole {
			return fmt.Errorf("reapi: output %q is absolute, has no name or no content, or stands twice", path)
		}
		seen[path] = true
		return nil
	}
	for _, f := range r.Files {
		if err := add(f.Path, !f.Digest.IsZero()); err != nil {
			return err
		}
	}
	for _, d := range r.Directories {
		if err := add(d.Path, !d.Root.IsZero()); err != nil {
			return err
		}
	}
	for _, l := range r.Symlinks {
		if err := add(l.Path, l.Target != ""); err != nil {
			return err
		}
	}
	return nil
}

// DecodeActionResult reads a message in canonical form, with no fields but those of ActionResult.
func DecodeActionResult(message []byte) (ActionResult, error) {
	var r ActionResult
	return decode("action result", message, &r, func(f field) (err error) {
		switch f.num {
		case 2, 3, 12:
			err = r.add(f)
		case 4:
			r.ExitCode, err = f.int32()
		case 6:
			r.Stdout, err = f.digest()
		case 8:
			r.Stderr, err = f.digest()
		default:
			err = errUnknown
		}
		return err
	})
}

// add takes an output of one of the three lists.
func (r *ActionResult) add(f field) error {
	var e entry
	list := f.num
	err := f.message(func(f field) (err error) {
		switch {
		case f.num == 1:
			e.name, err = f.text()
		case f.num == 2 && list == 12:
			e.target, err = f.text()
		case f.num == 2 && list == 2 || f.num == 5 && list == 3:
			e.digest, err = f.digest()
		case f.num == 4 && list == 2:
			e.executable, err = f.flag()
		default:
			err = errUnknown
		}
		return err
	})
	switch list {
	case 2:
		r.Files = append(r.Files, OutputFile{e.name, e.digest, e.executable})
	case 3:
		r.Directories = append(r.Directories, OutputDirectory{e.name, e.digest})
	case 12:
		r.Symlinks = append(r.Symlinks, OutputSymlink{e.name, e.target})
	}
	return err
}
