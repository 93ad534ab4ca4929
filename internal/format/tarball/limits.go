// SPDX-License-Identifier: MIT

package tarball

import (
	"bytes"
	"fmt"
	"io"
	"math"
)

// Limits bound what Decode takes and say what it allows. The first three are always more than 0.
type Limits struct {
	Files int64 // entries
	Bytes int64 // content of all files together
	Path  int   // bytes of one path, and of one link's target

	Devices       bool // allow devices and fifos
	AbsoluteLinks bool // allow symbolic links to absolute paths, meant from the root of the tree
}

// LimitError says that a stream goes beyond a limit.
type LimitError struct {
	Name string // the entry; "" for the stream as a whole
	What string // "files", "bytes of content", "bytes of path", "bytes of stream"
	Max  int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("tarball: %q: more than %d %s", e.Name, e.Max, e.What)
}

// stream is how many bytes a stream within the limits can have: content, and for each entry its header, a PAX header
// with its records, and padding. It stops a stream of headers that never comes to an entry.
func (l Limits) stream() int64 {
	const slack = 1 << 20 // padding at the end, global headers
	perFile := 5*blockSize + 2*int64(l.Path) + 64<<10
	if l.Files > (math.MaxInt64-slack)/2/perFile || l.Bytes > math.MaxInt64/2 {
		return math.MaxInt64
	}
	return l.Bytes + l.Files*perFile + slack
}

// blockSize is the unit of a tar stream; two blocks of zeros end it.
const blockSize = 512

// input counts what is read, and how many zeros it ended with, and stops at a limit.
type input struct {
	r             io.Reader
	n, zeros, max int64
}

func (in *input) Read(p []byte) (int, error) {
	if in.n >= in.max {
		return 0, &LimitError{What: "bytes of stream", Max: in.max}
	}
	n, err := in.r.Read(p[:min(int64(len(p)), in.max-in.n)])
	in.n += int64(n)
	other := len(bytes.TrimRight(p[:n], "\x00"))
	if other > 0 {
		in.zeros = 0
	}
	in.zeros += int64(n - other)
	return n, err
}
