// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/live/audit"
	livefile "github.com/rung-build/rung/internal/live/distfile"
)

// maxAllowList bounds an allow-list, in bytes.
const maxAllowList = 4 << 20

// liveAudit is rung live audit.
func (a *app) liveAudit() *cobra.Command {
	var lists, names []string
	var fail string
	f := liveFetching{offline: true}
	c := a.command(verb{
		use:   "audit [CHECKOUT] [flags]",
		short: "Look into distfiles for what a bootstrap should not take",
		long: `Look into the distfiles of a checkout, and into its own files, for binaries, for what autoconf, automake, bison and flex
generated, and for licences that are missing or not free. Nothing is fetched: distfiles that are not held are named.

What an allow-list gives a reason for counts as allowed. rung carries one; a line of another is KIND DISTFILE PATH REASON.
The status is 5 where something is not allowed that is as grave as --fail says: high is what has no place in a bootstrap,
medium what a step has to remove before it builds, low what somebody has to look at.`,
		example: `  rung live audit live-bootstrap
  rung live audit live-bootstrap --distfile make-3.82.tar.bz2 --fail low
  rung live audit live-bootstrap --allow my-list.txt --json`,
		args:  cobra.MaximumNArgs(1),
		kinds: []fault.Kind{fault.NotFound, fault.Mismatch, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			least, err := severity(fail)
			if err != nil {
				return err
			}
			allow, err := readAllow(lists)
			if err != nil {
				return err
			}
			checkout, files, err := a.liveFiles(c.Context(), args, &f)
			if err == nil {
				files, err = chosenFiles(files, names)
			}
			if err != nil {
				return err
			}
			is, err := a.auditLive(c.Context(), checkout, files, allow, len(names) == 0)
			if err != nil {
				return stopped(c.Context(), err)
			}
			if err := a.show(is, is.text); err != nil {
				return err
			}
			return is.verdict(least)
		},
	})
	c.Flags().StringArrayVar(&lists, "allow", nil, "file with more that is allowed; can be given several times")
	c.Flags().StringArrayVar(&names, "distfile", nil, "look into this distfile alone; can be given several times")
	c.Flags().StringVar(&fail, "fail", "high", "what is grave enough for the status 5: high, medium or low")
	c.Flags().BoolVar(&f.all, "all-packages", false, "of all packages, whether a manifest builds them or not")
	complete(c, "fail", "high", "medium", "low")
	return c
}

func severity(text string) (audit.Severity, error) {
	for s := audit.Low; s <= audit.High; s++ {
		if s.String() == text {
			return s, nil
		}
	}
	return 0, fault.New(fault.Usage, "--fail %s: want high, medium or low", text)
}

// readAllow is rung's own list and those of the command line.
func readAllow(lists []string) (audit.Allow, error) {
	allow, err := audit.Builtin()
	if err != nil {
		return allow, err
	}
	for _, name := range lists {
		info, err := os.Stat(name)
		if err == nil && (!info.Mode().IsRegular() || info.Size() > maxAllowList) {
			return allow, fault.New(fault.Usage, "--allow %s: not a file of at most 4 MiB", name)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return allow, fault.New(fault.NotFound, "--allow: %w", err)
		}
		more, err := audit.ParseAllow(name, string(text))
		if err != nil {
			return allow, err
		}
		allow = allow.And(more)
	}
	return allow, nil
}

func chosenFiles(files []livefile.File, names []string) ([]livefile.File, error) {
	if len(names) == 0 {
		return files, nil
	}
	var chosen []livefile.File
	for _, name := range names {
		i := slices.IndexFunc(files, func(f livefile.File) bool { return f.Name == name })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "distfile %q: the checkout names none", name).
				WithHint("--all-packages adds those of packages that no manifest builds")
		}
		chosen = append(chosen, files[i])
	}
	return chosen, nil
}

// liveAudited is what an audit found.
type liveAudited struct {
	Results []audit.Result `json:"results"` // those with something to tell
	Clean   int            `json:"clean"`   // distfiles with nothing
	NotHeld []string       `json:"not_held"`
}

