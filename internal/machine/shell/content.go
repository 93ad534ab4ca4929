// SPDX-License-Identifier: MIT

package shell

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/rung-build/rung/internal/digest"
)

func (s *session) cat(ctx context.Context, c call) error {
	_, names, err := options(c.args, "", "")
	if err != nil {
		return err
	}
	return s.each(ctx, c, names, func(r source) error {
		_, err := io.Copy(c.out, r.Reader)
		return err
	})
}

func (s *session) sha256sum(ctx context.Context, c call) error {
	_, names, err := options(c.args, "", "")
	if err != nil {
		return err
	}
	return s.each(ctx, c, names, func(r source) error {
		h := digest.NewHasher()
		if _, err := io.Copy(h, r.Reader); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s  %s\n", h.Digest().Hex(), quote(r.name))
		return nil
	})
}

func (s *session) head(ctx context.Context, c call) error {
	opt, names, err := options(c.args, "", "cn")
	if err != nil || opt.has('c') && opt.has('n') {
		return errUsage
	}
	lines, err := opt.number('n', 10)
	if err != nil {
		return err
	}
	size, err := opt.number('c', math.MaxInt64)
	if err != nil {
		return err
	}
	if opt.has('c') {
		lines = math.MaxInt64
	}
	return s.each(ctx, c, names, func(r source) error {
		if len(names) > 1 {
			fmt.Fprintf(c.out, "==> %s <==\n", quote(r.name))
		}
		return copyLines(c.out, io.LimitReader(r, size), lines)
	})
}

func copyLines(out io.Writer, from io.Reader, lines int64) error {
	return pieces(from, func(piece []byte, n int64) (bool, error) {
		if n > lines {
			return false, nil
		}
		_, err := out.Write(piece)
		return true, err
	})
}

// pieces calls do with every line and its number from 1, with its end, until do says to stop. A line of more than
// maxLine bytes comes in pieces of that size under the same number.
func pieces(from io.Reader, do func(piece []byte, n int64) (bool, error)) error {
	r := bufio.NewReaderSize(from, maxLine)
	for n := int64(1); ; {
		piece, err := r.ReadSlice('\n')
		if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if len(piece) > 0 {
			if more, stop := do(piece, n); stop != nil || !more {
				return stop
			}
		}
		if err == io.EOF {
			return nil
		}
		if err == nil {
			n++
		}
	}
}

func (s *session) grep(ctx context.Context, c call) error {
	_, args, err := options(c.args, "", "")
	if err != nil || len(args) == 0 {
		return errUsage
	}
	text, names := []byte(args[0]), args[1:]
	return s.each(ctx, c, names, func(r source) error {
		where := ""
		if len(names) > 1 {
			where = quote(r.name) + ":"
		}
		return pieces(r, func(piece []byte, n int64) (bool, error) {
			if !bytes.Contains(piece, text) {
				return true, nil
			}
			_, err := fmt.Fprintf(c.out, "%s%d:%s\n", where, n, visible(string(bytes.TrimRight(piece, "\r\n"))))
			return true, err
		})
	})
}

func (s *session) cmp(ctx context.Context, c call) error {
	_, names, err := options(c.args, "", "")
	if err != nil || len(names) != 2 {
		return errUsage
	}
	a, err := s.source(ctx, names[0])
	if err != nil {
		return err
	}
	defer a.close()
	b, err := s.source(ctx, names[1])
	if err != nil {
		return err
	}
	defer b.close()
	return compare(c.out, a, b)
}

// compare says where two files differ first, in the numbers of which xxd takes the first as -s.
func compare(out io.Writer, a, b source) error {
	one, two := make([]byte, maxLine), make([]byte, maxLine)
	for at := int64(0); ; {
		n, errA := io.ReadFull(a, one)
		m, errB := io.ReadFull(b, two)
		for _, err := range []error{errA, errB} {
			if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
				return err
			}
		}
		for i := range min(n, m) {
			if one[i] != two[i] {
				_, err := fmt.Fprintf(out, "they differ at %d (%#x): %#02x in %s, %#02x in %s\n",
					at+int64(i), at+int64(i), one[i], quote(a.name), two[i], quote(b.name))
				return err
			}
		}
		at += int64(min(n, m))
		var err error
		switch {
		case n < m:
			_, err = fmt.Fprintf(out, "%s ends at %d (%#x), %s goes on\n", quote(a.name), at, at, quote(b.name))
		case n > m:
			_, err = fmt.Fprintf(out, "%s ends at %d (%#x), %s goes on\n", quote(b.name), at, at, quote(a.name))
		case errA != nil:
			_, err = fmt.Fprintf(out, "they are the same, %d bytes\n", at)
		default:
			continue
		}
		return err
	}
}

func (s *session) xxd(ctx context.Context, c call) error {
	opt, names, err := options(c.args, "", "ls")
	if err != nil || len(names) > 1 {
		return errUsage
	}
	skip, err := opt.number('s', 0)
	if err != nil {
		return err
	}
	size, err := opt.number('l', math.MaxInt64)
	if err != nil {
		return err
	}
	return s.each(ctx, c, names, func(r source) error {
		if err := r.skip(skip); err != nil {
			return err
		}
		return dump(c.out, io.LimitReader(r, size), skip)
	})
}

// skip leaves out bytes; past the end there are none.
func (r source) skip(n int64) error {
	if r.file != nil {
		_, err := r.file.Seek(n, io.SeekStart)
		return err
	}
	_, err := io.CopyN(io.Discard, r, n)
	if err == io.EOF {
		return nil
	}
	return err
}

// dump prints bytes in the form of xxd: the offset, eight pairs of bytes, and what of them is printable ASCII.
func dump(out io.Writer, from io.Reader, at int64) error {
	r := bufio.NewReaderSize(from, maxLine)
	row := make([]byte, 16)
	for {
		n, err := io.ReadFull(r, row)
		if n > 0 {
			if err := dumpRow(out, row[:n], at); err != nil {
				return err
			}
			at += int64(n)
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return nil
		default:
			return err
		}
	}
}

func dumpRow(out io.Writer, row []byte, at int64) error {
	var hex, text bytes.Buffer
	for i, b := range row {
		if i > 0 && i%2 == 0 {
			hex.WriteByte(' ')
		}
		fmt.Fprintf(&hex, "%02x", b)
		if b < ' ' || b > '~' {
			b = '.'
		}
		text.WriteByte(b)
	}
	_, err := fmt.Fprintf(out, "%08x: %-39s  %s\n", at, hex.Bytes(), text.Bytes())
	return err
}
