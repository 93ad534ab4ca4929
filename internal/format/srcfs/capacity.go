// SPDX-License-Identifier: MIT

package srcfs

import (
	"fmt"

	"github.com/rung-build/rung/internal/tree"
)

// Limits of builder-hex0 and of the hand-off to Fiwix, from builder-hex0's memory map and live-bootstrap's kexec-fiwix.
const (
	area    = 0xbc00_0000 - 0x5400_0000 // bytes for files, which are never given back
	initrd  = 1_381_376 << 10           // bytes of the file system that Fiwix starts from, made in that area
	slots   = 14_336                    // names; kexec-fiwix counts on them
	reserve = 4                         // slots that the kernel takes for itself

	// MaxBytes is what remains for everything before the hand-off: the files of the image, and all that is built and
	// written again until then.
	MaxBytes = area - initrd
	// MaxEntries is how many files and folders can be created until then; one that is written again counts again.
	MaxEntries = slots - reserve
)

// trailerEntries is how many files and folders the end of a stream creates.
const trailerEntries = 6

// Capacity is what a guest takes, up to its hand-off to Fiwix, of what it has. Beyond it the guest dies without a word.
type Capacity struct {
	Bytes, MaxBytes     int64 // content of files
	Entries, MaxEntries int64 // files and folders
}

// CapacityOf is what a tree takes by itself, with the root and the end of the stream. What the guest builds before the
// hand-off comes on top.
func CapacityOf(t tree.Tree) Capacity {
	return Capacity{Bytes: t.Size(), MaxBytes: MaxBytes, Entries: int64(t.Len()) + 1 + trailerEntries, MaxEntries: MaxEntries}
}

// Check is an error where more is taken than there is.
func (c Capacity) Check() error {
	switch {
	case c.Bytes > c.MaxBytes:
		return fmt.Errorf("srcfs: %d bytes before the hand-off to Fiwix; builder-hex0 has room for %d", c.Bytes, c.MaxBytes)
	case c.Entries > c.MaxEntries:
		return fmt.Errorf("srcfs: %d files and folders before the hand-off to Fiwix; builder-hex0 has room for %d", c.Entries,
			c.MaxEntries)
	}
	return nil
}
