// SPDX-License-Identifier: MIT

// Package podman is the machine whose steps are processes of a container that podman or docker makes, one for each job.
//
// The image is made here, from nothing, and holds an agent (package agent) and nothing else; it is loaded where it is
// not there yet, and never pulled. The agent is process 1 of the container, on the container's standard streams. It lets
// go of the image before the first step, so that a step sees what it sees in the sandbox, and another program than rung
// vouches for the walls. Podman keeps image and containers in a folder of their own, apart from those of its user; docker
// has one place for all.
//
// Left out on purpose: an image for each job, which would be weaker and slower (docs/podman.md), and containers that
// wait for a job, which would outlive rung.
//
// Specification: the manual pages podman(1), podman-run(1), podman-load(1), conmon(8); docker's command line reference;
// Docker Image Specification v1.2 for what is loaded.
package podman

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/store"
)

// version of the driver, for the ledger.
const version = "1"

// grace is how long a container may take to end by itself, once its agent is told to.
const grace = 10 * time.Second

// Options of a machine.
type Options struct {
	agent.Options
	Docker  bool   // docker instead of podman
	Program string // the program, by path or by name; "" for podman or docker
	Dir     string // where podman keeps image and containers; "" for where its user's are
}

// Machine runs jobs in containers. Make one with New. It is safe for use by several goroutines at once.
type Machine struct {
	options Options
	name    string
	version func() string
	grace   time.Duration
	made    atomic.Int64 // containers, for their names

	mu    sync.Mutex // protects what follows, and is held while it is found out
	way   way        // how containers are made here
	ready bool       // leftovers are gone, and the image is there
	image string     // its name
	owner owner      // this process
}

// New makes a machine. A program that uses one calls agent.Child first thing.
func New(o Options) *Machine {
	o.Options = o.With()
	m := &Machine{options: o, name: "podman", grace: grace}
	if o.Docker {
		m.name = "docker"
	}
	if o.Program == "" {
		m.options.Program = m.name
	}
	m.version = sync.OnceValue(func() string { return versionOf(m.options.Program) })
	return m
}

// versionOf is what the program says of its version: "podman version 5.4.0", "Docker version 28.2.2, build e6534b4".
func versionOf(program string) string {
	said, err := exec.Command(program, "--version").Output()
	words := strings.Fields(string(said))
	if err != nil || len(words) < 3 {
		return "unknown"
	}
	return strings.TrimSuffix(words[2], ",")
}

// Info names the machine, the program, what it had to be told to work here, and the kernel.
func (m *Machine) Info() machine.Info {
	m.mu.Lock()
	defer m.mu.Unlock()
	return machine.Info{
		Name: m.name, Version: fmt.Sprintf("%s %s %s%s linux %s", version, m.name, m.version(), m.way, agent.KernelRelease()),
		Isolated: true, Arches: []string{runtime.GOARCH},
	}
}

// Check runs a job of no steps.
func (m *Machine) Check(ctx context.Context) error {
	return m.attempt(ctx, func(start starter) error { return agent.Check(ctx, m.options.Options, start) })
}

// Run runs a job: see machine.Machine.
func (m *Machine) Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	if err := agent.CheckJob(ctx, m.name, job); err != nil {
		return machine.Result{}, err
	}
	var result machine.Result
	err := m.attempt(ctx, func(start starter) (err error) {
		result, err = agent.Run(ctx, job, blobs, watch, m.options.Options, start)
		return err
	})
	if err != nil {
		return machine.Result{}, err
	}
	return result, nil
}

// starter starts the agent of a job.
type starter func(*walk.Course) (*agent.Session, error)

// attempt does something with a container. Where the program refuses and something mends that, it does it again.
func (m *Machine) attempt(ctx context.Context, do func(starter) error) error {
	for reloads := 0; ; {
		used, err := m.prepare(ctx)
		if err == nil {
			err = do(func(*walk.Course) (*agent.Session, error) { return m.launch(used) })
		}
		if err == nil || ctx.Err() != nil {
			return m.interrupted(ctx, err)
		}
		switch {
		case m.lost(err) && reloads < 3: // another rung, of another version, has removed it
			reloads++
		case !m.mend(used, err):
			return m.explain(err)
		}
	}
}

// prepare makes sure once that image and program are there, and gives how a container is made.
func (m *Machine) prepare(ctx context.Context) (recipe, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ready {
		return recipe{m.way, m.image}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.options.Boot)
	defer cancel()
	if err := m.lookUp(); err != nil {
		return recipe{}, err
	}
	if m.owner == "" {
		var err error
		if m.owner, err = ownerOf("self"); err != nil {
			return recipe{}, err
		}
	}
	used := recipe{way: m.way}
	if err := m.removeLeftovers(ctx, m.way); err != nil {
		return used, err
	}
	var err error
	if used.image, err = m.provideImage(ctx, m.way); err != nil {
		return used, err
	}
	m.image, m.ready = used.image, true
	return used, nil
}
