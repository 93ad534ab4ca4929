// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/report"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/source/apt"
)

// sourceVerbs is rung source.
func (a *app) sourceVerbs() *cobra.Command {
	return a.group(verb{
		use:   "source",
		short: "Fetch, verify and mirror the distfiles of the chain",
		long: `Distfiles are the files of other people that the chain starts from. They are declared by digest, fetched from
upstream or from the Debian mirrors that apt on this machine is set up with, and verified before anything sees them.

A machine without a network takes them from a mirror: a folder that another machine made, or its http server.`,
		example: `  rung source fetch
  rung source mirror /media/stick          # where there is a network
  rung bootstrap --mirror /media/stick     # where there is none`,
	}, a.sourceDeclare(), a.sourceFetch(), a.sourceList(), a.sourceMirror(), a.sourceServe(), a.sourceVerify())
}

// sourcing holds the flags of the verbs that know the chain's declarations.
type sourcing struct {
	arch, seed, root string
	mirrors          []string
}

// declarations gives a verb the flags that say whose declarations count.
func (f *sourcing) declarations(c *cobra.Command) {
	c.Flags().StringVar(&f.arch, "arch", runtime.GOARCH, "architecture, by Go's name")
	c.Flags().StringVar(&f.seed, "seed", "", "folder with the seed, in place of the one rung carries")
	complete(c, "arch", "amd64", "arm64", "riscv64")
	completeFolder(c, "seed")
}

// places gives a verb the flags that say where to fetch from.
func (f *sourcing) places(c *cobra.Command) {
	addMirrorFlag(c, &f.mirrors)
	c.Flags().StringVar(&f.root, "apt-root", "/", "root of the system whose etc/apt names the mirrors of Debian")
	completeFolder(c, "apt-root")
}

// addMirrorFlag is --mirror, for every verb that fetches.
func addMirrorFlag(c *cobra.Command, mirrors *[]string) {
	c.Flags().StringArrayVar(mirrors, "mirror", nil,
		"folder that \"rung source mirror\" made, or URL of a server of one; tried first; can be given several times")
}

// declared are the distfiles of the chain, or those of some names.
func (f *sourcing) declared(names []string) ([]source.Distfile, error) {
	plan, err := seedPlan(f.seed, f.arch)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return plan.Distfiles, nil
	}
	var chosen []source.Distfile
	for _, name := range names {
		i := slices.IndexFunc(plan.Distfiles, func(d source.Distfile) bool { return d.Name == name })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "distfile %q: the chain declares none of that name", name).
				WithHint("rung source ls lists them")
		}
		chosen = append(chosen, plan.Distfiles[i])
	}
	return chosen, nil
}

// newFetcher makes a fetcher for a store. Root is the folder that has etc/apt.
func (a *app) newFetcher(h *home, root string, mirrors []string, whole bool, watch func(source.Event)) (
	*source.Fetcher, error) {
	config := apt.Read(os.DirFS(root))
	if a.verbose {
		for _, note := range config.Notes {
			a.say("note: %s", note)
		}
	}
	return source.New(source.Options{
		Blobs: h.disk, Actions: h.disk, Dir: filepath.Join(h.disk.Dir(), "distfiles"), Mirrors: mirrors, Apt: config,
		Env: a.env, Whole: whole, Sleep: pause, Watch: watch,
	})
}

// pause waits, or gives the context's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fetch fetches declared files and shows how that goes on.
func (a *app) fetch(ctx context.Context, f sourcing, names []string) (*source.Fetcher, []source.Fetched, error) {
	files, err := f.declared(names)
	if err != nil {
		return nil, nil, err
	}
	h, err := a.openHome(false)
	if err != nil {
		return nil, nil, err
	}
	view := a.newView(false)
	defer view.close()
	fetcher, err := a.newFetcher(h, f.root, f.mirrors, true, view.tellSource)
	if err != nil {
		return nil, nil, err
	}
	got, err := fetcher.Fetch(ctx, files...)
	if err != nil {
		return nil, nil, err
	}
	return fetcher, got, nil
}

