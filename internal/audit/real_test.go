// SPDX-License-Identifier: MIT

package audit

import (
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
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
func seedChain(t testing.TB, arch string) *Chain {
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

// TestEveryChangedBitOfAnInstructionIsNoticed changes the seed's first program bit by bit. Only bytes that are the same
// instruction written another way pass.
func TestEveryChangedBitOfAnInstructionIsNoticed(t *testing.T) {
	const name = "amd64/hex0.hex0"
	rows := strings.Split(string(seedChain(t, "amd64").Texts[name].Bytes), "\n")
	synonyms := map[string]bool{
		"33 c0":          true, // xor eax, eax with its operands the other way round
		"66 43 ba ed 01": true, // mov r10w, 493 with a bit of REX that it does not use
		"66 45 ba ed 01": true,
	}
	changed := 0
	for i, row := range rows {
		words, comment, _ := strings.Cut(row, "#")
		code, err := hex.DecodeString(strings.ReplaceAll(words, " ", ""))
		if err != nil || len(code) == 0 || strings.HasPrefix(comment, " =") {
			continue
		}
		for bit := range 8 * len(code) {
			code[bit/8] ^= 1 << (bit % 8)
			rows[i] = fmt.Sprintf("% x #%s", code, comment)
			_, problems := Disassemble("amd64", name, []byte(strings.Join(rows, "\n")))
			if len(problems) == 0 && !synonyms[fmt.Sprintf("% x", code)] {
				t.Errorf("%s:%d: no problem is found in %s", name, i+1, rows[i])
			}
			code[bit/8] ^= 1 << (bit % 8)
			changed++
		}
		rows[i] = row
	}
	if changed < 500 {
		t.Errorf("%d bits were changed; want those of about 100 bytes", changed)
	}
}
