// SPDX-License-Identifier: MIT

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
)

// checkTime is how long an empty sandbox may take. It takes milliseconds.
const checkTime = 10 * time.Second

// Check makes a sandbox for a job of no steps.
func (m *Machine) Check(ctx context.Context) error {
	p, err := m.launch()
	if err != nil {
		return err
	}
	job := machine.Job{Name: "check", Limits: machine.Limits{Time: checkTime, Memory: 1 << 30, Output: 1 << 20, Files: 1}}
	course := walk.Begin(job, walk.Options{Now: m.options.Now, Kill: p.kill})
	_, err = m.converse(ctx, p, job, store.Blobs(nil), course)
	if ctx.Err() != nil {
		return course.Abandon(ctx, err)
	}
	if course.Failed() {
		err = fmt.Errorf("not ready after %v", checkTime)
	}
	if err != nil {
		err = course.Abandon(ctx, err)
		return fault.New(fault.Unavailable, "sandbox: %w", err).WithHint("%s", diagnose(hostFiles(), err))
	}
	course.Stop()
	return nil
}

// hostFiles is where diagnose looks.
func hostFiles() fs.FS { return os.DirFS("/") }

// setting is a switch of the host that can forbid sandboxes.
type setting struct{ file, forbids, hint string }

func settings() []setting {
	return []setting{
		{"proc/sys/user/max_user_namespaces", "0",
			"user namespaces are switched off; as root: sysctl -w user.max_user_namespaces=10000"},
		{"proc/sys/kernel/unprivileged_userns_clone", "0",
			"user namespaces are for root only; as root: sysctl -w kernel.unprivileged_userns_clone=1"},
		{"proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
			"AppArmor forbids user namespaces; as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{"proc/sys/user/max_net_namespaces", "0",
			"network namespaces are switched off; as root: sysctl -w user.max_net_namespaces=10000"},
	}
}

// diagnose says which setting of the host stands in the way of sandboxes, and what mends it.
func diagnose(host fs.FS, cause error) string {
	const other = "; --machine host runs the chain without isolation"
	for _, s := range settings() {
		text, err := fs.ReadFile(host, s.file)
		if err == nil && strings.TrimSpace(string(text)) == s.forbids {
			return s.hint + other
		}
	}
	if errors.Is(cause, unix.ENOSPC) || errors.Is(cause, unix.EUSERS) {
		return "too many namespaces; as root, raise the values of user.max_*_namespaces with sysctl" + other
	}
	status, err := fs.ReadFile(host, "proc/self/status")
	if err == nil && strings.Contains(string(status), "\nSeccomp:\t2\n") {
		return "a seccomp filter is in force, as in a container; start the container with " +
			"--security-opt seccomp=unconfined --security-opt apparmor=unconfined, or privileged" + other
	}
	return "this kernel or the container around it forbids namespaces" + other
}
