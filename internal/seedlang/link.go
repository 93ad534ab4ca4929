// SPDX-License-Identifier: MIT

package seedlang

import (
	"encoding/binary"
	"math"
	"strings"
)

// linker is the sink that makes bytes: hex0, hex2 and hex2pp.
type linker struct {
	lang   Lang
	out    []byte
	m      *Map
	labels map[string]label // by key
	scope  string           // the last label without a leading dot, which local labels belong to
	refs   []reference
	errs   []error
}

type label struct {
	address uint64
	at      origin
}

// reference is a place in the output that waits for the address of a label.
type reference struct {
	offset, size int
	absolute     bool
	to, from     string // keys of labels; from is "" where the reference is relative to the address after it
	at           origin
}

func newLinker(lang Lang, base uint64) *linker {
	switch lang {
	case M0:
		lang = Hex2
	case M1pp:
		lang = Hex2pp
	}
	return &linker{lang: lang, m: &Map{Base: base}, labels: map[string]label{}}
}

func (l *linker) address() uint64 { return l.m.Base + uint64(len(l.out)) }

// bytes adds bytes to the output.
func (l *linker) bytes(b []byte, at origin) error {
	if len(b) == 0 {
		return nil
	}
	if len(l.out)+len(b) > maxOutput {
		return at.errorf("the output is longer than %d bytes", maxOutput)
	}
	start := len(l.out)
	l.out = append(l.out, b...)
	l.m.Ranges = append(l.m.Ranges, Range{Start: start, End: len(l.out), Pos: at.pos, Call: at.call})
	return nil
}

// word adds what a word stands for. Defects that leave the rest readable are kept for finish.
func (l *linker) word(text string, at origin) error {
	switch c := text[0]; {
	case hexDigit(c) >= 0:
		return l.hex(text, at)
	case l.lang == Hex0:
		return at.errorf("%q does not belong in hex0", clip(text))
	case c == ':':
		return l.define(text[1:], at)
	case c == '%':
		return l.refer(text[1:], 4, at)
	case c == '&':
		return l.refer(text[1:], -4, at)
	case c == '!' && l.lang == Hex2pp:
		return l.refer(text[1:], 1, at)
	case c == '@' && l.lang == Hex2pp:
		return l.refer(text[1:], 2, at)
	case c == '<' && l.lang == Hex2pp:
		return l.align(text[1:], at)
	}
	l.errs = append(l.errs, at.errorf("%q is not defined, and no word of %s", clip(text), l.lang))
	return nil
}

func (l *linker) hex(text string, at origin) error {
	b := make([]byte, 0, len(text)/2)
	for i := 0; i+1 < len(text); i += 2 {
		high, low := hexDigit(text[i]), hexDigit(text[i+1])
		if high < 0 || low < 0 {
			l.errs = append(l.errs, at.errorf("%q is not defined, and no run of hex digits", clip(text)))
			return nil
		}
		b = append(b, byte(high<<4|low))
	}
	if len(text)%2 != 0 {
		what := "odd number of hex digits"
		if hexDigit(text[len(text)-1]) < 0 {
			what = "not defined, and no run of hex digits"
		}
		l.errs = append(l.errs, at.errorf("%s: %q", what, clip(text)))
		return nil
	}
	return l.bytes(b, at)
}

// key checks the name of a label and gives its key in labels: of a local one the label it belongs to, a blank, which no
// name has, and its name.
func (l *linker) key(name string, at origin) (string, bool) {
	switch {
	case name == "" || strings.ContainsAny(name, `>"()$`):
		l.errs = append(l.errs, at.errorf("%q is not the name of a label", clip(name)))
		return "", false
	case name[0] != '.':
		return name, true
	case l.lang != Hex2pp:
		l.errs = append(l.errs, at.errorf("label %q: hex2 has no local labels", clip(name)))
		return "", false
	case len(name) == 1 || l.scope == "":
		l.errs = append(l.errs, at.errorf("local label %q: no label stands before it", clip(name)))
		return "", false
	}
	return l.scope + " " + name, true
}

// plainName is a label's name for people: LABEL.LOCAL of a local one.
func plainName(key string) string { return strings.Replace(key, " ", "", 1) }

func (l *linker) define(text string, at origin) error {
	key, ok := l.key(text, at)
	if !ok {
		return nil
	}
	name := plainName(key)
	if first, twice := l.labels[key]; twice {
		l.errs = append(l.errs, at.errorf("label %q is defined twice, first at %s", clip(name), first.at.outermost()))
		return nil
	}
	l.labels[key] = label{l.address(), at}
	l.m.Labels = append(l.m.Labels, Label{Name: name, Address: l.address(), Pos: at.outermost()})
	if text[0] != '.' {
		l.scope = text
	}
	return nil
}

// refer leaves room for the address of a label; a negative size is that of an absolute one.
func (l *linker) refer(text string, size int, at origin) error {
	r := reference{offset: len(l.out), size: max(size, -size), absolute: size < 0, at: at}
	to, from, relative := strings.Cut(text, ">")
	var ok bool
	if r.to, ok = l.key(to, at); !ok {
		return nil
	}
	if relative {
		if size != 4 {
			l.errs = append(l.errs, at.errorf("%q: only %% takes two labels", clip(text)))
			return nil
		}
		if r.from, ok = l.key(from, at); !ok {
			return nil
		}
	}
	l.refs = append(l.refs, r)
	return l.bytes(make([]byte, r.size), at)
}

func (l *linker) align(text string, at origin) error {
	n, err := ParseNumber(text)
	if err != nil || n == 0 || n&(n-1) != 0 || n > 1<<16 {
		l.errs = append(l.errs, at.errorf("alignment %q: want a power of two up to 65536", clip(text)))
		return nil
	}
	return l.bytes(make([]byte, -l.address()&(n-1)), at)
}

// finish fills in the references.
func (l *linker) finish() ([]byte, *Map, error) {
	for _, r := range l.refs {
		if err := l.resolve(r); err != nil {
			l.errs = append(l.errs, err)
		}
	}
	if err := problems(l.errs); err != nil {
		return nil, nil, err
	}
	return l.out, l.m, nil
}

func (l *linker) resolve(r reference) error {
	to, ok := l.labels[r.to]
	if !ok {
		return r.at.errorf("label %q is not defined", clip(plainName(r.to)))
	}
	from := label{address: l.m.Base + uint64(r.offset+r.size)}
	if r.from != "" {
		if from, ok = l.labels[r.from]; !ok {
			return r.at.errorf("label %q is not defined", clip(plainName(r.from)))
		}
	}
	value := int64(to.address - from.address)
	low, high := int64(math.MinInt64)>>(64-8*r.size), int64(1)<<(8*r.size-1)-1
	if r.absolute {
		value, low, high = int64(to.address), 0, math.MaxUint32
	}
	if value < low || value > high {
		return r.at.errorf("label %q: %d does not fit in %d bytes", clip(plainName(r.to)), value, r.size)
	}
	var field [8]byte
	binary.LittleEndian.PutUint64(field[:], uint64(value))
	copy(l.out[r.offset:r.offset+r.size], field[:])
	return nil
}
