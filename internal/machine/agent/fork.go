// SPDX-License-Identifier: MIT

package agent

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/machine"
)

// program is what a forked process needs to become a step, every pointer made before the fork.
type program struct {
	dir    *byte // the root directory
	cwd    *byte // the working directory, from there; nil for the root itself
	path   *byte
	argv   []*byte // with nil at the end
	env    []*byte // likewise
	filter *unix.SockFprog
	input  uintptr // descriptors
	output uintptr
	status uintptr // closed by execve; where that fails, the error number is written to it
}

func newProgram(dir string, argv, env []string, filter []unix.SockFilter) (*program, error) {
	p := &program{}
	var err error
	if p.dir, err = unix.BytePtrFromString(dir); err != nil {
		return nil, err
	}
	if p.path, err = unix.BytePtrFromString(argv[0]); err != nil {
		return nil, err
	}
	if p.argv, err = syscall.SlicePtrFromStrings(argv); err != nil {
		return nil, err
	}
	if p.env, err = syscall.SlicePtrFromStrings(env); err != nil {
		return nil, err
	}
	if len(filter) > 0 {
		p.filter = &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	}
	return p, nil
}

// in sets another directory to start in than the root, a path from there. The program is then found from the root still.
func (p *program) in(dir, name string) (err error) {
	if dir == "." {
		return nil
	}
	if p.path, err = unix.BytePtrFromString("/" + name); err != nil {
		return err
	}
	p.cwd, err = unix.BytePtrFromString("/" + dir)
	return err
}

// start forks and runs the program with input as standard input and output as standard output and error. It returns
// when the program runs, or with the error number of the call that failed. The calling thread has to be confined.
func (p *program) start(input, output *os.File) (pid int, err error) {
	// Not os.Pipe: the other end is read once, for a moment, and needs no poller.
	var status [2]int
	if err := unix.Pipe2(status[:], unix.O_CLOEXEC); err != nil {
		return 0, err
	}
	defer unix.Close(status[0])
	p.input, p.output, p.status = input.Fd(), output.Fd(), uintptr(status[1])
	child, errno := p.fork()
	unix.Close(status[1])
	if errno != 0 {
		return 0, fmt.Errorf("fork: %w", errno)
	}
	pid = int(child)
	buf := make([]byte, unsafe.Sizeof(errno))
	n, err := unix.Read(status[0], buf)
	for err == unix.EINTR {
		n, err = unix.Read(status[0], buf)
	}
	if n == 0 && err == nil {
		return pid, nil
	}
	_, _ = unix.Wait4(pid, nil, 0, nil)
	if err != nil {
		return 0, err
	}
	return 0, *(*syscall.Errno)(unsafe.Pointer(&buf[0]))
}

// fork makes a process that becomes the program. The package syscall has no place for a seccomp filter between fork and
// execve, and after the filter even a second program of ours would make calls that it forbids; so the fork is done here.
//
// In the child there is one thread and no Go scheduler. Nothing below may allocate, grow the stack, or be instrumented;
// unlike that of package syscall, the child has a memory of its own, so that no signal of the parent's concerns it.
//
//go:nosplit
//go:norace
//go:nocheckptr
func (p *program) fork() (uintptr, syscall.Errno) {
	pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	_, _, errno = syscall.RawSyscall(syscall.SYS_SETSID, 0, 0, 0)
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(syscall.SYS_CHDIR, uintptr(unsafe.Pointer(p.dir)), 0, 0)
	}
	if errno == 0 { // from a root like this one no process can make a user namespace: user_namespaces(7)
		_, _, errno = syscall.RawSyscall(syscall.SYS_CHROOT, uintptr(unsafe.Pointer(p.dir)), 0, 0)
	}
	if errno == 0 && p.cwd != nil {
		_, _, errno = syscall.RawSyscall(syscall.SYS_CHDIR, uintptr(unsafe.Pointer(p.cwd)), 0, 0)
	}
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(syscall.SYS_DUP3, p.input, 0, 0)
	}
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(syscall.SYS_DUP3, p.output, 1, 0)
	}
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(syscall.SYS_DUP3, p.output, 2, 0)
	}
	if errno == 0 && p.filter != nil {
		_, _, errno = syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(p.filter)))
	}
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(p.path)),
			uintptr(unsafe.Pointer(&p.argv[0])), uintptr(unsafe.Pointer(&p.env[0])))
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, p.status, uintptr(unsafe.Pointer(&errno)), unsafe.Sizeof(errno))
	for {
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 127, 0, 0)
	}
}

// filterOf is the seccomp filter of a set of system calls; nil for machine.CallsAny.
func filterOf(calls machine.Calls) ([]unix.SockFilter, error) {
	switch calls {
	case machine.CallsAny:
		return nil, nil
	case machine.CallsSeed:
		return filter(seedCalls())
	}
	return nil, fmt.Errorf("unknown set of system calls %q", calls)
}
