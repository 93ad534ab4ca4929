// SPDX-License-Identifier: MIT

package live

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/tree"
)

// files is a tree of files with these contents, named by their place, and how to open them; opened is how many are open.
func files(t *testing.T, contents ...string) (tr tree.Tree, open func(tree.Node) (io.ReadCloser, error), opened *atomic.Int32) {
	t.Helper()
	opened = new(atomic.Int32)
	b := formattest.Blobs{}
	nodes := []tree.Node{{Path: "dir", Kind: tree.Dir, Mode: 0o755}}
	for i, c := range contents {
		nodes = append(nodes, b.Plain(fmt.Sprintf("dir/%03d", i), c))
	}
	return formattest.Tree(t, nodes...), func(n tree.Node) (io.ReadCloser, error) {
		r, err := b.OpenNode(n)
		opened.Add(1)
		return counted{iotest.DataErrReader(r), opened}, err
	}, opened
}

type counted struct {
	io.Reader
	opened *atomic.Int32
}

func (c counted) Close() error { c.opened.Add(-1); return nil }

func TestAheadGivesEveryFile(t *testing.T) {
	contents := []string{"", "a", strings.Repeat("b", bufferSize), strings.Repeat("c", bufferSize+1), ""}
	for i := range 40 { // more than may be read ahead
		contents = append(contents, strings.Repeat("d", i*99_991))
	}
	tr, open, opened := files(t, contents...)
	a := newAhead(tr, open)
	i := 0
	for n := range tr.Nodes() {
		if n.Kind != tree.File {
			continue
		}
		r, _ := a.open(n)
		if i%4 < 2 { // files of which nothing is read are passed over
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, []byte(contents[i])) {
				t.Errorf("%s: %d bytes, %v; want the %d of its content", n.Path, len(got), err, len(contents[i]))
			}
		}
		r.Close()
		i++
	}
	a.stop()
	if n := opened.Load(); n != 0 {
		t.Errorf("%d files are open at the end", n)
	}
}

// TestAheadStops: whoever takes the files may end anywhere, and nothing goes on reading.
func TestAheadStops(t *testing.T) {
	tr, open, opened := files(t, strings.Repeat("x", 9*bufferSize), "y")
	for _, takes := range []int{0, 1, bufferSize + 1} {
		a := newAhead(tr, open)
		r, _ := a.open(tree.Node{Path: "dir/000"})
		if _, err := io.ReadFull(r, make([]byte, takes)); err != nil {
			t.Errorf("the first %d bytes: %v", takes, err)
		}
		a.stop()
		if n := opened.Load(); n != 0 {
			t.Errorf("stopped after %d bytes: %d files are open", takes, n)
		}
	}
}

// TestAheadClosesAtOnce: what is left of a file is not waited for.
func TestAheadClosesAtOnce(t *testing.T) {
	tr, _, _ := files(t, "x", "y")
	a := newAhead(tr, func(tree.Node) (io.ReadCloser, error) { return io.NopCloser(endless{}), nil })
	r, _ := a.open(tree.Node{Path: "dir/000"})
	if _, err := io.ReadFull(r, make([]byte, bufferSize+1)); err != nil {
		t.Error(err)
	}
	r.Close()
	a.stop()
}

// endless is content without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestAheadTellsWhatWentWrong(t *testing.T) {
	broken := errors.New("broken")
	tr, open, _ := files(t, "x", "y")
	for name, fail := range map[string]func(tree.Node) (io.ReadCloser, error){
		"open": func(tree.Node) (io.ReadCloser, error) { return nil, broken },
		"read": func(n tree.Node) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken))), nil
		},
	} {
		a := newAhead(tr, fail)
		r, _ := a.open(tree.Node{Path: "dir/000"})
		if got, err := io.ReadAll(r); !errors.Is(err, broken) || len(got) > 1 {
			t.Errorf("%s: ReadAll = %q, %v; want %v", name, got, err, broken)
		}
		r, _ = a.open(tree.Node{Path: "dir/001"})
		if got, err := io.ReadAll(r); err == nil {
			t.Errorf("%s: the file behind it = %q; want an error", name, got)
		}
		a.stop()
	}
	a := newAhead(tr, open)
	defer a.stop()
	r, _ := a.open(tree.Node{Path: "dir/001"})
	if got, err := io.ReadAll(r); err == nil {
		t.Errorf("the second file first = %q; want an error", got)
	}
}
