// SPDX-License-Identifier: MIT

package storetest

import (
	"bytes"
	"sync"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
)

func testResultsAreRemembered(t *testing.T, h Harness) {
	s := h.New(t)
	action := digest.Of([]byte("action"))
	if b, ok, err := s.Result(t.Context(), action); ok || err != nil || b != nil {
		t.Errorf("Result of what was never recorded = %q, %v, %v; want nothing", b, ok, err)
	}
	for _, result := range []string{"first", "second\nof two lines\n", ""} {
		if err := s.Record(t.Context(), action, []byte(result)); err != nil {
			t.Fatalf("Record(%q): %v", result, err)
		}
		b, ok, err := s.Result(t.Context(), action)
		if !ok || err != nil || string(b) != result {
			t.Errorf("Result = %q, %v, %v; want %q", b, ok, err, result)
		}
	}
	if _, ok, err := s.Result(t.Context(), digest.Of([]byte("another"))); ok || err != nil {
		t.Errorf("Result of another action = %v, %v; want none", ok, err)
	}
}

func testResultIsNotAliased(t *testing.T, h Harness) {
	s := h.New(t)
	action, result := digest.Of(nil), []byte("result")
	if err := s.Record(t.Context(), action, result); err != nil {
		t.Fatal(err)
	}
	result[0] = 'X'
	b, _, _ := s.Result(t.Context(), action)
	if string(b) != "result" {
		t.Fatalf("Result = %q after the recorder changed its own bytes; want %q", b, "result")
	}
	b[0] = 'Y'
	if b, _, _ := s.Result(t.Context(), action); string(b) != "result" {
		t.Errorf("Result = %q after a reader changed its own bytes; want %q", b, "result")
	}
}

func testResultOverLimit(t *testing.T, h Harness) {
	s := h.New(t)
	err := s.Record(t.Context(), digest.Of(nil), make([]byte, store.MaxResult+1))
	if fault.KindOf(err) != fault.Limit || err == nil {
		t.Errorf("Record of more than MaxResult bytes: %v; want a fault of kind %v", err, fault.Limit)
	}
	if err := s.Record(t.Context(), digest.Of(nil), make([]byte, store.MaxResult)); err != nil {
		t.Errorf("Record of MaxResult bytes: %v", err)
	}
	if b, ok, err := s.Result(t.Context(), digest.Of(nil)); len(b) != store.MaxResult || !ok || err != nil {
		t.Errorf("Result = %d bytes, %v, %v; want %d", len(b), ok, err, store.MaxResult)
	}
}

func testConcurrentRecords(t *testing.T, h Harness) {
	s := h.New(t)
	action := digest.Of([]byte("action"))
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			result := bytes.Repeat([]byte{'a' + byte(worker)}, 1000)
			for range 20 {
				if err := s.Record(t.Context(), action, result); err != nil {
					t.Errorf("Record: %v", err)
				}
				b, ok, err := s.Result(t.Context(), action)
				if err != nil || !ok || len(b) != 1000 || !bytes.Equal(b, bytes.Repeat(b[:1], 1000)) {
					t.Errorf("Result = %.20q of %d bytes, %v, %v; want one worker's result, whole", b, len(b), ok, err)
				}
			}
		})
	}
	wg.Wait()
}
