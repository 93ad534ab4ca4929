// SPDX-License-Identifier: MIT

package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/shell"
)

// shell lets a person in where there is one, at the first failure, unless the job is over already.
func (r *runner) shell(f *machine.Failure) {
	r.mu.Lock()
	over := r.over
	r.mu.Unlock()
	if r.terminal == nil || over {
		return
	}
	r.person.Do(func() {
		r.course.Hold()
		err := shell.Run(r.ctx, shell.Options{
			Root: r.root, Name: r.job.Name, Why: agent.Why(r.job, f), Steps: agent.Lines(r.job), Step: f.Step, Env: r.job.Env,
			In: r.terminal.In, Out: r.terminal.Out, Start: r.startForPerson,
		})
		if err != nil {
			fmt.Fprintln(r.terminal.Out, err)
		}
	})
}

// startForPerson is a shell.Start.
func (r *runner) startForPerson(ctx context.Context, argv, env []string, dir string, stdin io.Reader, out io.Writer) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(r.root, argv[0]))
	cmd.Args, cmd.Env, cmd.Dir = argv, append([]string{}, env...), filepath.Join(r.root, dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	cmd.WaitDelay = lateOutput
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", err
	}
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // what it left behind
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return unix.SignalName(status.Signal()), nil
	}
	return fmt.Sprintf("exit status %d", cmd.ProcessState.ExitCode()), nil
}
