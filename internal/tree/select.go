// SPDX-License-Identifier: MIT

package tree

import (
	"fmt"
	"path"
	"strings"
)

// Escapes tells whether a symbolic link may lead out of the tree: its target is absolute, climbs above the root, or has
// ".." after a name. A target whose ".." all stand in front climbs directories that are no links, since a tree has no
// node below a link; so where no link of a tree escapes, no path through any of them does.
func (n Node) Escapes() bool {
	if n.Kind != Symlink {
		return false
	}
	if path.IsAbs(n.Target) {
		return true
	}
	depth, named := strings.Count(n.Path, "/"), false
	for part := range strings.SplitSeq(n.Target, "/") {
		switch {
		case part == "" || part == ".":
		case part != "..":
			named = true
		case named || depth == 0:
			return true
		default:
			depth--
		}
	}
	return false
}

// Sub is what lies below a directory, with paths from it. The path "." is the tree itself.
func (t Tree) Sub(dir string) (Tree, error) {
	if dir == "." {
		return t, nil
	}
	if n, ok := t.Lookup(dir); !ok || n.Kind != Dir {
		return Tree{}, fmt.Errorf("tree: %q is not a directory of it", dir)
	}
	var sub Tree
	for _, n := range t.nodes {
		if rest, below := strings.CutPrefix(n.Path, dir+"/"); below {
			n.Path = rest
			sub.nodes = append(sub.nodes, n)
		}
	}
	return sub, nil
}

// Only is the tree of the named paths, all that lies below them, and their parents. Each has to exist.
func (t Tree) Only(paths ...string) (Tree, error) {
	whole := make(map[string]bool, len(paths))
	parents := make(map[string]bool)
	for _, p := range paths {
		if _, ok := t.Lookup(p); !ok {
			return Tree{}, fmt.Errorf("tree: no %q in it", p)
		}
		whole[p] = true
		for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
			parents[dir] = true
		}
	}
	var only Tree
	for _, n := range t.nodes { // a directory comes before what it holds
		if whole[n.Path] || whole[path.Dir(n.Path)] {
			whole[n.Path] = true
			only.nodes = append(only.nodes, n)
		} else if parents[n.Path] {
			only.nodes = append(only.nodes, n)
		}
	}
	return only, nil
}

// Equal tells whether two trees have the same nodes.
func (t Tree) Equal(u Tree) bool { return t.Diff(u) == "" }

// Diff names the first difference between two trees in path order, for people: `"a/b": mode 0644, not 0755`; "" where
// there is none. The first value is t's.
func (t Tree) Diff(u Tree) string {
	for i, n := range t.nodes {
		switch {
		case i == len(u.nodes) || n.Path < u.nodes[i].Path:
			return fmt.Sprintf("%q: only in the first tree", n.Path)
		case n.Path > u.nodes[i].Path:
			return fmt.Sprintf("%q: only in the second tree", u.nodes[i].Path)
		case n != u.nodes[i]:
			return fmt.Sprintf("%q: %s", n.Path, difference(n, u.nodes[i]))
		}
	}
	if len(u.nodes) > len(t.nodes) {
		return fmt.Sprintf("%q: only in the second tree", u.nodes[len(t.nodes)].Path)
	}
	return ""
}

// difference names the first field in which two nodes of one path differ.
func difference(a, b Node) string {
	switch {
	case a.Kind != b.Kind:
		return fmt.Sprintf("a %v, not a %v", a.Kind, b.Kind)
	case a.Content != b.Content:
		return fmt.Sprintf("content %v, not %v", a.Content, b.Content)
	case a.Target != b.Target:
		return fmt.Sprintf("target %q, not %q", a.Target, b.Target)
	case a.Mode != b.Mode:
		return fmt.Sprintf("mode %#o, not %#o", a.Mode, b.Mode)
	case a.UID != b.UID || a.GID != b.GID:
		return fmt.Sprintf("owner %d:%d, not %d:%d", a.UID, a.GID, b.UID, b.GID)
	case a.ModTime != b.ModTime:
		return fmt.Sprintf("time %d, not %d", a.ModTime, b.ModTime)
	}
	return fmt.Sprintf("device %d:%d, not %d:%d", a.Major, a.Minor, b.Major, b.Minor)
}
