// SPDX-License-Identifier: MIT

package audit

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/ulikunitz/xz/lzma"

	"github.com/rung-build/rung/internal/format/compressed"
)

// maxDictionary is what lzma -9 uses.
const maxDictionary = 64 << 20

// lzmaHeader is the size of the header of an .lzma file: properties, u32 dictionary size, u64 length.
const lzmaHeader = 13

// read reads a distfile by what it is: by its first bytes, not by its name.
func (l *look) read(content io.ReaderAt, size int64) error {
	head := make([]byte, lzmaHeader)
	n, err := content.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if bytes.HasPrefix(head[:n], []byte("PK\x03\x04")) {
		return l.zip(content, size)
	}
	in := io.NewSectionReader(content, 0, size)
	r, packed, err := l.unpacked(in, head[:n])
	if err != nil {
		return err
	}
	buffered := bufio.NewReaderSize(r, 64<<10)
	first, err := buffered.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if isTar(first) {
		return l.tar(buffered)
	}
	if err := l.member(l.name, buffered); err != nil {
		return err
	}
	if !packed {
		return nil
	}
	_, err = io.Copy(io.Discard, contextual{l, buffered}) // for what its end says
	return err
}

// unpacked gives the unpacked bytes, and whether the distfile was packed.
func (l *look) unpacked(in *io.SectionReader, head []byte) (io.Reader, bool, error) {
	if path.Ext(l.name) == ".lzma" && len(head) == lzmaHeader {
		if d := binary.LittleEndian.Uint32(head[1:]); d > maxDictionary {
			return nil, false, fmt.Errorf("lzma: a dictionary of %d bytes", d)
		}
		r, err := lzma.NewReader(bufio.NewReader(in))
		if err != nil {
			return nil, false, fmt.Errorf("lzma: %w", err)
		}
		return io.LimitReader(r, maxUnpacked), true, nil
	}
	r, kind, err := compressed.NewReader(in, maxUnpacked)
	return r, kind != compressed.None, err
}

// isTar looks at the first block: at the checksum of its header, which is taken with blanks in its own place, of bytes
// with or without a sign (POSIX.1-2024, pax, "ustar interchange format").
func isTar(block []byte) bool {
	if len(block) < 512 {
		return false
	}
	want, err := strconv.ParseInt(strings.Trim(string(block[148:156]), " \x00"), 8, 32)
	if err != nil {
		return false
	}
	var unsigned, signed int64
	for i, b := range block[:512] {
		if 148 <= i && i < 156 {
			b = ' '
		}
		unsigned += int64(b)
		signed += int64(int8(b))
	}
	return want == unsigned || want == signed
}

func (l *look) tar(r io.Reader) error {
	for tr := tar.NewReader(contextual{l, r}); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, contextual{l, r}) // for what the end of the packing says
			return err
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := l.member(h.Name, tr); err != nil {
			return err
		}
	}
}

// zip reads the heads of the members of a zip archive alone, since each can be reached.
func (l *look) zip(content io.ReaderAt, size int64) error {
	z, err := zip.NewReader(content, size)
	if err != nil {
		return err
	}
	for _, f := range z.File {
		if !f.Mode().IsRegular() {
			continue
		}
		l.last = f.Name
		r, err := f.Open()
		if err != nil {
			return err
		}
		err = l.member(f.Name, io.LimitReader(r, headSize))
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// contextual ends with the context of a look.
type contextual struct {
	l *look
	r io.Reader
}

func (c contextual) Read(p []byte) (int, error) {
	if err := c.l.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
