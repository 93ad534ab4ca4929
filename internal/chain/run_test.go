// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// tower is two stages side by side below a third.
const tower = `
def copy(name, inputs, words):
    inputs["cat"] = program("seed:amd64/cat")
    stage(name=name, inputs=inputs, steps=[run("cat", *words)], exports=["out"])

copy("left", {"in": "seed:left.txt"}, ["in", "out"])
copy("right", {"in": "seed:right.txt"}, ["in", "out"])
copy("top", {"l": "left/out", "r": "right/out"}, ["l", "r", "out"])
`

func newTower(t *testing.T) *site {
	t.Helper()
	s := newSite(t, tower)
	s.write("left.txt", "left, ")
	s.write("right.txt", "right\n")
	return s
}

// hits lists the stages whose stored result was taken.
func hits(out Outcome) string {
	var names []string
	for _, d := range out.Stages {
		if d.Hit {
			names = append(names, d.Stage.Name)
		}
	}
	return strings.Join(names, " ")
}

func TestRunClimbs(t *testing.T) {
	s := newTower(t)
	out := s.mustClimb(t)
	top, _ := out.Stages[2].Outputs.Lookup("out")
	if want := digest.Of([]byte("left, right\n")); top.Content != want {
		t.Errorf("Run(): top/out is %v; want %v", top.Content, want)
	}
	if len(s.runs(t)) != 3 || hits(out) != "" {
		t.Errorf("Run(): %d runs in the ledger, hits %q; want 3 and none", len(s.runs(t)), hits(out))
	}
	run := s.runs(t)[2]
	var from []string
	for _, in := range run.Inputs {
		from = append(from, in.Name+"="+in.From)
	}
	if diff := cmp.Diff([]string{"cat=seed:amd64/cat", "l=left/out", "r=right/out"}, from); diff != "" {
		t.Errorf("ledger: inputs of top (-want +got):\n%s", diff)
	}
	if run.Stage != "top" || !run.Isolated || run.Machine != "stub" || run.Outputs[0].Digest != top.Content ||
		run.Log.IsZero() {
		t.Errorf("ledger: run %+v; want top on the isolated stub, with its output and log", run)
	}
}

func TestRunTakesStoredResults(t *testing.T) {
	s := newTower(t)
	first := s.mustClimb(t)
	s.machine.ran()
	second := s.mustClimb(t)
	if hits(second) != "left right top" || len(s.machine.ran()) != 0 || len(s.runs(t)) != 3 {
		t.Errorf("Run() again: hits %q; want all, and no new line in the ledger", hits(second))
	}
	for i := range first.Stages {
		if d := first.Stages[i].Outputs.Diff(second.Stages[i].Outputs); d != "" {
			t.Errorf("Run() again: stage %d: %s", i, d)
		}
	}
	s.write("right.txt", "other\n")
	if third := s.mustClimb(t); hits(third) != "left" {
		t.Errorf("Run() with another right.txt: hits %q; want left", hits(third))
	}
}

func TestRunWritesALostLedgerAgain(t *testing.T) {
	s := newTower(t)
	s.mustClimb(t)
	lost := s.runs(t)
	s.newLedger(t)
	s.mustClimb(t)
	if len(s.runs(t)) != 3 || !s.runs(t)[2].Time.Equal(lost[2].Time) {
		t.Errorf("Run() without a ledger wrote %d runs; want the 3 that were made", len(s.runs(t)))
	}
}

func TestRunTrustsOnlyIsolatedMachinesWhereItIsOne(t *testing.T) {
	s := newTower(t)
	s.machine.Description.Isolated = false
	s.mustClimb(t)
	if out := s.mustClimb(t); hits(out) != "left right top" {
		t.Errorf("not isolated after not isolated: hits %q; want all", hits(out))
	}
	s.machine.Description.Isolated = true
	if out := s.mustClimb(t); hits(out) != "" {
		t.Errorf("isolated after not isolated: hits %q; want none", hits(out))
	}
	s.machine.Description.Isolated = false
	s.options = func(o *Options) { o.Rebuild = true }
	s.mustClimb(t)
	s.options, s.machine.Description.Isolated = nil, true
	if out := s.mustClimb(t); hits(out) != "left right top" {
		t.Errorf("isolated after both: hits %q; want all, for the better result stays", hits(out))
	}
}

func TestRunWorksSideBySide(t *testing.T) {
	s := newTower(t)
	below, _, _ := strings.Cut(tower, `copy("top"`)
	s.write("chain.star", below)
	s.machine.meet = &sync.WaitGroup{}
	s.machine.meet.Add(2)
	s.mustClimb(t) // ends only where both stages run at one time
}

