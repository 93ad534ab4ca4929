// SPDX-License-Identifier: MIT

package sandbox

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/walk"
)

// Check makes a sandbox for a job of no steps.
func (m *Machine) Check(ctx context.Context) error {
	err := agent.Check(ctx, m.options, func(*walk.Course) (*agent.Session, error) { return m.launch() })
	if err == nil || fault.KindOf(err) == fault.Interrupted || fault.HintOf(err) != "" {
		return err
	}
	return fault.New(fault.Unavailable, "sandbox: %w", err).WithHint("%s", diagnose(hostFiles(), err))
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
