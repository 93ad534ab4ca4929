// SPDX-License-Identifier: MIT

package source

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// Verify reads a declared file and all that it unpacks to from the store, unpacks it once more without keeping
// anything, and compares. What is not in the store is a fault of kind NotFound; damage is the store's own
// *CorruptError, which moves what is damaged aside, or a *WrongError.
func (f *Fetcher) Verify(ctx context.Context, d Distfile) (Fetched, error) {
	got, ok, err := f.Stored(ctx, d)
	if err != nil {
		return Fetched{}, err
	}
	if !ok {
		return Fetched{}, fault.New(fault.NotFound, "distfile %q: not in the store, or not all of it", d.Name).
			WithHint("rung source fetch %s", d.Name)
	}
	for _, blob := range got.Blobs()[1:] { // the file itself is read below
		if err := f.readBlob(ctx, blob); err != nil {
			return Fetched{}, fmt.Errorf("distfile %q: %w", d.Name, err)
		}
	}
	if err := f.verifyFile(ctx, d, got.File); err != nil {
		return Fetched{}, fmt.Errorf("distfile %q: %w", d.Name, err)
	}
	return got, nil
}

func (f *Fetcher) readBlob(ctx context.Context, blob digest.Digest) error {
	r, err := f.Blobs.Open(ctx, blob)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

// verifyFile copies the file out of the store, since unpacking has to go back and forth in it, and judges it.
func (f *Fetcher) verifyFile(ctx context.Context, d Distfile, file digest.Digest) (err error) {
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return hostFault(err)
	}
	temp, err := os.CreateTemp(f.Dir, ".verify-*")
	if err != nil {
		return hostFault(err)
	}
	defer func() {
		temp.Close()
		os.Remove(temp.Name())
	}()
	r, err := f.Blobs.Open(ctx, file)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := io.Copy(temp, r); err != nil {
		return err
	}
	return d.judge(file, temp)
}
