// SPDX-License-Identifier: MIT

// Package importer is the program that a guest copies the files of a payload with, for checkouts that have none: its
// source in C, the step that builds it and the lines of the manifest that call it, as data. A checkout is never
// changed: the caller adds the files to what it makes of one, and shows the lines as a difference.
//
// The program is C89 for a compiler and a library as small as tcc and musl are early in live-bootstrap: it needs no
// program beside it and no shell that could copy. It is started by the script of the improvement import_payload.
//
// Left out on purpose: sums, which the guest checks when it unpacks a file; partitions: a payload is a whole disk.
//
// Specification: docs/payload.md.
package importer

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed files
var files embed.FS

// Package is the name of the step, which is its folder below steps as well.
const Package = "payload-import-1.0"

// Improvement is the name of the improvement that copies the files of a payload.
const Improvement = "import_payload"

// jump is the hand-off behind which a payload is read.
const jump = "jump: fiwix"

// Files are the files to add below steps of a checkout, by their path from there.
func Files() fs.FS {
	below, err := fs.Sub(files, "files")
	if err != nil {
		panic(err) // only a name that is no path is refused
	}
	return below
}

// errHasOne says that a manifest has lines of its own.
var errHasOne = errors.New("it names " + Improvement + " already")

// Add gives the text of a manifest with the lines that build the importer before the jump to Fiwix and call it right
// behind. It refuses a manifest that has them already, or no or more than one such jump.
func Add(manifest string) (string, error) {
	var b strings.Builder
	jumps := 0
	for text := range strings.Lines(manifest) {
		words := strings.Fields(text)
		switch {
		case len(words) > 1 && words[0] == "improve:" && words[1] == Improvement,
			len(words) > 1 && words[0] == "build:" && words[1] == Package:
			return "", fmt.Errorf("manifest: %w", errHasOne)
		case len(words) > 1 && words[0]+" "+words[1] == jump:
			jumps++
			text = "build: " + Package + " ( KERNEL_BOOTSTRAP == True )\n" +
				strings.TrimSuffix(text, "\n") + "\nimprove: " + Improvement + "\n"
		}
		b.WriteString(text)
	}
	if jumps != 1 {
		return "", fmt.Errorf("manifest: %d lines %q; the importer has to stand around one", jumps, jump)
	}
	return b.String(), nil
}
