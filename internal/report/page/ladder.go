// SPDX-License-Identifier: MIT

package page

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/report"
)

// ladder is the chain as a picture: the seed at the foot, each stage a rung, on the left the ways by which what is made
// below comes to the stages that take it, on the right what people wrote. All lengths are in units of the picture, which
// are CSS pixels where it is shown at its own size; y grows downwards.
type ladder struct {
	ID            string // begins every id in the picture
	Width, Height int
	Left, Right   int // edges of the rungs
	Rungs         []rung
	Ways          []way
}

// rung is a card of the ladder.
type rung struct {
	Class    string // "seed", "stage", "stage missing", "distfile"
	Href     string // of what tells more, below on the page
	Y        int    // of its upper edge
	Height   int
	Name     string
	Size     string
	Sub      string
	SubRight string
	Full     string // all of it, for whoever asks
	Ports    []port

	key    string // what flows name it by
	stage  *Stage
	source *Source
}

// port is a line of a card, for one flow into it.
type port struct {
	Y    int // of its middle
	Kind Kind
	What string
	From string
	Size string
	Full string

	Count bool   // What is a number of files, rather than their names
	key   string // of the rung that the flow comes from; "" for text
}

// The measures of a ladder.
const (
	headHeight = 52 // of the part of a card above its ports
	portHeight = 22
	portsPad   = 8 // below the last port
	rungGap    = 20
	topSpace   = 22 // for the ends of the rails
	inlet      = 16 // for the arrows of texts, on the right
	pad        = 14 // between a card's edge and its text
	gutter     = 10 // between two texts of a line
	portIndent = 15 // of a port's text, for its dot
)

// newLadder draws a report's chain at a width.
func newLadder(r *Report, id string, width int) ladder {
	l := ladder{ID: id, Width: width, Right: width - inlet, Rungs: cards(r)}
	spacing := 15
	if width < 500 {
		spacing = 9
	}
	routes, lanes := routesOf(l.Rungs)
	l.Left = 10 + lanes*spacing
	for i := range l.Rungs {
		l.fill(&l.Rungs[i])
	}
	l.place()
	for _, route := range routes {
		l.Ways = append(l.Ways, l.way(route, spacing))
	}
	return l
}

// cards are the rungs from the foot up, with what flows into them. A distfile stands below the first stage that takes
// of it.
func cards(r *Report) []rung {
	all := []rung{seedCard(r)}
	shown := map[string]bool{}
	for i := range r.Stages {
		s := &r.Stages[i]
		card := rung{Class: "stage", Href: "#stage-" + s.Name, key: "stage " + s.Name, stage: s}
		if !s.Made {
			card.Class = "stage missing"
		}
		for _, f := range s.Takes {
			p := port{Kind: f.Kind, key: string(f.Kind) + " " + f.From}
			if f.Kind == FromText {
				p.key = ""
			}
			if f.Kind == FromDistfile && !shown[f.From] {
				shown[f.From] = true
				all = append(all, sourceCard(r, f.From, p.key))
			}
			card.Ports = append(card.Ports, p)
		}
		all = append(all, card)
	}
	return all
}

func sourceCard(r *Report, name, key string) rung {
	c := rung{Class: "distfile", Href: "#sources", key: key, source: &Source{Name: name}}
	for i := range r.Sources {
		if r.Sources[i].Name == name { // else an older run took it, and it is declared no more
			c.source, c.Href = &r.Sources[i], fmt.Sprintf("#source-%d", i+1)
		}
	}
	return c
}

func seedCard(r *Report) rung {
	c := rung{Class: "seed", Href: "#seed", key: string(FromSeed) + " ", Sub: "the only binary"}
	var names []string
	var size int64
	for _, f := range r.Seed {
		names = append(names, path.Base(f.Name))
		size += f.Digest.Size()
	}
	if len(names) != 1 {
		c.Sub = "the only binaries"
	}
	c.Name, c.Size, c.Full = nameFace.fitNames(names, 200), grouped(size)+" B", "the seed, "+enumerate(names, 10)
	return c
}

// fill writes a card's text, as much as there is room for, and says how high the card is.
func (l *ladder) fill(c *rung) {
	room := float64(l.Right - l.Left - 2*pad)
	c.Height = headHeight + 4
	switch {
	case c.Class == "seed":
		c.Sub = textFace.fit(c.Sub, room)
	case c.source != nil:
		c.Size, c.SubRight, c.Full = report.Size(c.source.File.Size()), "published", "the published source "+plain(c.source.Name)
		c.Name = nameFace.fit(c.source.Name, room-sizeFace.width(c.Size)-gutter)
		c.Sub = textFace.fit(c.source.Licence, room-textFace.width(c.SubRight)-gutter)
	case c.stage != nil:
		l.fillStage(c, c.stage, room)
	}
}

