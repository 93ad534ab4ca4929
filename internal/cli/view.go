// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/report"
)

// view shows a climb while it goes on: plain lines on stderr, and on a terminal below them one line for each stage that
// runs now, redrawn ten times a second.
//
// It is ours rather than a library's because a climb has no bars: nobody knows beforehand how far along a step is, and
// what a line says (the step and for how long) fits the fifty lines below. The redraw uses three sequences that every
// terminal since the VT100 has: cursor up, erase to the end of the screen, carriage return.
type view struct {
	*app
	screen  *os.File // nil where there is no terminal
	stop    chan struct{}
	stopped sync.WaitGroup
	once    sync.Once

	mu      sync.Mutex
	running []*running        // in the order they began
	drawn   int               // lines of the block on the screen
	begun   map[string]string // by stage, what its console has shown of a line that has not ended
}

// running is a stage that runs now.
type running struct {
	name  string
	steps int
	step  int // from 1; 0 before the first begins
	argv  []string
	since time.Time

	arriving bool // it is a distfile: step and steps are KiB, argv the place
}

const redraw = 100 * time.Millisecond

// newView begins to show; close ends it. Where a person is to have a shell, the screen is theirs.
func (a *app) newView(interactive bool) *view {
	v := &view{app: a, stop: make(chan struct{})}
	if f, ok := a.terminal(a.stderr); ok && !a.verbose && !interactive {
		v.screen = f
		v.stopped.Go(v.animate)
	}
	return v
}

func (v *view) animate() {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-v.stop:
			return
		case <-tick.C:
			v.mu.Lock()
			v.draw("")
			v.mu.Unlock()
		}
	}
}

// close takes the block from the screen. What was said stays.
func (v *view) close() {
	v.once.Do(func() { close(v.stop) })
	v.stopped.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.running = nil
	v.draw("")
}

// tell shows an event.
func (v *view) tell(e chain.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := e.(type) {
	case chain.StageStarted:
		v.running = append(v.running, &running{name: e.Stage, steps: e.Steps, since: time.Now()})
		v.plain("%s: running %d steps", e.Stage, e.Steps)
	case chain.StepStarted:
		if r := v.find(e.Stage); r != nil {
			r.step, r.argv = e.Step+1, e.Argv
		}
		v.detail("%s: step %d: %s", e.Stage, e.Step+1, strings.Join(e.Argv, " "))
	case chain.StepDone:
		v.detail("%s: step %d: done in %s", e.Stage, e.Step+1, report.Span(e.Result.Usage.Wall))
	case chain.StepOutput:
		v.detail("%s: step %d: | %s", e.Stage, e.Step+1, printable(strings.TrimRight(string(e.Bytes), "\n")))
	case chain.ConsoleOutput:
		if v.verbose {
			v.console(e)
		}
	case chain.StageHealing:
		v.draw(fmt.Sprintf("%s: %s\n", e.Stage, v.paint(red, "healing: "+e.Cause.Error())))
	case chain.StageDone:
		v.forget(e.Stage.Name)
		v.draw(v.line(e.Done))
	case chain.StageFailed:
		v.forget(e.Stage)
		v.draw(fmt.Sprintf("%s: %s\n", e.Stage, v.paint(red, "failed")))
	}
}

// console shows the lines of a console that have ended.
func (v *view) console(e chain.ConsoleOutput) {
	lines := strings.Split(v.begun[e.Stage]+string(e.Bytes), "\n")
	last := len(lines) - 1
	for _, line := range lines[:last] {
		v.say("%s: console: %s", e.Stage, printable(strings.TrimRight(line, "\r")))
	}
	if v.begun == nil {
		v.begun = make(map[string]string)
	}
	v.begun[e.Stage] = lines[last][:min(len(lines[last]), maxConsoleLine)]
}

// maxConsoleLine is how much of a line without an end is kept, in bytes.
const maxConsoleLine = 4 << 10

// forget takes a stage out of the block.
func (v *view) forget(stage string) {
	v.running = slices.DeleteFunc(v.running, func(r *running) bool { return r.name == stage })
}

// line tells of a finished stage.
func (v *view) line(d chain.Done) string {
	how := v.paint(green, "done") + " in " + report.Span(d.Wall)
	if d.Hit {
		how = v.paint(dim, "stored result taken")
	}
	return fmt.Sprintf("%s: %s\n", d.Stage.Name, how)
}

// plain says what a terminal shows in its block.
func (v *view) plain(format string, args ...any) {
	if v.screen == nil {
		v.say(format, args...)
	}
}

// detail says what only --verbose wants to know.
func (v *view) detail(format string, args ...any) {
	if v.verbose {
		v.say(format, args...)
	}
}

func (v *view) find(stage string) *running {
	for _, r := range v.running {
		if r.name == stage {
			return r
		}
	}
	return nil
}

// draw puts a text that stays above the block, and the block anew. Where there is no screen it is the text alone.
func (v *view) draw(text string) {
	var b strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", v.drawn)
	}
	b.WriteString(text)
	v.drawn = 0
	if v.screen != nil {
		width, height, err := term.GetSize(int(v.screen.Fd()))
		if err != nil || width <= 0 || height <= 0 { // a terminal may not know its size
			width, height = 80, 24
		}
		for _, r := range v.running[:min(len(v.running), max(height-2, 0))] {
			b.WriteString(r.text(width-1) + "\n")
			v.drawn++
		}
	}
	if b.Len() > 0 {
		io.WriteString(v.stderr, b.String())
	}
}

// text is the stage's line, cut to a width in characters.
func (r *running) text(width int) string {
	form := "%s  step %d of %d  %s  %s"
	if r.arriving {
		form = "%s  %d of %d KiB  %s  %s"
	}
	line := fmt.Sprintf(form, r.name, r.step, r.steps, report.Span(time.Since(r.since)), strings.Join(r.argv, " "))
	if runes := []rune(line); len(runes) > width {
		return string(runes[:max(width, 0)])
	}
	return line
}
