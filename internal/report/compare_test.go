// SPDX-License-Identifier: MIT

package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
)

// compared is a comparison in which everything goes wrong once.
func compared() ledger.Comparison {
	of := func(s string) digest.Digest { return digest.Of([]byte(s)) }
	made := func(c ledger.Cell) ledger.Cell {
		c.Outputs, c.Wall = of("list"), 1500*time.Millisecond
		return c
	}
	return ledger.Comparison{
		Time: time.Date(2026, 11, 4, 12, 30, 0, 0, time.UTC), Chain: "seed", Arch: "amd64",
		Machines: []ledger.ComparedMachine{
			{Name: "sandbox", Version: "1", Isolated: true, Start: 10 * time.Millisecond, Wall: 65 * time.Second},
			{Name: "host", Version: "2", Start: 0, Wall: time.Second},
		},
		Stages: []ledger.ComparedStage{
			{Name: "low", Artefacts: 2, Against: "sandbox", Answers: ledger.Answers{Known: 2},
				Cells: []ledger.Cell{made(ledger.Cell{Same: true}), made(ledger.Cell{Same: true, Kept: true})}},
			{Name: "mid", Artefacts: 1, Against: "sandbox", Answers: ledger.Answers{Known: 1, Unequal: 1, First: "m"},
				Cells: []ledger.Cell{made(ledger.Cell{Same: true}), made(ledger.Cell{Difference: &ledger.Difference{Artefact: "m",
					What: ledger.Bytes, Offset: 7, Got: of("got"), Want: of("want")}})}},
			{Name: "side", Artefacts: 1, Against: "sandbox", Cells: []ledger.Cell{made(ledger.Cell{}),
				{Failure: `stage "side": step 1 of 1 (cc): exit status 1 ` + "\x1b[2J"}}},
			{Name: "top", Cells: []ledger.Cell{{Failure: "no room"}, {Below: "side"}}},
		},
	}
}

func TestComparisonText(t *testing.T) {
	var b bytes.Buffer
	if err := NewComparison(compared()).Text(&b); err != nil {
		t.Fatal(err)
	}
	got, want := digest.Of([]byte("got")).Hex(), digest.Of([]byte("want")).Hex()
	text := `stage  sandbox                        host                                          answers
low    same, 1.50 s                   same, kept                                    equal (2 of 2)
mid    same, 1.50 s                   m at offset 7, 1.50 s                         m is not equal
side   made, and by no other, 1.50 s  failed: step 1 of 1 (cc): exit status 1 �[2J  none
top    failed: no room                not run: side failed                          not made

differs  mid on host: m at offset 7: ` + got + ` here, ` + want + ` on sandbox
failed   side on host: stage "side": step 1 of 1 (cc): exit status 1 �[2J
failed   top on sandbox: no room
machine  sandbox (1): 1 m 05 s, starts in 0.01 s, 4 run, 0 kept
machine  host (2): 1.00 s, starts in 0.00 s, 2 run, 1 kept (not isolated: the steps could see the host)
answers  1 of 3 artefacts that have an answer are not equal to it
not every cell is same: of 8, 3 same, 1 different, 2 failed, 1 not run, 1 made by one machine only
`
	if diff := cmp.Diff(text, b.String()); diff != "" {
		t.Errorf("Text() differs (-want +got):\n%s", diff)
	}
	if err := NewComparison(compared()).Text(full{}); !errors.Is(err, errFull) {
		t.Errorf("Text() to a full disk = %v; want its error", err)
	}
}

func TestComparisonVerdict(t *testing.T) {
	c := compared()
	want := Agreement{Cells: 8, Same: 3, Differ: 1, Failed: 2, NotRun: 1, Alone: 1, Kept: 1, Artefacts: 4, Answered: 2, Unequal: 1}
	if got := NewComparison(c).Verdict; got != want || got.Agree() {
		t.Errorf("Verdict = %+v; want %+v, no agreement", got, want)
	}
	c.Stages = c.Stages[:1]
	r := NewComparison(c)
	if got := r.Headline(); got != "every cell same: 1 stage, 2 artefacts, 2 machines" || !r.Verdict.Agree() {
		t.Errorf("Headline() = %q; want every cell same", got)
	}
	if got := r.Verdict.AnswersLine(); got != "every artefact is equal to its answer (2 of 2)" {
		t.Errorf("AnswersLine() = %q; want every artefact", got)
	}
}

func TestDifferenceText(t *testing.T) {
	two, three := digest.Of([]byte("ab")), digest.Of([]byte("abc"))
	for want, d := range map[string]ledger.Difference{
		"x at offset 0":                      {What: ledger.Bytes},
		"x at an offset that cannot be told": {What: ledger.Bytes, Offset: -1},
		"x ends at 2, of 3 bytes":            {What: ledger.Length, Offset: 2, Got: two, Want: three},
		"x goes on after 2 bytes":            {What: ledger.Length, Offset: 2, Got: three, Want: two},
		"x is missing":                       {What: ledger.Missing},
		"x is made here only":                {What: ledger.Extra},
		"x is of another kind":               {What: ledger.Kind},
		"x is executable on one only":        {What: ledger.Mode},
		"x is a link to elsewhere":           {What: ledger.Target},
	} {
		d.Artefact = "x"
		if got := DifferenceText(d); got != want {
			t.Errorf("DifferenceText(%+v) = %q; want %q", d, got, want)
		}
	}
}

func TestComparisonJSONHasTheSameFacts(t *testing.T) {
	c := NewComparison(compared())
	var b bytes.Buffer
	if err := JSON(&b, c); err != nil {
		t.Fatal(err)
	}
	var again Comparison
	if err := json.Unmarshal(b.Bytes(), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, again, cmp.Comparer(func(a, b digest.Digest) bool { return a == b })); diff != "" {
		t.Errorf("JSON() reads as something else (-want +got):\n%s", diff)
	}
	for _, want := range []string{`"kept": true`, `"offset": 7`, `"below": "side"`, `"start_ns": 10000000`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("JSON() does not hold %s", want)
		}
	}
}
