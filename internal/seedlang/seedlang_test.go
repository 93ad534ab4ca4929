// SPDX-License-Identifier: MIT

package seedlang

import (
	"encoding/hex"
	"strings"
	"testing"
)

// assemble gives the bytes of a text as hex digits, or the text of the error.
func assemble(lang Lang, texts ...string) string {
	var sources []Source
	for i, text := range texts {
		sources = append(sources, Source{Name: "abc"[i : i+1], Text: []byte(text)})
	}
	b, _, err := Assemble(lang, Base, sources...)
	if err != nil {
		return "error: " + err.Error()
	}
	return strings.ToUpper(hex.EncodeToString(b))
}

type row struct {
	name string
	lang Lang
	text string
	want string // hex digits, or a part of the error behind "error: "
}

func runRows(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got := assemble(r.lang, r.text)
			ok := got == r.want
			if strings.HasPrefix(r.want, "error: ") {
				ok = strings.HasPrefix(got, r.want)
			}
			if !ok {
				t.Errorf("Assemble(%s, %q) = %s; want %s", r.lang, r.text, got, r.want)
			}
		})
	}
}

func TestAssembleHex(t *testing.T) {
	runRows(t, []row{
		{"nothing", Hex0, "", ""},
		{"both cases and long words", Hex0, "0a FF\n\tdeadBEEF", "0AFFDEADBEEF"},
		{"both kinds of comment", Hex0, "01 # 02\n03 ; 04 # 05\n06#07", "010306"},
		{"an odd digit", Hex0, "01\n  02 3", "error: a:2:6: odd number of hex digits"},
		{"a pair cut in two", Hex0, "0 1", "error: a:1:1: odd number"},
		{"a word that is not hex", Hex0, "01 xy", `error: a:1:4: "xy" does not belong`},
		{"hex and then something else", Hex0, "01 0x", `error: a:1:4: "0x" is not defined, and no run`},
		{"a label in hex0", Hex0, ":a", "error: a:1:1: "},
		{"the comma is no blank of hex0", Hex0, "01,02", "error: a:1:1: "},
		{"the comma is a blank of hex2", Hex2, "01,02", "0102"},
		{"a byte that is not ASCII", Hex2, "01 # \xc3\xa4", "error: a:1:6: byte 0xc3 is not ASCII"},
		{"a stray control byte", Hex2, "01\r\n", "error: a:1:3: byte 0x0d"},
		{"relative, forwards and backwards", Hex2, ":a %b %a :b", "04000000F8FFFFFF"},
		{"between two labels", Hex2, ":a 00 %b>a :b", "0005000000"},
		{"absolute", Hex2, "00 :a &a", "0001004000"},
		{"a label that is not defined", Hex2, "\n %a", `error: a:2:2: label "a" is not defined`},
		{"a second label that is not defined", Hex2, ":a %a>b", `error: a:1:4: label "b" is not defined`},
		{"defined twice", Hex2, ":a\n:a", `error: a:2:1: label "a" is defined twice, first at a:1:1`},
		{"two labels for an absolute reference", Hex2, ":a &a>a", "error: a:1:4: "},
		{"no name", Hex2, ":", "error: a:1:1: "},
		{"no second name", Hex2, ":a %a>", "error: a:1:4: "},
		{"a local label in hex2", Hex2, ":.a", "error: a:1:1: label \".a\": hex2 has no local labels"},
		{"one byte in hex2", Hex2, ":a !a", "error: a:1:4: "},
	})
}

func TestAssembleHex2pp(t *testing.T) {
	runRows(t, []row{
		{"one byte and two", Hex2pp, ":a !a @a @b :b", "FFFDFF0000"},
		{"a local label", Hex2pp, ":a :.x !.x :b !.x :.x", "FF00"},
		{"a local label has no other name", Hex2pp, ":a :.x :b !a.x", `error: a:1:11: label "a.x" is not defined`},
		{"a label named as a local one", Hex2pp, ":a :.x 00 :a.x !a.x :b :.x 00", "00FF00"},
		{"no label before a local one", Hex2pp, ":.x", "error: a:1:1: local label"},
		{"a local label defined twice", Hex2pp, ":a :.x :.x", "error: a:1:8: label \"a.x\" is defined twice"},
		{"a label with a dot keeps no locals apart", Hex2pp, ":a.b :.x !.x", "FF"},
		{"alignment", Hex2pp, "01 <8 02 <0x4 03 <1 04", "010000000000000002000000" + "0304"},
		{"alignment that is no power", Hex2pp, "<3", "error: a:1:1: alignment"},
		{"alignment of nothing", Hex2pp, "<0", "error: a:1:1: alignment"},
		{"the furthest byte", Hex2pp, "!b" + strings.Repeat(" 00", 127) + " :b", "7F" + strings.Repeat("00", 127)},
		{"too far for a byte", Hex2pp, "!b" + strings.Repeat(" 00", 128) + " :b",
			`error: a:1:1: label "b": 128 does not fit`},
		{"the furthest byte back", Hex2pp, ":b" + strings.Repeat(" 00", 127) + " !b", strings.Repeat("00", 127) + "80"},
		{"too far back for a byte", Hex2pp, ":b" + strings.Repeat(" 00", 128) + " !b",
			`error: a:1:388: label "b": -129`},
	})
}

