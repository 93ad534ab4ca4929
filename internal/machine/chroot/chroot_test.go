// SPDX-License-Identifier: MIT

package chroot_test

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/chroot"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/need"
)

func TestMain(m *testing.M) {
	if status, ok := agent.Child(); ok {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func TestContract(t *testing.T) {
	machinetest.Run(t, machinetest.Options{}, func(t *testing.T) machine.Machine {
		m := chroot.New(agent.Options{Now: time.Now})
		if err := m.Check(t.Context()); fault.KindOf(err) == fault.Unavailable {
			need.Unmet(t, "chroot: %v: %s", err, fault.HintOf(err))
		}
		return m
	})
}

func TestInteractive(t *testing.T) {
	machinetest.Interactive(t, func(t *testing.T, in io.Reader, out io.Writer) machine.Machine {
		m := chroot.New(agent.Options{Now: time.Now, Terminal: &agent.Terminal{In: in, Out: out}})
		if err := m.Check(t.Context()); fault.KindOf(err) == fault.Unavailable {
			need.Unmet(t, "chroot: %v: %s", err, fault.HintOf(err))
		}
		return m
	})
}
