// SPDX-License-Identifier: MIT

package cpio

import "fmt"

// Limits bound what Decode takes, of all segments together, and say what it allows. The first three are always more
// than 0.
type Limits struct {
	Files int64 // entries, and parents of entries that have none
	Bytes int64 // content of all files together
	Path  int   // bytes of one path, and of one link's target

	Devices       bool // allow devices and fifos
	EscapingLinks bool // allow symbolic links that lead out of the tree, meant as a kernel takes them, from its root
}

// Limits that nothing real comes near.
const (
	maxSegments = 1000
	maxPadding  = 64 << 20 // zeros in a row between segments: boot loaders fill up to their block size
)

// LimitError says that an initramfs goes beyond a limit.
type LimitError struct {
	Name string // the entry; "" between segments
	What string // "files", "bytes of content", "bytes of path", "segments", "bytes of padding"
	Max  int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("cpio: %q: more than %d %s", e.Name, e.Max, e.What)
}