func TestAssembleM0(t *testing.T) {
	runRows(t, []row{
		{"numbers", M0, ".1 1 .2 0x102 .4 -1 .8 2", "010201FFFFFFFF0200000000000000"},
		{"sums", M0, "const a 3 const b -a+0x10 .1 a+b-1 .1 -a--b", "0F0A"},
		{"values wrap", M0, ".8 0xFFFFFFFFFFFFFFFF+2 .8 0x8000000000000000-1", "0100000000000000FFFFFFFFFFFFFF7F"},
		{"the extremes of a byte", M0, ".1 255 .1 -128", "FF80"},
		{"too large", M0, ".1 256", "error: a:1:1: 256: 256 does not fit in 1 bytes"},
		{"too small", M0, ".4 -0x80000001", "error: a:1:1: -0x80000001: -2147483649 does not fit"},
		{"a number beyond 64 bits", M0, ".8 0x10000000000000000", "error: a:1:1: "},
		{"a string", M0, `"aB # ; $1" 00`, "6142" + "20" + "23" + "203B20" + "2431" + "00"},
		{"a string over lines", M0, "\"a\n\"", "610A"},
		{"a string without an end", M0, " \"a\n", "error: a:1:2: the string does not end"},
		{"a quote within a word", M0, `ab"cd"`, "error: a:1:3: "},
		{"a macro", M0, "macro m 2 $2 $1$2 end m 01 23", "23" + "0123"},
		{"a macro before hex digits", M0, "macro add 0 11 end add", "11"},
		{"an argument is not expanded, a word made of it is", M0, "macro a 0 01 end macro m 1 :$1 $1 &$1 end m a",
			"0100004000"},
		{"macros in macros, arguments passed on", M0, "macro i 2 $2$1 end macro o 2 i $2 $1 i 0$1 0$2 end o 1 2",
			"12" + "0201"},
		{"nothing is replaced in a string", M0, `macro m 1 "$1" end m 00`, "2431"},
		{"a macro within a macro", M0, "macro m 0 macro n 0 end end",
			"error: a:1:11: a macro is defined within macro m"},
		{"a constant made by a macro", M0, "macro m 1 const $1.x 5 end m q .1 q.x", "05"},
		{"too few arguments", M0, "macro m 1 $1 end\n m", "error: a:2:2: macro m wants another word"},
		{"arguments from behind a body", M0, "macro m 1 $1 end macro n 0 m end n 01",
			"error: a:1:34: in n at a:1:28: macro m wants"},
		{"a string as an argument", M0, `macro m 1 $1 end m "a"`, "error: a:1:18: macro m cannot take a string"},
		{"an argument too many in a body", M0, "macro m 1 $2 end", `error: a:1:11: "$2": macro m has 1 arguments`},
		{"a unique number in M0", M0, "macro m 1 $0 end", `error: a:1:11: "$0"`},
		{"a dollar outside", M0, "$1", "error: a:1:1: "},
		{"defined twice", M0, "macro m 0 end const m 1", `error: a:1:15: "m" is a macro already, defined at a:1:1`},
		{"a constant twice", M0, "const m 1 const m 1", `error: a:1:11: "m" is a constant already`},
		{"a constant that is not defined", M0, ".1 1+x", `error: a:1:1: constant "x" is not defined`},
		{"a sum that misses a term", M0, ".1 1+", `error: a:1:1: "1+" is not a sum`},
		{"no end", M0, "\nmacro m 0 00", "error: a:2:1: macro m has no end"},
		{"an end too many", M0, "00 end", `error: a:1:4: "end" without`},
		{"a macro without an end to its expansion", M0, "macro m 0 00 m end m", "error: a:1:20: in m > m > m"},
		{"a macro that grows", M0, "macro m 0 00 m m m end m", "error: "},
		{"a text that grows", M1pp, "macro m 1 if $1 m (- $1 1) m (- $1 1) end end m 60", "error: a:1:47: in m"},
		{"a word that is not defined", M0, "macro m 0 foo end m",
			`error: a:1:19: in m at a:1:11: "foo" is not defined`},
		{"an expression in M0", M0, ".1 (+ 1 2)", "error: a:1:4: '(' within a word"},
		{"no condition in M0", M0, "if 1 00 end", `error: a:1:9: "end" without`},
	})
}

