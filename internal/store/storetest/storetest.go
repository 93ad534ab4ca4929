// SPDX-License-Identifier: MIT

// Package storetest is the contract of package store as a test: every store has to pass it.
//
// What only some stores have (files, locks, collection of garbage) is left to their own tests.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
)

// Store is what the contract is about.
type Store interface {
	store.Blobs
	store.Actions
}

// Harness makes stores to test and damages them.
type Harness struct {
	// New makes an empty store that lives as long as the test.
	New func(t *testing.T) Store
	// Damage replaces the stored bytes of a blob.
	Damage func(t *testing.T, s Store, d digest.Digest, b []byte)
	// Count counts what is stored and what is left over from writing, to see whether an operation leaves something.
	Count func(t *testing.T, s Store) int
}

// Run runs the contract.
func Run(t *testing.T, h Harness) {
	for name, test := range map[string]func(*testing.T, Harness){
		"PutThenOpen":             testPutThenOpen,
		"PutTwiceIsOne":           testPutTwiceIsOne,
		"MissingIsTyped":          testMissingIsTyped,
		"PutErrorLeavesNothing":   testPutErrorLeavesNothing,
		"PutStopsWithContext":     testPutStopsWithContext,
		"OpenStopsWithContext":    testOpenStopsWithContext,
		"LargeBlobStreams":        testLargeBlobStreams,
		"DamageIsFoundAndHealed":  testDamageIsFoundAndHealed,
		"DamageIsFoundBeforeEOF":  testDamageIsFoundBeforeEOF,
		"ConcurrentPutsAndReads":  testConcurrentPutsAndReads,
		"ResultsAreRemembered":    testResultsAreRemembered,
		"ResultIsNotAliased":      testResultIsNotAliased,
		"ResultOverLimit":         testResultOverLimit,
		"ConcurrentRecords":       testConcurrentRecords,
		"BytesKeepsToItsLimit":    testBytesKeepsToItsLimit,
		"OneByteReadsAreVerified": testOneByteReads,
	} {
		t.Run(name, func(t *testing.T) { test(t, h) })
	}
}

func put(t *testing.T, s Store, b []byte) digest.Digest {
	t.Helper()
	d, err := s.Put(t.Context(), bytes.NewReader(b))
	if err != nil {
		t.Fatalf("Put(%d bytes): %v", len(b), err)
	}
	if want := digest.Of(b); d != want {
		t.Fatalf("Put(%d bytes) = %v; want %v", len(b), d, want)
	}
	return d
}

func checkHas(t *testing.T, s Store, d digest.Digest, want bool) {
	t.Helper()
	if got, err := s.Has(t.Context(), d); got != want || err != nil {
		t.Errorf("Has(%v) = %v, %v; want %v", d, got, err, want)
	}
}

func checkContent(t *testing.T, s Store, d digest.Digest, want []byte) {
	t.Helper()
	got, err := store.Bytes(t.Context(), s, d, 1<<30)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("content of %v = %d bytes, %v; want the %d bytes that were put", d, len(got), err, len(want))
	}
}

func testPutThenOpen(t *testing.T, h Harness) {
	s := h.New(t)
	for _, size := range []int{0, 1, 4095, 1<<20 - 1, 1 << 20, 1<<20 + 1} {
		b := bytes.Repeat([]byte{byte(size), 'x'}, size/2+1)[:size]
		checkHas(t, s, digest.Of(b), false)
		d := put(t, s, b)
		checkHas(t, s, d, true)
		checkContent(t, s, d, b)
	}
}

func testPutTwiceIsOne(t *testing.T, h Harness) {
	s := h.New(t)
	for _, b := range [][]byte{[]byte("small"), bytes.Repeat([]byte("large"), 1<<19)} {
		d := put(t, s, b)
		before := h.Count(t, s)
		put(t, s, b)
		if after := h.Count(t, s); after != before {
			t.Errorf("putting %d bytes again made %d things of %d", len(b), after, before)
		}
		checkContent(t, s, d, b)
	}
}

func testMissingIsTyped(t *testing.T, h Harness) {
	s := h.New(t)
	d := digest.Of([]byte("never put"))
	r, err := s.Open(t.Context(), d)
	var missing *store.MissingError
	if !errors.As(err, &missing) || missing.Digest != d || r != nil {
		t.Fatalf("Open of what is absent = %v, %v; want a MissingError of %v", r, err, d)
	}
	if kind := fault.KindOf(err); kind != fault.NotFound {
		t.Errorf("kind of a MissingError = %v; want %v", kind, fault.NotFound)
	}
	put(t, s, []byte("never put"))
	wrongSize, err := digest.FromHex(d.Hex(), d.Size()+1)
	if err != nil {
		t.Fatal(err)
	}
	checkHas(t, s, wrongSize, false)
}

