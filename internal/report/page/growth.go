// SPDX-License-Identifier: MIT

package page

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/report"
)

// growth is a plot of sizes: each program or library a point, its size on a logarithmic axis to the right, the seed at the foot.
// Behind the points is the largest size up to each of them.
type growth struct {
	ID            string
	Width, Height int
	Left, Right   int // of the axis
	Top, Foot     int // of the field of points
	Ticks         []tick
	Groups        []group
	Points        []point
	Edge          string // path of SVG: the largest size so far
	Field         string // path of SVG: what lies left of it

	least, most float64 // ends of the axis, as logarithms
}

type tick struct {
	X    int
	Text string
}

// group is the place of a stage in the plot.
type group struct {
	Y    int // of its line
	Name string
	Note string
}

type point struct {
	X, Y   int
	Name   string
	Size   string
	Class  string
	Before bool // its size stands left of it
	Full   string

	digest digest.Digest
}

// The measures of a plot.
const (
	pointHeight = 23
	groupHeight = 26
	shownFiles  = 6  // of a stage, the largest
	tickFactor  = 16 // from a tick to the next
)

// newGrowth draws a report's artefacts at a width.
func newGrowth(r *Report, id string, width int) growth {
	g := growth{ID: id, Width: width, Left: 150, Right: width - 84, Top: 8}
	if width < 500 {
		g.Left, g.Right = 104, width-70
	}
	g.Height = g.Top
	programs := r.run()
	for _, s := range slices.Backward(r.Stages) {
		g.add(s.Name, s.points(programs))
	}
	var seed []point
	for _, f := range r.Seed {
		seed = append(seed, point{Name: path.Base(f.Name), Class: "seed", digest: f.Digest})
	}
	g.add("seed", shown{points: seed})
	g.Foot = g.Height
	g.Height += 30
	g.scale()
	return g
}

// shown is what a plot shows of a stage.
type shown struct {
	points []point
	left   int // the number of artefacts left out
}

// emptyArchive is the size of an archive that holds nothing: its magic string alone.
const emptyArchive = 8

// run collects the programs that steps run, of all stages.
func (r *Report) run() map[digest.Digest]bool {
	programs := map[digest.Digest]bool{}
	for _, s := range r.Stages {
		files := map[string]digest.Digest{}
		for _, f := range s.Takes {
			for _, in := range f.Files {
				files[in.Name] = in.Digest
			}
		}
		for _, out := range s.Files {
			files[out.Name] = out.Digest
		}
		for _, argv := range s.Steps {
			if len(argv) > 0 {
				programs[files[argv[0]]] = true
			}
		}
	}
	return programs
}

