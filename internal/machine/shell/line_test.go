// SPDX-License-Identifier: MIT

package shell

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func noVariable(string) string { return "" }

func TestParse(t *testing.T) {
	variable := func(name string) string { return map[string]string{"A": "one two", "_b1": "$A > x"}[name] }
	for _, tt := range []struct {
		text string
		want line
	}{
		{"", line{}},
		{" a\tb  c ", line{words: []string{"a", "b", "c"}}},
		{`a'b c'"d e"\ f`, line{words: []string{"ab cd e f"}}},
		{`'' ""`, line{words: []string{"", ""}}},
		{`'$A\n' "\n\x00\xff\u00e9\$A\"\\" \$A`, line{words: []string{`$A\n`, "\n\x00\xff\u00e9$A\"\\", "$A"}}},
		{`$A "$A" ${A}s $As $_b1`, line{words: []string{"one two", "one two", "one twos", "$A > x"}}},
		{`$none "$none" $none$none`, line{words: []string{""}}},
		{`$ $1 a$ "$"`, line{words: []string{"$", "$1", "a$", "$"}}},
		{"a#b #c", line{words: []string{"a#b"}}},
		{"a>b", line{words: []string{"a"}, out: "b"}},
		{"> $A a>>'b c'<d", line{}},
		{"<in a >>'b c' x", line{words: []string{"a", "x"}, in: "in", out: "b c", add: true}},
		{`a2>b "2">b`, line{}},
		{`a "2">b`, line{words: []string{"a", "2"}, out: "b"}},
		{"\xff*?~[", line{words: []string{"\xff*?~["}}},
	} {
		got, err := parse(tt.text, variable)
		if refused := tt.want.words == nil && tt.text != ""; refused != (err != nil) {
			t.Errorf("parse(%q) = %v, error %v", tt.text, got, err)
		} else if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(line{})); d != "" {
			t.Errorf("parse(%q) (-want +got):\n%s", tt.text, d)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a|b": "one command a line", "a & b": "one command a line", "a;b": "one command a line", "(a)": "one command a line",
		"`a`": "one command a line", "'a": "without another", `"a`: "without another", `a\`: "nothing after",
		`"\q"`: "a string of Go", `"\ud800"`: "a string of Go", `"\`: "a string of Go", "${A": "without a name", "${}": "without a name",
		"${a b}": "without a name", "a >": "without a name", "a > ''": "without a name", "a < $none": "without a name",
		"a >b >c": "redirected twice", "a 2>b": "one stream", "a >b|c": "one command a line",
	} {
		if got, err := parse(text, noVariable); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%q) = %v, %v; want an error with %q", text, got, err, want)
		}
	}
}

// FuzzQuote: what is quoted is read back as it was, and does nothing to a terminal.
func FuzzQuote(f *testing.F) {
	for _, word := range []string{"", "a", "a b", "it's", `a"b`, `\"`,
		"$A", `$A'\`, "\x1b[2J", "\xff\x00", "\u202e", "é", "#", "a>b", `'\n'`} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		quoted := quote(word)
		got, err := parse(quoted, noVariable)
		if want := (line{words: []string{word}}); err != nil || !cmp.Equal(got, want, cmp.AllowUnexported(line{})) {
			t.Errorf("parse(quote(%q)) = parse(%s) = %q, %v", word, quoted, got.words, err)
		}
		if visible(quoted) != quoted {
			t.Errorf("quote(%q) = %s; want nothing that is no printable character", word, quoted)
		}
	})
}

// FuzzParse: a line that is taken reads the same when it is written again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{`a 'b c' > d < "e\n"`, `x$A ${B}"$C\$"`, `a\ b #c`, "a >>b", "'\xff'"} {
		if l, err := parse(text, noVariable); err != nil || len(l.words) == 0 {
			f.Fatalf("parse(%q) = %v, %v; want a seed that is read to its end", text, l, err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parse(text, noVariable)
		if err != nil {
			return
		}
		got, err := parse(commandLine(l.words), noVariable)
		if want := (line{words: l.words}); err != nil || !cmp.Equal(got, want, cmp.AllowUnexported(line{})) {
			t.Errorf("parse(%q) = %q; written again and read: %q, %v", text, l.words, got.words, err)
		}
	})
}
