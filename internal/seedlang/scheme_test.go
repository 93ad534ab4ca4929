// SPDX-License-Identifier: MIT

package seedlang

import (
	"strings"
	"testing"
)

func TestCheckScheme(t *testing.T) {
	for _, r := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"data of all kinds",
			"(define (f . x) `(1 ,x ,@'() \"a\\n\\\"(\" #\\( #\\) #\\; #\\space #\\x41 #(1) #u8(255) |a b(|))",
			""},
		{"comments", "(a ; )\n #| ) #| ( |# \" |# #;(b c) d) #;x", ""},
		{"a dotted pair", "(a b . (c))", ""},
		{"a comment behind the datum after a dot", "(a . b #;c)", ""},
		{"numbers", "(-1 #xFF #b-10 1+ ...)", ""},
		{"an open parenthesis", "(a\n  (b\n c)", `a:1:1: "(" has no partner`},
		{"an open vector", "(a\n  #(b", `a:2:3: "#(" has no partner`},
		{"a parenthesis too many", "(a))\n", "a:1:4: a parenthesis is closed"},
		{"a string without an end", "(a \"b)\n", "a:1:4: the string"},
		{"a string that ends with a backslash", `"a\`, "a:1:1: the string"},
		{"a symbol without an end", "(|a)", "a:1:2: the string or symbol"},
		{"an unknown escape", `(a "b\q")`, `a:1:6: "q" is not an escape`},
		{"a hex escape without its semicolon", `"\x41"`, "a:1:2: want"},
		{"a hex escape", `"\x41;"`, ""},
		{"a block comment without an end", "a #| #| |#", "a:1:3: the block comment"},
		{"a quote of nothing", "(a ')", `a:1:4: "'" has nothing behind it`},
		{"a quote at the end", "(a) '", `a:1:5: "'" has no partner`},
		{"a datum comment of nothing", "(a #; )", `a:1:4: "#;" has nothing behind it`},
		{"a dot at the start", "(. a)", "a:1:2: a dot"},
		{"a dot outside", "a . b", "a:1:3: a dot"},
		{"two data behind a dot", "(a . b c)", "a:1:9: want one datum"},
		{"nothing behind a dot", "(a . )", "a:1:6: want one datum"},
		{"an unknown character", `#\foo`, `a:1:1: "foo" is not the name`},
		{"an unknown hash word", "(#foo)", `a:1:2: "#foo"`},
		{"a word that is not ASCII", "(a \xc3\xa4)", "a:1:4: byte 0xc3"},
	} {
		t.Run(r.name, func(t *testing.T) {
			err := CheckScheme(Source{"a", []byte(r.text)})
			if r.want == "" && err != nil || r.want != "" && (err == nil || !strings.HasPrefix(err.Error(), r.want)) {
				t.Errorf("CheckScheme(%q) = %v; want %q", r.text, err, r.want)
			}
		})
	}
}

func TestLintPicksTheLanguageByExtension(t *testing.T) {
	for _, r := range []struct{ name, text, want string }{
		{"x.hex0", "0", "x.hex0:1:1: odd"},
		{"x.hex2", "%a", "x.hex2:1:1: label"},
		{"x.M0", ".1 300", "x.M0:1:1: "},
		{"x.hex2pp", ":.a", "x.hex2pp:1:1: local"},
		{"x.P1", "mov a0 a1\nif (= arch 1)\n mov a0 a1 else end", ""},
		{"x.P1", "mov a0 a1\nif 1\n macro m 0\n", "x.P1:3:2: macro m has no end"},
		{"x.P1", "mov a0 a1\nif 1\n mov", "x.P1:2:1: the if has no end"},
		{"x.M1", "if 1 else else end", "x.M1:1:11: "},
		{"x.M1", "macro m 1 $2 end", `x.M1:1:11: "$2"`},
		{"x.M1pp", "a end", "x.M1pp:1:3: "},
		{"x.scm", "(", "x.scm:1:1: "},
		{"x.txt", "", "x.txt: no language"},
	} {
		err := Lint(r.name, []byte(r.text))
		if r.want == "" && err != nil || r.want != "" && (err == nil || !strings.HasPrefix(err.Error(), r.want)) {
			t.Errorf("Lint(%s, %q) = %v; want %q", r.name, r.text, err, r.want)
		}
	}
}
