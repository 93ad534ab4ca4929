// SPDX-License-Identifier: MIT

package agent

import (
	"errors"
	"fmt"
	"math"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// secureBits make root an ordinary user at the next execve: SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP and
// SECBIT_NO_CAP_AMBIENT_RAISE, each with the bit that locks it. Source: linux/securebits.h.
const secureBits = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<6 | 1<<7

const noRandomAddresses = 0x0040000 // ADDR_NO_RANDOMIZE of linux/personality.h

// Limits of each process that do not come from the job, so that those of the host's shell do not come through.
const (
	maxOpenFiles = 1024
	stackSize    = 8 << 20
)

// confineProcess sets what all threads of the first process share, and what its children inherit from it.
func confineProcess() error {
	unix.Umask(0o022)
	// Whoever started rung may have left descriptors open that are not closed on execve.
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		for fd := 3; fd < maxOpenFiles; fd++ { // Linux before 5.11
			unix.CloseOnExec(fd)
		}
	}
	for _, l := range []struct {
		resource int
		soft     uint64
	}{{unix.RLIMIT_CORE, 0}, {unix.RLIMIT_NOFILE, maxOpenFiles}, {unix.RLIMIT_STACK, stackSize}} {
		var now unix.Rlimit
		if err := unix.Getrlimit(l.resource, &now); err != nil {
			return fmt.Errorf("getrlimit %d: %w", l.resource, err)
		}
		now = unix.Rlimit{Cur: min(l.soft, now.Max), Max: min(l.soft, now.Max)}
		if err := unix.Setrlimit(l.resource, &now); err != nil {
			return fmt.Errorf("setrlimit %d: %w", l.resource, err)
		}
	}
	return nil
}

// deafen makes process 1 proof against the signals of steps, who have the same user: the kernel drops a signal from
// within the namespace for which process 1 has no handler, and the Go runtime has one for most. A fault of our own still
// ends the process, but without a trace of the stack. SIGURG stays, by which the runtime preempts goroutines.
func deafen() {
	var byDefault [4]uint64 // struct sigaction of the kernel with SIG_DFL, at its longest
	for n := uintptr(1); n <= 64; n++ {
		if syscall.Signal(n) != unix.SIGURG {
			_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, n, uintptr(unsafe.Pointer(&byDefault)), 0, sigsetSize, 0, 0)
		}
	}
}

// sigsetSize is the size of a set of 64 signals, in bytes.
const sigsetSize = 8

// confineThread sees to it that what the calling thread forks has no capability after its execve and no way to get one.
// The thread itself keeps what it needs to change the root of the step.
func confineThread() error {
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("dropping capability %d: %w", c, err) // EINVAL: unknown to this kernel
		}
	}
	if err := dropInheritable(); err != nil {
		return fmt.Errorf("dropping inheritable capabilities: %w", err)
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("dropping ambient capabilities: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, secureBits, 0, 0, 0); err != nil {
		return fmt.Errorf("setting the secure bits: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("setting no_new_privs: %w", err)
	}
	// Where things are in memory is one accident less in what a step does. A container may forbid the call.
	_, _, _ = unix.Syscall(unix.SYS_PERSONALITY, noRandomAddresses, 0, 0)
	return nil
}

// dropInheritable clears the inheritable capabilities of the calling thread, of which others may have left it some.
func dropInheritable() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	data[0].Inheritable, data[1].Inheritable = 0, 0
	return unix.Capset(&header, &data[0])
}
