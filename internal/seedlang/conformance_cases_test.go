// SPDX-License-Identifier: MIT

package seedlang

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// p1Values are operands at the edges of the widths, and some in between.
var p1Values = []uint64{0, 1, 2, 7, 63, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
	0x100000000, 0x123456789ABCDEF, 0x8000000000000000, 0x7FFFFFFFFFFFFFFF, 0xFEDCBA9876543210,
	0xFFFFFFFF80000000, 0xFFFFFFFF7FFFFFFF, 0xFFFFFFFFFFFFFF80, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF}

// p1Immediates are numbers of 32 signed bits at the edges of shorter forms.
var p1Immediates = []int64{0, 1, -1, 2, 127, 128, -128, -129, 0x7FFF, 0x12345678, math.MaxInt32, math.MinInt32}

func (c *conformance) value() uint64 {
	if c.rand.IntN(4) == 0 {
		return c.rand.Uint64() >> c.rand.IntN(64)
	}
	return p1Values[c.rand.IntN(len(p1Values))]
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// p1Binary gives d op s for the instructions that compute with two registers.
func p1Binary(op string, d, s uint64) uint64 {
	switch op {
	case "mov":
		return s
	case "add":
		return d + s
	case "sub":
		return d - s
	case "mul":
		return d * s
	case "and":
		return d & s
	case "or":
		return d | s
	case "xor":
		return d ^ s
	case "div":
		return uint64(int64(d) / int64(s))
	case "rem":
		return uint64(int64(d) % int64(s))
	case "divu":
		return d / s
	case "remu":
		return d % s
	case "shl":
		return d << s
	case "shr":
		return d >> s
	case "sar":
		return uint64(int64(d) >> s)
	}
	return truth(p1Compare(strings.TrimPrefix(op, "s"), d, s))
}

func p1Compare(op string, a, b uint64) bool {
	switch op {
	case "eq":
		return a == b
	case "ne":
		return a != b
	case "lt":
		return int64(a) < int64(b)
	case "ge":
		return int64(a) >= int64(b)
	case "ltu":
		return a < b
	case "geu":
		return a >= b
	}
	panic("no model of " + op)
}

func (c *conformance) binary() {
	for _, op := range strings.Fields("mov add sub mul and or xor div rem divu remu shl shr sar seq sne slt sltu") {
		for d := range 12 {
			for s := range 12 {
				for range 2 {
					x, y := c.operands(op, d == s)
					c.add(map[int]uint64{d: x, s: y}, fmt.Sprintf("%s %s %s", op, p1Registers[d], p1Registers[s]),
						func(st *p1State, _ map[string]uint64) { st.reg[d] = p1Binary(op, x, y) })
				}
			}
		}
	}
}

// operands picks values that the instruction is defined for.
func (c *conformance) operands(op string, same bool) (x, y uint64) {
	for {
		x, y = c.value(), c.value()
		shift := op == "shl" || op == "shr" || op == "sar"
		if shift && c.rand.IntN(2) == 0 {
			y = []uint64{0, 1, 31, 32, 63}[c.rand.IntN(5)]
		}
		if op[0] == 's' && op[1] != 'u' && !shift && c.rand.IntN(3) == 0 {
			y = x
		}
		if same {
			x = y
		}
		switch {
		case shift && y > 63:
		case (strings.HasPrefix(op, "div") || strings.HasPrefix(op, "rem")) && y == 0:
		case (op == "div" || op == "rem") && x == 1<<63 && y == math.MaxUint64:
		default:
			return x, y
		}
	}
}

func (c *conformance) immediate() {
	for d, name := range p1Registers {
		for _, n := range p1Immediates {
			c.add(nil, fmt.Sprintf("li %s %d", name, n), func(s *p1State, _ map[string]uint64) { s.reg[d] = uint64(n) })
			for _, op := range []string{"add", "and", "or", "xor"} {
				x := c.value()
				c.add(map[int]uint64{d: x}, fmt.Sprintf("%si %s %d", op, name, n),
					func(s *p1State, _ map[string]uint64) { s.reg[d] = p1Binary(op, x, uint64(n)) })
			}
		}
		for _, n := range []uint64{0, 1, 7, 31, 32, 33, 63} {
			for _, op := range []string{"shl", "shr", "sar"} {
				for _, x := range []uint64{c.value(), 0xFEDCBA9876543210} {
					c.add(map[int]uint64{d: x}, fmt.Sprintf("%si %s %d", op, name, n),
						func(s *p1State, _ map[string]uint64) { s.reg[d] = p1Binary(op, x, n) })
				}
			}
		}
	}
}

func (c *conformance) unary() {
	for d, name := range p1Registers {
		for _, x := range p1Values {
			c.add(nil, fmt.Sprintf("li8 %s %#x", name, x), func(s *p1State, _ map[string]uint64) { s.reg[d] = x })
			for _, size := range []int{1, 2, 4} {
				unused := 64 - 8*size
				c.add(map[int]uint64{d: x}, fmt.Sprintf("sx%d %s", size, name),
					func(s *p1State, _ map[string]uint64) { s.reg[d] = uint64(int64(x<<unused) >> unused) })
				c.add(map[int]uint64{d: x}, fmt.Sprintf("zx%d %s", size, name),
					func(s *p1State, _ map[string]uint64) { s.reg[d] = x << unused >> unused })
			}
		}
	}
}

func (c *conformance) loadsAndStores() {
	for _, size := range []int{1, 2, 4, 8} {
		for r := range 12 {
			for b := range 12 {
				n := p1Immediates[c.rand.IntN(len(p1Immediates))]
				at := c.rand.IntN(32 - size + 1)
				base := p1Scratch + uint64(at) - uint64(n)
				operands := fmt.Sprintf("%s %s %d", p1Registers[r], p1Registers[b], n)
				c.add(map[int]uint64{b: base}, fmt.Sprintf("ld%d %s", size, operands),
					func(s *p1State, _ map[string]uint64) {
						var field [8]byte
						copy(field[:size], s.bytes()[at:])
						s.reg[r] = binary.LittleEndian.Uint64(field[:])
					})
				value := c.rand.Uint64()
				pre := map[int]uint64{r: value}
				pre[b] = base
				c.add(pre, fmt.Sprintf("st%d %s", size, operands),
					func(s *p1State, _ map[string]uint64) { s.store(at, size, s.reg[r]) })
			}
		}
	}
}

func (s *p1State) bytes() []byte {
	var b []byte
	for _, m := range s.memory {
		b = binary.LittleEndian.AppendUint64(b, m)
	}
	return b
}

func (s *p1State) store(at, size int, v uint64) {
	b := s.bytes()
	copy(b[at:at+size], binary.LittleEndian.AppendUint64(nil, v))
	for i := range s.memory {
		s.memory[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
}

func (c *conformance) stack() {
	for d, dn := range p1Registers {
		for s, sn := range p1Registers {
			move := func(st *p1State, _ map[string]uint64) { st.reg[d] = st.reg[s] }
			c.add(nil, fmt.Sprintf("push %s pop %s", sn, dn), move)
			c.add(nil, fmt.Sprintf("push s0 push %s ldsp %s 0 addsp 16", sn, dn), move)
			c.add(nil, fmt.Sprintf("addsp -0x1000 stsp %s 0xFF8 ldsp %s 0xFF8 addsp 0x1000", sn, dn), move)
			c.add(nil, fmt.Sprintf("addsp -8 stsp %s 0 pop %s", sn, dn), move)
		}
		c.add(nil, "getsp "+dn, func(st *p1State, _ map[string]uint64) { st.reg[d] = st.sp })
		c.add(nil, "push s0 getsp "+dn+" addsp 8", func(st *p1State, _ map[string]uint64) { st.reg[d] = st.sp - 8 })
		c.add(nil, fmt.Sprintf("getsp %s addi %s -64 setsp %s push %s pop s4 addsp 64", dn, dn, dn, dn),
			func(st *p1State, _ map[string]uint64) { st.reg[d] = st.sp - 64; st.reg[11] = st.sp - 64 })
	}
}

func (c *conformance) jumps() {
	taken := func(st *p1State, _ map[string]uint64) { st.taken = 1 }
	c.add(nil, "b t.@", taken)
	c.add(nil, "b o.@ :y.@ b t.@ :o.@ b y.@", taken)
	for r, name := range p1Registers {
		n := len(c.cases)
		label := func(of string, later int) string { return fmt.Sprintf("%s.%d", of, n+later) }
		c.add(nil, "la "+name+" l.@ :l.@",
			func(st *p1State, labels map[string]uint64) { st.reg[r] = labels[label("l", 0)] })
		c.add(nil, "la "+name+" t.@ br "+name,
			func(st *p1State, labels map[string]uint64) { st.reg[r], st.taken = labels[label("t", 1)], 1 })
		c.add(nil, "b o.@ :f.@ ldsp "+name+" 0 ret :o.@ call f.@ :l.@",
			func(st *p1State, labels map[string]uint64) { st.reg[r] = labels[label("l", 2)] })
		c.add(nil, "b o.@ :f.@ ldsp s3 0 ret :o.@ la "+name+" f.@ callr "+name+" :l.@",
			func(st *p1State, labels map[string]uint64) {
				st.reg[r] = labels[label("f", 3)]
				st.reg[10] = labels[label("l", 3)]
			})
	}
	// close(-1) is EBADF, 9; temporaries are not kept by a system call.
	c.add(map[int]uint64{0: math.MaxUint64}, "sys sys.close", func(st *p1State, _ map[string]uint64) {
		st.reg[0] = ^uint64(8)
		st.ignored = [12]bool{4: true, 5: true, 6: true}
	})
}

func (c *conformance) branches() {
	for _, op := range []string{"eq", "ne", "lt", "ge", "ltu", "geu"} {
		for a := range 12 {
			for b := range 12 {
				for range 2 {
					x, y := c.operands("seq", a == b)
					code := fmt.Sprintf("b%s %s %s", op, p1Registers[a], p1Registers[b])
					c.branch(map[int]uint64{a: x, b: y}, code, p1Compare(op, x, y))
				}
			}
			for _, n := range p1Immediates {
				for _, x := range []uint64{uint64(n), uint64(n) + 1, uint64(n) - 1, bits.Reverse64(uint64(n))} {
					code := fmt.Sprintf("b%si %s %d", op, p1Registers[a], n)
					c.branch(map[int]uint64{a: x}, code, p1Compare(op, x, uint64(n)))
				}
			}
		}
	}
	for a, name := range p1Registers {
		for _, x := range p1Values {
			c.branch(map[int]uint64{a: x}, "bz "+name, x == 0)
			c.branch(map[int]uint64{a: x}, "bnz "+name, x != 0)
			c.branch(map[int]uint64{a: x}, "bneg "+name, int64(x) < 0)
		}
	}
}

func (c *conformance) branch(pre map[int]uint64, code string, taken bool) {
	c.add(pre, code+" t.@", func(st *p1State, _ map[string]uint64) { st.taken = truth(taken) })
}
