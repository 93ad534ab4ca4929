// SPDX-License-Identifier: MIT

package guest

import (
	"strings"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/manifest"
)

// Failure is what went wrong in a guest: the first check that failed since something was last known to be well.
type Failure struct {
	Kind  fault.Kind
	Text  string   // one line, names the object first
	Cause string   // the likely cause, a sentence; "" where nobody can tell
	Hint  string   // what to do, a sentence
	Step  int      // the step that ran; -1 before the first
	Lines []string // what the console showed: up to the telling line, and what followed
}

func (f *Failure) Error() string { return f.Text }

// Fault is the failure as an error of its kind. errors.As finds the Failure in it.
func (f *Failure) Fault() *fault.Error {
	return fault.New(f.Kind, "guest: %w", f).WithHint("%s", f.Hint)
}

// suspicion is a line that tells of a failure, if nothing good comes after it.
type suspicion struct {
	prefix, suffix, inside string // what the line has; "" for anything
	tell                   func(w *Watcher, line string) *Failure
	fatal                  bool // nothing comes after it
}

// suspicions are looked through in order, the first that matches counts.
//
// Sources of the texts: helpers.sh, improve/get_network.sh and jump/move_disk.sh of live-bootstrap; kaem and sha256sum
// of stage0-posix, whose sha256sum says the same as that of coreutils; PANIC of Fiwix's include/fiwix/kernel.h;
// SeaBIOS; builder-hex0; GNU make; errno texts of musl and glibc.
func suspicions() []suspicion {
	return []suspicion{
		{prefix: "ABORTING HARD", tell: (*Watcher).aborted, fatal: true},
		{suffix: ": FAILED", tell: (*Watcher).mismatch},
		{suffix: ": no checksum stored!", tell: (*Watcher).noChecksum},
		{prefix: "/external/distfiles/", suffix: ": No such file or directory", tell: (*Watcher).notBrought},
		{suffix: " does not exist!", tell: (*Watcher).noDistfile},
		{prefix: "Timeout reached for internet to become accessible", tell: (*Watcher).noNetwork},
		{prefix: "Timeout reached for disk to become accessible", tell: (*Watcher).noDisk},
		{inside: "No space left on device", tell: (*Watcher).noSpace},
		{prefix: "ERROR: no hda writes!", tell: (*Watcher).hexEnd, fatal: true},
		{prefix: "PANIC: in ", tell: (*Watcher).fiwix, fatal: true},
		{prefix: "Boot failed: not a bootable disk", tell: (*Watcher).noBoot},
		{prefix: "No bootable device.", tell: (*Watcher).noBoot, fatal: true},
		{prefix: "Cannot cd into ", tell: (*Watcher).noFolder},
		{inside: "Illegal instruction", tell: (*Watcher).illegal},
		{inside: "Cannot allocate memory", tell: (*Watcher).noMemory},
		{inside: "virtual memory exhausted", tell: (*Watcher).noMemory},
		{prefix: "make: *** ", tell: (*Watcher).failed},
	}
}

func (s suspicion) matches(line string) bool {
	return strings.HasPrefix(line, s.prefix) && strings.HasSuffix(line, s.suffix) && strings.Contains(line, s.inside)
}

// after is how many lines are kept that follow a telling one.
const after = 12

// suspect looks for a failure in a line.
func (w *Watcher) suspect(line string) {
	for _, f := range w.suspects {
		if f.lines < keep+after {
			f.Lines = append(f.Lines, line)
			f.lines++
		}
	}
	for _, s := range suspicions() {
		if s.matches(line) {
			w.accuse(s.tell(w, line), s.fatal)
			return
		}
	}
}

// accuse keeps a failure; of those without anything good between them, the first is what is told.
func (w *Watcher) accuse(f *Failure, fatal bool) {
	if f == nil {
		return
	}
	f.Step = w.at
	f.Lines = append([]string(nil), w.recent[max(0, len(w.recent)-keep/2):]...)
	w.suspects = append(w.suspects, &suspect{Failure: f, lines: keep})
	if fatal && w.fatal == nil {
		w.fatal = w.suspects[0].Failure
	}
}

