// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/cpio"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Modes in an initramfs. Its owner is root, who is the only user there.
const (
	modeProgram = 0o755
	modePlain   = 0o644
)

// opener gives content by its digest.
type opener map[digest.Digest]func() (io.ReadCloser, error)

func (o opener) open(d digest.Digest) (io.ReadCloser, error) { return o[d]() }

// bytes adds content that is in memory.
func (o opener) bytes(content []byte) digest.Digest {
	d := digest.Of(content)
	o[d] = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	return d
}

// host adds the content of a file of this host.
func (o opener) host(name string) (_ digest.Digest, err error) {
	f, err := os.Open(name)
	if err != nil {
		return digest.Digest{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := digest.NewHasher()
	if _, err := io.Copy(h, f); err != nil {
		return digest.Digest{}, err
	}
	o[h.Digest()] = func() (io.ReadCloser, error) { return os.Open(name) }
	return h.Digest(), nil
}

// packGuest writes what is the same in every guest: the agent and what it needs, modules, and empty directories to mount on.
func packGuest(w io.Writer, files []agent.File, t transport) error {
	contents := opener{}
	nodes := []tree.Node{
		{Path: "dev", Kind: tree.Dir, Mode: modeProgram},
		{Path: "dev/console", Kind: tree.CharDevice, Mode: 0o600, Major: 5, Minor: 1},
		{Path: "proc", Kind: tree.Dir, Mode: modeProgram},
		{Path: "sys", Kind: tree.Dir, Mode: modeProgram},
	}
	add := func(at string, mode uint32, content digest.Digest) {
		nodes = append(nodes, tree.Node{Path: at, Kind: tree.File, Mode: mode, Content: content})
	}
	for _, f := range files {
		d, err := contents.host(f.Host)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		add(f.Path, modeProgram, d)
	}
	add(initFile, modeProgram, contents.bytes(initProgram()))
	s := setup{Virtio: t.virtio}
	for _, m := range t.modules {
		s.Modules = append(s.Modules, m.name)
		add(path.Join(modulesDir, m.name), modePlain, contents.bytes(m.content))
	}
	for _, m := range t.disk {
		s.Disk = append(s.Disk, m.name)
		add(path.Join(modulesDir, m.name), modePlain, contents.bytes(m.content))
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	add(setupFile, modePlain, contents.bytes(text))
	return encode(w, nodes, contents)
}

func encode(w io.Writer, nodes []tree.Node, contents opener) error {
	t, err := tree.New(nodes...)
	if err != nil {
		return err
	}
	return cpio.Encode(w, t, contents.open)
}

// diskUnit is what the length of a disk is a multiple of, in bytes.
const diskUnit = 512

// writeOrder writes the order of a job into a file of its own, in whole units of a disk.
func writeOrder(ctx context.Context, folder string, job machine.Job, blobs store.Blobs, o agent.Options) (*os.File, error) {
	f, err := unnamed(folder)
	if err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	if err := fillOrder(ctx, f, job, blobs, o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func fillOrder(ctx context.Context, f *os.File, job machine.Job, blobs store.Blobs, o agent.Options) error {
	if err := agent.WriteOrder(ctx, f, job, blobs, o, agent.Place{Guard: true}); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("order: %w", err)
	}
	return f.Truncate((size + diskUnit - 1) / diskUnit * diskUnit)
}

// withOrder makes an initramfs of that of every guest and an order, which it closes.
func withOrder(folder string, common, order *os.File) (_ *os.File, err error) {
	defer func() { err = errors.Join(err, order.Close()) }()
	info, err := order.Stat()
	if err != nil {
		return nil, err
	}
	h := digest.NewHasher()
	if _, err := io.Copy(h, io.NewSectionReader(order, 0, info.Size())); err != nil {
		return nil, err
	}
	f, err := unnamed(folder)
	if err != nil {
		return nil, err
	}
	if err := joinOrder(f, common, order, h.Digest()); err != nil {
		return nil, errors.Join(fmt.Errorf("initramfs: %w", err), f.Close())
	}
	return f, nil
}

func joinOrder(w io.Writer, common, order *os.File, content digest.Digest) error {
	info, err := common.Stat()
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, io.NewSectionReader(common, 0, info.Size())); err != nil {
		return err
	}
	contents := opener{content: func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(order, 0, content.Size())), nil
	}}
	return encode(w, []tree.Node{{Path: orderFile, Kind: tree.File, Mode: modePlain, Content: content}}, contents)
}