// distfile is what is told of a distfile.
type distfile struct {
	Name     string        `json:"name"`
	Declared digest.Digest `json:"declared"`       // the file, as declared
	Tree     digest.Digest `json:"tree,omitzero"`  // what it unpacks to, as declared
	Licence  string        `json:"licence"`        //
	Places   []string      `json:"places"`         // as declared
	Stored   bool          `json:"stored"`         //
	File     digest.Digest `json:"file,omitzero"`  // as stored
	Repacked bool          `json:"repacked"`       // file and declared differ, and unpack to one tree
	From     string        `json:"from,omitempty"` // where it came from
	Hit      bool          `json:"hit"`            // it was in the store already
}

func about(d source.Distfile) distfile {
	return distfile{Name: d.Name, Declared: d.File, Tree: d.Tree, Licence: d.Licence, Places: d.Places}
}

func aboutFetched(f source.Fetched) distfile {
	d := about(f.Distfile)
	d.Stored, d.File, d.Repacked, d.From, d.Hit = true, f.File, f.Repacked(), f.Place, f.Hit
	return d
}

func (d distfile) line() string {
	state := "not in the store"
	switch {
	case d.Repacked:
		state = fmt.Sprintf("packed anew: %v, from %s", d.File, d.From)
	case d.Stored:
		state = "from " + d.From
	}
	return fmt.Sprintf("%s  %s  %s  %s  %s", d.Declared.Short(), d.Name, report.Size(d.Declared.Size()), d.Licence, state)
}

// showDistfiles prints a line for each distfile.
func (a *app) showDistfiles(list []distfile) error {
	return a.show(list, func(w io.Writer) error {
		for _, d := range list {
			if _, err := fmt.Fprintln(w, d.line()); err != nil {
				return err
			}
		}
		return nil
	})
}

// tellSource shows an event of a fetch.
func (v *view) tellSource(e source.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if text := v.sourceText(e); text != "" {
		v.draw(text + "\n")
	}
}

// sourceText is what is said of an event; "" for nothing. A distfile that is on its way stands in the block on a
// terminal, as a stage does.
func (v *view) sourceText(e source.Event) string {
	switch e := e.(type) {
	case source.Trying:
		v.arriving(e.Name).argv = []string{e.Place}
		if v.verbose {
			return fmt.Sprintf("%s: asking %s", e.Name, e.Place)
		}
	case source.Progress:
		r := v.arriving(e.Name)
		r.step, r.steps = int(e.Done>>10), int(e.Total>>10)
	case source.Waiting:
		return fmt.Sprintf("%s: another rung fetches it; waiting", e.Name)
	case source.Retrying:
		return fmt.Sprintf("%s: %s: %v; again in %v", e.Name, e.Place, e.Err, e.Wait)
	case source.Refused:
		if v.verbose || fault.KindOf(e.Err) == fault.Mismatch {
			return fmt.Sprintf("%s: %s: %s", e.Name, e.Place, strings.ReplaceAll(e.Err.Error(), "\n", "; "))
		}
	case source.Finished:
		v.running = slices.DeleteFunc(v.running, func(r *running) bool { return r.name == e.Distfile.Name })
		if e.Again {
			return fmt.Sprintf("%s: unpacked again from the store", e.Distfile.Name)
		}
		if e.Repacked() {
			return fmt.Sprintf("%s: fetched from %s: packed anew, %v in place of %v, and unpacks to the declared tree",
				e.Distfile.Name, e.Place, e.File, e.Distfile.File)
		}
		return fmt.Sprintf("%s: fetched from %s", e.Distfile.Name, e.Place)
	}
	return ""
}

// arriving is the line of a distfile in the block.
func (v *view) arriving(name string) *running {
	if r := v.find(name); r != nil {
		return r
	}
	v.running = append(v.running, &running{name: name, arriving: true, since: time.Now()})
	return v.running[len(v.running)-1]
}
