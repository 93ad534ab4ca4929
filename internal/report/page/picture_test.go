// SPDX-License-Identifier: MIT

package page

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tangle is a report of many stages in which everything takes from almost everything.
func tangle(stages int) Report {
	r := Report{Seed: []File{{Name: "amd64/p", Digest: of("p")}}, Sources: []Source{{Name: "lib.tar.gz", File: of("lib")}}}
	for i := range stages {
		s := Stage{Name: fmt.Sprintf("stage-%d", i), Made: true, Exports: []string{"out"}, Files: []Output{{Name: "out", Digest: of(strings.Repeat("x", 1<<i)), Export: true}},
			Takes: []Flow{{Kind: FromSeed, Files: []File{{Name: "p"}}}}}
		for j := range i {
			if (i*7+j*3)%4 != 0 {
				s.Takes = append(s.Takes, Flow{Kind: FromStage, From: fmt.Sprintf("stage-%d", j), Files: []File{{Name: "out"}}})
			}
		}
		if i%3 == 1 {
			s.Takes = append(s.Takes, Flow{Kind: FromDistfile, From: "lib.tar.gz", Files: []File{{Name: "a"}, {Name: "b"}}, Bytes: 7})
		}
		s.Takes = append(s.Takes, Flow{Kind: FromText, Files: []File{{Name: "t"}}})
		r.Stages = append(r.Stages, s)
	}
	return r
}

// No two routes stand on one another: those of one lane have no place beside the rungs in common but the rung at which one
// ends and the next begins.
func TestRoutesKeepApart(t *testing.T) {
	r := tangle(12)
	rungs := cards(&r)
	routes, lanes := routesOf(rungs)
	ends := 0
	for i, a := range routes {
		ends += len(a.to)
		for _, b := range routes[:i] {
			if a.lane == b.lane && max(a.from, b.from) < min(a.last(), b.last()) {
				t.Errorf("the routes from rung %d to %d and from %d to %d share lane %d", a.from, a.last(), b.from, b.last(), a.lane)
			}
		}
		if a.lane >= lanes {
			t.Errorf("lane %d of %d", a.lane, lanes)
		}
	}
	ports := 0
	for _, c := range rungs {
		for _, p := range c.Ports {
			if p.Kind != FromText {
				ports++
			}
		}
	}
	if ends != ports {
		t.Errorf("routes end at %d ports; want all %d that take something made", ends, ports)
	}
}

// Everything of a ladder stands within it: cards one above the other with room between them, ports and ways in order.
func TestLadderStandsWithinItsPicture(t *testing.T) {
	r := tangle(10)
	numbers := regexp.MustCompile(`^M(\d+) (\d+)H(\d+)Q(\d+) `)
	for _, width := range []int{wide, narrow} {
		l := newLadder(&r, "x", width)
		below := l.Height
		for _, c := range l.Rungs {
			if c.Y+c.Height >= below || c.Y < 0 || len(c.Ports) > 0 && c.Ports[len(c.Ports)-1].Y >= c.Y+c.Height {
				t.Errorf("width %d: %s stands at %d, %d high, below it is %d", width, c.Name, c.Y, c.Height, below)
			}
			below = c.Y
		}
		for _, w := range l.Ways {
			for _, line := range w.Lines {
				m := numbers.FindStringSubmatch(line)
				if m == nil {
					t.Fatalf("width %d: way %q", width, line)
				}
				if x, _ := strconv.Atoi(m[4]); x < 1 || x >= l.Left {
					t.Errorf("width %d: a way stands at %d; want 1 to %d", width, x, l.Left)
				}
			}
		}
	}
}

// The texts of a card fit beside one another, by widths that are on the safe side.
func TestLadderTextsFit(t *testing.T) {
	long := strings.Repeat("mighty-", 20)
	r := tangle(3)
	s := &r.Stages[2]
	s.Name, s.Exports = long, []string{long, "b", "c"}
	s.Takes = append(s.Takes, Flow{Kind: FromDistfile, From: long, Files: []File{{Name: long}}, Bytes: 1 << 30},
		Flow{Kind: FromText, Files: []File{{Name: long}, {Name: long}}, Bytes: 1 << 40})
	for _, width := range []int{wide, narrow} {
		l := newLadder(&r, "x", width)
		room := float64(l.Right - l.Left - 2*pad)
		for _, c := range l.Rungs {
			if got := nameFace.width(c.Name) + sizeFace.width(c.Size); got > room {
				t.Errorf("width %d: %q and %q are %v wide; want %v", width, c.Name, c.Size, got, room)
			}
			if got := min(monoFace.width(c.Sub), textFace.width(c.Sub)) + textFace.width(c.SubRight); got > room {
				t.Errorf("width %d: %q and %q are %v wide; want %v", width, c.Sub, c.SubRight, got, room)
			}
			for _, p := range c.Ports {
				if got := portIndent + p.face().width(p.What) + textFace.width(" "+p.From) + textFace.width(p.Size); got > room {
					t.Errorf("width %d: %q, %q and %q are %v wide; want %v", width, p.What, p.From, p.Size, got, room)
				}
			}
		}
	}
}

