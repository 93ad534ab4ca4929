// SPDX-License-Identifier: MIT

// Package sandbox is the machine that runs steps as processes of this kernel in namespaces of their own: user, mount,
// pid, network, IPC, host name and cgroup. It works for root and for ordinary users, and needs no program but rung.
//
// It is an agent (package agent) in namespaces that the kernel makes with the process. A step sees the job's tree and
// nothing else, not even a loopback device that is up.
//
// Specification: the manual pages namespaces(7), user_namespaces(7).
package sandbox

import (
	"context"
	"runtime"
	"sync/atomic"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
)

// version of the driver, for the ledger. It goes up when a step may see something else than before.
const version = "1"

// Machine runs jobs in namespaces. Make one with New. It is safe for use by several goroutines at once.
type Machine struct {
	options agent.Options
	noUser  atomic.Bool         // root where there are no user namespaces
	spare   chan *agent.Session // an agent without a job, which spares the next job its start
}

// New makes a machine. A program that uses one calls agent.Child first thing. From its first job on a machine keeps an
// agent ready for the next one, which ends with the program.
func New(o agent.Options) *Machine {
	return &Machine{options: o.With(), spare: make(chan *agent.Session, 1)}
}

// Info names the machine and the kernel.
func (m *Machine) Info() machine.Info {
	return machine.Info{
		Name: "sandbox", Version: version + " linux " + agent.KernelRelease(), Isolated: true, Arches: []string{runtime.GOARCH},
	}
}

// Run runs a job: see machine.Machine.
func (m *Machine) Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	if err := agent.CheckJob(ctx, "sandbox", job); err != nil {
		return machine.Result{}, err
	}
	start := func(*walk.Course) (*agent.Session, error) { return m.launch() }
	return agent.Run(ctx, job, blobs, watch, m.options, start)
}
