// SPDX-License-Identifier: MIT

package ledger

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
)

// comparison is one with every field set.
func comparison(chain string) Comparison {
	of := func(s string) digest.Digest { return digest.Of([]byte(s)) }
	return Comparison{
		Time: time.Date(2026, 11, 4, 12, 30, 0, 5, time.UTC), Chain: chain, Arch: "amd64",
		Machines: []ComparedMachine{
			{Name: "sandbox", Version: "1", Isolated: true, Start: time.Millisecond, Wall: time.Second},
			{Name: "host", Version: "<2>"},
		},
		Stages: []ComparedStage{
			{Name: "low", Artefacts: 2, Against: "sandbox", Answers: Answers{Known: 2, Unequal: 1, First: "hex0"}, Cells: []Cell{
				{Same: true, Outputs: of("out"), Wall: time.Second},
				{Outputs: of("ouT"), Kept: true, Wall: 2 * time.Second, Difference: &Difference{Artefact: "hex0", What: Bytes,
					Offset: 7, Got: of("a"), Want: of("b")}},
			}},
			{Name: "top", Cells: []Cell{{Failure: "exit status 1"}, {Below: "low"}}},
		},
	}
}

func TestLedgerReadsComparisonsBesideRuns(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a")
	if err := l.AppendComparison(t.Context(), comparison("seed")); err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, "b")
	checkStages(t, l, "a", "b")
	var lines []Line
	if err := l.Lines(func(line Line) error { lines = append(lines, line); return nil }); err != nil {
		t.Fatal(err)
	}
	a, b, c := sample("a"), sample("b"), comparison("seed")
	if diff := cmp.Diff([]Line{{Run: &a}, {Comparison: &c}, {Run: &b}}, lines, compareDigests); diff != "" {
		t.Errorf("Lines differs from what was appended (-want +got):\n%s", diff)
	}
	if head, err := l.Verify(); err != nil || head.Lines != 3 {
		t.Errorf("Verify = %+v, %v; want 3 lines", head, err)
	}
	if _, ok, err := l.Last(t.Context(), b.Job); !ok || err != nil {
		t.Errorf("Last(b) = %v, %v; want the run behind the comparison", ok, err)
	}
	if text := strings.Split(fileText(t, l.Path()), "\n")[1]; strings.Contains(text, `"stage"`) {
		t.Errorf("the line of a comparison holds the fields of a run: %s", text)
	}
}

// A ledger as it was written before there were comparisons.
func TestLedgerReadsLinesOfOldLedgers(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a")
	const old = `{"prev":"","time":"2026-11-03T12:30:00.123456789Z","chain":"seed","arch":"amd64","stage":"boot0",` +
		`"job":"","machine":"sandbox","version":"1 linux","isolated":true,"steps":[["hex0","in","out"]],"inputs":[],` +
		`"outputs":null,"exit":0,"wall_ns":1000000000,"cpu_ns":2,"memory_bytes":3,"log":""}` + "\n"
	setText(t, l.Path(), old)
	checkStages(t, l, "boot0")
	if head, err := l.Verify(); err != nil || head.Lines != 1 {
		t.Errorf("Verify = %+v, %v; want 1 line", head, err)
	}
}

func TestCellState(t *testing.T) {
	for want, c := range map[State]Cell{
		IsSame: {Same: true}, Differs: {Difference: &Difference{}}, Failed: {Failure: "x"}, NotRun: {Below: "low"},
		Alone: {Outputs: Sum(nil)},
	} {
		if got := c.State(); got != want {
			t.Errorf("State(%+v) = %q; want %q", c, got, want)
		}
	}
}

// The digest of "5891b5...  a\n", as sha256sum gives it for a file "a" that holds "hello\n".
func TestSumIsThatOfTheListOfSha256sum(t *testing.T) {
	got := Sum([]File{{Name: "a", Digest: digest.Of([]byte("hello\n"))}}).Hex()
	if want := "e459fd5252c3ada0b5c18fc9008e490476fe21c7bd65d5268d45535be95d6267"; got != want {
		t.Errorf("Sum(a) = %s; want %s", got, want)
	}
}

func TestLastComparison(t *testing.T) {
	l := newLedger(t)
	if _, ok, err := l.LastComparison(t.Context(), "seed", "amd64"); ok || err != nil {
		t.Errorf("LastComparison() of an empty ledger = %v, %v; want none", ok, err)
	}
	later, other := comparison("seed"), comparison("other")
	later.Time = later.Time.Add(time.Hour)
	for _, c := range []Comparison{comparison("seed"), later, other} {
		if err := l.AppendComparison(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	appendAll(t, l, "a")
	if got, ok, err := l.LastComparison(t.Context(), "seed", "amd64"); !ok || err != nil || !got.Time.Equal(later.Time) {
		t.Errorf("LastComparison(seed) = that of %v, %v, %v; want that of %v", got.Time, ok, err, later.Time)
	}
	if _, ok, err := l.LastComparison(t.Context(), "seed", "arm64"); ok || err != nil {
		t.Errorf("LastComparison(seed, arm64) = %v, %v; want none", ok, err)
	}
}
