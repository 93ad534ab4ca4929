// SPDX-License-Identifier: MIT

package sandbox

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine/agent"
)

// launch starts the first process of a sandbox. Where root has no user namespaces, it does without.
func (m *Machine) launch() (*agent.Session, error) {
	s, err := launch(!m.noUser.Load())
	if err != nil && !m.noUser.Load() && os.Geteuid() == 0 && !errors.Is(err, unix.ENOENT) {
		if second, secondErr := launch(false); secondErr == nil {
			m.noUser.Store(true)
			return second, nil
		}
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "sandbox: starting a process in namespaces: %w", err).
			WithHint("%s", diagnose(hostFiles(), err))
	}
	return s, nil
}

func launch(user bool) (*agent.Session, error) {
	cmd := agent.Self("rung: sandbox")
	cmd.SysProcAttr = attributes(user)
	return agent.Start(cmd)
}

// attributes are the namespaces of a sandbox. The user of rung is root in them, and nobody else is anybody.
func attributes(user bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS |
			unix.CLONE_NEWCGROUP,
		Pdeathsig: unix.SIGKILL,
		Setsid:    true, // a Ctrl-C at the terminal is for rung alone
	}
	if user {
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return a
}
