// SPDX-License-Identifier: MIT

package compressed

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/rung-build/rung/internal/digest"
)

// Constants of "The .xz File Format" 1.2.1; the number of its section stands behind each.
const (
	xzMagic      = "\xfd7zXZ\x00" // 2.1.1.1
	xzEnd        = "YZ"           // 2.1.2.4
	xzHeaderSize = 12             // 2.1.1 and 2.1.2: header and footer are of one size
	xzIndexMark  = 0x00           // 3.1.1, 4.1: where the size of a block header would stand
	xzLZMA2      = 0x21           // 5.3.1
)

// maxDictionary is what xz -9 uses, the most that any of its presets does.
const maxDictionary = 64 << 20

// checkSize is the size in bytes of a check of a type (2.1.1.2): none, CRC-32, CRC-64, SHA-256. The other types are
// used by nothing.
func checkSize(kind byte) (size int, ok bool) {
	sizes := map[byte]int{0: 0, 1: 4, 4: 8, 10: 32}
	size, ok = sizes[kind]
	return size, ok
}

// scanXZ walks through the structure of an xz file and refuses it where a block wants a dictionary beyond
// maxDictionary or all blocks together say that they unpack to more than max bytes. It unpacks nothing: a block of
// LZMA2 is a chain of chunks that carry their sizes. Checks of content are left to the reader that unpacks; the index and
// the footer are not, since that one takes an end in the middle of what it expects there for a good end.
func scanXZ(in *bufio.Reader, max int64) error {
	s := &xzScan{in: in, left: max, max: max}
	for first := true; ; first = false {
		more, err := s.stream(first)
		var limit *LimitError
		if errors.As(err, &limit) {
			return err
		}
		if err != nil {
			return fmt.Errorf("xz: %w", noEOF(err))
		}
		if !more {
			return nil
		}
	}
}

type xzScan struct {
	in        *bufio.Reader
	left, max int64     // unpacked bytes
	kernel    bool      // only what a kernel reads
	flags     []byte    // of the stream
	walked    xzRecords // of the stream, so far
}

// stream walks one stream. False means that there was none, because the file is at its end.
func (s *xzScan) stream(first bool) (bool, error) {
	if !first {
		if err := s.padding(); err != nil {
			return false, err
		}
		if _, err := s.in.Peek(1); err == io.EOF {
			return false, nil
		}
	}
	header, err := s.read(xzHeaderSize)
	if err != nil {
		return false, err
	}
	check, known := checkSize(header[7])
	if string(header[:6]) != xzMagic || header[6] != 0 || !known || !crcHolds(header[6:12]) {
		return false, errors.New("no stream header where one should be")
	}
	if s.kernel && check > 4 {
		return false, errors.New("a check other than CRC-32, which a kernel does not read")
	}
	s.flags, s.walked = header[6:8], xzRecords{sum: digest.NewHasher()}
	return true, s.blocks(check)
}

// blocks walks the blocks of a stream and what stands behind them.
func (s *xzScan) blocks(check int) error {
	for {
		size, err := s.in.ReadByte()
		if err != nil {
			return err
		}
		if size == xzIndexMark {
			return s.index()
		}
		if err := s.block(size, check); err != nil {
			return err
		}
	}
}

// padding skips zeros between streams, which come in fours (2.2).
func (s *xzScan) padding() error {
	for {
		four, err := s.in.Peek(4)
		if len(four) > 0 && four[0] != 0 || err == io.EOF && len(four) == 0 {
			return nil
		}
		if err != nil || !bytes.Equal(four, make([]byte, 4)) {
			return errors.New("bytes after the end that are neither a stream nor padding")
		}
		s.in.Discard(4)
	}
}

// block walks a block: its header (3.1), its chunks, padding to a multiple of four, and the check.
func (s *xzScan) block(size byte, check int) error {
	header, err := s.read(int(size)*4 + 3) // the first of its (size + 1) * 4 bytes is read
	if err != nil {
		return err
	}
	header = append([]byte{size}, header...)
	if !crcHolds(header) {
		return errors.New("a block header whose sum does not hold")
	}
	if err := checkDictionary(header); err != nil {
		return err
	}
	before := s.left
	packed, err := s.chunks()
	if err != nil {
		return err
	}
	s.walked.add(uint64(len(header)+packed+check), uint64(before-s.left))
	return s.skip((4-packed%4)%4 + check)
}

// checkDictionary wants LZMA2 to be the only filter of a block, with a dictionary that is not too large.
func checkDictionary(header []byte) error {
	fields := bytes.NewReader(header[2 : len(header)-4])
	for flag := byte(0x40); flag != 0; flag <<= 1 { // sizes of the block that may be told here (3.1.2): packed, unpacked
		if header[1]&flag == 0 {
			continue
		}
		if _, err := binary.ReadUvarint(fields); err != nil {
			return errors.New("a block header that is cut off")
		}
	}
	filter := make([]byte, 3) // id, size of the properties, properties
	if _, err := io.ReadFull(fields, filter); err != nil || header[1]&0x3f != 0 || filter[0] != xzLZMA2 || filter[1] != 1 {
		return errors.New("a block with filters other than one LZMA2")
	}
	code := filter[2] // 5.3.1: a mantissa of one bit and an exponent
	if code > 40 || (2|int64(code&1))<<(code/2+11) > maxDictionary {
		return &LimitError{XZ, "bytes of dictionary", maxDictionary}
	}
	return nil
}

// chunks walks the chunks of a block and gives the number of packed bytes (LZMA2 has no specification but the comment
// in xz's own lzma2_decoder.c). A chunk begins with a control byte: 0 ends the chain, 1 and 2 are bytes as they are,
// from 0x80 on LZMA, where the low five bits are the upper part of the unpacked size less one.
func (s *xzScan) chunks() (int, error) {
	total := 0
	for {
		control, err := s.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if control == 0 {
			return total + 1, nil
		}
		head, packed, err := s.chunk(control)
		if err != nil {
			return 0, err
		}
		if err := s.skip(packed); err != nil {
			return 0, err
		}
		total += 1 + head + packed
	}
}

// chunk reads what follows a chunk's control byte, and gives its length and that of the data behind it.
func (s *xzScan) chunk(control byte) (head, packed int, err error) {
	switch {
	case control >= 0xc0: // with new properties
		head = 5
	case control >= 0x80:
		head = 4
	case control <= 2:
		head = 2
	default:
		return 0, 0, fmt.Errorf("a chunk with the control byte %#x", control)
	}
	b, err := s.read(head)
	if err != nil {
		return 0, 0, err
	}
	unpacked := int(binary.BigEndian.Uint16(b)) + 1
	packed = unpacked
	if control >= 0x80 {
		unpacked += int(control&0x1f) << 16
		packed = int(binary.BigEndian.Uint16(b[2:])) + 1
	}
	if s.left -= int64(unpacked); s.left < 0 {
		return 0, 0, &LimitError{XZ, "bytes unpacked", s.max}
	}
	return head, packed, nil
}

// read reads some bytes, which are few.
func (s *xzScan) read(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(s.in, b)
	return b, err
}

func (s *xzScan) skip(n int) error {
	_, err := s.in.Discard(n)
	return err
}

// crcHolds tells whether the last four bytes are the CRC-32 of those before them.
func crcHolds(b []byte) bool {
	at := len(b) - 4
	return crc32.ChecksumIEEE(b[:at]) == binary.LittleEndian.Uint32(b[at:])
}
