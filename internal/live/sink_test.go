// SPDX-License-Identifier: MIT

package live

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rung-build/rung/internal/digest"
)

// pattern is content in which no two places look alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8)*7 ^ byte(i>>16)*13
	}
	return b
}

// into writes content in pieces of a size that fits no block, and gives what close gave.
func into(t *testing.T, s *sink, content []byte, size int64) (digest.Digest, error) {
	t.Helper()
	for rest := content; len(rest) > 0; {
		n, err := s.Write(rest[:min(len(rest), 777_777)])
		if err != nil {
			break // close says it again
		}
		rest = rest[n:]
	}
	return s.close(size)
}

func TestSinkWritesEveryByte(t *testing.T) {
	for _, size := range []int{0, 1, 4096, chunkSize - 1, chunkSize, chunkSize + 1, 2*chunks*chunkSize + 5} {
		for name, change := range map[string]func(*sink){
			"as it comes":                  func(*sink) {},
			"through the page cache":       func(s *sink) { s.indirect() },
			"direct, until it is not well": func(s *sink) { s.chunk = make([]byte, chunkSize+1)[1:1] },
		} {
			name := filepath.Join(t.TempDir(), name)
			s, err := createSink(name)
			if err != nil {
				t.Fatal(err)
			}
			change(s)
			content := pattern(size)
			sum, err := into(t, s, content, int64(size)+10)
			if want := digest.Of(content); err != nil || sum != want {
				t.Errorf("%s, %d bytes: close = %v, %v; want %v", name, size, sum, err, want)
			}
			if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, append(content, make([]byte, 10)...)) {
				t.Errorf("%s, %d bytes: the file has %d, %v; want the content and 10 of zero", name, size, len(got), err)
			}
		}
	}
}

func TestSinkTakesNoFileOfAnother(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("another's"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := createSink(name); !errors.Is(err, fs.ErrExist) {
		t.Errorf("createSink = %v; want that it exists", err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "another's" {
		t.Errorf("the file = %q, %v; want it as it was", b, err)
	}
}

// TestSinkTellsOfAFullDisk: full(4) is one.
func TestSinkTellsOfAFullDisk(t *testing.T) {
	s, err := createSink(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	s.f.Close()
	if s.f, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := into(t, s, pattern(2*chunks*chunkSize), 0); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("close = %v; want that there is no space", err)
	}
}

func TestSinkKeepsItsFirstError(t *testing.T) {
	s, err := createSink(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	s.f.Close()
	if _, err := into(t, s, pattern(3*chunkSize), 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("close = %v; want that the file is closed", err)
	}
}
