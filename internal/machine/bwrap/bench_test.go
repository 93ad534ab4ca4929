// SPDX-License-Identifier: MIT

package bwrap_test

import (
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/bwrap"
	"github.com/rung-build/rung/internal/machine/machinetest"
)

// BenchmarkJob measures what the machine costs.
func BenchmarkJob(b *testing.B) {
	machinetest.Bench(b, bwrap.New(bwrap.Options{Options: agent.Options{Now: time.Now}}))
}
