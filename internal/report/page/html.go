// SPDX-License-Identifier: MIT

package page

import (
	"bufio"
	"embed"
	"fmt"
	"html/template"
	"io"
	"path"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/report"
)

//go:embed *.tmpl page.css
var sheets embed.FS

// The widths of the pictures: one for a page that has room, one for a phone. The style sheet shows one of the two.
const (
	wide   = 760
	narrow = 328
)

// The bounds of what the page lists. Reports hold all of it.
const (
	openRows  = 12   // longer lists are folded
	maxRows   = 3000 // of a list
	allRows   = 8000 // of all lists together
	maxWords  = 40   // of a step, unfolded
	maxRest   = 3000 // of a step, folded
	maxDigest = 12   // digits of a digest that are seen
)

// HTML writes the report as a page.
func (r Report) HTML(w io.Writer) error {
	most := r.mostRows()
	t := template.New("page.tmpl").Funcs(template.FuncMap{
		"size": report.Size, "span": report.Span, "grouped": groupedAny, "count": count, "plain": plain,
		"word": word, "base": path.Base, "moment": moment, "steps": stepsOf(most),
		"rows": rowsOf[File](most), "outputs": rowsOf[Output](most),
		"digest": func(d digest.Digest) shortened { return shortened{d} }, "programs": programs, "findings": Report.findings,
		"bar": bar, "ref": ref, "join": strings.Join, "lines": plainLines, "inc": func(i int) int { return i + 1 },
		"cell": report.CellText, "cellMark": cellMark, "answers": report.AnswersText, "difference": report.DifferenceText,
	})
	t, err := t.ParseFS(sheets, "*.tmpl", "page.css")
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	b := bufio.NewWriter(w)
	if err := t.Execute(b, newView(&r, most)); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return b.Flush()
}

// view is what the templates see.
type view struct {
	*Report
	Seed0   File // the first of the seed's programs
	Ladders []ladder
	Growths []growth
	Sums    []string // lines in the form of sha256sum
	SumsCut int      // lines left out
	Total   Text     // of all texts
	Most    int64    // bytes of the largest row of texts
	Program string   // an artefact to ask about
}

func newView(r *Report, most int) view {
	v := view{
		Report:  r,
		Ladders: []ladder{newLadder(r, "ladder", wide), newLadder(r, "small-ladder", narrow)},
		Growths: []growth{newGrowth(r, "growth", wide), newGrowth(r, "small-growth", narrow)},
		Program: r.Verdict.Largest.Name,
	}
	if len(r.Seed) > 0 {
		v.Seed0 = r.Seed[0]
	}
	for _, t := range r.Texts {
		v.Total.Files += t.Files
		v.Total.Code += t.Code
		v.Total.Comments += t.Comments
		v.Total.Bytes += t.Bytes
		v.Most = max(v.Most, t.Bytes)
	}
	for _, s := range r.Stages {
		for _, f := range s.Files {
			switch {
			case !f.Export:
			case len(v.Sums) == most:
				v.SumsCut++
			default:
				v.Sums = append(v.Sums, f.Digest.Hex()+"  "+s.Name+"/"+f.Name)
			}
		}
	}
	return v
}

// list is a list of which the page may show a part.
type list[T any] struct {
	Rows []T
	Cut  int  // rows that are left out
	Open bool // short enough to be unfolded
}

func rowsOf[T any](most int) func([]T) list[T] {
	return func(all []T) list[T] {
		n := min(len(all), most)
		return list[T]{Rows: all[:n], Cut: len(all) - n, Open: len(all) <= openRows}
	}
}

// mostRows is how many rows of a list the page shows, so that all of it stays within what a browser and a mail take.
func (r Report) mostRows() int {
	var lengths []int
	for _, s := range r.Stages {
		lengths = append(lengths, len(s.Steps), len(s.Files))
		for _, f := range s.Takes {
			lengths = append(lengths, len(f.Files))
		}
	}
	for most := maxRows; ; most /= 2 {
		total := 0
		for _, n := range lengths {
			total += min(n, most)
		}
		if total <= allRows || most <= openRows {
			return most
		}
	}
}

// command is a step: the program, the words behind it, and those that are shown only where somebody asks.
type command struct {
	Program string
	Words   []string
	Rest    []string
	More    int // words of Rest, and those that are left out of it
	Cut     int // words that are left out
}

func stepsOf(most int) func([][]string) list[command] {
	return func(all [][]string) list[command] {
		shown := rowsOf[[]string](most)(all)
		l := list[command]{Cut: shown.Cut, Open: shown.Open}
		for _, argv := range shown.Rows {
			l.Rows = append(l.Rows, commandOf(argv))
		}
		return l
	}
}

func commandOf(argv []string) command {
	if len(argv) == 0 {
		return command{}
	}
	n := min(len(argv), maxWords)
	c := command{Program: argv[0], Words: argv[1:n], Rest: argv[n:], More: len(argv) - n}
	if c.Cut = len(c.Rest) - maxRest; c.Cut > 0 {
		c.Rest = c.Rest[:maxRest]
	}
	return c
}

// programs tells how often each program is run, in the order of their first runs.
func programs(steps [][]string) string {
	var names []string
	times := map[string]int{}
	for _, argv := range steps {
		if len(argv) == 0 {
			continue
		}
		if times[argv[0]] == 0 {
			names = append(names, argv[0])
		}
		times[argv[0]]++
	}
	for i, name := range names {
		if n := times[name]; n > 1 {
			names[i] += " ×" + grouped(int64(n))
		}
	}
	return enumerate(names, 8)
}

// shortened is a digest as the page shows it. The digits that are not seen are there to be copied.
type shortened struct{ digest.Digest }

// Begin is what is seen.
func (s shortened) Begin() string { return s.Hex()[:maxDigest] }

// Rest is what is not.
func (s shortened) Rest() string { return s.Hex()[maxDigest:] }

func groupedAny(n any) (string, error) {
	switch n := n.(type) {
	case int:
		return grouped(int64(n)), nil
	case int64:
		return grouped(n), nil
	}
	return "", fmt.Errorf("grouped: %T is no whole number", n)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// bar is the length of a bar of at most 100 units.
func bar(n, most int64) int { return int(max(1, n*100/max(most, 1))) }

// ref is the path of an input where it comes from, unless its name says as much.
func ref(f File) string {
	from, ok := strings.CutPrefix(f.From, seedPrefix)
	if !ok {
		_, from, _ = strings.Cut(f.From, "/")
	}
	if from == "" || strings.HasSuffix("/"+from, "/"+f.Name) || strings.HasSuffix("/"+f.Name, "/"+from) {
		return ""
	}
	return from
}
