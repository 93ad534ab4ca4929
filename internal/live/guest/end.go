// SPDX-License-Identifier: MIT

package guest

import (
	"fmt"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/manifest"
)

// Exit is how a guest's process ended.
type Exit struct {
	Status int    // 0 where it ended well
	Text   string // "exit status 1", with what it said
}

// End is what a run came to.
type End struct {
	Failure *Failure // nil of a regular end
	Break   bool     // it stopped where a run under test stops
}

// prompts begin the line of a shell that waits for a person. Source: the script generator, and improve/after.sh.
var prompts = [...]string{"[TRAP]", "[TRAP - use Ctrl+D]"}

// open looks at a line that has not ended: a prompt has no end.
func (w *Watcher) open(line string) {
	for _, p := range prompts {
		if strings.HasPrefix(line, p) && strings.HasSuffix(strings.TrimRight(line, " "), "#") {
			w.prompt = true
		}
	}
}

// kernel watches what kernels say. A jump starts another kernel, and is no trouble.
func (w *Watcher) kernel(line string) {
	if w.o.Chroot || w.fatal != nil {
		return
	}
	if strings.Contains(line, "Linux version ") && w.mayJump() {
		w.watchKernel()
	}
	if strings.HasSuffix(line, "reboot: Power down") || line == "Power down." { // kernel/reboot.c of Linux
		w.marker = true
	}
	if _, err := w.console.Write([]byte(line + "\n")); err != nil {
		return
	}
	t := w.console.Found()
	if t == nil || w.marker {
		return
	}
	f := &Failure{Kind: t.Kind, Text: w.where() + ": " + t.Text, Hint: "look at the lines before it in the console's log"}
	switch {
	case strings.Contains(t.Text, "Attempted to kill init"):
		f.Cause = "the script that process 1 runs has ended: a command in it failed"
	case strings.Contains(t.Text, "Unable to mount root"):
		f.Cause, f.Hint = "the kernel has no driver for the disk or for ext3", "use a kernel with ATA and ext3 built in"
	case t.Kind == fault.OutOfMemory:
		f.Cause, f.Hint = "the guest's memory is full", "give more --qemu-ram, a --swap, or fewer --cores"
	case t.Kind == fault.Reboot:
		f.Cause, f.Hint = "the processor met a fault that nothing handled, or a program rebooted",
			"rung live check tells of limits"
	}
	if t.Kind == fault.Panic && strings.HasSuffix(t.Text, "exitcode=0x00000000") && w.breaks() {
		f.Kind, f.Cause = fault.EarlyExit, breakCause
	}
	w.console.Done()
	fatal := t.Kind != fault.Oops
	if fatal && len(w.suspects) > 0 && f.Cause != breakCause {
		w.fatal = w.suspects[0].Failure // process 1 ended because of it
		return
	}
	w.accuse(f, fatal)
}

// breakCause marks the end of a run under test.
const breakCause = "the run under test stops here"

// mayJump tells whether a kernel may start here: the step that runs is a jump, or one comes before the next package.
func (w *Watcher) mayJump() bool {
	for i := max(w.at, 0); i < len(w.o.Steps); i++ {
		switch s := w.o.Steps[i]; {
		case s.Kind == manifest.Jump && !isBreak(s):
			return true
		case s.Kind == manifest.Build && i > w.at:
			return false
		}
	}
	return w.at < 0
}

// breaks tells whether a break is where the run is.
func (w *Watcher) breaks() bool {
	for i := max(w.at, 0); i < len(w.o.Steps); i++ {
		s := w.o.Steps[i]
		if isBreak(s) {
			return i == w.at || w.finished || w.at < 0 || w.o.Steps[w.at].Kind != manifest.Build
		}
		if s.Kind == manifest.Build && i > w.at {
			return false
		}
	}
	return false
}

// End says what the run came to, when the guest has ended by itself.
func (w *Watcher) End(e Exit) End {
	now := w.o.Now()
	if rest := w.lines.rest(); rest != "" {
		w.line(rest, now)
	}
	defer w.console.Done()
	switch {
	case w.fatal != nil && w.fatal.Cause == breakCause,
		w.fatal == nil && e.Status == 0 && w.breaks() && (w.o.Chroot || w.marker):
		return End{Break: true}
	case w.fatal != nil:
		return End{Failure: w.fatal}
	case e.Status == 0 && (w.o.Chroot || w.marker) && w.complete():
		w.finish(now)
		w.phase = PhaseDone
		return End{}
	case len(w.suspects) > 0:
		return End{Failure: w.suspects[0].Failure}
	case w.o.Chroot && e.Status != 0:
		f := &Failure{Kind: fault.BuildFailed, Text: fmt.Sprintf("%s: the guest ended with %s", w.where(), e.Text),
			Cause: "a command of the step failed", Hint: "look at the last lines of the console's log"}
		if w.at < 0 && w.phase == PhaseSeed && len(w.recent) == 0 {
			f.Kind, f.Cause = fault.Unavailable, "the first program of the guest did not start"
			f.Hint = "this kernel has to run programs of the guest's architecture"
		}
		return w.because(f)
	}
	f := &Failure{Kind: fault.EarlyExit, Text: fmt.Sprintf("%s: the guest ended before its last step: %s", w.where(),
		e.Text),
		Hint: "look at the last lines of the console's log"}
	if !w.o.Chroot {
		f.Cause = "the guest powered off or started again, or the emulator gave up"
	}
	return w.because(f)
}

func (w *Watcher) because(f *Failure) End {
	w.accuse(f, false)
	return End{Failure: f}
}

// complete tells whether the last package was reached and ended: what comes after it says nothing of itself.
func (w *Watcher) complete() bool {
	last := w.lastBuild()
	return w.at > last || w.at == last && (w.finished || last < 0)
}

// Stalled tells that the guest stands still: its console has shown nothing for longer than is known of what runs. A
// shell that waits for a person does not stand still. After a last word of the guest it is enough that no other came.
func (w *Watcher) Stalled() (End, bool) {
	silent := w.o.Now().Sub(w.silent)
	if w.prompt || silent < w.patience() {
		return End{}, false
	}
	if w.fatal != nil {
		return w.End(Exit{Status: 1, Text: "a last word"}), true
	}
	defer w.console.Done()
	if len(w.suspects) > 0 {
		return End{Failure: w.suspects[0].Failure}, true
	}
	return w.because(w.stall(silent)), true
}

// stall says at what a guest stands still, and why most likely.
func (w *Watcher) stall(silent time.Duration) *Failure {
	f := &Failure{Kind: fault.Silence, Text: fmt.Sprintf("%s: nothing on the console for %v", w.where(),
		silent.Round(time.Second)),
		Hint: "--silence gives a step more time"}
	last := ""
	if len(w.recent) > 0 {
		last = w.recent[len(w.recent)-1]
	}
	switch {
	case strings.Contains(last, "jumping to trampoline"):
		f.Text = "jump fiwix: Fiwix did not start after kexec-fiwix jumped to its trampoline"
		f.Cause = "too much in the early image or too little memory below 3 GiB, or a memory map of the firmware with holes"
		f.Hint = "rung live check tells how near the limits are; give the guest 4096 MiB, and try without KVM"
	case w.phase == PhaseFirmware:
		f.Cause, f.Hint = "the boot sector does not run: the image is damaged, or KVM hangs", "try without KVM"
	case w.doing == "getting sources.":
		f.Cause = "a mirror does not answer"
		f.Hint = "rung live fetch tells which mirrors work; --external-sources needs none"
	}
	return f
}
