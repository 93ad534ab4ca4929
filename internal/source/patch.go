// SPDX-License-Identifier: MIT

package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Patch is a text in the unified form of diff, read. The form is that of POSIX.1-2024, diff, "Diff -u Output Format".
type Patch struct {
	Name  string   // for messages: "tcc/alias.patch"
	Files []string // that it changes, in its order

	hunks []hunk
}

// hunk is one change of a patch.
type hunk struct {
	*gitdiff.TextFragment
	patch string // its name
	file  string // that it changes
	at    int    // which of the patch's hunks it is, from 1
}

// maxPatched bounds a file that is patched, in bytes: it is held in memory.
const maxPatched = 64 << 20

// ParsePatch reads a patch, strictly: it changes lines of files that are there, whose names begin with "a/" and "b/",
// and each hunk has lines of context or takes lines away. Files that are made, removed or renamed, modes and binary
// changes are refused. Text before the first file is a comment. The error is a fault of kind Usage.
func ParsePatch(name string, text []byte) (Patch, error) {
	p := Patch{Name: name}
	problem := func(format string, args ...any) error {
		return fault.New(fault.Usage, "patch %q: %w", name, fmt.Errorf(format, args...))
	}
	if bytes.HasPrefix(text, []byte("diff --git ")) || bytes.Contains(text, []byte("\ndiff --git ")) {
		return Patch{}, problem("has headers of git; want the plain form, as diff -u and git diff --no-index write it " +
			"without them")
	}
	files, _, err := gitdiff.Parse(bytes.NewReader(text))
	if err != nil {
		return Patch{}, problem("%s", strings.TrimPrefix(err.Error(), "gitdiff: "))
	}
	for _, f := range files {
		file, ok := strings.CutPrefix(f.NewName, "b/")
		switch {
		case f.IsNew || f.IsDelete:
			return Patch{}, problem("makes or removes the file %q; it may only change files", f.OldName+f.NewName)
		case !ok || !fs.ValidPath(file):
			return Patch{}, problem("names of files are a/PATH and b/PATH, not %q", f.NewName)
		case slices.Contains(p.Files, file):
			return Patch{}, problem("changes %q in two places of the text", file)
		}
		p.Files = append(p.Files, file)
		for _, fragment := range f.TextFragments {
			h := hunk{fragment, name, file, len(p.hunks) + 1}
			if fragment.OldLines == 0 {
				return Patch{}, problem("%v has no line of context", h)
			}
			p.hunks = append(p.hunks, h)
		}
	}
	if len(p.hunks) == 0 {
		return Patch{}, problem("changes nothing")
	}
	return p, nil
}

func (h hunk) String() string {
	return fmt.Sprintf("hunk %d (@@ -%d,%d +%d,%d @@)", h.at, h.OldPosition, h.OldLines, h.NewPosition, h.NewLines)
}

// ApplyPatches changes a tree whose files are in a store, and puts the changed files there. It gives the whole tree, and
// the changed files by themselves. Every patch is against the tree as it is given, whatever other patches change, and
// has to fit to the letter, at the very lines that it names; several may change one file, not the same lines of it. What
// does not fit is a fault of kind Usage that names the patch, the hunk, the file and the line.
func ApplyPatches(ctx context.Context, blobs store.Blobs, t tree.Tree, patches ...Patch) (
	patched, changed tree.Tree, err error) {
	byFile := map[string][]hunk{}
	for _, p := range patches {
		for _, h := range p.hunks {
			byFile[h.file] = append(byFile[h.file], h)
		}
	}
	var nodes, changes []tree.Node
	for n := range t.Nodes() {
		if hunks := byFile[n.Path]; len(hunks) > 0 && n.Kind == tree.File {
			delete(byFile, n.Path)
			if n, err = patchFile(ctx, blobs, n, hunks); err != nil {
				return tree.Tree{}, tree.Tree{}, err
			}
			changes = append(changes, n)
		}
		nodes = append(nodes, n)
	}
	for _, p := range patches {
		for _, file := range p.Files {
			if len(byFile[file]) > 0 {
				return tree.Tree{}, tree.Tree{}, fault.New(fault.Usage, "patch %q: there is no file %q", p.Name, file)
			}
		}
	}
	if patched, err = tree.New(nodes...); err != nil {
		return tree.Tree{}, tree.Tree{}, err
	}
	changed, err = tree.New(changes...)
	return patched, changed, err
}

// patchFile makes all changes of one file.
func patchFile(ctx context.Context, blobs store.Blobs, n tree.Node, hunks []hunk) (tree.Node, error) {
	before, err := store.Bytes(ctx, blobs, n.Content, maxPatched)
	if err != nil {
		return tree.Node{}, fmt.Errorf("patching %q: %w", n.Path, err)
	}
	slices.SortStableFunc(hunks, func(a, b hunk) int { return int(a.OldPosition - b.OldPosition) })
	var after bytes.Buffer
	applier := gitdiff.NewTextApplier(&after, bytes.NewReader(before))
	for i, h := range hunks {
		if i > 0 && hunks[i-1].OldPosition+hunks[i-1].OldLines > h.OldPosition {
			last := hunks[i-1]
			return tree.Node{}, fault.New(fault.Usage, "patch %q: %v changes lines of %q that %v of patch %q changes too",
				h.patch, h, h.file, last, last.patch)
		}
		if err := applier.ApplyFragment(h.TextFragment); err != nil {
			return tree.Node{}, h.misfit(err, before)
		}
	}
	if err := applier.Close(); err != nil {
		return tree.Node{}, fault.New(fault.Usage, "patching %q: %w", n.Path, err)
	}
	n.Content, err = blobs.Put(ctx, &after)
	if err != nil {
		return tree.Node{}, fmt.Errorf("patching %q: %w", n.Path, err)
	}
	return n, nil
}

// misfit tells where a hunk does not fit a file, and what stands there.
func (h hunk) misfit(err error, file []byte) error {
	var where *gitdiff.ApplyError
	if !errors.As(err, &where) || where.Line == 0 {
		return fault.New(fault.Usage, "patch %q: %v does not fit %q: %w", h.patch, h, h.file, err)
	}
	lines := bytes.Split(file, []byte("\n"))
	line := min(where.Line, int64(len(lines)))
	if where.FragmentLine == 0 || where.FragmentLine > len(h.Lines) {
		return fault.New(fault.Usage, "patch %q: %v does not fit %q: the file ends at line %d", h.patch, h, h.file, line-1)
	}
	want := strings.TrimSuffix(h.Lines[where.FragmentLine-1].Line, "\n")
	return fault.New(fault.Usage, "patch %q: %v does not fit %q: line %d is %q, not %q", h.patch, h, h.file, line,
		clipped(string(lines[line-1])), clipped(want))
}

// clipped is the beginning of a line of any length.
func clipped(s string) string {
	const most = 120
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
