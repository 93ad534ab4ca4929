// SPDX-License-Identifier: MIT

package distfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// Cache is where verified distfiles lie, by the SHA-256 of their content:
//
//	DIR/sha256/HEX   a file, complete; processes may share the folder
//	DIR/partial      what is on its way
//
// Files of other folders can be adopted: they are read where they lie, and never changed. A Cache is safe for use by
// several goroutines.
type Cache struct {
	dir string

	mu      sync.Mutex
	adopted map[string]string // paths by SHA-256
}

// NewCache gives the cache in a folder, which need not exist yet.
func NewCache(dir string) *Cache { return &Cache{dir: dir, adopted: map[string]string{}} }

// Path is where a file lies in the cache, or will.
func (c *Cache) Path(sha256 string) string { return filepath.Join(c.dir, "sha256", sha256) }

// partial is the folder of files on their way.
func (c *Cache) partial() string { return filepath.Join(c.dir, "partial") }

// find gives the path and the size of a file that is held.
func (c *Cache) find(sha256 string) (string, int64, bool) {
	c.mu.Lock()
	other := c.adopted[sha256]
	c.mu.Unlock()
	for _, name := range []string{c.Path(sha256), other} {
		if name == "" {
			continue
		}
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			return name, info.Size(), true
		}
	}
	return "", 0, false
}

// Has tells whether a file is held, by the SHA-256 of its content, 64 lower-case hex digits.
func (c *Cache) Has(sha256 string) bool {
	_, ok := c.Size(sha256)
	return ok
}

// Size is the size of a file that is held, in bytes; false where it is not held.
func (c *Cache) Size(sha256 string) (int64, bool) {
	_, size, ok := c.find(sha256)
	return size, ok
}

// Verify reads a file that is held to its end, and gives its path. One that is damaged is a fault of kind Mismatch, as of
// Open.
func (c *Cache) Verify(ctx context.Context, sha256 string) (string, error) {
	name, _, ok := c.find(sha256)
	if !ok {
		return "", fault.New(fault.NotFound, "distfile %s: not in the cache", sha256).WithHint("rung live fetch brings it")
	}
	sum, err := sumOf(ctx, name)
	if err == nil && sum.Hex() != sha256 {
		err = c.damaged(sha256, name)
	}
	return name, err
}

// Open gives a file for reading. What is read is verified once more: in place of its end, a file that is damaged gives
// a fault of kind Mismatch, and is removed from the cache, so that the next fetch brings it again. One that is not held
// is a fault of kind NotFound.
func (c *Cache) Open(sha256 string) (io.ReadCloser, error) {
	name, _, ok := c.find(sha256)
	if !ok {
		return nil, fault.New(fault.NotFound, "distfile %s: not in the cache", sha256).WithHint("rung live fetch brings it")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "distfile %s: %w", sha256, err)
	}
	return &verified{f: f, hash: digest.NewHasher(), want: sha256, damaged: func() error { return c.damaged(sha256, name) }}, nil
}

// damaged forgets a file that is not what its name says.
func (c *Cache) damaged(sha256, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.adopted, sha256)
	e := fault.New(fault.Mismatch, "%s: damaged: the SHA-256 is not %s", name, sha256)
	if name != c.Path(sha256) {
		return e.WithHint("remove the file; rung live fetch brings it again")
	}
	os.Remove(name)
	return e.WithHint("it was removed; rung live fetch brings it again")
}

// verified is a file that is read to its end only where it has its content.
type verified struct {
	f       *os.File
	hash    *digest.Hasher
	want    string
	damaged func() error
	err     error // at the end
}

func (v *verified) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.f.Read(p)
	v.hash.Write(p[:n])
	if err == io.EOF && v.hash.Digest().Hex() != v.want {
		err = v.damaged()
	}
	v.err = err
	return n, err
}

func (v *verified) Close() error { return v.f.Close() }

// Found is a file of an adopted folder that is not what its name makes one expect.
type Found struct {
	Path string
	Want string // SHA-256
	Got  string // SHA-256
}

// Adopt looks in a folder for the distfiles that the cache has not got, each under its name, reads them, and holds those
// that are right, where they lie. The wrong ones are given, in the order of the distfiles. A folder that does not exist
// has none.
func (c *Cache) Adopt(ctx context.Context, folder string, files []File) ([]Found, error) {
	wrong := make([]*Found, len(files))
	err := parallel(ctx, runtime.GOMAXPROCS(0), len(files), func(i int) error {
		e := files[i]
		if c.Has(e.SHA256) {
			return nil
		}
		name := filepath.Join(folder, e.Name)
		sum, err := sumOf(ctx, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case sum.Hex() != e.SHA256:
			wrong[i] = &Found{name, e.SHA256, sum.Hex()}
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.adopted[e.SHA256] = name
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all []Found
	for _, f := range wrong {
		if f != nil {
			all = append(all, *f)
		}
	}
	return all, nil
}

// sumOf reads a regular file.
func sumOf(ctx context.Context, name string) (digest.Digest, error) {
	info, err := os.Stat(name)
	if err != nil {
		return digest.Digest{}, err
	}
	if !info.Mode().IsRegular() {
		return digest.Digest{}, fault.New(fault.Unavailable, "%s: not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return digest.Digest{}, fault.New(fault.Unavailable, "%w", err)
	}
	defer f.Close()
	h := digest.NewHasher()
	buf := make([]byte, 256<<10)
	for {
		n, err := f.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			return h.Digest(), nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return digest.Digest{}, fmt.Errorf("%s: %w", name, err)
		}
	}
}

// parallel calls a function for the numbers below n, on several goroutines, until one fails or the context ends.
func parallel(ctx context.Context, jobs, n int, do func(i int) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	next := 0
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = ctx.Err()
		}
		next++
		return next - 1, first == nil && next <= n
	}
	for range min(jobs, n) {
		wg.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				if err := do(i); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return first
}
