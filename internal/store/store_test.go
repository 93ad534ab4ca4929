// SPDX-License-Identifier: MIT

package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/store/storetest"
)

func TestMemKeepsTheContract(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		New: func(*testing.T) storetest.Store { return &store.Mem{} },
		Damage: func(_ *testing.T, s storetest.Store, d digest.Digest, b []byte) {
			s.(*store.Mem).Damage(d, b)
		},
		Count: func(_ *testing.T, s storetest.Store) int { return s.(*store.Mem).Len() },
	})
}

func TestDiskKeepsTheContract(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		New: func(t *testing.T) storetest.Store { return open(t, t.TempDir(), store.Options{}) },
		Damage: func(t *testing.T, s storetest.Store, d digest.Digest, b []byte) {
			overwrite(t, s.(*store.Disk).Path(d), b)
		},
		Count: func(t *testing.T, s storetest.Store) int {
			dir := s.(*store.Disk).Dir()
			return len(files(t, filepath.Join(dir, "blobs"))) + len(files(t, filepath.Join(dir, "tmp")))
		},
	})
}

func open(t testing.TB, dir string, opts store.Options) *store.Disk {
	t.Helper()
	d, err := store.Open(dir, opts)
	if err != nil {
		t.Fatalf("Open(%s): %v", dir, err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// overwrite replaces the bytes of a file in place, as a failing disk does.
func overwrite(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// files lists the regular files below a directory, relative to it.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
