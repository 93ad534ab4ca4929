// SPDX-License-Identifier: MIT

package host

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/walk"
)

// lateOutput is how long a step that ended may keep its report waiting because a process it left behind still holds its
// output open.
const lateOutput = 50 * time.Millisecond

// runner is one job as it runs.
type runner struct {
	ctx    context.Context // of the job
	job    machine.Job
	root   string // the directory that is the root of the job's tree
	wide   int
	course *walk.Course

	terminal *agent.Terminal // nil where nobody wants a shell
	person   sync.Once       // lets a person in
	base     used            // what root held before the first step

	mu   sync.Mutex
	pids map[int]bool // protected by mu: of the steps that run, each the leader of a process group
	over bool         // protected by mu: no step is to be started any more
	err  error        // protected by mu: why the job cannot be run
}

// walk runs the steps. What went wrong with a step is the course's to know.
func (r *runner) walk(ctx context.Context) error {
	stop := context.AfterFunc(ctx, r.kill)
	defer stop()
	guarded, unguard := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		walk.Guard{
			Proc: walk.HostProc(), Limits: r.job.Limits, Processes: r.processes, Own: walk.RunsFile("/proc/self/exe"),
			Fail: r.course.Fail,
		}.Run(guarded)
	}()
	w := walk.Walker{
		Wide:   r.wide,
		Enter:  func() error { runtime.LockOSThread(); return nil }, // whose end the kernel takes for that of rung
		Step:   func(i int, _ bool) bool { return r.step(i) },
		Stop:   r.kill,
		Settle: func() {},
	}
	_, err := w.Walk(r.job.Steps)
	unguard()
	<-done
	return errors.Join(err, r.err)
}

// processes are the steps that run, and all below them.
func (r *runner) processes() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []int
	proc := walk.HostProc()
	for pid := range r.pids {
		all = append(append(all, pid), walk.Descendants(proc, pid)...)
	}
	return all
}

// kill ends the steps that run and lets no other start.
func (r *runner) kill() {
	family := r.processes()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for pid := range r.pids {
		_ = unix.Kill(-pid, unix.SIGKILL) // an error says that it has ended
	}
	for _, pid := range family {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

// start starts a step, unless the job is over.
func (r *runner) start(cmd *exec.Cmd) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false, nil
	}
	if err := cmd.Start(); err != nil {
		return true, err
	}
	r.pids[cmd.Process.Pid] = true
	return true, nil
}

func (r *runner) step(i int) bool {
	s := r.job.Steps[i]
	r.course.Start(i)
	cmd := &exec.Cmd{
		Path: filepath.Join(r.root, s.Argv[0]), Args: s.Argv, Env: append([]string{}, r.job.Env...), Dir: r.root,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL},
		WaitDelay:   lateOutput,
	}
	out := printer{r.course, i}
	cmd.Stdout, cmd.Stderr = out, out
	if started, err := r.start(cmd); !started {
		return false
	} else if err != nil {
		var why *fs.PathError
		if errors.As(err, &why) {
			err = why.Err
		}
		f := walk.NotStarted(i, s.Argv[0], err)
		r.shell(f)
		r.course.End(i, walk.Ended{Exit: -1}, f)
		return false
	}
	_ = cmd.Wait() // what ended the step is in its state
	r.mu.Lock()
	delete(r.pids, cmd.Process.Pid)
	r.mu.Unlock()
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // what it left behind
	return r.verdict(i, cmd)
}

func (r *runner) verdict(i int, cmd *exec.Cmd) bool {
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	usage, also := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil || !ok || !also {
		return r.fault(errors.Join(err, errors.New("no status of a process")))
	}
	e := walk.EndedOf(status, *usage)
	e.Floor = own.Maxrss << 10
	if last := i == len(r.job.Steps)-1; last || r.job.Steps[i].Group == 0 || r.job.Steps[i].Group != r.job.Steps[i+1].Group {
		now, err := measure(r.root)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // steps of the group may still be at work
			return r.fault(err)
		}
		e.Bytes, e.Files = now.bytes-r.base.bytes, now.files-r.base.files
	}
	failure := walk.Judge(i, e, r.job.Limits, machine.CallsAny)
	if failure != nil {
		r.shell(failure)
	}
	r.course.End(i, e, failure)
	return failure == nil
}

// fault notes that the job cannot be run, and ends the walk.
func (r *runner) fault(err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, err)
	return false
}

// printer passes on what a step prints.
type printer struct {
	course *walk.Course
	step   int
}

func (p printer) Write(b []byte) (int, error) {
	p.course.Output(p.step, append([]byte(nil), b...))
	return len(b), nil
}
