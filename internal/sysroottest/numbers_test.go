// SPDX-License-Identifier: MIT

package sysroottest

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

// chance gives numbers that look like chance, the same at every run.
type chance uint64

func (c *chance) next() uint64 {
	*c += 0x9e3779b97f4a7c15
	z := uint64(*c)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// double is any finite double: of all exponents, of few bits, or of everyday size.
func (c *chance) double() float64 {
	for {
		bits := c.next()
		switch c.next() % 4 {
		case 0:
			bits &= 0xfff0000000000000 | 0xfff<<(c.next()%40)
		case 1:
			bits = bits&0x800fffffffffffff | (1003+c.next()%60)<<52
		case 2:
			return float64(int64(bits)>>(c.next()%60)) / float64([]int{1, 10, 100, 1000}[c.next()%4])
		}
		if d := math.Float64frombits(bits); !math.IsNaN(d) && !math.IsInf(d, 0) {
			return d
		}
	}
}

// long is a finite long double of the x87, normal or 0, as it is stored and as a big.Float.
func (c *chance) long() (high uint16, low uint64, value *big.Float) {
	high = uint16(c.next()) & 0x8fff
	if c.next()%2 == 0 {
		high = high&0x8000 | uint16(16383-40+c.next()%80)
	} else if high&0x7fff == 0 {
		high |= 0x7001
	}
	low = c.next() | 1<<63
	value = new(big.Float).SetPrec(64).SetMantExp(new(big.Float).SetUint64(low), int(high&0x7fff)-16383-63)
	if high>>15 != 0 {
		value.Neg(value)
	}
	return high, low, value
}

// longBits stores a big.Float of 64 bits as the x87 does, where it is normal or too large.
func longBits(x *big.Float) string {
	sign := 0
	if x.Signbit() {
		sign = 0x8000
	}
	exponent := x.MantExp(nil)
	switch {
	case x.Sign() == 0:
		return fmt.Sprintf(" %04x %016x", sign, 0)
	case x.IsInf() || exponent > 16384:
		return fmt.Sprintf(" %04x %016x", sign|0x7fff, uint64(1)<<63)
	}
	low, _ := new(big.Float).SetMantExp(new(big.Float).Abs(x), 64-exponent).Uint64()
	return fmt.Sprintf(" %04x %016x", sign|(exponent+16382), low)
}

// question is a line for numbers.c, and what has to come back.
type question struct{ line, want string }

// ask gives all questions to numbers.c.
func ask(t *testing.T, questions []question) {
	t.Helper()
	var input strings.Builder
	for _, q := range questions {
		input.WriteString(q.line + "\n")
	}
	got := start(t, t.TempDir(), input.String(), compile(t, "numbers.c"))
	answers := strings.Split(strings.TrimSuffix(got.Out, "\n"), "\n")
	if got.Status != 0 || len(answers) != len(questions) {
		t.Fatalf("numbers.c: status %d, %d lines for %d\n%s", got.Status, len(answers), len(questions), got.Err)
	}
	wrong := 0
	for i, q := range questions {
		if answers[i] != q.want {
			if wrong++; wrong <= 20 {
				t.Errorf("%.200s = %.200s; want %.200s", q.line, answers[i], q.want)
			}
		}
	}
	if wrong > 20 {
		t.Errorf("%d of %d are wrong", wrong, len(questions))
	}
}

// printed are questions for a double in formats that Go writes as C does.
func printed(d float64) []question {
	bits := math.Float64bits(d)
	q := func(format, want string) question {
		return question{fmt.Sprintf("print %s %x", format, bits), " " + want}
	}
	return []question{
		q("%.17e", strconv.FormatFloat(d, 'e', 17, 64)), q("%.0e", strconv.FormatFloat(d, 'e', 0, 64)),
		q("%f", strconv.FormatFloat(d, 'f', 6, 64)), q("%.3f", strconv.FormatFloat(d, 'f', 3, 64)),
		q("%.60f", strconv.FormatFloat(d, 'f', 60, 64)), q("%.1f", strconv.FormatFloat(d, 'f', 1, 64)),
		q("%.40E", strings.ToUpper(strconv.FormatFloat(d, 'e', 40, 64))), q("%+09.2f", fmt.Sprintf("%+09.2f", d)),
		q("%-12.4e|", fmt.Sprintf("%-12.4e|", d)),
	}
}

func TestPrintFloats(t *testing.T) {
	t.Parallel()
	questions := []question{
		{"print %g 3ff8000000000000", " 1.5"}, {"print %g 412e848000000000", " 1e+06"},
		{"print %g 40f86a0000000000", " 100000"},
		{"print %.3g 3f1a36e2eb1c432d", " 0.0001"}, {"print %#g 3ff0000000000000", " 1.00000"},
		{"print %G 7ff0000000000000", " INF"},
		{"print %e fff0000000000000", " -inf"}, {"print %5f 7ff8000000000000", "   nan"},
		{"print %a 3ff0000000000000", " 0x1p+0"},
		{"print %a bfb999999999999a", " -0x1.999999999999ap-4"}, {"print %.2a 3ff8cccccccccccd", " 0x1.8dp+0"},
		{"print %f 8000000000000000", " -0.000000"}, {"print %.0f 3fe0000000000000", " 0"},
		{"print %.0f 3ff8000000000000", " 2"},
		{"print %.0f 4004000000000000", " 2"}, {"print %.1f 3fc0000000000000", " 0.1"},
		{"print %.2f 4004cccccccccccd", " 2.60"},
		{"print %.1074f 1", " " + strconv.FormatFloat(5e-324, 'f', 1074, 64)},
		{"printl %.30Lf 3fff c000000000000000", " 1.500000000000000000000000000000"},
		{"printl %La 0001 8000000000000000", " 0x1p-16382"}, {"printl %Lg 7ffe ffffffffffffffff", " 1.18973e+4932"},
		{"printl %La 3fff ffffffffffffffff", " 0x1.fffffffffffffffep+0"},
	}
	c := chance(1)
	for range 250 {
		questions = append(questions, printed(c.double())...)
		high, low, x := c.long()
		questions = append(questions,
			question{fmt.Sprintf("printl %%.25Le %x %x", high, low), " " + x.Text('e', 25)},
			question{fmt.Sprintf("printl %%.3Lf %x %x", high, low), " " + x.Text('f', 3)})
	}
	ask(t, questions)
}

// reading is what text has to be read as: a float, a double, a long double.
func reading(t *testing.T, text string) string {
	t.Helper()
	f, _ := strconv.ParseFloat(text, 32) // an error beside a value says that it is out of range
	d, _ := strconv.ParseFloat(text, 64)
	l, _, err := big.ParseFloat(text, 0, 64, big.ToNearestEven)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return fmt.Sprintf(" %08x %016x", math.Float32bits(float32(f)), math.Float64bits(d)) + longBits(l)
}

// halfway is a text that lies exactly between two doubles, or a trifle beside the middle.
func (c *chance) halfway() string {
	d := math.Abs(c.double())
	next := math.Nextafter(d, math.Inf(1))
	if math.IsInf(next, 1) {
		next = d
	}
	middle := new(big.Float).SetPrec(2000).SetFloat64(d)
	middle.Add(middle, new(big.Float).SetFloat64(next))
	middle.Quo(middle, big.NewFloat(2))
	text := middle.Text('e', 800) // more digits than a double has
	digits, exponent, _ := strings.Cut(text, "e")
	return strings.TrimRight(digits, "0") + []string{"", "1", "00000000000000000000001"}[c.next()%3] + "e" + exponent
}

func TestReadFloats(t *testing.T) {
	t.Parallel()
	texts := []string{
		"0", "-0", "1", "-1.5", ".5", "5.", "1e23", "9007199254740993", "1.7976931348623158e308", "1.7976931348623159e308",
		"1e999",
		"2.2250738585072011e-308", "2.2250738585072014e-308", "4.9406564584124654e-324", "2.4703282292062327e-324", "1e-400",
		"3.4028235677973366e38", "3.40282356e38", "1.401298464324817e-45", "7.006492321624085e-46", "0x1p-1074", "0x1.8p1",
		"0x1.fffffffffffff8p0", "0x1.fffffffffffff7ffp0", "0x.8p-1", "0x1p1023", "0x1.00000100000000000001p0",
		"0xffffffffffffffffp0",
		"1" + strings.Repeat("0", 300), "0." + strings.Repeat("0", 300) + "1", "123456789012345678901234567890",
		"3.36210314311209350626e-4932", "1.18973149535723176502e4932", "1.18973149535723176510e4932", "0x1p-16382",
	}
	c := chance(2)
	for range 300 {
		d := c.double()
		_, _, l := c.long()
		texts = append(texts, strconv.FormatFloat(d, 'g', int(c.next()%25)+1, 64), c.halfway())
		texts = append(texts, l.Text('g', int(c.next()%30)+1))
		// musl makes 0 of what is negative, hexadecimal and too small, where -0 is right, whatever it is compiled with.
		texts = append(texts, strconv.FormatFloat(math.Abs(d), 'x', int(c.next()%16), 64))
	}
	var questions []question
	for i, text := range texts {
		want := reading(t, text)
		questions = append(questions, question{"read " + text, want})
		if i%4 == 0 && len(text) < 500 {
			questions = append(questions, question{"scan " + text, want})
		}
	}
	ask(t, questions)
}
