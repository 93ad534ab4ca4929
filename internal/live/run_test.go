// SPDX-License-Identifier: MIT

package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/live/guest"
	"github.com/rung-build/rung/internal/live/manifest"
)

// fakeHost plays a host: its guest shows a console, and ends.
type fakeHost struct {
	console []string
	exit    guest.Exit
	reason  string // why a machine ends; "" for never
	hangs   bool   // the guest does not end by itself
	slow    bool   // there is no KVM

	now   time.Time
	calls []string
	last  live.Process
}

func (h *fakeHost) Now() time.Time {
	h.now = h.now.Add(time.Second)
	return h.now
}

func (h *fakeHost) Ask(_ context.Context, argv ...string) (string, error) {
	return argv[0] + " version 7\nmore", nil
}

func (h *fakeHost) Accelerator(context.Context, string) (bool, string, error) {
	return !h.slow, "tried", nil
}

func (h *fakeHost) Start(_ context.Context, p live.Process, console io.Writer) (live.Running, error) {
	h.last = p
	h.calls = append(h.calls, "start")
	r := &fakeRunning{h: h, console: console, going: make(chan struct{}), killed: make(chan struct{}),
		done: make(chan struct{}), ended: make(chan string, 1)}
	if !p.Monitor {
		close(r.going)
	}
	go r.run(p.Monitor)
	return r, nil
}

// fakeRunning is a guest, and its monitor.
type fakeRunning struct {
	h                   *fakeHost
	console             io.Writer
	going, killed, done chan struct{}
	ended               chan string
}

func (r *fakeRunning) run(machine bool) {
	defer close(r.done)
	select {
	case <-r.going:
	case <-r.killed:
		return
	}
	for _, line := range r.h.console {
		if _, err := io.WriteString(r.console, line+"\n"); err != nil {
			return
		}
	}
	if r.h.hangs {
		<-r.killed
		return
	}
	if machine && r.h.reason != "" {
		r.ended <- r.h.reason
		<-r.killed
	}
}

func (r *fakeRunning) Monitor() live.Monitor {
	if !r.h.last.Monitor {
		return nil
	}
	return r
}

func (r *fakeRunning) Kill() {
	select {
	case <-r.killed:
	default:
		close(r.killed)
	}
}
func (r *fakeRunning) Done() <-chan struct{} { return r.done }
func (r *fakeRunning) Exit() guest.Exit      { return r.h.exit }
func (r *fakeRunning) Ended() <-chan string  { return r.ended }

func (r *fakeRunning) call(format string, args ...any) error {
	r.h.calls = append(r.h.calls, fmt.Sprintf(format, args...))
	return nil
}
func (r *fakeRunning) Continue(context.Context) error {
	close(r.going)
	return r.call("continue")
}
func (r *fakeRunning) Overlay(_ context.Context, drive, file string) error {
	return errors.Join(r.call("overlay %s %s", drive, filepath.Base(file)), os.WriteFile(file, nil, 0o644))
}
func (r *fakeRunning) Save(_ context.Context, name string) error   { return r.call("save %s", name) }
func (r *fakeRunning) Forget(_ context.Context, name string) error { return r.call("forget %s", name) }
func (r *fakeRunning) Commit(context.Context) error                { return r.call("commit") }
func (r *fakeRunning) Quit(context.Context) error {
	defer r.Kill()
	return r.call("quit")
}

// consoleLines are what a guest shows that runs all steps of a plan, up to one.
func consoleLines(p *live.Plan, until int) []string {
	var lines []string
	for _, s := range p.Scripts[0].Steps {
		switch {
		case s.Index >= until:
			return lines
		case s.Kind == manifest.Build && s.Bash:
			lines = append(lines, fmt.Sprintf("%s: beginning build using script pass%d.sh", s.Arg, s.Pass),
				s.Arg+": build successful")
		case s.Kind == manifest.Build:
			lines = append(lines, " +> cd "+s.Arg+" ", fmt.Sprintf(" +> kaem --file pass%d.kaem ", s.Pass))
		case !s.Bash:
			lines = append(lines, fmt.Sprintf(" +> kaem --file /steps/%v/%s.sh ", s.Kind, s.Arg))
		}
	}
	return lines
}

