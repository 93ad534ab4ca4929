// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine/fake"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// named is a stub of a name of its own. Where spoil is not nil, it changes what cat writes.
func named(name string, spoil func(string) string) *stub {
	m := newStub()
	m.Description.Name = name
	cat := m.Programs["cat"]
	m.Programs["cat"] = func(ctx context.Context, s *fake.State) int {
		status := cat(ctx, s)
		out := s.Argv[len(s.Argv)-1]
		if spoil != nil {
			s.Files[out] = fake.File{Content: spoil(s.Files[out].Content), Executable: true}
		}
		return status
	}
	return m
}

// options are those of a climb of the site on a machine.
func (s *site) on(m *stub) Options {
	return Options{Blobs: s.store, Actions: s.store, Ledger: s.ledger, Machine: m, Jobs: 2, Now: clock()}
}

func (s *site) plan(t *testing.T) *Plan {
	t.Helper()
	plan, err := Load("test", s.files, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// compare climbs the site's chain on each machine.
func (s *site) compare(t *testing.T, machines ...*stub) ledger.Comparison {
	t.Helper()
	plan := s.plan(t)
	var all []Attempt
	for _, m := range machines {
		a, err := Try(t.Context(), plan, s.on(m))
		if err != nil {
			t.Fatalf("Try(%s) = %v", m.Description.Name, err)
		}
		all = append(all, a)
	}
	c, err := Compare(t.Context(), s.store, plan, all)
	if err != nil {
		t.Fatalf("Compare() = %v", err)
	}
	return c
}

// matrix has a line for each stage, with the states of its cells.
func matrix(c ledger.Comparison) string {
	text := ""
	for _, s := range c.Stages {
		text += s.Name + ":"
		for _, cell := range s.Cells {
			text += " " + string(cell.State())
			if d := cell.Difference; d != nil {
				text += " " + d.Artefact + " " + string(d.What)
			}
		}
		text += "\n"
	}
	return text
}

func checkMatrix(t *testing.T, c ledger.Comparison, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), matrix(c)); diff != "" {
		t.Errorf("the matrix differs (-want +got):\n%s", diff)
	}
}

func TestCompareOfEqualMachines(t *testing.T) {
	s := newTower(t)
	c := s.compare(t, named("a", nil), named("b", nil), named("c", nil))
	checkMatrix(t, c, `
left: same same same
right: same same same
top: same same same
`)
	top := c.Stages[2]
	sum := ledger.Sum([]ledger.File{{Name: "out", Digest: digest.Of([]byte("left, right\n"))}})
	if top.Artefacts != 1 || top.Against != "a" || top.Cells[2].Outputs != sum || top.Cells[0].Kept || top.Answers.Known != 0 {
		t.Errorf("top is %+v; want one artefact, compared with a, made now, no answers", top)
	}
	if len(c.Machines) != 3 || c.Machines[1].Name != "b" || !c.Machines[1].Isolated || c.Machines[1].Wall <= 0 {
		t.Errorf("machines are %+v; want a, b, c with their times", c.Machines)
	}
	if got := len(s.runs(t)); got != 9 {
		t.Errorf("%d runs in the ledger; want 9: each machine's own", got)
	}
}

func TestCompareFindsTheFirstDifference(t *testing.T) {
	s := newTower(t)
	flip := func(text string) string { return strings.Replace(text, "left, r", "left, R", 1) }
	cut := func(text string) string {
		if strings.HasPrefix(text, "right") {
			return "righ"
		}
		return text
	}
	c := s.compare(t, named("a", nil), named("b", flip), named("c", cut))
	checkMatrix(t, c, `
left: same same same
right: same same differs out length
top: same differs out bytes differs out length
`)
	of := func(text string) digest.Digest { return digest.Of([]byte(text)) }
	for _, row := range []struct {
		cell ledger.Cell
		want ledger.Difference
	}{
		{c.Stages[2].Cells[1], ledger.Difference{Artefact: "out", What: ledger.Bytes, Offset: 6, Got: of("left, Right\n"),
			Want: of("left, right\n")}},
		{c.Stages[1].Cells[2], ledger.Difference{Artefact: "out", What: ledger.Length, Offset: 4, Got: of("righ"),
			Want: of("right\n")}},
	} {
		if *row.cell.Difference != row.want {
			t.Errorf("difference %+v; want %+v", *row.cell.Difference, row.want)
		}
	}
}

