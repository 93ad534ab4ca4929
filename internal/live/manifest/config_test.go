// SPDX-License-Identifier: MIT

package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseConfigKeepsEveryByte(t *testing.T) {
	for name, mode := range modes() {
		text := configText(mode, "INTERNAL_CI=pass1\nMIRRORS=\"http://a/?b=c&d http://[::1]:8/\"\n")
		c, problems := ParseConfig("f", text)
		if len(problems) > 0 || c.Format() != text || len(c) != 18 {
			t.Errorf("%s: ParseConfig has %d variables, %v, and formats to\n%s; want the text", name, len(c), problems, c.Format())
		}
		if got := c.Get("MIRRORS"); got != `"http://a/?b=c&d http://[::1]:8/"` {
			t.Errorf("Get(MIRRORS) = %s; want the quotes too", got)
		}
		if c.Get("NONE") != "" || c.Has("NONE") || !c.Has("ARCH") {
			t.Error("a variable that is not there is")
		}
	}
}

func TestParseConfigTellsProblems(t *testing.T) {
	long := strings.Repeat("x", 2047-len("A=\n"))
	for _, c := range []struct {
		name, text, want string
		left             Config
	}{
		{"empty file", "", "", nil},
		{"empty value", "A=\n", "", Config{{"A", ""}}},
		{"value with =", "A=b=c\n", "", Config{{"A", "b=c"}}},
		{"2047 bytes", "A=" + long + "\n", "", Config{{"A", long}}},
		{"2048 bytes", "A=" + long + "x\nB=\n", "1:2047 stops has 2047 bytes", nil},
		{"blank line", "A=1\n\nB=2\n", "2:1 stops no =", Config{{"A", "1"}}},
		{"comment", "# a\n", "1:1 stops no =", nil},
		{"no last line feed", "A=1\nB=23", "2:5 error drops the last byte of the value of B", Config{{"A", "1"}, {"B", "2"}}},
		{"no last line feed, no value", "A=1\nB=", "2:3 stops crashes", Config{{"A", "1"}}},
		{"no name", "=a\n", "1:1 error no name", Config{{"", "a"}}},
		{"space in the name", "A =a\n", "1:1 error no name", Config{{"A ", "a"}}},
		{"digit first", "1A=a\n", "1:1 error no name", Config{{"1A", "a"}}},
		{"space without quotes", "A=a b\n", "1:3 error has a space outside of quotes", Config{{"A", "a b"}}},
		{"command", "A=a;b\n", "1:3 error has a \";\"", Config{{"A", "a;b"}}},
		{"comment after a value", "A=a #b\n", "1:3 error space", Config{{"A", "a #b"}}},
		{"home", "A=~/a\n", "1:3 error has a \"~\"", Config{{"A", "~/a"}}},
		{"single quotes", "A='a'\n", "1:3 error has a \"'\"", Config{{"A", "'a'"}}},
		{"one quote", "A=\"\n", "1:3 error has a", Config{{"A", "\""}}},
		{"variable in quotes", "A=\"$B\"\n", "1:3 error has a \"$\" in its quotes", Config{{"A", "\"$B\""}}},
		{"quote in quotes", "A=\"a\"b\"\n", "1:3 error in its quotes", Config{{"A", "\"a\"b\""}}},
		{"carriage return", "A=a\r\n", "1:3 error has a \"\\r\"", Config{{"A", "a\r"}}},
		{"NUL", "A=a\x00b\nB=1\n", "1:4 stops NUL", nil},
		{"set again", "A=1\nA=2\n", "2:1 warning set again", Config{{"A", "1"}, {"A", "2"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, problems := ParseConfig("f", c.text)
			if diff := cmp.Diff(c.left, got); diff != "" {
				t.Errorf("ParseConfig (-want +got):\n%s", diff)
			}
			if c.want == "" || len(problems) == 0 {
				if c.want != "" || len(problems) > 0 {
					t.Errorf("problems = %v; want %q", problems, c.want)
				}
				return
			}
			f := strings.SplitN(c.want, " ", 3)
			p := problems[0]
			if p.Pos.String() != "f:"+f[0] || p.Stops != (f[1] == "stops") || (p.Severity == Warning) != (f[1] == "warning") ||
				!strings.Contains(p.Text, f[2]) || p.Hint == "" {
				t.Errorf("problem = %s; want %s", p, c.want)
			}
		})
	}
}

func TestConfigCheckReadsWhatItFormats(t *testing.T) {
	bad := Config{{"A", "1"}, {"INTERNAL_CI", "pass 1"}, {"B", "x\ny"}}
	problems := bad.Check("steps/bootstrap.cfg")
	if len(problems) != 2 || problems[0].Pos != (Position{"steps/bootstrap.cfg", 2, 13}) || problems.Stops() == nil {
		t.Errorf("Check = %v; want the space in line 2, and a line without =", problems)
	}
	if problems := bad[:1].Check("f"); problems != nil {
		t.Errorf("Check of a sound one = %v", problems)
	}
}

// A define never changes the first variable, and does not change the configuration it starts from.
func TestConfigDefine(t *testing.T) {
	start := Config{{"A", "1"}, {"B", "2"}}
	for _, c := range []struct {
		start      Config
		name       string
		want       string
		first, old string
	}{
		{start, "B", "A=1\nB=x\n", "x", "A=1\nB=2\n"},
		{start, "C", "A=1\nB=2\nC=x\n", "x", "A=1\nB=2\n"},
		{start, "A", "A=1\nB=2\nA=x\n", "1", "A=1\nB=2\n"},
		{nil, "A", "A=x\nA=x\n", "x", ""},
	} {
		got := c.start.Define(c.name, "x")
		if got.Format() != c.want || got.Get(c.name) != c.first || c.start.Format() != c.old {
			t.Errorf("%v.Define(%s) = %v, Get %s, left %v; want %q, %s", c.start, c.name, got, got.Get(c.name), c.start, c.want, c.first)
		}
	}
	twice := start.Define("A", "x").Define("A", "y")
	if want := "A=1\nB=2\nA=y\n"; twice.Format() != want {
		t.Errorf("Define twice = %q; want %q", twice.Format(), want)
	}
}