// planIn is a plan of the checkout in testdata with a target of its own.
func planIn(t *testing.T, mode live.Mode, change func(*live.Options)) *live.Plan {
	t.Helper()
	target := filepath.Join(t.TempDir(), "target")
	return mustPlan(t, open(t, checkout(t)), options(mode, func(o *live.Options) {
		o.Target, o.TargetSize = target, o.TargetSize/8
		if change != nil {
			change(o)
		}
	}), served{})
}

func runner(h *fakeHost) *live.Runner {
	h.now = time.Unix(1e9, 0)
	return &live.Runner{Host: h, Builder: live.Builder{Held: served{}}, Version: "v1", Checkpoints: true}
}

func mustRun(t *testing.T, r *live.Runner, p *live.Plan) *live.RunReport {
	t.Helper()
	report, err := r.Run(t.Context(), p)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return report
}

// TestRunnerReports shows the report of a run (what issue 6 of part 2 asks for): versions, digests, every step with
// its time.
func TestRunnerReports(t *testing.T) {
	p := planIn(t, live.Chroot, nil)
	h := &fakeHost{console: consoleLines(p, 1000)}
	var screen strings.Builder
	r := runner(h)
	r.Screen = &screen
	report := mustRun(t, r, p)
	if report.Err() != nil || report.Verdict != "finished" || report.Mode != live.Chroot || report.Rung != "v1" {
		t.Errorf("Run() = %q of %s, %v; want finished", report.Verdict, report.Rung, report.Err())
	}
	if h.last.Root != p.Options.Target || !slices.Equal(h.last.Env, []string{"PATH=/bin"}) || h.last.Terminal {
		t.Errorf("process %+v; want the target as root, and PATH=/bin", h.last)
	}
	if len(report.Steps) == 0 || report.Steps[0].Name != "tools-1.0" || report.Steps[0].Took <= 0 || report.Good == nil {
		t.Errorf("steps %+v, good %+v; want tools-1.0 first, with a time", report.Steps, report.Good)
	}
	log, err := os.ReadFile(filepath.Join(p.Options.Target, "rung/console.log"))
	if want := strings.Join(h.console, "\n") + "\n"; err != nil || string(log) != want || screen.String() != want {
		t.Errorf("console.log, %v, has %q, the screen %q; want all of the console", err, log, screen.String())
	}
	text, err := os.ReadFile(filepath.Join(p.Options.Target, "rung/report.json"))
	var read live.RunReport
	if err != nil || json.Unmarshal(text, &read) != nil || read.Checkout.Tree != report.Checkout.Tree ||
		read.Checkout.Tree.IsZero() {
		t.Errorf("report.json: %v, %.200s; want the report", err, text)
	}
	if text, err = os.ReadFile(filepath.Join(p.Options.Target, "rung/report.txt")); err != nil ||
		!strings.Contains(string(text), "verdict      finished") {
		t.Errorf("report.txt: %v, %.200s; want the report", err, text)
	}
	_, err = runner(&fakeHost{}).Run(t.Context(), p)
	wantFault(t, "Run in a target in which a guest has run", err, fault.Usage, "a guest has run in it", "--target")
}

