// SPDX-License-Identifier: MIT

package sysroottest

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// operations of Go on floats, doubles and numbers of 64 bits.
var operations = []struct {
	sign   string
	float  func(x, y float32) float32
	double func(x, y float64) float64
	long   func(z, x, y *big.Float) *big.Float
}{
	{"+", func(x, y float32) float32 { return x + y }, func(x, y float64) float64 { return x + y }, (*big.Float).Add},
	{"-", func(x, y float32) float32 { return x - y }, func(x, y float64) float64 { return x - y }, (*big.Float).Sub},
	{"*", func(x, y float32) float32 { return x * y }, func(x, y float64) float64 { return x * y }, (*big.Float).Mul},
	{"/", func(x, y float32) float32 { return x / y }, func(x, y float64) float64 { return x / y }, (*big.Float).Quo},
}

// flags are what the six comparisons of C give.
func flags(x, y float64) string {
	flag := map[bool]byte{true: '1', false: '0'}
	return string([]byte{' ', flag[x < y], flag[x <= y], flag[x == y], flag[x != y], flag[x >= y], flag[x > y]})
}

func TestArithmetic(t *testing.T) {
	t.Parallel()
	var questions []question
	c := chance(3)
	for i := range 6000 {
		x, y := c.double(), c.double()
		switch i % 10 {
		case 0:
			y = x
		case 1:
			y = math.Nextafter(x, c.double())
		case 2:
			x = 0
		}
		op := operations[i/10%4]
		f, d := op.float(float32(x), float32(y)), op.double(x, y)
		if math.IsNaN(float64(f)) || math.IsNaN(d) || op.sign == "/" && y == 0 {
			continue
		}
		l := op.long(new(big.Float).SetPrec(64), big.NewFloat(x), big.NewFloat(y))
		questions = append(questions, question{
			fmt.Sprintf("do %s %x %x", op.sign, math.Float64bits(x), math.Float64bits(y)),
			fmt.Sprintf(" %08x %016x", math.Float32bits(f), math.Float64bits(d)) + longBits(l) + flags(x, y) +
				flags(float64(float32(x)), float64(float32(y))) + flags(x, y),
		})
	}
	if len(questions) < 4000 {
		t.Fatalf("%d questions; want 4000 at least", len(questions))
	}
	ask(t, questions)
}

func TestConversions(t *testing.T) {
	t.Parallel()
	var questions []question
	c := chance(4)
	whole := func(f float32, d float64, l *big.Float) string {
		return fmt.Sprintf(" %08x %016x", math.Float32bits(f), math.Float64bits(d)) + longBits(l)
	}
	for range 3000 {
		n := int64(c.next()) >> (c.next() % 64)
		u := uint64(n)
		long := func() *big.Float { return new(big.Float).SetPrec(64) }
		questions = append(questions, question{fmt.Sprintf("from %x", u),
			whole(float32(n), float64(n), long().SetInt64(n)) + whole(float32(u), float64(u), long().SetUint64(u))})
		d := float64(c.next()>>(c.next()%64)) / (1 << 35)
		if d < 1<<31 {
			questions = append(questions, question{fmt.Sprintf("to %x", math.Float64bits(d)),
				fmt.Sprintf(" %d %d %d", int32(d), int64(d), uint64(d))})
		}
	}
	ask(t, questions)
}

// exact are functions of which IEEE 754 or C says what they give to the last bit.
var exact = map[string]func(x, y float64) float64{
	"sqrt":      func(x, _ float64) float64 { return math.Sqrt(x) },
	"floor":     func(x, _ float64) float64 { return math.Floor(x) },
	"ceil":      func(x, _ float64) float64 { return math.Ceil(x) },
	"trunc":     func(x, _ float64) float64 { return math.Trunc(x) },
	"round":     func(x, _ float64) float64 { return math.Round(x) },
	"rint":      func(x, _ float64) float64 { return math.RoundToEven(x) },
	"fma":       func(x, y float64) float64 { return math.FMA(x, y, -1.25) },
	"fmod":      math.Mod,
	"remainder": math.Remainder,
	"nextafter": math.Nextafter,
}

