// SPDX-License-Identifier: MIT

// Package tree holds a file tree as a value: clean paths in sorted order, types, modes, owners, times, and file content
// by digest. Every format of the project encodes one, every machine takes one and gives one back.
//
// It leaves content itself to a store, extended attributes to nobody yet, and hard links to the formats: two nodes with
// one digest have one content.
package tree

import (
	"fmt"
	"iter"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/rung-build/rung/internal/digest"
)

// Kind is the type of a node.
type Kind uint8

// The kinds of a node.
const (
	File Kind = iota + 1
	Dir
	Symlink
	CharDevice
	BlockDevice
	Fifo
)

var kindNames = [...]string{
	File: "file", Dir: "dir", Symlink: "symlink", CharDevice: "char", BlockDevice: "block", Fifo: "fifo",
}

// String is the kind's name in JSON and in messages.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Node is one entry of a tree.
type Node struct {
	Path     string        // slash-separated, relative, clean: "usr/bin/cc"
	Kind     Kind          //
	Mode     uint32        // permission, set-id and sticky bits: 0 to 0o7777
	UID, GID uint32        //
	ModTime  int64         // seconds since 1970-01-01 UTC
	Content  digest.Digest // of a File; zero otherwise
	Target   string        // of a Symlink; "" otherwise
	Major    uint32        // of a device
	Minor    uint32        // of a device
}

// Executable tells whether any execute permission is set.
func (n Node) Executable() bool { return n.Mode&0o111 != 0 }

// Tree is an immutable file tree. The zero value is the empty tree.
type Tree struct {
	nodes []Node // sorted by Path, no path twice, every parent present and a Dir
}

// New makes a tree of nodes in any order. Parents that are not named are added as directories of mode 0755. It refuses
// paths that are not clean or leave the tree, a path named twice, a parent that is not a directory, and fields that do
// not belong to the node's kind.
func New(nodes ...Node) (Tree, error) {
	byPath := make(map[string]Node, len(nodes))
	for _, n := range nodes {
		if err := check(n); err != nil {
			return Tree{}, err
		}
		if _, twice := byPath[n.Path]; twice {
			return Tree{}, fmt.Errorf("tree: %q is named twice", n.Path)
		}
		byPath[n.Path] = n
	}
	for _, n := range nodes {
		for dir := path.Dir(n.Path); dir != "."; dir = path.Dir(dir) {
			parent, ok := byPath[dir]
			if ok && parent.Kind != Dir {
				return Tree{}, fmt.Errorf("tree: %q lies below %q, which is a %v", n.Path, dir, parent.Kind)
			}
			if ok {
				break
			}
			byPath[dir] = Node{Path: dir, Kind: Dir, Mode: 0o755}
		}
	}
	return sorted(byPath), nil
}

// sorted is the tree of nodes that were checked.
func sorted(byPath map[string]Node) Tree {
	t := Tree{nodes: make([]Node, 0, len(byPath))}
	for _, n := range byPath {
		t.nodes = append(t.nodes, n)
	}
	slices.SortFunc(t.nodes, func(a, b Node) int { return strings.Compare(a.Path, b.Path) })
	return t
}

func check(n Node) error {
	switch {
	case n.Path == "" || n.Path == "." || path.Clean(n.Path) != n.Path || n.Path[0] == '/' || n.Path == ".." ||
		strings.HasPrefix(n.Path, "../") || strings.ContainsRune(n.Path, 0):
		return fmt.Errorf("tree: %q is not a clean relative path", n.Path)
	case n.Mode > 0o7777:
		return fmt.Errorf("tree: %q: mode %#o has more than permission bits", n.Path, n.Mode)
	case n.Kind < File || n.Kind > Fifo:
		return fmt.Errorf("tree: %q: unknown %v", n.Path, n.Kind)
	case (n.Kind == File) == n.Content.IsZero():
		return fmt.Errorf("tree: %q: a %v with content %q", n.Path, n.Kind, n.Content)
	case (n.Kind == Symlink) == (n.Target == "") || strings.ContainsRune(n.Target, 0):
		return fmt.Errorf("tree: %q: a %v with target %q", n.Path, n.Kind, n.Target)
	case n.Kind != CharDevice && n.Kind != BlockDevice && (n.Major != 0 || n.Minor != 0):
		return fmt.Errorf("tree: %q: a %v with device numbers", n.Path, n.Kind)
	}
	return nil
}

// Len is the number of nodes.
func (t Tree) Len() int { return len(t.nodes) }

// Nodes walks the tree in path order: a directory comes before what it holds.
func (t Tree) Nodes() iter.Seq[Node] { return slices.Values(t.nodes) }

// Lookup finds a node by its path.
func (t Tree) Lookup(name string) (Node, bool) {
	i := sort.Search(len(t.nodes), func(i int) bool { return t.nodes[i].Path >= name })
	if i < len(t.nodes) && t.nodes[i].Path == name {
		return t.nodes[i], true
	}
	return Node{}, false
}

// Size is the sum of the sizes of all files, in bytes.
func (t Tree) Size() int64 {
	var sum int64
	for _, n := range t.nodes {
		sum += n.Content.Size()
	}
	return sum
}
