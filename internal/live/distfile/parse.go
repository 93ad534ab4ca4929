// SPDX-License-Identifier: MIT

package distfile

import (
	"fmt"
	"path"
	"strings"

	"github.com/rung-build/rung/internal/live/manifest"
)

// maxName is the longest name of a distfile, in bytes: what ext3 takes, which is less than what a payload takes.
const maxName = 255

// Parse reads a sources file. The file's name is for positions. Lines that are wrong are left out.
func Parse(file, pkg, text string) ([]Distfile, manifest.Problems) {
	p := parser{file: file, pkg: pkg}
	var all []Distfile
	for text != "" {
		line, rest, ended := strings.Cut(text, "\n")
		text = rest
		p.line++
		if !ended {
			p.fail(len(line)+1, "end the file with a line feed",
				"the last line has no line feed: the guest does not read it")
		}
		if d, ok := p.distfile(line); ok {
			all = append(all, d)
		}
	}
	return all, p.problems
}

// parser reads one line at a time.
type parser struct {
	file, pkg string
	line      int
	problems  manifest.Problems
}

// field is a text and its column, from 1.
type field struct {
	text   string
	column int
}

func (p *parser) note(s manifest.Severity, column int, hint, format string, args ...any) {
	p.problems = append(p.problems, manifest.Problem{
		Pos: manifest.Position{File: p.file, Line: p.line, Column: column}, Severity: s,
		Text: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// fail notes an error. It gives false.
func (p *parser) fail(column int, hint, format string, args ...any) bool {
	p.note(manifest.Error, column, hint, format, args...)
	return false
}

// fields splits a line at single spaces.
func (p *parser) fields(line string) ([]field, bool) {
	switch {
	case strings.Trim(line, " \t\r") == "":
		return nil, p.fail(1, "remove the line", "a line without a distfile: rootfs.py ends here with an error")
	case strings.HasPrefix(line, "#"):
		return nil, p.fail(1, "remove the line", "sources files have no comments: the guest takes this for a distfile")
	}
	var all []field
	trimmed := strings.TrimRight(line, " ")
	if trimmed != line {
		p.note(manifest.Warning, len(trimmed)+1, "remove it", "a space at the end of the line: both readers drop it")
		line = trimmed
	}
	column := 1
	for text := range strings.SplitSeq(line, " ") {
		switch i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7F }); {
		case i >= 0:
			return nil, p.fail(column+i, "use single spaces between fields, and a line feed at the end",
				"a %q in the line: rootfs.py and the guest split it in different ways", text[i])
		case text == "":
			return nil, p.fail(column, "use single spaces, none in front",
				"a space too many: rootfs.py reads an empty field here, the guest reads none")
		}
		all = append(all, field{text, column})
		column += len(text) + 1
	}
	return all, true
}

// distfile reads a line.
func (p *parser) distfile(line string) (Distfile, bool) {
	d := Distfile{Pos: manifest.Position{File: p.file, Line: p.line, Column: 1}, Package: p.pkg}
	all, ok := p.fields(line)
	if !ok {
		return d, false
	}
	kind, rest := all[0], all[1:]
	want := "f URL SHA256 [NAME]"
	switch kind.text {
	case "f", "file":
	case "g", "git":
		want = "g GITURL~REF URL SHA256 [NAME]"
		if len(rest) > 0 {
			if ok = p.git(&d, rest[0]); !ok {
				return d, false
			}
			rest = rest[1:]
		}
	default:
		return d, p.fail(kind.column, "begin the line with f for a file, or with g for an archive of a git repository",
			"%q is no type of source", kind.text)
	}
	if len(rest) < 2 {
		return d, p.fail(len(line)+1, "write "+want, "the line has %d fields, which are too few", len(all))
	}
	if len(rest) > 3 {
		p.note(manifest.Warning, rest[3].column, "remove it", "%q is read by nobody", rest[3].text)
		rest = rest[:3]
	}
	return d, p.file3(&d, rest)
}

// file3 reads URL SHA256 [NAME].
func (p *parser) file3(d *Distfile, fields []field) bool {
	url, sum := fields[0], fields[1]
	if strings.Trim(sum.text, "0123456789abcdef") != "" || len(sum.text) != 64 {
		return p.fail(sum.column, "give the sum as sha256sum prints it",
			"%q is not a SHA-256 of 64 lower-case hex digits", sum.text)
	}
	d.SHA256 = sum.text
	name := field{path.Base(url.text), url.column}
	switch {
	case len(fields) == 3:
		name = fields[2]
	case url.text == "_":
		return p.fail(sum.column+len(sum.text), "name the file behind its SHA-256",
			"a source without an address has no name")
	case strings.HasSuffix(url.text, "/"):
		return p.fail(url.column, "name the file behind its SHA-256", "the address ends in a slash, and gives no name")
	}
	if !p.name(name) {
		return false
	}
	d.Name = name.text
	if url.text == "_" {
		return true
	}
	if d.URL = url.text; !address(url.text, "http", "https", "ftp") {
		return p.fail(url.column, "use an http, https or ftp address, or _ where there is none",
			"%q is no address of a file", url.text)
	}
	return true
}

// name checks what a file is called.
func (p *parser) name(f field) bool {
	switch {
	case f.text == "_" || f.text == "." || f.text == "..":
		return p.fail(f.column, "give it the name of a file", "%q is no name of a distfile", f.text)
	case strings.ContainsAny(f.text, `/\`):
		return p.fail(f.column, "give it a name without slashes", "the name %q would leave the distfiles folder",
			f.text)
	case len(f.text) > maxName:
		return p.fail(f.column, "give it a shorter NAME behind its SHA-256", "a name of %d bytes; file systems take %d",
			len(f.text), maxName)
	}
	return true
}

// git reads GITURL~REF.
func (p *parser) git(d *Distfile, f field) bool {
	i := strings.LastIndexByte(f.text, '~')
	if i < 0 || i == len(f.text)-1 {
		return p.fail(f.column, "write GITURL~REF", "%q names no commit or tag", f.text)
	}
	d.Git, d.Ref = f.text[:i], f.text[i+1:]
	if !address(d.Git, "https", "http", "git", "ssh") {
		return p.fail(f.column, "use an https or git address", "%q is no address of a repository", d.Git)
	}
	return true
}

// address tells whether a text has one of some schemes, and something behind it.
func address(text string, schemes ...string) bool {
	scheme, rest, _ := strings.Cut(text, "://")
	for _, s := range schemes {
		if scheme == s && strings.Trim(rest, "/") != "" {
			return true
		}
	}
	return false
}
