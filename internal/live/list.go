// SPDX-License-Identifier: MIT

package live

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/disk"
	"github.com/rung-build/rung/internal/format/payload"
	"github.com/rung-build/rung/internal/format/ramdrive"
	"github.com/rung-build/rung/internal/format/srcfs"
	"github.com/rung-build/rung/internal/tree"
)

// RAMDrive is the shape of what Fiwix starts Linux from: no medium of a host, but one that a guest can be asked for.
const RAMDrive Shape = "ramdrive"

// Listing is what a file that a guest starts from or reads holds.
type Listing struct {
	Shape    Shape           // Image, Payload or RAMDrive
	Tree     tree.Tree       // the files; of a RAMDrive "kernel" and "initramfs"
	Start    int64           // of an Image: the sector at which the stream starts
	Commands []string        // of an Image: what the stream ends with
	Version  payload.Version // of a Payload
}

// Bounds of what List reads: far beyond any guest's own.
const (
	maxListed      = 1_000_000
	maxListedBytes = 1 << 40
)

// List reads a file of so many bytes and tells what it holds; put is given the content of each file. What is no image,
// payload or RAM drive is a fault of kind Usage, a damaged one of kind Mismatch, one beyond all bounds of kind Limit.
func List(file io.Reader, size int64, put func(io.Reader) (digest.Digest, error)) (Listing, error) {
	r := bufio.NewReaderSize(file, bufferSize)
	head, err := r.Peek(disk.Sector)
	if err != nil && err != io.EOF {
		return Listing{}, listFault(err)
	}
	var l Listing
	switch {
	case payload.Is(head):
		l.Shape = Payload
		l.Version, l.Tree, err = payload.Decode(r, payload.Limits{Files: maxListed, Bytes: maxListedBytes}, put)
	case len(head) == disk.Sector && bytes.HasSuffix(head, []byte{0x55, 0xaa}):
		l, err = listBootable(r, head, size, put)
	case ramdrive.Is(head, size):
		l, err = listRAMDrive(r, put)
	default:
		return Listing{}, fault.New(fault.Usage, "neither an image of builder-hex0, nor a payload, nor a RAM drive").
			WithHint("name init.img or external.img of a target; rung cpio ls reads an initramfs")
	}
	return l, listFault(err)
}

// listFault gives an error of a format its kind.
func listFault(err error) error {
	var known *fault.Error
	var image *srcfs.LimitError
	var stream *payload.LimitError
	var system *fs.PathError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.As(err, &image) || errors.As(err, &stream):
		return fault.New(fault.Limit, "%w", err).WithHint("no guest can take as much: look at where the file comes from")
	case errors.As(err, &system):
		return fault.New(fault.Unavailable, "%w", err).WithHint("copy it to another disk")
	}
	return fault.New(fault.Mismatch, "%w", err).WithHint("copy it again, or make it again: it was cut or changed")
}

// listBootable reads what starts with a boot sector.
func listBootable(r io.Reader, head []byte, size int64, put func(io.Reader) (digest.Digest, error)) (Listing, error) {
	head = bytes.Clone(head)
	img, err := srcfs.Decode(r, srcfs.Limits{Files: maxListed, Bytes: maxListedBytes}, put)
	if err == nil {
		return Listing{Shape: Image, Tree: img.Tree, Start: img.Boot.Start(), Commands: img.Trailer}, nil
	}
	if parts, _ := disk.Partitions(head, size); len(parts) > 0 {
		return Listing{}, fault.New(fault.Usage, "a disk with a partition, and no image of builder-hex0").
			WithHint("debugfs of e2fsprogs looks into its file system")
	}
	return Listing{}, err
}

func listRAMDrive(r io.Reader, put func(io.Reader) (digest.Digest, error)) (Listing, error) {
	kernel, initramfs, err := ramdrive.Decode(r, put)
	if err != nil {
		return Listing{}, err
	}
	t, err := tree.New(
		tree.Node{Path: "initramfs", Kind: tree.File, Mode: 0o644, Content: initramfs},
		tree.Node{Path: "kernel", Kind: tree.File, Mode: 0o644, Content: kernel},
	)
	return Listing{Shape: RAMDrive, Tree: t}, err
}