// suspect is a failure that is not sure yet.
type suspect struct {
	*Failure
	lines int // counts what was added, from keep on
}

// where names what runs.
func (w *Watcher) where() string {
	if w.at < 0 || w.at >= len(w.o.Steps) {
		switch w.phase {
		case PhaseFirmware:
			return "boot"
		default:
			return "stage0"
		}
	}
	name := Key(w.o.Steps[w.at])
	if w.finished {
		return "after " + name
	}
	return name
}

// aborted is kaem's last word.
func (w *Watcher) aborted(string) *Failure {
	if len(w.suspects) > 0 { // a check before it says more
		w.fatal = w.suspects[0].Failure
		return nil
	}
	f := &Failure{Kind: fault.BuildFailed, Text: w.where() + ": kaem gave up: " + clip(w.command),
		Cause: "the command that kaem started last failed", Hint: "look at the lines before it in the console's log"}
	if n := len(w.recent); n > 1 && strings.HasSuffix(w.recent[n-2], " NOT FOUND!") {
		f.Text = w.where() + ": kaem found no program " + strings.TrimSuffix(strings.TrimPrefix(w.recent[n-2],
			"WHILE EXECUTING "), " NOT FOUND!")
		f.Cause = "a step before it did not make the program, or PATH is wrong"
	}
	return f
}

// mismatch is sha256sum's word on a file.
func (w *Watcher) mismatch(line string) *Failure {
	file := strings.TrimSuffix(line, ": FAILED")
	f := &Failure{Kind: fault.Mismatch, Text: w.where() + ": " + clip(file) + " differs from its checksum"}
	switch {
	case w.at < 0:
		f.Cause = "a submodule is at another commit than the checksums, or this host or its emulator computes wrongly"
		f.Hint = "git submodule update --init --recursive, and rung live check; report the host's processor and QEMU if it " +
			"stays"
	case w.doing == "getting sources.":
		f.Text = w.where() + ": the distfile " + clip(file) + " differs from what its sources file says"
		f.Cause = "a mirror or upstream gave another file, or a download was cut off"
		f.Hint = "rung live fetch verifies all distfiles before a run; --external-sources brings them along"
	case strings.HasSuffix(file, ".tar.bz2"):
		f.Text = w.where() + ": the package " + clip(file) + " differs from SHA256SUMS.pkgs"
		f.Cause = "the build is not the same on this machine, or the checkout's recipe changed without its checksum"
		f.Hint = "--update-checksums takes what comes out; compare the package with one of another host to see what differs"
	default:
		f.Cause = "the build is not the same on this machine, or the checkout's recipe changed without its checksum"
		f.Hint = "--update-checksums takes what comes out; look which command made the file"
	}
	return f
}

func (w *Watcher) noChecksum(line string) *Failure {
	name := strings.TrimSuffix(line, ": no checksum stored!")
	return &Failure{Kind: fault.Mismatch, Text: w.where() + ": no checksum of " + clip(name) + " in SHA256SUMS.pkgs",
		Cause: "a package or a pass is new in the manifest", Hint: "run once with --update-checksums, and add the line that " +
			"comes out"}
}

func (w *Watcher) noDistfile(line string) *Failure {
	if w.doing != "getting sources." {
		return nil
	}
	f := &Failure{Kind: fault.Unavailable,
		Text: w.where() + ": the distfile " + clip(strings.TrimSuffix(line, " does not exist!")) +
			" could not be downloaded",
		Cause: "no mirror has it or none was reached, and neither did upstream give it",
		Hint:  "rung live fetch tells which mirrors work; --external-sources brings all distfiles along"}
	for i := len(w.recent) - 1; i >= 0; i-- {
		if strings.HasPrefix(w.recent[i], "curl: (") {
			f.Cause = clip(w.recent[i])
			break
		}
	}
	return f
}

