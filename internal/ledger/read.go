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

// Read gives every run to visit, the oldest first, and stops at the first error of visit, which it returns as it is. A
// line that cannot be read is a fault of kind Mismatch that names the line. A torn last line, which a killed writer has
// left or another is about to end, is no line yet. The file is not locked while visit runs.
func (l *Ledger) Read(visit func(Run) error) error {
	return l.lines(func(n int, line []byte) error {
		r, err := decode(line)
		if err != nil {
			return l.bad(n, err)
		}
		return visit(r.Run)
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
	err := l.lines(func(n int, line []byte) error {
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

// lines gives every whole line, with its newline, to visit, which must not keep it. The first line is number 1.
func (l *Ledger) lines(visit func(n int, line []byte) error) error {
	f, err := os.Open(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unavailable(l.path, "opening it", err)
	}
	defer f.Close()
	size, err := settledSize(f)
	if err != nil {
		return unavailable(l.path, "reading", err)
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 256<<10)
	for n := 1; ; n++ {
		line, err := readLine(r)
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, errLong) {
			return l.bad(n, err)
		}
		if err != nil {
			return unavailable(l.path, "reading", err)
		}
		if err := visit(n, line); err != nil {
			return err
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
