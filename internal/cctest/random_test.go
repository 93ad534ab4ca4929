// SPDX-License-Identifier: MIT

package cctest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// statement writes one statement, with others in it.
func (g *generator) statement() {
	g.temps = 0
	choice := g.next(12)
	if g.depth > 4 {
		choice = g.next(5)
	}
	switch choice {
	default:
		g.assignment()
	case 5, 6:
		g.line("if (%s) {", g.expr(3))
		g.body(2)
		if g.next(2) == 0 {
			g.line("} else {")
			g.body(2)
		}
		g.line("}")
	case 7, 8:
		g.loop()
	case 9, 10:
		g.choice()
	case 11:
		label := fmt.Sprintf("out%d_%d", g.out.Len(), g.depth)
		g.line("if (%s) goto %s;", g.expr(2), label)
		g.assignment()
		g.line("%s:", label)
		g.assignment()
	}
}

// body writes up to n statements.
func (g *generator) body(n int) {
	g.depth++
	for range 1 + g.next(n) {
		g.statement()
	}
	g.depth--
}

// place is a variable that may be assigned.
func (g *generator) place() string { return g.vars[g.next(len(g.vars))].name }

func (g *generator) assignment() {
	switch place := g.place(); g.next(6) {
	case 0:
		g.line("%s%s;", place, g.one("++", "--"))
	case 1:
		g.line("%s%s;", g.one("++", "--"), place)
	case 2:
		g.line("%s %s= %s;", place, g.one("+", "-", "*", "&", "|", "^"), g.expr(2))
	case 3:
		g.line("%s %s= (%s) & 7;", place, g.one("<<", ">>"), g.expr(2))
	case 4:
		g.line("sum = sum * 7 + (%s %s %s);", place, g.one("=", "+=", "-=", "^="), g.constant(3))
	default:
		g.line("%s = %s;", place, g.expr(4))
	}
}

// loop writes a loop of a few turns, with a variable that nothing else changes.
func (g *generator) loop() {
	if g.loops == 3 {
		g.assignment()
		return
	}
	l, n := fmt.Sprintf("l%d", g.loops), 1+g.next(5)
	g.loops++
	ends := []string{"continue", "break"}
	switch g.next(3) {
	case 0:
		g.line("for (%s = 0; %s < %d; %s++) {", l, l, n, l)
	case 1:
		g.line("%s = %d;", l, n)
		g.line("while (%s-- > 0) {", l)
	default:
		g.line("%s = 0;", l)
		g.line("do {")
	}
	done := "}"
	if strings.HasSuffix(strings.TrimSpace(g.out.String()), "do {") {
		done = fmt.Sprintf("} while (++%s < %d);", l, n)
	}
	g.depth++
	g.line("if (%s) %s;", g.expr(2), g.one(ends...))
	g.depth--
	g.body(3)
	g.line("%s", done)
	g.loops--
}

// choice writes a switch with cases of all sizes, some of which fall through.
func (g *generator) choice() {
	kind := g.one("int", "unsigned", "long", "unsigned char", "unsigned long")
	mask := g.one("7", "15", "-1", "255")
	g.line("switch ((%s)(%s) & %s) {", kind, g.expr(3), mask)
	seen := map[string]bool{}
	for range 1 + g.next(9) {
		label := g.one("0", "1", "2", "3", "4", "5", "6", "7", "12", "100", "200", "255", "-1", "-2", "1000000",
			"0x7fffffff")
		if seen[label] {
			continue
		}
		seen[label] = true
		g.line("case %s:", label)
		g.depth++
		g.assignment()
		if g.next(2) == 0 {
			g.line("break;")
		}
		g.depth--
	}
	if g.next(2) == 0 {
		g.line("default:")
		g.body(1)
	}
	g.line("}")
}

// literal is a number that is often at an edge.
func (g *generator) literal() string {
	switch g.next(5) {
	case 0:
		return fmt.Sprint(g.next(20) - 10)
	case 1:
		return fmt.Sprintf("%s0x%x%s", g.one("", "-"), uint64(1)<<g.next(64)-uint64(g.next(2)), g.one("", "", "u", "l", "ul"))
	case 2:
		return fmt.Sprintf("%d%s", g.next(1<<g.next(31)), g.one("", "u", "l", "ull"))
	case 3:
		return g.one("127", "-128", "255", "256", "32767", "-32768", "65535", "2147483647", "-2147483648", "4294967295",
			"9223372036854775807", "-9223372036854775807", "'a'", "'\\377'", "'\\0'", "0")
	}
	return fmt.Sprint(g.next(1<<40) - 1<<39)
}

