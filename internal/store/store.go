// SPDX-License-Identifier: MIT

// Package store keeps content by its digest, and results of actions by the digest of the action.
//
// Disk is the store that is used by default: a directory (see Disk for its layout). Mem is one in memory, for tests.
// Both pass the contract suite in storetest.
//
// Damage heals in three moves. A reader that finds other bytes than the digest names moves the blob aside and fails
// with a *CorruptError; the content is then absent; whoever can make it again (a stage that is run once more) puts it,
// which works because nothing stands in its place. Put itself compares only the size of what is already there, since
// reading it would make each repeated Put as slow as the first.
//
// Left out on purpose: encryption, compression, and reference counts: what is worth keeping is known to the caller of
// Disk.GC.
package store

import (
	"context"
	"fmt"
	"io"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// Blobs is a content-addressed store. All methods are safe for use by several goroutines and processes at once.
type Blobs interface {
	// Has tells whether the store holds the content, without reading it.
	Has(ctx context.Context, d digest.Digest) (bool, error)

	// Open reads content. The reader verifies as it goes: the Read that reaches the end fails with a *CorruptError, and
	// gives no bytes, where they are not those of the digest; Open itself fails so where that can be seen at once.
	// Content that is absent is a *MissingError. Reading fails once ctx has ended.
	Open(ctx context.Context, d digest.Digest) (io.ReadCloser, error)

	// Put stores content and names it. On an error nothing was stored and nothing is left behind. Reading fails once ctx
	// has ended.
	Put(ctx context.Context, r io.Reader) (digest.Digest, error)
}

// Actions remembers small results by the digest of the action that gave them. All methods are safe for use by several
// goroutines and processes at once.
type Actions interface {
	// Result is what was recorded for the action; ok is false where nothing was, or where what was recorded is damaged.
	Result(ctx context.Context, action digest.Digest) (result []byte, ok bool, err error)

	// Record remembers a result of at most MaxResult bytes, in place of an earlier one.
	Record(ctx context.Context, action digest.Digest, result []byte) error
}

// MaxResult is the longest result of an action, in bytes.
const MaxResult = 16 << 20

// MissingError says that a store does not hold some content. It is a fault of kind NotFound.
type MissingError struct {
	Digest digest.Digest
}

func (e *MissingError) Error() string { return fmt.Sprintf("blob %v: not in the store", e.Digest) }

// Unwrap gives the fault.
func (e *MissingError) Unwrap() error {
	return fault.New(fault.NotFound, "not in the store").WithHint("run the stage that makes it again: rung bootstrap")
}

// CorruptError says that stored bytes are not what their name says. It is a fault of kind Mismatch.
type CorruptError struct {
	Digest digest.Digest // of the content that was asked for, or of the action
	Got    digest.Digest // of the bytes found; zero where they were not all read
	Path   string        // where they were found; "" in a store that has no files
	Moved  string        // where they lie now; "" where they could not be moved, or need not be
}

func (e *CorruptError) Error() string {
	text := fmt.Sprintf("blob %v: damaged in the store", e.Digest)
	if e.Path != "" {
		text += " at " + e.Path
	}
	if !e.Got.IsZero() {
		text += fmt.Sprintf(": its bytes are %v", e.Got)
	}
	return text
}

// Unwrap gives the fault.
func (e *CorruptError) Unwrap() error {
	f := fault.New(fault.Mismatch, "damaged in the store")
	if e.Path != "" && e.Moved == "" {
		return f.WithHint("remove %s, then run the stage that makes it again", e.Path)
	}
	return f.WithHint("run the stage that makes it again; check the disk, and the rest with: rung store verify")
}

// Bytes reads content of at most limit bytes into memory.
func Bytes(ctx context.Context, blobs Blobs, d digest.Digest, limit int64) ([]byte, error) {
	if d.Size() > limit {
		return nil, fault.New(fault.Limit, "blob %v: more than the %d bytes that are read into memory", d, limit)
	}
	r, err := blobs.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return b, nil
}
