// SPDX-License-Identifier: MIT

package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
)

// self is the file of the running program, even where it was removed or replaced.
const self = "/proc/self/exe"

// maxComplaint is how much of what the first process of a sandbox prints on its standard error is kept, in bytes.
const maxComplaint = 4 << 10

// process is the first process of a sandbox: when it ends, the kernel ends all others.
type process struct {
	pid   int
	in    io.WriteCloser
	out   *bufio.Reader
	kill  func()               // may be called at any time, by anyone, more than once
	ended chan *exec.ExitError // gets one value, nil for status 0
	stop  chan struct{}        // closed by wait: nobody reads out any more
	cmd   *exec.Cmd            //
	said  bytes.Buffer         // standard error; to be read after ended
}

// launch starts the first process of a sandbox. Where root has no user namespaces, it does without.
func (m *Machine) launch() (*process, error) {
	p, err := launch(!m.noUser.Load())
	if err != nil && !m.noUser.Load() && os.Geteuid() == 0 && !errors.Is(err, unix.ENOENT) {
		if second, secondErr := launch(false); secondErr == nil {
			m.noUser.Store(true)
			return second, nil
		}
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "sandbox: starting a process in namespaces: %w", err).
			WithHint("%s", diagnose(hostFiles(), err))
	}
	return p, nil
}

func launch(user bool) (*process, error) {
	cmd := &exec.Cmd{Path: self, Args: []string{childName}, Env: []string{}, Dir: "/"}
	cmd.SysProcAttr = attributes(user)
	p := &process{cmd: cmd, ended: make(chan *exec.ExitError, 1), stop: make(chan struct{})}
	cmd.Stderr = &limited{&p.said}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReaderSize(out, 1<<16)
	started := make(chan error)
	go p.live(started)
	if err := <-started; err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	p.kill = func() { _ = cmd.Process.Kill() } // an error says that it has ended
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
	<-p.stop
	var exit *exec.ExitError
	errors.As(p.cmd.Wait(), &exit)
	p.ended <- exit
}

// wait waits until the process and all others of its sandbox are gone, and says how it ended.
func (p *process) wait() string {
	close(p.stop)
	exit := <-p.ended
	switch {
	case exit == nil:
		return "exit status 0"
	case p.said.Len() > 0:
		return fmt.Sprintf("%v: %s", exit, bytes.TrimSpace(p.said.Bytes()))
	}
	return exit.String()
}

// attributes are the namespaces of a sandbox. The user of rung is root in them, and nobody else is anybody.
func attributes(user bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS |
			unix.CLONE_NEWCGROUP,
		Pdeathsig: unix.SIGKILL,
		Setsid:    true, // a Ctrl-C at the terminal is for rung alone
	}
	if user {
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return a
}

// limited keeps the first bytes written to it.
type limited struct{ kept *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.kept.Write(p[:min(len(p), maxComplaint-l.kept.Len())])
	return len(p), nil
}
