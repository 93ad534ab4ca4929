// SPDX-License-Identifier: MIT

// Package tarball encodes a tree as a tar stream and reads one back.
//
// Encode writes ustar, and PAX records only for what ustar cannot hold, in the order of the tree: one tree and one Go
// release give one stream. A stream is a vehicle, not an identity: a tree is known by the digest of its directories, so
// that nothing hangs on the bytes archive/tar chooses.
//
// Decode is strict: a name that is not clean, a link that leaves the tree, a name that stands twice, a sparse file, an
// unknown type, a missing end mark, bytes after it, or more than the limits allow is an error that names the entry, and
// nothing is returned beside it. A size that a header claims is compared, never believed. What a tree does not hold is
// dropped: names of owners, fractions of seconds, extended attributes.
//
// Left out on purpose: compression, which is a stream around this one, and sparse files.
//
// Specification: POSIX.1-2024, pax, "pax interchange format" and "ustar interchange format".
package tarball

import (
	"archive/tar"
	"fmt"
	"io"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

// Encode writes a tree. The content of each file is read with open, and its size compared with the tree's.
func Encode(w io.Writer, t tree.Tree, open func(digest.Digest) (io.ReadCloser, error)) error {
	tw := tar.NewWriter(w)
	for n := range t.Nodes() {
		if err := tw.WriteHeader(header(n)); err != nil {
			return fmt.Errorf("tarball: %q: %w", n.Path, err)
		}
		if n.Kind != tree.File {
			continue
		}
		if err := writeContent(tw, n.Content, open); err != nil {
			return fmt.Errorf("tarball: %q: %w", n.Path, err)
		}
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("tarball: %w", err)
	}
	return nil
}

func writeContent(w io.Writer, d digest.Digest, open func(digest.Digest) (io.ReadCloser, error)) error {
	r, err := open(d)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(w, r)
	if err != nil {
		return err
	}
	if n != d.Size() {
		return fmt.Errorf("content of %d bytes; want the %d of %v", n, d.Size(), d)
	}
	return nil
}

// types are the type flags of the kinds; see header and kinds.
var types = [...]byte{
	tree.File:        tar.TypeReg,
	tree.Dir:         tar.TypeDir,
	tree.Symlink:     tar.TypeSymlink,
	tree.CharDevice:  tar.TypeChar,
	tree.BlockDevice: tar.TypeBlock,
	tree.Fifo:        tar.TypeFifo,
}

// header is a node's header. Its format is left open, so that archive/tar takes the plainest that holds it.
func header(n tree.Node) *tar.Header {
	h := &tar.Header{
		Typeflag: types[n.Kind], Name: n.Path, Linkname: n.Target, Size: n.Content.Size(), Mode: int64(n.Mode),
		Uid: int(n.UID), Gid: int(n.GID), ModTime: time.Unix(n.ModTime, 0),
		Devmajor: int64(n.Major), Devminor: int64(n.Minor),
	}
	if n.Kind == tree.Dir {
		h.Name += "/"
	}
	return h
}
