// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/tree"
)

// liveList is rung live ls FILE.
func (a *app) liveList() *cobra.Command {
	return a.command(verb{
		use:   "ls FILE",
		short: "List what an image, a payload or a RAM drive holds",
		long: `List the files that a medium of live-bootstrap holds, each with its size and SHA-256, whoever made it: an image that
builder-hex0 starts from, a payload of distfiles in either version, or a RAM drive from which Fiwix starts Linux. All of it is
read and checked. What the stream of an image ends with, and what follows it on a disk that has been used, is no file.`,
		example: `  rung live ls target/init.img
  rung live ls target/external.img --json | jq -r '.files[] | .sha256 + "  " + .path'`,
		args:  cobra.ExactArgs(1),
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			l, err := listMedium(c.Context(), args[0])
			if err != nil {
				return err
			}
			m := newMediumList(args[0], l)
			return a.show(m, m.text)
		},
	})
}

func listMedium(ctx context.Context, name string) (live.Listing, error) {
	f, err := os.Open(name)
	if err != nil {
		kind := fault.Unavailable
		if errors.Is(err, fs.ErrNotExist) {
			kind = fault.NotFound
		}
		return live.Listing{}, fault.New(kind, "medium: %w", err).WithHint("rung live media makes one")
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fault.New(fault.Usage, "not a regular file").WithHint("name init.img or external.img of a target")
	}
	var l live.Listing
	if err == nil {
		l, err = live.List(reading{ctx, f}, info.Size(), forget(ctx))
	}
	if err = stopped(ctx, err); err != nil {
		return live.Listing{}, fault.New(fault.KindOf(err), "medium %s: %w", name, err).WithHint("%s", fault.HintOf(err))
	}
	return l, nil
}

// mediumList is what rung live ls tells.
type mediumList struct {
	File     string       `json:"file"`
	Shape    live.Shape   `json:"shape"`
	Bits     int          `json:"bits,omitempty"`     // of a payload: the width of its numbers
	Start    int64        `json:"start,omitempty"`    // of an image: the sector of its stream
	Commands []string     `json:"commands,omitempty"` // of an image: the end of its stream
	Bytes    int64        `json:"bytes"`              // of content
	Folders  []string     `json:"folders"`
	Files    []mediumFile `json:"files"`
}

type mediumFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

func newMediumList(name string, l live.Listing) mediumList {
	m := mediumList{
		File: name, Shape: l.Shape, Bits: 8 * int(l.Version), Start: l.Start, Commands: l.Commands, Bytes: l.Tree.Size(),
		Folders: []string{}, Files: []mediumFile{},
	}
	for n := range l.Tree.Nodes() {
		if n.Kind == tree.Dir {
			m.Folders = append(m.Folders, n.Path)
			continue
		}
		m.Files = append(m.Files, mediumFile{n.Path, n.Content.Hex(), n.Content.Size()})
	}
	return m
}

func (m mediumList) text(w io.Writer) error {
	var b bytes.Buffer
	for _, f := range m.Files {
		fmt.Fprintf(&b, "%s %10d  %s\n", f.SHA256, f.Size, printable(f.Path))
	}
	fmt.Fprintf(&b, "%s  %s", printable(m.File), m.Shape)
	switch m.Shape {
	case live.Image:
		fmt.Fprintf(&b, ", stream at sector %d", m.Start)
	case live.Payload:
		fmt.Fprintf(&b, " with numbers of %d bits", m.Bits)
	}
	fmt.Fprintf(&b, ": %d files of %d bytes", len(m.Files), m.Bytes)
	if len(m.Folders) > 0 {
		fmt.Fprintf(&b, " in %d folders", len(m.Folders))
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}
