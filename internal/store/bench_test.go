// SPDX-License-Identifier: MIT

package store_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/store"
)

// sizes are a typical text of the chain, a typical program, and a tarball.
var sizes = []int{4 << 10, 256 << 10, 64 << 20}

// BenchmarkDigest is the yardstick for BenchmarkPut: SHA-256 of the same bytes and nothing else.
func BenchmarkDigest(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			content := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				digest.Of(content)
			}
		})
	}
}

// BenchmarkPut puts new content each time.
func BenchmarkPut(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, b.TempDir(), store.Options{})
			content := make([]byte, size)
			b.SetBytes(int64(size))
			for i := uint64(0); b.Loop(); i++ {
				binary.LittleEndian.PutUint64(content, i)
				d, err := s.Put(b.Context(), bytes.NewReader(content))
				if err != nil {
					b.Fatal(err)
				}
				if size >= 1<<20 { // keep the disk small
					b.StopTimer()
					if err := s.Remove(b.Context(), d); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
			}
		})
	}
}

// BenchmarkPutAgain puts content that is already there.
func BenchmarkPutAgain(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, b.TempDir(), store.Options{})
			content := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := s.Put(b.Context(), bytes.NewReader(content)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpen reads and verifies.
func BenchmarkOpen(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, b.TempDir(), store.Options{})
			d, err := s.Put(b.Context(), bytes.NewReader(make([]byte, size)))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			for b.Loop() {
				r, err := s.Open(b.Context(), d)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}

// BenchmarkWriteFile is the other yardstick for BenchmarkPut: what the file system takes for a new file, without a
// digest and without a second name.
func BenchmarkWriteFile(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			dir, content := b.TempDir(), make([]byte, size)
			b.SetBytes(int64(size))
			for i := uint64(0); b.Loop(); i++ {
				name := filepath.Join(dir, fmt.Sprint(i))
				if err := os.WriteFile(name, content, 0o444); err != nil {
					b.Fatal(err)
				}
				if size >= 1<<20 {
					b.StopTimer()
					os.Remove(name)
					b.StartTimer()
				}
			}
		})
	}
}
