// SPDX-License-Identifier: MIT

package payload

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

// Limits bound what Decode takes; each is more than 0. Beyond MaxFiles nothing is taken.
type Limits struct {
	Files int64
	Bytes int64 // content of all files together
}

// LimitError says that a stream goes beyond a limit.
type LimitError struct {
	Name string // the file; "" for the stream as a whole
	What string // "files", "bytes of content", "bytes of name"
	Max  int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("payload: %q: more than %d %s", e.Name, e.Max, e.What)
}

// Is tells whether the start of a file is that of a stream.
func Is(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) }

// Decode reads a stream up to the end of its last file, and tells its version: U32 for one without files, where both
// are the same. The content of each file is given to put, in the order of the stream.
func Decode(r io.Reader, limits Limits, put func(io.Reader) (digest.Digest, error)) (Version, tree.Tree, error) {
	d := decoder{r: bufio.NewReaderSize(r, bufferSize), limits: limits, put: put}
	count, err := d.start()
	if err != nil {
		return 0, tree.Tree{}, err
	}
	for range count {
		if err := d.file(); err != nil {
			return 0, tree.Tree{}, err
		}
	}
	t, err := tree.New(d.nodes...)
	if err != nil {
		return 0, tree.Tree{}, fmt.Errorf("payload: %w", err)
	}
	return d.version, t, nil
}

type decoder struct {
	r       *bufio.Reader
	version Version
	limits  Limits
	put     func(io.Reader) (digest.Digest, error)
	nodes   []tree.Node
	last    string // the name read last
	bytes   int64  // content so far
}

// start reads what stands in front of the files. In the wider version the half of the count that is always zero stands
// where the other has the length of the first name, which never is.
func (d *decoder) start() (int64, error) {
	head := make([]byte, len(magic)+4)
	if _, err := io.ReadFull(d.r, head); err != nil {
		return 0, fmt.Errorf("payload: header: %w", noEOF(err))
	}
	if string(head[:len(magic)]) != magic {
		return 0, fmt.Errorf("payload: starts with %q; want %q", head[:len(magic)], magic)
	}
	count := int64(binary.LittleEndian.Uint32(head[len(magic):]))
	if most := min(d.limits.Files, MaxFiles); count > most {
		return 0, &LimitError{What: "files", Max: most}
	}
	d.version = U32
	if count == 0 {
		return 0, nil
	}
	next, err := d.r.Peek(4)
	if err != nil {
		return 0, fmt.Errorf("payload: header: %w", noEOF(err))
	}
	if binary.LittleEndian.Uint32(next) == 0 {
		d.version = U64
		_, err = d.r.Discard(4)
	}
	return count, err
}

// file reads a file.
func (d *decoder) file() error {
	var b [2 * 8]byte
	if _, err := io.ReadFull(d.r, b[:2*d.version]); err != nil {
		return fmt.Errorf("payload: after %q: %w", d.last, noEOF(err))
	}
	length, size := d.number(b[:]), d.number(b[d.version:])
	if length > MaxName {
		return fmt.Errorf("payload: after %q: a name of %d bytes; %d are the most", d.last, length, MaxName)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(d.r, text); err != nil {
		return fmt.Errorf("payload: after %q: %w", d.last, noEOF(err))
	}
	name := string(text)
	if err := checkName(name); err != nil {
		return fmt.Errorf("payload: %q: %w", name, err)
	}
	if name <= d.last {
		return fmt.Errorf("payload: %q stands behind %q; names have to be in order, each once", name, d.last)
	}
	d.last = name
	return d.content(name, size)
}

func (d *decoder) number(b []byte) uint64 {
	if d.version == U32 {
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// content puts the content of a file.
func (d *decoder) content(name string, size uint64) error {
	if size > uint64(d.limits.Bytes-d.bytes) {
		return &LimitError{name, "bytes of content", d.limits.Bytes}
	}
	sum, err := d.put(io.LimitReader(d.r, int64(size)))
	if err != nil {
		return fmt.Errorf("payload: %q: %w", name, err)
	}
	if uint64(sum.Size()) != size {
		return fmt.Errorf("payload: %q: %d bytes of %d: %w", name, sum.Size(), size, io.ErrUnexpectedEOF)
	}
	d.bytes += sum.Size()
	d.nodes = append(d.nodes, tree.Node{Path: name, Kind: tree.File, Mode: 0o644, Content: sum})
	return nil
}

// noEOF turns the end of input in the middle of a stream into an error that nobody takes for a good end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
