// SPDX-License-Identifier: MIT

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// Has implements Blobs. A file of another size than the digest's counts as absent: Put replaces it.
func (d *Disk) Has(ctx context.Context, of digest.Digest) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	info, err := os.Lstat(d.Path(of))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, d.fail("looking for "+of.Short(), err)
	}
	return info.Mode().IsRegular() && info.Size() == of.Size(), nil
}

// Open implements Blobs.
func (d *Disk) Open(ctx context.Context, of digest.Digest) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := os.Open(d.Path(of))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &MissingError{of}
	}
	if err != nil {
		return nil, d.fail("reading "+of.Short(), err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, d.fail("reading "+of.Short(), err)
	}
	corrupt := func(got digest.Digest) error {
		return &CorruptError{Digest: of, Got: got, Path: f.Name(), Moved: d.setAside(f.Name(), info)}
	}
	if info.Size() != of.Size() || !info.Mode().IsRegular() {
		defer f.Close() // after the file was moved: an inode that is still open is nobody else's
		return nil, corrupt(digest.Digest{})
	}
	return newReader(ctx, f, of, corrupt), nil
}

// setAside moves a damaged file out of the way, where it is still the one that was looked at and not one that somebody
// has put in its place since. It gives the new path, or "" where the file stays: in a store that cannot be written.
func (d *Disk) setAside(path string, looked fs.FileInfo) (moved string) {
	now, err := os.Lstat(path)
	if err != nil || !os.SameFile(now, looked) {
		return ""
	}
	moved = filepath.Join(d.dir, "damaged", filepath.Base(path))
	if os.Rename(path, moved) != nil {
		return ""
	}
	return moved
}

// resultHeader is the first line of the file that holds a result.
func resultHeader(action digest.Digest, result []byte) []byte {
	return fmt.Appendf(nil, "action %v result %v\n", action, digest.Of(result))
}

// checkResult refuses what Record does not take.
func checkResult(action digest.Digest, result []byte) error {
	if len(result) > MaxResult {
		return fault.New(fault.Limit, "action %v: result of %d bytes; at most %d are kept", action, len(result), MaxResult)
	}
	return nil
}

// Record implements Actions.
func (d *Disk) Record(ctx context.Context, action digest.Digest, result []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkResult(action, result); err != nil {
		return err
	}
	return d.install(d.path("actions", action), resultHeader(action, result), result)
}

// Result implements Actions. A damaged result is moved aside and told to Options.Report.
func (d *Disk) Result(ctx context.Context, action digest.Digest) (result []byte, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	path := d.path("actions", action)
	b, info, err := readResult(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, d.fail("reading the result of action "+action.Short(), err)
	}
	result, ok = parseResult(action, b)
	if !ok {
		d.report(&CorruptError{Digest: action, Got: digest.Of(b), Path: path, Moved: d.setAside(path, info)})
		return nil, false, nil
	}
	return result, true, nil
}

// readResult reads the file of a result, up to a little more than it may have.
func readResult(path string) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxResult+1024))
	return b, info, err
}

// parseResult takes the result out of a file's bytes; ok is false where they are not what Record wrote for the action.
func parseResult(action digest.Digest, b []byte) (result []byte, ok bool) {
	_, result, _ = bytes.Cut(b, []byte("\n"))
	if !bytes.Equal(b, append(resultHeader(action, result), result...)) {
		return nil, false
	}
	return result, true
}
