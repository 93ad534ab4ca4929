// SPDX-License-Identifier: MIT

package qemu_test

import (
	"os"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/machine/qemu"
	"github.com/rung-build/rung/internal/need"
)

func TestMain(m *testing.M) {
	if status, ok := qemu.Guest(); ok {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

// newMachine is a machine with the kernel for tests, without KVM, so that it is the same one everywhere.
func newMachine(t *testing.T, transport string) *qemu.Machine {
	t.Helper()
	need.Arch(t, "amd64")
	return qemu.New(qemu.Options{
		Options: agent.Options{Now: time.Now}, Program: need.Tool(t, "qemu-system-x86_64"), Kernel: need.Kernel(t),
		Accel: "tcg", Transport: transport, Folder: t.TempDir(),
	})
}

func TestContract(t *testing.T) {
	machinetest.Run(t, machinetest.Options{}, func(t *testing.T) machine.Machine { return newMachine(t, qemu.TransportVirtio) })
}
