// SPDX-License-Identifier: MIT

package apt

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// lines reads the one-line style: deb [ option=value ... ] address suite component...
func (r *reader) lines(name, text string) {
	for i, line := range strings.Split(text, "\n") {
		from := fmt.Sprintf("%s:%d", name, i+1)
		fields := strings.Fields(beforeComment(line))
		if len(fields) == 0 {
			continue
		}
		if fields[0] != "deb" && fields[0] != "deb-src" {
			r.note("%s: %q is no type of archive", from, fields[0])
			continue
		}
		signedBy, rest, ok := options(fields[1:])
		if !ok || len(rest) == 0 {
			r.note("%s: no address of an archive", from)
			continue
		}
		r.add(from, strings.Trim(rest[0], `"`), signedBy)
	}
}

// beforeComment cuts a comment off, which may not begin inside of quotes or brackets.
func beforeComment(line string) string {
	quoted, bracketed := false, false
	for i, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '[' && !quoted:
			bracketed = true
		case c == ']' && !quoted:
			bracketed = false
		case c == '#' && !quoted && !bracketed:
			return line[:i]
		}
	}
	return line
}

// options takes the options that stand before the address in brackets, and tells which keys they name.
func options(fields []string) (signedBy string, rest []string, ok bool) {
	if len(fields) == 0 || !strings.HasPrefix(fields[0], "[") {
		return "", fields, true
	}
	for i, field := range fields {
		last := strings.HasSuffix(field, "]")
		option := strings.Trim(field, "[]")
		if key, value, _ := strings.Cut(option, "="); strings.EqualFold(key, "signed-by") {
			signedBy = value
		}
		if last {
			return signedBy, fields[i+1:], true
		}
	}
	return "", nil, false
}

// stanzas reads the style of deb822(5): paragraphs of fields, of which a line that begins with a blank continues one.
func (r *reader) stanzas(name, text string) {
	fields, begin, last := map[string]string{}, 1, ""
	flush := func() {
		r.stanza(fmt.Sprintf("%s:%d", name, begin), fields)
		fields, last = map[string]string{}, ""
	}
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			flush()
		case line[0] == ' ' || line[0] == '\t':
			fields[last] += "\n" + line
		default:
			if len(fields) == 0 {
				begin = i + 1
			}
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				r.note("%s:%d: neither a field nor the continuation of one", name, i+1)
			}
			last = strings.ToLower(strings.TrimSpace(key))
			fields[last] = value
		}
	}
	flush()
}

// stanza takes the archives of one paragraph.
func (r *reader) stanza(from string, fields map[string]string) {
	if len(fields) == 0 {
		return
	}
	switch strings.ToLower(strings.TrimSpace(fields["enabled"])) { // the words of apt's StringToBool
	case "no", "false", "without", "off", "disable", "0":
		return
	}
	types := strings.Fields(fields["types"])
	if !slices.Contains(types, "deb") && !slices.Contains(types, "deb-src") {
		r.note("%s: no type of archive", from)
		return
	}
	addresses := strings.Fields(fields["uris"])
	if len(addresses) == 0 {
		r.note("%s: no address of an archive", from)
	}
	for _, address := range addresses {
		r.add(from, address, fields["signed-by"])
	}
}

// maxList bounds how many archives of a list count.
const maxList = 8

// ParseList reads a list of archives as apt-transport-mirror(1) specifies it: a line each, an address and then, behind
// a tab, what is known of it. The ones of the smallest priority number come first; those without one come last. An
// archive that has indexes only is left out, and so is a list of its own, which could name itself.
func ParseList(text string) []string {
	type entry struct {
		address  string
		priority int
	}
	const none = 1 << 30
	var entries []entry
	for line := range strings.Lines(text) {
		address, about, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if address == "" || address[0] == '#' || strings.HasPrefix(address, "mirror") {
			continue
		}
		e := entry{strings.TrimSpace(address), none}
		kinds, index := 0, 0
		for _, field := range strings.Fields(about) {
			key, value, _ := strings.Cut(field, ":")
			switch key {
			case "priority":
				if n, err := strconv.Atoi(value); err == nil {
					e.priority = n
				}
			case "type":
				kinds++
				if value == "index" {
					index++
				}
			}
		}
		if kinds == 0 || index < kinds {
			entries = append(entries, e)
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.priority, b.priority) })
	var addresses []string
	for _, e := range entries[:min(len(entries), maxList)] {
		addresses = append(addresses, e.address)
	}
	return addresses
}
