// SPDX-License-Identifier: MIT

package rung_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// word is a name of the standard library that belongs to the edge of the house: internal/cli and main packages.
type word struct {
	pkg   string
	names string
	why   string
}

func edgeWords() []word {
	return []word{
		{"time", "Now Since Until", "times enter as values from the clock that cli owns, and reach no digested byte"},
		{"os", "Getenv LookupEnv Environ ExpandEnv UserHomeDir UserCacheDir UserConfigDir Getwd", "the environment is cli's to read"},
		{"os", "Exit", "the only exit is in main"},
		{"os", "Stdin Stdout Stderr", "streams are arguments of cli.Main"},
		{"fmt", "Print Printf Println", "packages return values, and cli prints them"},
		{"log", "Fatal Fatalf Fatalln Panic Panicf Panicln Print Printf Println", "packages return errors, and cli prints them"},
	}
}

// edgeExceptions says where such a word may stand below the edge, by file and word.
func edgeExceptions() exceptions {
	return exceptions{
		"internal/machine/agent/child.go os.Stdin":        "an agent is a program of its own, with its orders on stdin",
		"internal/machine/agent/child.go os.Stdout":       "and its reports on stdout",
		"internal/machine/agent/child.go os.Stderr":       "the first program of a guest has a console, and no cli",
		"internal/machine/machinetest/again.go os.Getenv": "a test is told by its environment that it runs in a process of its own",
		"internal/machine/machinetest/job.go os.Environ":  "the go command that builds the probe runs in the test's environment",
		"internal/need/need.go os.Getenv":                 "a test has no cli that could hand it RUNG_NO_SKIP",
	}
}

func wordRules() []rule {
	return []rule{
		{"edge words", "only the edge knows the clock, the environment, the streams and the exit", checkEdgeWords},
		{"skips", "a test that is left out says what it needs, and make test allows none: internal/need does both", checkSkips},
		{"init", "what happens before main happens behind the reader's back", checkInit},
		{"package variables", "a value that changes belongs to somebody; a table is never written to", checkVariables},
		{"compiler directives", "a name of another package's inside is not ours to use", checkDirectives},
	}
}

func checkEdgeWords(h *house) []string {
	found := map[string][]string{}
	for _, f := range h.production() {
		if f.main() || matches("internal/cli cmd/*", f.dir) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				for _, w := range edgeWords() {
					if f.names(s, w.pkg) && slices.Contains(strings.Fields(w.names), s.Sel.Name) {
						name := w.pkg + "." + s.Sel.Name
						key := f.name + " " + name
						found[key] = append(found[key], fmt.Sprintf("%s: %s: %s", h.at(s.Pos()), name, w.why))
					}
				}
			}
			return true
		})
	}
	return edgeExceptions().apply(h, found)
}

// names says whether a selector takes a name of a package.
func (f *goFile) names(s *ast.SelectorExpr, pkg string) bool {
	x, ok := s.X.(*ast.Ident)
	return ok && f.imports[pkg] == x.Name
}

func checkSkips(h *house) []string {
	var broken []string
	for _, f := range h.goFiles {
		if f.dir == "internal/need" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := s.X.(*ast.Ident)
			if ok && matches("t b f tb", x.Name) && matches("Skip Skipf SkipNow", s.Sel.Name) {
				broken = append(broken, fmt.Sprintf("%s: %s.%s: use internal/need", h.at(s.Pos()), x.Name, s.Sel.Name))
			}
			return true
		})
	}
	return broken
}

func checkInit(h *house) []string {
	var broken []string
	for _, f := range h.production() {
		for _, d := range f.ast.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" {
				broken = append(broken, fmt.Sprintf("%s: func init", h.at(d.Pos())))
			}
		}
		for p, name := range f.imports {
			if name == "_" && p != "embed" {
				broken = append(broken, fmt.Sprintf("%s: imports %s for what its init does", f.name, p))
			}
		}
	}
	return broken
}

// checkVariables finds package variables that are made to change (of package sync, but for values computed at their
// first use) and writes to them. It goes by names: a variable that a function declares hides one of the package.
func checkVariables(h *house) []string {
	var broken []string
	names := map[string][]string{} // by folder
	for _, f := range h.production() {
		for _, d := range f.ast.Decls {
			d, ok := d.(*ast.GenDecl)
			if !ok || d.Tok != token.VAR {
				continue
			}
			for _, s := range d.Specs {
				s := s.(*ast.ValueSpec)
				for _, n := range s.Names {
					names[f.dir] = append(names[f.dir], n.Name)
				}
				if t, ok := s.Type.(*ast.SelectorExpr); ok && (f.names(t, "sync") || f.names(t, "sync/atomic")) {
					broken = append(broken, fmt.Sprintf("%s: a package variable of type %s is there to change", h.at(s.Pos()), t.Sel.Name))
				}
			}
		}
	}
	for _, f := range h.production() {
		for _, d := range f.ast.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil {
				broken = append(broken, writes(h, d, names[f.dir])...)
			}
		}
	}
	return broken
}

// writes finds writes to package variables in a function.
func writes(h *house, d *ast.FuncDecl, names []string) []string {
	local := map[string]bool{}
	var written []*ast.Ident
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				local[id.Name] = true
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				local[id.Name] = true
			}
		case *ast.RangeStmt:
			written = append(written, declare(local, n.Tok, n.Key, n.Value)...)
		case *ast.AssignStmt:
			written = append(written, declare(local, n.Tok, n.Lhs...)...)
		case *ast.IncDecStmt:
			written = append(written, declare(local, token.ASSIGN, n.X)...)
		}
		return true
	})
	var broken []string
	for _, id := range written {
		if slices.Contains(names, id.Name) && !local[id.Name] {
			broken = append(broken, fmt.Sprintf("%s: writes to the package variable %s", h.at(id.Pos()), id.Name))
		}
	}
	return broken
}

// declare notes the names on the left of := as local, and gives the names that other assignments begin with.
func declare(local map[string]bool, tok token.Token, left ...ast.Expr) []*ast.Ident {
	var written []*ast.Ident
	for _, e := range left {
		root := rootOf(e)
		switch {
		case root == nil:
		case tok == token.DEFINE:
			local[root.Name] = true
		default:
			written = append(written, root)
		}
	}
	return written
}

// rootOf is the name that a place to write to begins with: x of x.f[i].g, say.
func rootOf(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return rootOf(e.X)
	case *ast.IndexExpr:
		return rootOf(e.X)
	case *ast.StarExpr:
		return rootOf(e.X)
	case *ast.ParenExpr:
		return rootOf(e.X)
	}
	return nil
}

func checkDirectives(h *house) []string {
	var broken []string
	for _, f := range h.goFiles {
		for _, group := range f.ast.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "//go:linkname") || strings.HasPrefix(c.Text, "//go:cgo_") {
					broken = append(broken, fmt.Sprintf("%s: %s", h.at(c.Pos()), c.Text))
				}
			}
		}
	}
	return broken
}
