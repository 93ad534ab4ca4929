// SPDX-License-Identifier: MIT

package rung_test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

func docRules() []rule {
	return []rule{
		{"links", "a document leads to what exists", checkLinks},
		{"pages", "a page that no other page leads to is not read", checkPages},
		{"places", "the project says nothing of one person's machine", checkPlaces},
	}
}

// pages lists the documents with their text, less what stands in fences and code.
func (h *house) pages() map[string]string {
	all := map[string]string{}
	code := regexp.MustCompile("(?ms)^```.*?^```|`[^`\n]*`")
	for _, f := range h.files {
		if path.Ext(f.name) == ".md" {
			all[f.name] = code.ReplaceAllString(string(f.text), "")
		}
	}
	return all
}

// links gives the relative links of a page, as names below the root, with the heading they lead to.
func links(name, text string) map[string]string {
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)|src="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		to := m[1] + m[2]
		if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
			continue
		}
		target, heading, _ := strings.Cut(to, "#")
		if target == "" {
			target = path.Base(name)
		}
		all[path.Join(path.Dir(name), target)] = heading
	}
	return all
}

func checkLinks(h *house) []string {
	var broken []string
	for name, text := range h.pages() {
		for to, heading := range links(name, text) {
			f, ok := h.file(to)
			switch {
			case !ok && !slices.Contains(h.dirs, to):
				broken = append(broken, fmt.Sprintf("%s: leads to %s, which does not exist", name, to))
			case heading != "" && !slices.Contains(headings(string(f.text)), heading):
				broken = append(broken, fmt.Sprintf("%s: leads to %s#%s, which has no such heading", name, to, heading))
			}
		}
	}
	slices.Sort(broken)
	return broken
}

// headings gives the anchors of a page's headings.
func headings(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		anchor := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(anchor, " ", "-"))
	}
	return all
}

func checkPages(h *house) []string {
	seen := map[string]bool{"README.md": true}
	pages := h.pages()
	for todo := []string{"README.md"}; len(todo) > 0; todo = todo[1:] {
		for to := range links(todo[0], pages[todo[0]]) {
			if _, ok := pages[to]; ok && !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	var broken []string
	for name := range pages {
		if !seen[name] {
			broken = append(broken, name+": no way leads here from README.md")
		}
	}
	slices.Sort(broken)
	return broken
}

func checkPlaces(h *house) []string {
	place := regexp.MustCompile(`(^|[\s"'(=` + "`" + `])/(home|Users|root|work)/[A-Za-z0-9._-]+`)
	var broken []string
	for _, f := range h.files {
		if strings.Contains("/"+f.name, "/testdata/") || f.name == "policy_planted_test.go" {
			continue
		}
		n := 0
		for line := range strings.Lines(string(f.text)) {
			n++
			if m := place.FindString(line); m != "" {
				broken = append(broken, fmt.Sprintf("%s:%d: names the folder%s", f.name, n, strings.Trim(m, "\"'(=`")))
			}
		}
	}
	return broken
}
