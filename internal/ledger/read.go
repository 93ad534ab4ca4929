// SPDX-License-Identifier: MIT

package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/filelock"
)

// Lines gives every line to visit, the oldest first, and stops at the first error of visit, which it returns as it is.
// A line that cannot be read is a fault of kind Mismatch that names the line. A torn last line, which a killed writer
// has left or another is about to end, is no line yet. The file is not locked while visit runs.
func (l *Ledger) Lines(visit func(Line) error) error {
	_, err := l.readFrom(place{}, visit)
	return err
}

// Read is Lines for runs alone.
func (l *Ledger) Read(visit func(Run) error) error { return l.Lines(runsOnly(visit)) }

func runsOnly(visit func(Run) error) func(Line) error {
	return func(line Line) error {
		if line.Run == nil {
			return nil
		}
		return visit(*line.Run)
	}
}

// readFrom is Lines from a place on; it tells where the next line will stand.
func (l *Ledger) readFrom(from place, visit func(Line) error) (place, error) {
	return l.lines(from, func(n int, line []byte) error {
		r, err := decode(line)
		if err != nil {
			return l.bad(n, err)
		}
		return visit(r.Line)
	})
}

// Head says where a ledger ends. Whoever keeps it elsewhere can tell later that nothing before it has changed, the last
// line and the number of lines included, which the chain itself cannot.
type Head struct {
	Lines  int
	Digest digest.Digest // of the last line with its newline; zero where there is none
}

// Verify reads every line and follows the hash chain. The error is a fault of kind Mismatch that names the first line
// that does not fit.
func (l *Ledger) Verify() (Head, error) {
	var head Head
	_, err := l.lines(place{}, func(n int, line []byte) error {
		r, err := decode(line)
		if err != nil {
			return l.bad(n, err)
		}
		want := ""
		if n > 1 {
			want = head.Digest.Hex()
		}
		if r.Prev != want {
			return l.bad(n, fmt.Errorf("its prev is %q, but the digest of the line before is %q", r.Prev, want))
		}
		head = Head{Lines: n, Digest: digest.Of(line)}
		return nil
	})
	if err != nil {
		return Head{}, err
	}
	return head, nil
}

// bad is the fault of a line.
func (l *Ledger) bad(n int, err error) error {
	return fault.New(fault.Mismatch, "ledger %s: line %d: %w", l.path, n, err).
		WithHint("the file was changed by something other than rung; restore it, or move it away to start a new one")
}

// place is the start of a line.
type place struct {
	lines  int   // before it
	offset int64 // of its first byte
}

// lines gives every whole line from a place on, with its newline, to visit, which must not keep it; the first line of
// the file is number 1. It tells where the next line will start.
func (l *Ledger) lines(from place, visit func(n int, line []byte) error) (place, error) {
	f, err := os.Open(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return place{}, nil
	}
	if err != nil {
		return place{}, unavailable(l.path, "opening it", err)
	}
	defer f.Close()
	size, err := settledSize(f)
	if err != nil {
		return place{}, unavailable(l.path, "reading", err)
	}
	if size < from.offset {
		return place{}, l.bad(from.lines, errors.New("the file has become shorter since this line was read"))
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, from.offset, size-from.offset), 64<<10)
	for at := from; ; {
		line, err := readLine(r)
		if err == io.EOF {
			return at, nil
		}
		at = place{at.lines + 1, at.offset + int64(len(line))}
		if errors.Is(err, errLong) {
			return place{}, l.bad(at.lines, err)
		}
		if err != nil {
			return place{}, unavailable(l.path, "reading", err)
		}
		if err := visit(at.lines, line); err != nil {
			return place{}, err
		}
	}
}

// settledSize is the size of the file at a moment when nobody writes. Whole lines before it never change.
func settledSize(f *os.File) (int64, error) {
	if err := filelock.Lock(f, filelock.Shared, lockWait); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), filelock.Unlock(f)
}

var errLong = fmt.Errorf("more than %d bytes", maxLine)

// readLine reads up to a newline. At the end of input, what stands there without a newline is dropped.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, errLong
		}
		if err == nil {
			return line, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}
