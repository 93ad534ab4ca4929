// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/cpio"
	"github.com/rung-build/rung/internal/report"
	"github.com/rung-build/rung/internal/tree"
)

// unpacking is what the flags of rung cpio unpack say.
type unpacking struct {
	skipDevices, escapingLinks bool
}

// cpioUnpack is rung cpio unpack FILE DIR.
func (a *app) cpioUnpack() *cobra.Command {
	var u unpacking
	c := a.command(verb{
		use:   "unpack FILE DIR [flags]",
		short: "Unpack an initramfs into a new folder",
		long: `Unpack all segments of an initramfs into a folder, as a kernel does: later ones replace entries of earlier ones.
The folder must not exist yet; it appears whole or not at all.

Permissions and times are those of the entries; owners and set-user-ID bits are where root unpacks. Symbolic links that lead out of the
folder are refused, absolute ones among them, unless --escaping-links makes them as they stand.`,
		example: `  rung cpio unpack initramfs root
  rung cpio unpack /boot/initrd.img root --escaping-links --skip-devices`,
		args:  cobra.ExactArgs(2),
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			return a.unpackInto(c.Context(), args[0], args[1], u)
		},
	})
	c.Flags().BoolVar(&u.skipDevices, "skip-devices", false, "leave out device nodes, which only root can make")
	c.Flags().BoolVar(&u.escapingLinks, "escaping-links", false, "make symbolic links that lead out of the folder, too")
	return c
}

func (a *app) unpackInto(ctx context.Context, file, dir string, u unpacking) error {
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return cpioFault("folder "+dir, fault.Unavailable, err)
		}
		return fault.New(fault.Usage, "folder %s: exists", dir).WithHint("name a folder that does not exist yet")
	}
	work, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".rung-*")
	if err != nil {
		return cpioFault("folder "+dir, fault.Unavailable, err)
	}
	defer os.RemoveAll(work)
	t, err := u.unpack(ctx, file, work)
	if err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(work, "root"), dir); err != nil {
		return cpioFault("folder "+dir, fault.Unavailable, err)
	}
	facts := struct {
		Dir     string `json:"dir"`
		Entries int    `json:"entries"`
		Bytes   int64  `json:"bytes"`
	}{dir, t.Len(), t.Size()}
	return a.show(facts, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s  %d entries  %s\n", dir, t.Len(), report.Size(t.Size()))
		return err
	})
}

// unpack lays an initramfs out in the folder root of a work folder.
func (u unpacking) unpack(ctx context.Context, file, work string) (tree.Tree, error) {
	limits := everything()
	limits.EscapingLinks = u.escapingLinks
	l := layout{ctx: ctx, content: filepath.Join(work, "content"), root: filepath.Join(work, "root")}
	if err := os.Mkdir(l.content, 0o700); err != nil {
		return tree.Tree{}, err
	}
	f, segments, err := openInitramfs(ctx, file, limits, l.put)
	if err != nil {
		return tree.Tree{}, err
	}
	defer f.Close()
	t, err := cpio.Merge(segments)
	if err == nil && u.skipDevices {
		t, err = withoutDevices(t)
	}
	if err != nil {
		return tree.Tree{}, cpioFault("initramfs "+file, fault.Mismatch, err)
	}
	if err := l.place(t); err != nil {
		return tree.Tree{}, cpioFault("initramfs "+file, fault.Unavailable, err)
	}
	return t, nil
}

// withoutDevices is a tree without its device nodes.
func withoutDevices(t tree.Tree) (tree.Tree, error) {
	var nodes []tree.Node
	for n := range t.Nodes() {
		if n.Kind != tree.CharDevice && n.Kind != tree.BlockDevice {
			nodes = append(nodes, n)
		}
	}
	return tree.New(nodes...)
}

// layout makes a tree's files in a folder that nobody else knows.
type layout struct {
	ctx           context.Context
	content, root string
	uses          map[digest.Digest]int // names that a content still comes to have
}

// put keeps content under its digest.
func (l *layout) put(r io.Reader) (digest.Digest, error) {
	f, err := os.CreateTemp(l.content, "new-*")
	if err != nil {
		return digest.Digest{}, cpioFault("content", fault.Unavailable, err)
	}
	defer f.Close()
	sum := digest.NewHasher()
	if _, err := io.Copy(io.MultiWriter(f, sum), reading{l.ctx, r}); err != nil {
		return digest.Digest{}, err
	}
	return sum.Digest(), os.Rename(f.Name(), l.kept(sum.Digest()))
}

// kept is where put keeps content.
func (l *layout) kept(d digest.Digest) string { return filepath.Join(l.content, d.Hex()) }

// place makes all nodes, and then, from the last to the first, gives them owners, permissions and times: a directory
// gets its own when nothing is made in it any more.
func (l *layout) place(t tree.Tree) error {
	l.uses = make(map[digest.Digest]int)
	var nodes []tree.Node
	for n := range t.Nodes() {
		l.uses[n.Content]++
		nodes = append(nodes, n)
	}
	if err := os.Mkdir(l.root, 0o755); err != nil {
		return err
	}
	for _, n := range nodes {
		if err := l.make(n); err != nil {
			return fmt.Errorf("%q: %w", n.Path, err)
		}
	}
	for _, n := range slices.Backward(nodes) {
		if err := l.finish(n); err != nil {
			return fmt.Errorf("%q: %w", n.Path, err)
		}
	}
	return nil
}

func (l *layout) make(n tree.Node) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	name := filepath.Join(l.root, filepath.FromSlash(n.Path))
	switch n.Kind {
	case tree.Dir:
		return os.Mkdir(name, 0o700)
	case tree.Symlink:
		return os.Symlink(n.Target, name)
	case tree.File:
		return l.makeFile(name, n.Content)
	case tree.Fifo:
		return unix.Mkfifo(name, 0o600)
	}
	kind := map[tree.Kind]uint32{tree.CharDevice: unix.S_IFCHR, tree.BlockDevice: unix.S_IFBLK}[n.Kind]
	err := unix.Mknod(name, kind|0o600, int(unix.Mkdev(n.Major, n.Minor)))
	if errors.Is(err, unix.EPERM) {
		return fault.New(fault.Unavailable, "making a %v device: %w", n.Kind, err).
			WithHint("unpack as root, or leave devices out with --skip-devices")
	}
	return err
}

// makeFile moves content to its last name, and copies it to the others.
func (l *layout) makeFile(name string, d digest.Digest) error {
	if l.uses[d]--; l.uses[d] == 0 {
		return os.Rename(l.kept(d), name)
	}
	from, err := os.Open(l.kept(d))
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, reading{l.ctx, from})
	return errors.Join(err, to.Close())
}

// finish gives a node its owner where root does it, its permissions and its time.
func (l *layout) finish(n tree.Node) error {
	name := filepath.Join(l.root, filepath.FromSlash(n.Path))
	if os.Geteuid() != 0 {
		n.Mode &^= unix.S_ISUID | unix.S_ISGID // they would mean another owner
	} else if err := os.Lchown(name, int(n.UID), int(n.GID)); err != nil {
		return err
	}
	if n.Kind != tree.Symlink {
		if err := unix.Chmod(name, n.Mode); err != nil {
			return err
		}
	}
	at, err := unix.TimeToTimespec(time.Unix(n.ModTime, 0))
	if err != nil {
		return err
	}
	times := []unix.Timespec{at, at}
	return unix.UtimesNanoAt(unix.AT_FDCWD, name, times, unix.AT_SYMLINK_NOFOLLOW)
}
