// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/report"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/store"
)

// storeVerbs is rung store.
func (a *app) storeVerbs() *cobra.Command {
	return a.group(verb{
		use:   "store",
		short: "Look after the store",
		long: `The store keeps content by its digest, and the results of stages. It is a folder: --store DIR, or $RUNG_STORE,
or rung in the user's cache folder.`,
		example: `  rung store verify
  rung store gc`,
	}, a.storeList(), a.storeVerify(), a.storeGC(), a.storePath())
}

// storeList is rung store ls.
func (a *app) storeList() *cobra.Command {
	return a.command(verb{
		use:     "ls",
		short:   "List the content of the store",
		long:    "List the digest of each content in the store, its size in bytes, and what the ledger knows it as.",
		example: "  rung store ls\n  rung store ls --json | jq 'map(.size) | add'",
		kinds:   []fault.Kind{fault.Mismatch, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, _ []string) error {
			h, err := a.openHome(false)
			if err != nil {
				return err
			}
			runs, err := h.runs(c.Context())
			if err != nil {
				return err
			}
			list, err := contents(c.Context(), h.disk, names(runs))
			if err != nil {
				return err
			}
			return a.show(list, func(w io.Writer) error {
				for _, e := range list {
					if _, err := fmt.Fprintf(w, "%s %10d  %s\n", e.SHA256, e.Size, e.Name); err != nil {
						return err
					}
				}
				return nil
			})
		},
	})
}

// content is one blob of the store.
type content struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Name   string `json:"name,omitempty"` // "boot0/hex0", "seed:amd64/hex0.hex0", "log of boot0"
}

func contents(ctx context.Context, disk *store.Disk, names map[digest.Digest]string) ([]content, error) {
	list := []content{}
	for d, err := range disk.List(ctx) {
		if err != nil {
			return nil, stopped(ctx, err)
		}
		list = append(list, content{SHA256: d.Hex(), Size: d.Size(), Name: names[d]})
	}
	return list, nil
}

// names tells what the ledger knows content as; what was made counts more than what was taken.
func names(runs []ledger.Run) map[digest.Digest]string {
	known := map[digest.Digest]string{}
	for _, run := range runs {
		known[run.Log] = "log of " + run.Stage
		for _, in := range run.Inputs {
			known[in.Digest] = in.From
		}
	}
	for _, run := range runs {
		for _, out := range run.Outputs {
			known[out.Digest] = run.Stage + "/" + out.Name
		}
	}
	return known
}

// storeVerify is rung store verify.
func (a *app) storeVerify() *cobra.Command {
	return a.command(verb{
		use:   "verify",
		short: "Read everything in the store, and name what is damaged",
		long: `Read everything in the store and compare it with its digest. What is damaged is named and moved aside; the next
run of the stage that made it makes it again. The status is 5 where something was damaged.`,
		example: "  rung store verify && echo sound",
		kinds:   []fault.Kind{fault.Mismatch, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, _ []string) error {
			h, err := a.openHome(false)
			if err != nil {
				return err
			}
			var all store.Progress
			damaged, err := h.disk.Verify(c.Context(), func(p store.Progress) { all = p })
			if err != nil {
				return stopped(c.Context(), err)
			}
			return a.tellDamage(all, damaged)
		},
	})
}

// damage is one file of the store whose bytes are not those of its name.
type damage struct {
	SHA256 string `json:"sha256"`
	Path   string `json:"path"`
	Moved  string `json:"moved,omitempty"`
	Text   string `json:"text"`
}

func (a *app) tellDamage(all store.Progress, damaged []*store.CorruptError) error {
	facts := struct {
		Files   int      `json:"files"`
		Bytes   int64    `json:"bytes"`
		Damaged []damage `json:"damaged"`
	}{all.Files, all.Bytes, []damage{}}
	for _, d := range damaged {
		facts.Damaged = append(facts.Damaged, damage{d.Digest.Hex(), d.Path, d.Moved, d.Error()})
	}
	if len(damaged) > 0 {
		for _, d := range damaged {
			a.say("%s", d.Error())
		}
		err := fault.New(fault.Mismatch, "store: %d of %d files are damaged", len(damaged), all.Files).
			WithHint("they are moved aside; rung bootstrap makes them again")
		if a.json {
			if err := a.show(facts, nil); err != nil {
				return err
			}
		}
		return err
	}
	return a.show(facts, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%d files, %s: all as their digests say\n", all.Files, report.Size(all.Bytes))
		return err
	})
}

