// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
)

// liveMirrored is what became of a mirror, in JSON.
type liveMirrored struct {
	Dir     string `json:"dir"`
	Written int    `json:"written"`
	There   int    `json:"there"`
}

// liveMirror is rung live mirror CHECKOUT DIR.
func (a *app) liveMirror() *cobra.Command {
	f := liveFetching{all: true, git: true}
	var address string
	c := a.command(verb{
		use:   "mirror CHECKOUT DIR [flags]",
		short: "Fill a folder with the distfiles of all packages, and serve it",
		long: `Fetch the distfiles of all packages of a checkout, whether a manifest builds them or not, and put them into a folder by
their names: a mirror for --mirrors. What is in the folder already is verified and kept; what is wrong there is replaced.
Archives of git repositories that no place has are made here, with the programs git, gzip and xz: their clones are kept in the
store. Nothing ends the run; what could not be had is told at the end, with the status 7, or 5 where something was wrong.

With --serve the folder is served by http until it is interrupted. A guest in QEMU reaches an address 127.0.0.1:PORT of this
host: its scripts put 10.0.2.2 in place of 127.0.0.1.`,
		example: `  rung live mirror live-bootstrap /srv/distfiles
  rung live mirror live-bootstrap /srv/distfiles --offline --serve 127.0.0.1:8000`,
		args:  cobra.ExactArgs(2),
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			err := a.fillMirror(c.Context(), &f, args)
			if address == "" || fault.KindOf(err) == fault.Interrupted || fault.KindOf(err) == fault.Usage {
				return err
			}
			return errors.Join(err, a.serveMirror(c.Context(), args[1], address))
		},
	})
	f.register(c)
	c.Flags().BoolVar(&f.git, "git", true, "make archives of git repositories where no place has them")
	c.Flags().StringVar(&address, "serve", "", "HOST:PORT to serve the folder at, afterwards; a port of 0 is any free one")
	return c
}

func (a *app) fillMirror(ctx context.Context, f *liveFetching, args []string) error {
	dir, err := filepath.Abs(args[1])
	if err != nil {
		return fault.New(fault.Usage, "%s: %w", args[1], err)
	}
	checkout, files, err := a.liveFiles(ctx, args[:1], f)
	if err != nil {
		return err
	}
	fetcher, r, err := a.fetchLive(ctx, f, checkout, files, dir)
	if err != nil {
		return err
	}
	placed, err := fetcher.Cache.WriteMirror(ctx, dir, files)
	if showing := a.showFetched(r, &liveMirrored{dir, placed.Written, placed.There}); showing != nil {
		return showing
	}
	return errors.Join(r.Err(), err)
}

// serveMirror serves a folder until ctx ends.
func (a *app) serveMirror(ctx context.Context, dir, address string) error {
	ready := func(url string) { a.say("serving %s at %s", dir, url) }
	seen := func(method, path string, status int) {
		if a.verbose {
			a.say("%s %q: %d", method, path, status)
		}
	}
	return source.ServeNames(ctx, dir, address, ready, seen)
}
