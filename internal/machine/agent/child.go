// SPDX-License-Identifier: MIT

package agent

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/walk"
	"github.com/rung-build/rung/internal/tree"
)

// lateOutput is how long a step of a group that ended may keep its report waiting because a process it left behind still
// holds its output open. The process itself is ended with the group.
const lateOutput = 50 * time.Millisecond

// word is the last argument of a process that is to be an agent.
const word = "rung:agent"

// Child has to be called first thing by main, and by TestMain of each test that runs jobs on a machine with an agent: an
// agent is started from the running program's own file. In the first process of a pid namespace whose last argument says
// so it does an agent's work on its standard streams and gives the status to exit with; in any other process it does
// nothing and ok is false. It also becomes the first program of a guest: see Enter.
func Child() (status int, ok bool) {
	if asked, err := entering(); asked {
		fmt.Fprintf(os.Stderr, "rung: guest: %v\n", err)
		return notEntered, true
	}
	if len(os.Args) != 2 || os.Args[1] != word || os.Getpid() != 1 {
		return 0, false
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	if err := Serve(in, in, os.Stdout); err != nil {
		return 1, true
	}
	return 0, true
}

// Serve does an agent's work in process 1: it reads an order, walks the job, and reports. What a person types comes from
// typed, which may be the same as order; where that is so, its end is the end of the job. The error says that rung is gone.
func Serve(order, typed *bufio.Reader, out io.Writer) error {
	deafen()
	c := &child{reporter: reporter{w: bufio.NewWriterSize(out, 1<<16)}, typed: typed}
	done := make(chan error, 1)
	gone := make(chan error, 1)
	go func() { done <- c.run(order, gone) }()
	end := report{Kind: kindDone}
	select {
	case err := <-gone:
		return err
	case err := <-done:
		if err != nil {
			end = report{Kind: kindFault, Text: err.Error()}
		}
	}
	return c.send(end, nil)
}

// attend passes on what is typed, and waits for the end of in, which rung keeps open for as long as it wants the job: where
// rung was killed, a step that runs for ever prints nothing, and no report of it would tell that nobody listens.
func attend(in *bufio.Reader, gone chan<- error) *bufio.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in)
		gone <- errors.Join(errors.New("rung is gone"), err)
		w.Close()
	}()
	return bufio.NewReader(r)
}

// child is an agent at work.
type child struct {
	reporter
	order  order
	typed  *bufio.Reader
	filter []unix.SockFilter
	null   *os.File
	base   used      // what the tmpfs held before the first step
	person sync.Once // lets a person in
}

func (c *child) run(in *bufio.Reader, gone chan<- error) error {
	if err := receive(in, &c.order, maxOrder); err != nil {
		return fmt.Errorf("reading the job: %w", err)
	}
	if c.order.Place.Network {
		if err := silence(); err != nil {
			return fmt.Errorf("taking down the loopback device: %w", err)
		}
	}
	unguard, err := c.guard()
	if err != nil {
		return err
	}
	defer unguard()
	if err := errors.Join(enterRoot(c.order), confineProcess()); err != nil {
		return err
	}
	if err := c.prepare(in); err != nil {
		return err
	}
	if in == c.typed {
		c.typed = attend(in, gone)
	}
	if err := c.send(report{Kind: kindReady}, nil); err != nil {
		return err
	}
	ok, err := c.walk()
	if err != nil || !ok {
		return err
	}
	err = walk.Gather(jobDir, c.order.Exports, c.export)
	var missing *walk.ExportError
	if errors.As(err, &missing) {
		f := &machine.Failure{Cause: machine.CauseMissing, Step: len(c.order.Steps), Detail: missing.Detail}
		c.shell(f)
		return c.send(report{Kind: kindFail, Failure: f}, nil)
	}
	return err
}

