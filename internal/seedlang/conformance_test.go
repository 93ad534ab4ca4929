// SPDX-License-Identifier: MIT

package seedlang

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/need"
)

var p1Registers = []string{"a0", "a1", "a2", "a3", "t0", "t1", "t2", "s0", "s1", "s2", "s3", "s4"}

// p1State is what a case can change: registers in the order of p1Registers, the stack pointer, 32 bytes of memory at
// scratch, and whether a branch was taken.
type p1State struct {
	reg     [12]uint64
	sp      uint64
	memory  [4]uint64
	taken   uint64
	ignored [12]bool // registers whose value is not defined
}

const (
	p1Scratch = 0x10000100 // the address of memory
	p1Record  = 18 * 8     // bytes that dump writes: registers, sp, memory, taken
	p1Out     = 0x10001000
)

// p1Case is a few instructions between setup and dump, and what they do.
type p1Case struct {
	code  string
	model func(s *p1State, labels map[string]uint64)
}

// conformance collects cases and writes the program that runs them all.
type conformance struct {
	cases []p1Case
	rand  *rand.Rand
}

func newConformance(tb testing.TB) *conformance {
	tb.Helper()
	c := &conformance{rand: rand.New(rand.NewPCG(1, 2))}
	c.binary()
	c.immediate()
	c.unary()
	c.loadsAndStores()
	c.stack()
	c.jumps()
	c.branches()
	return c
}

// add adds a case: registers are set to the values of pre, then the code runs. In the code, @ is the number of the
// case. A case that may jump to t.@ is dumped as taken there.
func (c *conformance) add(pre map[int]uint64, code string, model func(s *p1State, labels map[string]uint64)) {
	var text strings.Builder
	for _, r := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11} {
		if v, ok := pre[r]; ok {
			fmt.Fprintf(&text, "li8 %s %#x\n", p1Registers[r], v)
		}
	}
	code += "\ncall dump"
	if strings.Contains(code, "t.@") {
		code += "\nb n.@\n:t.@ call dump.taken\n:n.@"
	}
	text.WriteString(strings.ReplaceAll(code, "@", fmt.Sprint(len(c.cases))))
	c.cases = append(c.cases, p1Case{text.String(), func(s *p1State, labels map[string]uint64) {
		for r, v := range pre {
			s.reg[r] = v
		}
		model(s, labels)
	}})
}

// p1Start is the state that setup leaves.
func p1Start() p1State {
	var s p1State
	for i := range s.reg {
		s.reg[i] = 0x0123456789ABCDEF * uint64(2*i+1)
	}
	for i := range s.memory {
		s.memory[i] = 0xF7E6D5C4B3A29180 ^ uint64(i)*0x1111111111111111
	}
	return s
}

// source is the program: each case between setup and dump.
func (c *conformance) source() Source {
	var b strings.Builder
	fmt.Fprintf(&b, "program %#x\n:_start getsp a0 li a1 BSS st8 a0 a1 0x10\n", p1Out-0x10000000+len(c.cases)*p1Record)
	fmt.Fprintf(&b, "li a0 %#x st8 a0 a1 0\n", p1Out)
	for _, one := range c.cases {
		fmt.Fprintf(&b, "call setup\n%s\n", one.code)
	}
	b.WriteString("li a0 1 li a1 BSS+0x10 li a2 8 sys sys.write\n")
	fmt.Fprintf(&b, "li a1 %#x\n:more li a3 BSS ld8 a2 a3 0 sub a2 a1 bz a2 done li a0 1 sys sys.write\n", p1Out)
	b.WriteString("bneg a0 done add a1 a0 b more\n:done li a0 0 sys sys.exit\n")
	c.setup(&b)
	c.dump(&b)
	b.WriteString(":elf.end\n")
	return Source{Name: "conformance.P1", Text: []byte(b.String())}
}

func (c *conformance) setup(b *strings.Builder) {
	start := p1Start()
	b.WriteString(":setup\n")
	for i, v := range start.memory {
		fmt.Fprintf(b, "li a0 %#x li8 a1 %#x st8 a1 a0 %d\n", p1Scratch, v, 8*i)
	}
	for i, v := range start.reg {
		fmt.Fprintf(b, "li8 %s %#x\n", p1Registers[i], v)
	}
	b.WriteString("ret\n")
}

func (c *conformance) dump(b *strings.Builder) {
	b.WriteString(":dump.taken push a0 push a1 li a0 BSS li a1 1 st8 a1 a0 8 pop a1 pop a0\n:dump\n")
	for _, r := range p1Registers {
		fmt.Fprintf(b, "push %s\n", r)
	}
	b.WriteString("li a0 BSS ld8 a1 a0 0\n")
	for i := range p1Registers {
		fmt.Fprintf(b, "ldsp a2 %d st8 a2 a1 %d\n", 88-8*i, 8*i)
	}
	b.WriteString("getsp a2 addi a2 104 st8 a2 a1 96\n")
	for i := range 4 {
		fmt.Fprintf(b, "li a3 %#x ld8 a2 a3 %d st8 a2 a1 %d\n", p1Scratch, 8*i, 104+8*i)
	}
	fmt.Fprintf(b, "ld8 a2 a0 8 st8 a2 a1 136 li a2 0 st8 a2 a0 8 addi a1 %d st8 a1 a0 0 addsp 96 ret\n", p1Record)
}

// TestP1RunsAsItsDefinitionSays runs every instruction natively, with all combinations of registers, and compares the
// registers, the stack pointer and memory with what a model of the instruction gives.
func TestP1RunsAsItsDefinitionSays(t *testing.T) {
	need.Arch(t, "amd64")
	c := newConformance(t)
	source := c.source()
	program, m, err := Assemble(M1pp, Base, p1Backend(t, "amd64"), source)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "conformance")
	if err := os.WriteFile(file, program, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(file).Output()
	if err != nil || len(out) != 8+len(c.cases)*p1Record {
		t.Fatalf("the program ends with %v after %d bytes; want %d", err, len(out), 8+len(c.cases)*p1Record)
	}
	labels := map[string]uint64{}
	for _, l := range m.Labels {
		labels[l.Name] = l.Address
	}
	sp := binary.LittleEndian.Uint64(out)
	failures := 0
	for i, one := range c.cases {
		want := p1Start()
		want.sp = sp
		one.model(&want, labels)
		if d := want.differs(out[8+i*p1Record:][:p1Record]); d != "" && failures < 20 {
			t.Errorf("%s:\n%s", one.code, d)
			failures++
		}
	}
	t.Logf("%d cases", len(c.cases))
}

// differs compares a state with what dump wrote.
func (s *p1State) differs(record []byte) string {
	want := slices.Concat(s.reg[:], []uint64{s.sp}, s.memory[:], []uint64{s.taken})
	var d strings.Builder
	for i, w := range want {
		got := binary.LittleEndian.Uint64(record[8*i:])
		if got == w || i < len(s.ignored) && s.ignored[i] {
			continue
		}
		name := append(p1Registers[:12:12], "sp", "m0", "m1", "m2", "m3", "taken")[i]
		fmt.Fprintf(&d, "  %s = %#x; want %#x\n", name, got, w)
	}
	return d.String()
}
