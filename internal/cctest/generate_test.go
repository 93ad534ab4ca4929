// SPDX-License-Identifier: MIT

package cctest

import (
	"fmt"
	"strings"
)

// A generator writes random C programs whose results C defines, given -fwrapv: no expression depends on the order of
// its effects, no shift goes too far, nothing divides by zero, every loop ends. The same seed gives the same program.
type generator struct {
	state uint64
	out   strings.Builder
	vars  []variable // what an expression may read: globals, then the function's own
	depth int        // of statements
	funcs int        // that were written, to be called
	loops int        // variables for loops that are in use
	temps int        // variables that the statement assigns within an expression
}

// A variable is a place that can be read and assigned.
type variable struct{ name, kind string }

// The types of numbers, and what a result is mixed from.
var kinds = []string{
	"signed char", "unsigned char", "char", "short", "unsigned short", "int", "unsigned", "long", "unsigned long",
	"_Bool",
}

// next is an xorshift generator: a number less than n.
func (g *generator) next(n int) int {
	g.state ^= g.state << 13
	g.state ^= g.state >> 7
	g.state ^= g.state << 17
	return int((g.state >> 11) % uint64(n))
}

func (g *generator) one(of ...string) string { return of[g.next(len(of))] }

func (g *generator) line(format string, args ...any) {
	fmt.Fprintf(&g.out, strings.Repeat("\t", g.depth)+format+"\n", args...)
}

// program writes a program of n functions, each of them called, and its result printed.
func program(seed uint64, n int) string {
	g := &generator{state: seed*0x9e3779b97f4a7c15 + 1}
	g.line("#include \"test.h\"")
	g.line("%s", helpers)
	g.globals()
	common := len(g.vars)
	for range n {
		g.function()
		g.vars = g.vars[:common]
	}
	g.line("int main(void) {")
	for i := range n {
		g.line("SHOW(f%d(%s, %s));", i, g.literal(), g.literal())
		if i%8 == 0 {
			g.line("BYTES(g_struct); BYTES(g_array);")
		}
	}
	for i := range g.structs() {
		g.line("SHOW(sizeof(s%d)); BYTES(s%d); s%d_copy = s%d; BYTES(s%d_copy);", i, i, i, i, i)
	}
	g.line("return 0; }")
	return g.out.String()
}

// helpers are functions without effects, to be called within expressions.
const helpers = `struct pair { int a; long b; signed char c; };
static long h0(int a, unsigned char b) { return a * 3L - b; }
static unsigned char h1(long a) { return a >> 3; }
static short h2(unsigned a, long b, char c) { return a + b * c; }
static struct pair h3(long a, int b) { struct pair p = { a, b, a + b }; return p; }
static long h4(struct pair p, int n, struct pair q) { return p.a - q.b * n + p.c; }
static long (*h5)(int, unsigned char) = h0;
static unsigned h6(int n) { return n < 1 ? 1 : n * h6((n & 15) - 1) + 1; }`

// structs is how many structs a program has.
func (g *generator) structs() int { return 12 }

// globals writes variables of each type, an array, and structs with bit-fields and initialisers.
func (g *generator) globals() {
	for i, kind := range kinds {
		g.line("%s g%d = %s;", kind, i, g.literal())
		g.vars = append(g.vars, variable{fmt.Sprintf("g%d", i), kind})
	}
	kind := g.one(kinds[:9]...)
	g.line("%s g_array[8] = { %s, %s, %s };", kind, g.literal(), g.literal(), g.literal())
	g.line("%s *g_pointer = g_array + 3;", kind)
	for _, name := range []string{"g_array[5]", "(*g_pointer)", "g_pointer[-1]"} {
		g.vars = append(g.vars, variable{name, kind})
	}
	g.line("struct {")
	for i := range 8 {
		kind, bits := g.field()
		g.line("\t%s m%d%s;", kind, i, bits)
		g.vars = append(g.vars,
			variable{fmt.Sprintf("%sm%d", g.one("g_struct.", "g_in->"), i), kind})
	}
	g.line("} g_struct, *g_in = &g_struct;")
	for i := range g.structs() {
		g.aggregate(i)
	}
}

