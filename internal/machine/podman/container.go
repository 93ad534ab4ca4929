// SPDX-License-Identifier: MIT

package podman

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/machine/agent"
)

// Limits of each process of a container. The kernel lets nobody raise a limit who has no right to, and podman lowers its
// own for processes to maxProcesses before it starts anything; an agent wants no more of either.
const (
	maxOpenFiles = 1024
	maxProcesses = 32768
)

// capabilities are what an agent needs: it mounts and changes the root (sys_admin), takes the loopback device down
// (net_admin), changes the root of a step (sys_chroot), sees to it that steps have no capability (setpcap), and lays out
// and reads what steps have made without regard to its mode (dac_override).
func capabilities() []string {
	return []string{"dac_override", "net_admin", "setpcap", "sys_admin", "sys_chroot"}
}

// arguments are those of a container's run.
func (m *Machine) arguments(r recipe, name string, files, processes uint64) []string {
	args := []string{
		"run", "--rm", "--interactive", "--name", name, "--label", ownerLabel + "=" + string(m.owner),
		"--pull", "never", "--network", "none", "--ipc", "none", "--workdir", "/",
		"--ulimit", fmt.Sprintf("nofile=%d:%d", files, files), "--ulimit", fmt.Sprintf("nproc=%d:%d", processes, processes),
		"--pids-limit", "-1", // the agent counts
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--security-opt", "label=disable",
		"--no-healthcheck", "--cap-drop", "all",
	}
	for _, c := range capabilities() {
		args = append(args, "--cap-add", c)
	}
	return append(append(append(args, m.own(r.way)...), r.image, "/"+agent.Program), agent.Argv()...)
}

// own are arguments that not both programs know.
func (m *Machine) own(w way) []string {
	if m.options.Docker {
		return []string{"--log-driver", "none"}
	}
	args := []string{"--pid", "private", "--uts", "private", "--no-hosts", "--systemd", "false", "--sdnotify", "ignore"}
	if !w.hostUsers { // what an agent may is then nothing outside of its container
		args = append(args, "--uidmap", "0:0:1", "--gidmap", "0:0:1")
	}
	if w.relay {
		return append(args, "--log-driver", "none")
	}
	return append(args, "--log-driver", "passthrough") // the agent has the pipes themselves
}

// ceiling is the lower of a limit and what this process may have.
func ceiling(resource int, limit uint64) uint64 {
	var now unix.Rlimit
	if err := unix.Getrlimit(resource, &now); err != nil {
		return limit
	}
	return min(limit, now.Max)
}

// container is a container that was started, with the program that waits for it.
type container struct {
	machine *Machine
	way     way
	name    string
	cmd     *exec.Cmd
	session *agent.Session
	wait    func() string
	once    sync.Once
	gone    chan struct{}
	refused error // set by Wait
}

// launch starts a container with an agent in it.
func (m *Machine) launch(r recipe) (*agent.Session, error) {
	name := "rung-" + string(m.owner) + "-" + strconv.FormatInt(m.made.Add(1), 10)
	args := m.arguments(r, name, ceiling(unix.RLIMIT_NOFILE, maxOpenFiles), ceiling(unix.RLIMIT_NPROC, maxProcesses))
	// Not the context of the job: killed, the program would leave the container behind.
	cmd := m.command(context.Background(), r.way, args...)
	s, err := agent.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	c := &container{machine: m, way: r.way, name: name, cmd: cmd, session: s, wait: s.Wait, gone: make(chan struct{})}
	s.PID, s.Network = 0, true // the container's processes are nobody's children; its loopback device is up
	s.Kill, s.Wait, s.Trouble = c.kill, c.await, func() error { return c.refused }
	return s, nil
}

// kill tells the agent to end, by the end of its order's stream, and the container with it. Where that does not do, or
// the program does not notice, the container is removed, and the program killed.
func (c *container) kill() {
	c.once.Do(func() {
		c.session.Order.Close()
		go func() {
			select {
			case <-c.gone:
			case <-time.After(c.machine.grace):
				c.machine.remove(c.way, c.name)
				_ = c.cmd.Process.Kill() // an error says that it has ended
			}
		}()
	})
}

// await waits for the program, which waits for the container. Where it ended otherwise than with the agent's own status,
// there may be a container left.
func (c *container) await() string {
	said := c.wait()
	close(c.gone)
	status := c.cmd.ProcessState.ExitCode()
	if status == 0 || status == 1 {
		return said
	}
	c.machine.remove(c.way, c.name)
	if status >= 125 && status <= 127 { // the program's own: podman-run(1), "Exit Status"
		_, words, _ := strings.Cut(said, ": ")
		c.refused = refusalOf(c.machine.name, words, said)
	}
	return said
}

// remove removes containers, running or not, with a deadline. That there is none is fine, and nobody is left to be told
// of anything else.
func (m *Machine) remove(w way, names ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), m.grace)
	defer cancel()
	args := []string{"rm", "--force"}
	if !m.options.Docker { // docker does not wait
		args = append(args, "--time", "0")
	}
	_, _ = m.ask(ctx, w, nil, append(args, names...)...)
}
