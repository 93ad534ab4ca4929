// SPDX-License-Identifier: MIT

package podman

import (
	"testing"

	"github.com/rung-build/rung/internal/machine/machinetest"
)

// BenchmarkJob measures what the machine costs.
func BenchmarkJob(b *testing.B) { machinetest.Bench(b, newPodman(b, folder(b), nil)) }
