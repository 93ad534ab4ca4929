// SPDX-License-Identifier: MIT

package walk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/tree"
)

// Place lays a job's inputs out in an empty directory, and makes the directories that will hold exports. Fill writes the
// content of a file, in the order of the nodes. Modes are those of the nodes, but for the directories that hold exports,
// which are 0755; times are all 0, so that the time of day does not show.
func Place(root string, nodes []tree.Node, exports []string, fill func(*os.File, tree.Node) error) error {
	for _, n := range nodes {
		if err := place(filepath.Join(root, n.Path), n, fill); err != nil {
			return fmt.Errorf("input %q: %w", n.Path, err)
		}
	}
	open := machine.Parents(exports)
	for _, dir := range open {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("export directory %q: %w", dir, err)
		}
	}
	for _, n := range slices.Backward(nodes) { // what a directory holds before the directory, which then changes no more
		if n.Kind != tree.Dir || slices.Contains(open, n.Path) {
			continue
		}
		at := filepath.Join(root, n.Path)
		if err := errors.Join(os.Chtimes(at, time.Unix(0, 0), time.Unix(0, 0)), os.Chmod(at, fs.FileMode(n.Mode))); err != nil {
			return fmt.Errorf("input %q: %w", n.Path, err)
		}
	}
	return nil
}

func place(at string, n tree.Node, fill func(*os.File, tree.Node) error) error {
	switch n.Kind {
	case tree.Dir:
		return os.Mkdir(at, 0o755)
	case tree.Symlink:
		return os.Symlink(n.Target, at)
	case tree.File:
		return placeFile(at, n, fill)
	}
	return fmt.Errorf("a job's tree cannot hold a %v", n.Kind)
}

func placeFile(at string, n tree.Node, fill func(*os.File, tree.Node) error) (err error) {
	f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := fill(f, n); err != nil {
		return err
	}
	if err := f.Chmod(fs.FileMode(n.Mode)); err != nil {
		return err
	}
	return os.Chtimes(at, time.Unix(0, 0), time.Unix(0, 0))
}