func TestCompareGoesOnAfterAFailure(t *testing.T) {
	s := newTower(t)
	broken := named("b", nil)
	cat := broken.Programs["cat"]
	broken.Programs["cat"] = func(ctx context.Context, s *fake.State) int {
		if s.Files["in"].Content == "left, " {
			return 3
		}
		return cat(ctx, s)
	}
	checkMatrix(t, s.compare(t, named("a", nil), broken), `
left: alone failed
right: same same
top: alone not run
`)
	c := s.compare(t, broken, named("a", nil))
	checkMatrix(t, c, `
left: failed alone
right: same same
top: not run alone
`)
	if got := c.Stages[0].Cells[0].Failure; !strings.Contains(got, `stage "left": step 1 of 1 (cat in out): exit status 3`) {
		t.Errorf("the failure is %q; want that of left's step", got)
	}
	if got := c.Stages[2]; got.Cells[0].Below != "left" || got.Against != "a" {
		t.Errorf("top is %+v; want it not run for left, and a's made", got)
	}
}

func TestCompareTellsOfFixedPointsAndAnswers(t *testing.T) {
	s := newTower(t)
	s.write("chain.star", strings.Replace(tower, `steps=[run`, `same=[("out", "in")] if name == "left" else [], steps=[run`, 1))
	s.write("amd64/answers", digest.Of([]byte("left, ")).Hex()+"  left/out\n"+digest.Of(nil).Hex()+"  top/out\n")
	spoiled := named("b", func(string) string { return "spoiled" })
	c := s.compare(t, named("a", nil), spoiled)
	checkMatrix(t, c, `
left: alone failed
right: same differs out bytes
top: alone not run
`)
	if got := c.Stages[0].Cells[1].Failure; !strings.Contains(got, "the fixed point with in") {
		t.Errorf("the failure is %q; want the fixed point", got)
	}
	want := []ledger.Answers{{Known: 1}, {}, {Known: 1, Unequal: 1, First: "out"}}
	for i, stage := range c.Stages {
		if stage.Answers != want[i] {
			t.Errorf("answers of %s: %+v; want %+v", stage.Name, stage.Answers, want[i])
		}
	}
}

func TestTryKeepsMachinesApart(t *testing.T) {
	s := newTower(t)
	a, b := named("a", nil), named("b", nil)
	s.compare(t, a, b)
	if a.ran(); len(b.ran()) != 3 {
		t.Error("Try(b) took what a had made")
	}
	c := s.compare(t, a, b)
	if len(a.ran())+len(b.ran()) != 0 || !c.Stages[0].Cells[1].Kept || c.Stages[0].Cells[1].Wall != 0 {
		t.Errorf("Try(a), Try(b) again: %+v; want what was kept, with the run's own time", c.Stages[0].Cells)
	}
	b.Description.Version = "2"
	s.compare(t, a, b)
	if got := len(a.ran()) + len(b.ran()); got != 3 {
		t.Errorf("Try(a), Try(b of another version) ran %d jobs; want the 3 of b", got)
	}
	if out := s.mustClimb(t); hits(out) != "" {
		t.Errorf("Run() after comparisons: hits %q; want none", hits(out))
	}
	o := s.on(a)
	o.Rebuild = true
	if _, err := Try(t.Context(), s.plan(t), o); err != nil || len(a.ran()) != 3 {
		t.Errorf("Try(a), Rebuild = %v; want all 3 jobs run", err)
	}
	if s.compare(t, a, b); len(a.ran()) != 0 {
		t.Error("Try(a) after Rebuild ran again; want what Rebuild made")
	}
}

// column is three stages, one above the other.
const column = `
def copy(name, source):
    stage(name=name, inputs={"cat": program("seed:amd64/cat"), "in": source}, steps=[run("cat", "in", "in", "out")],
        exports=["out"])

copy("low", "seed:left.txt")
copy("mid", "low/out")
copy("top", "mid/out")
`

// stopAt ends a context when a stage begins.
func stopAt(t *testing.T, o *Options, stage string) context.Context {
	ctx, stop := context.WithCancel(t.Context())
	o.Watch = func(e Event) {
		if started, ok := e.(StageStarted); ok && started.Stage == stage {
			stop()
		}
	}
	return ctx
}

func TestTryResumesWhereItWasStopped(t *testing.T) {
	s := newTower(t)
	s.write("chain.star", column)
	m := named("a", nil)
	o := s.on(m)
	ctx := stopAt(t, &o, "top")
	if _, err := Try(ctx, s.plan(t), o); fault.KindOf(err) != fault.Interrupted {
		t.Fatalf("Try(), stopped = %v; want interrupted", err)
	}
	m.ran()
	c := s.compare(t, m, named("b", nil))
	if got := strings.Join(m.ran(), " "); got != "amd64/top" {
		t.Errorf("Try() again ran %q; want amd64/top alone", got)
	}
	checkMatrix(t, c, "low: same same\nmid: same same\ntop: same same\n")
	if !c.Stages[1].Cells[0].Kept || c.Stages[2].Cells[0].Kept {
		t.Errorf("cells of a: %+v; want low and mid kept, top run", c.Stages)
	}
}

