// SPDX-License-Identifier: MIT

package sandbox_test

import (
	"os"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/machine/sandbox"
)

func TestMain(m *testing.M) {
	if status, ok := sandbox.Child(); ok {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func TestContract(t *testing.T) {
	machinetest.Run(t, machinetest.Options{}, func(*testing.T) machine.Machine {
		return sandbox.New(sandbox.Options{Now: time.Now})
	})
}
