// SPDX-License-Identifier: MIT

package qemu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// What an agent reports comes in chunks: the number of bytes that follow, in four bytes, the highest first, and they. A
// chunk of no bytes is a sign of life: a step may take its time, and a kernel that hangs says nothing of it.

// maxChunk is the largest number of bytes in a chunk; of what is given to Write at once, in most cases.
const maxChunk = 64 << 10

const chunkHead = 4

// chunkWriter is the guest's end of the line for reports. Its methods are safe for use by several goroutines at once.
type chunkWriter struct {
	line  io.Writer
	flush func() error // sends what the line has kept; may be nil

	mu  sync.Mutex
	buf []byte
}

// Write sends p, in one write of the line where it is short enough.
func (w *chunkWriter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n := min(len(p)-done, maxChunk)
		if err := w.send(p[done : done+n]); err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// ReadFrom sends all that r has, copied once less than Write has it.
func (w *chunkWriter) ReadFrom(r io.Reader) (done int64, err error) {
	for {
		n, readErr := w.sendNext(func(to []byte) (int, error) { return r.Read(to) })
		done += int64(n)
		switch {
		case errors.Is(readErr, io.EOF):
			return done, nil
		case readErr != nil:
			return done, readErr
		}
	}
}

// alive sends a sign of life.
func (w *chunkWriter) alive() error { return w.send(nil) }

func (w *chunkWriter) send(p []byte) error {
	_, err := w.sendNext(func(to []byte) (int, error) { return copy(to, p), nil })
	return err
}

// sendNext sends a chunk with what fill gives. Where fill gives nothing but an error, nothing is sent.
func (w *chunkWriter) sendNext(fill func([]byte) (int, error)) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.buf == nil {
		w.buf = make([]byte, chunkHead+maxChunk)
	}
	n, err := fill(w.buf[chunkHead:])
	if n == 0 && err != nil {
		return 0, err
	}
	binary.BigEndian.PutUint32(w.buf, uint32(n))
	if _, lineErr := w.line.Write(w.buf[:chunkHead+n]); lineErr != nil {
		return 0, lineErr
	}
	if w.flush != nil {
		if flushErr := w.flush(); flushErr != nil {
			return 0, flushErr
		}
	}
	return n, err
}

// chunkReader is rung's end of the line. Read is for one goroutine.
type chunkReader struct {
	line  io.Reader
	alive func() // called for each chunk
	left  int    // bytes of the chunk that are still to be read

	mu  sync.Mutex
	err error // why the line ended
}

// Read gives what was reported. A line that ends is io.ErrUnexpectedEOF: an agent says that it is done, and rung reads no
// further.
func (r *chunkReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.left == 0 {
		var head [chunkHead]byte
		if _, err := io.ReadFull(r.line, head[:]); err != nil {
			return 0, r.end(err)
		}
		r.alive()
		size := binary.BigEndian.Uint32(head[:])
		if size > maxChunk {
			return 0, r.end(fmt.Errorf("%q where the length of a chunk was to come", head))
		}
		r.left = int(size)
	}
	n, err := r.line.Read(p[:min(len(p), r.left)])
	r.left -= n
	if n > 0 || err == nil {
		return n, nil
	}
	return 0, r.end(err)
}

func (r *chunkReader) end(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	return err
}

// ended is why the line ended; nil where it has not.
func (r *chunkReader) ended() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
