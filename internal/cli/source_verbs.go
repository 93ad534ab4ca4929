// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/report"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/seed"
)

// sourceFetch is rung source fetch.
func (a *app) sourceFetch() *cobra.Command {
	var f sourcing
	c := a.command(verb{
		use:   "fetch [NAME...] [flags]",
		short: "Fetch distfiles into the store",
		long: `Fetch the distfiles of the chain, or those of some names, verify and unpack them into the store. What is there
already is not fetched again; what an interrupted run has fetched of a file is kept,
	and the next one goes on from there.

Places are tried in order: each --mirror, then those of the declaration. A wrong file is kept aside and never used.`,
		example: `  rung source fetch
  rung source fetch --mirror /media/stick --mirror http://10.0.0.2:7864/`,
		args:  cobra.ArbitraryArgs,
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			_, got, err := a.fetch(c.Context(), f, args)
			if err != nil {
				return err
			}
			list := []distfile{}
			for _, one := range got {
				list = append(list, aboutFetched(one))
			}
			return a.showDistfiles(list)
		},
	})
	f.declarations(c)
	f.places(c)
	return c
}

// sourceList is rung source ls.
func (a *app) sourceList() *cobra.Command {
	var f sourcing
	c := a.command(verb{
		use:     "ls [NAME...] [flags]",
		short:   "List the distfiles of the chain",
		long:    "List the distfiles that the chain declares, their sizes and licences, and which of them are in the store.",
		example: "  rung source ls\n  rung source ls --json | jq -r '.[].places[]'",
		args:    cobra.ArbitraryArgs,
		kinds:   []fault.Kind{fault.NotFound, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			return a.eachStored(c.Context(), f, args, (*source.Fetcher).Stored)
		},
	})
	f.declarations(c)
	return c
}

// sourceVerify is rung source verify.
func (a *app) sourceVerify() *cobra.Command {
	var f sourcing
	c := a.command(verb{
		use:   "verify [NAME...] [flags]",
		short: "Read distfiles in the store, unpack them once more, and compare",
		long: `Read the distfiles in the store and all that they unpack to, unpack them once more, and compare with the
declarations. The status is 5 where something is damaged, and 3 where something is missing.`,
		example: "  rung source verify && echo sound",
		args:    cobra.ArbitraryArgs,
		kinds:   []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			return a.eachStored(c.Context(), f, args, func(s *source.Fetcher, ctx context.Context, d source.Distfile) (
				source.Fetched, bool, error) {
				got, err := s.Verify(ctx, d)
				return got, err == nil, err
			})
		},
	})
	f.declarations(c)
	return c
}

// eachStored asks the store about declared files, one by one, and shows what it says.
func (a *app) eachStored(ctx context.Context, f sourcing, names []string,
	ask func(*source.Fetcher, context.Context, source.Distfile) (source.Fetched, bool, error)) error {
	files, err := f.declared(names)
	if err != nil {
		return err
	}
	h, err := a.openHome(false)
	if err != nil {
		return err
	}
	fetcher, err := a.newFetcher(h, "/", nil, true, nil)
	if err != nil {
		return err
	}
	list := []distfile{}
	for _, d := range files {
		got, ok, err := ask(fetcher, ctx, d)
		if err != nil {
			return stopped(ctx, err)
		}
		one := about(d)
		if ok {
			one = aboutFetched(got)
		}
		list = append(list, one)
	}
	return a.showDistfiles(list)
}

// sourceMirror is rung source mirror DIR.
func (a *app) sourceMirror() *cobra.Command {
	var f sourcing
	c := a.command(verb{
		use:   "mirror DIR [flags]",
		short: "Put the distfiles into a folder, for machines without a network",
		long: `Fetch what is missing of the chain's distfiles, and put all of them into a folder, which can be carried
to another machine and named there with --mirror DIR. A folder that is a mirror already is added to.
"sha256sum -c MANIFEST" in the folder checks it.`,
		example: "  rung source mirror /media/stick",
		args:    cobra.ExactArgs(1),
		kinds:   []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			fetcher, got, err := a.fetch(c.Context(), f, nil)
			if err != nil {
				return err
			}
			files, err := fetcher.WriteMirror(c.Context(), args[0], got)
			if err != nil {
				return stopped(c.Context(), err)
			}
			return a.showMirror(args[0], files)
		},
	})
	f.declarations(c)
	f.places(c)
	return c
}