// near are functions that Go calculates in its own way, and the largest argument for which they are compared.
var near = map[string]struct {
	most float64
	f    func(x, y float64) float64
}{
	"sin": {1e6, one(math.Sin)}, "cos": {1e6, one(math.Cos)}, "tan": {1e6, one(tangent)}, "exp": {700, one(math.Exp)},
	"log": {1e300, one(math.Log)}, "log10": {1e300, one(math.Log10)}, "log2": {1e300, one(math.Log2)},
	"exp2": {1000, one(math.Exp2)}, "expm1": {700, one(math.Expm1)}, "log1p": {1e300, one(math.Log1p)},
	"asin": {1, one(math.Asin)}, "acos": {1, one(math.Acos)}, "atan": {1e300, one(math.Atan)},
	"sinh": {700, one(math.Sinh)}, "cosh": {700, one(math.Cosh)}, "tanh": {30, one(math.Tanh)},
	"cbrt": {1e300, one(math.Cbrt)}, "erf": {5, one(math.Erf)},
	"hypot": {1e150, math.Hypot}, "atan2": {1e150, math.Atan2},
	"pow": {20, power},
}

// tangent is math.Tan, but for small arguments, where that gives the argument.
func tangent(x float64) float64 {
	if math.Abs(x) < 1e-6 {
		return x + x*x*x/3
	}
	return math.Tan(x)
}

// power is math.Pow with many more bits on the way, for a whole y.
func power(x, y float64) float64 {
	all := new(big.Float).SetPrec(400).SetInt64(1)
	factor := new(big.Float).SetPrec(400).SetFloat64(math.Abs(x))
	for range int(math.Abs(y)) {
		all.Mul(all, factor)
	}
	if y < 0 {
		all.Quo(big.NewFloat(1), all)
	}
	value, _ := all.Float64()
	return value
}

func one(f func(float64) float64) func(x, y float64) float64 {
	return func(x, _ float64) float64 { return f(x) }
}

func TestExactMath(t *testing.T) {
	t.Parallel()
	var questions []question
	c := chance(5)
	for _, name := range slices.Sorted(maps.Keys(exact)) {
		f := exact[name]
		for range 300 {
			x, y := c.double(), c.double()
			if want := f(x, y); !math.IsNaN(want) {
				questions = append(questions, question{
					fmt.Sprintf("call %s %x %x", name, math.Float64bits(x), math.Float64bits(y)),
					fmt.Sprintf(" %016x", math.Float64bits(want)),
				})
			}
		}
	}
	for range 300 {
		high, low, x := c.long()
		line := func(name string) string { return fmt.Sprintf("calll %s %x %x 3ffe e000000000000000", name, high, low) }
		if x.Sign() > 0 {
			questions = append(questions, question{line("sqrt"), longBits(new(big.Float).SetPrec(64).Sqrt(x))})
		}
		// x times 7/8, minus 5/4, rounded once.
		wide := new(big.Float).SetPrec(40000).Mul(x, big.NewFloat(0.875))
		wide.Sub(wide, big.NewFloat(1.25))
		questions = append(questions, question{line("fma"), longBits(wide.SetPrec(64))})
		whole, _ := x.Int(nil)
		if whole.Sign() != 0 {
			questions = append(questions, question{line("trunc"), longBits(new(big.Float).SetPrec(64).SetInt(whole))})
		}
	}
	ask(t, questions)
}

// within is a double whose size is between two bounds.
func (c *chance) within(least, most float64) float64 {
	for {
		for d := c.double(); math.Abs(d) >= least; d /= 1e3 {
			if math.Abs(d) <= most {
				return d
			}
		}
	}
}

// TestNearMath allows four units in the last place between musl and Go. Where they were further apart, and a third
// library was asked, it was musl that was right.
func TestNearMath(t *testing.T) {
	t.Parallel()
	c := chance(6)
	var input strings.Builder
	var want []float64
	for _, name := range slices.Sorted(maps.Keys(near)) {
		n := near[name]
		for range 200 {
			x, y := c.within(1e-100, n.most), c.within(1e-100, n.most)
			if name == "pow" {
				y = math.Trunc(y)
			}
			if w := n.f(x, y); !math.IsNaN(w) && !math.IsInf(w, 0) && math.Abs(w) > 1e-290 {
				fmt.Fprintf(&input, "call %s %x %x\n", name, math.Float64bits(x), math.Float64bits(y))
				want = append(want, w)
			}
		}
	}
	got := start(t, t.TempDir(), input.String(), compile(t, "numbers.c"))
	lines, answers := strings.Split(input.String(), "\n"), strings.Fields(got.Out)
	if len(answers) != len(want) || len(want) < 3000 {
		t.Fatalf("%d answers to %d questions; want the same, and 3000 at least", len(answers), len(want))
	}
	for i, w := range want {
		var bits uint64
		_, err := fmt.Sscanf(answers[i], "%x", &bits)
		if g := math.Float64frombits(bits); err != nil || math.Abs(g-w) > 4*math.Abs(math.Nextafter(w, math.Inf(1))-w) {
			t.Errorf("%s = %v, %v; want %v or near", lines[i], g, err, w)
		}
	}
}
