// SPDX-License-Identifier: MIT

package shell

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
)

// maxLine is how long a line of input may be, in bytes; and in how large pieces files are read.
const maxLine = 64 << 10

var errLong = errors.New("a line of more than 64 KiB")

// entry is what came from the person: a line without its end, or why there is none.
type entry struct {
	text string
	err  error
}

// readLines passes lines on until the input ends or stop is closed.
func readLines(in io.Reader, to chan<- entry, stop <-chan struct{}) {
	r := bufio.NewReaderSize(in, maxLine)
	for {
		e := readLine(r)
		select {
		case to <- e:
		case <-stop:
			return
		}
		if e.err != nil && e.err != errLong {
			return
		}
	}
}

// readLine reads a line that ends in LF, in CR LF as a serial line has it, or with the input.
func readLine(r *bufio.Reader) entry {
	text, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		return entry{err: errLong}
	}
	if err != nil && (err != io.EOF || len(text) == 0) {
		return entry{err: err}
	}
	line := strings.TrimSuffix(string(text), "\n")
	return entry{text: strings.TrimSuffix(line, "\r")}
}

// output keeps the first error of the person's terminal: with it gone, the shell has nobody to serve.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	o.err = err
	return n, err
}

// watched reads until ctx ends.
type watched struct {
	ctx context.Context
	r   io.Reader
}

func (w watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}
