// SPDX-License-Identifier: MIT

package store

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// failing is a temporary file of a disk that fails at one of its operations.
type failing struct {
	*os.File
	at  string
	err error
}

func (f failing) Write(p []byte) (int, error) {
	if f.at == "write" {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, f.err
	}
	return f.File.Write(p)
}

func (f failing) Chmod(mode fs.FileMode) error {
	if f.at == "chmod" {
		return f.err
	}
	return f.File.Chmod(mode)
}

func (f failing) Close() error {
	if err := f.File.Close(); err != nil || f.at != "close" {
		return err
	}
	return f.err
}

func TestDiskPutOnAFailingDiskLeavesNothing(t *testing.T) {
	for _, errno := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EFBIG, syscall.EROFS} {
		for _, at := range []string{"create", "write", "chmod", "close"} {
			for _, size := range []int{10, 3<<20 + 1} {
				checkFailingPut(t, errno, at, size)
			}
		}
	}
}

func checkFailingPut(t *testing.T, errno error, at string, size int) {
	t.Helper()
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.create = func(dir string) (tempFile, error) {
		if at == "create" {
			return nil, errno
		}
		f, err := os.CreateTemp(dir, tempPattern)
		return failing{f, at, errno}, err
	}
	d, err := s.Put(t.Context(), bytes.NewReader(make([]byte, size)))
	if fault.KindOf(err) != fault.Unavailable || fault.HintOf(err) == "" || !d.IsZero() {
		t.Errorf("%v at %s: Put(%d bytes) = %v, %v; want kind %v with a hint", errno, at, size, d, err, fault.Unavailable)
	}
	if at != "create" {
		if err := s.Record(t.Context(), digest.Of(nil), nil); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%v at %s: Record = %v; want a fault of kind %v", errno, at, err, fault.Unavailable)
		}
	}
	left, err := filepath.Glob(filepath.Join(s.Dir(), "[bat]*", "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("%v at %s: Put(%d bytes) left %v, %v", errno, at, size, left, err)
	}
}
