// SPDX-License-Identifier: MIT

package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
)

func TestDiskGCKeepsWhatItIsTold(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{Alone: true})
	keep, drop := put(t, s, "keep"), put(t, s, "drop")
	damaged := put(t, s, "damaged")
	for _, d := range []digest.Digest{keep, drop} {
		if err := s.Record(t.Context(), d, []byte("result")); err != nil {
			t.Fatal(err)
		}
	}
	overwrite(t, s.Path(damaged), []byte("DAMAGED"))
	if _, err := store.Bytes(t.Context(), s, damaged, 100); err == nil {
		t.Fatal("damage was not found")
	}
	if err := os.WriteFile(filepath.Join(dir, "tmp", "put-1"), []byte("123"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := s.GC(t.Context(), map[digest.Digest]bool{keep: true})
	if err != nil {
		t.Fatal(err)
	}
	header := len("action  result \nresult") + len(drop.String()) + len(digest.Of([]byte("result")).String())
	want := store.Collected{Blobs: 1, Actions: 1, Stale: 2, Kept: 1, Bytes: int64(header + len("drop"+"damaged"+"123"))}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("GC differs (-want +got):\n%s", diff)
	}
	name := keep.Hex()[:2] + "/" + keep.Hex()
	left := []string{"actions/" + name, "blobs/" + name, "lock", "version"}
	if diff := cmp.Diff(left, files(t, dir)); diff != "" {
		t.Errorf("files after GC differ (-want +got):\n%s", diff)
	}
}

func TestDiskGCNeedsTheStoreAlone(t *testing.T) {
	dir := t.TempDir()
	user := open(t, dir, store.Options{})
	if _, err := user.GC(t.Context(), nil); err == nil {
		t.Error("GC of a store that others may use succeeded")
	}
	_, err := store.Open(dir, store.Options{Alone: true})
	checkFault(t, "Open alone while another uses the store", err, fault.Unavailable)
	user.Close()
	open(t, dir, store.Options{Alone: true})
}