// A chain that was stopped on one machine goes on from the last finished stage on another.
func TestRunResumesOnAnotherMachine(t *testing.T) {
	s := newTower(t)
	s.write("chain.star", column)
	a, b := named("a", nil), named("b", nil)
	o := s.on(a)
	ctx := stopAt(t, &o, "top")
	if _, err := Run(ctx, s.plan(t), o); fault.KindOf(err) != fault.Interrupted {
		t.Fatalf("Run() on a, stopped = %v; want interrupted", err)
	}
	out, err := Run(t.Context(), s.plan(t), s.on(b))
	if err != nil {
		t.Fatalf("Run() on b = %v", err)
	}
	if hits(out) != "low mid" || strings.Join(b.ran(), " ") != "amd64/top" {
		t.Errorf("Run() on b: hits %q; want low and mid, of a, and top run", hits(out))
	}
	for i, want := range []string{"a", "a", "b"} {
		if got := out.Stages[i].Run.Machine; got != want {
			t.Errorf("stage %s was made by %q; want %q", out.Stages[i].Stage.Name, got, want)
		}
	}
}

func TestFirstDifference(t *testing.T) {
	var blobs store.Mem
	put := func(text string) digest.Digest {
		d, err := blobs.Put(t.Context(), strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	file := func(path, text string) tree.Node {
		return tree.Node{Path: path, Kind: tree.File, Mode: 0o444, Content: put(text)}
	}
	link := func(to string) tree.Node { return tree.Node{Path: "b", Kind: tree.Symlink, Target: to} }
	program := file("b", "b")
	program.Mode = 0o555
	lost := tree.Node{Path: "b", Kind: tree.File, Mode: 0o444, Content: digest.Of([]byte("lost"))}
	long := strings.Repeat("x", 100_000)
	for name, row := range map[string]struct {
		got, want []tree.Node
		path      string
		what      ledger.What
		offset    int64
	}{
		"equal":        {[]tree.Node{file("a", "1")}, []tree.Node{file("a", "1")}, "", "", 0},
		"first byte":   {[]tree.Node{file("b", "xb"), file("c", "2")}, []tree.Node{file("b", "ab"), file("c", "1")}, "b", ledger.Bytes, 0},
		"far away":     {[]tree.Node{file("b", long+"y")}, []tree.Node{file("b", long+"z")}, "b", ledger.Bytes, 100_000},
		"longer":       {[]tree.Node{file("b", "abc")}, []tree.Node{file("b", "ab")}, "b", ledger.Length, 2},
		"empty":        {[]tree.Node{file("b", "")}, []tree.Node{file("b", "ab")}, "b", ledger.Length, 0},
		"missing":      {[]tree.Node{file("c", "2")}, []tree.Node{file("b", "b"), file("c", "1")}, "b", ledger.Missing, -1},
		"extra":        {[]tree.Node{file("b", "b"), file("c", "2")}, []tree.Node{file("c", "1")}, "b", ledger.Extra, -1},
		"kind":         {[]tree.Node{link("a")}, []tree.Node{file("b", "b")}, "b", ledger.Kind, -1},
		"mode":         {[]tree.Node{program}, []tree.Node{file("b", "b")}, "b", ledger.Mode, -1},
		"target":       {[]tree.Node{link("a")}, []tree.Node{link("c")}, "b", ledger.Target, -1},
		"not readable": {[]tree.Node{lost}, []tree.Node{file("b", "ab")}, "b", ledger.Bytes, -1},
	} {
		got, err := tree.New(row.got...)
		if err != nil {
			t.Fatal(err)
		}
		want, err := tree.New(row.want...)
		if err != nil {
			t.Fatal(err)
		}
		d := firstDifference(t.Context(), &blobs, got, want)
		if d == nil {
			d = &ledger.Difference{}
		}
		if d.Artefact != row.path || d.What != row.what || d.Offset != row.offset {
			t.Errorf("%s: firstDifference() = %q %q at %d; want %q %q at %d", name, d.Artefact, d.What, d.Offset, row.path,
				row.what, row.offset)
		}
	}
}

func TestPlanThrough(t *testing.T) {
	plan := newTower(t).plan(t)
	part, err := plan.Through("left")
	if err != nil || len(part.Stages) != 1 || part.Stages[0].Name != "left" || len(plan.Stages) != 3 {
		t.Errorf("Through(left) = %v, %v; want left alone, and the plan as it was", part, err)
	}
	if part, err = plan.Through("top"); err != nil || len(part.Stages) != 3 || part.Stages[2].Name != "top" {
		t.Errorf("Through(top) = %v, %v; want all three, top last", part, err)
	}
	if _, err := plan.Through("attic"); fault.KindOf(err) != fault.NotFound || fault.HintOf(err) != "its stages are: left, right, top" {
		t.Errorf("Through(attic) = %v, hint %q; want not found, and the stages", err, fault.HintOf(err))
	}
}
