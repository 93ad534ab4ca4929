// SPDX-License-Identifier: MIT

package manifest

import (
	"cmp"
	"slices"
	"strings"
)

// maxUninstall is what the guest's script generator allows for the arguments of an uninstall, in bytes.
const maxUninstall = 2048

// parser reads one line at a time.
type parser struct {
	file     string
	problems Problems

	line   int
	tokens []token
	next   int // of tokens
	end    int
}

// sort puts problems in the order of the text.
func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
}

func (p *parser) at(column int) Position { return Position{p.file, p.line, column} }

// stop notes that the guest stops in this line. It gives false.
func (p *parser) stop(column int, format string, args ...any) bool {
	p.problems.stop(p.at(column), format, args...)
	return false
}

func (p *parser) error(column int, format string, args ...any) {
	p.problems.add(p.at(column), Error, format, args...)
}

func (p *parser) warn(column int, format string, args ...any) {
	p.problems.add(p.at(column), Warning, format, args...)
}

// take gives the next field of the line, if there is one.
func (p *parser) take() (token, bool) {
	if p.next == len(p.tokens) {
		return token{column: p.end}, false
	}
	p.next++
	return p.tokens[p.next-1], true
}

// peek gives the text of the next field, and whether there is one.
func (p *parser) peek() (string, bool) {
	if p.next == len(p.tokens) {
		return "", false
	}
	return p.tokens[p.next].text, true
}

// directive reads a line. It gives false where the guest would stop.
func (p *parser) directive() (Directive, bool) {
	p.next = 1
	d := Directive{Pos: p.at(1)}
	ok := false
	switch p.tokens[0].text {
	case "build:":
		d.Kind, ok = Build, p.named(&d)
	case "improve:":
		d.Kind, ok = Improve, p.named(&d)
	case "jump:":
		d.Kind, ok = Jump, p.named(&d)
	case "define:":
		d.Kind, ok = Define, p.define(&d)
	case "uninstall:":
		d.Kind, ok = Uninstall, p.uninstall(&d)
	case "":
		p.blank()
	default:
		p.stop(1, "%q is no directive: the guest wants logic to begin with ( and ends\n"+
			"use build:, improve:, jump:, define: or uninstall:, followed by one space", p.tokens[0].text)
	}
	return d, ok && p.condition(&d)
}

// blank notes a line that starts with a space.
func (p *parser) blank() {
	host := ""
	texts := slices.DeleteFunc(fieldTexts(p.tokens), func(s string) bool { return s == "" })
	if len(texts) > 1 && texts[0] == "build:" {
		host = ", while rootfs.py reads a build line"
	}
	p.stop(1, "the line starts with a space: the guest reads an empty directive and ends%s\nremove the space", host)
}

func fieldTexts(tokens []token) []string {
	var texts []string
	for _, t := range tokens {
		texts = append(texts, t.text)
	}
	return texts
}

// named reads the argument of a build, an improve or a jump.
func (p *parser) named(d *Directive) bool {
	arg, ok := p.take()
	switch {
	case !ok:
		return p.stop(arg.column, "%s names nothing: the guest crashes\nwrite a name after one space", p.tokens[0].text)
	case arg.text == "(" || arg.text == "":
		return p.stop(arg.column, "%s is followed by %q where its name belongs: the guest ends\n"+
			"write the name after one space",
			p.tokens[0].text, arg.text)
	}
	d.Arg = arg.text
	p.word(arg, "")
	return true
}

// uninstall reads arguments up to a predicate.
func (p *parser) uninstall(d *Directive) bool {
	first, ok := p.take()
	if !ok {
		return p.stop(first.column, "uninstall: names nothing: the guest crashes\nname packages or files")
	}
	if first.text == "(" {
		p.error(first.column, "uninstall: begins with (, which the guest takes for the name of a package\n"+
			"name packages before the predicate")
	}
	from := p.next - 1
	length := len(first.text)
	for t, more := p.peek(); more && t != "("; t, more = p.peek() {
		p.next++
		if length += 1 + len(t); length > maxUninstall {
			return p.stop(p.tokens[p.next-1].column, "the arguments have more than %d bytes: the guest ends\n"+
				"use several lines", maxUninstall)
		}
	}
	args := p.tokens[from:p.next]
	for _, a := range args {
		if a.text == "" {
			p.warn(a.column, "two spaces in a row: the script has them too\nuse one")
		} else if a.text != "(" {
			p.word(a, "*?[]{}")
		}
	}
	d.Arg = first.text
	if len(args) > 1 {
		d.Arg = strings.Join(fieldTexts(args), " ")
	}
	return true
}

// define reads NAME = VALUE.
func (p *parser) define(d *Directive) bool {
	name, ok := p.take()
	if !ok {
		return p.stop(name.column, "define: names nothing: the guest crashes\nwrite define: NAME = VALUE")
	}
	d.Arg = name.text
	if !identifier(name.text) {
		p.error(name.column, "%q is no name of a variable for a shell\nuse letters, digits and underscores", name.text)
	}
	if equals, ok := p.take(); !ok || equals.text != "=" {
		return p.stop(equals.column, "the define of %s has no = after its name: the guest ends\n"+
			"write %[1]s = VALUE, with single spaces", name.text)
	}
	value, ok := p.take()
	switch {
	case !ok:
		return p.stop(value.column, "the define of %s has no value: the guest crashes\n"+
			"write a constant, or a predicate in ( )", name.text)
	case value.text == "(":
		d.Formula, ok = p.logic(value)
		return ok
	case value.text == "":
		p.warn(value.column, "two spaces in a row: the guest reads an empty value here\n"+
			"use one space if a value was meant")
	default:
		if why := unquoted(value.text); why != "" {
			p.error(value.column, "the value %q of %s %s, for kaem or bash\n"+
				"use a plain word", value.text, name.text, why)
		}
	}
	d.Value = value.text
	return true
}

// word checks an argument that scripts hand to kaem and bash without quotes. More are other characters that may be.
func (p *parser) word(t token, more string) {
	for i := 0; i < len(t.text); i++ {
		if c := t.text[i]; c > ' ' && c != 0x7F && !plain(c) && !strings.ContainsRune(more, rune(c)) {
			p.error(t.column+i, "%q has a %q, which the scripts hand to kaem and bash without quotes\n"+
				"use letters, digits and the characters %s", t.text, t.text[i:i+1], plainMarks)
			return
		}
	}
}