func TestAssembleM1pp(t *testing.T) {
	runRows(t, []row{
		{"an expression", M1pp, "const a 7 .1 (+ a (* 2 0x10)) .1 ( - -1\n -3 ) ", "2702"},
		{"a comment in an expression", M1pp, ".1 (+ 1 # one )\n 2)", "error: a:1:9: a comment within"},
		{"an expression over lines", M1pp, ".1 (+ 1\n 2)", "03"},
		{"the one division that overflows", M1pp, ".1 (/ -0x8000000000000000 -1)", "error: a:1:1: "},
		{"the remainder of the same", M1pp, ".1 (% -0x8000000000000000 -1)", "error: a:1:1: "},
		{"operators", M1pp, ".1 (/ -7 2) .1 (% -7 2) .1 (& 6 3) .1 (| 6 3) .1 (^ 6 3) .1 (<< 1 4) .1 (>> -8 1)",
			"FDFF0207" + "0510FC"},
		{"comparisons", M1pp, ".1 (= 1 1) .1 (!= 1 1) .1 (< -1 1) .1 (<= 1 1) .1 (> -1 1) .1 (>= 1 2)", "010001010000"},
		{"an expression as an argument", M1pp, "macro m 2 .1 $1 .1 (+ $1 $2) end m (* 2 3) 1", "0607"},
		{"an expression stuck to a sum", M1pp, "macro m 1 .1 1+$1 end m (+ 1 2)", "error: a:1:23: in m at a:1:11"},
		{"division by zero", M1pp, ".1 (/ 1 0)", "error: a:1:1: (/ 1 0): division by zero"},
		{"a shift too far", M1pp, ".1 (<< 1 64)", "error: a:1:1: (<< 1 64)"},
		{"an unknown operator", M1pp, ".1 (~ 1 0)", `error: a:1:1: "~" is not an operator`},
		{"three operands", M1pp, ".1 (+ 1 2 3)", "error: a:1:1: want a closing"},
		{"one operand", M1pp, ".1 (+ 1)", "error: a:1:1: "},
		{"an expression without an end", M1pp, ".1 (+ 1 (- 2 3)", "error: a:1:4: the expression does not end"},
		{"an expression where no number can be", M1pp, "(+ 1 2)", "error: a:1:1: the expression"},
		{"too large for a byte", M1pp, ".1 (* 16 16)", "error: a:1:1: (* 16 16): 256 does not fit"},
		{"conditions", M1pp, "if 1 01 else 02 end if 0 03 else 04 end if (= 1 2) 05 end", "0104"},
		{"conditions within conditions", M1pp, "if 0 if 1 01 else 02 end else if 0 03 else 04 end end", "04"},
		{"a macro in the body that is not taken", M1pp, "if 0 macro m 0 01 end else macro m 0 02 end end m", "02"},
		{"a condition in a macro", M1pp, "macro m 1 if $1 01 else 02 end end m 1 m 0", "0102"},
		{"a macro that calls itself", M1pp, "macro m 1 if $1 .1 $1 m (- $1 1) end end m 3", "030201"},
		{"a second else", M1pp, "if 1 else else end", "error: a:1:11: a second else"},
		{"a second else in a macro", M1pp, "macro m 0 if 1 else else end end", "error: a:1:21: else without"},
		{"an if without an end", M1pp, "\n if 1 00", "error: a:2:2: the if has no end"},
		{"a skipped if without an end", M1pp, "\n if 0 00", "error: a:2:2: the if has no end"},
		{"unique names", M1pp, "macro m 0 :l.$0 !l.$0 end m m", "FFFF"},
		{"a unique name lasts for its expansion", M1pp, "macro i 1 !l.$1 end macro m 0 i $0 :l.$0 end m m", "0000"},
		{"local labels pass through", M1pp, ":a :.x !.x <4 @a", "FF000000FAFF"},
	})
}

