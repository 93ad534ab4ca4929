// SPDX-License-Identifier: MIT

package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
)

// Comparison is a comparison of machines and what it shows.
type Comparison struct {
	ledger.Comparison
	Verdict Agreement `json:"verdict"`
}

// Agreement counts the cells of a comparison, one for each stage on each machine, by their state, and the answers.
type Agreement struct {
	Cells     int `json:"cells"`
	Same      int `json:"same"`
	Differ    int `json:"differ"`
	Failed    int `json:"failed"`
	NotRun    int `json:"not_run"`
	Alone     int `json:"alone"` // made by one machine only, so that nothing can be said
	Kept      int `json:"kept"`  // made by an earlier comparison, of any state
	Artefacts int `json:"artefacts"`
	Answered  int `json:"answered"` // artefacts that have an answer, and are equal to it
	Unequal   int `json:"unequal"`  // artefacts that have an answer, and are not
}

// NewComparison counts what a comparison shows.
func NewComparison(c ledger.Comparison) Comparison {
	r := Comparison{Comparison: c}
	v := &r.Verdict
	counts := map[ledger.State]*int{ledger.IsSame: &v.Same, ledger.Differs: &v.Differ, ledger.Failed: &v.Failed,
		ledger.NotRun: &v.NotRun, ledger.Alone: &v.Alone}
	for _, s := range c.Stages {
		v.Artefacts += s.Artefacts
		v.Answered += s.Answers.Known - s.Answers.Unequal
		v.Unequal += s.Answers.Unequal
		for _, cell := range s.Cells {
			v.Cells++
			*counts[cell.State()]++
			if cell.Kept {
				v.Kept++
			}
		}
	}
	return r
}

// Agree tells whether every machine made every stage, with the same bytes.
func (v Agreement) Agree() bool { return v.Same == v.Cells }

