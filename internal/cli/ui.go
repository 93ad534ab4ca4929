// SPDX-License-Identifier: MIT

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine/console"
	"github.com/rung-build/rung/internal/report"
)

// The rules of talk: "error:" says what failed, "hint:" says what to do, both in lower case and without a full stop.
// Progress and notes go to stderr, so that stdout can always be read by a program.

func (a *app) checkColor() error {
	switch a.color {
	case "auto", "always", "never":
		return nil
	}
	return fault.New(fault.Usage, "--color %s: want auto, always or never", a.color)
}

// terminal is the stream as a terminal that can be drawn on.
func (a *app) terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	return f, ok && a.env("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// paint gives a text a colour on stderr where colour is wanted. The code is that of ECMA-48, SGR.
func (a *app) paint(code, text string) string {
	_, isTerminal := a.terminal(a.stderr)
	if a.color == "always" || a.color == "auto" && isTerminal && a.env("NO_COLOR") == "" {
		return "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	return text
}

// The colours, as SGR codes.
const (
	red   = "31"
	green = "32"
	blue  = "34"
	dim   = "2"
)

func (a *app) say(format string, args ...any) { fmt.Fprintf(a.stderr, format+"\n", args...) }

// complaint is an error in JSON.
type complaint struct {
	Error struct {
		Kind string        `json:"kind"`
		Exit int           `json:"exit"`
		Text string        `json:"text"`
		Hint string        `json:"hint,omitempty"`
		Tail []string      `json:"tail,omitempty"` // the last lines of a failed stage, or of the console of its machine
		Log  digest.Digest `json:"log,omitzero"`   // all of them
		Path string        `json:"log_path,omitempty"`
	} `json:"error"`
}

// complain tells of the error a command ended with: on stderr, and with --json on stdout too, unless
// the command's own report stands there already.
func (a *app) complain(err error) {
	var c complaint
	kind := fault.KindOf(err)
	c.Error.Kind, c.Error.Exit = kind.String(), kind.ExitStatus()
	c.Error.Text, c.Error.Hint = err.Error(), fault.HintOf(err)
	c.Error.Tail, c.Error.Log = said(err)
	if a.home != nil && !c.Error.Log.IsZero() {
		c.Error.Path = a.home.disk.Path(c.Error.Log)
	}
	for line := range strings.SplitSeq(c.Error.Text, "\n") {
		a.say("%s %s", a.paint(red, "error:"), line)
	}
	for _, line := range c.Error.Tail {
		a.say("  | %s", printable(line))
	}
	if c.Error.Path != "" {
		a.say("log: %s", c.Error.Path)
	}
	if c.Error.Hint != "" {
		a.say("%s %s", a.paint(blue, "hint:"), c.Error.Hint)
	}
	if a.json && !a.shown {
		if err := report.JSON(a.stdout, c); err != nil {
			a.say("%s writing the error as JSON: %v", a.paint(red, "error:"), err)
		}
	}
}

// said is the end of what a failed stage printed, or of what the console of a machine that went wrong showed, and all
// of it in the store.
func said(err error) (tail []string, log digest.Digest) {
	var step *chain.StepError
	if errors.As(err, &step) {
		return step.Tail, step.Log
	}
	var trouble *console.Trouble
	if errors.As(err, &trouble) {
		return trouble.Tail, trouble.Console
	}
	return nil, digest.Digest{}
}

// printable is what a step printed, without what would make a terminal do something.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, text)
}

// show writes a report to stdout, as JSON or as text.
func (a *app) show(asJSON any, asText func(io.Writer) error) error {
	var err error
	if a.json {
		a.shown = true
		err = report.JSON(a.stdout, asJSON)
	} else {
		err = asText(a.stdout)
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
