// SPDX-License-Identifier: MIT

package sandbox_test

import (
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/machine/sandbox"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
)

// BenchmarkJob measures what the sandbox costs: jobs of steps that do nothing, by the number of steps.
func BenchmarkJob(b *testing.B) {
	need.Arch(b, "amd64") // the program that does nothing
	m := sandbox.New(agent.Options{Now: time.Now})
	for _, bench := range []struct {
		name  string
		steps int
		calls machine.Calls
	}{{"steps=1", 1, machine.CallsAny}, {"steps=101", 101, machine.CallsAny}, {"seed/steps=101", 101, machine.CallsSeed}} {
		b.Run(bench.name, func(b *testing.B) {
			blobs := &store.Mem{}
			job := machinetest.Nothing(b, blobs, bench.steps, bench.calls)
			for b.Loop() {
				r, err := m.Run(b.Context(), job, blobs, nil)
				if err != nil || r.Failure != nil {
					b.Fatalf("Run = %+v, %v", r.Failure, err)
				}
			}
		})
	}
}
