// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	livefile "github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/manifest"
	"github.com/rung-build/rung/internal/report"
	"github.com/rung-build/rung/internal/source"
)

// liveFetching holds the flags of the verbs that fetch distfiles of a checkout.
type liveFetching struct {
	mirrors           []string
	offline, git, ask bool
	early, all        bool
	jobs              int
	stall             time.Duration
}

func (f *liveFetching) register(c *cobra.Command) {
	c.Flags().StringArrayVarP(&f.mirrors, "mirrors", "m", nil,
		"addresses of folders with distfiles, by http, https or file; asked first, in this order; takes several, and adds up")
	c.Flags().BoolVar(&f.offline, "offline", false, "ask nothing but the cache, the checkout's distfiles folder, and mirrors by file")
	c.Flags().IntVar(&f.jobs, "jobs", 8, "files to fetch at once")
	c.Flags().DurationVar(&f.stall, "stall", 30*time.Second, "how long a place may send next to nothing")
}

// liveFetch is rung live fetch.
func (a *app) liveFetch() *cobra.Command {
	var f liveFetching
	c := a.command(verb{
		use:   "fetch [CHECKOUT] [flags]",
		short: "Fetch the distfiles of a checkout, and verify them",
		long: `Fetch the distfiles that the manifests of a checkout name. Those in the checkout's distfiles folder are taken from
there, and never changed. The others are asked of each mirror in turn, then of each address of upstream; what has not the
right SHA-256 is kept aside and never used, and a place that is down or lies only means that the next one is asked. Nothing
has its name before it is complete and verified; a run that is stopped goes on where it was.

The report tells how each place did. Where a file could not be had the status is 7, or 5 where some place sent wrong bytes;
all others are there nevertheless.`,
		example: `  rung live fetch live-bootstrap --mirror https://mirror.example/distfiles
  rung live fetch live-bootstrap --mirror file:///media/stick --offline
  rung live fetch live-bootstrap --check --mirror https://a.example/ --mirror https://b.example/`,
		args:  cobra.MaximumNArgs(1),
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			checkout, files, err := a.liveFiles(c.Context(), args, &f)
			if err != nil {
				return err
			}
			if f.ask {
				return a.surveyLive(c.Context(), &f, checkout, files)
			}
			_, r, err := a.fetchLive(c.Context(), &f, checkout, files)
			if err != nil {
				return err
			}
			if err := a.showFetched(r, nil); err != nil {
				return err
			}
			return r.Err()
		},
	})
	f.register(c)
	c.Flags().BoolVar(&f.ask, "check", false, "only ask which files the mirrors have, or upstream where there is none; takes seconds")
	c.Flags().BoolVar(&f.git, "git", false, "make archives of git repositories where no place has them; clones take space and time")
	c.Flags().BoolVar(&f.early, "until-network", false, "only what a guest needs before it can fetch by itself")
	c.Flags().BoolVar(&f.all, "all-packages", false, "of all packages, whether a manifest builds them or not")
	return c
}

// liveFiles are the distfiles that a verb is about.
func (a *app) liveFiles(_ context.Context, args []string, f *liveFetching) (*live.Checkout, []livefile.File, error) {
	c, err := live.Open(checkoutDir(args))
	if err != nil {
		return nil, nil, err
	}
	var lines []livefile.Distfile
	for _, r := range c.Roots {
		if err := r.Problems.Err(); err != nil {
			return nil, nil, err
		}
		packages := slices.Sorted(maps.Keys(r.Sources))
		if !f.all {
			scanned := r.Manifest.Scan()
			if f.early {
				scanned, _ = r.Manifest.ScanBefore(manifest.Network, c.Generation)
			}
			packages = nil
			for _, s := range scanned {
				packages = append(packages, s.Package)
			}
		}
		for _, p := range packages {
			lines = append(lines, r.Sources[p]...)
		}
	}
	files, problems := livefile.Files(lines)
	return c, files, problems.Err()
}

