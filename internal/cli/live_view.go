// SPDX-License-Identifier: MIT

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/live/guest"
)

// liveView shows a run while it goes on: one line that is redrawn on a terminal, otherwise a line a package; with -v,
// or where a person has the terminal, the console itself.
type liveView struct {
	*app
	line   *os.File // nil where nothing is redrawn
	raw    bool     // the console is shown
	person bool     // the terminal is handed over
	ticker *time.Ticker
	once   sync.Once

	drawn bool
	told  string // the package that was told last
}

func (a *app) newLiveView(o live.Options) *liveView {
	v := &liveView{app: a, raw: a.verbose, person: o.Interactive || o.Configurator, ticker: time.NewTicker(tickTime)}
	if f, ok := a.terminal(a.stderr); ok && !v.raw && !v.person {
		v.line = f
	}
	return v
}

func (v *liveView) ticks() <-chan time.Time { return v.ticker.C }

// screenOf gets the console as it is; a terminal that was handed over shows it already.
func (v *liveView) screenOf() io.Writer {
	if _, ok := v.terminal(v.stderr); v.raw && !(v.person && ok) {
		return v.stderr
	}
	return nil
}

func (v *liveView) close() {
	v.once.Do(func() {
		v.ticker.Stop()
		v.clear()
	})
}

func (v *liveView) clear() {
	if v.drawn {
		fmt.Fprint(v.line, "\r\x1b[K")
		v.drawn = false
	}
}

func (v *liveView) note(text string) {
	v.clear()
	v.say("note: %s", text)
}

// progress shows where a run is.
func (v *liveView) progress(s guest.State) {
	if v.person {
		return
	}
	text := liveLine(s)
	if v.line != nil {
		width, _, err := term.GetSize(int(v.line.Fd()))
		if err == nil && width > 1 && len(text) > width-1 {
			text = text[:width-1]
		}
		fmt.Fprint(v.line, "\r\x1b[K"+text)
		v.drawn = true
		return
	}
	key := fmt.Sprint(s.Phase, s.Step, s.Prompt)
	if key == v.told || v.raw {
		return
	}
	v.told = key
	v.say("%s", text)
}

// liveLine is a state as one line.
func liveLine(s guest.State) string {
	var b strings.Builder
	round := func(d time.Duration) time.Duration { return d.Round(time.Second) }
	switch {
	case s.Phase == guest.PhaseFirmware:
		b.WriteString("boot")
	case s.Phase == guest.PhaseSeed:
		fmt.Fprintf(&b, "stage0, before the first of %d packages", s.Packages)
	default:
		fmt.Fprintf(&b, "%d/%d %s", s.Package, s.Packages, s.Name)
		if s.Pass > 1 {
			fmt.Fprintf(&b, " pass %d", s.Pass)
		}
	}
	if doing := strings.TrimSuffix(s.Doing, "."); doing != "" {
		fmt.Fprintf(&b, ": %s", doing)
	}
	fmt.Fprintf(&b, ", %v", round(s.InStep))
	if s.Expected > 0 {
		fmt.Fprintf(&b, " of about %v", round(s.Expected))
	}
	fmt.Fprintf(&b, "; %v in all", round(s.Elapsed))
	if s.Remaining > 0 {
		fmt.Fprintf(&b, ", about %v to go", round(s.Remaining))
	}
	if s.Last > 0 {
		fmt.Fprintf(&b, "; the last took %v", round(s.Last))
	}
	switch {
	case s.Prompt:
		b.WriteString("; a shell waits for you")
	case s.Silent > time.Minute:
		fmt.Fprintf(&b, "; silent for %v", round(s.Silent))
	}
	return printable(b.String())
}

// exitStatus is the status with which a program ended, in an error of os/exec.
func exitStatus(err error) (int, bool) {
	if err == nil {
		return 0, true
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), true
	}
	return 0, false
}
