// SPDX-License-Identifier: MIT

package seedlang

import (
	"bufio"
	"fmt"
	"io"
	"sort"
)

// Map says which part of which text made each byte of a program, and where its labels are.
type Map struct {
	Base   uint64  // the address of the first byte
	Ranges []Range // in order, without gaps or overlaps: one for each word that gave bytes
	Labels []Label // in order of their definition, and so of their addresses
}

// Range is a run of bytes that one word gave.
type Range struct {
	Start, End int      // offsets in the program
	Pos        Position // of the word, in a source or in the body of a macro
	Call       *Call    // the expansion that the word stands in; nil where it stands in no macro's body
}

// Outermost is the place in a source that the bytes come from: of the outermost macro call, or of the word itself.
func (r Range) Outermost() Position { return origin{r.Pos, r.Call}.outermost() }

// Label is a label's full name and address: a local label has the name that it belongs to before its dot.
type Label struct {
	Name    string
	Address uint64
	Pos     Position
}

// At finds the range of the byte at an offset.
func (m *Map) At(offset int) (Range, bool) {
	i := sort.Search(len(m.Ranges), func(i int) bool { return m.Ranges[i].End > offset })
	if i == len(m.Ranges) || offset < m.Ranges[i].Start {
		return Range{}, false
	}
	return m.Ranges[i], true
}

// Before finds the last label at an address or before it.
func (m *Map) Before(address uint64) (Label, bool) {
	i := sort.Search(len(m.Labels), func(i int) bool { return m.Labels[i].Address > address })
	if i == 0 {
		return Label{}, false
	}
	return m.Labels[i-1], true
}

// Instructions joins the ranges of each outermost macro call, which for P1 is one instruction.
func (m *Map) Instructions() []Range {
	var all []Range
	for _, r := range m.Ranges {
		call := r.Call
		if call != nil {
			call = call.Outermost()
		}
		if n := len(all); n > 0 && call != nil && all[n-1].Call == call {
			all[n-1].End = r.End
			continue
		}
		all = append(all, Range{Start: r.Start, End: r.End, Pos: r.Outermost(), Call: call})
	}
	return all
}

// Describe says in one line what stands at an address: label+offset, the place in the source, the calls.
func (m *Map) Describe(address uint64) string {
	r, ok := m.At(int(address - m.Base))
	if address < m.Base || !ok {
		return fmt.Sprintf("%#x: not in the program, which has %#x to %#x", address, m.Base, m.end())
	}
	s := fmt.Sprintf("%#x: ", address)
	if l, ok := m.Before(address); ok {
		s += fmt.Sprintf("%s+%d ", l.Name, address-l.Address)
	}
	s += r.Outermost().String()
	if r.Call != nil {
		s += ": " + r.Call.Outermost().String()
	}
	return s
}

func (m *Map) end() uint64 {
	if len(m.Ranges) == 0 {
		return m.Base
	}
	return m.Base + uint64(m.Ranges[len(m.Ranges)-1].End)
}

// Write writes the map as text: a line for each label, ADDRESS :NAME, and one for each instruction or word outside of
// macros, ADDRESS BYTES FILE:LINE:COLUMN CALL. Addresses have eight hex digits or more.
func (m *Map) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	labels := m.Labels
	for _, r := range m.Instructions() {
		for len(labels) > 0 && labels[0].Address <= m.Base+uint64(r.Start) {
			fmt.Fprintf(b, "%08x :%s\n", labels[0].Address, labels[0].Name)
			labels = labels[1:]
		}
		fmt.Fprintf(b, "%08x %d %s", m.Base+uint64(r.Start), r.End-r.Start, r.Pos)
		if r.Call != nil {
			fmt.Fprintf(b, " %s", r.Call)
		}
		b.WriteByte('\n')
	}
	for _, l := range labels {
		fmt.Fprintf(b, "%08x :%s\n", l.Address, l.Name)
	}
	return b.Flush()
}
