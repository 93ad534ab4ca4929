// SPDX-License-Identifier: MIT

package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rung-build/rung/internal/fault"
)

// Declare computes what a declaration says of a file: its name and digests. A plain one is not unpacked. Licence and
// places are left empty.
func Declare(name string, strip int, plain bool) (Distfile, error) {
	if strip != 0 && (strip != 1 || plain) {
		return Distfile{}, fault.New(fault.Usage, "%s: strip is 0, or 1 for what is unpacked", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return Distfile{}, openFault(name, err)
	}
	defer f.Close()
	d := Distfile{Name: filepath.Base(name), Strip: strip}
	if d.File, err = hashed(f); err != nil {
		return Distfile{}, openFault(name, err)
	}
	if plain {
		return d, nil
	}
	unpacked, err := Unpack(f, d.File.Size(), strip, hashed)
	if err != nil {
		return Distfile{}, fault.New(fault.KindOf(err), "%s: %w", name, err)
	}
	d.Tree = unpacked.Root
	return d, nil
}

func openFault(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "%s: %w", name, bare(err))
	}
	return fault.New(fault.Unavailable, "%s: %w", name, bare(err))
}

// Starlark is the declaration as it stands in a definition file. What is not known is a question mark.
func (d Distfile) Starlark() string {
	var b strings.Builder
	licence, places := d.Licence, d.Places
	if licence == "" {
		licence = "?"
	}
	if len(places) == 0 {
		places = []string{"?"}
	}
	fmt.Fprintf(&b, "distfile(\n    name = %q,\n    size = %d,\n    sha256 = %q,\n", d.Name, d.File.Size(), d.File.Hex())
	if !d.plain() {
		fmt.Fprintf(&b, "    tree = %q,\n", d.Tree.String())
	}
	if d.Strip != 0 {
		fmt.Fprintf(&b, "    strip = %d,\n", d.Strip)
	}
	fmt.Fprintf(&b, "    licence = %q,\n    places = [\n", licence)
	for _, place := range places {
		fmt.Fprintf(&b, "        %q,\n", place)
	}
	b.WriteString("    ],\n)\n")
	return b.String()
}
