// SPDX-License-Identifier: MIT

package qemu

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxSaid is how much of what QEMU prints on its standard error is kept, in bytes.
const maxSaid = 4 << 10

// endTime is how long a process that was killed may take to end. The kernel ends it at once, unless it is stuck in a
// call to a broken driver: then nobody can end it, and nobody waits for it.
const endTime = 5 * time.Second

// process is a QEMU that was started. It ends with rung, whatever ends rung.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
	err   error         // what Wait gave; to be read after ended
	said  bytes.Buffer  // standard error; to be read after ended
}

// firstFile is the number that the first of the files has in a process that start starts.
const firstFile = 3

// start starts a program with files open, whose numbers go on from firstFile, and closes them here.
func start(program string, args, env []string, files ...*os.File) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir, p.cmd.ExtraFiles = env, "/", files
	if env == nil {
		p.cmd.Env = []string{}
	}
	p.cmd.Stderr = &limited{&p.said}
	p.cmd.WaitDelay = time.Second // whoever else holds the standard error open
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL, Setsid: true}
	started := make(chan error)
	go p.live(started)
	err := <-started
	for _, f := range files {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	return p, nil
}

// live starts the process and waits for its end, on one thread: the kernel takes the end of the thread that started a
// process for the death of its parent.
func (p *process) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// kill ends the process, soon. It may be called at any time, by anyone, more than once.
func (p *process) kill() { _ = p.cmd.Process.Kill() } // an error says that it has ended

// wait waits until a process that was killed, or ends by itself, is gone, and says how it ended. A process that cannot be
// ended is an error.
func (p *process) wait() (string, error) {
	select {
	case <-p.ended:
	case <-time.After(endTime):
		return "", fmt.Errorf("process %d: killed %v ago, and still there: it is stuck in the kernel", p.cmd.Process.Pid, endTime)
	}
	how := p.cmd.ProcessState.String()
	if said := bytes.TrimSpace(p.said.Bytes()); len(said) > 0 {
		how += ": " + string(said)
	}
	return how, nil
}

// limited keeps the first bytes written to it.
type limited struct{ kept *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.kept.Write(p[:min(len(p), maxSaid-l.kept.Len())])
	return len(p), nil
}

// pair makes the two ends of a connection, of which theirs is for a process to inherit.
func pair(name string) (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: socketpair: %w", name, err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil { // so that closing our end ends a call that waits in it
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", name, err), unix.Close(fds[0]), unix.Close(fds[1]))
	}
	return os.NewFile(uintptr(fds[0]), name), os.NewFile(uintptr(fds[1]), name), nil
}

// oneWay makes the two ends of a connection that a process only writes to. A UART sends a byte at a time, for which a pipe
// is twice as fast as a socket; all of a kernel's start is a tenth faster by it.
func oneWay(name string) (ours, theirs *os.File, err error) {
	ours, theirs, err = os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return ours, theirs, nil
}

// unnamed makes a file in a folder that is in no folder any more, so that nothing can leave it behind.
func unnamed(folder string) (*os.File, error) {
	f, err := os.CreateTemp(folder, "rung-qemu-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
