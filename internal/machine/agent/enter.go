// SPDX-License-Identifier: MIT

package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/machine"
)

// enterWord is the argument of a process that is to become the first program of a guest.
const enterWord = "rung:enter"

// notEntered is the exit status where the first program of a guest could not be started.
const notEntered = 125

// Guest is a root file system in a folder of this host, and its first program. Unlike a job it is run in place: what
// it writes stays.
type Guest struct {
	Dir     string   // absolute: the guest's root
	Argv    []string // its first program, by the path in there
	Env     []string
	Network bool // the guest has the host's network; otherwise none at all
}

// Enter is the first program of a guest as a process of this host: rung's own file, started once more, makes the
// mounts and becomes it. The guest is process 1 in namespaces of its own, in which the user of rung is root; where
// that user is root, there is no namespace of users, so that devices can be made and owners be set. It finds
// machine.Devices in /dev and a procfs in /proc. All mounts are private and end with it; two empty folders stay.
func Enter(g Guest) (*exec.Cmd, error) {
	order, err := json.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("guest %s: %w", g.Dir, err)
	}
	a := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  unix.SIGKILL,
		Setsid:     true, // a Ctrl-C at the terminal is for rung alone
	}
	if !g.Network {
		a.Cloneflags |= unix.CLONE_NEWNET
	}
	if os.Geteuid() != 0 {
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return &exec.Cmd{Path: self, Args: []string{"rung: guest", enterWord, string(order)}, Env: []string{}, Dir: "/",
		SysProcAttr: a}, nil
}

// entering tells whether this process is to become the first program of a guest, and does so: it comes back only where
// that failed.
func entering() (asked bool, err error) {
	if len(os.Args) != 3 || os.Args[1] != enterWord || os.Getpid() != 1 {
		return false, nil
	}
	var g Guest
	if err := json.Unmarshal([]byte(os.Args[2]), &g); err != nil {
		return true, err
	}
	if len(g.Argv) == 0 {
		return true, errors.New("no program")
	}
	unix.Umask(0o022)
	if err := enterGuest(g.Dir); err != nil {
		return true, err
	}
	if err := syscall.Exec(g.Argv[0], g.Argv, g.Env); err != nil {
		return true, fmt.Errorf("%s: %w", g.Argv[0], err)
	}
	return true, nil
}

// enterGuest makes a folder the root, with devices and a procfs.
func enterGuest(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	if err := unix.Mount(dir, dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("binding %s: %w", dir, err)
	}
	dev, proc := filepath.Join(dir, "dev"), filepath.Join(dir, "proc")
	for _, at := range []string{dev, proc} {
		if err := os.Mkdir(at, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		if info, err := os.Lstat(at); err != nil || !info.IsDir() { // a link would lead out of the guest
			return fmt.Errorf("%s: no folder", at)
		}
	}
	if err := unix.Mount("rung", dev, "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "mode=0755,size=1m"); err != nil {
		return fmt.Errorf("mounting a tmpfs: %w", err)
	}
	room := machine.Limits{Output: 4 << 30, Files: 1 << 20} // of /dev/shm
	for _, d := range machine.Devices() {
		if err := makeDevice(filepath.Join(dev, d.Name), d, room); err != nil {
			return fmt.Errorf("/dev/%s: %w", d.Name, err)
		}
	}
	if err := unix.Mount("proc", proc, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting a procfs: %w", err)
	}
	if err := unix.Chdir(dir); err != nil {
		return err
	}
	return changeRoot()
}
