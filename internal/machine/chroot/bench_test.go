// SPDX-License-Identifier: MIT

package chroot_test

import (
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/chroot"
	"github.com/rung-build/rung/internal/machine/machinetest"
)

// BenchmarkJob measures what the machine costs.
func BenchmarkJob(b *testing.B) { machinetest.Bench(b, chroot.New(agent.Options{Now: time.Now})) }
