// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/guest"
)

// RunReport is what a run came to, for whoever maintains the checkout.
type RunReport struct {
	Rung      string         `json:"rung"` // version
	Started   time.Time      `json:"started"`
	Took      float64        `json:"took"` // seconds, from this start on
	Verdict   string         `json:"verdict"`
	Checkout  Identity       `json:"checkout"`
	Plan      digest.Digest  `json:"plan"`
	Mode      Mode           `json:"mode"`
	Command   string         `json:"command_line"`
	Config    string         `json:"bootstrap_cfg"`
	Media     []ReportMedium `json:"media"`
	Host      ReportHost     `json:"host"`
	Steps     []ReportStep   `json:"steps"` // that began
	Good      *guest.Good    `json:"last_good,omitempty"`
	Failure   *RunFailure    `json:"failure,omitempty"`
	Break     bool           `json:"break,omitempty"`     // it stopped where a run under test stops
	Committed bool           `json:"committed,omitempty"` // what the guest wrote is in the images
	Resumed   string         `json:"resumed,omitempty"`   // the checkpoint at which it went on
	Kept      []string       `json:"checkpoints,omitempty"`
	Console   string         `json:"console"` // the file with all that it showed
}

// ReportMedium is a medium of a run.
type ReportMedium struct {
	Path   string        `json:"path"`
	Shape  Shape         `json:"shape"`
	Size   int64         `json:"size"`
	Digest digest.Digest `json:"digest,omitzero"` // as it was made
}

// ReportHost is the host of a run.
type ReportHost struct {
	Arch        string   `json:"arch"`
	Kernel      string   `json:"kernel"`
	Processor   string   `json:"processor,omitempty"`
	Flags       []string `json:"flags,omitempty"` // of the processor
	Memory      string   `json:"memory,omitempty"`
	Tool        string   `json:"tool,omitempty"` // the version of QEMU or bubblewrap
	Accelerator string   `json:"accelerator,omitempty"`
}

// ReportStep is a step that began.
type ReportStep struct {
	Root    string    `json:"root"`
	Script  int       `json:"script"`
	Step    int       `json:"step"`
	Kind    string    `json:"kind"`
	Name    string    `json:"name"`
	Pass    int       `json:"pass,omitempty"`
	Started time.Time `json:"started"`
	Took    float64   `json:"took"` // seconds, up to the next step's start
}

// RunFailure is the first check that failed.
type RunFailure struct {
	Kind  string   `json:"kind"`
	Exit  int      `json:"exit"`
	Text  string   `json:"text"`
	Cause string   `json:"cause,omitempty"`
	Hint  string   `json:"hint,omitempty"`
	Step  string   `json:"step,omitempty"`
	Lines []string `json:"lines,omitempty"` // of the console, around the telling one

	failure *guest.Failure
}

func newFailure(f *guest.Failure, steps []guest.Step) *RunFailure {
	r := &RunFailure{Kind: f.Kind.String(), Exit: f.Kind.ExitStatus(), Text: f.Text, Cause: f.Cause, Hint: f.Hint,
		Lines: f.Lines, failure: f}
	if f.Step >= 0 && f.Step < len(steps) {
		r.Step = guest.Key(steps[f.Step])
	}
	return r
}

// asFailure is an error of the host as what failed.
func asFailure(err error) *guest.Failure {
	return &guest.Failure{Kind: fault.KindOf(err), Text: err.Error(), Hint: fault.HintOf(err), Step: -1}
}

// Err is the failure as an error of its kind; nil of a run that ended well.
func (r *RunReport) Err() error {
	if r.Failure == nil || r.Failure.failure == nil {
		return nil
	}
	return r.Failure.failure.Fault()
}

// describe begins the report.
func (g *going) describe(ctx context.Context, process Process) {
	p := g.plan
	g.report = &RunReport{
		Rung: g.Version, Checkout: g.state.Checkout, Plan: g.state.Plan, Mode: p.Options.Mode, Config: p.Config.Format(),
		Command: Command{Argv: process.Argv, Env: process.Env}.String(), Media: g.state.Media,
		Console: filepath.Join(g.dir, consoleFile), Host: hostFacts(), Steps: []ReportStep{},
	}
	if process.Root != "" {
		g.report.Command = "in " + process.Root + ": " + g.report.Command
	}
	g.report.Host.Accelerator = g.state.Accelerator
	if c := g.checkpoint(); c != nil {
		g.report.Resumed, g.report.Steps = c.Name, c.Steps
	}
	if process.Root == "" {
		said, err := g.Host.Ask(ctx, p.Command.Argv[0], "--version")
		if err == nil {
			g.report.Host.Tool, _, _ = strings.Cut(said, "\n")
		}
	}
}