func (a *app) showMirror(dir string, files []source.Mirrored) error {
	type file struct {
		Name string        `json:"name"`
		File digest.Digest `json:"file"`
		New  bool          `json:"new"`
	}
	facts := struct {
		Dir   string `json:"dir"`
		Files []file `json:"files"`
	}{dir, []file{}}
	for _, m := range files {
		facts.Files = append(facts.Files, file(m))
	}
	return a.show(facts, func(w io.Writer) error {
		for _, m := range files {
			state := "there already"
			if m.New {
				state = "written"
			}
			if _, err := fmt.Fprintf(w, "%s  %s  %s  %s\n", m.File.Short(), m.Name, report.Size(m.File.Size()),
				state); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(w, "mirror %s: %d files; on the other machine: rung bootstrap --mirror DIR\n", dir, len(files))
		return err
	})
}

// sourceServe is rung source serve DIR.
func (a *app) sourceServe() *cobra.Command {
	var address string
	c := a.command(verb{
		use:   "serve DIR [flags]",
		short: "Serve a mirror by http, until it is interrupted",
		long: `Serve a folder that "rung source mirror" made by http, for --mirror URL elsewhere. Only this machine can
ask, unless --address says otherwise; a port of 0 is any free one. An interrupt ends it with the status
0.`,
		example: `  rung source serve /srv/mirror
  rung source serve /srv/mirror --address 10.0.0.2:7864`,
		args:  cobra.ExactArgs(1),
		kinds: []fault.Kind{fault.NotFound, fault.Unavailable},
		run: func(c *cobra.Command, args []string) error {
			var showing error
			ready := func(url string) {
				showing = a.show(map[string]string{"url": url}, func(w io.Writer) error {
					_, err := fmt.Fprintln(w, url)
					return err
				})
			}
			seen := func(method, path string, status int) {
				if a.verbose {
					a.say("%s %q: %d", method, path, status)
				}
			}
			if err := source.Serve(c.Context(), args[0], address, ready, seen); err != nil {
				return err
			}
			return showing
		},
	})
	c.Flags().StringVar(&address, "address", source.DefaultAddress, "HOST:PORT to listen on")
	return c
}

// sourceDeclare is rung source declare FILE.
func (a *app) sourceDeclare() *cobra.Command {
	var strip int
	var plain bool
	c := a.command(verb{
		use:   "declare FILE [flags]",
		short: "Print the declaration of a file",
		long: `Compute the digests of a file and of what it unpacks to, and print a declaration for chain.star. Its
licence and places are left for you to fill in. That the file is the right one is for you to know:
compare it with a signature.`,
		example: "  rung source declare musl-1.2.3.tar.gz --strip 1\n  rung source declare fix.patch --plain",
		args:    cobra.ExactArgs(1),
		kinds:   []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit},
		run: func(c *cobra.Command, args []string) error {
			d, err := source.Declare(args[0], strip, plain)
			if err != nil {
				return err
			}
			facts := map[string]any{"name": d.Name, "file": d.File, "tree": d.Tree, "strip": d.Strip}
			return a.show(facts, func(w io.Writer) error {
				_, err := io.WriteString(w, d.Starlark())
				return err
			})
		},
	})
	c.Flags().IntVar(&strip, "strip", 0, "1 to take away the single folder that holds everything")
	c.Flags().BoolVar(&plain, "plain", false, "the file is used as it is, and not unpacked")
	return c
}

// keepDistfiles adds to what a store keeps the distfiles that the chain declares.
func (a *app) keepDistfiles(ctx context.Context, h *home, keep map[digest.Digest]bool) error {
	fetcher, err := a.newFetcher(h, "/", nil, false, nil)
	if err != nil {
		return err
	}
	plan, err := chain.Load(seedChain, seed.Files(), runtime.GOARCH)
	if err != nil {
		return nil // a seed without this architecture needs nothing here
	}
	more, err := fetcher.Keep(ctx, plan.Distfiles...)
	maps.Copy(keep, more)
	return err
}
