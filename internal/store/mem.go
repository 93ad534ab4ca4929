// SPDX-License-Identifier: MIT

package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/rung-build/rung/internal/digest"
)

// Mem is a store in memory, for tests. The zero value is empty and ready for use.
type Mem struct {
	mu      sync.Mutex
	blobs   map[digest.Digest][]byte // protected by mu
	results map[digest.Digest][]byte // protected by mu
}

// Has implements Blobs.
func (m *Mem) Has(ctx context.Context, d digest.Digest) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.blobs[d]
	return ok, ctx.Err()
}

// Open implements Blobs.
func (m *Mem) Open(ctx context.Context, d digest.Digest) (io.ReadCloser, error) {
	m.mu.Lock()
	b, ok := m.blobs[d]
	m.mu.Unlock()
	if !ok {
		return nil, &MissingError{d}
	}
	corrupt := func(got digest.Digest) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.blobs, d)
		return &CorruptError{Digest: d, Got: got}
	}
	if int64(len(b)) != d.Size() {
		return nil, corrupt(digest.Of(b))
	}
	return newReader(ctx, io.NopCloser(bytes.NewReader(b)), d, corrupt), nil
}

// Put implements Blobs.
func (m *Mem) Put(ctx context.Context, r io.Reader) (digest.Digest, error) {
	b, err := io.ReadAll(contextReader{ctx, r})
	if err != nil {
		return digest.Digest{}, fmt.Errorf("store: put: %w", err)
	}
	d := digest.Of(b)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.blobs == nil {
		m.blobs = make(map[digest.Digest][]byte)
	}
	m.blobs[d] = b
	return d, nil
}

// Result implements Actions.
func (m *Mem) Result(ctx context.Context, action digest.Digest) (result []byte, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	result, ok = m.results[action]
	return slices.Clone(result), ok, ctx.Err()
}

// Record implements Actions.
func (m *Mem) Record(ctx context.Context, action digest.Digest, result []byte) error {
	if err := checkResult(action, result); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.results == nil {
		m.results = make(map[digest.Digest][]byte)
	}
	m.results[action] = slices.Clone(result)
	return ctx.Err()
}

// Len is the number of blobs.
func (m *Mem) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.blobs)
}

// Damage replaces the stored bytes of a blob, so that a test can see who notices.
func (m *Mem) Damage(d digest.Digest, b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blobs[d] = b
}
