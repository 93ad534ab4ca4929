// SPDX-License-Identifier: MIT

package reapi

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

// Directory is one directory of an input root. Encode sorts each list by name.
type Directory struct {
	Files       []FileNode      // 1
	Directories []DirectoryNode // 2
	Symlinks    []SymlinkNode   // 3
}

// FileNode is a file in a Directory.
type FileNode struct {
	Name       string        // 1
	Digest     digest.Digest // 2: of the content
	Executable bool          // 4
}

// DirectoryNode is a directory in a Directory.
type DirectoryNode struct {
	Name   string        // 1
	Digest digest.Digest // 2: of the encoded Directory
}

// SymlinkNode is a symbolic link in a Directory.
type SymlinkNode struct {
	Name   string // 1
	Target string // 2
}

// Encode writes the message. It fails where a name stands twice, is empty, "." or "..", holds a slash, is not UTF-8, or
// where a node lacks its digest or target.
func (d Directory) Encode() ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	w := &writer{}
	for _, n := range byName(d.Files, func(n FileNode) string { return n.Name }) {
		w.message(1, func(w *writer) {
			w.text(1, n.Name)
			w.digest(2, n.Digest)
			w.flag(4, n.Executable)
		})
	}
	for _, n := range byName(d.Directories, func(n DirectoryNode) string { return n.Name }) {
		w.message(2, func(w *writer) {
			w.text(1, n.Name)
			w.digest(2, n.Digest)
		})
	}
	for _, n := range byName(d.Symlinks, func(n SymlinkNode) string { return n.Name }) {
		w.message(3, func(w *writer) {
			w.text(1, n.Name)
			w.text(2, n.Target)
		})
	}
	return w.done()
}

// byName is a sorted copy of a list of nodes.
func byName[N any](nodes []N, name func(N) string) []N {
	return slices.SortedFunc(slices.Values(nodes), func(a, b N) int { return strings.Compare(name(a), name(b)) })
}

func (d Directory) check() error {
	seen := make(map[string]bool, len(d.Files)+len(d.Directories)+len(d.Symlinks))
	checkName := func(name string, whole bool) error {
		switch {
		case name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00"):
			return fmt.Errorf("reapi: %q is not the name of a directory entry", name)
		case seen[name]:
			return fmt.Errorf("reapi: %q stands twice in a directory", name)
		case !whole:
			return fmt.Errorf("reapi: %q has no digest or target", name)
		}
		seen[name] = true
		return nil
	}
	for _, n := range d.Files {
		if err := checkName(n.Name, !n.Digest.IsZero()); err != nil {
			return err
		}
	}
	for _, n := range d.Directories {
		if err := checkName(n.Name, !n.Digest.IsZero()); err != nil {
			return err
		}
	}
	for _, n := range d.Symlinks {
		if err := checkName(n.Name, n.Target != ""); err != nil {
			return err
		}
	}
	return nil
}

// DecodeDirectory reads a message in canonical form.
func DecodeDirectory(message []byte) (Directory, error) {
	var d Directory
	return decode("directory", message, &d, func(f field) error {
		e, err := f.entry()
		switch {
		case err != nil:
			return err
		case f.num == 1 && e.target == "":
			d.Files = append(d.Files, FileNode{e.name, e.digest, e.executable})
		case f.num == 2 && e.target == "" && !e.executable:
			d.Directories = append(d.Directories, DirectoryNode{e.name, e.digest})
		case f.num == 3 && e.digest.IsZero() && !e.executable:
			d.Symlinks = append(d.Symlinks, SymlinkNode{e.name, e.target})
		default:
			return errUnknown
		}
		return nil
	})
}

// entry is a node of any of the three lists.
type entry struct {
	name, target string
	digest       digest.Digest
	executable   bool
}

// entry reads a node. Field 2 is the target in the list of symbolic links (3) and a digest in the two others.
func (f field) entry() (entry, error) {
	var e entry
	list := f.num
	err := f.message(func(f field) (err error) {
		switch {
		case f.num == 1:
			e.name, err = f.text()
		case f.num == 2 && list == 3:
			e.target, err = f.text()
		case f.num == 2:
			e.digest, err = f.digest()
		case f.num == 4:
			e.executable, err = f.flag()
		default:
			err = errUnknown
		}
		return err
	})
	return e, err
}

