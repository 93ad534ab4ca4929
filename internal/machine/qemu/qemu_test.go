// SPDX-License-Identifier: MIT

package qemu

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/need"
)

func TestMain(m *testing.M) {
	if status, ok := Guest(); ok {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

// newMachine is a machine with the kernel for tests, without KVM, so that it is the same one everywhere.
func newMachine(t testing.TB, transport string) *Machine {
	t.Helper()
	need.Arch(t, "amd64")
	return New(Options{
		Options: agent.Options{Now: time.Now, Slow: 1}, Program: need.Tool(t, "qemu-system-x86_64"), Kernel: need.Kernel(t),
		Accel: accelTCG, Transport: transport, Folder: t.TempDir(),
	})
}

func TestContract(t *testing.T) {
	need.Whole(t)
	machinetest.Run(t, machinetest.Options{Running: guests}, func(t *testing.T) machine.Machine { return newMachine(t, TransportVirtio) })
}

// guests are the children of this process that run QEMU: what runs in them is not to be seen from here.
func guests(t *testing.T, _ string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid())) && strings.HasPrefix(string(text), "Name:\tqemu") {
			found = append(found, file)
		}
	}
	return found
}
