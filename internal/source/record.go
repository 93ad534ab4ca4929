// SPDX-License-Identifier: MIT

package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/reapi"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// record is what the action cache remembers of a declared file, under Distfile.key.
type record struct {
	File  digest.Digest `json:"file"`  // as it was fetched
	Place string        `json:"place"` // without passwords
}

// take puts a file that was found right into the store, and what it unpacks to.
func (f *Fetcher) take(ctx context.Context, d Distfile, file digest.Digest, part *partial) (Fetched, error) {
	put := func(r io.Reader) (digest.Digest, error) { return f.Blobs.Put(ctx, r) }
	got := Fetched{Distfile: d, File: file}
	err := error(nil)
	if d.plain() {
		got.Tree, err = plainTree(d)
	} else {
		got.Tree, err = unpackInto(ctx, f.Blobs, d, part.f, file, put)
	}
	if err == nil {
		_, err = part.f.Seek(0, io.SeekStart)
	}
	if err == nil {
		var stored digest.Digest
		stored, err = put(part.f)
		if err == nil && stored != file {
			err = fault.New(fault.Internal, "distfile %q: changed from %v to %v while it was stored", d.Name, file, stored)
		}
	}
	if err != nil {
		return Fetched{}, &finalError{fmt.Errorf("distfile %q: storing it: %w", d.Name, err)}
	}
	return got, nil
}

// unpackInto unpacks an archive into a store, with the messages of its directories.
func unpackInto(ctx context.Context, blobs store.Blobs, d Distfile, r io.ReadSeeker, file digest.Digest,
	put func(io.Reader) (digest.Digest, error)) (tree.Tree, error) {
	unpacked, err := Unpack(r, file.Size(), d.Strip, put)
	if err != nil {
		return tree.Tree{}, err
	}
	if unpacked.Root != d.Tree {
		return tree.Tree{}, fault.New(fault.Internal, "it unpacked to %v, and then to %v", d.Tree, unpacked.Root)
	}
	for _, message := range unpacked.Messages {
		if _, err := blobs.Put(ctx, bytes.NewReader(message)); err != nil {
			return tree.Tree{}, err
		}
	}
	return unpacked.Tree, nil
}

// plainTree is the tree of a file that is used as it is.
func plainTree(d Distfile) (tree.Tree, error) {
	return tree.New(tree.Node{Path: d.Name, Kind: tree.File, Mode: modeFile, Content: d.File})
}

// remember records that a file is in the store.
func (f *Fetcher) remember(ctx context.Context, got Fetched) error {
	text, err := json.Marshal(record{got.File, got.Place})
	if err != nil {
		return fmt.Errorf("distfile %q: %w", got.Distfile.Name, err)
	}
	return f.Actions.Record(ctx, got.Distfile.key(), text)
}

// recall is the record of a declared file. One that cannot be read does not count.
func (f *Fetcher) recall(ctx context.Context, d Distfile) (record, bool, error) {
	text, ok, err := f.Actions.Result(ctx, d.key())
	if err != nil || !ok {
		return record{}, false, err
	}
	var r record
	if json.Unmarshal(text, &r) != nil || r.File.IsZero() {
		return record{}, false, nil
	}
	return r, true, nil
}

// Stored gives a declared file where the store has all of what it unpacks to and, with Options.Whole, the file itself.
// It asks no place, and reads nothing but the directories: what is read later is verified then.
func (f *Fetcher) Stored(ctx context.Context, d Distfile) (Fetched, bool, error) {
	r, ok, err := f.recall(ctx, d)
	if err != nil || !ok {
		return Fetched{}, false, err
	}
	got := Fetched{Distfile: d, File: r.File, Place: r.Place, Hit: true}
	if got.Tree, ok, err = f.storedTree(ctx, d); err != nil || !ok {
		return Fetched{}, false, err
	}
	for _, want := range got.Blobs() {
		if want == got.File && !f.Whole && !d.plain() {
			continue
		}
		if has, err := f.Blobs.Has(ctx, want); err != nil || !has {
			return Fetched{}, false, err
		}
	}
	return got, true, nil
}

// storedTree reads the directories of a declared tree. False means that one is missing or damaged, and can be made
// again.
func (f *Fetcher) storedTree(ctx context.Context, d Distfile) (tree.Tree, bool, error) {
	if d.plain() {
		t, err := plainTree(d)
		return t, err == nil, err
	}
	const maxMessage = 64 << 20
	t, err := reapi.Tree(d.Tree, maxFiles, func(of digest.Digest) ([]byte, error) {
		return store.Bytes(ctx, f.Blobs, of, maxMessage)
	})
	var missing *store.MissingError
	var corrupt *store.CorruptError
	switch {
	case errors.As(err, &missing) || errors.As(err, &corrupt):
		return tree.Tree{}, false, nil
	case err != nil:
		return tree.Tree{}, false, fmt.Errorf("distfile %q: %w", d.Name, err)
	}
	if t, err = normal(t); err != nil {
		return tree.Tree{}, false, fmt.Errorf("distfile %q: %w", d.Name, err)
	}
	return t, true, nil
}

// Blobs are all contents that a fetched file has in the store but its directories: the file itself, and the files of
// its tree.
func (f Fetched) Blobs() []digest.Digest {
	all := []digest.Digest{f.File}
	for n := range f.Tree.Nodes() {
		if n.Kind == tree.File {
			all = append(all, n.Content)
		}
	}
	return all
}

// Keep names all that a store has to keep for declared files, for store.Disk.GC. Files that are not there need
// nothing.
func (f *Fetcher) Keep(ctx context.Context, files ...Distfile) (map[digest.Digest]bool, error) {
	keep := map[digest.Digest]bool{}
	for _, d := range files {
		got, ok, err := f.Stored(ctx, d)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		keep[d.key()] = true
		for _, blob := range got.Blobs() {
			keep[blob] = true
		}
		if d.plain() {
			continue
		}
		_, messages, err := reapi.Directories(got.Tree)
		if err != nil {
			return nil, fmt.Errorf("distfile %q: %w", d.Name, err)
		}
		for _, message := range messages {
			keep[digest.Of(message)] = true
		}
	}
	return keep, nil
}
