// SPDX-License-Identifier: MIT

package page

import (
	"strconv"
	"strings"
	"unicode"
)

// A picture has to know how wide a text will be, and cannot: the font is the reader's. face is a size of type with
// widths that the fonts of the style sheet's lists keep within, DejaVu's being the widest of them.
type face struct {
	size float64 // in units of the picture, as in the style sheet
	mono bool
}

var (
	nameFace = face{size: 17.5}
	sizeFace = face{size: 14}
	textFace = face{size: 12.5}
	monoFace = face{size: 12, mono: true}
)

// width is the width of a text.
func (f face) width(s string) float64 {
	ems := 0.0
	for _, r := range s {
		ems += f.em(r)
	}
	return ems * f.size
}

// em is the width of a character in a part of the size of type.
func (f face) em(r rune) float64 {
	switch {
	case r > 0x2fff: // ideographs and their like fill a square
		return 1.05
	case f.mono:
		return 0.605
	case strings.ContainsRune("ijlI.,:;'|!·", r):
		return 0.36
	case strings.ContainsRune("frt-()/ ", r):
		return 0.43
	case strings.ContainsRune("mwMW%@…", r):
		return 1.0
	case unicode.IsUpper(r):
		return 0.73
	}
	return 0.645
}

// fit cuts a text to a width.
func (f face) fit(s string, width float64) string {
	s = plain(s)
	if f.width(s) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && f.width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// fitNames joins as many names as fit into a width, and says how many are left out.
func (f face) fitNames(names []string, width float64) string {
	line := ""
	for i, name := range names {
		next := plain(name)
		if i > 0 {
			next = " " + next
		}
		rest := ""
		if left := len(names) - i - 1; left > 0 {
			rest = " +" + strconv.Itoa(left)
		}
		if f.width(line+next+rest) > width {
			if i == 0 {
				return f.fit(name, width-f.width(rest)) + rest
			}
			return line + " +" + strconv.Itoa(len(names)-i)
		}
		line += next
	}
	return line
}

// enumerate joins names with commas, at most that many of them.
func enumerate(names []string, most int) string {
	shown := make([]string, 0, most)
	for _, name := range names[:min(len(names), most)] {
		shown = append(shown, plain(name))
	}
	line := strings.Join(shown, ", ")
	if left := len(names) - len(shown); left > 0 {
		line += " and " + count(left, "other")
	}
	return line
}
