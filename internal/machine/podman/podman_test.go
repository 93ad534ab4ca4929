// SPDX-License-Identifier: MIT

package podman_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/machine/podman"
	"github.com/rung-build/rung/internal/need"
)

func TestMain(m *testing.M) {
	if status, ok := agent.Child(); ok {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

// newPodman is a podman that works here, with images and containers in a folder.
func newPodman(t testing.TB, dir string) *podman.Machine {
	t.Helper()
	need.Tool(t, "podman")
	m := podman.New(podman.Options{Options: agent.Options{Now: time.Now}, Dir: dir})
	if err := m.Check(t.Context()); fault.KindOf(err) == fault.Unavailable {
		need.Unmet(t, "containers: %v: %s", err, fault.HintOf(err))
	}
	return m
}

func TestContract(t *testing.T) {
	dir := t.TempDir()
	machinetest.Run(t, machinetest.Options{}, func(t *testing.T) machine.Machine { return newPodman(t, filepath.Join(dir, "podman")) })
}
