// SPDX-License-Identifier: MIT

package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// Remove removes some content. Content that is absent is a *MissingError.
func (d *Disk) Remove(ctx context.Context, of digest.Digest) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := os.Remove(d.Path(of))
	if errors.Is(err, fs.ErrNotExist) {
		return &MissingError{of}
	}
	if err != nil {
		return d.fail("removing "+of.Short(), err)
	}
	return nil
}

// Collected says what GC removed.
type Collected struct {
	Blobs   int   // blobs that were not kept
	Actions int   // results of actions that were not kept
	Stale   int   // files that killed processes left, and damaged ones that were moved aside
	Bytes   int64 // of all of these
	Kept    int   // blobs that stay
}

// GC removes every blob whose digest is not in keep, the results of actions whose digest is not in keep, damaged files
// that were moved aside, and what killed processes left. A store knows nothing of what its blobs say: keep has to name
// all that is wanted, down to the last file of the last directory.
//
// It can only be used where the store was opened with Options.Alone, so that nothing is removed that a running process
// has put, or found, and not yet recorded.
func (d *Disk) GC(ctx context.Context, keep map[digest.Digest]bool) (Collected, error) {
	if !d.alone {
		return Collected{}, fault.New(fault.Internal, "store %s: collected while others may use it", d.dir)
	}
	var c Collected
	for e, err := range d.entries("blobs") {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return Collected{}, err
		}
		if keep[e.digest()] {
			c.Kept++
			continue
		}
		if err := d.collect(e.path, e.size, &c.Blobs, &c.Bytes); err != nil {
			return Collected{}, err
		}
	}
	for e, err := range d.entries("actions") {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return Collected{}, err
		}
		if b, _, err := readResult(e.path); err == nil {
			if action, ok := headerAction(b); ok && keep[action] {
				continue
			}
		}
		if err := d.collect(e.path, e.size, &c.Actions, &c.Bytes); err != nil {
			return Collected{}, err
		}
	}
	return c, d.collectStale(&c)
}

// collect removes one file and counts it.
func (d *Disk) collect(path string, size int64, count *int, bytes *int64) error {
	if err := os.Remove(path); err != nil {
		return d.fail("removing "+path, err)
	}
	*count++
	*bytes += size
	return nil
}

// collectStale removes what stands in tmp/ and damaged/.
func (d *Disk) collectStale(c *Collected) error {
	for _, pattern := range []string{"tmp/" + tempPattern, "damaged/*"} {
		files, err := filepath.Glob(filepath.Join(d.dir, pattern))
		if err != nil {
			return d.fail("listing", err)
		}
		for _, path := range files {
			info, err := os.Lstat(path)
			if err != nil {
				return d.fail("listing", err)
			}
			if err := d.collect(path, info.Size(), &c.Stale, &c.Bytes); err != nil {
				return err
			}
		}
	}
	return nil
}

// headerAction is the action that the first line of a result's file names.
func headerAction(b []byte) (digest.Digest, bool) {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) != 4 {
		return digest.Digest{}, false
	}
	action, err := digest.Parse(string(fields[1]))
	return action, err == nil
}
