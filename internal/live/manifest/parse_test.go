// SPDX-License-Identifier: MIT

package manifest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rung-build/rung/internal/fault"
)

// R72 to R76: the language in which a checkout says what the first, second and last system are made of.
func TestParseGivesDirectives(t *testing.T) {
	const text = "# first\n\nbuild: a-1\nimprove: x_y # why\njump: k ( A == True )\n" +
		"define: V = W#c\ndefine: P = ( A == 1 || B != 2 ) ( C ==  )\nuninstall: a-1 /b ( T == a && True )\n"
	m, problems := Parse("f", text)
	at := func(line, column int) Position { return Position{"f", line, column} }
	want := []Directive{
		{Kind: Build, Pos: at(3, 1), Arg: "a-1"},
		{Kind: Improve, Pos: at(4, 1), Arg: "x_y"},
		{Kind: Jump, Pos: at(5, 1), Arg: "k", If: &Predicate{Pos: at(5, 11), Name: "A", Op: "==", Value: "True"}},
		{Kind: Define, Pos: at(6, 1), Arg: "V", Value: "W"},
		{Kind: Define, Pos: at(7, 1), Arg: "P", Value: "(",
			Formula: &Predicate{Pos: at(7, 15), Name: "A", Op: "==", Value: "1", Join: "||",
				Rest: &Predicate{Pos: at(7, 25), Name: "B", Op: "!=", Value: "2"}},
			If: &Predicate{Pos: at(7, 36), Name: "C", Op: "=="}},
		{Kind: Uninstall, Pos: at(8, 1), Arg: "a-1 /b", If: &Predicate{Pos: at(8, 21), Name: "T", Op: "==", Value: "a", Join: "&&",
			Rest: &Predicate{Pos: at(8, 31), Name: "True"}}},
	}
	want[4].Value = ""
	if diff := cmp.Diff(want, m.Directives); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
	if len(problems) != 1 || problems[0].Pos != at(7, 41) || problems[0].Severity != Warning {
		t.Errorf("problems = %v; want a warning for the empty value at 7:41", problems)
	}
}

