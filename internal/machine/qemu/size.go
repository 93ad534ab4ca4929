// SPDX-License-Identifier: MIT

package qemu

import (
	"os"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/walk"
)

// sizes is how many bytes files have together.
func sizes(files []*os.File) (sum int64, err error) {
	for _, f := range files {
		info, err := f.Stat()
		if err != nil {
			return 0, err
		}
		sum += info.Size()
	}
	return sum, nil
}

// spareMemory is what the kernel and the agent need, and what steps may take before the agent sees that it is too much,
// in bytes.
const spareMemory = 384 << 20

// memoryFor is how much memory a guest has for a job, in MiB: what the job may use and write, devices that hold files,
// its inputs, and what it is packed in, once more while that is unpacked. QEMU takes of the host what the guest uses.
func memoryFor(job machine.Job, media int64) int64 {
	const page, file = 4 << 10, 2 << 10 // a file begins a page, and takes an inode
	sum := job.Limits.Memory + job.Limits.Output + job.Limits.Files*(page+file) + 2*media + spareMemory
	for n := range job.Inputs.Nodes() {
		sum += n.Content.Size() + page + file
	}
	if job.Devices {
		sum += job.Limits.Output
	}
	return (sum + sum/16) >> 20 // what the kernel keeps for each page
}

// processorsFor is how many processors a guest has: as many as steps can run side by side.
func processorsFor(job machine.Job, wide int) int {
	widest := 1
	for _, b := range walk.Batches(job.Steps) {
		widest = max(widest, len(b))
	}
	return min(widest, wide)
}