// liveFetcher makes a fetcher, and takes what lies in folders.
func (a *app) liveFetcher(ctx context.Context, f *liveFetching, files []livefile.File, watch func(source.Event), folders ...string) (
	*livefile.Fetcher, error) {
	cache, err := a.liveCache()
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		wrong, err := cache.Adopt(ctx, folder, files)
		if err != nil {
			return nil, stopped(ctx, err)
		}
		for _, w := range wrong {
			a.say("note: %s: the SHA-256 is %s; want %s; it is not used", w.Path, w.Got, w.Want)
		}
	}
	o := livefile.Options{Cache: cache, Mirrors: f.mirrors, Offline: f.offline, Env: a.env, Watch: watch, Jobs: f.jobs,
		Stall: f.stall, Sleep: pause, Now: time.Now}
	if f.git {
		store, err := a.storeFolder()
		if err != nil {
			return nil, err
		}
		o.Git = &livefile.Archiver{Dir: filepath.Join(store, "live", "git"), Run: runProgram}
	}
	return livefile.New(o)
}

// fetchLive fetches distfiles and shows how that goes on.
func (a *app) fetchLive(ctx context.Context, f *liveFetching, c *live.Checkout, files []livefile.File, folders ...string) (
	*livefile.Fetcher, livefile.Report, error) {
	v := a.newView(false)
	defer v.close()
	folders = append([]string{filepath.Join(c.Dir, "distfiles")}, folders...)
	fetcher, err := a.liveFetcher(ctx, f, files, v.tellLive, folders...)
	if err != nil {
		return nil, livefile.Report{}, err
	}
	r, err := fetcher.Fetch(ctx, files)
	return fetcher, r, err
}

// tellLive shows an event of a fetch.
func (v *view) tellLive(e source.Event) {
	switch e := e.(type) {
	case source.Arrived:
		v.mu.Lock()
		defer v.mu.Unlock()
		v.forget(e.Name)
		v.draw(fmt.Sprintf("%s: %s from %s\n", e.Name, report.Size(e.Size), e.Place))
	case source.Refused:
		v.mu.Lock()
		defer v.mu.Unlock()
		v.forget(e.Name)
		if v.verbose || fault.KindOf(e.Err) == fault.Mismatch {
			first, _, _ := strings.Cut(e.Err.Error(), "\n")
			v.draw(fmt.Sprintf("%s: %s: %s\n", e.Name, e.Place, printable(first)))
		}
	default:
		v.tellSource(e)
	}
}

// runProgram runs a program that a fetch needs: git, gzip, xz.
func runProgram(ctx context.Context, p livefile.Program) error {
	name, err := exec.LookPath(p.Argv[0])
	if err != nil {
		return fault.New(fault.Unavailable, "%w", err).WithHint("install %s", p.Argv[0])
	}
	cmd := exec.CommandContext(ctx, name, p.Argv[1:]...)
	var said bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), p.Env...), p.Stdin, p.Stdout, &said
	cmd.WaitDelay = 5 * time.Second // what it started may keep its streams open
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

// liveTried is a place that did not do, in JSON.
type liveTried struct {
	Place   string         `json:"place"`
	Trouble source.Trouble `json:"trouble"`
	Why     string         `json:"why"`
	Kept    string         `json:"kept,omitempty"`
}

// livePlace is how a place did.
type livePlace struct {
	Place    string                 `json:"place"`
	Mirror   bool                   `json:"mirror"`
	Asked    int                    `json:"asked"`
	Gave     int                    `json:"gave"`
	Troubles map[source.Trouble]int `json:"troubles"`
	Bytes    int64                  `json:"bytes"`
	Speed    int64                  `json:"bytes_per_second"`
	GivenUp  bool                   `json:"given_up"`
	Why      string                 `json:"why,omitempty"`
}

func newLivePlaces(all []livefile.Health) []livePlace {
	places := []livePlace{}
	for _, h := range all {
		places = append(places, livePlace{h.Place, h.Mirror, h.Asked, h.Gave, h.Troubles, h.Bytes, h.Speed(), h.GivenUp, h.Why})
	}
	return places
}

// line tells of a place, or "" where it was not asked.
func (p livePlace) line() string {
	var b strings.Builder
	what := "upstream"
	if p.Mirror {
		what = "mirror"
	}
	fmt.Fprintf(&b, "%s %s: gave %d of %d", what, p.Place, p.Gave, p.Asked)
	for _, t := range slices.Sorted(maps.Keys(p.Troubles)) {
		fmt.Fprintf(&b, ", %d %s", p.Troubles[t], t)
	}
	if p.Speed > 0 {
		fmt.Fprintf(&b, ", %s at %s/s", report.Size(p.Bytes), report.Size(p.Speed))
	}
	if p.GivenUp {
		b.WriteString(", given up")
	}
	if p.Why != "" {
		fmt.Fprintf(&b, " (%s)", printable(p.Why))
	}
	return b.String()
}

