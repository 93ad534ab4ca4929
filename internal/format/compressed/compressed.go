// SPDX-License-Identifier: MIT

// Package compressed reads and writes compressed streams, strictly and within a limit.
//
// NewReader reads a file that gzip, bzip2 or xz packed: one that is truncated, damaged, or followed by anything but
// another stream of its own kind is an error. First reads the first of several streams of any kind that a Linux kernel
// unpacks, and tells exactly where it ends. Neither gives more bytes than the caller allows, and memory does not depend
// on what a header claims: the dictionaries of an xz file and the window of a zstd frame are looked at before anything
// is unpacked, see scanXZ and scanZstd.
//
// NewWriter writes a stream that a Linux kernel unpacks. The same content gives the same bytes, on every machine and
// however the writes cut it, for as long as the versions in go.mod stay: no program of the host takes part.
//
// Left out on purpose: lzma without xz, the lz4 frame that is not the legacy one (no kernel reads it), and all that the
// containers can say beside the content: names, times, comments, dictionaries, and filters of xz other than LZMA2.
//
// Specifications: RFC 1952 (gzip), the sources of bzip2 1.0.8 (there is no other), "The .xz File Format" 1.2.1, RFC 8878
// (zstd), "LZ4 Frame Format" 1.6.4, section "Legacy frame". The compressions themselves are those of the standard
// library, github.com/klauspost/compress, github.com/ulikunitz/xz and github.com/pierrec/lz4, since none of them is ours
// to write again.
package compressed

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz"
)

// Kind is how a stream is packed.
type Kind uint8

// The kinds of streams.
const (
	None Kind = iota // anything else: its bytes are taken as they are
	Gzip
	Bzip2
	XZ
	Zstd
	LZ4 // the legacy frame
)

var kindNames = [...]string{None: "none", Gzip: "gzip", Bzip2: "bzip2", XZ: "xz", Zstd: "zstd", LZ4: "lz4"}

// String is the kind's name in messages and on the command line.
func (k Kind) String() string { return kindNames[k] }

// magics are the first bytes of each kind, by the specifications named above.
var magics = [...]string{Gzip: "\x1f\x8b", Bzip2: "BZh", XZ: xzMagic, Zstd: zstdMagic, LZ4: lz4Magic}

// magicLen is the length of the longest.
const magicLen = 6

// Detect tells the kind of a file for NewReader by its first bytes, of which six are enough.
func Detect(head []byte) Kind { return detect(head, Gzip, Bzip2, XZ) }

func detect(head []byte, kinds ...Kind) Kind {
	for _, k := range kinds {
		if bytes.HasPrefix(head, []byte(magics[k])) {
			return k
		}
	}
	return None
}

// LimitError says that a stream needs more than it may.
type LimitError struct {
	Kind Kind
	What string // "bytes unpacked", "bytes of dictionary"
	Max  int64
}

func (e *LimitError) Error() string { return fmt.Sprintf("%v: more than %d %s", e.Kind, e.Max, e.What) }

// NewReader gives the unpacked bytes of a stream, of which there may be at most max, and tells how it was packed. The
// stream is read from its beginning; where it is xz, twice.
func NewReader(r io.ReadSeeker, max int64) (io.Reader, Kind, error) {
	head := make([]byte, magicLen)
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, None, err
	}
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, None, err
	}
	kind := Detect(head[:n])
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, None, err
	}
	unpacked, err := open(r, kind, max)
	if err != nil {
		return nil, None, err
	}
	return &reader{r: unpacked, kind: kind, left: max, max: max}, kind, nil
}

// open gives the unpacked bytes without a limit on their number.
func open(r io.ReadSeeker, kind Kind, max int64) (io.Reader, error) {
	in := bufio.NewReader(r)
	switch kind {
	case Gzip:
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", noEOF(err))
		}
		return unpacked, nil
	case Bzip2:
		return bzip2.NewReader(in), nil
	case XZ:
		if err := scanXZ(in, max); err != nil {
			return nil, err
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		in.Reset(r)
		unpacked, err := xz.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("xz: %w", noEOF(err))
		}
		return unpacked, nil
	}
	return in, nil
}

// reader gives at most left bytes more, and names errors.
type reader struct {
	r         io.Reader
	kind      Kind
	left, max int64
	err       error // what every further Read says
}

func (u *reader) Read(p []byte) (int, error) {
	if u.err != nil || len(p) == 0 {
		return 0, u.err
	}
	n, err := u.r.Read(p[:min(int64(len(p)), u.left+1)])
	switch {
	case int64(n) > u.left:
		u.err = &LimitError{u.kind, "bytes unpacked", u.max}
		return 0, u.err
	case err == io.EOF || err == nil:
		u.err = err
	default:
		u.err = fmt.Errorf("%v: %w", u.kind, err)
	}
	u.left -= int64(n)
	return n, u.err
}

// noEOF turns the end of input in the middle of a structure into an error that nobody takes for a good end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
