// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/disk"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/live/manifest"
)

// hostFindings tells what a run would lack on this host (R57).
func hostFindings(o live.Options) []live.Finding {
	var all []live.Finding
	add := func(s manifest.Severity, hint, format string, args ...any) {
		all = append(all, live.Finding{Area: live.AreaHost, Severity: s, Text: fmt.Sprintf(format, args...), Hint: hint,
			Kind: fault.Unavailable})
	}
	switch o.Mode {
	case live.QEMU:
		if _, err := exec.LookPath(o.QEMUCommand); err != nil {
			add(manifest.Error, "install QEMU for x86, or name its program with --qemu-cmd", "%v", err)
		}
		if err := unix.Access("/dev/kvm", unix.R_OK|unix.W_OK); err != nil {
			add(manifest.Warning,
				"load the module kvm_intel or kvm_amd, and add yourself to the group kvm; without it a run takes weeks",
				"/dev/kvm: %v", err)
		}
	case live.Bwrap:
		if _, err := exec.LookPath("bwrap"); err != nil {
			add(manifest.Error, "install bubblewrap", "%v", err)
		}
	case live.Chroot:
		if os.Geteuid() != 0 {
			add(manifest.Warning, "run it as root where a guest has to own files as several users",
				"a chroot without root: all files of the guest are this user's")
		}
	}
	if o.Kernel != "" || o.KernelBootstrap() && (o.Repo != "" || o.ExternalSources) {
		if _, err := findTool("mke2fs"); err != nil {
			add(manifest.Warning, "install e2fsprogs, which makes ext3 disks", "%v", err)
		}
	}
	return all
}

// findTool finds a program, also where only root has it in PATH.
func findTool(name string) (string, error) {
	found, err := exec.LookPath(name)
	if err == nil {
		return found, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", err
}

// makeFileSystem runs the program that makes a file system.
func makeFileSystem(ctx context.Context, c disk.Command) error {
	name, err := findTool(c.Argv[0])
	if err != nil {
		return fault.New(fault.Unavailable, "%w", err).WithHint("install e2fsprogs")
	}
	cmd := exec.CommandContext(ctx, name, c.Argv[1:]...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, c.Env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", c.Argv[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}

// tmpfsMagic is what statfs(2) gives for a tmpfs.
const tmpfsMagic = 0x01021994

// inMemory keeps what --tmpfs asks for without a mount of its own, which only root may make and nobody would take away
// again: the target's folder has to be on a tmpfs.
func (f *liveFlags) inMemory(o live.Options) error {
	if !f.tmpfs {
		return nil
	}
	if _, err := live.ParseSize("--tmpfs-size", f.tmpfsSize); err != nil {
		return err
	}
	var at unix.Statfs_t
	for dir := filepath.Dir(o.Target); ; dir = filepath.Dir(dir) {
		err := unix.Statfs(dir, &at)
		if err == nil && at.Type == tmpfsMagic {
			return nil
		}
		if err == nil || !errors.Is(err, unix.ENOENT) || dir == filepath.Dir(dir) {
			return fault.New(fault.Usage, "--tmpfs: %s is not in memory, and rung mounts nothing", dir).
				WithHint("name a --target below /dev/shm, or: sudo mount -t tmpfs -o size=%s tmpfs DIR, and --target DIR/target", f.tmpfsSize)
		}
	}
}
