// SPDX-License-Identifier: MIT

package rung_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// executables are the files that may have a bit to be run.
func executables() []string {
	return []string{".ci/*", "seed/*/hex0-seed"}
}

// seedKinds are the kinds of files below seed/, by pattern. Every one is text that a person reads, but for hex0-seed.
func seedKinds() []string {
	return []string{
		"seed.go", "chain.star", "SYSCALLS", "answers", "*/answers", "*/hex0-seed",
		"*.P1", "*/*.P1", "*.M1", "*/*.M1", "*/*.hex0", "*/*.hex2", "*.scm", "*/*.scm", "*.star", "*/*.star",
		"*.c", "*/*.c", "*/*/*.c", "*.h", "*/*.h", "*/*/*.h", "*/*.S", "*/*/*.S", "*/*.patch",
		"README.md", "*/README.md", "musl/empty.a",
	}
}

func fileRules() []rule {
	return []rule{
		{"licence headers", "each source says its licence wherever it is copied to", checkLicence},
		{"seed", "the seed is small, and all of it but one binary is text", checkSeed},
		{"executables", "what can be run by itself is known by name", checkExecutables},
		{"go.mod", "a build takes exactly what go.mod says", checkModule},
		{"dependencies", "a dependency is there for a reason, docs/dependencies.md says which", checkDependencies},
		{"corpora", "a test over no files shows nothing", checkCorpora},
		{"fuzz targets", "a fuzz target without seeds tries nothing in a plain test run", checkFuzz},
	}
}

func checkLicence(h *house) []string {
	var broken []string
	for _, f := range h.files {
		if strings.Contains("/"+f.name, "/testdata/") || !isSource(f) {
			continue
		}
		head := bytes.SplitN(f.text, []byte("\n"), 4)
		if !slices.ContainsFunc(head[:min(3, len(head))], func(line []byte) bool {
			return bytes.Contains(line, []byte("SPDX-License-"+"Identifier: MIT"))
		}) {
			broken = append(broken, f.name+": no line with SPDX-License-"+"Identifier: MIT among the first three")
		}
	}
	return broken
}

// isSource says whether a file is code, in any of our languages.
func isSource(f file) bool {
	switch path.Ext(f.name) {
	case ".go", ".sh", ".mk", ".star", ".hex0", ".hex2", ".M0", ".M1", ".P1", ".M1pp", ".scm", ".c", ".h", ".S", ".yml", ".yaml", ".toml":
		return true
	}
	return path.Base(f.name) == "Makefile" || bytes.HasPrefix(f.text, []byte("#!"))
}

func checkSeed(h *house) []string {
	var broken []string
	for _, f := range h.files {
		name, ok := strings.CutPrefix(f.name, "seed/")
		if !ok {
			continue
		}
		if !slices.ContainsFunc(seedKinds(), func(pattern string) bool { return matches(pattern, name) }) {
			broken = append(broken, f.name+": no row of seedKinds() has this kind of file")
		}
		if path.Base(name) == "hex0-seed" || path.Ext(name) == ".go" {
			continue
		}
		if i := bytes.IndexFunc(f.text, func(r rune) bool { return r != '\n' && r != '\t' && (r < ' ' || r > '~') }); i >= 0 {
			broken = append(broken, fmt.Sprintf("%s: byte %d is no printable ASCII", f.name, i))
		}
		if !bytes.HasSuffix(f.text, []byte("\n")) {
			broken = append(broken, f.name+": the last line has no end")
		}
		if bytes.Contains(f.text, []byte("DO NOT "+"EDIT")) {
			broken = append(broken, f.name+": is generated")
		}
	}
	return broken
}

func checkExecutables(h *house) []string {
	var broken []string
	for _, f := range h.files {
		if f.mode&0o111 != 0 && !matches(strings.Join(executables(), " "), f.name) {
			broken = append(broken, fmt.Sprintf("%s: mode %v, and no row of executables() names it", f.name, f.mode))
		}
	}
	return broken
}

func checkModule(h *house) []string {
	f, ok := h.file("go.mod")
	if !ok {
		return []string{"go.mod: missing"}
	}
	var broken []string
	for line := range strings.Lines(string(f.text)) {
		switch verb, _, _ := strings.Cut(strings.TrimSpace(line), " "); verb {
		case "replace", "exclude", "tool":
			broken = append(broken, "go.mod: "+strings.TrimSpace(line))
		}
	}
	if _, ok := h.file("go.work"); ok {
		broken = append(broken, "go.work: a workspace replaces modules")
	}
	return broken
}

// checkDependencies compares what our files import with the rows of the table in docs/dependencies.md, one a module.
func checkDependencies(h *house) []string {
	f, ok := h.file("docs/dependencies.md")
	if !ok {
		return []string{"docs/dependencies.md: missing"}
	}
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .*\\S.* \\|$").FindAllSubmatch(f.text, -1) {
		rows = append(rows, string(m[1]))
	}
	used := map[string]bool{}
	var broken []string
	for _, g := range h.goFiles {
		for p := range g.imports {
			first, _, _ := strings.Cut(p, "/")
			if !strings.Contains(first, ".") || p == modulePath || strings.HasPrefix(p, modulePath+"/") {
				continue
			}
			i := slices.IndexFunc(rows, func(row string) bool { return p == row || strings.HasPrefix(p, row+"/") })
			if i < 0 {
				broken = append(broken, fmt.Sprintf("%s: imports %s, and docs/dependencies.md has no row for it", g.name, p))
				continue
			}
			used[rows[i]] = true
		}
	}
	module, _ := h.file("go.mod")
	for _, row := range rows {
		if !used[row] {
			broken = append(broken, "docs/dependencies.md: nothing imports "+row)
		}
		if !bytes.Contains(module.text, []byte(row+" v")) {
			broken = append(broken, "docs/dependencies.md: go.mod has no module "+row)
		}
	}
	return broken
}

// checkCorpora wants files below every folder that a test goes over.
func checkCorpora(h *house) []string {
	var broken []string
	for _, dir := range h.dirs {
		if !strings.Contains("/"+dir+"/", "/testdata/") && !matches("golden corpus answers", path.Base(dir)) {
			continue
		}
		if !slices.ContainsFunc(h.files, func(f file) bool { return strings.HasPrefix(f.name, dir+"/") && len(f.text) > 0 }) {
			broken = append(broken, dir+": holds no file")
		}
	}
	return broken
}

func checkFuzz(h *house) []string {
	var broken []string
	for _, f := range h.goFiles {
		for _, d := range f.ast.Decls {
			d, ok := d.(*ast.FuncDecl)
			if !ok || !f.test || d.Recv != nil || !strings.HasPrefix(d.Name.Name, "Fuzz") {
				continue
			}
			corpus := path.Join(f.dir, "testdata/fuzz", d.Name.Name)
			if !adds(d) && !slices.Contains(h.dirs, corpus) {
				broken = append(broken, fmt.Sprintf("%s: %s adds no seed, and %s is missing", h.at(d.Pos()), d.Name.Name, corpus))
			}
		}
	}
	return broken
}

// adds says whether a fuzz target calls Add.
func adds(d *ast.FuncDecl) bool {
	found := false
	ast.Inspect(d, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Add" {
			found = true
		}
		return !found
	})
	return found
}
