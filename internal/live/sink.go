// SPDX-License-Identifier: MIT

package live

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/digest"
)

// sink is a new file that is written from its start to its end, past the page cache where its file system allows that
// (open(2), O_DIRECT): finding pages for hundreds of megabytes takes the kernel longer than the disk takes to write them,
// and leaves less for what will be read again. Sums are taken beside, in a goroutine. End it with close.
type sink struct {
	f          *os.File
	direct     bool
	chunk      []byte // what is not written yet
	free, full chan []byte
	sum        chan digest.Digest
	memory     []byte
	err        error // the first
}

const (
	chunkSize = 2 << 20 // bytes written at once; a multiple of every block size
	chunks    = 4       // how many there are: one is filled while others wait for their sum
)

// createSink makes a file that must not be there.
func createSink(name string) (*sink, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := os.OpenFile(name, flags|unix.O_DIRECT, 0o644)
	direct := err == nil
	if errors.Is(err, unix.EINVAL) {
		os.Remove(name) // some file systems find out when it is there already
		f, err = os.OpenFile(name, flags, 0o644)
	}
	if err != nil {
		return nil, err
	}
	memory, err := unix.Mmap(-1, 0, chunks*chunkSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil { // pages are what O_DIRECT wants memory to start at
		return nil, errors.Join(os.NewSyscallError("mmap", err), f.Close())
	}
	s := &sink{
		f: f, direct: direct, free: make(chan []byte, chunks), full: make(chan []byte, chunks), sum: make(chan digest.Digest, 1),
		memory: memory,
	}
	for i := range chunks {
		s.free <- memory[i*chunkSize : i*chunkSize : (i+1)*chunkSize]
	}
	s.chunk = <-s.free
	go s.hash()
	return s, nil
}

func (s *sink) hash() {
	sum := digest.NewHasher()
	for chunk := range s.full {
		sum.Write(chunk)
		s.free <- chunk[:0]
	}
	s.sum <- sum.Digest()
}

func (s *sink) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) && s.err == nil {
		n := copy(s.chunk[len(s.chunk):cap(s.chunk)], p[written:])
		s.chunk = s.chunk[:len(s.chunk)+n]
		written += n
		if len(s.chunk) == cap(s.chunk) {
			s.flush()
		}
	}
	return written, s.err
}

// flush writes the chunk while its sum is taken, and takes another.
func (s *sink) flush() {
	s.full <- s.chunk
	n, err := s.f.Write(s.chunk)
	if s.direct && errors.Is(err, unix.EINVAL) { // not in pieces like these
		if err = s.indirect(); err == nil {
			_, err = s.f.Write(s.chunk[n:])
		}
	}
	s.err = err
	s.chunk = <-s.free
}

// indirect has what follows go through the page cache: the end of a file is no whole block.
func (s *sink) indirect() error {
	if !s.direct {
		return nil
	}
	s.direct = false
	flags, err := unix.FcntlInt(s.f.Fd(), unix.F_GETFL, 0)
	if err == nil {
		_, err = unix.FcntlInt(s.f.Fd(), unix.F_SETFL, flags&^unix.O_DIRECT)
	}
	return os.NewSyscallError("fcntl", err)
}

// close writes the rest and fills the file up to a size by truncation. It gives the digest of what was written, and the
// first error.
func (s *sink) close(size int64) (digest.Digest, error) {
	if s.err == nil {
		s.err = s.indirect()
	}
	if s.err == nil {
		s.flush()
	}
	close(s.full)
	sum := <-s.sum
	if s.err == nil {
		s.err = s.f.Truncate(max(size, sum.Size()))
	}
	return sum, errors.Join(s.err, s.f.Close(), unix.Munmap(s.memory))
}