func TestGrowthIsLogarithmic(t *testing.T) {
	r := tangle(16)
	for _, width := range []int{wide, narrow} {
		g := newGrowth(&r, "x", width)
		if len(g.Points) != 17 {
			t.Fatalf("%d points; want 17", len(g.Points))
		}
		var steps []int
		for i, p := range g.Points { // from above: the largest first
			if p.X < g.Left || p.X > g.Right || p.Y < g.Top || p.Y > g.Foot {
				t.Errorf("a point at %d, %d; want it within %d..%d, %d..%d", p.X, p.Y, g.Left, g.Right, g.Top, g.Foot)
			}
			if i > 0 && i < 16 {
				steps = append(steps, g.Points[i-1].X-p.X)
			}
		}
		// Each stage is twice the one below: on a logarithmic axis all steps are as long, but for rounding.
		if slices.Max(steps)-slices.Min(steps) > 1 || slices.Min(steps) < 1 {
			t.Errorf("steps of %v; want all as long", steps)
		}
		for i := 1; i < len(g.Ticks); i++ {
			size := float64(g.Points[0].digest.Size())
			scale := float64(g.Points[0].X-g.Points[15].X) / math.Log(size)
			if got, want := float64(g.Ticks[i].X-g.Ticks[i-1].X), scale*math.Log(tickFactor); math.Abs(got-want) > 2 {
				t.Errorf("ticks are %v apart; want %v", got, want)
			}
		}
	}
}

func TestGrowthShowsProgramsAndLibraries(t *testing.T) {
	out := func(name string, size int) Output {
		return Output{Name: name, Digest: of(strings.Repeat(name[:1], size)), Export: true}
	}
	r := Report{Stages: []Stage{
		{Name: "one", Files: []Output{out("cc", 100), out("text.c", 5000), out("lib.a", 200), out("none.a", 8)}, Steps: [][]string{{"cc"}}},
		{Name: "two", Files: []Output{out("COPYING", 30), out("b.c", 50)}},
		{Name: "three", Files: []Output{out("c.h", 60)}},
	}}
	g := newGrowth(&r, "x", wide)
	var names []string
	for _, p := range g.Points {
		names = append(names, p.Name)
	}
	if want := []string{"COPYING", "lib.a", "cc"}; !slices.Equal(names, want) {
		t.Errorf("points = %q; want %q", names, want)
	}
	if got := g.Groups[1].Note; got != "and 2 other files" {
		t.Errorf("note = %q; want two other files", got)
	}
}

// The colours of texts stand out from what is behind them as WCAG 2.2 asks of level AA (1.4.3): 4.5 to 1; those of
// lines and points 3 to 1 (1.4.11). The formulas are its definitions of relative luminance and contrast ratio.
func TestColoursStandOut(t *testing.T) {
	css, err := sheets.ReadFile("page.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, _ := strings.Cut(string(css), "prefers-color-scheme: dark")
	dark, _, _ = strings.Cut(dark, "* {")
	day, night := palette(light), palette(light+dark)
	if len(day) < 14 || day["--ink"] == night["--ink"] {
		t.Fatalf("palettes of %d and %d colours", len(day), len(night))
	}
	pairs := map[string]float64{}
	for _, ground := range []string{"--ground", "--card", "--shade", "--field"} {
		for _, ink := range []string{"--ink", "--soft"} {
			pairs[ink+" "+ground] = 4.5
		}
		pairs["--made "+ground] = 3
	}
	for _, ground := range []string{"--ground", "--card"} {
		for _, ink := range []string{"--good", "--bad", "--made", "--source", "--seed", "--text"} {
			pairs[ink+" "+ground] = 4.5
		}
	}
	pairs["--on-block --block"] = 4.5
	for pair, want := range pairs {
		a, b, _ := strings.Cut(pair, " ")
		for name, p := range map[string]map[string]float64{"light": day, "dark": night} {
			hi, lo := max(p[a], p[b]), min(p[a], p[b])
			if got := (hi + 0.05) / (lo + 0.05); got < want {
				t.Errorf("%s: the contrast of %s is %.2f; want %v", name, pair, got, want)
			}
		}
	}
}

// palette reads relative luminances by name; the last definition counts.
func palette(css string) map[string]float64 {
	all := map[string]float64{}
	for _, m := range regexp.MustCompile(`(--[a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
		rgb, _ := strconv.ParseUint(m[2], 16, 32)
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			c := float64(rgb>>(16-8*i)&0xff) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		all[m[1]] = sum
	}
	return all
}

func TestWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 12345678: "12,345,678", -1000: "-1,000", -999: "-999"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q; want %q", n, got, want)
		}
	}
	for s, want := range map[string]string{"a": "a", "a b": `"a b"`, "": `""`, "é": "é", "\n": `"\n"`, `"`: `"\""`, "\u202e": `"\u202e"`} {
		if got := word(s); got != want {
			t.Errorf("word(%q) = %s; want %s", s, got, want)
		}
	}
	for f, want := range map[File]string{
		{Name: "t", From: "seed:t"}:                    "",
		{Name: "t", From: "seed:amd64/t"}:              "",
		{Name: "from/t", From: "distfile:x.tar/t"}:     "",
		{Name: "t", From: "distfile:x.tar/src/t"}:      "",
		{Name: "t", From: "distfile:x.tar/src/u"}:      "src/u",
		{Name: "t", From: "boot0/u"}:                   "u",
		{Name: "include/t", From: "boot5/include/t"}:   "",
		{Name: "lib-1.tar.gz", From: "distfile:x.tar"}: "",
	} {
		if got := ref(f); got != want {
			t.Errorf("ref(%+v) = %q; want %q", f, got, want)
		}
	}
}
