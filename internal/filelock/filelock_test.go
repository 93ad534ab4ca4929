// SPDX-License-Identifier: MIT

package filelock

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// openTwice gives two open files of one name, which are strangers to each other as two processes are.
func openTwice(t *testing.T) (a, b *os.File) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "lock")
	var files [2]*os.File
	for i := range files {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files[i] = f
	}
	return files[0], files[1]
}

func TestLockExcludes(t *testing.T) {
	for _, row := range []struct {
		name        string
		held, asked Mode
		busy        bool
	}{
		{"shared, shared", Shared, Shared, false},
		{"shared, exclusive", Shared, Exclusive, true},
		{"exclusive, shared", Exclusive, Shared, true},
		{"exclusive, exclusive", Exclusive, Exclusive, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, b := openTwice(t)
			if err := Lock(a, row.held, 0); err != nil {
				t.Fatalf("Lock of a free file: %v", err)
			}
			if err := Lock(b, row.asked, 0); errors.Is(err, ErrBusy) != row.busy || !row.busy && err != nil {
				t.Errorf("Lock of a held file = %v; want busy: %v", err, row.busy)
			}
			if err := Unlock(a); err != nil {
				t.Fatal(err)
			}
			if err := Lock(b, row.asked, 0); err != nil {
				t.Errorf("Lock after Unlock: %v", err)
			}
		})
	}
}

func TestLockChangesItsMode(t *testing.T) {
	a, b := openTwice(t)
	for _, mode := range []Mode{Exclusive, Shared} {
		if err := Lock(a, mode, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := Lock(b, Shared, 0); err != nil {
		t.Errorf("Lock(Shared) beside a lock that was made shared: %v", err)
	}
	if err := Lock(a, Exclusive, 2*pause); !errors.Is(err, ErrBusy) {
		t.Errorf("Lock(Exclusive) beside a shared lock = %v; want %v", err, ErrBusy)
	}
}

func TestLockWaits(t *testing.T) {
	a, b := openTwice(t)
	if err := Lock(a, Exclusive, 0); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() { waited <- Lock(b, Exclusive, time.Minute) }()
	if err := a.Close(); err != nil { // as the end of a process does
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Errorf("Lock while the holder goes away: %v", err)
	}
}

func TestLockOfAClosedFile(t *testing.T) {
	a, _ := openTwice(t)
	a.Close()
	if err := Lock(a, Shared, time.Minute); err == nil || errors.Is(err, ErrBusy) {
		t.Errorf("Lock of a closed file = %v; want another error than %v", err, ErrBusy)
	}
	if err := Unlock(a); err == nil {
		t.Error("Unlock of a closed file succeeded")
	}
}
