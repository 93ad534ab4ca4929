// SPDX-License-Identifier: MIT

package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Text writes the artefact, below it how it was made and from what, down to the seed; a run that made several of the
// files is told once. The files of the seed follow in the form of sha256sum.
func (w Why) Text(out io.Writer) error {
	p := &printer{w: out}
	p.line("%s", w.Artefact.line())
	if !w.Artefact.Digest.IsZero() {
		p.line("sha256 %s", w.Artefact.Digest.Hex())
	}
	p.making(w.Artefact, "")
	p.line("")
	p.line("from %s of the seed:", count(len(w.Seed), "file"))
	for _, f := range w.Seed {
		p.line("%s  %s", f.Digest.Hex(), f.Name)
	}
	if len(w.Distfiles) > 0 {
		p.line("and from %s:", count(len(w.Distfiles), "distfile"))
	}
	for _, d := range w.Distfiles {
		p.line("%s  %s, %s, %s, from %s", d.Digest.Hex(), d.Name, d.Licence, d.how(), d.Place)
	}
	return p.err
}

// making writes a run and its inputs behind the lines of the tree above it.
func (p *printer) making(o Origin, above string) {
	m := o.Making
	if m == nil {
		return
	}
	p.line("%s│ %s", above, m.how())
	for i, argv := range m.Steps {
		p.line("%s│ %2d  %s", above, i+1, words(argv))
	}
	for _, same := range m.Same {
		p.line("%s│ same: %s == %s", above, same[0], same[1])
	}
	for i, in := range m.Inputs {
		branch, below := "├─ ", "│  "
		if i == len(m.Inputs)-1 {
			branch, below = "└─ ", "   "
		}
		p.line("%s%s%s", above, branch, in.line())
		p.making(in, above+below)
	}
}

// how tells what made the files, and when.
func (m *Making) how() string {
	at := m.Time.Format(time.RFC3339)
	if strings.HasPrefix(m.Stage, distfilePrefix) {
		return fmt.Sprintf("unpacked by rung, job %s, %s", m.Job.Short(), at)
	}
	return fmt.Sprintf("made by %s/%s, job %s, on %s (%s)%s, %s, %s", m.Arch, m.Stage, m.Job.Short(), m.Machine, m.Version,
		isolation(m.Isolated), at, Span(m.Wall))
}

// words is a command line; a word that is not plain stands in quotes, as Go writes them.
func words(argv []string) string {
	quoted := slices.Clone(argv)
	for i, word := range quoted {
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == '"' || r >= 0x7f }) {
			quoted[i] = strconv.Quote(word)
		}
	}
	return strings.Join(quoted, " ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
