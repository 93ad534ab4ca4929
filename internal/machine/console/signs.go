// SPDX-License-Identifier: MIT

package console

import (
	"regexp"
	"strings"

	"github.com/rung-build/rung/internal/fault"
)

// stamp is what the kernel begins a line with where printk.time is on: the seconds since it started, and with
// CONFIG_PRINTK_CALLER the thread or processor. Source: print_prefix in kernel/printk/printk.c of Linux.
var stamp = regexp.MustCompile(`\[ *\d+\.\d{6}\](?:\[ *[CT]\d+\])? `)

// sign is how a line begins that tells of a trouble.
type sign struct {
	prefix string
	kind   fault.Kind
	whole  bool // the prefix is part of what is told
}

// signs are looked through in order. Source of the texts: kernel/panic.c, kernel/watchdog.c, mm/oom_kill.c, lib/bug.c,
// arch/x86/kernel/traps.c, arch/x86/mm/fault.c, arch/arm64/mm/fault.c and arch/riscv/mm/fault.c of Linux. A process
// that the limit of a memory group ended ("Memory cgroup out of memory") is none of these: the machine has memory left.
var signs = []sign{
	{"Out of memory: ", fault.OutOfMemory, false},
	{"Out of memory (oom_kill_allocating_task): ", fault.OutOfMemory, false},
	{"Out of memory and no killable processes", fault.OutOfMemory, true},
	{"Kernel panic - not syncing: Out of memory: ", fault.OutOfMemory, false},
	{"Kernel panic - not syncing: System is deadlocked on memory", fault.OutOfMemory, true},
	{"Kernel panic - not syncing: ", fault.Panic, false},
	{"BUG: ", fault.Oops, true},
	{"watchdog: BUG: ", fault.Oops, true},
	{"watchdog: Watchdog detected hard LOCKUP", fault.Oops, true},
	{"NMI watchdog: Watchdog detected hard LOCKUP", fault.Oops, true},
	{"kernel BUG at ", fault.Oops, true},
	{"Oops: ", fault.Oops, true},
	{"Oops - ", fault.Oops, true},
	{"Oops [#", fault.Oops, true},
	{"Internal error: ", fault.Oops, true},
	{"Unable to handle kernel ", fault.Oops, true},
	{"general protection fault", fault.Oops, true},
	{"invalid opcode: ", fault.Oops, true},
	{"divide error: ", fault.Oops, true},
	{"stack segment: ", fault.Oops, true},
	{"double fault: ", fault.Oops, true},
	{"PANIC: double fault", fault.Oops, true},
}

// Lines that begin with one of these say that something starts.
const linuxBanner = "Linux version "

var firmwareBanners = []string{"SeaBIOS (version ", "UEFI firmware (version "}

// reader finds signs in the lines of a console.
type reader struct {
	stamped  bool   // a line with a stamp was seen: what has none is not the kernel's
	linux    bool   // a kernel has started
	firmware bool   // so has firmware
	before   string // the line before
}

// read tells of the trouble that a line shows, nil where it shows none, and whether something starts in it.
func (r *reader) read(line string) (t *Trouble, start bool) {
	defer func() { r.before = line }()
	text, fromKernel := line, !r.stamped
	if at := stamp.FindStringIndex(line); at != nil {
		text, fromKernel, r.stamped = line[at[1]:], true, true
	}
	if hasPrefix(line, firmwareBanners) {
		again := r.firmware || r.linux
		r.firmware = true
		return r.restarted(again), true
	}
	if !fromKernel {
		return nil, false
	}
	if strings.HasPrefix(text, linuxBanner) {
		again := r.linux
		r.linux = true
		return r.restarted(again), true
	}
	for _, s := range signs {
		if rest, ok := strings.CutPrefix(text, s.prefix); ok {
			if s.whole {
				rest = text
			}
			return trouble(s.kind, "%s: %s", s.kind, rest), false
		}
	}
	return nil, false
}

// restarted tells of a start that was not the first: what counts is what came before.
func (r *reader) restarted(again bool) *Trouble {
	if !again {
		return nil
	}
	return trouble(fault.Reboot, "reboot that nobody asked for, after: %s", r.before)
}

func hasPrefix(line string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(line, p) {
			return true
		}
	}
	return false
}
