// SPDX-License-Identifier: MIT

package walk

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/machine"
)

const (
	samplePeriod = 10 * time.Millisecond // a process can touch some 10 MiB a millisecond: it is caught below 2 GiB more
	maxProcesses = 1000                  // of one job: what stops a program that does nothing but fork
)

// Guard holds the limit on memory of a job by looking at its processes.
type Guard struct {
	Proc      fs.FS                  // a procfs in which they are seen
	Limits    machine.Limits         //
	Processes func() []int           // those of the job, by their numbers in Proc
	Own       func(int) bool         // tells a process that is the machine itself, just forked and not yet a step; may be nil
	Fail      func(*machine.Failure) // told once that the limit was passed
}

// Run looks until the limit is passed or ctx ends.
func (g Guard) Run(ctx context.Context) {
	tick := time.NewTicker(samplePeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		family := g.Processes()
		if len(family) > maxProcesses {
			g.Fail(fail(machine.CauseMemory, -1, "more than %d processes", maxProcesses))
			return
		}
		// Whose process it is costs more to find out, and matters only close to the limit.
		if g.resident(family, nil) > g.Limits.Memory && g.resident(family, g.Own) > g.Limits.Memory {
			g.Fail(tooMuchMemory(-1, g.Limits))
			return
		}
	}
}

// Descendants are the processes below one, by their numbers in a procfs. The list ends early where it gets long.
func Descendants(proc fs.FS, pid int) []int { return descendants(proc, pid, nil) }

func descendants(proc fs.FS, pid int, list []int) []int {
	// Children are listed by the thread that made them. Those whose parent ended have passed to the first process of
	// their pid namespace, so that in a namespace of its own nothing can hide.
	files, err := fs.Glob(proc, fmt.Sprintf("%d/task/*/children", pid))
	if err != nil {
		return list
	}
	for _, file := range files {
		text, err := fs.ReadFile(proc, file)
		if err != nil {
			continue // the thread ended
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil || len(list) > maxProcesses {
				return list
			}
			list = descendants(proc, child, append(list, child))
		}
	}
	return list
}

// resident is the memory of processes in bytes, without those that are the machine itself.
func (g Guard) resident(pids []int, own func(int) bool) int64 {
	var sum int64
	for _, pid := range pids {
		text, err := fs.ReadFile(g.Proc, fmt.Sprintf("%d/statm", pid))
		fields := strings.Fields(string(text))
		if err != nil || len(fields) < 2 || own != nil && own(pid) {
			continue // it ended
		}
		pages, err := strconv.ParseInt(fields[1], 10, 64)
		if err == nil {
			sum += pages * int64(os.Getpagesize())
		}
	}
	return sum
}

// HostProc is the procfs of this host.
func HostProc() fs.FS { return os.DirFS("/proc") }

// RunsFile tells processes of this host that run a file.
func RunsFile(file string) func(pid int) bool {
	return func(pid int) bool {
		own, err := os.Stat(file)
		if err != nil {
			return false // it has ended, and with it all the others
		}
		exe, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
		return err == nil && os.SameFile(exe, own)
	}
}
