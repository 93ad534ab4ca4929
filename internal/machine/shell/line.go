// SPDX-License-Identifier: MIT

package shell

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// line is a command line, taken apart.
type line struct {
	words []string
	in    string // the name after <; "" for none
	out   string // the name after > or >>; "" for none
	add   bool   // it came after >>
}

// lexer takes words off the front of a text.
type lexer struct {
	rest     string
	variable func(string) string
}

// parse takes a command line apart. Words are parted by blanks. 'text' is itself; "text" is text with variables and
// with the escapes of a Go string; a backslash makes the byte after it a plain one; $NAME and ${NAME} are variables,
// and never part a word; # starts a comment.
func parse(text string, variable func(string) string) (line, error) {
	x := lexer{text, variable}
	var l line
	for {
		x.rest = strings.TrimLeft(x.rest, " \t")
		var err error
		switch {
		case x.rest == "" || x.rest[0] == '#':
			return l, nil
		case x.take(">>"):
			l.out, err = x.target(l.out)
			l.add = true
		case x.take(">"):
			l.out, err = x.target(l.out)
			l.add = false
		case x.take("<"):
			l.in, err = x.target(l.in)
		default:
			var word string
			var there bool
			if word, there, err = x.word(); there {
				l.words = append(l.words, word)
			}
		}
		if err != nil {
			return line{}, err
		}
	}
}

func (x *lexer) take(sign string) bool {
	rest, ok := strings.CutPrefix(x.rest, sign)
	if ok {
		x.rest = rest
	}
	return ok
}

// target reads the name that a redirection goes to, where before is that of another.
func (x *lexer) target(before string) (string, error) {
	x.rest = strings.TrimLeft(x.rest, " \t")
	name, _, err := x.word()
	switch {
	case err != nil:
		return "", err
	case name == "":
		return "", errors.New("a redirection without a name")
	case before != "":
		return "", fmt.Errorf("redirected twice, to %s and to %s", quote(before), quote(name))
	}
	return name, nil
}

// word reads one word, and says whether there is one: a variable that is not set, by itself, is none.
func (x *lexer) word() (string, bool, error) {
	var word []byte
	there, plain := false, true
	for x.rest != "" {
		c := x.rest[0]
		var part string
		var err error
		switch {
		case c == ' ' || c == '\t':
			return string(word), there, nil
		case c == '<' || c == '>':
			if plain && there && strings.Trim(string(word), "0123456789") == "" {
				return "", false, fmt.Errorf("%s%c: a program has one stream here, for what it prints on either", word, c)
			}
			return string(word), there, nil
		case strings.IndexByte("|&;()`", c) >= 0:
			return "", false, fmt.Errorf("%c: there is one command a line; quote it to mean itself", c)
		case c == '$':
			part, err = x.expand()
			there, plain = there || part != "", false
		case c == '\'' || c == '"' || c == '\\':
			part, err = x.quoted(c)
			there, plain = true, false
		default:
			part, x.rest, there = x.rest[:1], x.rest[1:], true
		}
		if err != nil {
			return "", false, err
		}
		word = append(word, part...)
	}
	return string(word), there, nil
}

// quoted reads what starts with a quotation mark or a backslash.
func (x *lexer) quoted(mark byte) (string, error) {
	x.rest = x.rest[1:]
	switch {
	case mark == '"':
		return x.double()
	case mark == '\'':
		text, rest, ok := strings.Cut(x.rest, "'")
		if !ok {
			return "", errors.New("a ' without another")
		}
		x.rest = rest
		return text, nil
	case x.rest == "":
		return "", errors.New(`a \ with nothing after it`)
	}
	text := x.rest[:1]
	x.rest = x.rest[1:]
	return text, nil
}

// double reads what stands after a ", through the next.
func (x *lexer) double() (string, error) {
	var text []byte
	for x.rest != "" {
		switch c := x.rest[0]; c {
		case '"':
			x.rest = x.rest[1:]
			return string(text), nil
		case '$':
			value, err := x.expand()
			if err != nil {
				return "", err
			}
			text = append(text, value...)
		case '\\':
			var err error
			if text, err = x.escape(text); err != nil {
				return "", err
			}
		default:
			text, x.rest = append(text, c), x.rest[1:]
		}
	}
	return "", errors.New(`a " without another`)
}

// escape appends what an escape inside of "..." means: those of a Go string, and \$.
func (x *lexer) escape(text []byte) ([]byte, error) {
	if x.take(`\$`) {
		return append(text, '$'), nil
	}
	r, isRune, rest, err := strconv.UnquoteChar(x.rest, '"')
	if err != nil {
		return nil, fmt.Errorf(`%q: in "...", what follows a \ is as in a string of Go`, x.rest[:min(2, len(x.rest))])
	}
	x.rest = rest
	if isRune {
		return utf8.AppendRune(text, r), nil
	}
	return append(text, byte(r)), nil
}

// expand reads a variable, and gives its value. A $ before anything else is itself.
func (x *lexer) expand() (string, error) {
	x.rest = x.rest[1:]
	if x.take("{") {
		name, rest, ok := strings.Cut(x.rest, "}")
		if !ok || nameLength(name) != len(name) || name == "" {
			return "", errors.New("${ without a name and }")
		}
		x.rest = rest
		return x.variable(name), nil
	}
	n := nameLength(x.rest)
	if n == 0 {
		return "$", nil
	}
	name := x.rest[:n]
	x.rest = x.rest[n:]
	return x.variable(name), nil
}

// assignment takes NAME=value apart.
func assignment(word string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(word, "=")
	return name, value, ok && name != "" && nameLength(name) == len(name)
}

// nameLength is how many bytes at the front are the name of a variable.
func nameLength(s string) int {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}

// quote writes a word so that it can be typed, and without anything that a terminal would act upon.
func quote(word string) string {
	inside := strconv.Quote(word)
	inside = inside[1 : len(inside)-1]
	switch {
	case word != "" && inside == word && !strings.ContainsAny(word, " '$<>|&;()`#"):
		return word
	case !strings.Contains(word, "'") && strings.ReplaceAll(strings.ReplaceAll(inside, `\"`, `"`), `\\`, `\`) == word:
		return "'" + word + "'"
	}
	return `"` + strings.ReplaceAll(inside, "$", `\$`) + `"`
}

// visible is a text as it is where a terminal would only show it, and with the escapes of a Go string otherwise.
func visible(text string) string {
	for _, r := range text {
		if r != '\t' && (r == utf8.RuneError || !strconv.IsPrint(r)) {
			text = strconv.Quote(text)
			return text[1 : len(text)-1]
		}
	}
	return text
}

// commandLine is a command line as it could be typed.
func commandLine(argv []string) string {
	words := make([]string, len(argv))
	for i, word := range argv {
		words[i] = quote(word)
	}
	return strings.Join(words, " ")
}
