// SPDX-License-Identifier: MIT

package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/chain"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/report"
)

func TestDisagreementIsTheWorstThatWasFound(t *testing.T) {
	same, failed := ledger.Cell{Same: true}, ledger.Cell{Failure: "x"}
	differs := ledger.Cell{Difference: &ledger.Difference{Artefact: "hex1", What: ledger.Bytes, Offset: 12}}
	row := func(name string, cells ...ledger.Cell) ledger.ComparedStage {
		return ledger.ComparedStage{Name: name, Against: "sandbox", Cells: cells}
	}
	unequal := row("low", same, same)
	unequal.Answers = ledger.Answers{Known: 1, Unequal: 1, First: "hex0"}
	attempts := []chain.Attempt{{}, {Failed: map[string]error{
		"low": fault.New(fault.Unavailable, "no room").WithHint("make some"), "top": &chain.StepError{Stage: "top"},
	}}}
	for name, test := range map[string]struct {
		stages []ledger.ComparedStage
		kind   fault.Kind
		text   string
	}{
		"bytes before failures": {[]ledger.ComparedStage{row("low", same, failed), row("side", same, differs)}, fault.Mismatch,
			`stage "side" on bwrap and sandbox: hex1 at offset 12`},
		"answers":           {[]ledger.ComparedStage{unequal}, fault.Mismatch, `stage "low": "hex0" is not what the answers say`},
		"the first failure": {[]ledger.ComparedStage{row("low", same, failed), row("top", same, failed)}, fault.Unavailable, "on bwrap: no room"},
	} {
		r := report.NewComparison(ledger.Comparison{Machines: []ledger.ComparedMachine{{Name: "sandbox"}, {Name: "bwrap"}},
			Stages: test.stages})
		err := disagreement(r, attempts)
		if fault.KindOf(err) != test.kind || err == nil || err.Error() != test.text {
			t.Errorf("%s: disagreement() = %v (%v); want %q (%v)", name, err, fault.KindOf(err), test.text, test.kind)
		}
		if test.kind == fault.Unavailable && fault.HintOf(err) != "make some" {
			t.Errorf("%s: the hint is %q; want the cause's", name, fault.HintOf(err))
		}
	}
	top := report.NewComparison(ledger.Comparison{Machines: make([]ledger.ComparedMachine, 2),
		Stages: []ledger.ComparedStage{row("top", same, failed)}})
	var step *chain.StepError
	if !errors.As(disagreement(top, attempts), &step) {
		t.Error("disagreement() hides the step that failed, and with it the end of its log")
	}
	agreed := report.NewComparison(ledger.Comparison{Stages: []ledger.ComparedStage{row("low", same, same)}})
	if err := disagreement(agreed, nil); err != nil {
		t.Errorf("disagreement() of machines that agree = %v; want nil", err)
	}
}

func TestViewTellsOfFailedStages(t *testing.T) {
	var b strings.Builder
	v := (&app{stderr: &b, env: func(string) string { return "" }}).newView(false)
	defer v.close()
	v.tell(chain.StageStarted{Stage: "low", Steps: 2})
	v.tell(chain.StageFailed{Stage: "low"})
	if got := b.String(); got != "low: running 2 steps\nlow: failed\n" || len(v.running) != 0 {
		t.Errorf("the view says %q, and %d stages run; want low to have failed", got, len(v.running))
	}
}
