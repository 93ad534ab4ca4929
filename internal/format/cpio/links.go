// SPDX-License-Identifier: MIT

package cpio

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rung-build/rung/internal/tree"
)

// inode is what names of one file have in common: number, major and minor number of the device.
type inode [3]uint32

// group is the names of one file. The content stands with one of them, by custom the last.
type group struct {
	names []string
	links uint32
	node  tree.Node // the first, with the content of the one that has some
}

// link adds a file to the group of its inode.
func (a *archive) link(n tree.Node, e entry) error {
	key := inode{e.fields[fieldIno], e.fields[fieldDevMajor], e.fields[fieldDevMinor]}
	g := a.links[key]
	if g == nil {
		a.links[key] = &group{names: []string{n.Path}, links: e.fields[fieldNlink], node: n}
		return nil
	}
	first, same := g.node, n
	same.Path, same.Content = first.Path, first.Content
	if same != first || g.links != e.fields[fieldNlink] {
		return fmt.Errorf("a link to %q, of which it says other things", first.Path)
	}
	if uint32(len(g.names)) == g.links {
		return fmt.Errorf("a link to %q, which has its %d names", first.Path, g.links)
	}
	g.names = append(g.names, n.Path)
	switch {
	case n.Content.Size() == 0:
	case first.Content.Size() != 0:
		return fmt.Errorf("a link to %q with content a second time", first.Path)
	default:
		g.node.Content = n.Content
	}
	return nil
}

// finishLinks gives each name of a group its content, and tells all those names. A group without content is an empty
// file if it is whole; otherwise the name that had the content is missing.
func (a *archive) finishLinks() (map[string]bool, error) {
	linked := make(map[string]bool)
	var errs []error
	for _, key := range slices.SortedFunc(maps.Keys(a.links), func(x, y inode) int { return slices.Compare(x[:], y[:]) }) {
		g := a.links[key]
		if g.node.Content.Size() == 0 && uint32(len(g.names)) < g.links {
			errs = append(errs, fmt.Errorf("%q: the content of %d links never comes", g.names[0], g.links))
		}
		for _, name := range g.names {
			n := a.nodes[name]
			n.Content = g.node.Content
			a.nodes[name] = n
			linked[name] = len(g.names) > 1
		}
	}
	return linked, errors.Join(errs...)
}

// Merge makes the tree that a kernel makes of segments, of which later ones replace entries of earlier ones. What the
// kernel would do but no tree can hold, or would leave out without a word, is an error: a file in place of a directory,
// another device in place of a device, an entry below a symbolic link, a file with other names written anew. Directories
// that no segment names have mode 0755.
func Merge(segments []Segment) (tree.Tree, error) {
	nodes, linked := make(map[string]tree.Node), make(map[string]bool)
	for _, s := range segments {
		for n := range s.Entries() {
			if old, there := nodes[n.Path]; there {
				if err := checkReplace(old, n, linked[n.Path]); err != nil {
					return tree.Tree{}, fmt.Errorf("cpio: %q: %w", n.Path, err)
				}
			}
			nodes[n.Path], linked[n.Path] = n, s.linked[n.Path]
		}
	}
	t, err := tree.New(slices.Collect(maps.Values(nodes))...)
	if err != nil {
		return tree.Tree{}, fmt.Errorf("cpio: %w", err)
	}
	return t, nil
}

// checkReplace wants what clean_path and do_name of init/initramfs.c do to come to the same as taking the new node.
func checkReplace(old, n tree.Node, linked bool) error {
	switch {
	case old.Kind == tree.Dir && n.Kind != tree.Dir:
		return fmt.Errorf("a %v in place of a directory of an earlier segment", n.Kind)
	case old.Kind == n.Kind && (old.Major != n.Major || old.Minor != n.Minor):
		return fmt.Errorf("another %v in place of one of an earlier segment", n.Kind)
	case linked && n.Kind == tree.File && old.Content != n.Content:
		return errors.New("other content for a file of an earlier segment that has other names")
	}
	return nil
}
