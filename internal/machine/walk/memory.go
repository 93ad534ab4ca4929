// SPDX-License-Identifier: MIT

package walk

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/machine"
)

const (
	samplePeriod = 10 * time.Millisecond // a process can touch some 10 MiB a millisecond: it is caught below 2 GiB more
	maxProcesses = 1000                  // of one job: what stops a program that does nothing but fork
)

// Guard watches the memory and the number of the processes of a job until ctx ends, and fails the job where either is
// too much. It takes samples, since a limit of the kernel's own would need cgroups, or would count address space that
// was reserved and never touched. Processes lists those of the job; one that runs the file own does not count, because
// between fork and execve a step still is a copy of the machine.
func (c *Course) Guard(ctx context.Context, processes func() []int, own string) {
	tick := time.NewTicker(samplePeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		family := processes()
		if len(family) > maxProcesses {
			c.Fail(fail(machine.CauseMemory, -1, "more than %d processes", maxProcesses))
			return
		}
		if resident(family, "") > c.job.Limits.Memory && resident(family, own) > c.job.Limits.Memory {
			c.Fail(tooMuchMemory(-1, c.job.Limits))
			return
		}
	}
}

// Descendants are the processes below pid. It stops at some more than a job may have.
func Descendants(pid int) []int { return descendants(pid, nil) }

// descendants adds the processes below pid to the list.
func descendants(pid int, list []int) []int {
	// Children are listed by the thread that made them. Those whose parent ended have passed to the first process of
	// their pid namespace, so that in a namespace of its own nothing can hide.
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return list
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread ended
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil || len(list) > maxProcesses {
				return list
			}
			list = descendants(child, append(list, child))
		}
	}
	return list
}

// resident is the memory of processes, in bytes, but for those that run the file except, "" for none.
func resident(pids []int, except string) int64 {
	var sum int64
	var own os.FileInfo
	if except != "" {
		own, _ = os.Stat(except) // nil where the process has ended, and with it all the others
	}
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		fields := strings.Fields(string(text))
		if err != nil || len(fields) < 2 {
			continue // it ended
		}
		if own != nil {
			if exe, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && os.SameFile(exe, own) {
				continue
			}
		}
		pages, err := strconv.ParseInt(fields[1], 10, 64)
		if err == nil {
			sum += pages * int64(os.Getpagesize())
		}
	}
	return sum
}
