// SPDX-License-Identifier: MIT

// Package store keeps content by its digest, and results of actions by the digest of the action.
package store

import (
	"context"
	"io"

	"github.com/rung-build/rung/internal/digest"
)

// Blobs is a content-addressed store. All methods are safe for use by several goroutines and processes at once.
type Blobs interface {
	// Has tells whether the store holds the content, without reading it.
	Has(ctx context.Context, d digest.Digest) (bool, error)

	// Open reads content. The reader verifies as it goes: the Read that reaches the end fails with a *CorruptError
	// where the bytes are not those of the digest. Content that is absent is a *MissingError.
	Open(ctx context.Context, d digest.Digest) (io.ReadCloser, error)

	// Put stores content and names it. On an error nothing was stored and nothing is left behind.
	Put(ctx context.Context, r io.Reader) (digest.Digest, error)
}

// Actions remembers small results by the digest of the action that gave them.
type Actions interface {
	// Result is what was recorded for the action; ok is false where nothing was.
	Result(ctx context.Context, action digest.Digest) (result []byte, ok bool, err error)

	// Record remembers a result, in place of an earlier one.
	Record(ctx context.Context, action digest.Digest, result []byte) error
}