// points are a stage's programs and libraries, the largest of them, in the order in which its steps name them. A
// program is what some step runs. A stage that has neither, as far as is known, shows what has no suffix.
func (s Stage) points(programs map[digest.Digest]bool) shown {
	var exports, files []Output
	for _, f := range s.Files {
		if f.Export {
			exports = append(exports, f)
		}
	}
	for _, f := range exports {
		if programs[f.Digest] || path.Ext(f.Name) == ".a" && f.Digest.Size() > emptyArchive {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		files = slices.DeleteFunc(slices.Clone(exports), func(f Output) bool { return path.Ext(f.Name) != "" })
	}
	slices.SortStableFunc(files, func(a, b Output) int { return cmp.Compare(b.Digest.Size(), a.Digest.Size()) })
	files = files[:min(len(files), shownFiles)]
	named := map[string]int{}
	for i, argv := range s.Steps {
		for _, w := range argv {
			if _, ok := named[w]; !ok {
				named[w] = i
			}
		}
	}
	slices.SortStableFunc(files, func(a, b Output) int {
		return cmp.Or(cmp.Compare(named[a.Name], named[b.Name]), strings.Compare(a.Name, b.Name))
	})
	all := shown{left: len(exports) - len(files)}
	for _, f := range files {
		all.points = append(all.points, point{Name: f.Name, Class: "made", digest: f.Digest})
	}
	return all
}

// add puts a stage below what is there, its last point first.
func (g *growth) add(name string, s shown) {
	if len(s.points) == 0 {
		return
	}
	head := group{Y: g.Height + 1, Name: plain(name)}
	if s.left > 0 {
		head.Note = "and " + count(s.left, "other file")
	}
	g.Groups = append(g.Groups, head)
	g.Height += groupHeight
	for _, p := range slices.Backward(s.points) {
		p.Y = g.Height + pointHeight/2
		p.Full = fmt.Sprintf("%s: %s B", plain(name+"/"+p.Name), grouped(p.digest.Size()))
		p.Name, p.Size = monoFace.fit(p.Name, float64(g.Left-16)), report.Size(p.digest.Size())
		g.Points = append(g.Points, p)
		g.Height += pointHeight
	}
	g.Height += 6
}

// scale gives every point its place on the axis, and draws what lies behind them.
func (g *growth) scale() {
	g.least, g.most = math.Inf(1), math.Log(1024)
	for _, p := range g.Points {
		g.least, g.most = min(g.least, logOf(p.digest)), max(g.most, logOf(p.digest))
	}
	step := math.Log(tickFactor)
	first := math.Floor((g.least - math.Log(4)) / step) // ticks are 4 B, 64 B, 1 KiB, 16 KiB, ...
	g.least = first*step + math.Log(4)
	free := 0 // where the axis has room for a text
	for at := g.least; at <= g.most; at += step {
		t := tick{X: g.at(at), Text: strings.Replace(report.Size(int64(math.Round(math.Exp(at)))), ".0", "", 1)}
		half := int(textFace.width(t.Text)/2) + 4
		if t.X-half < free {
			t.Text = ""
		} else {
			free = t.X + half
		}
		g.Ticks = append(g.Ticks, t)
	}
	g.climb()
}

// climb gives the points their places, and draws the largest size so far.
func (g *growth) climb() {
	most, begin := math.Inf(-1), g.Left
	var steps strings.Builder
	for i, p := range slices.Backward(g.Points) {
		size := logOf(p.digest)
		x := g.at(size)
		g.Points[i].X = x
		room := int(textFace.width(p.Size)) + 14
		g.Points[i].Before = size < most && g.at(most)-x < room && x-g.Left > room
		if size <= most {
			continue
		}
		if steps.Len() == 0 {
			begin = x
		}
		most = size
		fmt.Fprintf(&steps, "V%dH%d", p.Y, x)
	}
	fmt.Fprintf(&steps, "V%d", g.Top)
	g.Edge = fmt.Sprintf("M%d %d%s", begin, g.Foot, &steps)
	g.Field = fmt.Sprintf("M%d %dH%d%sH%dZ", g.Left, g.Foot, begin, &steps, g.Left)
}

func logOf(d digest.Digest) float64 { return math.Log(float64(max(d.Size(), 1))) }

// at is the place of a logarithm on the axis.
func (g *growth) at(size float64) int {
	if g.most <= g.least {
		return g.Left
	}
	return g.Left + int(math.Round((size-g.least)/(g.most-g.least)*float64(g.Right-g.Left)))
}

// What the template asks for beside the fields.

// AxisY is the base line of the axis's text.
func (g growth) AxisY() int { return g.Foot + 20 }

// GroupY and TextY are base lines in a group's row and in a point's.
func (g growth) GroupY(y int) int { return y + 18 }
func (g growth) TextY(y int) int  { return y + 4 }

// LabelX is where the points' names end.
func (g growth) LabelX() int { return g.Left - 12 }

// ValueX is where a point's size begins, or ends where it stands before the point.
func (g growth) ValueX(p point) int {
	if p.Before {
		return p.X - 10
	}
	return p.X + 10
}
