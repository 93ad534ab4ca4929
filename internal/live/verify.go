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
