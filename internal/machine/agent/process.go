// SPDX-License-Identifier: MIT

package agent

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// self is the file of the running program, even where it was removed or replaced.
const self = "/proc/self/exe"

// maxComplaint is how much of what a program prints on its standard error is kept, in bytes.
const maxComplaint = 4 << 10

// Argv is the command line of an agent in a program that calls Child, after the program's own name.
func Argv() []string { return []string{word} }

// Self is an agent as a process of this host: rung's own file, started once more. The caller sets its SysProcAttr, which
// has to make a pid and a mount namespace.
func Self(name string) *exec.Cmd {
	return &exec.Cmd{Path: self, Args: append([]string{name}, Argv()...), Env: []string{}, Dir: "/"}
}

// process is a program of this host with an agent on its standard streams.
type process struct {
	cmd   *exec.Cmd
	ended chan error    // gets one value: what Wait gave
	stop  chan struct{} // closed by wait: nobody reads any more
	said  bytes.Buffer  // standard error; to be read after ended
}

// Start starts a program whose standard streams lead to an agent, as far as this host is concerned a single process: when
// it ends, everything below it has to end as well.
func Start(cmd *exec.Cmd) (*Session, error) {
	p := &process{cmd: cmd, ended: make(chan error, 1), stop: make(chan struct{})}
	cmd.Stderr = &limited{&p.said}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := make(chan error)
	go p.live(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return &Session{
		Order: in, Reports: bufio.NewReaderSize(out, 1<<16), PID: cmd.Process.Pid,
		Kill: func() { _ = cmd.Process.Kill() }, // an error says that it has ended
		Wait: p.wait,
	}, nil
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
	p.ended <- p.cmd.Wait()
}

// wait waits until the process is gone, and says how it ended.
func (p *process) wait() string {
	close(p.stop)
	err := <-p.ended
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "exit status 0"
	case p.said.Len() > 0:
		return fmt.Sprintf("%v: %s", err, bytes.TrimSpace(p.said.Bytes()))
	case errors.As(err, &exit):
		return exit.String()
	}
	return err.Error()
}

// limited keeps the first bytes written to it.
type limited struct{ kept *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.kept.Write(p[:min(len(p), maxComplaint-l.kept.Len())])
	return len(p), nil
}

// KernelRelease is the release of this host's kernel, for the ledger: "6.12.1".
func KernelRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(name.Release[:])
}
