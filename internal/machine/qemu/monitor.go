// SPDX-License-Identifier: MIT

package qemu

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/rung-build/rung/internal/fault"
)

// Accelerator is what runs the instructions of guests of a QEMU, "kvm" or "tcg", and in a sentence why that one: the
// one that is asked for, or else KVM where a guest of a few instructions has run with it. The folder is as
// Options.State.
func Accelerator(ctx context.Context, asked, program, folder string) (name, why string, err error) {
	version, err := versionOf(ctx, program)
	if err != nil {
		return "", "", err
	}
	a, err := chooseAccel(ctx, asked, program, version, folder)
	return a.name, a.why, err
}

// Monitor is the control connection of a QEMU that a caller has started by itself, with the arguments that
// MonitorArgs gives. Make one with OpenMonitor.
type Monitor struct {
	m     *monitor
	ended chan string
}

// MonitorArgs are the arguments by which QEMU has a monitor on a connection that it inherits by number, stays when its
// guest has ended, and does not start the guest before it is told to.
func MonitorArgs(number int) []string {
	return []string{"-S", "-no-shutdown", "-chardev", connection("monitor", number), "-mon",
		"chardev=monitor,mode=control"}
}

// Connection makes the two ends of a connection, of which theirs is for a QEMU to inherit.
func Connection() (ours, theirs *os.File, err error) { return pair("monitor") }

// OpenMonitor hears QEMU's greeting. Close has to be called.
func OpenMonitor(ctx context.Context, stream io.ReadWriteCloser) (*Monitor, error) {
	m := &Monitor{ended: make(chan string, 1)}
	var err error
	m.m, err = openMonitor(ctx, stream, func(e event) {
		if e.Name != "SHUTDOWN" {
			return
		}
		reason, _ := e.Data["reason"].(string)
		select {
		case m.ended <- reason:
		default: // the first counts
		}
	})
	if err != nil {
		return nil, fault.New(fault.Unavailable, "qemu: %w", err)
	}
	return m, nil
}

// Ended gets one value when the guest has ended, by QEMU's word for the reason: "guest-shutdown", "guest-reset".
func (m *Monitor) Ended() <-chan string { return m.ended }

// Continue lets the guest run.
func (m *Monitor) Continue(ctx context.Context) error { return m.do(ctx, "cont", nil) }

// Quit ends QEMU.
func (m *Monitor) Quit(ctx context.Context) error { return m.do(ctx, "quit", nil) }

// Close ends the connection.
func (m *Monitor) Close() error { return m.m.close() }

// Overlay puts a new file, in the format qcow2, between a drive and its image: from now on writes go there. The drive
// is named as QEMU names those that have no name: "ide0-hd0" for the first.
func (m *Monitor) Overlay(ctx context.Context, drive, file string) error {
	return m.do(ctx, "blockdev-snapshot-sync", map[string]any{"device": drive, "snapshot-file": file, "format": "qcow2"})
}

// Save keeps the guest as it is, memory and all, in the first overlay, by a name; a guest that is started with -loadvm
// NAME goes on from there. It stops the guest meanwhile. All its drives have to have overlays.
func (m *Monitor) Save(ctx context.Context, name string) error { return m.human(ctx, "savevm "+name) }

// Forget removes what Save kept.
func (m *Monitor) Forget(ctx context.Context, name string) error { return m.human(ctx, "delvm "+name) }

// Commit writes what overlays hold into the images below them. The guest has to have ended.
func (m *Monitor) Commit(ctx context.Context) error { return m.human(ctx, "commit all") }

func (m *Monitor) do(ctx context.Context, command string, arguments any) error {
	if err := m.m.execute(ctx, command, arguments, nil); err != nil {
		return fault.New(fault.Unavailable, "qemu: %w", err)
	}
	return nil
}

// human runs a command that QMP has no equal of in every version. It says nothing where all is well.
func (m *Monitor) human(ctx context.Context, command string) error {
	var said string
	err := m.m.execute(ctx, "human-monitor-command", map[string]any{"command-line": command}, &said)
	if said = strings.TrimSpace(said); err == nil && said != "" {
		err = errors.New(said)
	}
	if err != nil {
		return fault.New(fault.Unavailable, "qemu: %s: %w", command, err)
	}
	return nil
}
