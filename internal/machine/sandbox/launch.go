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

// launch gives an agent in namespaces, and sees to it that the next one is on its way: most of what a short job costs is
// the start of a process, and that can go on beside the job before.
func (m *Machine) launch() (*agent.Session, error) {
	select {
	case s := <-m.spare:
		go m.prepare()
		return s, nil
	default:
	}
	s, err := m.start()
	if err == nil {
		go m.prepare()
	}
	return s, err
}

// prepare puts an agent into reserve. That it cannot is for the next job to say.
func (m *Machine) prepare() {
	s, err := m.start()
	if err != nil {
		return
	}
	select {
	case m.spare <- s:
	default: // another job was faster
		s.Kill()
		s.Wait()
		s.Order.Close()
	}
}

// start starts an agent in namespaces. Where root has no user namespaces, it does without.
func (m *Machine) start() (*agent.Session, error) {
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
