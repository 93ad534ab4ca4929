// SPDX-License-Identifier: MIT

package cli

import (
	"strings"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/bwrap"
	"github.com/rung-build/rung/internal/machine/chroot"
	"github.com/rung-build/rung/internal/machine/host"
	"github.com/rung-build/rung/internal/machine/sandbox"
)

// sandboxName is the machine that runs jobs where nothing else is asked for.
const sandboxName = "sandbox"

// driver makes a machine.
type driver struct {
	name string
	make func() machine.Machine
}

// drivers are the machines there are, the best first.
func (a *app) drivers() []driver {
	return []driver{
		{sandboxName, func() machine.Machine { return sandbox.New(agent.Options{Now: time.Now}) }},
		{"bwrap", func() machine.Machine { return bwrap.New(bwrap.Options{Options: agent.Options{Now: time.Now}}) }},
		{"chroot", func() machine.Machine { return chroot.New(agent.Options{Now: time.Now}) }},
		{"host", func() machine.Machine { return host.New(host.Options{Now: time.Now, Dir: a.scratch()}) }},
	}
}

func (a *app) machineNames() []string {
	var names []string
	for _, d := range a.drivers() {
		names = append(names, d.name)
	}
	return names
}

// newMachine makes the machine of a name.
func (a *app) newMachine(name string) (machine.Machine, error) {
	for _, d := range a.drivers() {
		if d.name == name {
			return d.make(), nil
		}
	}
	return nil, fault.New(fault.Usage, "--machine %s: want %s", name,
		strings.Join(a.machineNames(), " or "))
}

// scratch is the folder for files that live as long as a job.
func (a *app) scratch() string {
	if dir := a.env("TMPDIR"); dir != "" {
		return dir
	}
	return "/tmp"
}
