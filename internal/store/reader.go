// SPDX-License-Identifier: MIT

package store

import (
	"context"
	"io"

	"github.com/rung-build/rung/internal/digest"
)

// contextReader fails once its context has ended.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// reader verifies content while it is read. The bytes that complete the content are held back until the digest is
// known, so that a caller who counts bytes, and never asks for the end, is told as well.
type reader struct {
	ctx     context.Context
	r       io.ReadCloser
	want    digest.Digest
	hasher  *digest.Hasher
	n       int64
	err     error // what every further Read says; io.EOF after verified content
	corrupt func(got digest.Digest) error
}

// newReader reads content of a digest from r. Corrupt is called once where the bytes differ, and gives the error.
func newReader(ctx context.Context, r io.ReadCloser, want digest.Digest, corrupt func(digest.Digest) error) *reader {
	return &reader{ctx: ctx, r: r, want: want, hasher: digest.NewHasher(), corrupt: corrupt}
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.r.Read(p)
	r.hasher.Write(p[:n])
	r.n += int64(n)
	switch {
	case err != nil && err != io.EOF:
		r.err = err
		return 0, err
	case r.n > r.want.Size():
		r.err = r.corrupt(digest.Digest{})
		return 0, r.err
	case r.n == r.want.Size():
		return r.finish(n)
	case err == io.EOF:
		r.err = r.corrupt(r.hasher.Digest())
		return 0, r.err
	}
	return n, nil
}

// finish gives the last n bytes, where all of them together are what the digest names.
func (r *reader) finish(n int) (int, error) {
	if got := r.hasher.Digest(); got != r.want {
		r.err = r.corrupt(got)
		return 0, r.err
	}
	r.err = io.EOF
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close implements io.Closer.
func (r *reader) Close() error { return r.r.Close() }
