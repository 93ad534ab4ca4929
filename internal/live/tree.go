// SPDX-License-Identifier: MIT

package live

import (
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/tree"
)

// Entry is a file or a folder that a medium carries. A file has its content in one of four places: a file of the host,
// a text made here, a distfile, an archive to start from. Modes are 0755 and 0644, and there are no times, so that two
// clones of one commit come to the same media: builder-hex0 has neither, and the guest does not go by them.
type Entry struct {
	Path string      // from the tree's root, without a slash in front
	Mode fs.FileMode // permission bits, and fs.ModeDir of a folder
	Size int64       // of a file, in bytes; -1 of a distfile that is not held

	Host     string         // absolute path of the file with the content; or
	Distfile *distfile.File // whose content it is; or
	Text     string         // the content

	Target   string        // of a symbolic link; then all of the above is empty
	archived digest.Digest // the content is in the archive to start from
}

// Distfiles gives distfiles that the host holds.
type Distfiles interface {
	// Size is the size of a distfile, in bytes; false where it is not held.
	Size(f distfile.File) (int64, bool)
	// Open gives its content. Where that turns out to be another than its SHA-256 says, the reader gives a fault of kind
	// Mismatch in place of the end. The caller closes it.
	Open(f distfile.File) (io.ReadCloser, error)
}

// Cache gives distfiles by the SHA-256 of their content, verified.
type Cache interface {
	// Size is the size of content that is held, in bytes; false where it is not held.
	Size(sha256 string) (int64, bool)
	// Open gives content that is held, checked while it is read. The caller closes it.
	Open(sha256 string) (io.ReadCloser, error)
}

// Hold is what the host holds of a checkout's distfiles: what a cache has, and what lies in the checkout's own folder of
// distfiles under the right name. A cache that is nil has nothing.
func (c *Checkout) Hold(cache Cache) Distfiles { return held{c.at(distfileDir), cache} }

type held struct {
	folder string
	cache  Cache
}

func (h held) Size(f distfile.File) (int64, bool) {
	if h.cache != nil {
		if size, ok := h.cache.Size(f.SHA256); ok {
			return size, true
		}
	}
	info, err := os.Stat(path.Join(h.folder, f.Name))
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	return info.Size(), true
}

func (h held) Open(f distfile.File) (io.ReadCloser, error) {
	if h.cache != nil {
		if _, ok := h.cache.Size(f.SHA256); ok {
			return h.cache.Open(f.SHA256)
		}
	}
	file, err := os.Open(path.Join(h.folder, f.Name))
	if err != nil {
		return nil, fault.New(fault.NotFound, "distfile %s: not held", f.Name).
			WithHint("rung live fetch brings it, or put it into %s", h.folder)
	}
	return verify(file, "distfile "+file.Name(), f.SHA256, "remove the file, and run rung live fetch"), nil
}

// entries is a list of entries that form a tree.
type entries []Entry

// digested is the tree as a format takes it, and where each file's content is. Files of the host are read for their
// digests; distfiles that are not held are left out, and counted.
func (all entries) digested() (tree.Tree, map[string]Entry, error) {
	at := make(map[string]Entry, len(all))
	nodes := make([]tree.Node, 0, len(all))
	for _, e := range all {
		n := tree.Node{Path: e.Path, Kind: tree.Dir, Mode: uint32(e.Mode.Perm())}
		if e.Target != "" {
			n.Kind, n.Mode, n.Target = tree.Symlink, 0o777, e.Target
		} else if !e.Mode.IsDir() {
			sum, err := e.digest()
			if err != nil {
				return tree.Tree{}, nil, err
			}
			if sum.IsZero() {
				continue
			}
			n.Kind, n.Content = tree.File, sum
			at[e.Path] = e
		}
		nodes = append(nodes, n)
	}
	t, err := tree.New(nodes...)
	if err != nil {
		return tree.Tree{}, nil, fault.New(fault.Usage, "media: %w", err)
	}
	return t, at, nil
}

// digest is that of the content; zero of a distfile that is not held.
func (e Entry) digest() (digest.Digest, error) {
	switch {
	case !e.archived.IsZero():
		return e.archived, nil
	case e.Distfile != nil && e.Size < 0:
		return digest.Digest{}, nil
	case e.Distfile != nil:
		return digest.FromHex(e.Distfile.SHA256, e.Size)
	case e.Host != "":
		return digestFile(e.Host)
	}
	return digest.Of([]byte(e.Text)), nil
}

// open gives the content.
func (e Entry) open(from Distfiles) (io.ReadCloser, error) {
	switch {
	case e.Distfile != nil:
		return from.Open(*e.Distfile)
	case e.Host != "":
		f, err := os.Open(e.Host)
		if err != nil {
			return nil, readFault("checkout", err)
		}
		return f, nil
	}
	return io.NopCloser(strings.NewReader(e.Text)), nil
}

// below moves a tree into a folder.
func (all entries) below(dir string) entries {
	moved := make(entries, len(all))
	for i, e := range all {
		e.Path = path.Join(dir, e.Path)
		moved[i] = e
	}
	return moved
}

// bytes is the size of all files, as far as it is known, and how many are not held.
func (all entries) bytes() (known int64, missing int) {
	for _, e := range all {
		if e.Size < 0 {
			missing++
		} else {
			known += e.Size
		}
	}
	return known, missing
}
