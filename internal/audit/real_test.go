// SPDX-License-Identifier: MIT

package audit

import (
	"context"
	"io/fs"
	"path"
	"testing"

	"github.com/rung-build/rung/seed"
)

// TestSeedPassesTheAudit disassembles the listings of the seed that this binary carries, decodes its binaries, and
// checks the style of its texts; that the chain's programs make the same bytes is for rung audit to say.
func TestSeedPassesTheAudit(t *testing.T) {
	for _, arch := range []string{"amd64"} {
		t.Run(arch, func(t *testing.T) {
			c := seedChain(t, arch)
			report, err := Run(context.Background(), c, nothingMade)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range report.Problems {
				t.Errorf("Run: %s", p)
			}
			if len(report.Seed) != 1 || !report.Seed[0].Equal || len(report.Listings) != 3 {
				t.Errorf("Run = binaries %v, listings %v; want hex0-seed, and three listings", report.Seed, report.Listings)
			}
		})
	}
}

func nothingMade(context.Context, string, string) ([]Artefact, error) { return nil, nil }

// seedChain is a chain with one stage that takes every text of an architecture and does nothing.
func seedChain(t *testing.T, arch string) *Chain {
	t.Helper()
	c := &Chain{Arch: arch, Texts: map[string]Text{}, Stages: []Stage{{Name: "all"}}}
	for _, dir := range []string{".", arch} {
		entries, err := fs.ReadDir(seed.Files(), dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			program := path.Base(name) == "hex0-seed"
			if e.IsDir() || !program && !isText(name) {
				continue
			}
			b, err := fs.ReadFile(seed.Files(), name)
			if err != nil {
				t.Fatal(err)
			}
			c.Texts[name] = Text{Path: name, Bytes: b, Program: program}
			c.Stages[0].Inputs = append(c.Stages[0].Inputs, Input{Name: name, Path: name})
		}
	}
	return c
}
