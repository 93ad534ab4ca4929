// SPDX-License-Identifier: MIT

package walk

import (
	"fmt"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/machine"
)

// Ended is how a step's process ended, as the kernel says it.
type Ended struct {
	Exit   int           // exit status; -1 where a signal ended it
	Signal string        // "SIGSEGV"; "" where it exited
	CPU    time.Duration // user and system, with the processes it waited for
	Memory int64         // peak resident bytes of the largest process
	// Floor is a peak below which Memory says nothing: Linux counts what a process held before its execve as well, which
	// is what the process it was forked from held.
	Floor int64
	Bytes int64 // written to the tree so far, by all steps; 0 where the machine cannot tell
	Files int64 // made in the tree so far, by all steps; 0 where the machine cannot tell
}

// EndedOf reads what wait4 said of a process.
func EndedOf(status syscall.WaitStatus, usage syscall.Rusage) Ended {
	e := Ended{
		Exit:   status.ExitStatus(),
		CPU:    time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		Memory: usage.Maxrss << 10,
	}
	if status.Signaled() {
		e.Exit, e.Signal = -1, SignalName(int(status.Signal()))
	}
	return e
}

// SignalName is a signal as a StepResult names it: "SIGSEGV", or "signal 40" for one that has no name.
func SignalName(number int) string {
	if name := unix.SignalName(syscall.Signal(number)); name != "" {
		return name
	}
	return "signal " + strconv.Itoa(number)
}

// Judge says how a step failed, or nil. A limit that was passed comes before an exit status, which most often is what
// came of it.
func Judge(i int, e Ended, limits machine.Limits, calls machine.Calls) *machine.Failure {
	switch {
	case calls != machine.CallsAny && e.Signal == "SIGSYS":
		return fail(machine.CauseCall, i, "SIGSYS: a system call that is not in the set %q", calls)
	case e.Bytes > limits.Output:
		return fail(machine.CauseOutput, i, "more than %s of output", Size(limits.Output))
	case e.Files > limits.Files:
		return fail(machine.CauseFiles, i, "more than %d files", limits.Files)
	case e.Memory > limits.Memory && e.Memory > e.Floor:
		return tooMuchMemory(i, limits)
	case e.Signal != "":
		return fail(machine.CauseSignal, i, "%s", e.Signal)
	case e.Exit != 0:
		return fail(machine.CauseExit, i, "exit status %d", e.Exit)
	}
	return nil
}

// NotStarted is the failure of a step whose program cannot be started.
func NotStarted(i int, program string, err error) *machine.Failure {
	return fail(machine.CauseStart, i, "cannot start %q: %v", program, err)
}

func tooMuchMemory(i int, limits machine.Limits) *machine.Failure {
	return fail(machine.CauseMemory, i, "more than %s of memory", Size(limits.Memory))
}

func fail(cause machine.Cause, step int, format string, args ...any) *machine.Failure {
	return &machine.Failure{Cause: cause, Step: step, Detail: fmt.Sprintf(format, args...)}
}

// Size is a number of bytes for people: "64 MiB", "1000 bytes". It never rounds.
func Size(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	u := 0
	for n >= 1024 && n%1024 == 0 && u < len(units)-1 {
		n, u = n/1024, u+1
	}
	return fmt.Sprintf("%d %s", n, units[u])
}
