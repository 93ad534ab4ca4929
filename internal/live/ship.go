// SPDX-License-Identifier: MIT

package live

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/importer"
	"github.com/rung-build/rung/internal/live/manifest"
)

// With is the checkout that a run sees: with Options.ShipImporter one that has rung's importer of payloads, and the lines
// of the manifest that build and call it. The folder itself is not changed, and neither is the receiver.
func (c *Checkout) With(o Options) (*Checkout, error) {
	if !o.ShipImporter {
		return c, nil
	}
	if c.Generation != manifest.H {
		return nil, fault.New(fault.Usage, "--ship-importer: this checkout has an importer").WithHint("leave it out")
	}
	text, err := c.text("steps/manifest")
	if err != nil {
		return nil, err
	}
	before := text
	if text, err = importer.Add(text); err != nil {
		return nil, fault.New(fault.Usage, "--ship-importer: %w", err).WithHint("leave it out")
	}
	files := importer.Files()
	added := entries{asFile("steps/manifest", text)}
	err = fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if e.IsDir() {
			added = append(added, Entry{Path: path.Join(stepsRoot, name), Mode: fs.ModeDir | 0o755})
			return nil
		}
		b, err := fs.ReadFile(files, name)
		added = append(added, asFile(path.Join(stepsRoot, name), string(b)))
		return err
	})
	if err != nil {
		return nil, fault.New(fault.Internal, "importer: %w", err)
	}
	with := *c
	with.Shipped = true
	with.Added = additions(before, text, added)
	with.Roots = slices.Clone(c.Roots)
	r := &with.Roots[0]
	r.Entries = overlay(r.Entries, added)
	was := r.Problems
	r.Manifest, r.Problems = manifest.Parse("steps/manifest", text)
	for _, p := range was {
		if path.Base(p.Pos.File) != "manifest" {
			r.Problems = append(r.Problems, p)
		}
	}
	return &with, nil
}

// additions is what is added to a checkout, as a difference tells it: lines of the manifest with their numbers, and files.
func additions(before, after string, files entries) []string {
	old := strings.Split(before, "\n")
	all := []string{"steps/manifest"}
	for i, line := range strings.Split(after, "\n") {
		if len(old) > 0 && line == old[0] {
			old = old[1:]
			continue
		}
		all = append(all, fmt.Sprintf("%d: + %s", i+1, line))
	}
	for _, f := range files[1:] {
		if !f.Mode.IsDir() {
			all = append(all, fmt.Sprintf("+ %s, %d bytes", f.Path, f.Size))
		}
	}
	return all
}
