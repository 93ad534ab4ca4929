// SPDX-License-Identifier: MIT

package audit

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/seedlang"
)

// Listing counts what was checked in a hex0 or hex2 program.
type Listing struct {
	Text         string `json:"text"`
	Instructions int    `json:"instructions"` // lines whose bytes are one instruction
	Code         int    `json:"code_bytes"`
	Data         int    `json:"data_bytes"`
	Jumps        int    `json:"jumps"` // checked against their labels; calls count as jumps
}

// line is a line with bytes.
type line struct {
	number     int
	start, end uint64 // addresses
	bytes      []byte
	comment    string   // what stands behind the # or ;
	refs       []string // the labels that the line's words refer to
	isData     bool
	inst       instruction
}

// lister checks one program.
type lister struct {
	machine  disassembler
	lines    []line
	labels   map[string]uint64
	listing  Listing
	problems []Problem
}

// Disassemble checks the lines of a hex0 or hex2 program against the comments they carry, by the conventions of
// docs/audit.md. The listing is nil where the text does not assemble or the architecture has no disassembler.
func Disassemble(arch, name string, text []byte) (*Listing, []Problem) {
	machine, ok := disassemblers(arch)
	if !ok {
		return nil, []Problem{{Text: "no disassembler for architecture " + arch}}
	}
	lang := seedlang.Lang(strings.TrimPrefix(path.Ext(name), "."))
	program, m, err := seedlang.Assemble(lang, seedlang.Base, seedlang.Source{Name: name, Text: text})
	if err != nil {
		return nil, []Problem{{Text: err.Error()}}
	}
	l := &lister{machine: machine, labels: map[string]uint64{}, listing: Listing{Text: name}}
	l.read(string(text), program, m)
	if lang == seedlang.Hex0 {
		l.commentLabels(string(text), m.Base+uint64(len(program)))
	}
	for _, label := range m.Labels {
		l.labels[label.Name] = label.Address
	}
	for i := range l.lines {
		l.check(&l.lines[i])
	}
	l.flow(program)
	slices.SortStableFunc(l.problems, func(a, b Problem) int { return a.Line - b.Line })
	return &l.listing, l.problems
}

func (l *lister) problem(number int, format string, args ...any) {
	l.problems = append(l.problems, Problem{Line: number, Text: fmt.Sprintf(format, args...)})
}

// read cuts the program into the bytes of each line.
func (l *lister) read(text string, program []byte, m *seedlang.Map) {
	rows := strings.Split(text, "\n")
	for _, r := range m.Ranges {
		n := len(l.lines)
		if n == 0 || l.lines[n-1].number != int(r.Pos.Line) {
			one := line{number: int(r.Pos.Line), start: m.Base + uint64(r.Start)}
			words, comment := rows[r.Pos.Line-1], ""
			if i := strings.IndexAny(words, "#;"); i >= 0 {
				words, comment = words[:i], words[i+1:]
			}
			one.comment = strings.TrimSpace(comment)
			for _, match := range references.FindAllStringSubmatch(words, -1) {
				one.refs = append(one.refs, match[1])
			}
			l.lines = append(l.lines, one)
			n++
		}
		l.lines[n-1].end = m.Base + uint64(r.End)
		l.lines[n-1].bytes = program[l.lines[n-1].start-m.Base : r.End]
	}
}

var (
	references   = regexp.MustCompile(`[%&]([^\s,>]+)`)
	commentLabel = regexp.MustCompile(`^# ([a-z_][a-z0-9_.]*):$`)
)

// commentLabels finds the labels of hex0, which stand in comments: each has the address of the next byte.
func (l *lister) commentLabels(text string, end uint64) {
	for i, row := range strings.Split(text, "\n") {
		match := commentLabel.FindStringSubmatch(row)
		if match == nil {
			continue
		}
		if _, twice := l.labels[match[1]]; twice {
			l.problem(i+1, "label %q is defined twice", match[1])
		}
		address := end
		if n := slices.IndexFunc(l.lines, func(one line) bool { return one.number > i+1 }); n >= 0 {
			address = l.lines[n].start
		}
		l.labels[match[1]] = address
	}
}

