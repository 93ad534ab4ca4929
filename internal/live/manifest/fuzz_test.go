// SPDX-License-Identifier: MIT

package manifest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fieldsByByte is a second way to split a text: one state, one byte at a time, as the language is described.
func fieldsByByte(text string) [][]string {
	var lines [][]string
	var fields []string
	inField, comment := false, false
	end := func() {
		if fields != nil {
			lines = append(lines, fields)
		}
		fields, inField, comment = nil, false, false
	}
	for _, c := range []byte(text) {
		switch {
		case c == 0xFF:
			end()
			return lines
		case c == '\n':
			end()
		case comment:
		case c == '#':
			comment = true
		case c == ' ':
			if !inField {
				fields = append(fields, "")
			}
			inField = false
		default:
			if !inField {
				fields = append(fields, "")
			}
			inField = true
			fields[len(fields)-1] += string([]byte{c})
		}
	}
	end()
	return lines
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(tiny))
	f.Add([]byte(shape))
	for _, c := range problemCases {
		f.Add([]byte(c.text))
	}
	if m, _ := Parse("m", shape); len(m.Directives) != 17 {
		f.Fatalf("a seed has %d directives; want 17", len(m.Directives))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 1<<14 {
			checkParse(t, string(text))
		}
	})
}

func checkParse(t *testing.T, text string) {
	p := parser{file: "m"}
	var got [][]string
	for _, l := range p.tokenize(text) {
		got = append(got, fieldTexts(l.tokens))
	}
	if want := fieldsByByte(text); !strings.Contains(text, "\x00") && !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Fatalf("fields of %q = %q; want %q", text, got, want)
	}
	m, problems := Parse("m", text)
	lines := strings.Split(text, "\n")
	for _, q := range problems {
		if q.Pos.Line < 1 || q.Pos.Line > len(lines) || q.Pos.Column < 1 || q.Pos.Column > len(lines[q.Pos.Line-1])+1 ||
			q.Text == "" || q.Hint == "" || q.Stops && q.Severity != Error {
			t.Fatalf("Parse(%q) says %+v, which is nowhere", text, q)
		}
	}
	m.Scan()
	e, err := m.Evaluate(Config{{"A", "True"}, {"KB", "True"}})
	if (err != nil) != (problems.Stops() != nil) {
		t.Fatalf("Evaluate(%q) = %v; problems %v", text, err, problems)
	}
	if err == nil {
		checkScripts(t, e)
	}
}

// checkScripts holds the scripts against each other: each one but the first is called by what ends the one before.
func checkScripts(t *testing.T, e *Evaluation) {
	s := e.Scripts(Generator{})
	all := ""
	for _, f := range s.Files {
		all += f.Text
	}
	next := 0
	for _, p := range s.Steps {
		if p.Script != next {
			t.Fatalf("step %d is in script %d; want %d", p.Index, p.Script, next)
		}
		if p.Next != 0 {
			next = p.Next
			if !strings.Contains(all, "/steps/"+strconv.Itoa(next)+".sh\n") {
				t.Fatalf("nothing calls script %d", next)
			}
		}
	}
	if len(s.Steps) != len(e.Survivors) {
		t.Fatalf("%d steps of %d survivors", len(s.Steps), len(e.Survivors))
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, mode := range modes() {
		text := configText(mode, "")
		if _, problems := ParseConfig("c", text); problems != nil {
			f.Fatalf("a seed has the problems %v", problems)
		}
		f.Add([]byte(text))
	}
	f.Add([]byte("A=\"x y\"\nB=\nA=1\nC"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text := string(b[:min(len(b), 1<<14)])
		c, problems := ParseConfig("c", text)
		if problems == nil && c.Format() != text {
			t.Fatalf("ParseConfig(%q) formats to %q", text, c.Format())
		}
		again, _ := ParseConfig("c", c.Format())
		if !slices.Equal(again, c) {
			t.Fatalf("ParseConfig(%q) = %v; read again %v", text, c, again)
		}
		if d := c.Define("NEW", "1"); len(c) > 0 && (d.Get("NEW") != c.Get("NEW") && d.Get("NEW") != "1" || len(d) < len(c)) {
			t.Fatalf("Define on %v = %v", c, d)
		}
	})
}

func BenchmarkManifest(b *testing.B) {
	text := strings.Repeat(shape, 14) // 238 lines
	c, _ := ParseConfig("c", configText(modes()["kernel bootstrap"], ""))
	for b.Loop() {
		m, _ := Parse("m", text)
		e, err := m.Evaluate(c)
		if err != nil {
			b.Fatal(err)
		}
		e.Scripts(Generator{Env: tinyEnv})
	}
}