// hostFacts are what Linux tells of a host; what it does not tell is left out.
func hostFacts() ReportHost {
	h := ReportHost{Arch: runtime.GOARCH}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		h.Kernel = strings.TrimSpace(string(text))
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		h.Processor, h.Flags = field(string(text), "model name"), strings.Fields(field(string(text), "flags"))
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		h.Memory = field(string(text), "MemTotal")
	}
	return h
}

// field is the first value of a key in "KEY : VALUE" lines.
func field(text, key string) string {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// reached notes that a step has begun.
func (r *RunReport) reached(at int, steps []guest.Step, now time.Time) {
	r.settle(now)
	s := steps[at]
	r.Steps = append(r.Steps, ReportStep{Root: s.Root, Script: s.Script, Step: at, Kind: s.Kind.String(), Name: s.Arg,
		Pass:    s.Pass,
		Started: now})
}

// settle notes how long the last step took.
func (r *RunReport) settle(now time.Time) {
	if n := len(r.Steps); n > 0 && r.Steps[n-1].Took == 0 {
		r.Steps[n-1].Took = seconds(now.Sub(r.Steps[n-1].Started))
	}
}

func seconds(d time.Duration) float64 { return d.Round(10 * time.Millisecond).Seconds() }

// The verdicts.
const (
	verdictEnded   = "finished"
	verdictBreak   = "stopped at a break"
	verdictFailed  = "failed"
	verdictUnknown = "ended, nobody watched its window"
)

// finish writes the report.
func (g *going) finish() error {
	r := g.report
	now := g.Host.Now()
	r.settle(now)
	r.Took = seconds(now.Sub(r.Started))
	switch {
	case r.Failure != nil:
		r.Verdict = verdictFailed
	case r.Break:
		r.Verdict = verdictBreak
	case g.plan.unwatched():
		r.Verdict = verdictUnknown
	default:
		r.Verdict, g.state.Ended = verdictEnded, true
	}
	if good := g.watcher.State().Good; good.Step >= 0 {
		r.Good = &good
	}
	for _, c := range g.state.Checkpoints {
		r.Kept = append(r.Kept, c.Name)
	}
	var text strings.Builder
	r.Text(&text)
	err := errors.Join(g.state.write(g.dir), writeJSON(filepath.Join(g.dir, reportFile), r))
	if err == nil {
		err = os.WriteFile(filepath.Join(g.dir, textFile), []byte(text.String()), 0o644)
	}
	return err
}

// Text writes the report as text that a maintainer can use.
func (r *RunReport) Text(w io.Writer) error {
	var b strings.Builder
	line := func(key, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s %s\n", key, fmt.Sprintf(format, args...))
	}
	line("verdict", "%s", r.Verdict)
	if f := r.Failure; f != nil {
		line("failed", "%s (%s)", f.Text, f.Kind)
		if f.Cause != "" {
			line("cause", "most likely: %s", f.Cause)
		}
	}
	if r.Good != nil {
		line("last good", "step %d, %s", r.Good.Step+1, strings.TrimSpace(fmt.Sprintf("%s %s", r.Good.Name,
			passText(r.Good.Pass))))
	}
	line("took", "%v, from %s", time.Duration(r.Took*float64(time.Second)).Round(time.Second),
		r.Started.UTC().Format(time.RFC3339))
	line("rung", "%s", r.Rung)
	line("checkout", "commit %s, inputs %s", orUnknown(r.Checkout.Commit), r.Checkout.Tree)
	for _, m := range r.Checkout.Submodules {
		line("", "%s %s", m.Path, orUnknown(m.Commit))
	}
	line("plan", "%s", r.Plan)
	line("mode", "%s: %s", r.Mode, r.Command)
	for _, m := range r.Media {
		line("medium", "%s %s %d bytes %s", m.Path, m.Shape, m.Size, digestText(m.Digest))
	}
	line("host", "linux %s %s, %s, %s of memory", r.Host.Kernel, r.Host.Arch, r.Host.Processor, r.Host.Memory)
	if r.Host.Tool != "" {
		line("", "%s %s", r.Host.Tool, r.Host.Accelerator)
	}
	if len(r.Host.Flags) > 0 {
		line("", "flags: %s", strings.Join(r.Host.Flags, " "))
	}
	line("console", "%s", r.Console)
	if r.Failure != nil {
		b.WriteString("\nthe console at the failure:\n")
		for _, l := range r.Failure.Lines {
			fmt.Fprintf(&b, "  | %s\n", l)
		}
	}
	b.WriteString("\nsteps:\n")
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "  %4d %2d.sh %10.1f s  %s %s\n", s.Step+1, s.Script, s.Took, s.Name, passText(s.Pass))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func passText(pass int) string {
	if pass == 0 {
		return ""
	}
	return fmt.Sprintf("pass %d", pass)
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

func digestText(d digest.Digest) string {
	if d.IsZero() {
		return ""
	}
	return d.Hex()
}
