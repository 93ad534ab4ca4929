// SPDX-License-Identifier: MIT

// Package formattest holds what the tests of formats share: content by digest, for the trees that they write and read.
package formattest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

// Blobs is content by digest.
type Blobs map[digest.Digest][]byte

// Put keeps content, and gives its digest. It fails where the reader does.
func (b Blobs) Put(r io.Reader) (digest.Digest, error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return digest.Digest{}, err
	}
	d := digest.Of(content)
	b[d] = content
	return d, nil
}

// Add keeps a text.
func (b Blobs) Add(content string) digest.Digest {
	d, _ := b.Put(strings.NewReader(content)) // memory does not fail
	return d
}

// Open gives content that was kept, and an error for other.
func (b Blobs) Open(d digest.Digest) (io.ReadCloser, error) {
	content, ok := b[d]
	if !ok {
		return nil, fmt.Errorf("no blob %v", d)
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

// OpenNode is Open for the content of a node.
func (b Blobs) OpenNode(n tree.Node) (io.ReadCloser, error) { return b.Open(n.Content) }

// File is a file with a text, which is kept.
func (b Blobs) File(path string, mode uint32, content string) tree.Node {
	return tree.Node{Path: path, Kind: tree.File, Mode: mode, Content: b.Add(content)}
}

// Plain is a file of mode 0644.
func (b Blobs) Plain(path, content string) tree.Node { return b.File(path, 0o644, content) }

// Tree is a tree of nodes that are known to form one.
func Tree(t testing.TB, nodes ...tree.Node) tree.Tree {
	t.Helper()
	tr, err := tree.New(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}
