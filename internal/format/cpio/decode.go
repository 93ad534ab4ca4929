// SPDX-License-Identifier: MIT

package cpio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

// decoder reads archives.
type decoder struct {
	limits   Limits
	put      func(io.Reader) (digest.Digest, error)
	segments []Segment
	count    int64 // entries so far
	bytes    int64 // content so far
}

// archive is what is known of the archive that is being read.
type archive struct {
	*decoder
	in    *input
	start int64 // offset of the archive
	nodes map[string]tree.Node
	dirs  map[string]bool // parents of entries
	links map[inode]*group
	last  string // name of the entry read last
}

// entry is one entry as it stands in the archive.
type entry struct {
	fields
	summed bool // the magic promises a sum
	name   string
}

// archive reads one archive, trailer and all, and adds it to the segments.
func (d *decoder) archive(in *input, s Segment) error {
	if len(d.segments) == maxSegments {
		return &LimitError{What: "segments", Max: maxSegments}
	}
	a := &archive{
		decoder: d, in: in, start: in.at,
		nodes: make(map[string]tree.Node), dirs: make(map[string]bool), links: make(map[inode]*group),
	}
	for {
		more, err := a.next()
		if err != nil {
			return noEOF(err)
		}
		if !more {
			break
		}
	}
	var err error
	if s.linked, err = a.finishLinks(); err != nil {
		return err
	}
	delete(a.nodes, ".") // the root directory itself has no node
	if s.Tree, err = tree.New(slices.Collect(maps.Values(a.nodes))...); err != nil {
		return err
	}
	s.named = a.nodes
	s.Size = in.at - a.start
	d.segments = append(d.segments, s)
	return nil
}

// next takes one entry. False means that it was the trailer.
func (a *archive) next() (bool, error) {
	e, err := a.header()
	if err != nil {
		return false, fmt.Errorf("after %q: %w", a.last, noEOF(err))
	}
	if e.name == trailer {
		if e.fields[fieldSizeOf] != 0 {
			return false, errors.New("a trailer with content")
		}
		return false, nil
	}
	a.last = e.name
	name, err := cleanName(e)
	if err != nil {
		return false, err
	}
	if err := a.countEntry(name); err != nil {
		return false, err
	}
	if _, twice := a.nodes[name]; twice {
		return false, fmt.Errorf("%q stands twice", name)
	}
	n, err := a.node(name, e)
	if err != nil {
		return false, fmt.Errorf("%q: %w", name, err)
	}
	a.nodes[name] = n
	return true, nil
}

// countEntry counts an entry, and those of its parents that no entry before had.
func (a *archive) countEntry(name string) error {
	a.count++
	for dir := path.Dir(name); dir != "." && !a.dirs[dir]; dir = path.Dir(dir) {
		a.dirs[dir] = true
		if _, named := a.nodes[dir]; !named {
			a.count++
		}
	}
	if a.count > a.limits.Files {
		return &LimitError{name, "files", a.limits.Files}
	}
	return nil
}

// header reads a header and the name behind it.
func (a *archive) header() (entry, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(a.in, head[:]); err != nil {
		return entry{}, err
	}
	magic := string(head[:len(magicPlain)])
	if magic != magicPlain && magic != magicSummed {
		return entry{}, fmt.Errorf("an entry that begins with %q; want %s or %s", magic, magicPlain, magicSummed)
	}
	e := entry{summed: magic == magicSummed}
	for i := range e.fields {
		at := len(magicPlain) + i*fieldSize
		var ok bool
		if e.fields[i], ok = hex(head[at : at+fieldSize]); !ok {
			return entry{}, fmt.Errorf("field %d is %q, which is no hex number", i+1, head[at:at+fieldSize])
		}
	}
	size := int64(e.fields[fieldNameSize])
	if size > int64(a.limits.Path)+1 {
		return entry{}, &LimitError{a.last, "bytes of path", int64(a.limits.Path)}
	}
	name := make([]byte, size)
	if _, err := io.ReadFull(a.in, name); err != nil {
		return entry{}, err
	}
	if size < 2 || bytes.IndexByte(name, 0) != len(name)-1 {
		return entry{}, fmt.Errorf("a name %q that does not end with its only 0", name)
	}
	e.name = string(name[:len(name)-1])
	if err := a.padding(); err != nil {
		return entry{}, err
	}
	if !e.summed && e.fields[fieldSum] != 0 {
		return entry{}, fmt.Errorf("%q: a sum in an entry that has none", e.name)
	}
	return e, nil
}

