// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/payload"
	"github.com/rung-build/rung/internal/format/srcfs"
	"github.com/rung-build/rung/internal/tree"
)

// bufferSize is how many bytes are copied at once.
const bufferSize = 1 << 20

// mediumWriter writes one medium.
type mediumWriter struct {
	Builder
	ctx     context.Context
	plan    *Plan
	m       *Medium
	path    string
	archive string // where the content of the archive to start from is, by digest
	ahead   *ahead // reads the medium's tree
	written int64
	buffer  []byte
}

// write writes the medium and gives the digest of a stream.
func (w *mediumWriter) write() (digest.Digest, error) {
	w.ahead = newAhead(w.m.tree, w.read)
	defer w.ahead.stop()
	switch w.m.Shape {
	case Image:
		return w.stream(func(out io.Writer) error { return srcfs.Encode(out, w.m.boot, w.m.tree, w.open) })
	case Payload:
		return w.stream(func(out io.Writer) error { return payload.Encode(out, w.m.version, w.m.tree, w.open) })
	case Disk:
		return digest.Digest{}, w.disk()
	case Work:
		if w.Stage0 == nil {
			return digest.Digest{}, fault.New(fault.Unavailable,
				"stage0 image: nothing here can change its file system")
		}
		return digest.Digest{}, w.Stage0(w.ctx, w.plan, w.path)
	}
	return digest.Digest{}, w.folder(w.path)
}

// open gives the content of the next node.
func (w *mediumWriter) open(n tree.Node) (io.ReadCloser, error) {
	r, err := w.ahead.open(n)
	return watched{r, w.ctx, w.tell}, err
}

// read gives the content of a node, checked while it is read.
func (w *mediumWriter) read(n tree.Node) (io.ReadCloser, error) {
	e := w.m.at[n.Path]
	if !e.archived.IsZero() {
		e.Host = filepath.Join(w.archive, e.archived.Hex())
	}
	r, err := e.open(w.Held)
	if err != nil {
		return nil, err
	}
	if e.Distfile == nil {
		return verify(r, e.Path, n.Content.Hex(), "it changed while media were made; try again"), nil
	}
	return r, nil
}

func (w *mediumWriter) tell(n int64) {
	w.written += n
	if w.Progress != nil {
		w.Progress(w.m.Name, w.written, w.m.Bytes)
	}
}

// stream writes a file from its start to its end, and fills it up by truncation (R37).
func (w *mediumWriter) stream(encode func(io.Writer) error) (digest.Digest, error) {
	out, err := createSink(w.path)
	if err != nil {
		return digest.Digest{}, err
	}
	err = encode(out)
	sum, closed := out.close(w.m.Size)
	if err == nil {
		err = closed
	}
	if err != nil {
		return digest.Digest{}, fmt.Errorf("%s: %w", w.m.Name, err)
	}
	return sum, nil
}

// folder writes a tree as it is.
func (w *mediumWriter) folder(root string) error {
	var folders []string
	for n := range w.m.tree.Nodes() {
		name := filepath.Join(root, filepath.FromSlash(n.Path))
		if n.Kind == tree.Dir {
			if err := os.MkdirAll(name, 0o755); err != nil {
				return err
			}
			folders = append(folders, name)
			continue
		}
		if n.Kind == tree.Symlink {
			if err := link(n.Target, name); err != nil {
				return err
			}
			continue
		}
		if err := w.node(n, name); err != nil {
			return err
		}
	}
	for _, name := range slices.Backward(folders) { // a file that is written changes its folder's time
		if err := setTime(name); err != nil {
			return err
		}
	}
	return nil
}

// startTime is the one time that all files have: 0 stands for no time in some tools.
const startTime = 1

func setTime(name string) error {
	start := time.Unix(startTime, 0)
	return os.Chtimes(name, start, start)
}

// link makes a symbolic link with the time that all have.
func link(target, name string) error {
	if err := os.Symlink(target, name); err != nil {
		return err
	}
	start := unix.Timespec{Sec: startTime}
	return unix.UtimesNanoAt(unix.AT_FDCWD, name, []unix.Timespec{start, start}, unix.AT_SYMLINK_NOFOLLOW)
}

// node writes a file.
func (w *mediumWriter) node(n tree.Node, name string) error {
	r, err := w.open(n)
	if err != nil {
		return err
	}
	defer r.Close()
	return w.copy(r, name, os.FileMode(n.Mode))
}

// file writes a file of no tree.
func (w *mediumWriter) file(e Entry, name string) error {
	r, err := e.open(w.Held)
	if err != nil {
		return err
	}
	defer r.Close()
	return w.copy(watched{r, w.ctx, w.tell}, name, e.Mode.Perm())
}

func (w *mediumWriter) copy(r io.Reader, name string, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if w.buffer == nil {
		w.buffer = make([]byte, bufferSize)
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{r}, w.buffer)
	if err == nil {
		err = f.Chmod(mode) // whatever the umask is
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return setTime(name)
}

// disk writes a label, and has a file system made behind it of a folder that is removed again.
func (w *mediumWriter) disk() error {
	if w.Run == nil {
		return fault.New(fault.Unavailable, "%s: nothing here can make its file system", w.m.Name)
	}
	staging := w.path + ".files"
	if err := os.Mkdir(staging, 0o755); err != nil {
		return err
	}
	if err := w.folder(staging); err != nil {
		return err
	}
	if err := setTime(staging); err != nil {
		return err
	}
	signature, uuid := sameLabel(w.content())
	label := w.m.layout.Label(signature)
	err := os.WriteFile(w.path, label[:], 0o644)
	if err == nil {
		err = os.Truncate(w.path, w.m.layout.Size)
	}
	if err != nil {
		return err
	}
	if err := w.Run(w.ctx, w.m.layout.Ext3(w.path, staging, uuid)); err != nil {
		return fault.New(fault.Unavailable, "%s: %w", w.m.Name, err).
			WithHint("mke2fs of e2fsprogs 1.43 or newer makes it; --target-size may be too small for %d bytes",
				w.m.Bytes)
	}
	if err := settle(w.path, w.m.layout, startTime); err != nil {
		return err
	}
	return os.RemoveAll(staging)
}

// content is a digest that stands for all that a medium holds.
func (w *mediumWriter) content() digest.Digest {
	sum := digest.NewHasher()
	for n := range w.m.tree.Nodes() {
		fmt.Fprintf(sum, "%o %s %s\n", n.Mode, n.Content, n.Path)
	}
	return sum.Digest()
}
