// SPDX-License-Identifier: MIT

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
)

// TestDiskOnAFullAndOnAReadOnlyDisk uses a small tmpfs in namespaces of its own, as an ordinary user can make them.
func TestDiskOnAFullAndOnAReadOnlyDisk(t *testing.T) {
	cmd := child(t, "full", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL):
		need.Unmet(t, "user namespaces, which are forbidden here: %v", err)
	case strings.Contains(string(out), "mounting: "):
		need.Unmet(t, "to mount a tmpfs, which is forbidden here: %s", out)
	case err != nil:
		t.Errorf("the store on a disk of 2 MiB: %v\n%s", err, out)
	}
}

// childFull runs in a mount namespace.
func childFull(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=700"); err != nil {
		return fmt.Errorf("mounting: %w", err)
	}
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	kept, err := s.Put(ctx, bytes.NewReader(make([]byte, 100_000)))
	if err != nil {
		return err
	}
	for _, size := range []int{8 << 20, 2 << 20} {
		_, err = s.Put(ctx, bytes.NewReader(make([]byte, size)))
		if err := wantUnavailable("Put on a full disk", err, syscall.ENOSPC); err != nil {
			return err
		}
	}
	if left, _ := filepath.Glob(dir + "/tmp/*"); len(left) != 0 {
		return fmt.Errorf("a Put on a full disk left %v", left)
	}
	if _, err := s.Put(ctx, strings.NewReader("there is room for this")); err != nil {
		return fmt.Errorf("a small Put after a large one failed: %w", err)
	}
	if err := s.Close(); err != nil {
		return err
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("mounting: %w", err)
	}
	if s, err = store.Open(dir, store.Options{}); err != nil {
		return fmt.Errorf("opening a read-only store: %w", err)
	}
	defer s.Close()
	if b, err := store.Bytes(ctx, s, kept, 1<<20); err != nil || len(b) != 100_000 {
		return fmt.Errorf("reading from a read-only store: %d bytes, %w", len(b), err)
	}
	_, err = s.Put(ctx, strings.NewReader("new"))
	if err := wantUnavailable("Put on a read-only disk", err, syscall.EROFS); err != nil {
		return err
	}
	_, err = store.Open(filepath.Join(dir, "new"), store.Options{})
	return wantUnavailable("Open of a new store on a read-only disk", err, nil)
}

// wantUnavailable checks for a fault of kind Unavailable with a hint and a cause.
func wantUnavailable(doing string, err, cause error) error {
	if fault.KindOf(err) != fault.Unavailable || fault.HintOf(err) == "" || cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%s = %v; want kind %v with a hint and the cause %v", doing, err, fault.Unavailable, cause)
	}
	return nil
}