// check compares a line's bytes with its comment.
func (l *lister) check(one *line) {
	one.isData = true
	switch {
	case one.comment == "":
		l.problem(one.number, "bytes without a comment: want # INSTRUCTION or # = MEANING")
		return
	case strings.HasPrefix(one.comment, "="):
		l.listing.Data += len(one.bytes)
		if strings.TrimSpace(one.comment[1:]) == "" {
			l.problem(one.number, "data without a meaning behind # =")
		}
		return
	}
	one.isData = false
	l.listing.Instructions++
	l.listing.Code += len(one.bytes)
	inst, err := l.machine.decode(one.bytes, one.start)
	if err != nil {
		l.problem(one.number, "% X is no instruction: %v", one.bytes, err)
		return
	}
	one.inst = inst
	if inst.size != len(one.bytes) {
		l.problem(one.number, "% X: the instruction, %s, has %d bytes and the line %d", one.bytes, inst.text,
			inst.size, len(one.bytes))
		return
	}
	l.compare(one)
}

func (l *lister) compare(one *line) {
	comment, _, _ := strings.Cut(one.comment, " ; ")
	if !l.machine.same(comment, one.inst.text, l.labels) {
		l.problem(one.number, "% X is %q; the comment says %q", one.bytes, one.inst.text, comment)
	}
	for _, ref := range one.refs {
		if !slices.Contains(words.FindAllString(comment, -1), ref) {
			l.problem(one.number, "the bytes refer to %q; the comment, %q, does not", ref, comment)
		}
	}
	if !one.inst.jumps {
		return
	}
	l.listing.Jumps++
	fields := strings.Fields(comment)
	address, ok := l.labels[fields[len(fields)-1]]
	switch {
	case !ok:
		l.problem(one.number, "%q jumps to no label", comment)
	case address != one.inst.target:
		l.problem(one.number, "%q jumps to %#x; the label is at %#x", comment, one.inst.target, address)
	}
}

var words = regexp.MustCompile(`[A-Za-z_.][A-Za-z0-9_.]*`)

// flow checks that execution, which starts where the ELF header says, stays on lines of code.
func (l *lister) flow(program []byte) {
	starts, targets := map[uint64]bool{}, map[uint64]bool{}
	for _, one := range l.lines {
		if one.inst.jumps {
			targets[one.inst.target] = true
		}
		if !one.isData {
			starts[one.start] = true
		}
	}
	if entry, ok := entryPoint(program); !ok || !starts[entry] {
		l.problem(1, "the program is not entered at a line of code, but at %#x", entry)
	}
	var before instruction
	for i, one := range l.lines {
		if one.isData || one.inst.size == 0 {
			before = instruction{}
			continue
		}
		last := i == len(l.lines)-1
		switch {
		case one.inst.jumps && !starts[one.inst.target]:
			l.problem(one.number, "jumps into data or into the middle of an instruction")
		case one.inst.indirect:
			l.problem(one.number, "jumps to an address that the audit cannot know")
		case one.inst.ends || !targets[one.start] && l.machine.exits(before, one.inst):
		case last || l.lines[i+1].isData:
			l.problem(one.number, "execution runs on into data or past the end")
		}
		before = one.inst
	}
}

// entryPoint reads e_entry of an ELF header of 64 bits, little-endian.
func entryPoint(program []byte) (uint64, bool) {
	if len(program) < 64 || string(program[:6]) != "\x7fELF\x02\x01" {
		return 0, false
	}
	var entry uint64
	for i, c := range program[24:32] {
		entry |= uint64(c) << (8 * i)
	}
	return entry, true
}
