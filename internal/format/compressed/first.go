// SPDX-License-Identifier: MIT

package compressed

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Stream is one stream, unpacked, which others may follow.
type Stream struct {
	kind   Kind
	in     reader
	length func() int64
}

// Read gives unpacked bytes.
func (s *Stream) Read(p []byte) (int, error) { return s.in.Read(p) }

// Kind tells how the stream is packed.
func (s *Stream) Kind() Kind { return s.kind }

// Length is how many packed bytes the stream takes of its input, known once Read has given io.EOF.
func (s *Stream) Length() int64 { return s.length() }

// First opens the stream that an input begins with, whatever stands behind it: gzip, xz with CRC-32 or no check, zstd,
// or lz4's legacy frame, a single one of each as a Linux kernel takes it. It gives at most max bytes. An input that
// begins otherwise is an error.
func First(in *io.SectionReader, max int64) (*Stream, error) {
	head := make([]byte, magicLen)
	n, err := in.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	s := &Stream{kind: detect(head[:n], Gzip, XZ, Zstd, LZ4)}
	if s.kind == None {
		return nil, fmt.Errorf("a stream that begins with %q, which is neither gzip, xz, zstd nor legacy lz4", head[:n])
	}
	unpacked, err := s.open(in, max)
	if err != nil {
		return nil, err
	}
	s.in = reader{r: unpacked, kind: s.kind, left: max, max: max}
	return s, nil
}

// open gives the unpacked bytes without a limit on their number, and sets length.
func (s *Stream) open(in *io.SectionReader, max int64) (io.Reader, error) {
	switch s.kind {
	case Gzip:
		return s.gzip(in)
	case XZ:
		return s.xz(in, max)
	case Zstd:
		return s.zstd(in, max)
	}
	l := newLZ4Reader(section(in, in.Size()))
	s.length = func() int64 { return l.length }
	return l, nil
}

// section is the first n bytes of an input, from its beginning.
func section(in *io.SectionReader, n int64) *io.SectionReader { return io.NewSectionReader(in, 0, n) }

func (s *Stream) gzip(in *io.SectionReader) (io.Reader, error) {
	packed := section(in, in.Size())
	buffered := bufio.NewReader(packed)
	unpacked, err := gzip.NewReader(buffered) // takes no byte too many of what can read single ones
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", noEOF(err))
	}
	unpacked.Multistream(false)
	s.length = func() int64 {
		at, _ := packed.Seek(0, io.SeekCurrent) // cannot fail
		return at - int64(buffered.Buffered())
	}
	return unpacked, nil
}

func (s *Stream) xz(in *io.SectionReader, max int64) (io.Reader, error) {
	length, err := scanned(in, XZ, func(b *bufio.Reader) error {
		scan := &xzScan{in: b, left: max, max: max, kernel: true}
		_, err := scan.stream(true)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.length = func() int64 { return length }
	unpacked, err := xz.ReaderConfig{SingleStream: true}.NewReader(bufio.NewReader(section(in, length)))
	if err != nil {
		return nil, fmt.Errorf("xz: %w", noEOF(err))
	}
	return unpacked, nil
}

func (s *Stream) zstd(in *io.SectionReader, max int64) (io.Reader, error) {
	length, err := scanned(in, Zstd, func(b *bufio.Reader) error { return scanZstd(b, max) })
	if err != nil {
		return nil, err
	}
	s.length = func() int64 { return length }
	// One at a time means without goroutines, so that nothing has to be closed.
	unpacked, err := zstd.NewReader(section(in, length), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxDictionary), zstd.WithDecodeBuffersBelow(0))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", noEOF(err))
	}
	return unpacked, nil
}

// scanned walks through the structure of a stream and gives its length.
func scanned(in *io.SectionReader, kind Kind, scan func(*bufio.Reader) error) (int64, error) {
	packed := section(in, in.Size())
	buffered := bufio.NewReader(packed)
	err := scan(buffered)
	var limit *LimitError
	if errors.As(err, &limit) {
		return 0, err
	}
	if err != nil {
		return 0, fmt.Errorf("%v: %w", kind, noEOF(err))
	}
	at, err := packed.Seek(0, io.SeekCurrent)
	return at - int64(buffered.Buffered()), err
}
