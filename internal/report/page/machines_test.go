// SPDX-License-Identifier: MIT

package page

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/rung-build/rung/internal/ledger"
)

// compared is material with a comparison of four machines: low is as the chain makes it now, mid is not; the last
// machine made another low, and the third failed at it.
func compared(t testing.TB) Material {
	m := material(t)
	low := ledger.Sum([]ledger.File{file("a", "a!", "")})
	m.Comparison = &ledger.Comparison{
		Time: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC), Chain: "seed", Arch: "amd64",
		Machines: []ledger.ComparedMachine{
			{Name: "sandbox", Version: "1", Isolated: true, Start: 10 * time.Millisecond, Wall: time.Second},
			{Name: "bwrap", Version: "1", Isolated: true, Start: 20 * time.Millisecond, Wall: 2 * time.Second},
			{Name: "podman", Version: "1", Isolated: true, Start: 90 * time.Millisecond, Wall: 3 * time.Second},
			{Name: "qemu", Version: "1", Isolated: true, Start: 1500 * time.Millisecond, Wall: 75 * time.Second},
		},
		Stages: []ledger.ComparedStage{
			{Name: "low", Artefacts: 1, Against: "sandbox", Answers: ledger.Answers{Known: 1}, Cells: []ledger.Cell{
				{Same: true, Outputs: low, Wall: time.Second}, {Same: true, Outputs: low, Kept: true},
				{Failure: `stage "low": step 1 of 2 (p t a): exit status 1, and a reason that goes on for more than a cell holds`},
				{Outputs: of("other"), Wall: time.Minute, Difference: &ledger.Difference{Artefact: "a", What: ledger.Bytes, Offset: 1,
					Got: of("a?"), Want: of("a!")}},
			}},
			{Name: "mid", Artefacts: 1, Against: "sandbox", Answers: ledger.Answers{Known: 1, Unequal: 1, First: "m"},
				Cells: []ledger.Cell{{Same: true, Outputs: of("old mid")}, {Same: true, Outputs: of("old mid")}, {Below: "low"}, {Below: "low"}}},
			{Name: "gone", Cells: make([]ledger.Cell, 4)},
		},
	}
	return m
}

// hostileComparison is one in which every name is something else.
func hostileComparison(evil string) *ledger.Comparison {
	return &ledger.Comparison{Chain: evil, Machines: []ledger.ComparedMachine{{Name: evil, Version: evil}, {Name: "host"}},
		Stages: []ledger.ComparedStage{
			{Name: evil, Against: evil, Answers: ledger.Answers{Known: 1, Unequal: 1, First: evil},
				Cells: []ledger.Cell{{Failure: evil}, {Below: evil}}},
			{Name: "low", Against: evil, Cells: []ledger.Cell{{Same: true}, {Difference: &ledger.Difference{Artefact: evil,
				What: ledger.Length, Got: of("a"), Want: of("ab")}}}},
		}}
}

func TestReportTellsOfTheComparison(t *testing.T) {
	r := newReport(t, compared(t))
	if diff := cmp.Diff([]string{"mid"}, r.Comparison.Outdated); diff != "" {
		t.Errorf("stages that were compared when they were others (-want +got):\n%s", diff)
	}
	var b bytes.Buffer
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"no    machines compared: not every cell is same: of 12, 4 same, 1 different, 1 failed, 6 not run",
		"open  not compared between machines, as they are now: mid\n",
		"\nmachines compared, 2026-11-22 06:00:00 UTC\n\nstage  sandbox",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("Text() does not say %q:\n%s", want, b.String())
		}
	}
	if newReport(t, material(t)).Comparison != nil {
		t.Error("a report of a ledger without a comparison has one")
	}
	m := compared(t)
	m.Comparison.Machines, m.Comparison.Stages = m.Comparison.Machines[:2], m.Comparison.Stages[:1]
	m.Comparison.Stages[0].Cells = m.Comparison.Stages[0].Cells[:2]
	want := finding{good, "machines compared: every cell same: 1 stage, 1 artefact, 2 machines"}
	if got := newReport(t, m).findings(); !slices.Contains(got, want) {
		t.Errorf("findings = %v; want %v among them", got, want)
	}
}

func TestHTMLHoldsTheMatrix(t *testing.T) {
	root, err := html.Parse(bytes.NewReader(pageOf(t, compared(t))))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for n := range root.Descendants() {
		if n.Data != "tr" || !slices.ContainsFunc(ancestors(n), func(a *html.Node) bool { return attr(a, "class") == "matrix" }) {
			continue
		}
		var cells []string
		for c := range n.ChildNodes() {
			if c.Type == html.ElementNode {
				cells = append(cells, textOf(c))
			}
		}
		rows = append(rows, strings.Join(cells, " | "))
	}
	want := []string{
		"Stage | sandbox | bwrap | podman | qemu | Answers",
		`low | same 1.00 s | same kept | failed: step 1 of 2 (p t a): exit status 1, and a reason… | a at offset 1 1 m 00 s | equal (1 of 1)`,
		"mid | same 0.00 s | same 0.00 s | not run: low failed | not run: low failed | m is not equal",
		"gone | not run | not run | not run | not run | not made",
		"Wall time | 1.00 s | 2.00 s | 3.00 s | 1 m 15 s | ",
		"To start | 0.01 s | 0.02 s | 0.09 s | 1.50 s | ",
		"Isolated | yes | yes | yes | yes | ",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("the matrix differs (-want +got):\n%s", diff)
	}
	seen := textOf(root)
	for _, want := range []string{"low on qemu: a at offset 1. Made here: " + of("a?").Hex(), "a reason that goes on for more than a cell holds",
		"Not compared as the chain has them now: mid."} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if bytes.Contains(pageOf(t, material(t)), []byte(`id="machines"`)) {
		t.Error("a page without a comparison has a section for it")
	}
}

func ancestors(n *html.Node) []*html.Node {
	var all []*html.Node
	for a := range n.Ancestors() {
		all = append(all, a)
	}
	return all
}

// Of runs of one job that gave the same, the one to tell of is the latest that isolated.
func TestReportPrefersIsolatedRuns(t *testing.T) {
	m := material(t)
	m.Runs[1].Isolated, m.Runs[1].Machine = true, "sandbox"
	if low := newReport(t, m).Stages[0]; low.Machine != "sandbox" || !low.Isolated {
		t.Errorf("low was made on %s; want sandbox, though host came later", low.Machine)
	}
	m.Runs[5].Outputs = []ledger.File{file("a", "b!", "")}
	if low := newReport(t, m).Stages[0]; low.Machine != "host" {
		t.Errorf("low was made on %s; want host, which gave other bytes later", low.Machine)
	}
}
