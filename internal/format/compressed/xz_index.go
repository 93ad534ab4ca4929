// SPDX-License-Identifier: MIT

package compressed

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/rung-build/rung/internal/digest"
)

// xzRecords are what the index says of blocks (4.3): how many they are, and a sum over the sizes of each, which would
// take as much memory as hostile input wants.
type xzRecords struct {
	n   uint64
	sum *digest.Hasher
}

// add takes a block: its bytes without the padding, and unpacked.
func (r *xzRecords) add(unpadded, unpacked uint64) {
	r.n++
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], unpadded)
	binary.LittleEndian.PutUint64(b[8:], unpacked)
	r.sum.Write(b[:]) // never fails
}

// index reads the index (4), which has to agree with the blocks, and the footer (2.1.2), which has to with both.
func (s *xzScan) index() error {
	in := &summedBytes{r: s.in, n: 1, sum: crc32.ChecksumIEEE([]byte{xzIndexMark})}
	count, err := binary.ReadUvarint(in)
	if err != nil {
		return err
	}
	if count != s.walked.n {
		return errors.New("an index of another number of blocks")
	}
	told := xzRecords{sum: digest.NewHasher()}
	for range count {
		unpadded, err := binary.ReadUvarint(in)
		if err != nil {
			return err
		}
		unpacked, err := binary.ReadUvarint(in)
		if err != nil {
			return err
		}
		told.add(unpadded, unpacked)
	}
	if told.sum.Digest() != s.walked.sum.Digest() {
		return errors.New("an index of blocks with other sizes")
	}
	for in.n%4 != 0 {
		if b, err := in.ReadByte(); err != nil || b != 0 {
			return cmp.Or(err, errors.New("an index that is filled up with other bytes than zeros"))
		}
	}
	sum, err := s.read(4)
	if err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(sum) != in.sum {
		return errors.New("an index whose sum does not hold")
	}
	return s.footer(in.n + 4)
}

// footer reads the footer behind an index of so many bytes.
func (s *xzScan) footer(index int64) error {
	b, err := s.read(xzHeaderSize)
	if err != nil {
		return err
	}
	sum := binary.LittleEndian.Uint32(b)
	if string(b[10:]) != xzEnd || sum != crc32.ChecksumIEEE(b[4:10]) || !bytes.Equal(b[8:10], s.flags) ||
		(int64(binary.LittleEndian.Uint32(b[4:]))+1)*4 != index {
		return errors.New("no stream footer where one should be")
	}
	return nil
}

// summedBytes counts bytes, and takes their CRC-32.
type summedBytes struct {
	r   io.ByteReader
	n   int64
	sum uint32
}

func (s *summedBytes) ReadByte() (byte, error) {
	b, err := s.r.ReadByte()
	if err == nil {
		s.n++
		s.sum = crc32.Update(s.sum, crc32.IEEETable, []byte{b})
	}
	return b, err
}
