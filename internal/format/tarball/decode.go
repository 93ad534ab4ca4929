// SPDX-License-Identifier: MIT

package tarball

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

// Decode reads a stream to its end. The content of each file is given to put, in the order of the stream.
func Decode(r io.Reader, limits Limits, put func(io.Reader) (digest.Digest, error)) (tree.Tree, error) {
	in := &input{r: r, max: limits.stream()}
	d := decoder{in: in, tr: tar.NewReader(in), limits: limits, put: put, nodes: make(map[string]tree.Node)}
	for {
		h, err := d.tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return tree.Tree{}, fmt.Errorf("tarball: after %q: %w", d.last, noEOF(err))
		}
		d.last = h.Name
		if err := d.entry(h); err != nil {
			return tree.Tree{}, err
		}
		d.end = in.n
	}
	if err := d.finish(); err != nil {
		return tree.Tree{}, err
	}
	return tree.New(slices.Collect(maps.Values(d.nodes))...)
}

type decoder struct {
	in     *input
	tr     *tar.Reader
	limits Limits
	put    func(io.Reader) (digest.Digest, error)
	nodes  map[string]tree.Node
	last   string // name of the entry read last, as the stream has it
	count  int64  // entries so far
	bytes  int64  // content so far
	end    int64  // where the last entry ended
}

// entry takes one entry of the stream.
func (d *decoder) entry(h *tar.Header) error {
	if d.count++; d.count > d.limits.Files {
		return &LimitError{h.Name, "files", d.limits.Files}
	}
	if h.Typeflag == tar.TypeXGlobalHeader {
		return checkGlobal(h)
	}
	if longest := max(len(h.Name), len(h.Linkname)); longest > d.limits.Path {
		return &LimitError{h.Name[:min(len(h.Name), d.limits.Path)], "bytes of path", int64(d.limits.Path)}
	}
	name, err := cleanName(h)
	if err != nil || name == "." {
		return err // the root directory itself has no node
	}
	if _, twice := d.nodes[name]; twice {
		return fmt.Errorf("tarball: %q stands twice", name)
	}
	n, err := d.node(name, h)
	if err != nil {
		return fmt.Errorf("tarball: %q: %w", name, err)
	}
	d.nodes[name] = n
	return nil
}

// checkGlobal allows the one kind of global header that means nothing for the entries: the comment with the commit that
// git archive writes.
func checkGlobal(h *tar.Header) error {
	for key := range h.PAXRecords {
		if key != "comment" {
			return fmt.Errorf("tarball: global header with %q", key)
		}
	}
	return nil
}

// cleanName is the path an entry's name stands for: a leading "./" and a directory's slash are habits of tar.
func cleanName(h *tar.Header) (string, error) {
	name := h.Name
	if h.Typeflag == tar.TypeDir {
		name = strings.TrimSuffix(name, "/")
	}
	if trimmed := strings.TrimPrefix(name, "./"); trimmed != "" {
		name = trimmed
	}
	if name == "." && h.Typeflag == tar.TypeDir {
		return name, nil
	}
	if name == "." || name == ".." || strings.HasPrefix(name, "../") || path.IsAbs(name) || path.Clean(name) != name {
		return "", fmt.Errorf("tarball: %q is not a clean relative path", h.Name)
	}
	return name, nil
}

// node makes an entry's node and puts its content where there is some.
func (d *decoder) node(name string, h *tar.Header) (tree.Node, error) {
	n := tree.Node{Path: name, ModTime: h.ModTime.Unix()}
	var err error
	if n.Mode, err = mode(h.Mode); err != nil {
		return tree.Node{}, err
	}
	if n.UID, err = narrow("owner", int64(h.Uid)); err != nil {
		return tree.Node{}, err
	}
	if n.GID, err = narrow("group", int64(h.Gid)); err != nil {
		return tree.Node{}, err
	}
	switch h.Typeflag {
	case tar.TypeReg:
		n.Kind = tree.File
		n.Content, err = d.content(h)
	case tar.TypeDir:
		n.Kind = tree.Dir
	case tar.TypeSymlink:
		n.Kind, n.Target = tree.Symlink, h.Linkname
		err = d.checkTarget(n)
	case tar.TypeLink:
		n, err = d.hardLink(name, h.Linkname)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		err = d.device(&n, h)
	default:
		err = fmt.Errorf("an entry of type %q", h.Typeflag)
	}
	return n, err
}

