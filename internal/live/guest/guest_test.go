// SPDX-License-Identifier: MIT

package guest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/guest"
	"github.com/rung-build/rung/internal/live/manifest"
)

// text is a manifest with what a guest can be at.
const text = `build: tools-1.0
build: cc-0.1
jump: fiwix ( KERNEL_BOOTSTRAP == True )
build: bash-0.1
improve: setup
build: cc-0.1
uninstall: tools-1.0
jump: linux ( KERNEL_BOOTSTRAP == True )
jump: break ( INTERNAL_CI == pass1 )
improve: get_network
build: last-1.0
improve: after
`

// world is a guest with a clock of its own.
type world struct {
	*guest.Watcher
	t       *testing.T
	now     time.Time
	reached []int
}

// newWorld watches a guest of the manifest under variables.
func newWorld(t *testing.T, config string, change func(*guest.Options)) *world {
	t.Helper()
	m, problems := manifest.Parse("manifest", text)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	c, _ := manifest.ParseConfig("cfg", "ARCH=x86\n"+config)
	e, err := m.Evaluate(c)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: time.Unix(1000, 0)}
	o := guest.Options{
		Steps: guest.Steps("steps", e.Scripts(manifest.Generator{})), Now: func() time.Time { return w.now },
		Reached: func(at int) { w.reached = append(w.reached, at) },
	}
	if change != nil {
		change(&o)
	}
	w.Watcher = guest.New(o)
	return w
}

func inChroot(o *guest.Options) { o.Chroot = true }

const kernels = "KERNEL_BOOTSTRAP=True\n"

// show shows lines, a second each.
func (w *world) show(lines ...string) {
	w.t.Helper()
	for _, line := range lines {
		w.now = w.now.Add(time.Second)
		if _, err := w.Write([]byte(line + "\r\n")); err != nil {
			w.t.Fatal(err)
		}
	}
}

// kaem are the lines of a package that kaem builds. The form is that of a real console.
func kaem(pkg string) []string {
	return []string{" +> pkg=" + pkg + " ", " +> cd " + pkg + " ", " +> kaem --file pass1.kaem ", " +> set -ex ",
		" +> cd .. "}
}

// bash are those of one that bash builds, from helpers.sh.
func bash(pkg, pass string) []string {
	return []string{pkg + ": beginning build using script pass" + pass + ".sh", pkg + ": getting sources.", "some output",
		pkg + ": compiling source.", pkg + ": checksumming created package.", pkg + "_0.tar.bz2: OK", pkg +
			": build successful"}
}

// TestWatcherFollowsARun shows R60: which package of how many, its pass, what it does, how long the last took.
func TestWatcherFollowsARun(t *testing.T) {
	w := newWorld(t, "", inChroot)
	if s := w.State(); s.Step != -1 || s.Phase != guest.PhaseSeed || s.Packages != 5 || s.Package != 0 {
		t.Errorf("State() at first = %+v; want no step of 5 packages", s)
	}
	w.show(" +> ./x86/artifact/hex0 ./x86/a.hex0 ./x86/b ")
	w.show(kaem("tools-1.0")...)
	w.show(kaem("cc-0.1")...)
	w.show(bash("bash-0.1", "1")...)
	w.show("cc-0.1: beginning build using script pass2.sh", "cc-0.1: compiling source.")
	s := w.State()
	want := guest.State{Phase: guest.PhaseScripts, Step: 4, Name: "cc-0.1", Pass: 2, Doing: "compiling source.",
		Package: 4, Packages: 5,
		Elapsed: 20 * time.Second, InStep: time.Second, Last: 6 * time.Second,
		Good: guest.Good{Step: 3, Name: "setup", At: time.Unix(1019, 0)}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("State() in the second pass of cc (-want +got):\n%s", diff)
	}
	w.show("cc-0.1: build successful", "tools-1.0: uninstalling.")
	if s := w.State(); s.Name != "tools-1.0" || s.Package != 4 {
		t.Errorf("State() while uninstalling = %+v; want tools-1.0", s)
	}
	w.show(bash("last-1.0", "1")...)
	if s := w.State(); s.Phase != guest.PhaseDone || s.Package != 5 {
		t.Errorf("State() after the last package = %+v; want done", s)
	}
	if end := w.End(guest.Exit{}); end.Failure != nil || end.Break {
		t.Errorf("End(0) = %+v; want a regular end", end)
	}
	if diff := cmp.Diff([]int{0, 1, 2, 4, 5, 7}, w.reached); diff != "" {
		t.Errorf("steps told (-want +got):\n%s", diff)
	}
}

