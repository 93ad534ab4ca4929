// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/report"
)

// liveMedia is rung live media.
func (a *app) liveMedia() *cobra.Command {
	var f liveFlags
	c := a.command(verb{
		use:   "media [CHECKOUT] MODE [flags]",
		short: "Make the media of a run",
		long: `Make what a run starts from: a builder-hex0 image, disks, a payload, or a folder. All distfiles have to be held;
every byte is checked while it is written. The target appears whole or not at all, and one that holds something is refused.
The same inputs give the same media.`,
		example: `  rung live media live-bootstrap --qemu --external-sources
  rung live media live-bootstrap -b -m https://mirror.example/distfiles -t stick`,
		args:  cobra.MaximumNArgs(1),
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			if err := f.lasting(); err != nil {
				return err
			}
			p, held, err := a.livePlanned(c.Context(), &f, args)
			if err != nil {
				return err
			}
			return a.makeMedia(c.Context(), p, held)
		},
	})
	f.register(c)
	return c
}

// lasting refuses mirrors whose server ends with this process, where the guest would want them later.
func (f *liveFlags) lasting() error {
	for _, m := range f.o.Mirrors {
		if strings.HasPrefix(m, "file:///") && !f.o.ExternalSources {
			return fault.New(fault.Usage, "--mirrors %s: has no address when the guest runs", m).
				WithHint("serve the folder and give its address, use rung live run, or bring all along with --external-sources")
		}
	}
	return nil
}

// madeMedium is a medium that was written, in JSON.
type madeMedium struct {
	Path   string        `json:"path"`
	Shape  live.Shape    `json:"shape"`
	Size   int64         `json:"size"`
	Digest digest.Digest `json:"digest,omitzero"`
}

// made is what rung live media made.
type made struct {
	Target     string       `json:"target"`
	Media      []madeMedium `json:"media"`
	Command    string       `json:"command_line,omitempty"`
	Directions []string     `json:"directions,omitempty"`
}

func (a *app) makeMedia(ctx context.Context, p *live.Plan, held live.Distfiles) error {
	built, err := live.Builder{Held: held, Run: makeFileSystem, Stage0: live.Stage0Maker{Tool: runTool}.Make}.
		Build(ctx, p)
	if err != nil {
		return stopped(ctx, err)
	}
	if err := p.Mark(built, nil); err != nil { // so that rung live run takes them
		return err
	}
	is := made{Target: p.Options.Target, Directions: p.Directions}
	if len(p.Command.Argv) > 0 {
		is.Command = p.Command.String()
	}
	for _, b := range built {
		is.Media = append(is.Media, madeMedium{b.Path, b.Medium.Shape, b.Size, b.Digest})
	}
	return a.show(is, is.text)
}

func (is made) text(w io.Writer) error {
	for _, m := range is.Media {
		sum := ""
		if !m.Digest.IsZero() {
			sum = "  " + m.Digest.Hex()
		}
		fmt.Fprintf(w, "%s  %s  %s%s\n", m.Path, m.Shape, report.Size(m.Size), sum)
	}
	if is.Command != "" {
		fmt.Fprintf(w, "start it with: %s\n", is.Command)
	}
	for i, line := range is.Directions {
		fmt.Fprintf(w, "%d. %s\n", i+1, line)
	}
	return nil
}