// problemCases are manifests of one line, or few, with what is to be said of them.
var problemCases = []struct {
	name, text string
	want       string // LINE:COLUMN, then "stops", "error" or "warning", then a part of the text; "" for nothing
}{
	{"trailing space", "build: a \n", ""},
	{"comment in a word", "build: a#b\n", ""},
	{"no line feed at the end", "build: a", ""},
	{"comment after one space", "build: a # b  c\n", ""},
	{"trailing blanks after a predicate", "build: a ( A == 1 )  # b\n", ""},
	{"leading space", " build: a\n", "1:1 stops rootfs.py reads a build line"},
	{"blanks only", "build: a\n \n", "2:1 stops starts with a space"},
	{"space before a comment", " # a\n", "1:1 stops starts with a space"},
	{"tab for a space", "build:\ta\n", "1:1 stops is no directive"},
	{"tab in a field", "build: a\tb\n", "1:9 error a tab"},
	{"unknown directive", "built: a\n", "1:1 stops is no directive"},
	{"carriage return", "build: a\r\n", "1:9 error carriage return"},
	{"no package", "build:\n", "1:7 stops names nothing"},
	{"no package, a space", "build: \n", "1:8 stops names nothing"},
	{"two spaces before the package", "build:  a\n", "1:8 stops where its name belongs"},
	{"predicate for a name", "jump: ( A == 1 )\n", "1:7 stops where its name belongs"},
	{"two packages", "build: a b\n", "1:10 stops wants logic to begin with ("},
	{"two spaces before a comment", "build: a  # b\n", "1:10 stops wants logic"},
	{"bracket without a space", "build: a (A == 1 )\n", "1:10 stops wants logic"},
	{"no closing bracket", "build: a ( A == 1\n", "1:18 stops has no )"},
	{"closing bracket in a comment", "build: a ( A == 1 # )\n", "1:19 stops has no )"},
	{"closing bracket without a space", "build: a ( A == 1)\n", "1:19 stops has no )"},
	{"no closing bracket after a name", "build: a ( A\n", "1:13 stops has no )"},
	{"nothing in brackets", "build: a ( )\n", "1:13 stops has no )"},
	{"only an opening bracket", "build: a (\n", "1:11 stops nothing after ("},
	{"no value", "build: a ( A == )\n", "1:17 error compared with"},
	{"no value, no bracket", "build: a ( A ==\n", "1:16 stops compared with nothing"},
	{"no comparison", "build: a ( A = 1 )\n", "1:14 stops expects == or !="},
	{"a name before ||", "build: a ( True || A == 1 )\n", "1:17 stops expects == or !="},
	{"two values", "build: a ( A == 1 2 )\n", "1:19 stops expects || or &&"},
	{"nothing after ||", "build: a ( A == 1 ||\n", "1:21 stops nothing after ||"},
	{"brackets in brackets", "build: a ( ( A == 1 ) || B == 1 )\n", "1:14 stops brackets do not nest"},
	{"a name alone", "build: a ( A )\n", "1:12 error A alone"},
	{"True alone", "build: a ( True )\n", ""},
	{"junk after the predicate", "build: a ( A == 1 ) && ( B == 1 )\n", "1:21 error not read"},
	{"empty value", "build: a ( A ==  )\n", "1:17 warning the empty value"},
	{"value that is a bracket", "build: a ( A == ( )\n", "1:17 error \"(\" itself"},
	{"&& before ||", "build: a ( A == 1 && B == 1 || C == 1 )\n", "1:22 warning A == 1 && (B == 1 || C == 1)"},
	{"|| before &&", "build: a ( A == 1 || B == 1 && C == 1 )\n", ""},
	{"define without a name", "define: \n", "1:9 stops names nothing"},
	{"define without =", "define: A 1\n", "1:11 stops has no ="},
	{"define with = in the name", "define: A=1\n", "1:9 error no name of a variable"},
	{"define without a value", "define: A = \n", "1:13 stops has no value"},
	{"define of an empty value", "define: A =  ( B == 1 )\n", "1:13 warning an empty value"},
	{"define of a formula without brackets", "define: A = B == 1\n", "1:15 stops wants logic"},
	{"define of a formula without an end", "define: A = ( B == 1\n", "1:21 stops has no )"},
	{"define of no identifier", "define: A-1 = 1\n", "1:9 error no name of a variable"},
	{"define of a value for a shell", "define: A = $(x)\n", "1:13 error outside of quotes"},
	{"name for a shell", "build: a;b\n", "1:9 error without quotes"},
	{"glob in an uninstall", "uninstall: /a/*\n", ""},
	{"glob in a build", "build: a*\n", "1:9 error without quotes"},
	{"uninstall of nothing", "uninstall:\n", "1:11 stops names nothing"},
	{"uninstall of a predicate", "uninstall: ( A == 1 )\n", "1:12 error begins with ("},
	{"two spaces in an uninstall", "uninstall: a  b\n", "1:14 warning two spaces"},
	{"63 bytes", "build: " + strings.Repeat("x", 63) + "\n", ""},
	{"64 bytes", "build: " + strings.Repeat("x", 64) + "\n", "1:8 stops has 64 bytes"},
	{"uninstall of 2048 bytes", "uninstall: " + strings.Repeat("x", 32) + strings.Repeat(" "+strings.Repeat("x", 31), 63) + " \n", ""},
	{"too long an uninstall", "uninstall: " + strings.Repeat("x", 33) + strings.Repeat(" "+strings.Repeat("x", 31), 63) + "\n",
		"1:2030 stops more than 2048 bytes"},
	{"byte that ends the file", "build: a\n#\xff\nbuild:\n", "2:2 error 0xFF"},
	{"no UTF-8", "# \x80\n", "1:1 error no UTF-8"},
	{"control character", "build: a\x01\n", "1:9 error control character"},
	{"pass by another directive", "build: a\nuninstall: a\nbuild: a\n", "3:1 warning uninstall of a in line 2 counts as a pass"},
}

func TestParseTellsProblems(t *testing.T) {
	for _, c := range problemCases {
		t.Run(c.name, func(t *testing.T) {
			m, problems := Parse("f", c.text)
			if c.want == "" {
				if len(problems) > 0 {
					t.Errorf("Parse(%q) has the problems %v; want none", c.text, problems)
				}
				return
			}
			place, rest, _ := strings.Cut(c.want, " ")
			kind, part, _ := strings.Cut(rest, " ")
			if len(problems) == 0 {
				t.Fatalf("Parse(%q) has no problem; want %s", c.text, c.want)
			}
			p := problems[0]
			if got := p.Pos.String(); got != "f:"+place || !strings.Contains(p.Text+" "+p.Hint, part) || p.Hint == "" {
				t.Errorf("problem = %s (%s); want f:%s with %q, and a hint", p, p.Hint, place, part)
			}
			if got := p.Severity.String(); got != strings.Replace(kind, "stops", "error", 1) || p.Stops != (kind == "stops") {
				t.Errorf("problem is %s, stops %v; want %s", got, p.Stops, kind)
			}
			if _, err := m.Evaluate(nil); (err != nil) != (problems.Stops() != nil) {
				t.Errorf("Evaluate: %v; want an error where a problem stops: %v", err, problems)
			}
		})
	}
}

func TestProblemsErr(t *testing.T) {
	_, problems := Parse("steps/manifest", "built: a\nbuild: a ( A ==  )\nbuild:\n")
	err := problems.Err()
	if fault.KindOf(err) != fault.Usage || !strings.HasPrefix(fault.HintOf(err), "use build:") {
		t.Errorf("Err() is %v with the hint %q; want usage with the first hint", fault.KindOf(err), fault.HintOf(err))
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "steps/manifest:1:1: ") || !strings.HasPrefix(lines[1], "steps/manifest:3:7: ") {
		t.Errorf("Err() = %q; want the two errors, without the warning", lines)
	}
	if err := problems[1:2].Err(); err != nil {
		t.Errorf("Err() of a warning = %v; want nil", err)
	}
	_, err = new(Manifest).Evaluate(nil)
	if err != nil {
		t.Errorf("Evaluate of nothing: %v", err)
	}
	m, _ := Parse("f", "x\n")
	if _, err = m.Evaluate(nil); fault.KindOf(err) != fault.Usage || fault.HintOf(err) == "" || !strings.HasPrefix(err.Error(), "f:1:1: ") {
		t.Errorf("Evaluate = %v; want a usage error at f:1:1 with a hint", err)
	}
	if errors.Unwrap(err) != nil {
		t.Errorf("Evaluate wraps %v", errors.Unwrap(err))
	}
}

