// SPDX-License-Identifier: MIT

package podman

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ownerLabel is the label of a container that names its owner.
const ownerLabel = "rung.owner"

// owner names a process, for as long as nobody could take another for it: BOOT-NAMESPACE-PID-START, the first eight
// digits of the kernel's boot id, the number of the pid namespace, the process's number there and its time of start in
// clock ticks.
type owner string

// ownerOf is the owner that a process of this pid namespace is; "self" stands for this one.
func ownerOf(pid string) (owner, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	var namespace unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &namespace); err != nil {
		return "", fmt.Errorf("/proc/self/ns/pid: %w", err)
	}
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return "", err
	}
	// The name, in parentheses, may hold anything; the fields after it are numbers, the 20th the start: proc(5).
	number, _, _ := strings.Cut(string(stat), " ")
	fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
	if len(boot) < 8 || len(fields) < 20 {
		return "", fmt.Errorf("/proc/%s/stat: %q", pid, stat)
	}
	return owner(fmt.Sprintf("%s-%d-%s-%s", boot[:8], namespace.Ino, number, fields[19])), nil
}

// isDead tells whether the owner is a process that has ended. Of a process in another pid namespace, or of another host,
// nothing is known; it counts as alive.
func (o owner) isDead(self owner) bool {
	theirs, ours := strings.Split(string(o), "-"), strings.Split(string(self), "-")
	if len(theirs) != 4 || theirs[0] != ours[0] || theirs[1] != ours[1] {
		return false
	}
	now, err := ownerOf(theirs[2])
	return err != nil || now != o
}

// removeLeftovers removes the containers of processes that are dead. An agent ends with rung and a container with its
// agent, but a container that was never started has none.
func (m *Machine) removeLeftovers(ctx context.Context, w way) error {
	list, err := m.ask(ctx, w, nil, "ps", "--all", "--filter", "label="+ownerLabel, "--format", "{{.Names}}")
	if err != nil {
		return err
	}
	var dead []string
	for _, name := range strings.Fields(list) {
		made := strings.TrimPrefix(name, "rung-")
		end := strings.LastIndex(made, "-")
		if end > 0 && owner(made[:end]).isDead(m.owner) {
			dead = append(dead, name)
		}
	}
	if len(dead) > 0 {
		m.remove(w, dead...)
	}
	return nil
}
