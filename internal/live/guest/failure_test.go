// SPDX-License-Identifier: MIT

package guest_test

import (
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/guest"
)

// failing is a console that ends in a failure.
type failing struct {
	config string
	change func(*guest.Options)
	lines  []string
	exit   guest.Exit
	kind   fault.Kind
	text   string // is in the text
	cause  string // is in the cause
	step   int
}

func failures() map[string]failing {
	begun := append(kaem("tools-1.0"), "bash-0.1: beginning build using script pass1.sh")
	one, off := guest.Exit{Status: 1, Text: "exit status 1"}, guest.Exit{Status: 1, Text: "QEMU: guest-reset"}
	with := func(lines ...string) []string { return append(append([]string(nil), begun...), lines...) }
	return map[string]failing{
		"kaem gives up": {change: inChroot, lines: append(kaem("cc-0.1")[:4], " +> cc -c a.c ", "Subprocess error 1",
			"ABORTING HARD",
			"Subprocess error 1", "ABORTING HARD"), exit: one, kind: fault.BuildFailed,
			text: "cc-0.1 pass 1: kaem gave up: cc -c a.c", step: 1},
		"kaem finds no program": {change: inChroot, lines: append(kaem("cc-0.1")[:4], "WHILE EXECUTING nocc NOT FOUND!",
			"ABORTING HARD"),
			exit: one, kind: fault.BuildFailed, text: "found no program nocc", step: 1},
		"a seed's checksum": {change: inChroot, lines: []string{" +> ./x86/bin/sha256sum -c x86.answers ",
			"x86/bin/M1: FAILED", "Wanted:   1",
			"Subprocess error 1", "ABORTING HARD"}, exit: one, kind: fault.Mismatch, text: "stage0: x86/bin/M1 differs",
			cause: "submodule", step: -1},
		"a kaem package's checksum": {change: inChroot, lines: append(kaem("cc-0.1")[:4], "/usr/bin/cc: FAILED",
			"Subprocess error 1",
			"ABORTING HARD"), exit: one, kind: fault.Mismatch, text: "cc-0.1 pass 1: /usr/bin/cc differs",
			cause: "not the same", step: 1},
		"a kaem package's distfile": {change: inChroot, lines: append(kaem("cc-0.1")[:4],
			"/external/distfiles/cc.tar.gz: No such file or directory",
			"Subprocess error 1", "ABORTING HARD"), exit: one, kind: fault.NotFound,
			text: "the distfile cc.tar.gz is not there", step: 1},
		"a package's checksum": {change: inChroot, lines: with("bash-0.1: checksumming created package.",
			"bash-0.1_0.tar.bz2: FAILED"),
			exit: one, kind: fault.Mismatch, text: "the package bash-0.1_0.tar.bz2 differs", cause: "not the same", step: 2},
		"no checksum": {change: inChroot, lines: with("bash-0.1: no checksum stored!"), exit: one, kind: fault.Mismatch,
			text: "no checksum of bash-0.1", step: 2},
		"a distfile's checksum": {change: inChroot, lines: with("bash-0.1: getting sources.", "b.tar: FAILED"), exit: one,
			kind: fault.Mismatch, text: "the distfile b.tar differs", cause: "mirror", step: 2},
		"a download": {change: inChroot, lines: with("bash-0.1: getting sources.", "http://m/b.tar",
			"curl: (22) The requested URL returned error: 404",
			"b.tar does not exist!"), exit: one, kind: fault.Unavailable, text: "b.tar could not be downloaded", cause: "404",
			step: 2},
		"no network": {lines: with("Timeout reached for internet to become accessible"), exit: off,
			kind: fault.Unavailable, text: "get_network", step: 2},
		"no disk": {lines: with("Timeout reached for disk to become accessible"), exit: off, kind: fault.Unavailable,
			text: "no disk appeared", step: 2},
		"no space in a chroot": {change: inChroot, lines: with("cp: write error: No space left on device"), exit: one,
			kind: fault.Limit,
			text: "target's file system", step: 2},
		"no space in a guest": {lines: with("cp: write error: No space left on device"), exit: off, kind: fault.Limit,
			text: "guest's disk", step: 2},
		"a kernel panic": {lines: with("[    1.000000] Linux version 4.14",
			"[    2.000000] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"),
			exit: off, kind: fault.Panic, text: "Unable to mount root", cause: "driver", step: 2},
		"a script that ends": {lines: with("make: *** [all] Error 2",
			"[    2.000000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000200"),
			exit: off, kind: fault.BuildFailed, text: "bash-0.1 pass 1: make: *** [all] Error 2", step: 2},
		"out of memory": {lines: with("[    2.000000] Out of memory: Kill process 5 (cc1)"), exit: off,
			kind: fault.OutOfMemory, cause: "memory is full", step: 2},
		"Fiwix": {config: kernels, lines: append(kaem("cc-0.1"), " +> kaem --file /steps/jump/fiwix.sh ",
			"PANIC: in kmalloc()"), exit: off, kind: fault.Panic, text: "jump fiwix: Fiwix gave up", step: 2},
		"builder-hex0": {config: kernels, lines: append(kaem("cc-0.1"), "Build finished.", "ERROR: no hda writes!"),
			exit: off,
			kind: fault.BuildFailed, text: "before it started Fiwix", step: 1},
		"nothing to boot": {lines: []string{"SeaBIOS (version 1)", "Booting from Hard Disk...",
			"Boot failed: not a bootable disk", "No bootable device."},
			exit: off, kind: fault.Unavailable, text: "nothing to boot", step: -1},
		"no reason": {change: inChroot, lines: with("bash-0.1: compiling source.", "cc: a.c:1: error"), exit: one,
			kind: fault.BuildFailed,
			text: "bash-0.1 pass 1: the guest ended with exit status 1", step: 2},
		"no first program": {change: inChroot, exit: guest.Exit{Status: 125, Text: "exit status 125"},
			kind: fault.Unavailable, cause: "did not start", step: -1},
		"an early end": {change: inChroot, lines: with(), kind: fault.EarlyExit, text: "before its last step", step: 2},
		"an early power-off": {lines: with("[    9.000000] reboot: Power down"), kind: fault.EarlyExit,
			text: "before its last step", step: 2},
		"an instruction": {change: inChroot, lines: with("Illegal instruction"), exit: one, kind: fault.BuildFailed,
			cause: "processor", step: 2},
		"no folder": {change: inChroot, lines: with("Cannot cd into build/x!"), exit: one,
			kind: fault.BuildFailed, text: "Cannot cd into build/x", step: 2},
	}
}

// TestWatcherTellsFailuresApart shows that each failure has its message, kind, likely cause and lines.
func TestWatcherTellsFailuresApart(t *testing.T) {
	for name, f := range failures() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, f.config, f.change)
			w.show(f.lines...)
			got := w.End(f.exit).Failure
			if got == nil {
				t.Fatal("End() = no failure")
			}
			if got.Kind != f.kind || !strings.Contains(got.Text, f.text) || !strings.Contains(got.Cause, f.cause) ||
				got.Step != f.step {
				t.Errorf("End() = %v, %q, cause %q, step %d; want %v, %q, cause %q, step %d",
					got.Kind, got.Text, got.Cause, got.Step, f.kind, f.text, f.cause, f.step)
			}
			if got.Hint == "" || fault.HintOf(got.Fault()) != got.Hint || fault.KindOf(got.Fault()) != f.kind {
				t.Errorf("hint %q, as a fault %v with hint %q; want them the same", got.Hint, fault.KindOf(got.Fault()),
					fault.HintOf(got.Fault()))
			}
			if len(f.lines) > 0 && len(got.Lines) == 0 {
				t.Error("no lines of the console")
			}
		})
	}
}
