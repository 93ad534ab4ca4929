// SPDX-License-Identifier: MIT

package agent

import (
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/machine"
)

// makeDevices makes the directory in which steps find machine.Devices. A device is the host's own, bound into place: to
// make one takes rights that an agent in a user namespace has not.
func makeDevices(dir string, limits machine.Limits) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	const flags = unix.MS_NOSUID | unix.MS_NOEXEC
	if err := unix.Mount("rung", dir, "tmpfs", flags, "mode=0755,size=64k"); err != nil {
		return fmt.Errorf("mounting a tmpfs: %w", err)
	}
	for _, d := range machine.Devices() {
		if err := makeDevice(path.Join(dir, d.Name), d, limits); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	return unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY|flags, "mode=0755,size=64k")
}

func makeDevice(at string, d machine.Device, limits machine.Limits) error {
	switch {
	case d.Target != "":
		return os.Symlink(d.Target, at)
	case d.Major != 0:
		if err := os.WriteFile(at, nil, 0o444); err != nil {
			return err
		}
		return unix.Mount("/dev/"+d.Name, at, "", unix.MS_BIND, "")
	}
	if err := os.Mkdir(at, 0o755); err != nil {
		return err
	}
	if d.Name == "pts" {
		return unix.Mount("devpts", at, "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
	}
	data := fmt.Sprintf("mode=%#o,size=%d,nr_inodes=%d", d.Mode, limits.Output, limits.Files+1)
	return errors.Join(unix.Mount("rung", at, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, data))
}
