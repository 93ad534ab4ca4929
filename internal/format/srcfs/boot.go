// SPDX-License-Identifier: MIT

package srcfs

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// Boot is what stands in front of the stream. Make one with NewBoot.
type Boot struct {
	stage1 []byte // the boot sector
	stage2 []byte // source text of the kernel
}

// maxStage2 bounds the source of a kernel, in bytes. That of builder-hex0 has less than a tenth.
const maxStage2 = 1 << 20

// NewBoot makes the front of an image from the sources of builder-hex0: the boot sector as hex0 text, which is compiled
// here, and the kernel's, which the boot sector compiles. It refuses a boot sector that has not 512 bytes or lacks its
// mark 55 AA, a kernel whose text ends on a whole sector, since the boot sector reads up to the first zero, and a kernel
// that looks for the stream elsewhere than behind its text.
func NewBoot(stage1Source, stage2Source []byte) (Boot, error) {
	stage1, err := Compile(stage1Source)
	if err != nil {
		return Boot{}, fmt.Errorf("srcfs: stage1: %w", err)
	}
	b := Boot{stage1: stage1, stage2: bytes.Clone(stage2Source)}
	if err := b.check(); err != nil {
		return Boot{}, fmt.Errorf("srcfs: %w", err)
	}
	return b, nil
}

func (b Boot) check() error {
	switch {
	case len(b.stage1) != Sector:
		return fmt.Errorf("stage1: %d bytes; a boot sector has %d", len(b.stage1), Sector)
	case !bytes.HasSuffix(b.stage1, []byte{0x55, 0xaa}):
		return fmt.Errorf("stage1: ends in %x; a boot sector ends in 55aa", b.stage1[Sector-2:])
	case len(b.stage2) == 0 || len(b.stage2) > maxStage2:
		return fmt.Errorf("stage2: a source of %d bytes; from 1 to %d are allowed", len(b.stage2), maxStage2)
	case bytes.IndexByte(b.stage2, 0) >= 0:
		return fmt.Errorf("stage2: a zero at byte %d of the source, where the boot sector would stop reading",
			bytes.IndexByte(b.stage2, 0))
	case len(b.stage2)%Sector == 0:
		return fmt.Errorf("stage2: a source of %d bytes, which are whole sectors: no zero is left to end it", len(b.stage2))
	}
	start, err := StartSector(b.stage2)
	if err != nil {
		return fmt.Errorf("stage2: %w", err)
	}
	if behind := b.size() / Sector; start != behind {
		return fmt.Errorf("stage2: it reads its input from sector %d; with a source of %d bytes that is sector %d", start,
			len(b.stage2), behind)
	}
	return nil
}

// size is where the stream starts, in bytes.
func (b Boot) size() int64 {
	return (int64(len(b.stage1)+len(b.stage2)) + Sector - 1) / Sector * Sector
}

// Start is the sector at which the stream starts.
func (b Boot) Start() int64 { return b.size() / Sector }

// setStart is the beginning of the instruction of builder-hex0 that says where its input is: mov dword [0x1000000], and
// a number of four bytes follows. The kernel has two, of which the first counts only where it is a boot sector itself.
var setStart = string([]byte{0xc7, 0x05, 0x00, 0x00, 0x00, 0x01})

// ownStart is the number of the first: a kernel that is its own boot sector has eight sectors.
const ownStart = 8

// StartSector is the sector from which a kernel reads its input when a boot sector has compiled it. It is taken from the
// code that the text stands for, not from what comments say; a kernel in which it is not written in the one known way is
// an error.
func StartSector(stage2 []byte) (int64, error) {
	code, err := Compile(stage2)
	if err != nil {
		return 0, err
	}
	var starts []int64
	for rest := string(code); ; {
		_, after, found := strings.Cut(rest, setStart)
		if !found {
			break
		}
		if len(after) >= 4 {
			starts = append(starts, int64(binary.LittleEndian.Uint32([]byte(after[:4]))))
		}
		rest = after
	}
	if len(starts) != 2 || starts[0] != ownStart {
		return 0, fmt.Errorf("the code sets the sector of its input to %d; want %d and then one more", starts, ownStart)
	}
	return starts[1], nil
}

// Compile translates hex0 text: pairs of hex digits with blanks between them; # and ; start comments.
func Compile(source []byte) ([]byte, error) {
	var code []byte
	number := 0
	for text := range strings.Lines(string(source)) {
		number++
		if at := strings.IndexAny(text, "#;"); at >= 0 {
			text = text[:at]
		}
		for pairs := range strings.FieldsSeq(text) {
			b, err := hex.DecodeString(pairs)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
			code = append(code, b...)
		}
	}
	return code, nil
}