// guard holds the limit on memory from within, where that is asked for: it looks into the procfs of the machine, which
// stays open when the agent lets go of everything else.
func (c *child) guard() (stop func(), err error) {
	if !c.order.Place.Guard {
		return func() {}, nil
	}
	proc, err := os.OpenRoot("/proc")
	if err != nil {
		return nil, fmt.Errorf("looking at processes: %w", err)
	}
	self, err := proc.Readlink("1/exe")
	if err != nil {
		return nil, errors.Join(err, proc.Close())
	}
	guard := walk.Guard{
		Proc: proc.FS(), Limits: c.order.Limits,
		Processes: func() []int { return walk.Descendants(proc.FS(), os.Getpid()) },
		Own: func(pid int) bool {
			exe, err := proc.Readlink(strconv.Itoa(pid) + "/exe")
			return err == nil && exe == self
		},
		Fail: func(f *machine.Failure) {
			_ = c.send(report{Kind: kindFail, Failure: f}, nil) // rung ends the machine, or is gone itself
			killAll()
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		guard.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
		proc.Close()
	}, nil
}

// prepare lays out the inputs and waits for word that they are what they should be.
func (c *child) prepare(in *bufio.Reader) (err error) {
	fill := func(f *os.File, n tree.Node) error {
		_, err := io.CopyN(f, in, n.Content.Size())
		return err
	}
	if err := walk.Place(jobDir, c.order.Nodes, c.order.Exports, fill); err != nil {
		return err
	}
	if err := guardInputs(c.order.Nodes, c.order.Exports); err != nil {
		return err
	}
	if c.base, err = limitRoot(c.order.Limits); err != nil {
		return err
	}
	if c.filter, err = filterOf(c.order.Calls); err != nil {
		return err
	}
	if c.null, err = os.Open(nullFile); err != nil {
		return err
	}
	word, err := in.ReadString('\n')
	if err == nil && word != goLine {
		err = fmt.Errorf("%q instead of %q after the inputs", word, goLine)
	}
	return err
}

func (c *child) walk() (bool, error) {
	w := walk.Walker{
		Wide: c.order.Wide,
		Enter: func() error {
			runtime.LockOSThread() // and never unlocked: a confined thread ends with its goroutine
			return confineThread()
		},
		Step:   c.step,
		Stop:   killAll,
		Settle: func() { killAll(); reapAll() },
	}
	return w.Walk(c.order.Steps)
}

// killAll ends all processes of the namespace but this one. That there is none is fine.
func killAll() { _ = unix.Kill(-1, unix.SIGKILL) }

// reapAll waits for every process that is left, once all steps have been waited for.
func reapAll() {
	for {
		if _, err := unix.Wait4(-1, nil, 0, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// step runs a step and reports it. What the step printed goes out before its end.
func (c *child) step(i int, alone bool) bool {
	if err := c.send(report{Kind: kindStart, Step: i}, nil); err != nil {
		return false
	}
	ended, failure, err := c.runStep(i, alone)
	if err != nil {
		_ = c.send(report{Kind: kindFault, Text: fmt.Sprintf("step %d: %v", i, err)}, nil) // rung may be gone
		return false
	}
	if failure != nil {
		c.shell(failure)
	}
	err = c.send(report{Kind: kindEnd, Step: i, Ended: &ended, Failure: failure}, nil)
	return err == nil && failure == nil
}

func (c *child) runStep(i int, alone bool) (walk.Ended, *machine.Failure, error) {
	s := c.order.Steps[i]
	p, err := newProgram(jobDir, s.Argv, c.order.Env, c.filter)
	if err != nil {
		return walk.Ended{}, nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return walk.Ended{}, nil, err
	}
	pid, err := p.start(c.null, w)
	if err := errors.Join(err, w.Close()); err != nil {
		r.Close()
		return walk.Ended{Exit: -1}, walk.NotStarted(i, s.Argv[0], err), nil
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		defer r.Close()
		c.output(i, r)
	}()
	ended, err := wait(pid)
	if err != nil {
		return walk.Ended{}, nil, err
	}
	if alone { // what the step left behind ends with it, and lets go of the output
		killAll()
		<-drained
	} else {
		select {
		case <-drained:
		case <-time.After(lateOutput):
		}
	}
	return c.verdict(i, ended)
}

func (c *child) verdict(i int, e walk.Ended) (walk.Ended, *machine.Failure, error) {
	now, err := usedRoot()
	if err != nil {
		return walk.Ended{}, nil, err
	}
	e.Bytes, e.Files = now.bytes-c.base.bytes, now.files-c.base.files
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return walk.Ended{}, nil, err
	}
	e.Floor = own.Maxrss << 10
	return e, walk.Judge(i, e, c.order.Limits, c.order.Calls), nil
}

// output passes on what a step prints until nobody can print any more.
func (c *child) output(i int, r io.Reader) {
	buf := make([]byte, maxOutput)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if c.send(report{Kind: kindOutput, Step: i, Size: int64(n)}, bytes.NewReader(buf[:n])) != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *child) export(n tree.Node, f *os.File, size int64) error {
	return c.send(report{Kind: kindExport, Node: &n, Size: size}, f)
}
