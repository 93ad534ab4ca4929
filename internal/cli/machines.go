// SPDX-License-Identifier: MIT

package cli

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/bwrap"
	"github.com/rung-build/rung/internal/machine/chroot"
	"github.com/rung-build/rung/internal/machine/host"
	"github.com/rung-build/rung/internal/machine/podman"
	"github.com/rung-build/rung/internal/machine/qemu"
	"github.com/rung-build/rung/internal/machine/sandbox"
)

// sandboxName is the machine that runs jobs where nothing else is asked for.
const sandboxName = "sandbox"

const qemuName = "qemu"

// driver makes a machine.
type driver struct {
	name string
	make func() machine.Machine
}

// machineFlags are what the flags of a verb say of the machines it runs jobs on.
type machineFlags struct {
	interactive   bool   // a step that fails leaves the person at the terminal in a shell
	kernel, accel string // of a virtual machine
}

// addMachineFlags adds the flags of a verb that runs jobs.
func addMachineFlags(c *cobra.Command, f *machineFlags) {
	c.Flags().BoolVarP(&f.interactive, "interactive", "i", false, "open a shell at a step that fails")
	addGuestFlags(c, f)
}

// addGuestFlags adds the flags that only virtual machines know.
func addGuestFlags(c *cobra.Command, f *machineFlags) {
	c.Flags().StringVar(&f.kernel, "kernel", "", "kernel of a virtual machine (default the newest that rung doctor finds)")
	c.Flags().StringVar(&f.accel, "accel", "", "accelerator of a virtual machine: kvm or tcg (default kvm where it works)")
	complete(c, "accel", "kvm", "tcg")
}

// drivers are the machines there are, the best first.
func (a *app) drivers(f machineFlags) []driver {
	o := agent.Options{Now: time.Now}
	if f.interactive {
		o.Terminal = &agent.Terminal{In: a.stdin, Out: a.stderr}
	}
	return []driver{
		{sandboxName, func() machine.Machine { return sandbox.New(o) }},
		{"bwrap", func() machine.Machine { return bwrap.New(bwrap.Options{Options: o}) }},
		{"podman", func() machine.Machine { return podman.New(podman.Options{Options: o, Dir: a.containers()}) }},
		{"docker", func() machine.Machine { return podman.New(podman.Options{Options: o, Docker: true}) }},
		{"chroot", func() machine.Machine { return chroot.New(o) }},
		{qemuName, func() machine.Machine { return qemu.New(a.guests(o, f)) }},
		{qemuName + "-" + conductorScheme, func() machine.Machine { return newConducted(a.guests(o, f)) }},
		{"host", func() machine.Machine {
			return host.New(host.Options{Now: o.Now, Dir: a.scratch(), Terminal: o.Terminal})
		}},
	}
}

// guests are the options of virtual machines.
func (a *app) guests(o agent.Options, f machineFlags) qemu.Options {
	q := qemu.Options{Options: o, Kernel: f.kernel, Accel: f.accel, Folder: a.scratch()}
	if folder, err := a.cacheFolder(); err == nil { // whoever uses the store says why not
		q.Kernels, q.State = filepath.Join(folder, "kernel"), filepath.Join(folder, "qemu")
	}
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR"} {
		if value := a.env(name); value != "" && f.interactive {
			q.Display = append(q.Display, name+"="+value)
		}
	}
	return q
}

func (a *app) machineNames() []string {
	var names []string
	for _, d := range a.drivers(machineFlags{}) {
		names = append(names, d.name)
	}
	return names
}

// oneOf is a choice as people write it: "a, b or c".
func oneOf(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// newMachine makes the machine of a name.
func (a *app) newMachine(name string, f machineFlags) (machine.Machine, error) {
	for _, d := range a.drivers(f) {
		if d.name == name {
			return d.make(), nil
		}
	}
	return nil, fault.New(fault.Usage, "--machine %s: want %s", name, oneOf(a.machineNames()))
}

// scratch is the folder for files that live as long as a job.
func (a *app) scratch() string {
	if dir := a.env("TMPDIR"); dir != "" {
		return dir
	}
	return "/tmp"
}

// containers is the folder for podman's images and containers: podman, in that of the store.
func (a *app) containers() string {
	folder, err := a.storeFolder()
	if err != nil {
		return "" // whoever uses the store says so
	}
	return filepath.Join(folder, "podman")
}