// constant is an expression of literals, for the compiler to work out.
func (g *generator) constant(depth int) string {
	vars := g.vars
	defer func() { g.vars = vars }()
	g.vars = nil
	return g.expr(depth)
}

// expr is an expression without effects.
func (g *generator) expr(depth int) string {
	if depth == 0 || g.next(8) == 0 {
		if g.vars == nil || g.next(4) == 0 {
			return g.literal()
		}
		return g.vars[g.next(len(g.vars))].name
	}
	e := func() string { return g.expr(depth - 1) }
	if g.vars != nil && g.next(6) == 0 {
		return g.special(depth, e)
	}
	switch g.next(16) {
	case 0:
		return fmt.Sprintf("%s(%s)", g.one("-", "~", "!", "+"), e())
	case 1:
		return fmt.Sprintf("(%s)(%s)", g.one(kinds...), e())
	case 2, 3:
		return fmt.Sprintf("((%s) %s ((%s) & 31))", e(), g.one("<<", ">>"), e())
	case 4:
		return fmt.Sprintf("((%s) %s (((%s) & 15) + 1))", e(), g.one("/", "%"), e())
	case 5:
		return fmt.Sprintf("((%s) %s %s)", e(), g.one("/", "%", "*", "+", "-"), g.one("1", "2", "3", "8", "10", "64u", "1000"))
	case 6, 7:
		return fmt.Sprintf("((%s) %s (%s))", e(), g.one("<", ">", "<=", ">=", "==", "!="), e())
	case 8:
		return fmt.Sprintf("((%s) %s (%s))", e(), g.one("&&", "||"), e())
	case 9:
		return fmt.Sprintf("((%s) ? (%s) : (%s))", e(), e(), e())
	case 10:
		if g.vars == nil || g.funcs == 0 {
			return e()
		}
		return fmt.Sprintf("g_array[(%s) & 7]", e())
	}
	return fmt.Sprintf("((%s) %s (%s))", e(), g.one("+", "-", "*", "&", "|", "^"), e())
}

// special is an expression with a call, an assignment to a variable that nothing else uses, or many operands.
func (g *generator) special(depth int, e func() string) string {
	switch choice := g.next(12); choice {
	case 0, 1, 2:
		return g.one("h0", "h5", "(*h5)", "(1 ? h0 : h5)") + fmt.Sprintf("(%s, %s)", e(), e())
	case 3:
		return fmt.Sprintf("h1(%s)", e())
	case 4:
		return fmt.Sprintf("h2(%s, %s, %s)", e(), e(), e())
	case 5:
		return fmt.Sprintf("h3(%s, %s).%s", e(), e(), g.one("a", "b", "c"))
	case 6:
		return fmt.Sprintf("h4(h3(%s, %s), %s, h3(%s, %s))", e(), e(), e(), e(), e())
	case 7:
		return fmt.Sprintf("h6((%s) & 15)", e())
	case 8, 9, 10:
		if g.temps == 3 {
			return e()
		}
		g.temps++
		x := fmt.Sprintf("x%d", g.temps-1)
		return g.one(
			fmt.Sprintf("(%s %s (%s))", x, g.one("=", "+=", "-=", "^=", "*=", "|="), e()),
			"("+x+"++)", "("+x+"--)", "(++"+x+")", fmt.Sprintf("((%s) , (%s))", x, e()))
	}
	text := g.expr(0)
	for range 9 {
		text = fmt.Sprintf("%s %s (%s)", g.expr(g.next(2)), g.one("+", "-", "*", "^"), text)
	}
	return "(" + text + ")"
}

// compare runs a random program as cc and as the host's compiler made it.
func compare(t *testing.T, seed uint64, functions int) {
	t.Helper()
	b := newBench(t)
	text := program(seed, functions)
	b.write("t.c", []byte(text))
	want, got := b.host("t.c"), b.cc("t.c")
	if strings.Count(want, "\n") < functions {
		t.Fatalf("program %d printed only %d lines", seed, strings.Count(want, "\n"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("program %d: want (-) and got (+) differ:\n%s", seed, diff)
	}
}

// TestRandom compiles some thousand small functions.
func TestRandom(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			compare(t, seed, 100)
		})
	}
}

// FuzzRandom goes on with other programs for as long as it is let.
func FuzzRandom(f *testing.F) {
	f.Add(uint64(1000))
	f.Fuzz(func(t *testing.T, seed uint64) { compare(t, seed, 20) })
}