func TestRunTellsWhichStepFailed(t *testing.T) {
	s := newSite(t, `stage(name="s", inputs={"fail": program("seed:amd64/fail"), "cat": program("seed:amd64/cat")},
		steps=[run("cat", "fail", "x"), run("fail", *["line %d" % i for i in range(30)])], exports=["out"])`)
	_, err := s.climb(t, t.Context())
	var step *StepError
	if !errors.As(err, &step) || fault.KindOf(err) != fault.BuildFailed {
		t.Fatalf("Run() = %v (%v); want a failed step", err, fault.KindOf(err))
	}
	if step.Step != 1 || step.Steps != 2 || step.Detail != "exit status 3" || len(step.Tail) != 20 ||
		step.Tail[19] != "line 29" || step.Log.IsZero() {
		t.Errorf("Run() = %+v; want step 1 of 2, status 3 and the last 20 lines", step)
	}
	if want := `stage "s": step 2 of 2 (fail line 0 line 1`; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Run() = %q; want %q first", err, want)
	}
	if run := s.runs(t)[0]; run.Exit != 3 || run.Failure != err.Error() || len(run.Outputs) != 0 {
		t.Errorf("ledger: %+v; want the failure", run)
	}
	if _, err := s.climb(t, t.Context()); err == nil {
		t.Error("Run() after a failure = nil; want the failure again")
	}
}

func TestRunTellsOfLimits(t *testing.T) {
	s := newSite(t, `stage(name="s", inputs={"flood": program("seed:amd64/flood")},
		steps=[run("flood")], exports=["out"])`)
	_, err := s.climb(t, t.Context())
	if fault.KindOf(err) != fault.Limit || !strings.Contains(fault.HintOf(err), "chain.star:1:6") {
		t.Errorf("Run() = %v (%v), hint %q; want a limit, and where it stands", err, fault.KindOf(err), fault.HintOf(err))
	}
}

const hanging = `
stage(name="a", inputs={"hang": program("seed:amd64/hang")}, steps=[run("hang")], exports=["out"])
stage(name="b", inputs={"x": program("seed:amd64/hang")}, steps=[run("x")], exports=["out"])
stage(name="c", inputs={"cat": program("seed:amd64/cat"), "a": "a/out"}, steps=[run("cat", "a", "out")],
    exports=["out"])
`

func TestRunStopsWhenInterrupted(t *testing.T) {
	s := newSite(t, hanging)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-s.machine.hanging
		cancel()
	}()
	_, err := s.climb(t, ctx)
	if fault.KindOf(err) != fault.Interrupted || !errors.Is(err, context.Canceled) {
		t.Errorf("Run() = %v (%v); want interrupted", err, fault.KindOf(err))
	}
}

func TestRunFirstFailureStopsTheRest(t *testing.T) {
	s := newSite(t, strings.Replace(hanging, `{"x": program("seed:amd64/hang")}, steps=[run("x")]`,
		`{"fail": program("seed:amd64/fail")}, steps=[run("fail")]`, 1))
	_, err := s.climb(t, t.Context())
	if fault.KindOf(err) != fault.BuildFailed || !strings.Contains(err.Error(), `stage "b"`) {
		t.Errorf("Run() = %v; want the failure of b", err)
	}
}

func TestRunAsksTheLintBeforeAStageRuns(t *testing.T) {
	s := newTower(t)
	s.mustClimb(t)
	s.write("left.txt", "new")
	var asked []string
	s.options = func(o *Options) {
		o.Jobs = 1
		o.Lint = func(texts ...Text) error {
			for _, t := range texts {
				asked = append(asked, t.Path)
				if string(t.Bytes) == "new" {
					return fault.New(fault.Usage, "%s:1:1: new", t.Path)
				}
			}
			return nil
		}
	}
	_, err := s.climb(t, t.Context())
	if err == nil || err.Error() != "left.txt:1:1: new" || strings.Join(asked, " ") != "left.txt" {
		t.Errorf("Run() = %v, the lint was asked about %q; want its refusal of left.txt alone", err, asked)
	}
}

func TestRunTwoAtOnceBothSucceed(t *testing.T) {
	s := newTower(t)
	plan, err := Load("test", s.files, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	now := clock()
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := Run(t.Context(), plan, Options{
				Blobs: s.store, Actions: s.store, Ledger: s.ledger, Machine: s.machine, Jobs: 2, Now: now,
			})
			errs <- err
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Errorf("Run() beside another = %v; want nil", err)
		}
	}
}

// unready is a machine that does not work here.
type unready struct{ *stub }

func (unready) Check(context.Context) error {
	return fault.New(fault.Unavailable, "no namespaces").WithHint("--machine host")
}

func TestRunAsksTheMachineOnlyWhereSomethingRuns(t *testing.T) {
	s := newTower(t)
	s.mustClimb(t)
	s.options = func(o *Options) { o.Machine = unready{s.machine} }
	s.mustClimb(t)
	s.write("left.txt", "new")
	if _, err := s.climb(t, t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Run() = %v; want the machine's own fault", err)
	}
}

func TestRunTellsEventsInOrder(t *testing.T) {
	s := newSite(t, flips)
	s.mustClimb(t)
	want := []Event{
		StageStarted{Stage: "s", Steps: 1},
		StepStarted{Stage: "s", Step: 0, Argv: []string{"flip", "out"}},
		StepDone{Stage: "s", Step: 0},
	}
	if diff := cmp.Diff(want, s.events[:3]); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if _, ok := s.events[3].(StageDone); !ok || len(s.events) != 4 {
		t.Errorf("events end with %v; want one StageDone", s.events[3:])
	}
}
