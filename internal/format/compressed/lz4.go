// SPDX-License-Identifier: MIT

package compressed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

// Constants of the legacy frame: a magic, then blocks, each with its packed size before it. There is no mark of the
// end: a kernel goes on to the end of its input or to a size of 0 (lib/decompress_unlz4.c of Linux 6.1).
const (
	lz4Magic = "\x02\x21\x4c\x18"
	lz4Block = 8 << 20 // bytes unpacked, of every block but the last
)

// lz4MaxPacked is what a block comes to at the most, by LZ4_COMPRESSBOUND of lz4.h.
const lz4MaxPacked = lz4Block + lz4Block/255 + 16

// lz4Reader unpacks a legacy frame.
type lz4Reader struct {
	in     io.Reader
	length int64        // packed bytes that were taken
	packed bytes.Buffer // of one block
	block  []byte       // unpacked, room for one block
	rest   []byte       // of block, not read yet
}

func newLZ4Reader(in io.Reader) *lz4Reader { return &lz4Reader{in: in} }

func (l *lz4Reader) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// next unpacks the next block.
func (l *lz4Reader) next() error {
	size, err := l.size()
	if err != nil {
		return err
	}
	l.packed.Reset()
	if _, err := io.CopyN(&l.packed, l.in, int64(size)); err != nil {
		return noEOF(err)
	}
	l.length += 4 + int64(size)
	if l.block == nil {
		l.block = make([]byte, lz4Block)
	}
	n, err := lz4.UncompressBlock(l.packed.Bytes(), l.block)
	if err != nil {
		return fmt.Errorf("a damaged block: %w", err)
	}
	l.rest = l.block[:n]
	return nil
}

// size reads the size of the next block, over the magic that may stand before it; io.EOF where the frame ends. One to
// three bytes that are left are padding if they are zeros.
func (l *lz4Reader) size() (uint32, error) {
	for first := l.length == 0; ; first = false {
		var b [4]byte
		n, err := io.ReadFull(l.in, b[:])
		switch {
		case err == io.EOF || (err == io.ErrUnexpectedEOF || err == nil) && b == [4]byte{}:
			if first {
				return 0, io.ErrUnexpectedEOF
			}
			return 0, io.EOF
		case err != nil:
			return 0, fmt.Errorf("%d bytes that are no size of a block: %w", n, err)
		case string(b[:]) == lz4Magic:
			l.length += 4
			continue
		}
		size := binary.LittleEndian.Uint32(b[:])
		if size > lz4MaxPacked {
			return 0, errors.New("a block that says it is larger than blocks are, or something without padding before it")
		}
		return size, nil
	}
}

// lz4Writer packs into a legacy frame.
type lz4Writer struct {
	w     io.Writer
	begun bool
	block []byte // filled so far
	dst   []byte
	err   error
}

func (l *lz4Writer) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) && l.err == nil {
		n := min(len(p)-done, lz4Block-len(l.block))
		l.block = append(l.block, p[done:done+n]...)
		done += n
		if len(l.block) == lz4Block {
			l.err = l.flush()
		}
	}
	return done, l.err
}

// flush writes what was filled as a block.
func (l *lz4Writer) flush() error {
	if !l.begun {
		l.begun = true
		if _, err := io.WriteString(l.w, lz4Magic); err != nil {
			return err
		}
	}
	if len(l.block) == 0 {
		return nil
	}
	if l.dst == nil {
		l.dst = make([]byte, 4+lz4MaxPacked)
	}
	packer := lz4.CompressorHC{Level: lz4.Level9}
	n, err := packer.CompressBlock(l.block, l.dst[4:])
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(l.dst, uint32(n))
	l.block = l.block[:0]
	_, err = l.w.Write(l.dst[:4+n])
	return err
}

// Close writes the last block; what is behind is left open.
func (l *lz4Writer) Close() error {
	if l.err == nil {
		l.err = l.flush()
	}
	return l.err
}