// Headline is the verdict in a line.
func (c Comparison) Headline() string {
	v, but := c.Verdict, ""
	if v.Unequal > 0 {
		but = "; but not as the answers say"
	}
	if v.Agree() {
		return fmt.Sprintf("every cell same: %s, %s, %s%s", count(len(c.Stages), "stage"), count(v.Artefacts, "artefact"),
			count(len(c.Machines), "machine"), but)
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{v.Same, "same"}, {v.Differ, "different"}, {v.Failed, "failed"}, {v.NotRun, "not run"},
		{v.Alone, "made by one machine only"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return fmt.Sprintf("not every cell is same: of %d, %s", v.Cells, strings.Join(parts, ", "))
}

// AnswersLine tells how the answers compare with what the machines made.
func (v Agreement) AnswersLine() string {
	known := v.Answered + v.Unequal
	switch {
	case v.Unequal > 0:
		return fmt.Sprintf("%d of %d artefacts that have an answer are not equal to it", v.Unequal, known)
	case known == 0:
		return "none of these artefacts has an answer"
	case known == v.Artefacts:
		return fmt.Sprintf("every artefact is equal to its answer (%d of %d)", known, known)
	}
	return fmt.Sprintf("%d of %d artefacts are equal to their answer, %d have none", known, v.Artefacts, v.Artefacts-known)
}

// maxCell bounds the reason of a failure in the matrix, in characters; it stands whole below.
const maxCell = 48

// CellText is a cell of the matrix, without its times: "same", "hex1 at offset 12", "failed: no such file".
func CellText(c ledger.Cell) string {
	switch state := c.State(); state {
	case ledger.Differs:
		return DifferenceText(*c.Difference)
	case ledger.Failed:
		text := c.Failure
		if _, rest, ok := strings.Cut(text, `": `); ok && strings.HasPrefix(text, `stage "`) {
			text = rest // the row names the stage
		}
		reason := []rune(printable(text))
		if len(reason) > maxCell {
			reason = append(reason[:maxCell], '…')
		}
		return "failed: " + string(reason)
	case ledger.NotRun:
		if c.Below == "" {
			return "not run"
		}
		return "not run: " + printable(c.Below) + " failed"
	case ledger.Alone:
		return "made, and by no other"
	default:
		return string(state)
	}
}

// DifferenceText says what the first difference is: the artefact, and where.
func DifferenceText(d ledger.Difference) string {
	name := printable(d.Artefact)
	switch {
	case d.What == ledger.Bytes && d.Offset < 0:
		return name + " at an offset that cannot be told"
	case d.What == ledger.Bytes:
		return fmt.Sprintf("%s at offset %d", name, d.Offset)
	case d.What == ledger.Length && d.Got.Size() < d.Want.Size():
		return fmt.Sprintf("%s ends at %d, of %d bytes", name, d.Offset, d.Want.Size())
	case d.What == ledger.Length:
		return fmt.Sprintf("%s goes on after %d bytes", name, d.Offset)
	case d.What == ledger.Missing:
		return name + " is missing"
	case d.What == ledger.Extra:
		return name + " is made here only"
	case d.What == ledger.Mode:
		return name + " is executable on one only"
	case d.What == ledger.Target:
		return name + " is a link to elsewhere"
	}
	return name + " is of another kind"
}

// AnswersText is the answers' cell of a stage.
func AnswersText(s ledger.ComparedStage) string {
	switch a := s.Answers; {
	case s.Against == "":
		return "not made"
	case a.Unequal > 0:
		return printable(a.First) + " is not equal"
	case a.Known == 0:
		return "none"
	default:
		return fmt.Sprintf("equal (%d of %d)", a.Known, s.Artefacts)
	}
}

// Text writes the matrix, a line for each cell that is not same, and the verdict.
func (c Comparison) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "stage")
	for _, m := range c.Machines {
		fmt.Fprint(t, "\t", printable(m.Name))
	}
	fmt.Fprintln(t, "\tanswers")
	for _, s := range c.Stages {
		fmt.Fprint(t, printable(s.Name))
		for _, cell := range s.Cells {
			fmt.Fprint(t, "\t", CellText(cell), how(cell))
		}
		fmt.Fprintln(t, "\t"+AnswersText(s))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	p := &printer{w: w}
	p.line("")
	c.details(p)
	for i, m := range c.Machines {
		p.line("machine  %s", c.machineLine(i, m))
	}
	p.line("answers  %s", c.Verdict.AnswersLine())
	p.line("%s", c.Headline())
	return p.err
}

// how tells whether a cell was run now, and how long that took.
func how(c ledger.Cell) string {
	switch {
	case c.Kept:
		return ", kept"
	case c.Outputs.IsZero():
		return ""
	}
	return ", " + Span(c.Wall)
}

// details writes what the matrix has no room for.
func (c Comparison) details(p *printer) {
	for _, s := range c.Stages {
		for i, cell := range s.Cells {
			where := printable(s.Name) + " on " + printable(c.Machines[i].Name)
			if d := cell.Difference; d != nil {
				p.line("differs  %s: %s: %s here, %s on %s", where, DifferenceText(*d), shown(d.Got), shown(d.Want),
					printable(s.Against))
			}
			if cell.Failure != "" {
				p.line("failed   %s: %s", where, printable(cell.Failure))
			}
		}
	}
}

// shown is a digest in full, to be given to rung store path and rung why.
func shown(d digest.Digest) string {
	if d.IsZero() {
		return "no file"
	}
	return d.Hex()
}

func (c Comparison) machineLine(i int, m ledger.ComparedMachine) string {
	run, kept := 0, 0
	for _, s := range c.Stages {
		switch cell := s.Cells[i]; {
		case cell.Kept:
			kept++
		case cell.State() != ledger.NotRun:
			run++
		}
	}
	return fmt.Sprintf("%s (%s): %s, starts in %s, %d run, %d kept%s", printable(m.Name), printable(m.Version), Span(m.Wall),
		Span(m.Start), run, kept, isolation(m.Isolated))
}
