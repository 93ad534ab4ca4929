// SPDX-License-Identifier: MIT

package host_test

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/host"
	"github.com/rung-build/rung/internal/machine/machinetest"
)

func TestContract(t *testing.T) {
	dir := t.TempDir()
	machinetest.Run(t, machinetest.Options{}, func(*testing.T) machine.Machine {
		return host.New(host.Options{Now: time.Now, Dir: dir})
	})
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind in the scratch directory: %v, %v; want nothing", left, err)
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	err := host.New(host.Options{Now: time.Now, Dir: "/no/such/directory"}).Check(t.Context())
	if fault.KindOf(err) != fault.Unavailable || fault.HintOf(err) == "" {
		t.Errorf("Check() = %v, hint %q; want a fault of kind unavailable with a hint", err, fault.HintOf(err))
	}
}

func TestInteractive(t *testing.T) {
	machinetest.Interactive(t, func(t *testing.T, in io.Reader, out io.Writer) machine.Machine {
		m := host.New(host.Options{Now: time.Now, Dir: t.TempDir(), Terminal: &agent.Terminal{In: in, Out: out}})
		return m
	})
}
