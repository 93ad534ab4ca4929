// SPDX-License-Identifier: MIT

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rung-build/rung/internal/digest"
)

// bufferSize is the unit of reading, hashing and writing. Content that fits is hashed before anything is written, so
// that putting again what is already there writes nothing.
const bufferSize = 1 << 20

// tempPattern names the files in tmp/.
const tempPattern = "put-*"

func createTemp(dir string) (tempFile, error) { return os.CreateTemp(dir, tempPattern) }

// Put implements Blobs.
func (d *Disk) Put(ctx context.Context, r io.Reader) (digest.Digest, error) {
	r = contextReader{ctx, r}
	first := d.buffers.Get().(*[bufferSize]byte)
	n, err := io.ReadFull(r, first[:])
	switch {
	case err == nil:
		return d.putLarge(r, first)
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		d.buffers.Put(first)
		return digest.Digest{}, fmt.Errorf("store %s: reading what to put: %w", d.dir, err)
	}
	defer d.buffers.Put(first)
	return d.putSmall(first[:n])
}

func (d *Disk) putSmall(b []byte) (digest.Digest, error) {
	sum := digest.Of(b)
	if d.holds(sum) {
		return sum, nil
	}
	if err := d.install(d.Path(sum), b); err != nil {
		return digest.Digest{}, err
	}
	return sum, nil
}

// install writes a file of a store in one go.
func (d *Disk) install(path string, parts ...[]byte) error {
	temp, err := d.newTemp()
	if err != nil {
		return err
	}
	for _, b := range parts {
		if _, err := temp.Write(b); err != nil {
			return d.discard(temp, err)
		}
	}
	return d.commit(temp, path)
}

// putLarge writes content to a temporary file while another goroutine hashes it: first is its first buffer, r the rest.
func (d *Disk) putLarge(r io.Reader, first *[bufferSize]byte) (digest.Digest, error) {
	temp, err := d.newTemp()
	if err != nil {
		d.buffers.Put(first)
		return digest.Digest{}, err
	}
	hashing := d.startHashing()
	buf, n := first, len(first)
	var readErr, writeErr error
	for {
		if _, writeErr = temp.Write(buf[:n]); writeErr != nil {
			d.buffers.Put(buf)
			break
		}
		hashing.full <- chunk{buf, n}
		if readErr != nil {
			break
		}
		buf = d.buffers.Get().(*[bufferSize]byte)
		n, readErr = io.ReadFull(r, buf[:])
	}
	close(hashing.full)
	sum := <-hashing.sum
	switch {
	case writeErr != nil:
		return digest.Digest{}, d.discard(temp, writeErr)
	case readErr != io.EOF && readErr != io.ErrUnexpectedEOF:
		d.discard(temp, readErr)
		return digest.Digest{}, fmt.Errorf("store %s: reading what to put: %w", d.dir, readErr)
	case d.holds(sum):
		d.discard(temp, nil)
		return sum, nil
	}
	if err := d.commit(temp, d.Path(sum)); err != nil {
		return digest.Digest{}, err
	}
	return sum, nil
}

// chunk is the first n bytes of a buffer.
type chunk struct {
	buf *[bufferSize]byte
	n   int
}

// hashing is a goroutine that takes the digest of chunks, and gives it once full is closed.
type hashing struct {
	full chan chunk // at most a few wait: what is written is never far ahead of what is hashed
	sum  chan digest.Digest
}

func (d *Disk) startHashing() hashing {
	h := hashing{full: make(chan chunk, 2), sum: make(chan digest.Digest, 1)}
	go func() {
		hasher := digest.NewHasher()
		for c := range h.full {
			hasher.Write(c.buf[:c.n])
			d.buffers.Put(c.buf)
		}
		h.sum <- hasher.Digest()
	}()
	return h
}

// holds tells whether a file of the right size stands at the place of some content.
func (d *Disk) holds(sum digest.Digest) bool {
	info, err := os.Lstat(d.Path(sum))
	return err == nil && info.Mode().IsRegular() && info.Size() == sum.Size()
}

func (d *Disk) newTemp() (tempFile, error) {
	temp, err := d.create(filepath.Join(d.dir, "tmp"))
	if err != nil {
		return nil, d.fail("writing", err)
	}
	return temp, nil
}

// discard removes a temporary file, and gives the fault for why.
func (d *Disk) discard(temp tempFile, why error) error {
	temp.Close()
	os.Remove(temp.Name())
	if why == nil {
		return nil
	}
	return d.fail("writing", why)
}

// commit gives a temporary file its name, in place of what has it.
func (d *Disk) commit(temp tempFile, path string) error {
	if err := temp.Chmod(0o444); err != nil {
		return d.discard(temp, err)
	}
	if err := temp.Close(); err != nil { // some file systems tell of a full disk only here
		return d.discard(temp, err)
	}
	err := os.Rename(temp.Name(), path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.Mkdir(filepath.Dir(path), 0o755); err == nil || errors.Is(err, fs.ErrExist) {
			err = os.Rename(temp.Name(), path)
		}
	}
	if err != nil {
		return d.discard(temp, err)
	}
	return nil
}
