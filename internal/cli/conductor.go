// SPDX-License-Identifier: MIT

package cli

import (
	"sync"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/qemu"
)

// The conductors of a virtual machine, and the export of the seed chain that the second one is.
const (
	conductorGo      = "go"
	conductorScheme  = "scheme"
	conductorProgram = "scheme1"
)

// conducted is the machine whose jobs a program of the chain conducts: it learns from the climb itself which one that
// is, so that no other climb's program ever does.
type conducted struct {
	machine.Machine

	mu      sync.Mutex
	program digest.Digest // zero until the stage that makes it is done
}

func newConducted(o qemu.Options) *conducted {
	c := &conducted{}
	c.Machine = qemu.NewScheme(o, func(machine.Job) (digest.Digest, bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.program, !c.program.IsZero()
	})
	return c
}

// note learns from a climb.
func (c *conducted) note(e chain.Event) {
	done, ok := e.(chain.StageDone)
	if !ok {
		return
	}
	if n, ok := done.Outputs.Lookup(conductorProgram); ok {
		c.mu.Lock()
		c.program = n.Content
		c.mu.Unlock()
	}
}

// watching is what is told of a climb on a machine.
func watching(m machine.Machine, tell func(chain.Event)) func(chain.Event) {
	c, ok := m.(*conducted)
	if !ok {
		return tell
	}
	return func(e chain.Event) {
		c.note(e)
		tell(e)
	}
}

// conductorOf is the machine's name, with its conductor.
func conductorOf(name, conductor string) (string, error) {
	switch {
	case conductor == conductorGo || conductor == "":
		return name, nil
	case conductor == conductorScheme && name == qemuName:
		return qemuName + "-" + conductorScheme, nil
	case conductor == conductorScheme:
		return "", fault.New(fault.Usage, "--conductor %s: the machine %s has none to choose", conductor, name).
			WithHint("--machine %s runs jobs in a virtual machine", qemuName)
	}
	return "", fault.New(fault.Usage, "--conductor %s: want %s or %s", conductor, conductorGo, conductorScheme)
}
