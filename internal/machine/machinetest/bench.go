// SPDX-License-Identifier: MIT

package machinetest

import (
	"testing"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
)

// Bench measures what a machine costs over the work itself: jobs of steps that do nothing, by the number of steps.
func Bench(b *testing.B, m machine.Machine) {
	need.Arch(b, "amd64") // the program that does nothing
	if err := m.Check(b.Context()); err != nil {
		need.Unmet(b, "the machine %s: %v", m.Info().Name, err)
	}
	for _, bench := range []struct {
		name  string
		steps int
		calls machine.Calls
	}{{"steps=1", 1, machine.CallsAny}, {"steps=101", 101, machine.CallsAny}, {"seed/steps=101", 101, machine.CallsSeed}} {
		b.Run(bench.name, func(b *testing.B) {
			blobs := &store.Mem{}
			job := Nothing(b, blobs, bench.steps, bench.calls)
			for b.Loop() {
				r, err := m.Run(b.Context(), job, blobs, nil)
				if err != nil || r.Failure != nil {
					b.Fatalf("Run = %+v, %v", r.Failure, err)
				}
			}
		})
	}
}
