// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"io"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// pending is a sum of chunks that is taken beside the goroutine that gives them.
type pending struct {
	sum  *digest.Hasher
	done chan struct{} // nil where nothing is under way
}

// start adds a chunk, which must stay as it is until wait.
func (p *pending) start(chunk []byte) {
	p.wait()
	p.done = make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		p.sum.Write(chunk) // never fails
	}(p.done)
}

func (p *pending) wait() {
	if p.done != nil {
		<-p.done
		p.done = nil
	}
}

// verified passes content on and, in place of its end, gives an error where its SHA-256 is not the one it should have. The
// sum of a chunk is taken while the caller uses it, up to the next Read.
type verified struct {
	r       io.ReadCloser
	name    string // for the error: "distfile x"
	hint    string
	want    string // SHA-256 in hexadecimal
	pending pending
}

func verify(r io.ReadCloser, name, want, hint string) *verified {
	return &verified{r: r, name: name, want: want, hint: hint, pending: pending{sum: digest.NewHasher()}}
}

func (v *verified) Read(p []byte) (int, error) {
	v.pending.wait()
	n, err := v.r.Read(p)
	if n > 0 {
		v.pending.start(p[:n])
	}
	if err != io.EOF {
		return n, err
	}
	v.pending.wait()
	if got := v.pending.sum.Digest().Hex(); got != v.want {
		return n, fault.New(fault.Mismatch, "%s: SHA-256 %s; want %s", v.name, got, v.want).WithHint("%s", v.hint)
	}
	return n, io.EOF
}

func (v *verified) Close() error {
	v.pending.wait()
	return v.r.Close()
}

// summed passes bytes on to a file and takes their digest at the same time.
type summed struct {
	w       io.Writer
	pending pending
}

func (s *summed) Write(p []byte) (int, error) {
	s.pending.start(p)
	n, err := s.w.Write(p)
	s.pending.wait()
	return n, err
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
