// SPDX-License-Identifier: MIT

package sandbox_test

import (
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/machine/sandbox"
)

// BenchmarkJob measures what the machine costs.
func BenchmarkJob(b *testing.B) { machinetest.Bench(b, sandbox.New(agent.Options{Now: time.Now})) }