// TestWatcherExpects shows R60: what is expected from the times of an earlier run.
func TestWatcherExpects(t *testing.T) {
	times := guest.Times{"tools-1.0 pass 1": 10 * time.Second, "cc-0.1 pass 1": 20 * time.Second,
		"bash-0.1 pass 1": 30 * time.Second,
		"cc-0.1 pass 2":   40 * time.Second, "last-1.0 pass 1": 50 * time.Second}
	text, err := times.Format()
	if err != nil {
		t.Fatal(err)
	}
	read, err := guest.ReadTimes(text)
	if diff := cmp.Diff(times, read); err != nil || diff != "" {
		t.Fatalf("ReadTimes(Format()): %v (-want +got):\n%s", err, diff)
	}
	w := newWorld(t, "", func(o *guest.Options) { o.Chroot, o.Times = true, read })
	w.show(bash("bash-0.1", "1")[0])
	w.now = w.now.Add(5 * time.Second)
	if s := w.State(); s.Expected != 30*time.Second || s.Remaining != 115*time.Second {
		t.Errorf("State() = expected %v, remaining %v; want 30s, 115s", s.Expected, s.Remaining)
	}
	w.show("bash-0.1: build successful")
	if diff := cmp.Diff(6*time.Second, w.Took()["bash-0.1 pass 1"]); diff != "" {
		t.Errorf("Took() of bash (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "[]", `{"a": "b"}`, "{"} {
		if _, err := guest.ReadTimes([]byte(bad)); fault.KindOf(err) != fault.Usage {
			t.Errorf("ReadTimes(%q): %v; want a usage error", bad, err)
		}
	}
}

// TestWatcherForgetsWhatWasHarmless shows that a package that is built proves a line before it harmless.
func TestWatcherForgetsWhatWasHarmless(t *testing.T) {
	w := newWorld(t, "", inChroot)
	w.show("bash-0.1: beginning build using script pass1.sh", "make: *** [check] Error 1", "bash-0.1: build successful")
	if got := w.End(guest.Exit{Status: 1, Text: "exit status 1"}).Failure; got == nil || !strings.HasPrefix(got.Text,
		"after bash-0.1") {
		t.Errorf("End(1) = %+v; want a failure after bash, and not that of make", got)
	}
}

// TestWatcherSeesTheRegularEnd shows R26: a guest with a kernel ends with power-off, after kernels that jumps started.
func TestWatcherSeesTheRegularEnd(t *testing.T) {
	w := newWorld(t, kernels, nil)
	w.show("SeaBIOS (version 1.16.2)", "Booting from Hard Disk...", "src", "./a")
	if s := w.State(); s.Phase != guest.PhaseFirmware {
		t.Errorf("phase at boot %q; want %q", s.Phase, guest.PhaseFirmware)
	}
	w.show(kaem("cc-0.1")...)
	w.show(" +> kaem --file /steps/jump/fiwix.sh ", "kexec-fiwix: jumping to trampoline...", "Fiwix kernel")
	w.show(bash("bash-0.1", "1")...)
	w.show(bash("cc-0.1", "2")...)
	w.show("[    0.000000] Linux version 4.14.341-openela")
	w.show(bash("last-1.0", "1")...)
	w.show("[   99.000000] reboot: Power down")
	if end := w.End(guest.Exit{Text: "QEMU: guest-shutdown"}); end.Failure != nil {
		t.Errorf("End() = %+v; want a regular end", end.Failure)
	}
}

// TestWatcherSeesABreak shows the end of a run under test, in a chroot and with a kernel.
func TestWatcherSeesABreak(t *testing.T) {
	w := newWorld(t, "INTERNAL_CI=pass1\n", inChroot)
	w.show(bash("bash-0.1", "1")...)
	w.show(bash("cc-0.1", "2")...)
	if end := w.End(guest.Exit{}); !end.Break || end.Failure != nil {
		t.Errorf("End(0) in a chroot = %+v; want a break", end)
	}
	w = newWorld(t, "INTERNAL_CI=pass1\n", nil)
	w.show(bash("bash-0.1", "1")...)
	w.show(bash("cc-0.1", "2")...)
	w.show("[    5.000000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000000")
	if end := w.End(guest.Exit{Status: 1}); !end.Break || end.Failure != nil {
		t.Errorf("End(1) of a guest = %+v; want a break", end)
	}
}

// TestWatcherSeesStandstill shows the stall of a run: after how long, and what it says of the trampoline; known
// silences and shells that wait are none.
func TestWatcherSeesStandstill(t *testing.T) {
	stalled := func(w *world, after time.Duration) *guest.Failure {
		w.now = w.now.Add(after)
		end, over := w.Stalled()
		if over && end.Failure == nil {
			t.Fatal("Stalled() = true without a failure")
		}
		return end.Failure
	}
	w := newWorld(t, kernels, nil)
	w.show(append(kaem("cc-0.1"), " +> kaem --file /steps/jump/fiwix.sh ", "kexec-fiwix: jumping to trampoline...")...)
	if f := stalled(w, 29*time.Minute); f != nil {
		t.Errorf("Stalled() after 29 minutes = %v; want nothing", f)
	}
	f := stalled(w, 2*time.Minute)
	if f == nil || f.Kind != fault.Silence || !strings.Contains(f.Text, "trampoline") || !strings.Contains(f.Cause,
		"memory") {
		t.Errorf("Stalled() after 31 minutes = %+v; want silence at the trampoline", f)
	}

	w = newWorld(t, "", func(o *guest.Options) { o.Chroot, o.Times = true, guest.Times{"bash-0.1 pass 1": time.Hour} })
	w.show("bash-0.1: beginning build using script pass1.sh")
	if f := stalled(w, 2*time.Hour); f != nil {
		t.Errorf("Stalled() of a step that took an hour once, after two = %v; want nothing", f)
	}
	if f := stalled(w, 2*time.Hour); f == nil {
		t.Error("Stalled() of a step that took an hour once, after four = nothing")
	}

	w = newWorld(t, "INTERACTIVE=True\n", inChroot)
	w.show("bash-0.1: beginning build using script pass1.sh")
	if _, err := w.Write([]byte("[TRAP - use Ctrl+D] /steps # ")); err != nil {
		t.Fatal(err)
	}
	if f := stalled(w, 100*time.Hour); f != nil || !w.State().Prompt {
		t.Errorf("Stalled() at a prompt = %v, Prompt %v; want nothing, and a prompt", f, w.State().Prompt)
	}

	w = newWorld(t, kernels, nil)
	w.show("[    1.000000] Linux version 4", "[    2.000000] Kernel panic - not syncing: Attempted to kill init! "+
		"exitcode=0x00000100")
	if f := stalled(w, 2*time.Minute); f == nil || f.Kind != fault.Panic {
		t.Errorf("Stalled() two minutes after a panic = %+v; want the panic", f)
	}
}

// TestWatcherGoesOnAfterACheckpoint shows that a watch can begin in the middle.
func TestWatcherGoesOnAfterACheckpoint(t *testing.T) {
	w := newWorld(t, "", func(o *guest.Options) { o.Chroot, o.From = true, 4 })
	w.show("cc-0.1: compiling source.", "cc-0.1: build successful")
	if s := w.State(); s.Good.Name != "cc-0.1" || s.Good.Pass != 2 {
		t.Errorf("last good point %+v; want cc-0.1 pass 2", s.Good)
	}
}

// FuzzWatcher feeds any console in pieces: nothing panics, and where the run is never goes back.
func FuzzWatcher(f *testing.F) {
	var all []byte
	for _, lines := range [][]string{kaem("tools-1.0"), bash("bash-0.1", "1"), bash("cc-0.1", "2"), {"[TRAP] / # ",
		"\x1b[2Jx: FAILED", "ABORTING HARD"}} {
		all = append(all, strings.Join(lines, "\n")+"\n"...)
	}
	f.Add(all, 7)
	f.Add([]byte("a: b\r\r\n +> \n +> kaem --file pass.kaem\n: beginning build using script \n"), 1)
	f.Fuzz(func(t *testing.T, console []byte, size int) {
		if size < 1 || len(console) > 1<<14 {
			return
		}
		w := newWorld(t, kernels, nil)
		at := -1
		for len(console) > 0 {
			n := min(size, len(console))
			if _, err := w.Write(console[:n]); err != nil {
				t.Fatal(err)
			}
			console = console[n:]
			s := w.State()
			if s.Step < at || s.Step >= 12 || s.Package > s.Packages {
				t.Fatalf("State() = %+v after step %d", s, at)
			}
			at = s.Step
		}
		w.Stalled()
		w.End(guest.Exit{})
	})
}
