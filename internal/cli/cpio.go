// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/compressed"
	"github.com/rung-build/rung/internal/format/cpio"
	"github.com/rung-build/rung/internal/report"
	"github.com/rung-build/rung/internal/tree"
)

// Limits of the initramfs that the verbs read: some ten times the largest that a distribution makes.
const (
	cpioFiles = 1_000_000
	cpioBytes = 8 << 30 // of content, and of what one compressed segment comes to
)

// cpioVerbs is rung cpio.
func (a *app) cpioVerbs() *cobra.Command {
	return a.group(verb{
		use:   "cpio",
		short: "Pack, list and unpack an initramfs",
		long: `An initramfs is what a Linux kernel unpacks before it starts its first program: cpio archives of the kind newc,
one after the other, each as it is or compressed. docs/cpio.md tells what is read and written.`,
		example: `  rung cpio pack root -o initramfs --compress zstd
  rung cpio ls initramfs`,
	}, a.cpioPack(), a.cpioList(), a.cpioUnpack())
}

// packing is what the flags of rung cpio pack say.
type packing struct {
	out, compress string
	add           []string
	keep          scan
}

// cpioPack is rung cpio pack DIR.
func (a *app) cpioPack() *cobra.Command {
	var p packing
	c := a.command(verb{
		use:   "pack DIR -o FILE [flags]",
		short: "Pack a folder as an initramfs",
		long: `Pack what is in a folder as an initramfs. The same files give the same bytes: entries are sorted, and unless flags
say otherwise every owner is root and every time is 1970-01-01. Hard links become files of their own.

FILE appears whole or not at all. Each --add names an initramfs that stands before the new one, as it is; where
both have a name, the kernel takes the new one's.`,
		example: `  rung cpio pack root -o initramfs
  rung cpio pack modules -o initramfs --compress zstd --add base.img`,
		args:  cobra.ExactArgs(1),
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run:   func(c *cobra.Command, args []string) error { return a.packFolder(c.Context(), args[0], p) },
	})
	flags := c.Flags()
	flags.StringVarP(&p.out, "output", "o", "", "file to write")
	flags.StringVar(&p.compress, "compress", "none", "compression: none, gzip, zstd, xz or lz4")
	flags.StringArrayVar(&p.add, "add", nil, "initramfs to put before this one; may be given more than once")
	flags.BoolVar(&p.keep.owners, "keep-owners", false, "keep the numbers of owners and groups")
	flags.BoolVar(&p.keep.times, "keep-times", false, "keep the times of last change, in whole seconds")
	complete(c, "compress", compressions()...)
	return c
}

// compressions are the values of --compress.
func compressions() []string {
	var names []string
	for _, k := range compressionKinds() {
		names = append(names, k.String())
	}
	return names
}

func compressionKinds() []compressed.Kind {
	return []compressed.Kind{compressed.None, compressed.Gzip, compressed.Zstd, compressed.XZ, compressed.LZ4}
}

// compressionOf reads a value of --compress.
func compressionOf(name string) (compressed.Kind, error) {
	for _, k := range compressionKinds() {
		if k.String() == name {
			return k, nil
		}
	}
	return compressed.None, fault.New(fault.Usage, "--compress %s: want %s", name, strings.Join(compressions(), ", "))
}

func (a *app) packFolder(ctx context.Context, dir string, p packing) error {
	kind, err := compressionOf(p.compress)
	if err != nil {
		return err
	}
	if p.out == "" {
		return fault.New(fault.Usage, "rung cpio pack: no file to write").WithHint("name one with -o FILE")
	}
	if err := checkOutside(dir, p.out); err != nil {
		return err
	}
	t, files, err := p.keep.folder(ctx, dir)
	if err != nil {
		return cpioFault("folder "+dir, fault.Usage, err)
	}
	packed, err := p.write(ctx, t, files, kind)
	if err != nil {
		return err
	}
	facts := struct {
		File        string        `json:"file"`
		Digest      digest.Digest `json:"digest"`
		Compression string        `json:"compression"`
		Entries     int           `json:"entries"`
	}{p.out, packed, kind.String(), t.Len()}
	return a.show(facts, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s  %s  %s  %d entries\n", packed.Hex(), p.out, report.Size(packed.Size()), t.Len())
		return err
	})
}

