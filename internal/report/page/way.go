// SPDX-License-Identifier: MIT

package page

import (
	"cmp"
	"fmt"
	"slices"
)

// route is a flow from one rung to all that take it.
type route struct {
	from int // the rung
	to   []end
	lane int // 0 is next to the rungs
}

// end is a port of a rung.
type end struct{ rung, port int }

// way is a route as it is drawn.
type way struct {
	Class string
	Lines []string // paths of SVG, one an end
	Heads []string // paths of SVG, one an end
	Full  string
}

// routesOf finds the flows between rungs, and gives each a lane of its own beside all rungs that it passes. Short ones
// are next to the rungs; of those that share a lane, one ends no higher than the next begins. The second result is the
// number of lanes. Routes come in the order to draw them: the far ones first, so that the near ones lie above.
func routesOf(rungs []rung) ([]route, int) {
	var all []route
	for i := range rungs {
		r := route{from: i}
		for j := i + 1; j < len(rungs); j++ {
			for k, p := range rungs[j].Ports {
				if p.key == rungs[i].key {
					r.to = append(r.to, end{j, k})
				}
			}
		}
		if len(r.to) > 0 {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b route) int { return cmp.Compare(a.length(), b.length()) })
	lanes := 0
	for i := range all {
		for slices.ContainsFunc(all[:i], func(o route) bool { return o.lane == all[i].lane && o.meets(all[i]) }) {
			all[i].lane++
		}
		lanes = max(lanes, all[i].lane+1)
	}
	slices.SortStableFunc(all, func(a, b route) int { return cmp.Compare(b.lane, a.lane) })
	return all, lanes
}

func (r route) last() int              { return r.to[len(r.to)-1].rung }
func (r route) length() int            { return r.last() - r.from }
func (r route) meets(other route) bool { return r.from < other.last() && other.from < r.last() }

const (
	bend     = 7  // radius of the corners
	headSize = 7  // of arrow heads
	leaving  = 20 // below a card's upper edge
)

// way draws a route: out of its rung to the left, up its lane, and to the right into each port.
func (l *ladder) way(r route, spacing int) way {
	from := l.Rungs[r.from]
	x := l.Left - 14 - r.lane*spacing
	begin := from.Y + leaving
	w := way{Class: "made", Full: "from " + from.Full}
	if from.Class == "seed" || from.Class == "distfile" {
		w.Class = from.Class
	}
	for _, e := range r.to {
		y := l.Rungs[e.rung].Ports[e.port].Y
		w.Lines = append(w.Lines, fmt.Sprintf("M%d %dH%dQ%d %d %d %dV%dQ%d %d %d %dH%d", l.Left, begin, x+bend, x, begin, x,
			begin-bend, y+bend, x, y, x+bend, y, l.Left-headSize+1))
		w.Heads = append(w.Heads, fmt.Sprintf("M%d %dl-%d -4v8z", l.Left, y, headSize))
	}
	return w
}