// TestRunnerTellsWhatFailed shows a failed run: the kind, the first failing check, its lines, the last good point.
func TestRunnerTellsWhatFailed(t *testing.T) {
	p := planIn(t, live.Bwrap, nil)
	h := &fakeHost{console: append(consoleLines(p, 3), " +> cc -c x.c ", "Subprocess error 1", "ABORTING HARD"),
		exit: guest.Exit{Status: 1, Text: "exit status 1"}}
	report := mustRun(t, runner(h), p)
	wantFault(t, "a failed run", report.Err(), fault.BuildFailed, "kaem gave up: cc -c x.c")
	if report.Verdict != "failed" || report.Failure.Exit != 4 || !slices.Contains(report.Failure.Lines, "ABORTING HARD") {
		t.Errorf("failure %+v; want status 4, with the console's lines", report.Failure)
	}
	if h.last.Root != "" || h.last.Argv[0] != "bwrap" || report.Host.Tool != "bwrap version 7" {
		t.Errorf("process %+v, tool %q; want bwrap", h.last, report.Host.Tool)
	}
	var text strings.Builder
	if err := report.Text(&text); err != nil || !strings.Contains(text.String(), "  | ABORTING HARD\n") {
		t.Errorf("Text(): %v, %s; want the console's lines", err, text.String())
	}
}

