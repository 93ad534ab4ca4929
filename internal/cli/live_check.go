// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/live/manifest"
)

// liveCheck is rung live check.
func (a *app) liveCheck() *cobra.Command {
	var f liveFlags
	c := a.command(verb{
		use:   "check [CHECKOUT] [flags]",
		short: "Tell what is wrong with a checkout, before anything is made of it",
		long: `Tell what is wrong with a checkout: its manifest and sources, submodules that are empty, files that are no inputs,
what a guest cannot take, and what the host lacks. Nothing is written, and no network is asked. Without a mode it is checked
for --qemu, and without mirrors for --external-sources.

Where there are errors the status is that of the first.`,
		example: `  rung live check live-bootstrap
  rung live check live-bootstrap --bare-metal -m https://mirror.example/distfiles --json`,
		args:  cobra.MaximumNArgs(1),
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(_ *cobra.Command, args []string) error {
			if !f.qemu && !f.bareMetal && !f.chroot && !f.bwrap {
				f.qemu = true
			}
			if len(f.o.Mirrors) == 0 && f.o.Stage0Image == "" {
				f.o.ExternalSources = true
			}
			return a.checkCheckout(&f, args)
		},
	})
	f.register(c)
	return c
}

// found is a finding in JSON.
type found struct {
	Area     live.Area `json:"area"`
	Severity string    `json:"severity"`
	File     string    `json:"file,omitempty"`
	Line     int       `json:"line,omitempty"`
	Column   int       `json:"column,omitempty"`
	Text     string    `json:"text"`
	Hint     string    `json:"hint,omitempty"`
}

// checked is what a check says.
type checked struct {
	Checkout   string        `json:"checkout"`
	Generation string        `json:"generation"`
	Identity   live.Identity `json:"identity"`
	Seeds      []live.Seed   `json:"seeds"`
	Errors     int           `json:"errors"`
	Warnings   int           `json:"warnings"`
	Findings   []found       `json:"findings"`
}

func (a *app) checkCheckout(f *liveFlags, args []string) error {
	o, err := f.options(checkoutDir(args))
	if err != nil {
		return err
	}
	c, held, err := a.openCheckout(args)
	if err != nil {
		return err
	}
	if c, err = c.With(o); err != nil {
		return err
	}
	identity, err := c.Identity()
	if err != nil {
		return err
	}
	all := append(c.Check(o, held), hostFindings(o)...)
	is := checked{Checkout: c.Dir, Generation: generationName(c.Generation), Identity: identity, Findings: []found{}}
	if seeds, err := c.Seeds(o); err == nil { // else a finding says what is missing
		is.Seeds = seeds
	}
	for _, f := range all {
		is.Findings = append(is.Findings, found{f.Area, f.Severity.String(), f.Pos.File, f.Pos.Line, f.Pos.Column,
			f.Text, f.Hint})
		if f.Severity == manifest.Error {
			is.Errors++
		} else {
			is.Warnings++
		}
	}
	if err := a.show(is, func(w io.Writer) error { return is.text(w, all) }); err != nil {
		return err
	}
	return live.Failed(all)
}

// text prints findings area by area.
func (is checked) text(w io.Writer, all []live.Finding) error {
	fmt.Fprintf(w, "checkout  %s\ngeneration %s\ninputs    %s\n", is.Checkout, is.Generation, is.Identity.Tree.Hex())
	if is.Identity.Commit != "" {
		fmt.Fprintf(w, "commit    %s\n", is.Identity.Commit)
	}
	for _, seed := range is.Seeds {
		fmt.Fprintf(w, "seed      %s  %d bytes  %s\n", seed.Digest.Hex(), seed.Digest.Size(), seed.Path)
	}
	area := live.Area("")
	for _, f := range all {
		if f.Area != area {
			area = f.Area
			fmt.Fprintf(w, "\n%s\n", area)
		}
		fmt.Fprintf(w, "  %s\n", f)
		if f.Hint != "" {
			fmt.Fprintf(w, "      hint: %s\n", f.Hint)
		}
	}
	_, err := fmt.Fprintf(w, "\n%d errors, %d warnings\n", is.Errors, is.Warnings)
	return err
}

func generationName(g manifest.Generation) string {
	return [...]string{manifest.H: "H (2026-02, without extra builds)", manifest.F1: "F1 (--build-guix-also)",
		manifest.F2: "F2 (--extra-builds)"}[g]
}
