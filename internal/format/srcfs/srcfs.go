// SPDX-License-Identifier: MIT

// Package srcfs encodes a tree as the disk image that the kernel builder-hex0 boots from, and reads one back: the boot
// sector, the source of the kernel that the boot sector compiles, and from a sector that this kernel knows a stream of
// commands that create files and start the first program.
//
// Encode is canonical: one boot and one tree give one image. Entries stand in the order of the tree, by the bytes of their
// paths, so that a folder comes before what it holds, as the kernel's shell needs it. Decode takes that order from nobody: it reads the images of
// rootfs.py as well, whose entries stand as the host's file system gives them.
//
// The stream has no types, modes, owners or times: a folder is an entry without content. So an empty file and an empty
// folder are the same bytes, and Decode gives an entry without content as a folder only where something lies below it.
//
// Left out on purpose: which files of a checkout belong into an image; the flush command, which writes to the disk; and
// kernels for anything but x86. Content is copied through this process and not by the kernel (copy_file_range): the
// caller's reader has to see the bytes to check their sum, and no file of the stream starts on a block.
//
// Specification: docs/srcfs.md; README.md of builder-hex0.
package srcfs

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rung-build/rung/internal/tree"
)

// Units of an image, in bytes.
const (
	Sector = 512
	mib    = 1 << 20
)

// maxName is the longest name the kernel has a slot for, with its NUL. Names are written with "./" in front.
const maxName = 1024

// root stands in front of all entries: the folder of the tree itself.
const root = "src 0 .\n"

// trailer makes, behind the entries, what kaem needs of the seeds, and starts it.
const trailer = "src 0 /bootstrap-seeds\n" +
	"src 0 /bootstrap-seeds/POSIX\n" +
	"src 0 /bootstrap-seeds/POSIX/x86\n" +
	"hex0 /" + hex0Source + " /bootstrap-seeds/POSIX/x86/hex0-seed\n" +
	"hex0 /" + kaemSource + " /bootstrap-seeds/POSIX/x86/kaem-optional-seed\n" +
	"hex0 /" + kaemSource + " /init\n" +
	"/bootstrap-seeds/POSIX/x86/kaem-optional-seed /" + firstScript + "\n"

// What the trailer reads.
const (
	hex0Source  = "x86/hex0_x86.hex0"
	kaemSource  = "x86/kaem-minimal.hex0"
	firstScript = "kaem.x86"
)

// Check refuses a tree that the stream cannot hold: anything but files and folders, a name that is too long for a slot or
// has a line end or NUL in it, and one without the files that the end of the stream reads: the kernel would not say
// that they are missing.
func Check(t tree.Tree) error {
	for n := range t.Nodes() {
		if err := checkNode(n); err != nil {
			return fmt.Errorf("srcfs: %q: %w", n.Path, err)
		}
	}
	for _, name := range []string{hex0Source, kaemSource, firstScript} {
		if n, ok := t.Lookup(name); !ok || n.Kind != tree.File {
			return fmt.Errorf("srcfs: %q: the tree has no such file, and the first program is made from it", name)
		}
	}
	return nil
}

func checkNode(n tree.Node) error {
	switch {
	case n.Kind != tree.File && n.Kind != tree.Dir:
		return fmt.Errorf("a %v; an image holds files and folders only", n.Kind)
	case len("./")+len(n.Path) >= maxName:
		return fmt.Errorf("a name of %d bytes; %d are the most", len(n.Path), maxName-1-len("./"))
	case strings.ContainsAny(n.Path, "\n\x00"):
		return fmt.Errorf("a name with a line end or NUL")
	case n.Content.Size() > MaxBytes:
		return fmt.Errorf("%d bytes; the kernel has memory for %d", n.Content.Size(), int64(MaxBytes))
	}
	return nil
}

// line is the command that creates a node. For a file its content follows.
func line(n tree.Node) string {
	return "src " + strconv.FormatInt(n.Content.Size(), 10) + " ./" + n.Path + "\n"
}

// Size is how many bytes Encode writes: whole MiB.
func Size(b Boot, t tree.Tree) int64 {
	n := b.size() + int64(len(root)+len(trailer))
	for node := range t.Nodes() {
		n += int64(len(line(node))) + node.Content.Size()
	}
	return padded(n)
}

// padded is a size filled up to whole MiB, and by one more where it is whole: the shell ends at a zero.
func padded(n int64) int64 { return (n/mib + 1) * mib }

// DiskSize is the size that the file of an image has in the end, in bytes: at least minimum, which is in MiB. What
// Encode does not write is for the caller to add with a call of Truncate, which takes no space on the disk.
func DiskSize(b Boot, t tree.Tree, minimum int64) int64 { return max(Size(b, t), minimum*mib) }

// Encode writes an image. The content of each file is read with open, and its size compared with the tree's: sums are
// the caller's to check, while its reader passes the bytes on. Whether the kernel has room for the tree is for
// Capacity to say.
func Encode(w io.Writer, b Boot, t tree.Tree, open func(tree.Node) (io.ReadCloser, error)) error {
	if err := Check(t); err != nil {
		return err
	}
	e := encoder{w: bufio.NewWriterSize(w, bufferSize), buf: make([]byte, bufferSize), open: open}
	e.text(string(b.stage1))
	e.text(string(b.stage2))
	e.zeros(b.size() - e.written)
	e.text(root)
	for n := range t.Nodes() {
		e.text(line(n))
		if n.Kind != tree.File {
			continue
		}
		if err := e.content(n); err != nil {
			return fmt.Errorf("srcfs: %q: %w", n.Path, err)
		}
	}
	e.text(trailer)
	e.zeros(padded(e.written) - e.written)
	if err := e.w.Flush(); err != nil {
		return fmt.Errorf("srcfs: %w", err)
	}
	return nil
}

// bufferSize is how many bytes are read and written at once: enough for a disk to be what limits.
const bufferSize = 1 << 20

type encoder struct {
	w       *bufio.Writer // keeps its first error
	buf     []byte
	written int64
	open    func(tree.Node) (io.ReadCloser, error)
}

func (e *encoder) text(s string) {
	e.w.WriteString(s)
	e.written += int64(len(s))
}

func (e *encoder) zeros(n int64) {
	clear(e.buf)
	e.w.Write(e.buf[:n]) // never more than a MiB
	e.written += n
}

// content writes the content of a file.
func (e *encoder) content(n tree.Node) error {
	r, err := e.open(n)
	if err != nil {
		return err
	}
	defer r.Close()
	size := n.Content.Size()
	// The writer is hidden behind its interface: its own way to read goes in small pieces.
	got, err := io.CopyBuffer(struct{ io.Writer }{e.w}, io.LimitReader(r, size+1), e.buf)
	if err != nil {
		return err
	}
	if got != size {
		return fmt.Errorf("content of %d bytes or more; want the %d of %v", got, size, n.Content)
	}
	e.written += got
	return nil
}
