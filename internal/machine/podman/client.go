// SPDX-License-Identifier: MIT

package podman

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// maxSaid is how much of what the program prints is kept, in bytes.
const maxSaid = 1 << 20

// refusal is why the program does not do what it was asked for.
type refusal struct{ program, said string }

func (r *refusal) Error() string { return r.program + ": " + r.said }

// refusalOf takes from what a program printed the line that says why: the first that speaks of an error, or else the first
// that is no line of a log. Where there is none, other has to do.
func refusalOf(program, printed, other string) *refusal {
	var first string
	for line := range strings.Lines(printed) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "time=") {
			continue
		}
		if _, why, ok := strings.Cut(line, "Error: "); ok {
			return &refusal{program, why}
		}
		if first == "" {
			first = strings.TrimPrefix(line, program+": ")
		}
	}
	if first == "" {
		first = strings.TrimSpace(printed)
	}
	if first == "" {
		first = other
	}
	return &refusal{program, first}
}

// lookUp tells whether the program is there.
func (m *Machine) lookUp() error {
	if _, err := exec.LookPath(m.options.Program); err != nil {
		return fault.New(fault.Unavailable, "%s: no program %s: %w", m.name, m.options.Program, errors.Unwrap(err)).
			WithHint("install %s, as your system calls it", m.name)
	}
	return nil
}

// command is the program with arguments of ours before those that say what to do.
func (m *Machine) command(ctx context.Context, w way, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.options.Program, append(m.global(w), arguments...)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C at the terminal is for rung alone
	cmd.WaitDelay = time.Second                          // for what it has left behind
	return cmd
}

// global are the arguments before the verb.
func (m *Machine) global(w way) []string {
	if m.options.Docker {
		return nil
	}
	args := []string{"--events-backend", "none"} // a third of the time until a container starts
	if m.options.Dir != "" {
		dir := m.options.Dir
		if w.plainStorage { // the driver of a folder cannot be changed
			dir = filepath.Join(dir, "vfs")
		}
		args = append(args, "--root", filepath.Join(dir, "root"), "--runroot", runFolder(dir, os.Geteuid()))
	}
	if w.plainStorage {
		args = append(args, "--storage-driver", "vfs")
	}
	if w.cgroupfs {
		args = append(args, "--cgroup-manager", "cgroupfs")
	}
	if w.runc {
		args = append(args, "--runtime", "runc")
	}
	return args
}

// maxRunFolder is the longest path that podman takes for the folder of what is running, in bytes: sockets lie in it.
const maxRunFolder = 50

// runFolder is that folder: in dir, or where that is too long, in one that belongs to the user and is gone with a reboot.
func runFolder(dir string, uid int) string {
	if inside := filepath.Join(dir, "run"); len(inside) <= maxRunFolder {
		return inside
	}
	own := "/run"
	if uid != 0 {
		own = fmt.Sprintf("/run/user/%d", uid)
	}
	return filepath.Join(own, "rung-"+digest.Of([]byte(dir)).Hex()[:12])
}

// ask runs the program to its end and gives what it prints.
func (m *Machine) ask(ctx context.Context, w way, in io.Reader, arguments ...string) (string, error) {
	cmd := m.command(ctx, w, arguments...)
	var out, complaint limited
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &complaint
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", fault.New(fault.Unavailable, "%s %s: %w", m.name, arguments[0], ctx.Err()).
			WithHint("%s does not answer; does %q?", m.name, m.name+" info")
	case err != nil && cmd.ProcessState != nil:
		return "", refusalOf(m.name, complaint.kept.String(), err.Error())
	case err != nil:
		return "", fmt.Errorf("%s %s: %w", m.name, arguments[0], err)
	}
	return out.kept.String(), nil
}

// limited keeps the first bytes written to it.
type limited struct{ kept bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.kept.Write(p[:min(len(p), maxSaid-l.kept.Len())])
	return len(p), nil
}

// interrupted is err, or that the context ended.
func (m *Machine) interrupted(ctx context.Context, err error) error {
	if err == nil || fault.KindOf(err) == fault.Interrupted {
		return err
	}
	return fault.New(fault.Interrupted, "%s: %w", m.name, context.Cause(ctx))
}

// hint is what mends a refusal that names one of the texts.
type hint struct {
	says []string // in lower case
	hint string
}

func hints() []hint {
	return []hint{
		{[]string{"cannot connect to the docker daemon", "is the docker daemon running"},
			"start docker's daemon (systemctl start docker, as root), or let DOCKER_HOST name one"},
		{[]string{"docker.sock", "permission denied while trying to connect"},
			"run as root, or as a member of the group docker"},
		{[]string{"mkdir /run/user", "runroot"}, "podman wants a shorter path for the store: --store DIR, or RUNG_STORE"},
		{[]string{"newuidmap", "newgidmap", "subuid", "cannot clone", "cannot re-exec", "user namespace"},
			"podman needs user namespaces here: sysctl -w user.max_user_namespaces=10000 as root, and perhaps the package uidmap"},
		{[]string{"executable file not found", "could not find", "conmon", "no such runtime", "default oci runtime"},
			"install a runtime for containers (crun or runc) and conmon"},
		{[]string{"no space left"}, "make room where images are kept"},
	}
}

// explain gives what the program refused its kind and its hint.
func (m *Machine) explain(err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	f := fault.New(fault.Unavailable, "%w", err)
	for _, h := range hints() {
		if contains(r.said, h.says...) {
			return f.WithHint("%s", h.hint)
		}
	}
	return f.WithHint("see whether %q says more; --machine sandbox needs no program", m.name+" info")
}

// contains tells whether a text has one of some texts in it, in whatever case.
func contains(text string, some ...string) bool {
	text = strings.ToLower(text)
	for _, s := range some {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}
