// SPDX-License-Identifier: MIT

package podman

import (
	"errors"
	"os/exec"
	"strings"
)

// way is what podman has to be told to work on this host. The zero value is the plain way, which is tried first.
type way struct {
	cgroupfs     bool // no systemd makes cgroups here
	runc         bool // crun, which is there as well, does not do
	plainStorage bool // directories instead of overlays: each container is a copy of the image
	hostUsers    bool // no user namespace: what the agent may, it may in that of podman
	relay        bool // the standard streams go through conmon
}

// String is the way for people: " with cgroupfs, vfs"; "" for the plain one.
func (w way) String() string {
	var words []string
	for _, each := range []struct {
		is   bool
		word string
	}{
		{w.cgroupfs, "cgroupfs"}, {w.runc, "runc"}, {w.plainStorage, "vfs"}, {w.hostUsers, "no user namespace"},
		{w.relay, "relayed streams"},
	} {
		if each.is {
			words = append(words, each.word)
		}
	}
	if words == nil {
		return ""
	}
	return " with " + strings.Join(words, ", ")
}

// recipe is how a container was made.
type recipe struct {
	way   way
	image string
}

// remedy is what to try where podman refuses with one of the texts, in lower case.
type remedy struct {
	says []string
	set  func(*way) *bool
}

// remedies are tried in this order, each once.
func remedies() []remedy {
	return []remedy{
		{[]string{"passthrough"}, func(w *way) *bool { return &w.relay }}, // podman before 4.0, or one that is remote
		// runc: "systemd not running on this host, cannot use systemd cgroups manager"; crun: "sd-bus call: ..."
		{[]string{"systemd", "sd-bus", "dbus", "cgroup"}, func(w *way) *bool { return &w.cgroupfs }},
		// "crun: invalid file system type on '/sys/fs/cgroup/...'" where cgroups are those of both versions
		{[]string{"crun"}, func(w *way) *bool { return &w.runc }},
		// "kernel does not support overlay fs", "'overlay' is not supported over overlayfs"
		{[]string{"overlay"}, func(w *way) *bool { return &w.plainStorage }},
		{[]string{"uid_map", "gid_map", "user namespace", "userns", "idmap"}, func(w *way) *bool { return &w.hostUsers }},
	}
}

// mend changes the way, for as long as the machine is used, where something is known that may mend what podman refused.
func (m *Machine) mend(used recipe, err error) bool {
	var r *refusal
	if m.options.Docker || !errors.As(err, &r) {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.way != used.way { // another job has met the same
		return true
	}
	for _, each := range remedies() {
		flag := each.set(&m.way)
		if *flag || !contains(r.said, each.says...) {
			continue
		}
		if flag == &m.way.runc {
			if _, err := exec.LookPath("runc"); err != nil {
				continue
			}
		}
		*flag, m.ready = true, false
		return true
	}
	return false
}

// lost tells whether the image is not there any more, and has the next container wait for it.
func (m *Machine) lost(err error) bool {
	var r *refusal
	if !errors.As(err, &r) || !contains(r.said, "image not known", "no such image", "unable to find image") {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ready = false
	return true
}