// mode takes the permissions of a mode field, in which some writers leave the file type's bits.
func mode(field int64) (uint32, error) {
	const typeBits = 0o170000 // S_IFMT
	if field&^(typeBits|0o7777) != 0 {
		return 0, fmt.Errorf("mode %#o", field)
	}
	return uint32(field & 0o7777), nil
}

func narrow(what string, field int64) (uint32, error) {
	if field < 0 || field > math.MaxUint32 {
		return 0, fmt.Errorf("%s %d does not fit", what, field)
	}
	return uint32(field), nil
}

// content puts a file's content and compares what was put with what the header claims.
func (d *decoder) content(h *tar.Header) (digest.Digest, error) {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return digest.Digest{}, errors.New("a sparse file")
		}
	}
	if h.Size > d.limits.Bytes-d.bytes {
		return digest.Digest{}, &LimitError{h.Name, "bytes of content", d.limits.Bytes}
	}
	sum, err := d.put(d.tr)
	if err != nil {
		return digest.Digest{}, err
	}
	if sum.Size() != h.Size {
		return digest.Digest{}, fmt.Errorf("content of %d bytes was kept; the header says %d", sum.Size(), h.Size)
	}
	d.bytes += h.Size
	return sum, nil
}

// checkTarget refuses a symbolic link that leaves the tree.
func (d *decoder) checkTarget(n tree.Node) error {
	if path.IsAbs(n.Target) && d.limits.AbsoluteLinks {
		return nil
	}
	if n.Escapes() {
		return fmt.Errorf("the link to %q may leave the tree", n.Target)
	}
	return nil
}

// hardLink is the node of an earlier entry under another name.
func (d *decoder) hardLink(name, target string) (tree.Node, error) {
	n, ok := d.nodes[strings.TrimPrefix(target, "./")]
	if !ok || n.Kind == tree.Dir {
		return tree.Node{}, fmt.Errorf("a hard link to %q, which is no file before it", target)
	}
	n.Path = name
	if n.Kind == tree.Symlink {
		return n, d.checkTarget(n)
	}
	return n, nil
}

func (d *decoder) device(n *tree.Node, h *tar.Header) (err error) {
	kinds := map[byte]tree.Kind{tar.TypeChar: tree.CharDevice, tar.TypeBlock: tree.BlockDevice, tar.TypeFifo: tree.Fifo}
	n.Kind = kinds[h.Typeflag]
	if !d.limits.Devices {
		return fmt.Errorf("a %v, which is not allowed here", n.Kind)
	}
	if n.Kind == tree.Fifo {
		return nil
	}
	if n.Major, err = narrow("major number", h.Devmajor); err != nil {
		return err
	}
	n.Minor, err = narrow("minor number", h.Devminor)
	return err
}

// finish demands the end mark, which archive/tar does not, and nothing but zeros after it. Padding of any length is
// common: GNU tar writes blocks of 10 KiB.
func (d *decoder) finish() error {
	lastBlock := (d.end + blockSize - 1) / blockSize * blockSize
	if d.in.n < lastBlock+2*blockSize || d.in.zeros < 2*blockSize {
		return fmt.Errorf("tarball: after %q: no end mark: %w", d.last, io.ErrUnexpectedEOF)
	}
	for buf := make([]byte, 4096); ; {
		n, err := d.in.Read(buf)
		if d.in.zeros < int64(n) {
			return fmt.Errorf("tarball: after %q: bytes after the end mark", d.last)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("tarball: after %q: %w", d.last, err)
		}
	}
}

// noEOF turns the end of input in the middle of a header into an error that nobody takes for a good end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
