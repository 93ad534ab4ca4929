// SPDX-License-Identifier: MIT

package manifest

import (
	"slices"
	"strconv"
	"strings"
)

// maxConfigLine is what a line of bootstrap.cfg may have, in bytes with its line feed: the guest reads up to 2047.
const maxConfigLine = 2047

// plainMarks are the characters, beside letters and digits, that mean themselves to kaem and bash.
const plainMarks = "_ - . / : , + = @ % ^"

// Variable is a line of bootstrap.cfg. The value is raw: quotes belong to it.
type Variable struct {
	Name, Value string
}

// Config is bootstrap.cfg in its order: KEY=value lines, which the guest's script generator parses, kaem scripts
// contain, and bash sources.
type Config []Variable

// ParseConfig reads a bootstrap.cfg as the guest's script generator does. The name is for positions. There is always a
// configuration; after a problem that Stops it has the lines before it.
func ParseConfig(file, text string) (Config, Problems) {
	var c Config
	var ps Problems
	seen := map[string]bool{}
	for number := 1; text != ""; number++ {
		at := func(column int) Position { return Position{file, number, column} }
		raw, rest, ended := strings.Cut(text, "\n")
		text = rest
		name, value, found := strings.Cut(raw, "=")
		switch {
		case !found:
			ps.stop(at(1), "the line has no =: the guest ends\n"+
				"write KEY=value; there are no comments and no blank lines")
			return c, ps
		case len(raw)+1 > maxConfigLine:
			ps.stop(at(maxConfigLine), "the line has %d bytes: the guest reads %d with the line feed\n"+
				"shorten the value", len(raw), maxConfigLine)
			return c, ps
		case !ended && value == "":
			ps.stop(at(len(raw)+1), "the last line has no value and no line feed: the guest crashes\n"+
				"end the file with a line feed")
			return c, ps
		case !ended:
			ps.add(at(len(raw)+1), Error, "the last line has no line feed: the guest drops the last byte of the value of %s\n"+
				"end the file with a line feed", name)
			value = value[:len(value)-1]
		}
		v := Variable{name, value}
		v.check(at, &ps)
		if strings.IndexByte(raw, 0) >= 0 {
			return c, ps
		}
		if seen[name] {
			ps.add(at(1), Warning, "%s is set again: the script generator goes by the first line, shells by the last\n"+
				"keep one line", name)
		}
		seen[name] = true
		c = append(c, v)
	}
	return c, ps
}

// Check tells what is wrong with a configuration that was made, not read. The name is for positions, as if it had been
// formatted.
func (c Config) Check(file string) Problems {
	_, ps := ParseConfig(file, c.Format())
	return ps
}

// check tells what is wrong with a line.
func (v Variable) check(at func(column int) Position, ps *Problems) {
	if !identifier(v.Name) {
		ps.add(at(1), Error, "%q is no name of a variable for a shell\nuse letters, digits and underscores", v.Name)
	}
	if i := strings.IndexByte(v.Name+"="+v.Value, 0); i >= 0 {
		ps.stop(at(i+1), "a NUL: the guest reads what is before it\nremove the byte")
		return
	}
	if why := assignable(v.Value); why != "" {
		ps.add(at(len(v.Name)+2), Error, "the value of %s %s, for kaem or bash\n"+
			"use letters, digits and %s, or put it in double quotes", v.Name, why, plainMarks)
	}
}

// Format is the text of the file. It is what the guest's script generator writes.
func (c Config) Format() string {
	var b strings.Builder
	for _, v := range c {
		b.WriteString(v.Name + "=" + v.Value + "\n")
	}
	return b.String()
}

func (c Config) index(name string) int {
	return slices.IndexFunc(c, func(v Variable) bool { return v.Name == name })
}

// Has tells whether there is a line for a name.
func (c Config) Has(name string) bool { return c.index(name) >= 0 }

// Get is the first value of a name, raw; "" where there is none.
func (c Config) Get(name string) string {
	if i := c.index(name); i >= 0 {
		return c[i].Value
	}
	return ""
}

// Define gives the configuration after a define, as the guest's script generator does it: the first line is never
// looked at. A define of its name adds a line, and lookups go on seeing the first; the first define of an empty
// configuration makes two lines. The receiver stays as it is.
func (c Config) Define(name, value string) Config {
	v := Variable{name, value}
	if len(c) == 0 {
		return Config{v, v}
	}
	if i := c[1:].index(name); i >= 0 {
		c = slices.Clone(c)
		c[1+i] = v
		return c
	}
	return append(slices.Clip(c), v)
}

func identifier(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !letter(c) && c != '_' && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// plain tells whether a character means itself to kaem and bash outside of quotes.
func plain(c byte) bool {
	return letter(c) || '0' <= c && c <= '9' || c != ' ' && strings.IndexByte(plainMarks, c) >= 0
}

// assignable tells why kaem or bash would not read a value as it stands; "" where both do.
func assignable(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return quoted(value[1 : len(value)-1])
	}
	return unquoted(value)
}

// unquoted tells what is wrong with a value without quotes.
func unquoted(value string) string {
	for i := 0; i < len(value); i++ {
		if !plain(value[i]) {
			return "has a " + describe(value[i:i+1]) + " outside of quotes"
		}
	}
	return ""
}

// quoted tells what is wrong with a value between double quotes.
func quoted(value string) string {
	for i := 0; i < len(value); i++ {
		if c := value[i]; c < ' ' || c > '~' || strings.IndexByte("\"\\$`", c) >= 0 {
			return "has a " + describe(value[i:i+1]) + " in its quotes"
		}
	}
	return ""
}

// describe names a character in a message.
func describe(c string) string {
	if c == " " {
		return "space"
	}
	return strconv.Quote(c)
}
