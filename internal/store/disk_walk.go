// SPDX-License-Identifier: MIT

package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// entry is a file below blobs/ or actions/ whose name is a SHA-256.
type entry struct {
	sum  string
	path string
	size int64
}

// digest is the digest of a blob whose size is right.
func (e entry) digest() digest.Digest {
	d, _ := digest.FromHex(e.sum, e.size) // the walk checked it
	return d
}

// entries walks blobs/ or actions/ in the order of names. It ends after an error.
func (d *Disk) entries(kind string) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		shards, err := os.ReadDir(filepath.Join(d.dir, kind))
		if err != nil {
			yield(entry{}, d.fail("listing", err))
			return
		}
		for _, shard := range shards {
			if !d.shard(filepath.Join(d.dir, kind, shard.Name()), yield) {
				return
			}
		}
	}
}

// shard walks one directory; false ends the walk.
func (d *Disk) shard(dir string, yield func(entry, error) bool) bool {
	files, err := os.ReadDir(dir)
	if err != nil {
		yield(entry{}, d.fail("listing", err))
		return false
	}
	for _, file := range files {
		e := entry{sum: file.Name(), path: filepath.Join(dir, file.Name())}
		info, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) { // moved aside since it was listed
			continue
		}
		if err == nil {
			e.size = info.Size()
			_, err = digest.FromHex(e.sum, e.size)
		}
		if err == nil && e.sum[:2] != filepath.Base(dir) || err == nil && !info.Mode().IsRegular() {
			err = errors.New("not a file this store wrote")
		}
		if err != nil {
			yield(entry{}, fault.New(fault.Mismatch, "store %s: %s: %w", d.dir, e.path, err).
				WithHint("move it away: it is no part of the store"))
			return false
		}
		if !yield(e, nil) {
			return false
		}
	}
	return true
}

// List gives the digest of each blob in the order of their SHA-256, as their names and sizes say and without reading
// them. It ends after an error.
func (d *Disk) List(ctx context.Context) iter.Seq2[digest.Digest, error] {
	return func(yield func(digest.Digest, error) bool) {
		for e, err := range d.entries("blobs") {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(digest.Digest{}, err)
				return
			}
			if !yield(e.digest(), nil) {
				return
			}
		}
	}
}

// Progress says how far Verify is.
type Progress struct {
	Files, AllFiles int
	Bytes, AllBytes int64
}

// Verify reads every blob and every recorded result, moves those aside that are damaged, and names them in the order of
// their names, blobs first. The digest of a damaged blob has the SHA-256 of its name and the size of its file.
func (d *Disk) Verify(ctx context.Context, watch func(Progress)) ([]*CorruptError, error) {
	var all []entry
	var p Progress
	blobs := 0
	for _, kind := range []string{"blobs", "actions"} {
		for e, err := range d.entries(kind) {
			if err != nil {
				return nil, err
			}
			all = append(all, e)
			p.AllBytes += e.size
		}
		if kind == "blobs" {
			blobs = len(all)
		}
	}
	p.AllFiles = len(all)
	var damaged []*CorruptError
	for i, e := range all {
		check := d.verifyBlob
		if i >= blobs {
			check = d.verifyResult
		}
		bad, err := check(ctx, e)
		if err != nil {
			return nil, err
		}
		if bad != nil {
			damaged = append(damaged, bad)
		}
		p.Files, p.Bytes = p.Files+1, p.Bytes+e.size
		if watch != nil {
			watch(p)
		}
	}
	return damaged, nil
}

// verifyBlob reads a blob to its end.
func (d *Disk) verifyBlob(ctx context.Context, e entry) (*CorruptError, error) {
	r, err := d.Open(ctx, e.digest())
	if err == nil {
		buf := d.buffers.Get().(*[bufferSize]byte)
		for err == nil {
			_, err = r.Read(buf[:])
		}
		d.buffers.Put(buf)
		r.Close()
	}
	var bad *CorruptError
	var missing *MissingError
	switch {
	case err == io.EOF || errors.As(err, &missing): // missing: moved aside by somebody else
		return nil, nil
	case errors.As(err, &bad):
		return bad, nil
	}
	return nil, err
}

// verifyResult reads a recorded result, whose file names the action by all of its digest.
func (d *Disk) verifyResult(ctx context.Context, e entry) (*CorruptError, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, info, err := readResult(e.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, d.fail("reading "+e.path, err)
	}
	if action, ok := headerAction(b); ok && action.Hex() == e.sum {
		if _, ok := parseResult(action, b); ok {
			return nil, nil
		}
	}
	return &CorruptError{Digest: e.digest(), Got: digest.Of(b), Path: e.path, Moved: d.setAside(e.path, info)}, nil
}
