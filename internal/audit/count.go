// SPDX-License-Identifier: MIT

package audit

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Size counts texts.
type Size struct {
	Files    int `json:"files"`
	Code     int `json:"code_lines"`
	Comments int `json:"comment_lines"` // lines with nothing but a comment
	Blank    int `json:"blank_lines"`
	Bytes    int `json:"bytes"`
}

func (s *Size) add(o Size) {
	s.Files += o.Files
	s.Code += o.Code
	s.Comments += o.Comments
	s.Blank += o.Blank
	s.Bytes += o.Bytes
}

// Group is what a stage is the first to take in one language.
type Group struct {
	Stage    string   `json:"stage"`
	Language string   `json:"language"`
	Texts    []string `json:"texts"`
	Size
}

// Count is how much text a chain has of its own.
type Count struct {
	Arch      string          `json:"arch"`
	Binaries  Size            `json:"binaries"` // programs that the chain starts from; bytes only
	Groups    []Group         `json:"groups"`
	Languages map[string]Size `json:"languages"`
	Total     Size            `json:"total"`
}

// CountTexts counts what the stages take from the seed. A text that several stages take counts for the first of them.
func CountTexts(chain *Chain) *Count {
	c := &Count{Arch: chain.Arch, Groups: []Group{}, Languages: map[string]Size{}}
	for _, text := range chain.texts() {
		if text.Program {
			c.Binaries.add(Size{Files: 1, Bytes: len(text.Bytes)})
			continue
		}
		c.add(text)
	}
	return c
}

// add counts a text in the group of its stage and language.
func (c *Count) add(text taken) {
	lang := language(text.Path)
	if lang == "" {
		lang = "other"
	}
	i := slices.IndexFunc(c.Groups, func(g Group) bool { return g.Stage == text.stage && g.Language == lang })
	if i < 0 {
		i = len(c.Groups)
		c.Groups = append(c.Groups, Group{Stage: text.stage, Language: lang})
	}
	size := sizeOf(lang, text.Bytes)
	g := &c.Groups[i]
	g.Texts = append(g.Texts, text.Path)
	g.Size.add(size)
	total := c.Languages[lang]
	total.add(size)
	c.Languages[lang] = total
	c.Total.add(size)
}

// sizeOf counts the lines of a text. A line is a comment where nothing but a comment starts on it, or where it lies
// in a block comment.
func sizeOf(lang string, text []byte) Size {
	size := Size{Files: 1, Bytes: len(text)}
	starts, open, end := []string{"#", ";"}, "", ""
	switch lang {
	case "Scheme":
		starts, open, end = []string{";"}, "#|", "|#"
	case "C":
		starts, open, end = []string{"//"}, "/*", "*/"
	}
	inBlock := false
	for row := range bytes.Lines(text) {
		line := strings.TrimSpace(string(row))
		blockStarts := open != "" && strings.HasPrefix(line, open)
		switch {
		case inBlock, blockStarts:
			size.Comments++
			inBlock = !strings.Contains(line, end)
		case line == "":
			size.Blank++
		case slices.ContainsFunc(starts, func(s string) bool { return strings.HasPrefix(line, s) }):
			size.Comments++
		default:
			size.Code++
		}
	}
	return size
}

// Text prints the count as a table.
func (c *Count) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "stage\tlanguage\tfiles\tcode lines\tcomment lines\tbytes\t\n")
	row := func(stage, lang string, s Size) {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t\n", stage, lang, s.Files, s.Code, s.Comments, s.Bytes)
	}
	for _, g := range c.Groups {
		row(g.Stage, g.Language, g.Size)
	}
	for _, g := range c.languages() {
		row("all", g, c.Languages[g])
	}
	row("all", "all", c.Total)
	fmt.Fprintf(t, "\tbinaries\t%d\t\t\t%d\t\n", c.Binaries.Files, c.Binaries.Bytes)
	return t.Flush()
}

// languages lists the languages in the order in which the chain climbs to them.
func (c *Count) languages() []string {
	var all []string
	for _, g := range c.Groups {
		if !slices.Contains(all, g.Language) {
			all = append(all, g.Language)
		}
	}
	return all
}