// Directories encodes a tree as the Merkle tree of an input root: one message a directory, each once, what a directory
// holds before the directory itself and the root last. Owners, times and all modes but a file's execute bit are not in
// it: two trees that differ in nothing else have one root. Kinds the API cannot hold (devices, fifos) are refused.
func Directories(t tree.Tree) (root digest.Digest, messages [][]byte, err error) {
	dirs := map[string]*Directory{".": {}}
	order := []string{"."}
	for n := range t.Nodes() {
		dir, name := dirs[path.Dir(n.Path)], path.Base(n.Path)
		switch n.Kind {
		case tree.File:
			dir.Files = append(dir.Files, FileNode{name, n.Content, n.Executable()})
		case tree.Symlink:
			dir.Symlinks = append(dir.Symlinks, SymlinkNode{name, n.Target})
		case tree.Dir:
			dirs[n.Path] = &Directory{}
			order = append(order, n.Path)
		default:
			return digest.Digest{}, nil, fmt.Errorf("reapi: %q: a directory message cannot hold a %v", n.Path, n.Kind)
		}
	}
	seen := make(map[digest.Digest]bool, len(order))
	for _, name := range slices.Backward(order) { // a directory sorts before what it holds
		message, err := dirs[name].Encode()
		if err != nil {
			return digest.Digest{}, nil, fmt.Errorf("%q: %w", name, err)
		}
		root = digest.Of(message)
		if !seen[root] {
			seen[root] = true
			messages = append(messages, message)
		}
		if name != "." {
			parent := dirs[path.Dir(name)]
			parent.Directories = append(parent.Directories, DirectoryNode{path.Base(name), root})
		}
	}
	return root, messages, nil
}

// maxPath bounds the paths Tree makes; Linux opens none that is longer.
const maxPath = 4096

// Tree reads the tree of an input root, which is what Directories wrote. Read gives the message of a digest, verified.
// Files are of mode 0644 or 0755, directories 0755, links 0777. More than maxNodes nodes are refused: a few small
// messages can name each other into a tree of any size.
func Tree(root digest.Digest, maxNodes int, read func(digest.Digest) ([]byte, error)) (tree.Tree, error) {
	type work struct {
		path   string
		digest digest.Digest
	}
	var nodes []tree.Node
	known := make(map[digest.Digest]Directory)
	for queue := []work{{"", root}}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		dir, ok := known[at.digest]
		if !ok {
			message, err := read(at.digest)
			if err != nil {
				return tree.Tree{}, fmt.Errorf("reapi: directory %q: %w", at.path, err)
			}
			if dir, err = DecodeDirectory(message); err != nil {
				return tree.Tree{}, fmt.Errorf("%q: %w", at.path, err)
			}
			known[at.digest] = dir
		}
		nodes = append(nodes, dir.nodes(at.path)...)
		if len(nodes) > maxNodes {
			return tree.Tree{}, fmt.Errorf("reapi: directory %q: more than %d nodes in the tree", at.path, maxNodes)
		}
		for _, n := range dir.Directories {
			if len(at.path)+len(n.Name) >= maxPath {
				return tree.Tree{}, fmt.Errorf("reapi: directory %q: path of more than %d bytes", at.path, maxPath)
			}
			queue = append(queue, work{path.Join(at.path, n.Name), n.Digest})
		}
	}
	return tree.New(nodes...)
}

// nodes are the entries of a directory that stands at a path of a tree.
func (d Directory) nodes(at string) []tree.Node {
	nodes := make([]tree.Node, 0, len(d.Files)+len(d.Directories)+len(d.Symlinks))
	for _, n := range d.Files {
		mode := uint32(0o644)
		if n.Executable {
			mode = 0o755
		}
		nodes = append(nodes, tree.Node{Path: path.Join(at, n.Name), Kind: tree.File, Mode: mode, Content: n.Digest})
	}
	for _, n := range d.Directories {
		nodes = append(nodes, tree.Node{Path: path.Join(at, n.Name), Kind: tree.Dir, Mode: 0o755})
	}
	for _, n := range d.Symlinks {
		nodes = append(nodes, tree.Node{Path: path.Join(at, n.Name), Kind: tree.Symlink, Mode: 0o777, Target: n.Target})
	}
	return nodes
}
