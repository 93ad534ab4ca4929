// SPDX-License-Identifier: MIT

// Package bwrap is the machine whose steps are processes of this kernel in namespaces that bubblewrap makes. It works for
// root and for ordinary users.
//
// Bubblewrap gives the agent (package agent) a root directory with the agent's own files, the host's devices and a
// procfs; the agent lets go of all of it before the first step. So a step sees what it sees in the sandbox, and another
// program than rung vouches for the walls.
//
// Specification: the manual page bwrap(1).
package bwrap

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
)

const name = "bwrap"

// version of the driver, for the ledger.
const version = "1"

// Options of a machine.
type Options struct {
	agent.Options
	Program string // bubblewrap, by path or by name; "" for bwrap
}

// Machine runs jobs with bubblewrap. Make one with New. It is safe for use by several goroutines at once.
type Machine struct {
	options Options
	version func() string
}

// New makes a machine. A program that uses one calls agent.Child first thing.
func New(o Options) *Machine {
	o.Options = o.With()
	if o.Program == "" {
		o.Program = name
	}
	return &Machine{options: o, version: sync.OnceValue(func() string { return versionOf(o.Program) })}
}

// versionOf is what bubblewrap says of its version.
func versionOf(program string) string {
	said, err := exec.Command(program, "--version").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimPrefix(strings.TrimSpace(string(said)), "bubblewrap ")
}

// Info names the machine, bubblewrap and the kernel.
func (m *Machine) Info() machine.Info {
	return machine.Info{
		Name: name, Version: fmt.Sprintf("%s bubblewrap %s linux %s", version, m.version(), agent.KernelRelease()),
		Isolated: true, Arches: []string{runtime.GOARCH},
	}
}

// Check runs a job of no steps.
func (m *Machine) Check(ctx context.Context) error {
	err := agent.Check(ctx, m.options.Options, m.launch)
	if err == nil || fault.KindOf(err) == fault.Interrupted || fault.HintOf(err) != "" {
		return err
	}
	return fault.New(fault.Unavailable, "bwrap: %w", err).
		WithHint("bubblewrap needs user namespaces, or to be installed setuid root; rung doctor tells of the sandbox why not")
}

// Run runs a job: see machine.Machine.
func (m *Machine) Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	if err := agent.CheckJob(ctx, name, job); err != nil {
		return machine.Result{}, err
	}
	return agent.Run(ctx, job, blobs, watch, m.options.Options, m.launch)
}

func (m *Machine) launch(*walk.Course) (*agent.Session, error) {
	program, err := exec.LookPath(m.options.Program)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "bwrap: %w", errors.Unwrap(err)).WithHint("install bubblewrap, as your system calls it")
	}
	files, err := agent.Files()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, arguments(files)...)
	cmd.Env, cmd.Dir = []string{}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL, Setsid: true}
	s, err := agent.Start(cmd)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "bwrap: %w", err)
	}
	pid, killAll := s.PID, s.Kill
	s.Kill = func() { kill(pid, killAll) }
	s.PID, s.Network = 0, true // below that process is the agent as well; bubblewrap leaves the loopback device up
	return s, nil
}

// kill ends the agent, and bubblewrap by that: it waits for the agent, and so ends when every step is gone. Were it
// killed itself, nobody would wait for them.
func kill(bubblewrap int, all func()) {
	below := walk.Descendants(walk.HostProc(), bubblewrap)
	if len(below) == 0 || unix.Kill(below[0], unix.SIGKILL) != nil {
		all()
	}
}

// arguments are those of bubblewrap for an agent that is process 1 and root in namespaces of its own.
func arguments(files []agent.File) []string {
	args := []string{
		"--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup",
		"--as-pid-1", "--die-with-parent", "--uid", "0", "--gid", "0", "--cap-add", "ALL",
		"--proc", "/proc", "--dev-bind", "/dev", "/dev",
	}
	for _, f := range files {
		args = append(args, "--ro-bind", f.Host, "/"+f.Path)
	}
	return append(append(args, "--", "/"+agent.Program), agent.Argv()...)
}
