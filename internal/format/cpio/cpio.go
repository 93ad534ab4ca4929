// SPDX-License-Identifier: MIT

// Package cpio encodes a tree as an archive that a Linux kernel unpacks before it starts its first program, and reads
// one back.
//
// Encode is canonical: one tree gives one archive. Entries stand in the order of the tree, inode numbers count from 1,
// the archive is on device 0, a directory has two links and all else one, hex digits are upper case, padding is zeros to
// multiples of four, and nothing follows the trailer.
//
// Decode is strict: a name that is not clean, a name that stands twice, a field that is no hex number, padding that is
// not zeros, a sum that does not hold, a link whose content never comes, a missing trailer, or more than the limits
// allow is an error that names the entry, and nothing is returned beside it. A size that a header claims is compared,
// never believed.
//
// Left out on purpose: compression, which the caller of Decode brings; hard links in what is written; and the older
// formats of cpio, which no kernel reads.
//
// Specification: Documentation/driver-api/early-userspace/buffer-format.rst and init/initramfs.c of Linux 6.1;
// docs/cpio.md has what both leave open.
package cpio

import (
	"bufio"
	"fmt"
	"io"
	"math"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

// Constants of the format, from buffer-format.rst.
const (
	magicPlain  = "070701"
	magicSummed = "070702"
	trailer     = "TRAILER!!!"
	headerSize  = 6 + fieldCount*fieldSize
	fieldCount  = 13
	fieldSize   = 8 // hex digits
	align       = 4
)

// pathMax is PATH_MAX of Linux. A kernel skips entries whose name, with the 0 behind it, or target is longer, without
// a word.
const pathMax = 4096

// The fields of a header, in their order.
const (
	fieldIno = iota
	fieldMode
	fieldUID
	fieldGID
	fieldNlink
	fieldMTime
	fieldSizeOf
	fieldDevMajor
	fieldDevMinor
	fieldRDevMajor
	fieldRDevMinor
	fieldNameSize
	fieldSum
)

// fields are the numbers of a header.
type fields [fieldCount]uint32

// typeBits are the types of the kinds within a mode: S_IFREG and its like, of stat(2).
var typeBits = [...]uint32{
	tree.File:        0o100000,
	tree.Dir:         0o040000,
	tree.Symlink:     0o120000,
	tree.CharDevice:  0o020000,
	tree.BlockDevice: 0o060000,
	tree.Fifo:        0o010000,
}

const typeMask = 0o170000 // S_IFMT

// Encode writes a tree as one archive without compression, whose length is a multiple of four. The content of each file
// is read with open, and its size compared with the tree's. What the format cannot hold is an error that names the node.
func Encode(w io.Writer, t tree.Tree, open func(digest.Digest) (io.ReadCloser, error)) error {
	e := encoder{w: bufio.NewWriterSize(w, 64<<10), open: open}
	for n := range t.Nodes() {
		if err := e.node(n); err != nil {
			return fmt.Errorf("cpio: %q: %w", n.Path, err)
		}
	}
	e.header(fields{fieldNlink: 1}, trailer)
	if err := e.w.Flush(); err != nil {
		return fmt.Errorf("cpio: %w", err)
	}
	return nil
}

type encoder struct {
	w    *bufio.Writer // keeps its first error
	ino  uint32
	open func(digest.Digest) (io.ReadCloser, error)
}

// node writes the entry of a node.
func (e *encoder) node(n tree.Node) error {
	if err := checkFits(n); err != nil {
		return err
	}
	e.ino++
	f := fields{
		fieldIno: e.ino, fieldMode: typeBits[n.Kind] | n.Mode, fieldUID: n.UID, fieldGID: n.GID, fieldNlink: 1,
		fieldMTime: uint32(n.ModTime), fieldRDevMajor: n.Major, fieldRDevMinor: n.Minor,
	}
	switch n.Kind {
	case tree.Dir:
		f[fieldNlink] = 2
	case tree.Symlink:
		f[fieldSizeOf] = uint32(len(n.Target))
		e.header(f, n.Path)
		e.w.WriteString(n.Target)
		return e.pad(len(n.Target))
	case tree.File:
		f[fieldSizeOf] = uint32(n.Content.Size())
		e.header(f, n.Path)
		return e.content(n.Content)
	}
	e.header(f, n.Path)
	return nil
}

// checkFits refuses what a header's fields cannot hold, and what a kernel would skip.
func checkFits(n tree.Node) error {
	switch {
	case n.Path == trailer:
		return fmt.Errorf("the name means the end of an archive")
	case len(n.Path) >= pathMax:
		return fmt.Errorf("a name of %d bytes; %d are the most", len(n.Path), pathMax-1)
	case len(n.Target) >= pathMax:
		return fmt.Errorf("a target of %d bytes; %d are the most", len(n.Target), pathMax-1)
	case n.Content.Size() > math.MaxUint32:
		return fmt.Errorf("content of %d bytes; %d are the most", n.Content.Size(), uint32(math.MaxUint32))
	case n.ModTime < 0 || n.ModTime > math.MaxUint32:
		return fmt.Errorf("time %d; it has to be from 0 to %d", n.ModTime, uint32(math.MaxUint32))
	}
	return nil
}

// header writes a header and the name behind it.
func (e *encoder) header(f fields, name string) {
	f[fieldNameSize] = uint32(len(name) + 1)
	e.w.WriteString(magicPlain)
	for _, v := range f {
		fmt.Fprintf(e.w, "%08X", v)
	}
	e.w.WriteString(name)
	e.w.WriteByte(0)
	_ = e.pad(headerSize + len(name) + 1) // Flush says it again
}

// content writes the content of a file.
func (e *encoder) content(d digest.Digest) error {
	r, err := e.open(d)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(e.w, io.LimitReader(r, d.Size()+1))
	if err != nil {
		return err
	}
	if n != d.Size() {
		return fmt.Errorf("content of %d bytes or more; want the %d of %v", n, d.Size(), d)
	}
	return e.pad(int(n % align))
}

// pad fills up to a multiple of align after n bytes.
func (e *encoder) pad(n int) error {
	_, err := e.w.WriteString("\x00\x00\x00"[:-n&(align-1)])
	return err
}
