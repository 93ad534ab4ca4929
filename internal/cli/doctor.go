// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/report"
)

// diagnosis is what rung doctor finds.
type diagnosis struct {
	Machines []machineHealth `json:"machines"`
	Store    storeHealth     `json:"store"`
}

// machineHealth tells whether a machine works here.
type machineHealth struct {
	Name     string        `json:"name"`
	Version  string        `json:"version"`
	Isolated bool          `json:"isolated"`
	Arches   []string      `json:"arches"`
	Works    bool          `json:"works"`
	Why      string        `json:"why,omitempty"`  // it does not
	Mend     string        `json:"mend,omitempty"` // what to do about it
	Note     string        `json:"note,omitempty"` // what is good to know where it works
	Start    time.Duration `json:"start_ns"`       // wall time of its own check, which starts it once
}

// storeHealth tells whether the store can be used.
type storeHealth struct {
	Path     string `json:"path"`
	Writable bool   `json:"writable"`
	Why      string `json:"why,omitempty"`
	Mend     string `json:"mend,omitempty"`
	Free     int64  `json:"free_bytes"` // for an ordinary user; 0 where it cannot be told
}

// doctor is rung doctor.
func (a *app) doctor() *cobra.Command {
	return a.command(verb{
		use:   "doctor",
		short: "Tell which machines work here, and what mends those that do not",
		long: `Try every machine and the store, and tell for each whether it works, why not, and what mends it. The status is
7 where the default machine or the store does not work.`,
		example: `  rung doctor
  rung doctor --json | jq '.machines[] | select(.works) | .name'`,
		kinds: []fault.Kind{fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, _ []string) error {
			d := diagnosis{Store: a.examineStore()}
			for _, driver := range a.drivers(machineFlags{}) {
				d.Machines = append(d.Machines, examine(c.Context(), driver))
			}
			if c.Context().Err() != nil {
				return fault.New(fault.Interrupted, "interrupted: %w", c.Context().Err())
			}
			if err := a.show(d, d.text); err != nil {
				return err
			}
			return d.verdict()
		},
	})
}

func examine(ctx context.Context, d driver) machineHealth {
	m := d.make()
	begin := time.Now()
	err := m.Check(ctx)
	took := time.Since(begin)
	info := m.Info() // after the check, which may have found out how the machine is to be used here
	h := machineHealth{
		Name: info.Name, Version: info.Version, Isolated: info.Isolated, Arches: info.Arches, Works: err == nil, Start: took,
	}
	if guest, ok := m.(interface {
		Accel(context.Context) (string, string, error)
	}); ok && err == nil {
		if name, why, err := guest.Accel(ctx); err == nil {
			h.Note = name + ": " + why
		}
	}
	if err != nil {
		h.Why, h.Mend = err.Error(), fault.HintOf(err)
	}
	return h
}

// examineStore opens the store and writes a file into it.
func (a *app) examineStore() storeHealth {
	var h storeHealth
	dir, err := a.storeFolder()
	h.Path = dir
	if err == nil {
		err = a.tryStore(dir)
	}
	h.Writable = err == nil
	if err != nil {
		h.Why, h.Mend = err.Error(), fault.HintOf(err)
	}
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) == nil {
		h.Free = int64(fs.Bavail) * int64(fs.Bsize)
	}
	return h
}

func (a *app) tryStore(dir string) error {
	if _, err := a.openHome(false); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".rung-doctor-*")
	if err != nil {
		return fault.New(fault.Unavailable, "store %s: %w", dir, err).
			WithHint("name a folder that this user can write, with --store DIR or RUNG_STORE")
	}
	f.Close()
	return os.Remove(f.Name())
}

// verdict is the fault of a host on which rung bootstrap would not work.
func (d diagnosis) verdict() error {
	for _, m := range d.Machines {
		if m.Name == sandboxName && !m.Works {
			return fault.New(fault.Unavailable, "the default machine, %s, does not work here", m.Name).WithHint("%s", m.Mend)
		}
	}
	if !d.Store.Writable {
		return fault.New(fault.Unavailable, "the store does not work here").WithHint("%s", d.Store.Mend)
	}
	return nil
}

func (d diagnosis) text(w io.Writer) error {
	for _, m := range d.Machines {
		state := "works, starts in " + report.Span(m.Start)
		if !m.Works {
			state = "does not work"
		}
		if !m.Isolated {
			state += ", not isolated"
		}
		fmt.Fprintf(w, "machine %s (%s): %s\n", m.Name, m.Version, state)
		if m.Note != "" {
			fmt.Fprintf(w, "  note: %s\n", m.Note)
		}
		reason(w, m.Why, m.Mend)
	}
	state := "writable"
	if !d.Store.Writable {
		state = "not writable"
	}
	_, err := fmt.Fprintf(w, "store %s: %s, %s free\n", d.Store.Path, state, report.Size(d.Store.Free))
	reason(w, d.Store.Why, d.Store.Mend)
	return err
}

func reason(w io.Writer, why, mend string) {
	if why != "" {
		fmt.Fprintf(w, "  why:  %s\n", why)
	}
	if mend != "" {
		fmt.Fprintf(w, "  mend: %s\n", mend)
	}
}
