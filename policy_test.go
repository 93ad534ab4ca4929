// SPDX-License-Identifier: MIT

// Package rung_test holds the rules of the house as tests: which room may use which (policy_layers_test.go), which words
// of the standard library stand where (policy_words_test.go), the shape of the code (policy_shape_test.go), the tree of
// files (policy_files_test.go) and the documents (policy_docs_test.go).
//
// A rule reads the files as they stand, with every build tag, and needs neither the go command nor a network. It says
// why it is there, and policy_planted_test.go breaks each one on purpose, so that none can pass by seeing nothing. The
// tables of exceptions are part of the rules: an exception that nothing needs any more fails as well.
package rung_test

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// modulePath begins the import path of every package of the project.
const modulePath = "github.com/rung-build/rung"

// rule is a thing that holds everywhere in the house.
type rule struct {
	name  string
	why   string
	check func(*house) []string // what breaks it, one line each, beginning with the place
}

// rules are all of them.
func rules() []rule {
	return slices.Concat(layerRules(), wordRules(), shapeRules(), fileRules(), docRules())
}

func TestPolicy(t *testing.T) {
	h, err := enter(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.goFiles) < 50 {
		t.Fatalf("the house has %d Go files; want more", len(h.goFiles))
	}
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, broken := range r.check(h) {
				t.Errorf("%s\n\twhy: %s", broken, r.why)
			}
		})
	}
}

// house is the project as files.
type house struct {
	fset    *token.FileSet
	dirs    []string // all folders, sorted, with slashes; so are the others
	files   []file
	goFiles []*goFile
}

// file is one that could be committed: what .gitignore names is left out.
type file struct {
	name string // below the root, with slashes
	mode fs.FileMode
	text []byte
}

// goFile is a file of Go.
type goFile struct {
	file
	dir     string            // of the package below the root, "." for the root
	imports map[string]string // the name it has in this file, by import path
	ast     *ast.File
	test    bool // a _test.go file
}

// main says whether the file is of a program, which is the edge of the house as internal/cli is.
func (f *goFile) main() bool { return f.ast.Name.Name == "main" }

// enter reads the house.
func enter(root fs.FS) (*house, error) {
	h := &house{fset: token.NewFileSet()}
	ignored, err := ignoredNames(root)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".git" || ignored(name):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			h.dirs = append(h.dirs, name)
			return nil
		}
		return h.read(root, name, d)
	})
	return h, err
}

func (h *house) read(root fs.FS, name string, d fs.DirEntry) error {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return err
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	f := file{name: name, mode: info.Mode(), text: text}
	h.files = append(h.files, f)
	if path.Ext(name) != ".go" || strings.Contains("/"+name, "/testdata/") {
		return nil
	}
	tree, err := parser.ParseFile(h.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	g := &goFile{file: f, dir: path.Dir(name), ast: tree, test: strings.HasSuffix(name, "_test.go"), imports: map[string]string{}}
	for _, spec := range tree.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		as := path.Base(p)
		if spec.Name != nil {
			as = spec.Name.Name
		}
		g.imports[p] = as
	}
	h.goFiles = append(h.goFiles, g)
	return nil
}

// ignoredNames reads the two kinds of lines that .gitignore has here: /NAME in the root, and a pattern of last elements.
func ignoredNames(root fs.FS) (func(name string) bool, error) {
	text, err := fs.ReadFile(root, ".gitignore")
	if err != nil {
		return nil, err
	}
	var lines []string
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && line[0] != '#' {
			lines = append(lines, strings.TrimSuffix(line, "/"))
		}
	}
	return func(name string) bool {
		return slices.ContainsFunc(lines, func(line string) bool {
			if rooted, ok := strings.CutPrefix(line, "/"); ok {
				return name == rooted
			}
			match, err := path.Match(line, path.Base(name))
			return match && err == nil
		})
	}, nil
}

// at is a place as an editor understands it.
func (h *house) at(pos token.Pos) string {
	p := h.fset.Position(pos)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// production gives the Go files that are not tests.
func (h *house) production() []*goFile {
	return slices.DeleteFunc(slices.Clone(h.goFiles), func(f *goFile) bool { return f.test })
}

// file gives a file by its name.
func (h *house) file(name string) (file, bool) {
	i := slices.IndexFunc(h.files, func(f file) bool { return f.name == name })
	if i < 0 {
		return file{}, false
	}
	return h.files[i], true
}

// exceptions is a table of places where a rule does not hold, each with the reason.
type exceptions map[string]string

// apply leaves out of found, which has keys of the table, what the table names, and complains about rows that are not
// needed. Rows of places that the house does not have are left alone, for the planted houses.
func (x exceptions) apply(h *house, found map[string][]string) []string {
	var all []string
	for key, broken := range found {
		if _, ok := x[key]; !ok {
			all = append(all, broken...)
		}
	}
	for key := range x {
		name, _, _ := strings.Cut(key, " ")
		if _, exists := h.file(name); exists && len(found[key]) == 0 {
			all = append(all, fmt.Sprintf("%s: the exception is not needed any more", key))
		}
	}
	slices.Sort(all)
	return all
}