// storeGC is rung store gc.
func (a *app) storeGC() *cobra.Command {
	return a.command(verb{
		use:   "gc",
		short: "Remove from the store what no latest run needs",
		long: `Remove everything but the results, inputs, outputs and logs of the latest successful run of each stage, by the
ledger, and the distfiles that the chain declares. Needs the store for itself: the status is 7 while another rung uses it.`,
		example: "  rung store gc\n  rung store gc --json | jq .bytes",
		kinds:   []fault.Kind{fault.Mismatch, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, _ []string) error {
			h, err := a.openHome(true)
			if err != nil {
				return err
			}
			runs, err := h.runs(c.Context())
			if err != nil {
				return err
			}
			keep := wanted(runs)
			if err = a.keepUnpacked(c.Context(), h, runs, keep); err == nil {
				err = a.keepDistfiles(c.Context(), h, keep)
			}
			if err != nil {
				return stopped(c.Context(), err)
			}
			got, err := h.disk.GC(c.Context(), keep)
			if err != nil {
				return stopped(c.Context(), err)
			}
			facts := map[string]int64{
				"blobs": int64(got.Blobs), "actions": int64(got.Actions), "stale": int64(got.Stale), "bytes": got.Bytes,
				"kept": int64(got.Kept),
			}
			return a.show(facts, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "removed %d blobs, %d results and %d stale files, %s; kept %d blobs\n",
					got.Blobs, got.Actions, got.Stale, report.Size(got.Bytes), got.Kept)
				return err
			})
		},
	})
}

// wanted names all that the latest successful run of each stage refers to.
func wanted(runs []ledger.Run) map[digest.Digest]bool {
	latest := map[string]ledger.Run{}
	for _, run := range runs {
		if run.Failure == "" {
			latest[run.Chain+" "+run.Arch+" "+run.Stage] = run
		}
	}
	keep := map[digest.Digest]bool{}
	for _, run := range latest {
		keep[run.Job], keep[run.Log] = true, true
		for _, f := range run.Inputs {
			keep[f.Digest] = true
		}
		for _, f := range run.Outputs {
			keep[f.Digest] = true
		}
	}
	return keep
}

// keepUnpacked adds to what a store keeps the whole trees of the distfiles that latest runs took from.
func (a *app) keepUnpacked(ctx context.Context, h *home, runs []ledger.Run, keep map[digest.Digest]bool) error {
	fetcher, err := a.newFetcher(h, "/", nil, false, nil)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if run.Distfile == nil || len(run.Inputs) == 0 || !keep[run.Job] {
			continue
		}
		more, err := fetcher.Keep(ctx, source.Distfile{Name: run.Inputs[0].Name, File: run.Distfile.File,
			Tree: run.Distfile.Tree, Strip: run.Distfile.Strip})
		if err != nil {
			return err
		}
		maps.Copy(keep, more)
	}
	return nil
}

// storePath is rung store path.
func (a *app) storePath() *cobra.Command {
	return a.command(verb{
		use:   "path [DIGEST]",
		short: "Print where the store is, or where some content of it lies",
		long: `Print the folder of the store; or, for a digest (eight or more of its first hex digits, or all of them with or
without a slash and the size), the file that holds the content. Whoever reads it there has to verify it.`,
		example: "  rung store path\n  xxd \"$(rung store path 54986ea97618)\"",
		args:    cobra.MaximumNArgs(1),
		kinds:   []fault.Kind{fault.NotFound, fault.Mismatch, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			dir, err := a.storeFolder()
			if err == nil && len(args) > 0 {
				dir, err = a.pathOf(c.Context(), args[0])
			}
			if err != nil {
				return err
			}
			return a.show(map[string]string{"path": dir}, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, dir)
				return err
			})
		},
	})
}

func (a *app) pathOf(ctx context.Context, what string) (string, error) {
	h, err := a.openHome(false)
	if err != nil {
		return "", err
	}
	var found []digest.Digest
	for d, err := range h.disk.List(ctx) {
		if err != nil {
			return "", stopped(ctx, err)
		}
		if d.String() == what || len(what) >= 8 && strings.HasPrefix(d.Hex(), what) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		return "", fault.New(fault.NotFound, "%q: no content of that digest in the store", what).
			WithHint("rung store ls lists them; a digest needs eight hex digits at least")
	case 1:
		return h.disk.Path(found[0]), nil
	}
	return "", fault.New(fault.Usage, "%q: %d contents have digests that begin so", what, len(found)).
		WithHint("give more digits")
}

// stopped names an interrupt for what it is.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.New(fault.Interrupted, "interrupted: %w", err)
	}
	return err
}
