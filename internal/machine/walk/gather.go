// SPDX-License-Identifier: MIT

package walk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/tree"
)

// ExportError says which export is missing or cannot be one. It is a failure of the job, not of the machine.
type ExportError struct{ Detail string }

func (e *ExportError) Error() string { return e.Detail }

// Gather reads the exports of a job back from its root directory, in which nothing runs any more. Keep is given each
// node once, parents first, without content; for a file it is given the open file and its size too. The directories an
// export lies in are nodes as well. An export that does not exist, or is or holds something else than files, directories
// and links that stay in the tree, is an *ExportError.
func Gather(root string, exports []string, keep func(n tree.Node, f *os.File, size int64) error) error {
	for _, dir := range machine.Parents(exports) {
		if err := checkParent(root, dir); err != nil {
			return err
		}
		if err := keep(tree.Node{Path: dir, Kind: tree.Dir, Mode: machine.ModeDir}, nil, 0); err != nil {
			return err
		}
	}
	for _, name := range exports {
		if err := gather(root, name, keep); err != nil {
			return err
		}
	}
	return nil
}

// checkParent sees to it that no link takes the place of a directory above an export.
func checkParent(root, dir string) error {
	info, err := os.Lstat(filepath.Join(root, dir))
	if err != nil || !info.IsDir() {
		return &ExportError{fmt.Sprintf("no directory %q", dir)}
	}
	return nil
}

func gather(root, name string, keep func(tree.Node, *os.File, int64) error) error {
	at := filepath.Join(root, name)
	info, err := os.Lstat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return &ExportError{fmt.Sprintf("no file %q", name)}
	}
	if err != nil {
		return err
	}
	switch info.Mode().Type() {
	case 0:
		return gatherFile(at, name, info, keep)
	case fs.ModeDir:
		return gatherDir(root, name, keep)
	case fs.ModeSymlink:
		target, err := os.Readlink(at)
		if err != nil {
			return err
		}
		if !machine.Inside(name, target) {
			return &ExportError{fmt.Sprintf("the link %q has the target %q outside of the tree", name, target)}
		}
		return keep(tree.Node{Path: name, Kind: tree.Symlink, Mode: machine.ModeSymlink, Target: target}, nil, 0)
	}
	return &ExportError{fmt.Sprintf("%q is neither file, directory nor link: %v", name, info.Mode().Type())}
}

func gatherFile(at, name string, info fs.FileInfo, keep func(tree.Node, *os.File, int64) error) error {
	n := tree.Node{Path: name, Kind: tree.File, Mode: machine.ModeFile}
	if info.Mode()&0o111 != 0 {
		n.Mode = machine.ModeExecutable
	}
	if info.Mode()&0o400 == 0 { // a step may take the permission away; the export is still its output
		if err := os.Chmod(at, fs.FileMode(n.Mode)); err != nil {
			return err
		}
	}
	f, err := os.Open(at)
	if err != nil {
		return err
	}
	err = keep(n, f, info.Size())
	return errors.Join(err, f.Close())
}

func gatherDir(root, name string, keep func(tree.Node, *os.File, int64) error) error {
	if err := keep(tree.Node{Path: name, Kind: tree.Dir, Mode: machine.ModeDir}, nil, 0); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(root, name))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := gather(root, path.Join(name, e.Name()), keep); err != nil {
			return err
		}
	}
	return nil
}
