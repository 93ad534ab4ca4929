// SPDX-License-Identifier: MIT

// Package chroot is the machine that needs no more than root: steps are processes of this kernel in another root
// directory. The agent (package agent) gets a mount and a pid namespace, so that nothing it mounts and no process it
// leaves stays behind, and a host name and IPC of its own; the network and the users are those of the host, so that
// Info.Isolated is false.
//
// It is for hosts that forbid user and network namespaces, and for comparison with machines that have them.
package chroot

import (
	"context"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
)

const name = "chroot"

// version of the driver, for the ledger.
const version = "1"

// Machine runs jobs below another root directory. Make one with New. It is safe for use by several goroutines at once.
type Machine struct{ options agent.Options }

// New makes a machine. A program that uses one calls agent.Child first thing.
func New(o agent.Options) *Machine { return &Machine{options: o.With()} }

// Info names the machine and the kernel.
func (m *Machine) Info() machine.Info {
	return machine.Info{
		Name: name, Version: version + " linux " + agent.KernelRelease(), Arches: []string{runtime.GOARCH},
	}
}

// Check runs a job of no steps.
func (m *Machine) Check(ctx context.Context) error {
	err := agent.Check(ctx, m.options, launch)
	if err == nil || fault.KindOf(err) == fault.Interrupted || fault.HintOf(err) != "" {
		return err
	}
	return fault.New(fault.Unavailable, "chroot: %w", err)
}

// Run runs a job: see machine.Machine.
func (m *Machine) Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	if err := agent.CheckJob(ctx, name, job); err != nil {
		return machine.Result{}, err
	}
	return agent.Run(ctx, job, blobs, watch, m.options, launch)
}

func launch(*walk.Course) (*agent.Session, error) {
	if os.Geteuid() != 0 {
		return nil, fault.New(fault.Unavailable, "chroot: only root can change the root directory").
			WithHint("run rung as root, or use --machine sandbox, which needs no rights")
	}
	cmd := agent.Self("rung: chroot")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  unix.SIGKILL,
		Setsid:     true, // a Ctrl-C at the terminal is for rung alone
	}
	s, err := agent.Start(cmd)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "chroot: starting a process in a mount and a pid namespace: %w", err).
			WithHint("a container needs CAP_SYS_ADMIN for it; --machine host runs the chain without")
	}
	return s, nil
}
