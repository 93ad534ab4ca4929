// SPDX-License-Identifier: MIT

package live

import (
	"fmt"
	"io"

	"github.com/rung-build/rung/internal/tree"
)

// ahead reads the files of a tree, in its order, before they are asked for: while one is written, the next are read and
// their sums taken. End it with stop.
type ahead struct {
	free    chan []byte
	full    chan piece      // closed when nothing is read any more
	stopped chan struct{}   // closed by stop
	closed  map[string]bool // files of which no more is wanted
}

// piece is a part of a file.
type piece struct {
	path string
	data []byte
	err  error // what came after the data; io.EOF at the end of the file
}

// readAhead is how many pieces of bufferSize are read before they are asked for.
const readAhead = 6

func newAhead(t tree.Tree, open func(tree.Node) (io.ReadCloser, error)) *ahead {
	a := &ahead{free: make(chan []byte, readAhead), full: make(chan piece, readAhead), stopped: make(chan struct{}),
		closed: map[string]bool{}}
	for range readAhead {
		a.free <- nil
	}
	go func() {
		defer close(a.full)
		for n := range t.Nodes() {
			if n.Kind == tree.File && !a.file(n, open) {
				return
			}
		}
	}()
	return a
}

// file reads a file, and tells whether that went well.
func (a *ahead) file(n tree.Node, open func(tree.Node) (io.ReadCloser, error)) bool {
	r, err := open(n)
	if err == nil {
		defer r.Close()
	}
	for {
		var b []byte
		select {
		case b = <-a.free:
		case <-a.stopped:
			return false
		}
		b = b[:0]
		if err == nil && b == nil {
			b = make([]byte, 0, bufferSize)
		}
		for err == nil && len(b) < cap(b) {
			var got int
			got, err = r.Read(b[len(b):cap(b)])
			b = b[:len(b)+got]
		}
		a.full <- piece{n.Path, b, err} // there is room: no more pieces are about than there are buffers
		if err != nil {
			return err == io.EOF
		}
	}
}

// open gives the content of the next file. Every file of the tree is opened once, in the tree's order.
func (a *ahead) open(n tree.Node) (io.ReadCloser, error) { return &fed{ahead: a, path: n.Path}, nil }

// stop ends the reading and waits for its end.
func (a *ahead) stop() {
	close(a.stopped)
	for range a.full {
	}
}

// fed is a file that is read ahead.
type fed struct {
	*ahead
	path string
	now  piece
	rest []byte // of the piece
}

func (f *fed) Read(p []byte) (int, error) {
	for len(f.rest) == 0 && f.now.err == nil {
		f.next()
	}
	n := copy(p, f.rest)
	if f.rest = f.rest[n:]; len(f.rest) == 0 {
		return n, f.now.err
	}
	return n, nil
}

// next gives the buffer back and takes the next piece.
func (f *fed) next() {
	f.giveBack()
	f.now = <-f.full
	for f.closed[f.now.path] {
		f.giveBack()
		f.now = <-f.full
	}
	f.rest = f.now.data
	if f.now.path != f.path {
		f.rest, f.now.err = nil, fmt.Errorf("%s is asked for, and %q is next", f.path, f.now.path)
	}
}

func (f *fed) giveBack() {
	if f.now.path != "" {
		f.free <- f.now.data
	}
}

// Close leaves what was not read to whoever reads the next file, so that an end in the middle of a large one waits for
// nothing.
func (f *fed) Close() error {
	f.giveBack()
	f.closed[f.path] = true
	return nil
}