// hex reads a field: digits in either case and nothing else.
func hex(b []byte) (v uint32, ok bool) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | uint32(c)
	}
	return v, true
}

// padding reads zeros up to a multiple of align from the beginning of the archive.
func (a *archive) padding() error {
	pad := make([]byte, -(a.in.at-a.start)&(align-1))
	if _, err := io.ReadFull(a.in, pad); err != nil {
		return noEOF(err)
	}
	if len(bytes.Trim(pad, "\x00")) > 0 {
		return fmt.Errorf("%q where padding of zeros should be", pad)
	}
	return nil
}

// cleanName is the path an entry's name stands for: a leading "./" is a habit of find.
func cleanName(e entry) (string, error) {
	name := e.name
	if trimmed := strings.TrimPrefix(name, "./"); trimmed != "" {
		name = trimmed
	}
	if name == "." && e.fields[fieldMode]&typeMask == typeBits[tree.Dir] {
		return name, nil
	}
	if name == "." || name == ".." || strings.HasPrefix(name, "../") || path.IsAbs(name) || path.Clean(name) != name {
		return "", fmt.Errorf("%q is not a clean relative path", e.name)
	}
	return name, nil
}

// node makes an entry's node and puts its content where there is some.
func (a *archive) node(name string, e entry) (tree.Node, error) {
	mode := e.fields[fieldMode]
	n := tree.Node{
		Path: name, Kind: tree.Kind(max(0, slices.Index(typeBits[:], mode&typeMask))), Mode: mode & 0o7777,
		UID: e.fields[fieldUID], GID: e.fields[fieldGID], ModTime: int64(e.fields[fieldMTime]),
	}
	if mode&^(typeMask|0o7777) != 0 || n.Kind == 0 {
		return tree.Node{}, fmt.Errorf("mode %#o", mode)
	}
	switch n.Kind {
	case tree.File:
		return a.file(n, e)
	case tree.Symlink:
		return a.symlink(n, e)
	}
	if e.fields[fieldSizeOf] != 0 {
		return tree.Node{}, fmt.Errorf("a %v with content", n.Kind)
	}
	if n.Kind != tree.Dir && !a.limits.Devices {
		return tree.Node{}, fmt.Errorf("a %v, which is not allowed here", n.Kind)
	}
	if n.Kind == tree.CharDevice || n.Kind == tree.BlockDevice {
		n.Major, n.Minor = e.fields[fieldRDevMajor], e.fields[fieldRDevMinor]
	}
	return n, nil
}

// symlink reads a target.
func (a *archive) symlink(n tree.Node, e entry) (tree.Node, error) {
	size := int64(e.fields[fieldSizeOf])
	if size > int64(a.limits.Path) {
		return tree.Node{}, &LimitError{n.Path, "bytes of path", int64(a.limits.Path)}
	}
	target := make([]byte, size)
	if _, err := io.ReadFull(a.in, target); err != nil {
		return tree.Node{}, noEOF(err)
	}
	n.Target = string(target)
	if n.Escapes() && !a.limits.EscapingLinks {
		return tree.Node{}, fmt.Errorf("the link to %q may leave the tree", n.Target)
	}
	return n, a.padding()
}

// file reads the content of a file, and compares what was put with what the header claims.
func (a *archive) file(n tree.Node, e entry) (tree.Node, error) {
	size := int64(e.fields[fieldSizeOf])
	if size > a.limits.Bytes-a.bytes {
		return tree.Node{}, &LimitError{n.Path, "bytes of content", a.limits.Bytes}
	}
	content := summing{r: io.LimitReader(a.in, size)}
	var err error
	if n.Content, err = a.put(&content); err != nil {
		return tree.Node{}, err
	}
	if content.n != size {
		return tree.Node{}, io.ErrUnexpectedEOF
	}
	if n.Content.Size() != size {
		return tree.Node{}, fmt.Errorf("content of %d bytes was kept; the header says %d", n.Content.Size(), size)
	}
	if e.summed && content.sum != e.fields[fieldSum] {
		return tree.Node{}, fmt.Errorf("the sum of the content is %08x; the header says %08x", content.sum, e.fields[fieldSum])
	}
	a.bytes += size
	if err := a.padding(); err != nil {
		return tree.Node{}, err
	}
	if e.fields[fieldNlink] > 1 {
		return n, a.link(n, e)
	}
	return n, nil
}

// summing adds up what is read through it, as magicSummed wants it.
type summing struct {
	r   io.Reader
	n   int64
	sum uint32
}

func (s *summing) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	for _, c := range p[:n] {
		s.sum += uint32(c)
	}
	return n, err
}
