// SPDX-License-Identifier: MIT

package agent

import (
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/tree"
)

// Where things are for an agent. Steps run in jobDir and see nothing above it.
const (
	jobDir   = "/job"   // the root directory of the steps
	viewDir  = "/view"  // the same, read-only; gone before the first step
	nullFile = "/empty" // the standard input of the steps: a file without content
)

// hostName is what uname says to a step.
const hostName = "rung"

// enterRoot makes a tmpfs the root of the mount namespace and lets go of everything that was mounted before. The tmpfs
// has no limits to speak of until limitRoot. Devices are taken along from what is let go of.
func enterRoot(o order) error {
	// Nothing mounted below may reach the host, whatever the host's own mounts are shared with.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	const at = "/proc" // any directory would do; this one exists, since the agent was started from it
	// A tmpfs made without limits could not be given any later.
	const data = "mode=0755,size=1024t,nr_inodes=1024g"
	if err := unix.Mount("rung", at, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, data); err != nil {
		return fmt.Errorf("mounting a tmpfs: %w", err)
	}
	if err := errors.Join(os.Mkdir(at+jobDir, 0o755), os.Mkdir(at+viewDir, 0o755)); err != nil {
		return fmt.Errorf("laying out the root: %w", err)
	}
	if o.Devices {
		if err := makeDevices(at+jobDir+"/dev", o.Limits); err != nil {
			return fmt.Errorf("devices: %w", err)
		}
	}
	if err := unix.Chdir(at); err != nil {
		return fmt.Errorf("entering the tmpfs: %w", err)
	}
	if err := changeRoot(); err != nil {
		return err
	}
	if err := os.WriteFile(nullFile, nil, 0o444); err != nil {
		return fmt.Errorf("laying out the root: %w", err)
	}
	return unix.Sethostname([]byte(hostName))
}

// changeRoot makes the working directory, a mount, the root.
func changeRoot() error {
	// With both names the same, the old root lands on top of the new one, whence it is taken off: pivot_root(2).
	err := unix.PivotRoot(".", ".")
	if err == nil {
		if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
			return fmt.Errorf("letting go of the old root: %w", err)
		}
		return unix.Chdir("/")
	}
	if !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("changing the root: %w", err)
	}
	// The first root of a kernel cannot be let go of; it stays below the new one, without a name.
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("moving the root: %w", err)
	}
	return errors.Join(unix.Chroot("."), unix.Chdir("/"))
}

// guardInputs makes each input something that steps can neither change, nor remove, nor put something else in the place
// of, while they still can make new files in the root directory and in the directories of exports. A file or directory
// in such a directory becomes a read-only mount of itself, and a mount point cannot be unlinked or renamed. A directory
// of exports among them is one too, but one that can be written to. Nothing can be mounted on a link: a link that lies in
// one of these directories stays as it is only where steps behave.
func guardInputs(nodes []tree.Node, exports []string) error {
	if err := unix.Mount(jobDir, viewDir, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("binding the inputs: %w", err)
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV
	if err := unix.Mount("", viewDir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|flags, ""); err != nil {
		return fmt.Errorf("making the inputs read-only: %w", err)
	}
	open := map[string]bool{".": true}
	for _, dir := range machine.Parents(exports) {
		open[dir] = true
	}
	for _, n := range nodes {
		from := viewDir // a mount of what is mounted read-only is read-only as well
		switch {
		case n.Kind == tree.Symlink || !open[path.Dir(n.Path)]:
			continue
		case open[n.Path]:
			from = jobDir
		}
		if err := unix.Mount(path.Join(from, n.Path), path.Join(jobDir, n.Path), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("guarding the input %q: %w", n.Path, err)
		}
	}
	if err := unix.Unmount(viewDir, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("letting go of the view of the inputs: %w", err)
	}
	return nil
}

// used is what the tmpfs holds, in bytes and in files. It counts whole pages.
type used struct{ bytes, files int64 }

func usedRoot() (used, error) {
	var s unix.Statfs_t
	if err := unix.Statfs("/", &s); err != nil {
		return used{}, fmt.Errorf("statfs: %w", err)
	}
	return used{int64(s.Blocks-s.Bfree) * s.Bsize, int64(s.Files - s.Ffree)}, nil
}

// limitRoot gives the tmpfs room for what the limits allow beyond what it holds, and for one page and one file more:
// by these a job that came to the limit and one that passed it are told apart. It gives what the tmpfs holds now.
func limitRoot(l machine.Limits) (used, error) {
	held, err := usedRoot()
	if err != nil {
		return used{}, err
	}
	page := int64(os.Getpagesize())
	data := fmt.Sprintf("size=%d,nr_inodes=%d", held.bytes+l.Output+page, held.files+l.Files+1)
	if err := unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, data); err != nil {
		return used{}, fmt.Errorf("setting the limits of the tmpfs: %w", err)
	}
	return held, nil
}

// silence takes the address off the loopback device, which is the only one in a new network namespace, and takes it
// down: as it is in a namespace that nobody has prepared. Source: netdevice(7).
func silence() (err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := lo.SetInet4Addr(make([]byte, 4)); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, lo); err != nil {
		return err
	}
	lo.SetUint16(0) // no flag, and so not IFF_UP
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}
