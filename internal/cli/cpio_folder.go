// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/tree"
)

// scan is how a folder becomes a tree.
type scan struct {
	owners, times bool // kept, and not 0
}

// sources tells where content was found.
type sources map[digest.Digest]string

// folder reads a folder as a tree, and tells where the content of its files is.
func (s scan) folder(ctx context.Context, dir string) (tree.Tree, sources, error) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return tree.Tree{}, nil, fault.New(fault.Usage, "not a folder")
	}
	files := make(sources)
	var nodes []tree.Node
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		rel, relErr := filepath.Rel(dir, name)
		if err = errors.Join(err, relErr); err != nil || rel == "." {
			return err
		}
		n, err := s.node(ctx, name, e)
		if err != nil {
			return err
		}
		n.Path = filepath.ToSlash(rel)
		if n.Kind == tree.File {
			files[n.Content] = name
		}
		nodes = append(nodes, n)
		return nil
	})
	if err != nil {
		return tree.Tree{}, nil, err
	}
	t, err := tree.New(nodes...)
	return t, files, err
}

// node is the node of a file, without its path.
func (s scan) node(ctx context.Context, name string, e fs.DirEntry) (tree.Node, error) {
	info, err := e.Info()
	if err != nil {
		return tree.Node{}, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return tree.Node{}, fmt.Errorf("%s: the system tells nothing of it", name)
	}
	n := tree.Node{Mode: stat.Mode & 0o7777}
	if s.owners {
		n.UID, n.GID = stat.Uid, stat.Gid
	}
	if s.times {
		n.ModTime = info.ModTime().Unix()
	}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		n.Kind = tree.File
		n.Content, err = digestOf(ctx, name)
	case unix.S_IFDIR:
		n.Kind = tree.Dir
	case unix.S_IFLNK:
		n.Kind = tree.Symlink
		n.Target, err = os.Readlink(name)
	case unix.S_IFIFO:
		n.Kind = tree.Fifo
	case unix.S_IFCHR:
		n.Kind, n.Major, n.Minor = tree.CharDevice, unix.Major(stat.Rdev), unix.Minor(stat.Rdev)
	case unix.S_IFBLK:
		n.Kind, n.Major, n.Minor = tree.BlockDevice, unix.Major(stat.Rdev), unix.Minor(stat.Rdev)
	default:
		err = fault.New(fault.Usage, "%s: a socket, which an initramfs cannot hold", name).
			WithHint("remove it from the folder; a program makes its sockets by itself")
	}
	return n, err
}

func digestOf(ctx context.Context, name string) (digest.Digest, error) {
	f, err := os.Open(name)
	if err != nil {
		return digest.Digest{}, err
	}
	defer f.Close()
	return forget(ctx)(f)
}

// open reads content, and fails at its end where the file has changed since.
func (s sources) open(ctx context.Context, d digest.Digest) (io.ReadCloser, error) {
	f, err := os.Open(s[d])
	if err != nil {
		return nil, err
	}
	return &unchanged{f: f, ctx: ctx, want: d, sum: digest.NewHasher()}, nil
}

// unchanged is a file whose content is known.
type unchanged struct {
	f    *os.File
	ctx  context.Context
	want digest.Digest
	sum  *digest.Hasher
}

// Read gives bytes of the file, and an error in place of io.EOF where they are others than they were.
func (u *unchanged) Read(p []byte) (int, error) {
	n, err := reading{u.ctx, u.f}.Read(p)
	_, _ = u.sum.Write(p[:n]) // never fails
	if err == io.EOF && u.sum.Digest() != u.want {
		err = fault.New(fault.Mismatch, "%s has changed while it was packed", u.f.Name())
	}
	return n, err
}

func (u *unchanged) Close() error { return u.f.Close() }
