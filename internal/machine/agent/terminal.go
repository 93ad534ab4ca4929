// SPDX-License-Identifier: MIT

package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/shell"
	"github.com/rung-build/rung/internal/machine/walk"
)

// Why is one line for a person who gets a shell: "step 3 failed: exit status 1".
func Why(job machine.Job, f *machine.Failure) string {
	if f.Step >= len(job.Steps) {
		return "after the last step: " + f.Detail
	}
	return fmt.Sprintf("step %d failed: %s", f.Step+1, f.Detail)
}

// shell lets a person in: what they type goes to the agent until it has more to say than what its shell prints.
func (t *talk) shell(ctx context.Context) error {
	if t.terminal == nil {
		return errors.New("agent: a shell that nobody asked for")
	}
	t.course.Hold()
	select {
	case <-t.fed:
	case <-ctx.Done():
		return ctx.Err()
	}
	go t.typed() // it waits for the person, and so may outlive the job by a line
	return nil
}

// typed sends what is typed, and its end.
func (t *talk) typed() {
	buf := make([]byte, maxOutput)
	for {
		n, err := t.terminal.In.Read(buf)
		if n > 0 && t.input(buf[:n]) != nil {
			return
		}
		if err != nil {
			_ = t.input(nil) // the agent may be gone
			return
		}
	}
}

func (t *talk) input(p []byte) error {
	if err := send(t.session.Order, report{Kind: kindInput, Size: int64(len(p))}); err != nil {
		return err
	}
	_, err := t.session.Order.Write(p)
	return err
}

// shell runs a shell for the person at the other end, where there is to be one, at the first failure.
func (c *child) shell(f *machine.Failure) {
	if !c.order.Shell {
		return
	}
	c.person.Do(func() {
		over := make(chan struct{})
		go func() {
			defer close(over)
			runtime.LockOSThread() // and never unlocked: what the shell starts is confined as a step is
			if err := errors.Join(confineThread(), c.runShell(f)); err != nil {
				_ = c.print([]byte(err.Error() + "\n")) // rung may be gone
			}
		}()
		<-over
	})
}

func (c *child) runShell(f *machine.Failure) error {
	if err := c.send(report{Kind: kindShell, Step: f.Step}, nil); err != nil {
		return err
	}
	in, typed := io.Pipe()
	go func() { typed.CloseWithError(c.hear(typed)) }()
	job := machine.Job{Name: c.order.Name, Steps: c.order.Steps}
	return shell.Run(context.Background(), shell.Options{
		Root: jobDir, Name: c.order.Name, Why: Why(job, f), Steps: Lines(job), Step: f.Step, Env: c.order.Env,
		In: in, Out: printer{c}, Start: c.startForPerson,
	})
}

// Lines are the command lines of a job, for a shell.
func Lines(job machine.Job) [][]string {
	lines := make([][]string, len(job.Steps))
	for i, s := range job.Steps {
		lines[i] = s.Argv
	}
	return lines
}

// hear passes on what is typed; nil is its end.
func (c *child) hear(to io.Writer) error {
	for {
		var m report
		if err := receive(c.typed, &m, maxReport); err != nil {
			return err
		}
		if m.Kind != kindInput || m.Size < 0 || m.Size > maxOutput {
			return fmt.Errorf("report %q of %d bytes where something is typed", m.Kind, m.Size)
		}
		if m.Size == 0 {
			return nil
		}
		if _, err := io.CopyN(to, c.typed, m.Size); err != nil {
			return err
		}
	}
}

// printer is where the shell prints.
type printer struct{ c *child }

func (p printer) Write(b []byte) (int, error) { return len(b), p.c.print(b) }

func (c *child) print(b []byte) error {
	return c.send(report{Kind: kindPrint, Size: int64(len(b))}, bytes.NewReader(b))
}

// startForPerson is a shell.Start: the program has the walls of a step, but for the set of system calls of a job that has
// one, for who looks around may want more.
func (c *child) startForPerson(ctx context.Context, argv, env []string, dir string, stdin io.Reader, out io.Writer) (string, error) {
	p, err := newProgram(jobDir, argv, env, nil)
	if err != nil {
		return "", err
	}
	if err := p.in(dir, argv[0]); err != nil {
		return "", err
	}
	in, feed, err := os.Pipe()
	if err != nil {
		return "", err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return "", errors.Join(err, in.Close(), feed.Close())
	}
	pid, err := p.start(in, w)
	if err := errors.Join(err, in.Close(), w.Close()); err != nil {
		return "", errors.Join(err, feed.Close(), r.Close())
	}
	var streams sync.WaitGroup
	streams.Go(func() {
		if stdin != nil {
			_, _ = io.Copy(feed, stdin) // the program need not read it
		}
		feed.Close()
	})
	streams.Go(func() {
		_, _ = io.Copy(out, r)
		r.Close()
	})
	stop := context.AfterFunc(ctx, killAll)
	defer stop()
	ended, err := wait(pid)
	killAll() // what it left behind
	streams.Wait()
	return status(ended), err
}

// wait waits for a process.
func wait(pid int) (walk.Ended, error) {
	var status syscall.WaitStatus
	var usage syscall.Rusage
	_, err := syscall.Wait4(pid, &status, 0, &usage)
	for err == syscall.EINTR {
		_, err = syscall.Wait4(pid, &status, 0, &usage)
	}
	if err != nil {
		return walk.Ended{}, fmt.Errorf("wait4: %w", err)
	}
	return walk.EndedOf(status, usage), nil
}

// status is how a program ended, for people.
func status(e walk.Ended) string {
	if e.Signal != "" {
		return e.Signal
	}
	return fmt.Sprintf("exit status %d", e.Exit)
}
