// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/cpio"
	"github.com/rung-build/rung/internal/tree"
)

// cpioList is rung cpio ls FILE.
func (a *app) cpioList() *cobra.Command {
	return a.command(verb{
		use:   "ls FILE",
		short: "List the segments of an initramfs and their entries",
		long: `List each archive of an initramfs: where it stands, how many bytes it takes there, how it is compressed, and its
entries as ls -l has them, with numbers of owners and times in UTC. All of the file is read and checked.`,
		example: `  rung cpio ls initramfs
  rung cpio ls initramfs --json | jq '.segments[].entries[] | select(.kind == "char")'`,
		args:  cobra.ExactArgs(1),
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			f, segments, err := openInitramfs(c.Context(), args[0], everything(), forget(c.Context()))
			if err != nil {
				return err
			}
			defer f.Close()
			list := listing{Segments: []segment{}}
			for _, s := range segments {
				list.Segments = append(list.Segments, newSegment(s))
			}
			return a.show(list, list.text)
		},
	})
}

// listing is what rung cpio ls tells.
type listing struct {
	Segments []segment `json:"segments"`
}

type segment struct {
	Offset      int64       `json:"offset"`
	Size        int64       `json:"size"`
	Compression string      `json:"compression"`
	Entries     []cpioEntry `json:"entries"`
}

// cpioEntry is one entry of an archive.
type cpioEntry struct {
	Path   string        `json:"path"`
	Kind   string        `json:"kind"`
	Mode   string        `json:"mode"` // octal
	UID    uint32        `json:"uid"`
	GID    uint32        `json:"gid"`
	Time   time.Time     `json:"time"`
	Digest digest.Digest `json:"digest,omitzero"`
	Target string        `json:"target,omitempty"`
	Major  uint32        `json:"major,omitempty"`
	Minor  uint32        `json:"minor,omitempty"`

	node tree.Node
}

func newSegment(s cpio.Segment) segment {
	seg := segment{s.Offset, s.Size, s.Packing, []cpioEntry{}}
	if s.Packing == "" {
		seg.Compression = "none"
	}
	for n := range s.Entries() {
		seg.Entries = append(seg.Entries, cpioEntry{
			Path: n.Path, Kind: n.Kind.String(), Mode: fmt.Sprintf("%04o", n.Mode), UID: n.UID, GID: n.GID,
			Time: time.Unix(n.ModTime, 0).UTC(), Digest: n.Content, Target: n.Target, Major: n.Major, Minor: n.Minor, node: n,
		})
	}
	return seg
}

func (l listing) text(w io.Writer) error {
	var b bytes.Buffer
	for _, s := range l.Segments {
		fmt.Fprintf(&b, "segment at %d: %d bytes, compression %s, %d entries\n", s.Offset, s.Size, s.Compression, len(s.Entries))
		for _, e := range s.Entries {
			fmt.Fprintf(&b, "  %s\n", e.line())
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// line is an entry as ls -l has it.
func (e cpioEntry) line() string {
	size := strconv.FormatInt(e.node.Content.Size(), 10)
	switch e.node.Kind {
	case tree.CharDevice, tree.BlockDevice:
		size = fmt.Sprintf("%d, %d", e.Major, e.Minor)
	case tree.Symlink:
		size = strconv.Itoa(len(e.Target))
	}
	line := fmt.Sprintf("%s %5d %5d %10s %s %s", permissions(e.node), e.UID, e.GID, size,
		e.Time.Format("2006-01-02 15:04"), printable(e.Path))
	if e.Target != "" {
		line += " -> " + printable(e.Target)
	}
	return line
}

// permissions are the ten characters of ls -l: "drwxr-xr-x".
func permissions(n tree.Node) string {
	kinds := [...]byte{tree.File: '-', tree.Dir: 'd', tree.Symlink: 'l', tree.CharDevice: 'c', tree.BlockDevice: 'b', tree.Fifo: 'p'}
	text := []byte{kinds[n.Kind]}
	for i, c := range []byte("rwxrwxrwx") {
		if n.Mode>>(8-i)&1 == 0 {
			c = '-'
		}
		text = append(text, c)
	}
	for i, c := range []byte("sst") { // set-user-ID, set-group-ID, sticky
		at := 3 * (i + 1)
		switch {
		case n.Mode>>(11-i)&1 == 0:
		case text[at] == 'x':
			text[at] = c
		default:
			text[at] = c - 'a' + 'A'
		}
	}
	return string(text)
}