// field is the type of a member, and its width where it is a bit-field.
func (g *generator) field() (kind, bits string) {
	kind = g.one(kinds...)
	widths := map[string]int{
		"signed char": 8, "unsigned char": 8, "short": 16, "unsigned short": 16, "int": 32, "unsigned": 32, "long": 31,
		"unsigned long": 31, "_Bool": 1,
	}
	if width := widths[kind]; width > 0 && g.next(3) > 0 {
		bits = fmt.Sprintf(" : %d", 1+g.next(width))
	}
	return kind, bits
}

// aggregate writes a struct with arrays, structs and unions in it, and an initialiser for it.
func (g *generator) aggregate(i int) {
	text, value := g.members(i, 0)
	if g.next(4) == 0 {
		value = strings.NewReplacer("{ ", "", " }", "").Replace(value) // braces may be left out
	}
	g.line("struct t%d %s s%d = { %s }, s%d_copy;", i, text, i, value, i)
}

// members is a body with members, and their values.
func (g *generator) members(i, depth int) (text, value string) {
	var body, values []string
	for n := range 1 + g.next(5) {
		name := fmt.Sprintf("m%d_%d_%d", i, depth, n)
		kind, bits := g.field()
		choice := g.next(8)
		switch {
		case choice == 0 && depth < 3:
			inner, v := g.members(i*10+n, depth+1)
			if g.next(2) == 0 {
				name = ""
			}
			body = append(body, fmt.Sprintf("struct %s %s;", inner, name))
			values = append(values, "{ "+v+" }")
		case choice == 1 && depth < 3:
			body = append(body, fmt.Sprintf("union { %s a%s; %s b%s; } %s;", kind, name, g.one(kinds...), name, "u"+name))
			values = append(values, "{ "+g.literal()+" }")
		case choice == 2:
			body = append(body, fmt.Sprintf("%s %s[%d];", kind, name, 2))
			values = append(values, "{ "+g.literal()+", "+g.literal()+" }")
		default:
			body = append(body, fmt.Sprintf("%s %s%s;", kind, name, bits))
			values = append(values, g.literal())
			if bits != "" && g.next(6) == 0 {
				body = append(body, g.one("int : 0;", "unsigned : 3;", "char : 2;"))
			}
		}
	}
	return "{ " + strings.Join(body, " ") + " }", strings.Join(values, ", ")
}

// function writes a function with variables of its own.
func (g *generator) function() {
	a, b := g.one(kinds...), g.one(kinds...)
	g.line("%s f%d(%s a, %s b) {", g.one(kinds...), g.funcs, a, b)
	g.depth++
	g.vars = append(g.vars, variable{"a", a}, variable{"b", b})
	g.line("%s x0 = 1; %s x1 = 2; %s x2 = 3;", g.one(kinds...), g.one(kinds...), g.one(kinds...))
	for i := range 3 {
		g.temps = 0
		kind := g.one(kinds...)
		g.line("%s v%d = %s;", kind, i, g.expr(2))
		g.vars = append(g.vars, variable{fmt.Sprintf("v%d", i), kind})
	}
	g.line("int l0 = 0, l1 = 0, l2 = 0;")
	g.line("unsigned long sum = 0;")
	for range 3 + g.next(4) {
		g.statement()
	}
	for _, v := range g.vars[len(g.vars)-5:] {
		g.line("sum = sum * 31 + %s;", v.name)
	}
	g.temps = 0
	g.line("sum += x0 * 3 + x1 * 5 + x2 * 7;")
	g.line("return sum ^ sum >> 32 ^ (%s);", g.expr(3))
	g.depth--
	g.line("}")
	g.funcs++
}