func (l *ladder) fillStage(c *rung, s *Stage, room float64) {
	c.Size, c.SubRight = "not run yet", count(len(s.Steps), "step")
	if s.Made {
		c.Size = report.Size(s.Bytes)
		c.SubRight += " · " + report.Span(s.Wall)
	}
	exports := s.largestFirst()
	c.Name = nameFace.fit(s.Name, room-sizeFace.width(c.Size)-gutter)
	c.Sub = monoFace.fitNames(exports, room-textFace.width(c.SubRight)-gutter)
	c.Full = fmt.Sprintf("%s, which exports %s", plain(s.Name), enumerate(exports, 12))
	for i, f := range s.Takes {
		c.Ports[i].fill(f, room-portIndent)
	}
	if len(c.Ports) > 0 {
		c.Height = headHeight + len(c.Ports)*portHeight + portsPad
	}
}

// largestFirst are the last parts of a stage's exports, those that hold the most bytes first.
func (s *Stage) largestFirst() []string {
	size := map[string]int64{}
	for _, f := range s.Files {
		for _, e := range s.Exports {
			if f.Name == e || strings.HasPrefix(f.Name, e+"/") {
				size[e] += f.Digest.Size()
			}
		}
	}
	names := slices.Clone(s.Exports)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(size[b], size[a]) })
	for i, name := range names {
		names[i] = path.Base(name)
	}
	return names
}

// fill says what flows in, by names where there is room for them.
func (p *port) fill(f Flow, room float64) {
	names := make([]string, len(f.Files))
	for i, file := range f.Files {
		names[i] = file.Name
	}
	if f.Bytes > 0 {
		p.Size = report.Size(f.Bytes)
	}
	thing := "file"
	switch f.Kind {
	case FromSeed:
		p.From = "the seed"
	case FromText:
		thing = "text"
	default:
		p.From = f.From
	}
	p.Full = fmt.Sprintf("%s of %s: %s", count(len(names), thing), p.origin(), enumerate(names, 12))
	room -= textFace.width(p.Size) + gutter
	from := 0.0
	if p.From != "" {
		from = textFace.width(" of " + p.From)
	}
	p.What = plain(strings.Join(names, " "))
	if monoFace.width(p.What)+from > room {
		p.What, p.Count = count(len(names), thing), true
		if p.From != "" && textFace.width(p.What)+from > room {
			p.What = grouped(int64(len(names)))
		}
	}
	if p.From == "" {
		p.What = monoFace.fit(p.What, room)
		return
	}
	p.From = textFace.fit("of "+p.From, room-p.face().width(p.What+" "))
}

// face is the type of What.
func (p *port) face() face {
	if p.Count {
		return textFace
	}
	return monoFace
}

func (p *port) origin() string {
	if p.From == "" {
		return "our own"
	}
	return plain(p.From)
}

// place stacks the cards, the first at the foot.
func (l *ladder) place() {
	y := topSpace
	for i := range l.Rungs {
		c := &l.Rungs[len(l.Rungs)-1-i]
		c.Y = y
		for j := range c.Ports {
			c.Ports[j].Y = y + headHeight + j*portHeight + portHeight/2
		}
		y += c.Height + rungGap
	}
	l.Height = y - rungGap + 14
}

// What the template asks for beside the fields.

// RailLeft and RailRight are where the rails stand.
func (l ladder) RailLeft() int  { return l.Left + 24 }
func (l ladder) RailRight() int { return l.Right - 24 }

// RailFoot is where they end.
func (l ladder) RailFoot() int { return l.Height - 2 }

// CardWidth is that of all cards; their text stands between TextLeft and TextRight.
func (l ladder) CardWidth() int { return l.Right - l.Left }
func (l ladder) TextLeft() int  { return l.Left + pad }
func (l ladder) TextRight() int { return l.Right - pad }

// DotX and PortLeft are where a port's dot and its text stand.
func (l ladder) DotX() int     { return l.TextLeft() + 4 }
func (l ladder) PortLeft() int { return l.TextLeft() + portIndent }

// InletX is where the arrow of a text ends.
func (l ladder) InletX() int { return l.Right + 6 }

// Base is the base line of a text that much below y.
func (l ladder) Base(y, below int) int { return y + below }
