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

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// land puts the exports of stages into DIR/STAGE/NAME. A file appears whole or not at all, under a name of its own
// first and then renamed; one that is there already and equal is left alone, one that differs is replaced.
func land(ctx context.Context, blobs store.Blobs, dir string, stages []chain.Done) error {
	for _, done := range stages {
		for n := range done.Outputs.Nodes() {
			target := filepath.Join(dir, done.Stage.Name, filepath.FromSlash(n.Path))
			if err := landNode(ctx, blobs, target, n); err != nil {
				return landFault(err, n)
			}
		}
	}
	return nil
}

// landFault names a full disk or a folder that cannot be written for what it is.
func landFault(err error, n tree.Node) error {
	var corrupt *store.CorruptError
	var missing *store.MissingError
	switch {
	case errors.As(err, &corrupt), errors.As(err, &missing):
		return fmt.Errorf("artefact %q: %w", n.Path, err)
	case errors.Is(err, context.Canceled):
		return fault.New(fault.Interrupted, "interrupted: %w", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOSPC),
		errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.ENOTDIR):
		return fault.New(fault.Unavailable, "artefact %q: %w", n.Path, err).
			WithHint("name another folder for the artefacts with --out DIR")
	}
	return fmt.Errorf("artefact %q: %w", n.Path, err)
}

func landNode(ctx context.Context, blobs store.Blobs, target string, n tree.Node) error {
	if n.Kind == tree.Dir {
		return os.MkdirAll(target, 0o777)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
		return err
	}
	if n.Kind == tree.Symlink {
		return landLink(target, n.Target)
	}
	if landed(target, n) {
		return nil
	}
	content, err := blobs.Open(ctx, n.Content)
	if err != nil {
		return err
	}
	defer content.Close()
	return replace(target, content, n.Executable())
}

// landed tells whether a file is there already, with the right bytes and the right execute permission.
func landed(target string, n tree.Node) bool {
	info, err := os.Lstat(target)
	if err != nil || !info.Mode().IsRegular() || info.Size() != n.Content.Size() ||
		(info.Mode()&0o100 != 0) != n.Executable() {
		return false
	}
	d, err := fileDigest(target)
	return err == nil && d == n.Content
}

func fileDigest(name string) (digest.Digest, error) {
	f, err := os.Open(name)
	if err != nil {
		return digest.Digest{}, err
	}
	defer f.Close()
	h := digest.NewHasher()
	_, err = io.Copy(h, f)
	return h.Digest(), err
}

// replace writes a file beside its target and renames it into place.
func replace(target string, content io.Reader, executable bool) (err error) {
	f, err := os.CreateTemp(filepath.Dir(target), ".rung-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = io.Copy(f, content); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}

// landLink makes a symbolic link, in place of an earlier one that leads elsewhere.
func landLink(target, to string) error {
	if old, err := os.Readlink(target); err == nil && old == to {
		return nil
	}
	temp := filepath.Join(filepath.Dir(target), fmt.Sprintf(".rung-%d-%s", os.Getpid(), filepath.Base(target)))
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(to, temp); err != nil {
		return err
	}
	return os.Rename(temp, target)
}
