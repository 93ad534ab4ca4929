// SPDX-License-Identifier: MIT

package cpio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

// Segment is one archive of an initramfs.
type Segment struct {
	Offset  int64  // of the archive, or of the compressed stream that holds it
	Size    int64  // bytes there, without padding
	Packing string // how the stream is packed, as Packed.Name tells; "" for an archive as it is
	Tree    tree.Tree

	named  map[string]tree.Node // what the archive names, without the parents that Tree adds
	linked map[string]bool      // the files that have other names
}

// Entries gives what the archive names, in the order of the tree. A directory that it only implies is not among them.
func (s Segment) Entries() iter.Seq[tree.Node] {
	return func(yield func(tree.Node) bool) {
		for n := range s.Tree.Nodes() {
			if _, named := s.named[n.Path]; named && !yield(n) {
				return
			}
		}
	}
}

// Packed is a compressed stream that others may follow.
type Packed struct {
	io.Reader              // its unpacked bytes
	Name      string       // of the compression
	Length    func() int64 // packed bytes of the stream, known once Read has given io.EOF
}

// Unpack opens the compressed stream that an input begins with, whatever stands behind it. It bounds what is unpacked.
type Unpack func(in *io.SectionReader) (Packed, error)

// Decode reads an initramfs: archives one after the other, each as it is, at an offset that is a multiple of four, or
// compressed, with zeros between them. What begins with anything but an archive's magic is given to unpack. The content
// of each file is given to put, in the order of the stream. Merge makes one tree of the segments.
func Decode(in *io.SectionReader, limits Limits, unpack Unpack, put func(io.Reader) (digest.Digest, error)) ([]Segment,
	error) {
	d := &decoder{limits: limits, put: put}
	w := walker{d: d, in: in, unpack: unpack}
	err := w.walk()
	if err == nil && len(d.segments) == 0 {
		err = fmt.Errorf("no archive: %w", io.ErrUnexpectedEOF)
	}
	var limit *LimitError
	switch {
	case errors.As(err, &limit):
		return nil, limit
	case err != nil:
		return nil, fmt.Errorf("cpio: %w", err)
	}
	return d.segments, nil
}

// walker goes from segment to segment.
type walker struct {
	d      *decoder
	in     *io.SectionReader
	unpack Unpack
}

func (w *walker) walk() error {
	in := newInput(io.NewSectionReader(w.in, 0, w.in.Size()), 0)
	for {
		head, err := in.skipZeros()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case head != magicPlain[0]:
			in, err = w.packed(in.at)
		case in.at%align != 0:
			err = fmt.Errorf("an archive at offset %d, which is no multiple of %d", in.at, align)
		default:
			err = w.d.archive(in, Segment{Offset: in.at})
		}
		if err != nil {
			return err
		}
	}
}

// packed reads the archives of a compressed stream, and gives the input behind it.
func (w *walker) packed(at int64) (*input, error) {
	if w.unpack == nil {
		return nil, fmt.Errorf("offset %d: neither an archive nor padding", at)
	}
	before := len(w.d.segments)
	p, err := w.unpack(io.NewSectionReader(w.in, at, w.in.Size()-at))
	if err != nil {
		return nil, fmt.Errorf("offset %d: %w", at, noEOF(err))
	}
	in := newInput(p, 0)
	for {
		head, err := in.skipZeros()
		if err == io.EOF {
			break
		}
		if err == nil && (head != magicPlain[0] || in.at%align != 0) {
			err = errors.New("neither an archive nor padding")
		}
		if err == nil {
			err = w.d.archive(in, Segment{Offset: at, Packing: p.Name})
		}
		if err != nil {
			return nil, fmt.Errorf("offset %d: %s: unpacked offset %d: %w", at, p.Name, in.at, err)
		}
	}
	if len(w.d.segments) == before {
		return nil, fmt.Errorf("offset %d: %s: no archive: %w", at, p.Name, io.ErrUnexpectedEOF)
	}
	for i := range w.d.segments[before:] {
		w.d.segments[before+i].Size = p.Length()
	}
	at += p.Length()
	return newInput(io.NewSectionReader(w.in, at, w.in.Size()-at), at), nil
}

// Join writes parts of an initramfs one after the other, each an archive or a compressed one or several of them. Between
// two stand four zeros or more, up to a multiple of four: an archive wants that alignment, and a legacy lz4 frame ends
// only where the size of a block is 0.
func Join(w io.Writer, parts ...io.Reader) error {
	for i, part := range parts {
		n, err := io.Copy(w, part)
		if err == nil && i < len(parts)-1 {
			_, err = w.Write(make([]byte, align+-n&(align-1)))
		}
		if err != nil {
			return fmt.Errorf("cpio: part %d of an initramfs: %w", i+1, err)
		}
	}
	return nil
}

// input counts what is read.
type input struct {
	r  *bufio.Reader
	at int64 // offset of the next byte
}

func newInput(r io.Reader, at int64) *input { return &input{r: bufio.NewReaderSize(r, 64<<10), at: at} }

// Read reads bytes and counts them.
func (in *input) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	in.at += int64(n)
	return n, err
}

// skipZeros goes to the next byte that is not 0, and gives it. The end of the input is io.EOF.
func (in *input) skipZeros() (byte, error) {
	for n := 0; ; n++ {
		c, err := in.r.ReadByte()
		if err != nil {
			return 0, err
		}
		if c != 0 {
			return c, in.r.UnreadByte()
		}
		if in.at++; n == maxPadding {
			return 0, &LimitError{What: "bytes of padding", Max: maxPadding}
		}
	}
}

// noEOF turns the end of input in the middle of something into an error that nobody takes for a good end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
