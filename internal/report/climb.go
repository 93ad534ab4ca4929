// SPDX-License-Identifier: MIT

// Package report says what happened, as text for people and as JSON with the same facts.
//
// Everything in it is a pure function from values to an io.Writer: it opens no file, reads no clock and knows no
// terminal. Colour and live progress are left to internal/cli.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/tree"
)

// Climb is what a run of a chain came to.
type Climb struct {
	Chain    string `json:"chain"`
	Arch     string `json:"arch"`
	Machine  string `json:"machine"`
	Isolated bool   `json:"isolated"`
	Seed     []File `json:"seed"` // the programs that nothing made
	// Distfiles are the files of other people that stages took from.
	Distfiles []Distfile    `json:"distfiles,omitempty"`
	Stages    []Stage       `json:"stages"`
	Verdict   Verdict       `json:"verdict"`
	Out       string        `json:"out"`              // the folder of the artefacts
	Export    string        `json:"export,omitempty"` // the archive of a stage's exports
	Wall      time.Duration `json:"wall_ns"`
}

// Stage is one stage of a climb.
type Stage struct {
	Name    string        `json:"name"`
	Steps   int           `json:"steps"`
	Hit     bool          `json:"hit"`              // the stored result was taken
	Healed  string        `json:"healed,omitempty"` // why a stored result could not be
	Wall    time.Duration `json:"wall_ns"`          // this time
	Bytes   int64         `json:"bytes"`            // of all files
	Job     digest.Digest `json:"job"`
	Machine string        `json:"machine"` // that made the files, now or when the result was stored
	Files   []File        `json:"files"`
	Says    *Saying       `json:"says,omitempty"` // where the definition asks for it
}

// Saying is what the last step of a stage printed.
type Saying struct {
	Program string `json:"program"`
	Text    string `json:"text"` // at most 4 KiB of it
}

// File is one file of a report.
type File struct {
	Name   string        `json:"name"`
	Digest digest.Digest `json:"digest"`
	Answer bool          `json:"answer,omitempty"` // an answer says so too
}

// Verdict says what the run shows.
type Verdict struct {
	FixedPoints []string `json:"fixed_points"` // "boot0: hex0 == hex0-seed"
	Artefacts   int      `json:"artefacts"`
	Answered    int      `json:"answered"` // artefacts that have an answer, and are equal to it
	Hits        int      `json:"hits"`
	Bytes       int64    `json:"bytes"`
}

// NewClimb gathers the facts of a finished run. The machine's name and isolation are those of the machine that was
// asked for; out is the folder of the artefacts.
func NewClimb(o chain.Outcome, machine string, isolated bool, out string) Climb {
	c := Climb{Chain: o.Plan.Chain, Arch: o.Plan.Arch, Machine: machine, Isolated: isolated, Out: out, Wall: o.Wall,
		Seed: []File{}, Verdict: Verdict{FixedPoints: []string{}}}
	for _, p := range o.Plan.Programs() {
		c.Seed = append(c.Seed, File{Name: p.Path, Digest: p.Digest})
	}
	for _, s := range o.Sources {
		c.Distfiles = append(c.Distfiles, newDistfile(s.Run))
	}
	for _, done := range o.Stages {
		s := newStage(o.Plan, done)
		c.Stages = append(c.Stages, s)
		c.Verdict.add(s)
		for _, p := range done.Stage.Same {
			c.Verdict.FixedPoints = append(c.Verdict.FixedPoints, fmt.Sprintf("%s: %s == %s", s.Name, p.A, p.B))
		}
	}
	return c
}

func newStage(plan *chain.Plan, done chain.Done) Stage {
	s := Stage{Name: done.Stage.Name, Steps: len(done.Stage.Steps), Hit: done.Hit, Wall: done.Wall, Job: done.Job,
		Bytes: done.Outputs.Size(), Machine: done.Run.Machine}
	if done.Healed != nil {
		s.Healed = done.Healed.Error()
	}
	if done.Stage.Says != "" {
		s.Says = &Saying{done.Stage.Says, done.Said}
	}
	for n := range done.Outputs.Nodes() {
		if n.Kind == tree.File {
			_, answered := plan.Answers[s.Name+"/"+n.Path]
			s.Files = append(s.Files, File{Name: n.Path, Digest: n.Content, Answer: answered})
		}
	}
	return s
}

func (v *Verdict) add(s Stage) {
	v.Bytes += s.Bytes
	v.Artefacts += len(s.Files)
	for _, f := range s.Files {
		if f.Answer {
			v.Answered++
		}
	}
	if s.Hit {
		v.Hits++
	}
}

// Digest is one digest for all files of the stage: that of their names and digests as sha256sum prints them.
func (s Stage) Digest() digest.Digest {
	h := digest.NewHasher()
	for _, f := range s.Files {
		fmt.Fprintf(h, "%s  %s\n", f.Digest.Hex(), f.Name)
	}
	return h.Digest()
}

// JSON writes any report as JSON, indented, with a newline at its end.
func JSON(w io.Writer, report any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(report)
}

// Text writes one line a stage, and then the verdict.
func (c Climb) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "stage\tsteps\ttime\thow\tbytes out\tdigest")
	for _, s := range c.Stages {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%d\t%s\n", s.Name, s.Steps, Span(s.Wall), s.how(), s.Bytes, s.Digest().Short())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return c.verdict(w)
}

func (s Stage) how() string {
	switch {
	case s.Hit:
		return "hit"
	case s.Healed != "":
		return "healed"
	}
	return "run"
}

// verdict writes what the run shows, each fact on a line of its own.
func (c Climb) verdict(w io.Writer) error {
	p := &printer{w: w}
	p.line("")
	for _, f := range c.Seed {
		p.line("seed       %s, %d bytes, sha256 %s", f.Name, f.Digest.Size(), f.Digest.Hex())
	}
	for _, d := range c.Distfiles {
		p.line("distfile   %s", d.line())
	}
	for _, same := range c.Verdict.FixedPoints {
		p.line("same       %s", same)
	}
	p.line("answers    %s", c.Verdict.answers())
	p.line("artefacts  %s, %d bytes, in %s", count(c.Verdict.Artefacts, "file"), c.Verdict.Bytes, c.Out)
	if c.Export != "" {
		p.line("archive    %s", c.Export)
	}
	p.line("total      %s, %s, %s on machine %s%s", count(len(c.Stages), "stage"), count(c.Verdict.Hits, "hit"),
		Span(c.Wall), c.Machine, isolation(c.Isolated))
	c.says(p)
	return p.err
}

// says writes what last steps printed.
func (c Climb) says(p *printer) {
	for _, s := range c.Stages {
		if s.Says == nil {
			continue
		}
		if s.Says.Text == "" {
			p.line("says       %s: %s: nothing", s.Name, s.Says.Program)
			continue
		}
		for line := range strings.SplitSeq(strings.TrimRight(s.Says.Text, "\n"), "\n") {
			p.line("says       %s: %s: %s", s.Name, s.Says.Program, printable(line))
		}
	}
}

func (v Verdict) answers() string {
	if v.Answered == v.Artefacts {
		return fmt.Sprintf("every artefact is equal to its answer (%d of %d)", v.Answered, v.Artefacts)
	}
	return fmt.Sprintf("%d of %d artefacts are equal to their answer, %d have none", v.Answered, v.Artefacts,
		v.Artefacts-v.Answered)
}

func isolation(isolated bool) string {
	if isolated {
		return ""
	}
	return " (not isolated: the steps could see the host)"
}

// printer writes lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}
