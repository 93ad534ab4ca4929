// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"io"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// verified passes content on and, in place of its end, gives an error where its SHA-256 is not the one it should have.
type verified struct {
	io.ReadCloser
	name, hint string // for the error: "distfile x"
	want       string // SHA-256 in hexadecimal
	sum        *digest.Hasher
}

func verify(r io.ReadCloser, name, want, hint string) *verified {
	return &verified{ReadCloser: r, name: name, want: want, hint: hint, sum: digest.NewHasher()}
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.sum.Write(p[:n]) // never fails
	if err != io.EOF {
		return n, err
	}
	if got := v.sum.Digest().Hex(); got != v.want {
		return n, fault.New(fault.Mismatch, "%s: SHA-256 %s; want %s", v.name, got, v.want).WithHint("%s", v.hint)
	}
	return n, io.EOF
}

// queue is how many chunks may wait for their sum: enough for a busy host to let the sum fall behind for a moment.
const queue = 8

// summed passes bytes on and takes their digest beside, in a goroutine of its own. End it with digest.
type summed struct {
	w          io.Writer
	free, full chan []byte
	done       chan digest.Digest
}

func newSummed(w io.Writer) *summed {
	s := &summed{w: w, free: make(chan []byte, queue), full: make(chan []byte, queue), done: make(chan digest.Digest,
		1)}
	for range queue {
		s.free <- nil
	}
	go func() {
		sum := digest.NewHasher()
		for chunk := range s.full {
			sum.Write(chunk)
			s.free <- chunk
		}
		s.done <- sum.Digest()
	}()
	return s
}

func (s *summed) Write(p []byte) (int, error) {
	s.full <- append((<-s.free)[:0], p...)
	return s.w.Write(p)
}

// digest waits for the sum, and gives it. It is called once.
func (s *summed) digest() digest.Digest {
	close(s.full)
	return <-s.done
}

// watched ends with its context, and tells how much was read.
type watched struct {
	io.ReadCloser
	ctx  context.Context
	told func(n int64)
}

func (w watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, fault.New(fault.Interrupted, "interrupted: %w", err)
	}
	n, err := w.ReadCloser.Read(p)
	w.told(int64(n))
	return n, err
}
