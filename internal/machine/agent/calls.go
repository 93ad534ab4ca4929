// SPDX-License-Identifier: MIT

package agent

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// call is a system call by its name in seed/SYSCALLS and its number on the architecture rung was built for.
type call struct {
	name   string
	number uint32
}

// seedCalls are the system calls of machine.CallsSeed. A test compares the names with seed/SYSCALLS.
func seedCalls() []call {
	return []call{
		{"openat", unix.SYS_OPENAT},
		{"close", unix.SYS_CLOSE},
		{"read", unix.SYS_READ},
		{"write", unix.SYS_WRITE},
		{"lseek", unix.SYS_LSEEK},
		{"unlinkat", unix.SYS_UNLINKAT},
		{"clone", unix.SYS_CLONE},
		{"execve", unix.SYS_EXECVE},
		{"wait4", unix.SYS_WAIT4},
		{"exit_group", unix.SYS_EXIT_GROUP},
	}
}

// auditArch is the kernel's mark of a system call of the native ABI.
func auditArch() (uint32, error) {
	switch runtime.GOARCH {
	case "amd64":
		return unix.AUDIT_ARCH_X86_64, nil
	case "arm64":
		return unix.AUDIT_ARCH_AARCH64, nil
	case "riscv64":
		return unix.AUDIT_ARCH_RISCV64, nil
	}
	return 0, fmt.Errorf("seccomp: no filter for %s", runtime.GOARCH)
}

// Offsets into struct seccomp_data of linux/seccomp.h, on a little-endian machine.
const (
	dataNumber  = 0
	dataArch    = 4
	dataArg0Low = 16
	dataArg0Hi  = 20
)

// filter is a BPF program that lets the calls pass and kills the process at any other. Clone passes only as fork, that
// is with SIGCHLD and no flag, on all three architectures its first argument: no threads, no namespaces. The number of an
// x32 call on amd64 has bit 30 set, and so is none of the list.
func filter(calls []call) ([]unix.SockFilter, error) {
	arch, err := auditArch()
	if err != nil {
		return nil, err
	}
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	equal := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: k}
	}
	end := func(action uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
	}

	program := []unix.SockFilter{
		load(dataArch),
		equal(arch, 1, 0),
		end(unix.SECCOMP_RET_KILL_PROCESS),
		load(dataNumber),
	}
	for _, c := range calls { // two instructions a call, so that no jump depends on the length of the list
		if c.number == unix.SYS_CLONE {
			program = append(program,
				equal(c.number, 0, 6),
				load(dataArg0Low),
				equal(uint32(unix.SIGCHLD), 0, 3),
				load(dataArg0Hi),
				equal(0, 0, 1),
				end(unix.SECCOMP_RET_ALLOW),
				end(unix.SECCOMP_RET_KILL_PROCESS))
			continue
		}
		program = append(program, equal(c.number, 0, 1), end(unix.SECCOMP_RET_ALLOW))
	}
	return append(program, end(unix.SECCOMP_RET_KILL_PROCESS)), nil
}
