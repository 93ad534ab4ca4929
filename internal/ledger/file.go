// SPDX-License-Identifier: MIT

package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/filelock"
)

// Ledger is the file of a ledger: one JSON object a line, the fields of Run, or one field "comparison", after "prev",
// which is the SHA-256 of the line before with its newline, in hex, and empty in the first line. So the file is a hash
// chain: no line can be changed, taken out or put in without every later line showing it, and
//
//	sed -n 7p ledger | sha256sum
//
// is what line 8 has as "prev". Methods are safe for use by several goroutines and processes at once.
type Ledger struct {
	path string

	mu    sync.Mutex
	known known // protected by mu
}

// maxLine bounds a line, in bytes. A run with 100,000 inputs fits.
const maxLine = 64 << 20

// lockWait is how long to wait for other writers, each of whom holds the lock for one write and one flush.
const lockWait = 20 * time.Second

// Open names the file of a ledger, which Append makes where it does not exist; until then the ledger is empty.
func Open(path string) (*Ledger, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, fault.New(fault.Usage, "ledger %s: not a regular file", path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, unavailable(path, "opening it", err)
	}
	return &Ledger{path: path}, nil
}

// Path is the path of the file.
func (l *Ledger) Path() string { return l.path }

// record is a line of the file.
type record struct {
	Prev string `json:"prev"`
	Line
}

// encode makes a line, with its newline.
func (r record) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the ledger is read by people
	if err := enc.Encode(r); err != nil {
		return nil, err
	}
	if b.Len() > maxLine {
		return nil, fmt.Errorf("a line of %d bytes; at most %d are read", b.Len(), maxLine)
	}
	return b.Bytes(), nil
}

// decode reads a line, with or without its newline, strictly: one object, known fields.
func decode(line []byte) (record, error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	var r record
	if err := dec.Decode(&r); err != nil {
		return record{}, noEOF(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return record{}, errors.New("more than one JSON object")
	}
	if (r.Run == nil) == (r.Comparison == nil) {
		return record{}, errors.New("want either a run or a comparison")
	}
	if r.Comparison != nil {
		if err := r.Comparison.check(); err != nil {
			return record{}, err
		}
	}
	if r.Prev != "" {
		if _, err := digest.FromHex(r.Prev, 0); err != nil {
			return record{}, fmt.Errorf("prev: %w", err)
		}
	}
	return r, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Append adds a run: one write of a whole line, flushed to the disk, under a lock. What a killed writer left of a line
// is moved to the file PATH.torn first. On an error the file is as it was.
func (l *Ledger) Append(ctx context.Context, run Run) error { return l.append(ctx, Line{Run: &run}) }

// AppendComparison adds a comparison, as Append adds a run.
func (l *Ledger) AppendComparison(ctx context.Context, c Comparison) error {
	return l.append(ctx, Line{Comparison: &c})
}

func (l *Ledger) append(ctx context.Context, added Line) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(l.path), 0o755); err != nil {
		return unavailable(l.path, "making its directory", err)
	}
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return unavailable(l.path, "opening it", err)
	}
	defer f.Close()
	if err := filelock.Lock(f, filelock.Exclusive, lockWait); err != nil {
		return unavailable(l.path, "locking it", err)
	}
	last, end, err := l.mend(f)
	if err != nil {
		return unavailable(l.path, "reading its end", err)
	}
	r := record{Line: added}
	if len(last) > 0 {
		r.Prev = digest.Of(last).Hex()
	}
	line, err := r.encode()
	if err != nil {
		return fmt.Errorf("ledger %s: %w", l.path, err)
	}
	if err := write(f, line, end); err != nil {
		return unavailable(l.path, "writing", err)
	}
	return nil
}

// write appends a line to a file of the given length, or leaves the file as it was.
func write(f *os.File, line []byte, end int64) error {
	_, err := f.Write(line)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	return nil
}

// mend takes a torn line off the end of the file, and gives the last whole line and the length of the file after it.
func (l *Ledger) mend(f *os.File) (last []byte, end int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	torn, end, err := lineBefore(f, info.Size())
	if err != nil {
		return nil, 0, err
	}
	if len(torn) > 0 {
		if err := keepAside(l.path+".torn", torn); err != nil {
			return nil, 0, err
		}
		if err := f.Truncate(end); err != nil {
			return nil, 0, err
		}
	}
	if end == 0 {
		return nil, 0, nil
	}
	last, _, err = lineBefore(f, end-1)
	return append(last, '\n'), end, err
}

// lineBefore reads backwards from an offset to the newline before it, or to the start of the file: it gives the bytes
// between, and the offset of the first of them.
func lineBefore(f io.ReaderAt, end int64) (line []byte, start int64, err error) {
	const block = 64 << 10
	for start = end; start > 0; {
		n := min(start, block)
		buf := make([]byte, n, n+int64(len(line)))
		if _, err := f.ReadAt(buf, start-n); err != nil {
			return nil, 0, noEOF(err)
		}
		start -= n
		if i := bytes.LastIndexByte(buf, '\n'); i >= 0 {
			return append(buf, line...)[i+1:], start + int64(i) + 1, nil
		}
		line = append(buf, line...)
		if len(line) > maxLine {
			return nil, 0, fmt.Errorf("the last line has more than %d bytes", maxLine)
		}
	}
	return line, 0, nil
}

// keepAside adds a torn line to a file of such lines.
func keepAside(path string, torn []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(torn, '\n'))
	return errors.Join(err, f.Close())
}

// unavailable is the fault of an operation on the file.
func unavailable(path, doing string, err error) error {
	f := fault.New(fault.Unavailable, "ledger %s: %s: %w", path, doing, err)
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return f.WithHint("free some space, then run again: what was made is kept in the store")
	case errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM):
		return f.WithHint("the ledger has to be writable by this user")
	case errors.Is(err, filelock.ErrBusy):
		return f.WithHint("another process has held the ledger for long; look for one that is stopped")
	}
	return f
}
