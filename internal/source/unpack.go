// SPDX-License-Identifier: MIT

package source

import (
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/compressed"
	"github.com/rung-build/rung/internal/format/reapi"
	"github.com/rung-build/rung/internal/format/tarball"
	"github.com/rung-build/rung/internal/tree"
)

// Limits of what is unpacked. The largest source that anybody bootstraps from, a kernel, has some 80,000 files in 1.4
// GB; the best packed one comes to 15 times its packed size.
const (
	maxFiles    = 200_000
	maxUnpacked = 4 << 30  // bytes of the tar stream
	maxRatio    = 100      // unpacked bytes for a packed one
	freeRatio   = 16 << 20 // unpacked bytes that any file may come to, whatever its ratio
	maxPath     = 1024     // bytes
)

// Unpacked is what an archive holds.
type Unpacked struct {
	Tree     tree.Tree     // files of mode 0444 or 0555, directories 0555, links 0777; owner 0, time 0
	Root     digest.Digest // of the tree: that of its root Directory in the Remote Execution API's form
	Messages [][]byte      // all its Directories, see reapi.Directories
}

// Unpack reads a tar archive of some size, as it is or packed with gzip, bzip2 or xz. The content of each file is
// given to put. With strip 1, the single directory that has to hold everything is taken away.
//
// What is hostile is refused by name: absolute paths, "..", links that lead out of the tree, devices, sparse files,
// names that stand twice, archives that are cut off or have bytes behind their end, and bombs. Those errors are faults
// of kind Limit for what is too much, and of kind Mismatch for all else.
func Unpack(r io.ReadSeeker, size int64, strip int, put func(io.Reader) (digest.Digest, error)) (Unpacked, error) {
	most := int64(freeRatio)
	if size > freeRatio/maxRatio {
		most = min(size, maxUnpacked/maxRatio) * maxRatio
	}
	stream, _, err := compressed.NewReader(r, most)
	if err != nil {
		return Unpacked{}, unpackFault(err, size)
	}
	limits := tarball.Limits{Files: maxFiles, Bytes: most, Path: maxPath}
	t, err := tarball.Decode(stream, limits, put)
	if err != nil {
		return Unpacked{}, unpackFault(err, size)
	}
	if strip == 1 {
		if t, err = stripped(t); err != nil {
			return Unpacked{}, unpackFault(err, size)
		}
	}
	if t, err = normal(t); err != nil {
		return Unpacked{}, unpackFault(err, size)
	}
	root, messages, err := reapi.Directories(t)
	if err != nil {
		return Unpacked{}, unpackFault(err, size)
	}
	return Unpacked{t, root, messages}, nil
}

// unpackFault gives an error of unpacking its kind. Errors that come from put keep theirs.
func unpackFault(err error, size int64) error {
	var stream *compressed.LimitError
	var archive *tarball.LimitError
	var known *fault.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &archive):
		return fault.New(fault.Limit, "archive of %d bytes, a bomb perhaps: %w", size, archive)
	case errors.As(err, &stream):
		return fault.New(fault.Limit, "archive of %d bytes, a bomb perhaps: %w", size, stream)
	}
	return fault.New(fault.Mismatch, "archive: %w", err)
}

// stripped is what lies in the single directory that holds everything.
func stripped(t tree.Tree) (tree.Tree, error) {
	var top tree.Node
	for n := range t.Nodes() {
		if path.Dir(n.Path) != "." {
			continue
		}
		if top.Path != "" || n.Kind != tree.Dir {
			return tree.Tree{}, fmt.Errorf("%q: not everything lies in one directory, which strip = 1 would take away", n.Path)
		}
		top = n
	}
	if top.Path == "" {
		return tree.Tree{}, errors.New("nothing in it, not even the directory that strip = 1 would take away")
	}
	return t.Sub(top.Path)
}

// The modes of what was unpacked, which are those of a job's inputs.
const (
	modeFile       = 0o444
	modeExecutable = 0o555
	modeDir        = 0o555
	modeLink       = 0o777
)

// normal is a tree without owners, times, and modes beyond a file's execute permission. It refuses links that lead out
// of the tree, which those of a stripped tree may do.
func normal(t tree.Tree) (tree.Tree, error) {
	nodes := make([]tree.Node, 0, t.Len())
	for n := range t.Nodes() {
		if n.Escapes() {
			return tree.Tree{}, fmt.Errorf("%q: the link to %q may leave the tree", n.Path, n.Target)
		}
		mode := uint32(modeFile)
		switch {
		case n.Kind == tree.Dir:
			mode = modeDir
		case n.Kind == tree.Symlink:
			mode = modeLink
		case n.Executable():
			mode = modeExecutable
		}
		nodes = append(nodes, tree.Node{Path: n.Path, Kind: n.Kind, Mode: mode, Content: n.Content, Target: n.Target})
	}
	return tree.New(nodes...)
}

// hashed is a put that keeps nothing.
func hashed(r io.Reader) (digest.Digest, error) {
	h := digest.NewHasher()
	if _, err := io.Copy(h, r); err != nil {
		return digest.Digest{}, err
	}
	return h.Digest(), nil
}
