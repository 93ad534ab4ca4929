// SPDX-License-Identifier: MIT

// Package payload encodes files as one stream that a program of a guest copies from a disk into a folder before it has
// anything that knows archives, and reads one back: the magic LBPAYLD1, a count, and for each file the lengths of its
// name and content, its name, its content.
//
// There are two versions, which differ in the width of their numbers and share the magic. Decode tells them apart;
// whoever encodes has to know what the importer in the guest reads.
//
// Encode is canonical: one flat tree gives one stream for a version, names stand in the order of their code points, and
// zeros fill up to whole sectors. Decode is strict: a name that no importer takes, names out of order or twice, more
// than the limits allow, or an end that comes too early is an error that names the file, and nothing is returned beside
// it. It does not look at what follows the last file, since a disk has no end there.
//
// Left out on purpose: modes, times and folders, which the format has no place for, and sums, which the guest checks
// when it unpacks a file.
//
// Specification: docs/payload.md.
package payload

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/rung-build/rung/internal/tree"
)

// Constants of the format.
const (
	magic  = "LBPAYLD1"
	sector = 512 // a stream is filled up to whole sectors, as the disk that it becomes has them
)

// What importers take.
const (
	MaxFiles = 200_000
	MaxName  = 1024 // bytes
)

// Version is the width of the numbers of a stream, in bytes.
type Version int

// The versions.
const (
	U32 Version = 4
	U64 Version = 8
)

func (v Version) String() string { return fmt.Sprintf("u%d", int(v)*8) }

// Parse reads what String gives.
func Parse(name string) (Version, error) {
	for _, v := range []Version{U32, U64} {
		if v.String() == name {
			return v, nil
		}
	}
	return 0, fmt.Errorf("payload: no version %q: there are %v and %v", name, U32, U64)
}

// Check refuses a tree that a version cannot hold or an importer would not take: anything but files at its top, names
// that are no UTF-8 or too long, too many files, and for U32 a file of 4 GiB or more.
func Check(v Version, t tree.Tree) error {
	if v != U32 && v != U64 {
		return fmt.Errorf("payload: no version of %d bytes", v)
	}
	if t.Len() > MaxFiles {
		return fmt.Errorf("payload: %d files; %d are the most", t.Len(), MaxFiles)
	}
	for n := range t.Nodes() {
		if n.Kind != tree.File {
			return fmt.Errorf("payload: %q: a %v; a payload holds files only", n.Path, n.Kind)
		}
		if err := checkName(n.Path); err != nil {
			return fmt.Errorf("payload: %q: %w", n.Path, err)
		}
		if v == U32 && n.Content.Size() > math.MaxUint32 {
			return fmt.Errorf("payload: %q: %d bytes; version %v holds %d at most", n.Path, n.Content.Size(), v,
				uint32(math.MaxUint32))
		}
	}
	return nil
}

// checkName refuses what an importer refuses, and what no other could be sure to name in the same way.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("an empty name")
	case len(name) > MaxName:
		return fmt.Errorf("a name of %d bytes; %d are the most", len(name), MaxName)
	case strings.ContainsAny(name, "/\\\x00"):
		return fmt.Errorf(`a name with "/", "\" or NUL`)
	case name == "." || name == "..":
		return fmt.Errorf("a name that means a folder")
	case !utf8.ValidString(name):
		return fmt.Errorf("a name that is no UTF-8")
	}
	return nil
}

// Size is how many bytes Encode writes, or -1 where that is more than a file can have.
func Size(v Version, t tree.Tree) int64 {
	n := int64(len(magic)) + int64(v)
	for node := range t.Nodes() {
		own := 2*int64(v) + int64(len(node.Path))
		if node.Content.Size() > math.MaxInt64-sector-own-n {
			return -1
		}
		n += own + node.Content.Size()
	}
	return (n + sector - 1) / sector * sector
}

// Encode writes the files of a flat tree as a stream of a version. The content of each file is read with open, and its
// size compared with the tree's: sums are the caller's to check, while its reader passes the bytes on.
func Encode(w io.Writer, v Version, t tree.Tree, open func(tree.Node) (io.ReadCloser, error)) error {
	if err := Check(v, t); err != nil {
		return err
	}
	e := encoder{w: bufio.NewWriterSize(w, bufferSize), buf: make([]byte, bufferSize), version: v}
	e.w.WriteString(magic)
	e.number(int64(t.Len()))
	e.written = int64(len(magic)) + int64(v)
	for n := range t.Nodes() {
		e.number(int64(len(n.Path)))
		e.number(n.Content.Size())
		e.w.WriteString(n.Path)
		if err := e.content(n, open); err != nil {
			return fmt.Errorf("payload: %q: %w", n.Path, err)
		}
		e.written += 2*int64(v) + int64(len(n.Path)) + n.Content.Size()
	}
	e.w.Write(make([]byte, -e.written&(sector-1)))
	if err := e.w.Flush(); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	return nil
}

// bufferSize is how many bytes are read and written at once: enough for a disk to be what limits.
const bufferSize = 1 << 20

type encoder struct {
	w       *bufio.Writer // keeps its first error
	buf     []byte
	version Version
	written int64
}

func (e *encoder) number(n int64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	e.w.Write(b[:e.version])
}

// content writes the content of a file.
func (e *encoder) content(n tree.Node, open func(tree.Node) (io.ReadCloser, error)) error {
	r, err := open(n)
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
	return nil
}