// liveFetched is what came of a fetch, in JSON.
type liveFetched struct {
	Files  []liveFetchedFile      `json:"files"`
	Places []livePlace            `json:"places"`
	Counts map[livefile.State]int `json:"counts"`
	Mirror *liveMirrored          `json:"mirror,omitempty"`
}

type liveFetchedFile struct {
	Name   string         `json:"name"`
	SHA256 string         `json:"sha256"`
	State  livefile.State `json:"state"`
	Size   int64          `json:"size,omitempty"`
	Place  string         `json:"place,omitempty"`
	Note   string         `json:"note,omitempty"`
	Tries  []liveTried    `json:"tries,omitempty"`
}

func (a *app) showFetched(r livefile.Report, mirrored *liveMirrored) error {
	is := liveFetched{Files: []liveFetchedFile{}, Places: newLivePlaces(r.Places), Counts: map[livefile.State]int{}, Mirror: mirrored}
	for _, f := range r.Files {
		one := liveFetchedFile{Name: f.Name, SHA256: f.SHA256, State: f.State, Size: f.Size, Place: f.Place, Note: f.Note}
		for _, t := range f.Tries {
			one.Tries = append(one.Tries, liveTried(t))
		}
		is.Files = append(is.Files, one)
		is.Counts[f.State]++
	}
	return a.show(is, func(w io.Writer) error {
		var b strings.Builder
		for _, f := range r.Files {
			if f.Note != "" {
				fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Note)
			}
		}
		for _, p := range is.Places {
			b.WriteString(p.line() + "\n")
		}
		fmt.Fprintf(&b, "%d distfiles", len(r.Files))
		for _, s := range []livefile.State{livefile.Held, livefile.Fetched, livefile.Made, livefile.Failed} {
			if n, bytes := r.Count(s); n > 0 && s == livefile.Failed {
				fmt.Fprintf(&b, ", %d failed", n)
			} else if n > 0 {
				fmt.Fprintf(&b, ", %d %s (%s)", n, s, report.Size(bytes))
			}
		}
		if mirrored != nil {
			fmt.Fprintf(&b, "\nmirror %s: %d written, %d there already", mirrored.Dir, mirrored.Written, mirrored.There)
		}
		_, err := io.WriteString(w, b.String()+"\n")
		return err
	})
}

// livePresence is where a file can be had, in JSON.
type livePresence struct {
	Name   string      `json:"name"`
	SHA256 string      `json:"sha256"`
	Held   bool        `json:"held"`
	At     []string    `json:"at"`
	Not    []liveTried `json:"not"`
}

// surveyLive asks places what they have.
func (a *app) surveyLive(ctx context.Context, f *liveFetching, c *live.Checkout, files []livefile.File) error {
	f.stall = min(f.stall, 10*time.Second)
	fetcher, err := a.liveFetcher(ctx, f, files, nil, filepath.Join(c.Dir, "distfiles"))
	if err != nil {
		return err
	}
	s, err := fetcher.Survey(ctx, files)
	if err != nil {
		return err
	}
	list := []livePresence{}
	for _, p := range s.Files {
		one := livePresence{p.Name, p.SHA256, p.Held, append([]string{}, p.At...), []liveTried{}}
		for _, t := range p.Not {
			one.Not = append(one.Not, liveTried(t))
		}
		list = append(list, one)
	}
	places, lacking := newLivePlaces(s.Places), s.Lacking()
	err = a.show(map[string]any{"files": list, "places": places}, func(w io.Writer) error {
		var b strings.Builder
		for _, p := range lacking {
			fmt.Fprintf(&b, "%s: nobody has it\n", p.Name)
			for _, t := range p.Not {
				fmt.Fprintf(&b, "  %s: %s\n", t.Place, printable(t.Why))
			}
		}
		for _, p := range places {
			b.WriteString(strings.Replace(p.line(), "gave", "has", 1) + "\n")
		}
		_, err := fmt.Fprintf(w, "%s%d distfiles, %d of them nobody has\n", b.String(), len(list), len(lacking))
		return err
	})
	if err == nil && len(lacking) > 0 {
		return fault.New(fault.Unavailable, "%d of %d distfiles can be had nowhere that was asked", len(lacking), len(list)).
			WithHint("add places with --mirror URL; --git makes those that are archives of git repositories")
	}
	return err
}