// The guest reads chains from the right, which differs from what && and || are used to only after an &&.
func TestPredicatesLeanToTheRight(t *testing.T) {
	for text, want := range map[string]func(a, b, c bool) bool{
		"A == 1 || B == 1 && C == 1": func(a, b, c bool) bool { return a || (b && c) },
		"A == 1 && B == 1 || C == 1": func(a, b, c bool) bool { return a && (b || c) },
		"A == 1 && B != 1 && C == 1": func(a, b, c bool) bool { return a && !b && c },
		"A != 1 || B == 1 || C != 1": func(a, b, c bool) bool { return !a || b || !c },
		"A == 1 || True":             func(a, b, c bool) bool { return true },
		"A == 1 && B":                func(a, b, c bool) bool { return false },
		"True":                       func(a, b, c bool) bool { return true },
		"X == ":                      func(a, b, c bool) bool { return true },
	} {
		m, problems := Parse("f", "build: a ( "+text+" )\n")
		if problems.Stops() != nil || len(m.Directives) != 1 {
			t.Fatalf("Parse(%s): %v", text, problems)
		}
		for bits := range 8 {
			digit := func(i int) string { return string("01"[bits>>i&1]) }
			c := Config{{"A", digit(0)}, {"B", digit(1)}, {"C", digit(2)}}
			if got, want := m.Directives[0].If.Holds(c), want(bits&1 > 0, bits&2 > 0, bits&4 > 0); got != want {
				t.Errorf("%s with %v = %v; want %v", text, c, got, want)
			}
		}
	}
}

// R25, R9: hosts of all generations, which read lines without predicates, and cut at their own places.
func TestScanAndCut(t *testing.T) {
	const text = "build: a-1 ( NEVER == True )\n  build: b \r\nbuild: c#d\nimprove: import_payload # network\n" +
		"build: a-1\u00a0\nimprove: get_network_late\nbuild:  x\n\timprove: get_network ( A == 1 )\nbuild: e\rbuild: f"
	m, _ := Parse("f", text)
	var got []string
	for _, s := range m.Scan() {
		got = append(got, s.Pos.String()+" "+s.Package)
	}
	want := []string{"f:1:1 a-1", "f:2:1 ", "f:3:1 c", "f:5:1 a-1", "f:7:1 ", "f:9:1 e", "f:10:1 f"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Scan (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		g      Generation
		cut    Cut
		line   int
		before int
	}{{H, Network, 4, 3}, {H, ImportPayload, 0, 7}, {F1, Network, 8, 5}, {F2, Network, 8, 5}, {F2, ImportPayload, 4, 3}} {
		at, ok := m.Cut(c.cut, c.g)
		early, known := m.ScanBefore(c.cut, c.g)
		if at.Line != c.line || ok != (c.line > 0) || known != ok || len(early) != c.before {
			t.Errorf("Cut(%s, %d) = %v, %v with %d before; want line %d with %d", c.cut, c.g, at, ok, len(early), c.line, c.before)
		}
	}
}

// A first generation host cuts at a part of a line, and may cut where nobody wants it.
func TestHostProblems(t *testing.T) {
	for text, want := range map[string]string{
		"improve: network_tools\nimprove: get_network\n":               "f:1:1: warning: rootfs.py ends the early distfiles here",
		"build: a\nimprove: a # no network yet\n":                      "f:2:1: warning: rootfs.py ends the early distfiles here",
		"improve: get_network ( A == 1 )\nimprove: network\n":          "",
		"build: network\n# improve: network\njump: x ( network == 1 )": "",
	} {
		m, problems := Parse("f", text)
		if problems.Errors() != nil {
			t.Fatal(problems)
		}
		got := ""
		if ps := m.HostProblems(H); len(ps) > 0 {
			got = ps[0].String()
		}
		if !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("HostProblems(H) of %q = %q; want %q", text, got, want)
		}
		if ps := m.HostProblems(F2); ps != nil {
			t.Errorf("HostProblems(F2) of %q = %v; want none", text, ps)
		}
	}
}

func TestKindString(t *testing.T) {
	var words []string
	for k := range Uninstall + 2 {
		words = append(words, k.String())
	}
	want := []string{"unknown", "build", "improve", "jump", "define", "uninstall", "unknown"}
	if diff := cmp.Diff(want, words, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("String (-want +got):\n%s", diff)
	}
}
