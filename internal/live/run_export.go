// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/tarball"
	"github.com/rung-build/rung/internal/tree"
)

// Exported is an archive of a finished target.
type Exported struct {
	File   string        `json:"file"`
	Digest digest.Digest `json:"digest"`
	Files  int           `json:"files"`
}

// Export writes what a finished run in a chroot or bubblewrap has made as a tar archive, whole or not at all: owners
// and times are 0, entries are sorted, what rung has put there and what only a running system has is left out. The
// same target gives the same archive.
func Export(ctx context.Context, target, file string) (Exported, error) {
	state, found, err := readState(filepath.Join(target, runDir))
	switch {
	case err != nil:
		return Exported{}, err
	case !found:
		return Exported{}, fault.New(fault.NotFound, "target %s: no run in it",
			target).WithHint("name the folder given to rung live run as --target")
	case len(state.Media) != 1 || state.Media[0].Shape != Folder:
		return Exported{}, fault.New(fault.Usage, "target %s: of a virtual machine, whose system is in an image", target).
			WithHint("copy the image: it boots by itself")
	case !state.Ended:
		return Exported{}, fault.New(fault.Usage, "target %s: its run has not come to its end",
			target).WithHint("run it to its end")
	}
	x := &exporter{ctx: ctx, root: target, at: map[digest.Digest]string{}}
	if err := filepath.WalkDir(target, x.visit); err != nil {
		return Exported{}, writeFault(ctx, "export", err)
	}
	t, err := tree.New(x.nodes...)
	if err != nil {
		return Exported{}, fault.New(fault.Usage, "export: %w", err)
	}
	sum, err := x.write(file, t)
	if err != nil {
		return Exported{}, errors.Join(writeFault(ctx, "export "+file, err), os.RemoveAll(file+".partial"))
	}
	return Exported{file, sum, t.Len()}, nil
}

// exporter walks a target.
type exporter struct {
	ctx   context.Context
	root  string
	nodes []tree.Node
	at    map[digest.Digest]string // a file with this content
}

// visit takes a file into the tree.
func (x *exporter) visit(name string, e fs.DirEntry, err error) error {
	if err == nil {
		err = x.ctx.Err()
	}
	if err != nil || name == x.root {
		return err
	}
	rel, err := filepath.Rel(x.root, name)
	if err != nil {
		return err
	}
	top, _, below := strings.Cut(rel, "/")
	if top == runDir || below && slices.Contains([]string{"dev", "proc", "sys", "tmp"}, top) {
		if e.IsDir() {
			return filepath.SkipDir
		}
		return nil
	}
	info, err := e.Info()
	if err != nil {
		return err
	}
	n := tree.Node{Path: filepath.ToSlash(rel), Mode: unixMode(info.Mode())}
	switch {
	case info.IsDir():
		n.Kind = tree.Dir
	case info.Mode().IsRegular():
		n.Kind = tree.File
		n.Content, err = digestFile(name)
		x.at[n.Content] = name
	case info.Mode()&fs.ModeSymlink != 0:
		n.Kind, n.Mode = tree.Symlink, 0o777
		n.Target, err = os.Readlink(name)
	default:
		return nil // sockets and the like are of a running system
	}
	x.nodes = append(x.nodes, n)
	return err
}

// unixMode are the permission, set-id and sticky bits as Unix has them.
func unixMode(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	for bit, is := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if m&is != 0 {
			mode |= bit
		}
	}
	return mode
}

// write writes the archive.
func (x *exporter) write(file string, t tree.Tree) (digest.Digest, error) {
	f, err := os.Create(file + ".partial")
	if err != nil {
		return digest.Digest{}, err
	}
	sum := digest.NewHasher()
	err = tarball.Encode(io.MultiWriter(f, sum), t, func(d digest.Digest) (io.ReadCloser, error) {
		r, err := os.Open(x.at[d])
		if err != nil {
			return nil, err
		}
		return watched{r, x.ctx, func(int64) {}}, nil
	})
	if err = errors.Join(err, f.Close()); err != nil {
		return digest.Digest{}, err
	}
	return sum.Digest(), os.Rename(file+".partial", file)
}