func testPutErrorLeavesNothing(t *testing.T, h Harness) {
	s := h.New(t)
	before := h.Count(t, s)
	broken := errors.New("the source broke")
	for _, size := range []int{0, 10, 1 << 20, 3<<20 + 5} {
		r := io.MultiReader(bytes.NewReader(make([]byte, size)), iotest.ErrReader(broken))
		d, err := s.Put(t.Context(), r)
		if !errors.Is(err, broken) || !d.IsZero() {
			t.Errorf("Put of a source that breaks after %d bytes = %v, %v; want %v", size, d, err, broken)
		}
		checkHas(t, s, digest.Of(make([]byte, size)), false)
	}
	if after := h.Count(t, s); after != before {
		t.Errorf("failed Puts left %d things; want %d", after, before)
	}
}

func testPutStopsWithContext(t *testing.T, h Harness) {
	s := h.New(t)
	before := h.Count(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	endless := readFunc(func(p []byte) (int, error) { cancel(); return len(p), nil })
	if d, err := s.Put(ctx, endless); !errors.Is(err, context.Canceled) || !d.IsZero() {
		t.Errorf("Put with a context that ends = %v, %v; want %v", d, err, context.Canceled)
	}
	if after := h.Count(t, s); after != before {
		t.Errorf("a Put that was stopped left %d things; want %d", after, before)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func testOpenStopsWithContext(t *testing.T, h Harness) {
	s := h.New(t)
	d := put(t, s, make([]byte, 1<<16))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := s.Open(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if n, err := r.Read(make([]byte, 10)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Read after the context ended = %d, %v; want %v", n, err, context.Canceled)
	}
}

func testLargeBlobStreams(t *testing.T, h Harness) {
	s := h.New(t)
	const size = 9<<20 + 3
	pattern := func() io.Reader {
		n := 0
		return io.LimitReader(readFunc(func(p []byte) (int, error) {
			p = p[:min(len(p), 7001)] // an odd piece, smaller than any buffer
			for i := range p {
				p[i] = byte(n * 31 >> 3)
				n++
			}
			return len(p), nil
		}), size)
	}
	want := digest.NewHasher()
	if _, err := io.Copy(want, pattern()); err != nil {
		t.Fatal(err)
	}
	d, err := s.Put(t.Context(), pattern())
	if err != nil || d != want.Digest() {
		t.Fatalf("Put(large) = %v, %v; want %v", d, err, want.Digest())
	}
	r, err := s.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := digest.NewHasher()
	if _, err := io.Copy(got, r); err != nil || got.Digest() != d {
		t.Errorf("reading back = %v, %v; want %v", got.Digest(), err, d)
	}
}

func testConcurrentPutsAndReads(t *testing.T, h Harness) {
	s := h.New(t)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 20 {
				b := fmt.Appendf(nil, "content %d", i) // the same for every worker
				if i == 10 {
					b = bytes.Repeat(b, 1<<17)
				}
				d, err := s.Put(t.Context(), bytes.NewReader(b))
				if err != nil {
					t.Errorf("worker %d: Put: %v", worker, err)
					return
				}
				checkContent(t, s, d, b)
			}
		})
	}
	wg.Wait()
	if got := h.Count(t, s); got != 20 {
		t.Errorf("8 workers put 20 blobs; the store has %d things", got)
	}
}

func testBytesKeepsToItsLimit(t *testing.T, h Harness) {
	s := h.New(t)
	d := put(t, s, []byte("12345"))
	if b, err := store.Bytes(t.Context(), s, d, 4); fault.KindOf(err) != fault.Limit || b != nil {
		t.Errorf("Bytes(limit 4) = %q, %v; want a fault of kind %v", b, err, fault.Limit)
	}
	if b, err := store.Bytes(t.Context(), s, d, 5); err != nil || string(b) != "12345" {
		t.Errorf("Bytes(limit 5) = %q, %v; want the content", b, err)
	}
}

func testOneByteReads(t *testing.T, h Harness) {
	s := h.New(t)
	d := put(t, s, []byte("some content"))
	r, err := s.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(iotest.OneByteReader(r)); err != nil || string(b) != "some content" {
		t.Errorf("reading byte by byte = %q, %v; want the content", b, err)
	}
}