// write writes the file and gives its digest.
func (p packing) write(ctx context.Context, t tree.Tree, files sources, kind compressed.Kind) (digest.Digest, error) {
	var parts []io.Reader
	for _, name := range p.add {
		f, _, err := openInitramfs(ctx, name, everything(), forget(ctx))
		if err != nil {
			return digest.Digest{}, err
		}
		defer f.Close()
		parts = append(parts, io.NewSectionReader(f, 0, 1<<62))
	}
	segment := piped(func(w io.Writer) error { return encode(ctx, w, t, files, kind) })
	defer segment.CloseWithError(context.Canceled) // ends the writer where the file could not be written
	whole := piped(func(w io.Writer) error { return cpio.Join(w, append(parts, segment)...) })
	defer whole.CloseWithError(context.Canceled)
	sum := digest.NewHasher()
	if err := replace(p.out, io.TeeReader(whole, sum), false); err != nil {
		return digest.Digest{}, cpioFault("initramfs "+p.out, fault.Usage, err)
	}
	return sum.Digest(), nil
}

// piped gives what a function writes.
func piped(write func(io.Writer) error) *io.PipeReader {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }()
	return r
}

// encode writes a tree as one segment.
func encode(ctx context.Context, w io.Writer, t tree.Tree, files sources, kind compressed.Kind) error {
	open := func(d digest.Digest) (io.ReadCloser, error) { return files.open(ctx, d) }
	if kind == compressed.None {
		return cpio.Encode(w, t, open)
	}
	packer, err := compressed.NewWriter(w, kind)
	if err != nil {
		return err
	}
	if err := cpio.Encode(packer, t, open); err != nil {
		return err
	}
	return packer.Close()
}

// checkOutside wants a file that is written not to lie in the folder that is packed: the next run would pack it.
func checkOutside(dir, file string) error {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	out, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(whole, out); err == nil && filepath.IsLocal(rel) {
		return fault.New(fault.Usage, "--output %s: lies in the folder that is packed", file).
			WithHint("name a file outside of %s", dir)
	}
	return nil
}

// cpioFault gives an error about something its kind: other where nothing else is known.
func cpioFault(about string, other fault.Kind, err error) error {
	var known *fault.Error
	var archive *cpio.LimitError
	var stream *compressed.LimitError
	switch {
	case errors.As(err, &known):
		return fault.New(fault.KindOf(err), "%s: %w", about, err)
	case errors.Is(err, context.Canceled):
		return fault.New(fault.Interrupted, "interrupted: %w", err)
	case errors.As(err, &archive), errors.As(err, &stream):
		other = fault.Limit
	case errors.Is(err, fs.ErrNotExist):
		other = fault.NotFound
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOSPC),
		errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		other = fault.Unavailable
	}
	return fault.New(other, "%s: %w", about, err)
}

// everything are limits that allow all that a kernel takes.
func everything() cpio.Limits {
	return cpio.Limits{Files: cpioFiles, Bytes: cpioBytes, Path: 4095, Devices: true, EscapingLinks: true}
}

// openInitramfs opens a file and reads all of it; the content of files is given to put. The caller closes it.
func openInitramfs(ctx context.Context, name string, limits cpio.Limits, put func(io.Reader) (digest.Digest, error)) (
	*os.File, []cpio.Segment, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, cpioFault("initramfs", fault.Unavailable, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fault.New(fault.Usage, "not a regular file")
	}
	var segments []cpio.Segment
	if err == nil {
		in := io.NewSectionReader(f, 0, info.Size())
		segments, err = cpio.Decode(in, limits, unpackSegment, put)
	}
	if err != nil {
		f.Close()
		return nil, nil, cpioFault("initramfs "+name, fault.Mismatch, stopped(ctx, err))
	}
	return f, segments, nil
}

// unpackSegment opens a compressed segment.
func unpackSegment(in *io.SectionReader) (cpio.Packed, error) {
	s, err := compressed.First(in, cpioBytes)
	if err != nil {
		return cpio.Packed{}, err
	}
	return cpio.Packed{Reader: s, Name: s.Kind().String(), Length: s.Length}, nil
}

// forget takes the digest of content and keeps nothing.
func forget(ctx context.Context) func(io.Reader) (digest.Digest, error) {
	return func(r io.Reader) (digest.Digest, error) {
		h := digest.NewHasher()
		_, err := io.Copy(h, reading{ctx, r})
		return h.Digest(), err
	}
}

// reading fails once its context has ended.
type reading struct {
	ctx context.Context
	io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