// auditLive looks into the distfiles that are held, several at once, and into the checkout's own files.
func (a *app) auditLive(ctx context.Context, c *live.Checkout, files []livefile.File, allow audit.Allow, own bool) (liveAudited, error) {
	is := liveAudited{Results: []audit.Result{}, NotHeld: []string{}}
	cache, err := a.liveCache()
	if err != nil {
		return is, err
	}
	if _, err := cache.Adopt(ctx, filepath.Join(c.Dir, "distfiles"), files); err != nil {
		return is, err
	}
	results, errs := make([]audit.Result, len(files)), make([]error, len(files))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seats := make(chan struct{}, runtime.GOMAXPROCS(0))
	var looking sync.WaitGroup
	for i, f := range files {
		if !cache.Has(f.SHA256) {
			is.NotHeld = append(is.NotHeld, f.Name)
			continue
		}
		seats <- struct{}{}
		looking.Go(func() {
			defer func() { <-seats }()
			if results[i], errs[i] = auditFile(ctx, cache, f, allow); errs[i] != nil {
				cancel()
			}
		})
	}
	looking.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return is, err
		}
	}
	if ctx.Err() != nil {
		return is, ctx.Err()
	}
	if own {
		r, err := audit.Folder(ctx, "checkout", os.DirFS(c.Dir), ownFolders(c), allow)
		if err != nil {
			return is, err
		}
		results = append([]audit.Result{r}, results...)
	}
	for _, r := range results {
		switch {
		case r.Distfile == "":
		case len(r.Findings) == 0:
			is.Clean++
		default:
			is.Results = append(is.Results, r)
		}
	}
	return is, nil
}

// ownFolders are those of a checkout from which a guest gets files.
func ownFolders(c *live.Checkout) []string {
	all := []string{"seed", "builder-hex0"}
	for _, r := range c.Roots {
		all = append(all, r.Name)
	}
	return all
}

func auditFile(ctx context.Context, cache *livefile.Cache, file livefile.File, allow audit.Allow) (audit.Result, error) {
	name, err := cache.Verify(ctx, file.SHA256)
	if err != nil {
		return audit.Result{}, err
	}
	f, err := os.Open(name)
	if err != nil {
		return audit.Result{}, fault.New(fault.Unavailable, "distfile %s: %w", file.Name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return audit.Result{}, fault.New(fault.Unavailable, "distfile %s: %w", file.Name, err)
	}
	return audit.Distfile(ctx, file.Name, f, info.Size(), allow)
}

// text prints findings, those of one distfile together.
func (is liveAudited) text(w io.Writer) error {
	var b strings.Builder
	counts := map[string]int{}
	for _, r := range is.Results {
		fmt.Fprintf(&b, "%s (%d files)\n", r.Distfile, r.Members)
		for _, f := range r.Findings {
			if f.Allowed != "" {
				counts["allowed"]++
				fmt.Fprintf(&b, "  allowed  %-8s %s: %s: %s\n", f.Kind, printable(f.Path), f.Why, f.Allowed)
				continue
			}
			counts[f.Severity.String()]++
			where := printable(f.Path)
			if where == "" {
				where = "the distfile"
			}
			fmt.Fprintf(&b, "  %-8s %-8s %s: %s\n", f.Severity, f.Kind, where, printable(f.Why))
		}
	}
	for _, name := range is.NotHeld {
		fmt.Fprintf(&b, "%s: not held\n", name)
	}
	_, err := fmt.Fprintf(w, "%s%d high, %d medium, %d low, %d allowed, in %d distfiles; %d with nothing, %d not held\n", b.String(),
		counts["high"], counts["medium"], counts["low"], counts["allowed"], len(is.Results), is.Clean, len(is.NotHeld))
	return err
}

// verdict is the error that an audit ends with.
func (is liveAudited) verdict(least audit.Severity) error {
	bad := 0
	for _, r := range is.Results {
		if r.Worst() >= least {
			bad++
		}
	}
	switch {
	case bad > 0:
		return fault.New(fault.Mismatch, "%d distfiles hold what is not allowed", bad).
			WithHint("give reasons in a file: KIND DISTFILE PATH REASON, and name it with --allow")
	case len(is.NotHeld) > 0:
		return fault.New(fault.NotFound, "%d distfiles are not held, and were not looked into", len(is.NotHeld)).
			WithHint("rung live fetch brings them")
	}
	return nil
}
