// SPDX-License-Identifier: MIT

package distfile

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/filelock"
)

// mirrorWait is how long another process may keep a mirror for itself.
const mirrorWait = 10 * time.Second

// Placed is what a mirror came to.
type Placed struct {
	Written, There int // files
}

// WriteMirror puts the files that the cache holds into a folder under their names, as live-bootstrap asks mirrors for
// them. The folder is made where it does not exist; each file appears in it whole, and one that is wrong is replaced. A
// file is linked where the file system can, and copied elsewhere. Call Adopt for the folder before: then nothing is
// fetched that it has already. A file that cannot be placed does not keep the others from it.
func (c *Cache) WriteMirror(ctx context.Context, dir string, files []File) (Placed, error) {
	var p Placed
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return p, mirrorFault(dir, err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return p, mirrorFault(dir, err)
	}
	defer lock.Close()
	if err := filelock.Lock(lock, filelock.Exclusive, mirrorWait); err != nil {
		return p, mirrorFault(dir, err)
	}
	var failed []error
	for _, file := range files {
		name := filepath.Join(dir, file.Name)
		if !c.Has(file.SHA256) {
			continue
		}
		sum, err := sumOf(ctx, name)
		switch {
		case ctx.Err() != nil:
			return p, interrupted(ctx, ctx.Err())
		case err == nil && sum.Hex() == file.SHA256:
			p.There++
			continue
		}
		if err := c.place(ctx, file.SHA256, filepath.Join(dir, ".incoming"), name); err != nil {
			failed = append(failed, mirrorFault(dir, err))
			continue
		}
		p.Written++
	}
	return p, errors.Join(failed...)
}

// place gives a held file a name, by way of another.
func (c *Cache) place(ctx context.Context, sha256, temp, name string) error {
	os.Remove(temp)
	if sum, err := sumOf(ctx, c.Path(sha256)); err == nil && sum.Hex() != sha256 {
		return c.damaged(sha256, c.Path(sha256))
	}
	if os.Link(c.Path(sha256), temp) == nil {
		return os.Rename(temp, name)
	}
	r, err := c.Open(sha256)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	if err == nil {
		err = w.Sync()
	}
	if closing := w.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(temp, name)
	}
	if err != nil {
		os.Remove(temp)
	}
	return err
}

func mirrorFault(dir string, err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return fault.New(fault.KindOf(err), "mirror %s: %w", dir, err)
	}
	return fault.New(fault.Unavailable, "mirror %s: %w", dir, err).WithHint("name another folder, on a disk that can be written")
}