func TestAssembleReadsSourcesAsOneText(t *testing.T) {
	if got, want := assemble(M1pp, "macro m 0 01\n", "02 end\nm\n", "m"), "01020102"; got != want {
		t.Errorf("Assemble(three sources) = %s; want %s", got, want)
	}
	want := "error: b:1:1: the text is followed"
	if got := assemble(Hex2, "01\n", "02\n  0", "03"); !strings.HasPrefix(got, want) {
		t.Errorf("Assemble(a source without a newline) = %s; want %s", got, want)
	}
	if got, want := assemble(Hex2, "01\n", "02\n  0"), "error: b:2:3: odd"; !strings.HasPrefix(got, want) {
		t.Errorf("Assemble(an error in the second source) = %s; want %s", got, want)
	}
}

func TestAssembleBase(t *testing.T) {
	b, m, err := Assemble(Hex2pp, 0x80001001, Source{Name: "a", Text: []byte(":a &a <8 !a")})
	if got, want := hex.EncodeToString(b), "01100080"+"000000"+"f8"; err != nil || got != want {
		t.Errorf("Assemble(base 0x80001001) = %s, %v; want %s", got, err, want)
	}
	if err == nil && m.Labels[0].Address != 0x80001001 {
		t.Errorf("Map.Labels[0].Address = %#x; want 0x80001001", m.Labels[0].Address)
	}
	_, _, err = Assemble(Hex2pp, 1<<32, Source{Name: "a", Text: []byte(":a &a")})
	if err == nil || !strings.Contains(err.Error(), "does not fit in 4 bytes") {
		t.Errorf("Assemble(base 2^32) = %v; want an address that does not fit", err)
	}
}

func TestAssembleReportsUndefinedLabelsTogether(t *testing.T) {
	got := assemble(Hex2, strings.Repeat("%a\n", 30))
	if n := strings.Count(got, "\n"); n != maxProblems || !strings.HasSuffix(got, "and 10 more") {
		t.Errorf("Assemble(30 undefined labels) = %d lines, %q; want %d and the rest counted", n+1, got, maxProblems+1)
	}
}

func TestMapTellsWhereBytesComeFrom(t *testing.T) {
	text := "macro i 1 $1 end\nmacro m 1 00 i $1 end\n:x m 0102\n :.y 03 m 04"
	_, m, err := Assemble(M1pp, Base, Source{Name: "a", Text: []byte(text)})
	if err != nil {
		t.Fatalf("Assemble(%q) = %v; want a map", text, err)
	}
	r, ok := m.At(2)
	if !ok || r.Start != 1 || r.End != 3 || r.Pos.Line != 1 || r.Call.Name != "i" || r.Call.Up.String() != "m 0102" {
		t.Errorf("Map.At(2) = %+v, %v; want bytes 1 to 3 of i within m 0102", r, ok)
	}
	if _, ok := m.At(6); ok {
		t.Error("Map.At(6) finds a range behind the end")
	}
	if got, want := m.Describe(Base+5), "0x400005: x.y+2 a:4:9: m 04"; got != want {
		t.Errorf("Map.Describe = %q; want %q", got, want)
	}
	var out strings.Builder
	want := "00400000 :x\n00400000 3 a:3:4 m 0102\n00400003 :x.y\n00400003 1 a:4:6\n00400004 2 a:4:9 m 04\n"
	if err := m.Write(&out); err != nil || out.String() != want {
		t.Errorf("Map.Write = %q, %v; want %q", out.String(), err, want)
	}
}

func TestExpandKeepsTheMeaning(t *testing.T) {
	text := "const k 3\nmacro m 2 .1 $1 :.l$0 !.l$0 \"q;\" $2 end\n:s m k &s\nm (+ k 1) 0F\n<4 if 1 @s end\n"
	expanded, err := Expand(M1pp, Source{Name: "a", Text: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := assemble(Hex2pp, string(expanded)), assemble(M1pp, text); got != want {
		t.Errorf("Assemble(Expand(text)) = %s; want %s", got, want)
	}
	if n := strings.Count(string(expanded), "\n"); n != 3 {
		t.Errorf("Expand(three lines with words) = %q; want three lines", expanded)
	}
	if _, _, err := Assemble("hex3", Base); err == nil {
		t.Error("Assemble(hex3) = nil; want an error")
	}
	if _, err := Expand(Hex2, Source{}); err == nil {
		t.Error("Expand(hex2) = nil; want an error")
	}
}