// notBrought is sha256sum's word where a package that kaem builds has no distfile: there is no download yet.
func (w *Watcher) notBrought(line string) *Failure {
	name := strings.TrimSuffix(strings.TrimPrefix(line, "/external/distfiles/"), ": No such file or directory")
	return &Failure{Kind: fault.NotFound, Text: w.where() + ": the distfile " + clip(name) + " is not there",
		Cause: "the media were made without it", Hint: "make them anew with rung, which brings all that come before the " +
			"network"}
}

func (w *Watcher) noNetwork(string) *Failure {
	return &Failure{Kind: fault.Unavailable, Text: "get_network: the guest found no way to example.com in 120 tries",
		Cause: "the host has no internet, which this check wants even where a mirror of the host would do",
		Hint:  "connect the host, or use --external-sources, which needs no network"}
}

func (w *Watcher) noDisk(string) *Failure {
	return &Failure{Kind: fault.Unavailable, Text: "move_disk: no disk appeared in 120 seconds",
		Cause: "the disk is none that the bootstrapped kernel has a driver for, or has another name than DISK in " +
			"bootstrap.cfg",
		Hint: "use a SATA or IDE disk; on bare metal, check which disk is the first"}
}

func (w *Watcher) noSpace(string) *Failure {
	f := &Failure{Kind: fault.Limit, Text: w.where() + ": no space left on the guest's disk",
		Cause: "the disk is full", Hint: "give a larger --target-size"}
	if w.o.Chroot {
		f.Text, f.Hint = w.where()+": no space left in the target's file system",
			"make room on the host's disk, or choose another --target"
	}
	return f
}

// hexEnd is builder-hex0's last word where a script came back to it, rather than to have started another kernel.
func (w *Watcher) hexEnd(string) *Failure {
	return &Failure{Kind: fault.BuildFailed, Text: w.where() + ": the script ended before it started Fiwix",
		Cause: "a command failed, or the scripts jump to no kernel", Hint: "look at the lines before it in the console's log"}
}

func (w *Watcher) fiwix(string) *Failure {
	return &Failure{Kind: fault.Panic, Text: w.where() + ": Fiwix gave up",
		Cause: "most often too much in its memory or on its RAM drive, or a memory map of the firmware that it cannot use",
		Hint:  "rung live check tells of the limits; give the guest 4096 MiB"}
}

func (w *Watcher) noBoot(string) *Failure {
	return &Failure{Kind: fault.Unavailable, Text: "boot: the firmware found nothing to boot",
		Cause: "the image has no boot sector, or is not the first disk",
		Hint:  "have rung build the media again, in an empty --target"}
}

func (w *Watcher) noFolder(line string) *Failure {
	return &Failure{Kind: fault.BuildFailed, Text: w.where() + ": " + clip(strings.TrimSuffix(line, "!")),
		Cause: "the package has no such folder", Hint: "look for the package's folder in steps, and for the folder its " +
			"archive has"}
}

func (w *Watcher) illegal(line string) *Failure {
	return &Failure{Kind: fault.BuildFailed, Text: w.where() + ": " + clip(line),
		Cause: "a program uses an instruction that this processor has not, or was built wrongly",
		Hint:  "compare with a run on another host, or under QEMU without KVM"}
}

func (w *Watcher) noMemory(string) *Failure {
	return &Failure{Kind: fault.OutOfMemory, Text: w.where() + ": out of memory", Cause: "the guest's memory is full",
		Hint: "give more --qemu-ram, a --swap, or fewer --cores"}
}

func (w *Watcher) failed(line string) *Failure {
	return &Failure{Kind: fault.BuildFailed, Text: w.where() + ": " + clip(line),
		Cause: "a command of the build failed", Hint: "look at the lines before it in the console's log"}
}

// clip bounds what of the console is told in one line.
func clip(text string) string {
	if len(text) > 200 {
		return strings.ToValidUTF8(text[:200], "") + "..."
	}
	return text
}

// isBreak tells whether a step stops a run under test.
func isBreak(s Step) bool { return s.Kind == manifest.Jump && s.Arg == "break" }
