// SPDX-License-Identifier: MIT

package live

import (
	"io/fs"

	"github.com/rung-build/rung/internal/live/distfile"
)

// Entry is a file or a folder of a tree. A file has its content in one of three places.
type Entry struct {
	Path    string      // from the tree's root, without a slash in front
	Mode    fs.FileMode // permission bits, and fs.ModeDir of a folder
	Size    int64       // of a file, in bytes; -1 where it is a distfile of unknown size
	ModTime int64       // seconds since 1970

	Host     string         // absolute path of the file with the content
	Text     string         // the content, where Made
	Made     bool           // the content is Text
	Distfile *distfile.File // the content is that of a distfile
}

// Tree is a file tree that a medium carries: sorted by path, each folder before what it holds.
type Tree struct {
	Entries []Entry
}

// Distfiles gives verified distfiles that the host holds.
type Distfiles interface {
	// Size is the size of a file by the SHA-256 of its content, 64 lower-case hex digits; false where it is not held.
	Size(sha256 string) (int64, bool)
	// Open gives the file for reading. The reader checks again that it has the content.
	Open(sha256 string) (Content, error)
}

// Content is a distfile that is read.
type Content interface {
	Read(p []byte) (int, error)
	Close() error
}
