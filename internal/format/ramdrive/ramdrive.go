// SPDX-License-Identifier: MIT

// Package ramdrive encodes a kernel and its initramfs as the RAM drive from which Fiwix starts Linux, and reads one
// back: the sizes of both as 32-bit numbers, lowest byte first, then the kernel, then the initramfs.
//
// Left out on purpose: the kernel's command line, which Fiwix takes from its own, and what follows the initramfs: a
// drive is larger than what it holds.
//
// Specification: requirement R49 and chapter "RAM drive" of docs/srcfs.md.
package ramdrive

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/rung-build/rung/internal/digest"
)

// MaxSize is the size of the drive in bytes: kexec_size of Fiwix's command line, in KiB.
const MaxSize = 199_680 << 10

// header is the two sizes.
const header = 8

// Check refuses a pair that does not fit the drive.
func Check(kernel, initramfs digest.Digest) error {
	const room = MaxSize - header
	if kernel.Size() == 0 {
		return fmt.Errorf("ramdrive: an empty kernel")
	}
	if kernel.Size() > room || initramfs.Size() > room-kernel.Size() {
		return fmt.Errorf("ramdrive: a kernel of %d bytes and an initramfs of %d; the drive has room for %d",
			kernel.Size(), initramfs.Size(), room)
	}
	return nil
}

// Encode writes a drive up to the end of the initramfs. Content is read with open, and its size compared with the
// digest's.
func Encode(w io.Writer, kernel, initramfs digest.Digest, open func(digest.Digest) (io.ReadCloser, error)) error {
	if err := Check(kernel, initramfs); err != nil {
		return err
	}
	var sizes [header]byte
	binary.LittleEndian.PutUint32(sizes[0:], uint32(kernel.Size()))
	binary.LittleEndian.PutUint32(sizes[4:], uint32(initramfs.Size()))
	if _, err := w.Write(sizes[:]); err != nil {
		return fmt.Errorf("ramdrive: %w", err)
	}
	if err := content(w, kernel, open); err != nil {
		return fmt.Errorf("ramdrive: kernel: %w", err)
	}
	if err := content(w, initramfs, open); err != nil {
		return fmt.Errorf("ramdrive: initramfs: %w", err)
	}
	return nil
}

func content(w io.Writer, d digest.Digest, open func(digest.Digest) (io.ReadCloser, error)) error {
	r, err := open(d)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(w, io.LimitReader(r, d.Size()+1))
	if err != nil {
		return err
	}
	if n != d.Size() {
		return fmt.Errorf("content of %d bytes or more; want the %d of %v", n, d.Size(), d)
	}
	return nil
}

// Is tells whether a file of a size, in bytes, with this start can be a drive. There is no magic to know one by: the sizes
// have to fit.
func Is(head []byte, size int64) bool {
	kernel, initramfs, err := sizes(head)
	return err == nil && kernel+initramfs <= size-header
}

// sizes reads what stands in front.
func sizes(b []byte) (kernel, initramfs int64, err error) {
	if len(b) < header {
		return 0, 0, fmt.Errorf("sizes: %w", io.ErrUnexpectedEOF)
	}
	kernel, initramfs = int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
	if kernel == 0 || kernel+initramfs > MaxSize-header {
		return 0, 0, fmt.Errorf("a kernel of %d bytes and an initramfs of %d; the drive has room for %d", kernel, initramfs,
			MaxSize-header)
	}
	return kernel, initramfs, nil
}

// Decode reads a drive up to the end of the initramfs. The kernel and then the initramfs are given to put.
func Decode(r io.Reader, put func(io.Reader) (digest.Digest, error)) (kernel, initramfs digest.Digest, err error) {
	var head [header]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return digest.Digest{}, digest.Digest{}, fmt.Errorf("ramdrive: sizes: %w", noEOF(err))
	}
	k, i, err := sizes(head[:])
	if err != nil {
		return digest.Digest{}, digest.Digest{}, fmt.Errorf("ramdrive: %w", err)
	}
	if kernel, err = keep(r, k, put); err != nil {
		return digest.Digest{}, digest.Digest{}, fmt.Errorf("ramdrive: kernel: %w", err)
	}
	if initramfs, err = keep(r, i, put); err != nil {
		return digest.Digest{}, digest.Digest{}, fmt.Errorf("ramdrive: initramfs: %w", err)
	}
	return kernel, initramfs, nil
}

// keep gives the next bytes to put.
func keep(r io.Reader, size int64, put func(io.Reader) (digest.Digest, error)) (digest.Digest, error) {
	d, err := put(io.LimitReader(r, size))
	if err != nil {
		return digest.Digest{}, err
	}
	if d.Size() < size {
		return digest.Digest{}, fmt.Errorf("%d bytes of %d: %w", d.Size(), size, io.ErrUnexpectedEOF)
	}
	return d, nil
}

// noEOF turns the end of input in the middle of a drive into an error that nobody takes for a good end.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
