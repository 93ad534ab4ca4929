// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/live/guest"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/qemu"
	"github.com/rung-build/rung/internal/machine/walk"
)

// liveHost starts the programs of a run on this host.
type liveHost struct {
	state   string   // a folder for what was found out of KVM; "" for nowhere
	accel   string   // that is asked for; "" for what works
	display []string // the environment by which a program reaches a display
	in      *os.File // where a person sits; nil for nobody
	out     *os.File
}

func (h *liveHost) Now() time.Time { return time.Now() }

// Ask runs a program to its end.
func (h *liveHost) Ask(ctx context.Context, argv ...string) (string, error) {
	name, err := findTool(argv[0])
	if err != nil {
		return "", fault.New(fault.Unavailable, "%w", err)
	}
	out, err := exec.CommandContext(ctx, name, argv[1:]...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", argv[0], err)
	}
	return string(out), nil
}

// Accelerator tells whether KVM works, by a guest of a few instructions.
func (h *liveHost) Accelerator(ctx context.Context, program string) (kvm bool, why string, err error) {
	name, err := findTool(program)
	if err != nil {
		return false, "", fault.New(fault.Unavailable, "%w", err).
			WithHint("install QEMU for x86, or name its program with --qemu-cmd")
	}
	accel, why, err := qemu.Accelerator(ctx, h.accel, name, h.state)
	return accel == "kvm", why, err
}

// liveProcess is a program of a run.
type liveProcess struct {
	cmd     *exec.Cmd
	monitor *qemu.Monitor
	done    chan struct{}
	exit    guest.Exit
	said    lastBytes
	host    bool // it is in no namespace of its own
}

// Start starts a program.
func (h *liveHost) Start(ctx context.Context, p live.Process, console io.Writer) (live.Running, error) {
	cmd, err := h.command(p)
	if err != nil {
		return nil, err
	}
	is := &liveProcess{cmd: cmd, done: make(chan struct{}), host: p.Root == ""}
	console = io.MultiWriter(console, &is.said)
	var ours, theirs *os.File
	if p.Monitor {
		if ours, theirs, err = qemu.Connection(); err != nil {
			return nil, err
		}
		cmd.ExtraFiles = []*os.File{theirs}
	}
	if p.Terminal && h.in != nil {
		err = is.startAtTerminal(h.in, h.out, console)
	} else {
		cmd.Stdout, cmd.Stderr = console, console // one and the same: os/exec gives both one pipe
		err = is.start(func() error { return cmd.Wait() })
	}
	if theirs != nil {
		theirs.Close()
	}
	if err != nil {
		if ours != nil {
			ours.Close()
		}
		return nil, startFault(p, err)
	}
	if !p.Monitor {
		return is, nil
	}
	is.monitor, err = qemu.OpenMonitor(ctx, ours)
	if err != nil {
		is.Kill()
		<-is.done
		return nil, fault.New(fault.Unavailable, "%s: %s", p.Argv[0], cmpText(is.said.line(), err.Error())).
			WithHint("run it by hand with the command line of rung live plan")
	}
	go func() {
		<-is.done
		_ = is.monitor.Close() // QEMU has ended
	}()
	return is, nil
}

func cmpText(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// startFault gives a failure to start its hint.
func startFault(p live.Process, err error) error {
	hint := "install it, or name it with a flag"
	if p.Root != "" {
		hint = "the kernel or a container forbids namespaces: rung doctor tells why; run it as root, or use --bwrap"
	}
	return fault.New(fault.Unavailable, "starting %s: %w", p.Argv[0], err).WithHint("%s", hint)
}

// command makes the command of a process.
func (h *liveHost) command(p live.Process) (*exec.Cmd, error) {
	if p.Root != "" {
		return agent.Enter(agent.Guest{Dir: p.Root, Argv: p.Argv, Env: p.Env, Network: p.Network})
	}
	name, err := findTool(p.Argv[0])
	if err != nil {
		return nil, fault.New(fault.Unavailable, "%w", err).WithHint("install it")
	}
	args := slices.Clone(p.Argv)
	if p.Monitor {
		args = append(args, qemu.MonitorArgs(3)...) // the first of ExtraFiles
	}
	cmd := &exec.Cmd{Path: name, Args: args, Env: p.Env}
	if cmd.Env == nil {
		cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, h.display...)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL, Setsid: true}
	return cmd, nil
}

// start starts the process and waits for its end, on one thread: the kernel takes the end of the thread that started a
// process for the death of its parent.
func (is *liveProcess) start(wait func() error) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := is.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		is.ended(wait())
	}()
	return <-started
}

// ended takes down how the process ended.
func (is *liveProcess) ended(err error) {
	is.exit = guest.Exit{Text: "exit status 0"}
	if state := is.cmd.ProcessState; state != nil {
		is.exit.Status, is.exit.Text = state.ExitCode(), state.String()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && is.exit.Status == 0 {
		is.exit.Status, is.exit.Text = -1, err.Error()
	}
	if line := is.said.line(); line != "" && is.exit.Status != 0 {
		is.exit.Text += ": " + line
	}
	close(is.done)
}

// Monitor is the control connection of a QEMU.
func (is *liveProcess) Monitor() live.Monitor {
	if is.monitor == nil {
		return nil
	}
	return is.monitor
}

// Kill ends the process and what it has started: as process 1 of a namespace all of it, otherwise what is still below
// it.
func (is *liveProcess) Kill() {
	pid := is.cmd.Process.Pid
	var below []int
	if is.host {
		below = walk.Descendants(walk.HostProc(), pid)
	}
	_ = is.cmd.Process.Kill() // an error says that it has ended
	for _, p := range below {
		_ = unix.Kill(p, unix.SIGKILL)
	}
}

func (is *liveProcess) Done() <-chan struct{} { return is.done }

func (is *liveProcess) Exit() guest.Exit { return is.exit }

// lastBytes keeps the end of what was written to it.
type lastBytes struct {
	mu   sync.Mutex
	kept []byte
}

// maxLast is how much is kept, in bytes.
const maxLast = 2 << 10

func (l *lastBytes) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, p...)
	if over := len(l.kept) - maxLast; over > 0 {
		l.kept = slices.Delete(l.kept, 0, over)
	}
	return len(p), nil
}

// line is the last line that is not empty.
func (l *lastBytes) line() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(l.kept), []byte("\n"))
	return strings.TrimSpace(printable(strings.ToValidUTF8(string(lines[len(lines)-1]), "")))
}