// TestRunnerKeepsCheckpoints shows the order in which a guest in QEMU is run: overlays first, a checkpoint at each
// script, two kept, and at the regular end everything into the images.
func TestRunnerKeepsCheckpoints(t *testing.T) {
	p := planIn(t, live.QEMU, nil)
	h := &fakeHost{console: append(consoleLines(p, 1000), "[    1.000000] reboot: Power down"),
		reason: "guest-shutdown", slow: true}
	var notes []string
	r := runner(h)
	r.Note = func(text string) { notes = append(notes, text) }
	report := mustRun(t, r, p)
	if report.Err() != nil || !report.Committed {
		t.Fatalf("Run() = %v, committed %v; want a regular end", report.Err(), report.Committed)
	}
	// Script 3 is a jump, and says nothing.
	want := []string{"start", "overlay ide0-hd0 init.img.qcow2", "continue", "save steps-1", "save steps-2",
		"save steps-4", "forget steps-1", "save steps-5", "forget steps-2", "commit", "quit"}
	if diff := cmp.Diff(want, h.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if slices.Contains(h.last.Argv, "-enable-kvm") || len(notes) == 0 || !strings.Contains(notes[0], "many days") {
		t.Errorf("argv %q, notes %q; want no KVM, and a warning (R57)", h.last.Argv, notes)
	}
	if left, _ := filepath.Glob(p.Options.Target + "/rung/*.qcow2"); len(left) > 0 {
		t.Errorf("left: %q; want no overlay", left)
	}
}

// TestRunnerResumes shows that a run goes on from the last checkpoint (pains 12 and 13).
func TestRunnerResumes(t *testing.T) {
	p := planIn(t, live.QEMU, nil)
	steps := p.Scripts[0].Steps
	second := slices.IndexFunc(steps, func(s manifest.Step) bool { return s.Script == 2 })
	h := &fakeHost{console: append(consoleLines(p, second+2), "[    1.000000] Kernel panic - not syncing: Attempted to "+
		"kill init! exitcode=0x00000100"),
		reason: "guest-reset"}
	report := mustRun(t, runner(h), p)
	wantFault(t, "a panic", report.Err(), fault.Panic, "Attempted to kill init")
	if diff := cmp.Diff([]string{"steps-1", "steps-2"}, report.Kept); diff != "" {
		t.Fatalf("checkpoints (-want +got):\n%s", diff)
	}
	h = &fakeHost{console: append(consoleLines(p, 1000)[len(consoleLines(p, second)):],
		"[    1.000000] reboot: Power down"), reason: "guest-shutdown"}
	r := runner(h)
	r.Resume = true
	report = mustRun(t, r, p)
	if report.Err() != nil || report.Resumed != "steps-2" || report.Steps[0].Name != "tools-1.0" {
		t.Errorf("resumed run: %v, at %q, first step %+v; want a regular end from steps-2", report.Err(), report.Resumed,
			report.Steps[0])
	}
	line := strings.Join(h.last.Argv, " ")
	if !strings.Contains(line, "rung/init.img.qcow2,format=qcow2") || !strings.HasSuffix(line, "-loadvm steps-2") ||
		slices.Contains(h.calls, "overlay ide0-hd0 init.img.qcow2") {
		t.Errorf("argv %q, calls %q; want the overlay and -loadvm", line, h.calls)
	}
	r = runner(&fakeHost{})
	r.Resume = true
	_, err := r.Run(t.Context(), p)
	wantFault(t, "Run --resume after the end", err, fault.Usage)
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// TestRunnerStopsAtSilence shows that a guest that stands still is ended (pains 3 and 4), and R30: a prompt does not
// stand still, and the terminal is handed over.
func TestRunnerStopsAtSilence(t *testing.T) {
	p := planIn(t, live.QEMU, func(o *live.Options) { o.Silence = 3 * time.Second })
	h := &fakeHost{console: []string{"kexec-fiwix: jumping to trampoline..."}, hangs: true}
	ticks := make(chan time.Time)
	r := runner(h)
	r.Ticks = ticks
	over, shown := make(chan struct{}), make(chan struct{})
	r.Screen = writerFunc(func(p []byte) { close(shown) })
	go func() {
		<-shown
		for {
			select {
			case ticks <- time.Time{}:
			case <-over:
				return
			}
		}
	}()
	defer close(over)
	wantFault(t, "a guest that stands still", mustRun(t, r, p).Err(), fault.Silence, "trampoline")

	p = planIn(t, live.Chroot, func(o *live.Options) { o.Interactive = true })
	h = &fakeHost{console: consoleLines(p, 1000)}
	if mustRun(t, runner(h), p); !h.last.Terminal {
		t.Errorf("process %+v; want the terminal", h.last)
	}
	p = planIn(t, live.QEMU, func(o *live.Options) { o.Interactive = true })
	h = &fakeHost{}
	if report := mustRun(t, runner(h), p); h.last.Monitor || report.Err() != nil || slices.Contains(h.last.Argv,
		"-nographic") {
		t.Errorf("process %+v, %v; want a window that is not watched (R27, R28)", h.last, report.Err())
	}
}

// TestRunnerStopsWhenInterrupted shows that an interrupted run leaves a report.
func TestRunnerStopsWhenInterrupted(t *testing.T) {
	p := planIn(t, live.Chroot, nil)
	ctx, cancel := context.WithCancel(t.Context())
	r := runner(&fakeHost{console: consoleLines(p, 2), hangs: true})
	r.Progress = func(guest.State) { cancel() }
	report, err := r.Run(ctx, p)
	wantFault(t, "Run, interrupted", err, fault.Interrupted, "interrupted")
	if report == nil || report.Verdict != "failed" {
		t.Errorf("report %+v; want one of a failed run", report)
	}
}

// TestRunnerRefuses shows what a run refuses before it touches anything.
func TestRunnerRefuses(t *testing.T) {
	p := planIn(t, live.BareMetal, nil)
	_, err := runner(&fakeHost{}).Run(t.Context(), p)
	wantFault(t, "Run on bare metal", err, fault.Usage, "directions")

	p = planIn(t, live.QEMU, nil)
	r := runner(&fakeHost{})
	r.Resume = true
	_, err = r.Run(t.Context(), p)
	wantFault(t, "Run --resume of nothing", err, fault.Usage, "--resume")

	mustRun(t, runner(&fakeHost{reason: "guest-reset"}), p)
	o := p.Options
	o.Mirrors = []string{"https://other.example"}
	_, err = runner(&fakeHost{}).Run(t.Context(), mustPlan(t, p.Checkout, o, served{}))
	wantFault(t, "Run of another plan", err, fault.Usage, "another plan")

	p = planIn(t, live.Chroot, nil)
	mustRun(t, runner(&fakeHost{}), p)
	r.Resume = true
	_, err = r.Run(t.Context(), p)
	wantFault(t, "Run --resume in a chroot", err, fault.Usage, "at a break")
}
