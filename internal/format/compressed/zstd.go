// SPDX-License-Identifier: MIT

package compressed

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Constants of RFC 8878; the number of its section stands behind each.
const (
	zstdMagic      = "\x28\xb5\x2f\xfd" // 3.1.1
	zstdSingle     = 0x20               // 3.1.1.1.1: a frame without a window of its own
	zstdReserved   = 0x08
	zstdSummed     = 0x04
	zstdRLE        = 1 // 3.1.1.2.2
	zstdNoType     = 3
	zstdMaxContent = 128 << 10 // 3.1.1.2.4
)

// scanZstd walks through the structure of a zstd frame and refuses it where it wants a window beyond maxDictionary or a
// dictionary, or says that it unpacks to more than max bytes. It unpacks nothing: blocks carry their sizes.
func scanZstd(in *bufio.Reader, max int64) error {
	head := make([]byte, len(zstdMagic)+1)
	if _, err := io.ReadFull(in, head); err != nil {
		return err
	}
	flags := head[len(zstdMagic)]
	if flags&zstdReserved != 0 {
		return errors.New("a frame of an unknown form")
	}
	if err := scanZstdSizes(in, flags, max); err != nil {
		return err
	}
	for last := false; !last; {
		var err error
		if last, err = skipZstdBlock(in); err != nil {
			return err
		}
	}
	if flags&zstdSummed != 0 {
		_, err := in.Discard(4)
		return err
	}
	return nil
}

// scanZstdSizes reads what stands between a frame's flags and its first block: window, dictionary and content.
func scanZstdSizes(in *bufio.Reader, flags byte, max int64) error {
	var window uint64
	if flags&zstdSingle == 0 {
		b, err := in.ReadByte()
		if err != nil {
			return err
		}
		window = 1 << (10 + b>>3) // 3.1.1.1.2
		window += window / 8 * uint64(b&7)
	}
	dictionary, err := readLittle(in, []int{0, 1, 2, 4}[flags&3])
	if err != nil {
		return err
	}
	if dictionary != 0 {
		return errors.New("a frame that needs a dictionary")
	}
	width := []int{0, 2, 4, 8}[flags>>6]
	if width == 0 && flags&zstdSingle != 0 {
		width = 1
	}
	content, err := readLittle(in, width)
	if err != nil {
		return err
	}
	if width == 2 {
		content += 256
	}
	if content > uint64(max) {
		return &LimitError{Zstd, "bytes unpacked", max}
	}
	if flags&zstdSingle != 0 {
		window = content
	}
	if window > maxDictionary {
		return &LimitError{Zstd, "bytes of window", maxDictionary}
	}
	return nil
}

// skipZstdBlock goes over a block and tells whether it is the last (3.1.1.2).
func skipZstdBlock(in *bufio.Reader) (last bool, err error) {
	header, err := readLittle(in, 3)
	if err != nil {
		return false, err
	}
	size := int(header >> 3)
	switch kind := header >> 1 & 3; {
	case kind == zstdNoType || size > zstdMaxContent:
		return false, errors.New("a block of an unknown form")
	case kind == zstdRLE:
		size = 1
	}
	_, err = in.Discard(size)
	return header&1 != 0, err
}

// readLittle reads a little-endian number of 0 to 8 bytes.
func readLittle(in io.Reader, bytes int) (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(in, b[:bytes]); err != nil {
		return 0, noEOF(err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}
