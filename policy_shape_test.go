// SPDX-License-Identifier: MIT

package rung_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// The bounds of what a reader takes in at once, in lines. Tests may be longer: a table of cases is read by its row.
const (
	maxFileLines     = 400
	maxFunctionLines = 60
)

func shapeRules() []rule {
	return []rule{
		{"sizes", "a file is a page or three, and a function fits a screen", checkSizes},
		{"package comments", "a package says what it is for, and what it leaves out", checkPackageComments},
		{"exported names", "a name that others use says what it gives, in which units, and when it fails", checkExported},
		{"markers of unfinished work", "what is left to do is an issue, not a comment", checkMarkers},
	}
}

func checkSizes(h *house) []string {
	var broken []string
	for _, f := range h.production() {
		if n := bytes.Count(f.text, []byte("\n")); n > maxFileLines {
			broken = append(broken, fmt.Sprintf("%s: %d lines; want at most %d", f.name, n, maxFileLines))
		}
		for _, d := range f.ast.Decls {
			d, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := h.fset.Position(d.End()).Line - h.fset.Position(d.Pos()).Line + 1
			if n > maxFunctionLines {
				broken = append(broken, fmt.Sprintf("%s: %s has %d lines; want at most %d", h.at(d.Pos()), d.Name.Name, n, maxFunctionLines))
			}
		}
	}
	return broken
}

func checkPackageComments(h *house) []string {
	has := map[string]bool{}
	for _, f := range h.production() {
		has[f.dir] = has[f.dir] || f.ast.Doc != nil
	}
	var broken []string
	for _, dir := range slices.Sorted(maps.Keys(has)) {
		if !has[dir] {
			broken = append(broken, dir+": no file has a package comment")
		}
	}
	return broken
}

func checkExported(h *house) []string {
	var broken []string
	for _, f := range h.production() {
		if f.main() {
			continue
		}
		for _, d := range f.ast.Decls {
			for _, id := range undocumented(d) {
				broken = append(broken, fmt.Sprintf("%s: %s has no comment", h.at(id.Pos()), id.Name))
			}
		}
	}
	return broken
}

// undocumented gives the exported names of a declaration that have no comment.
func undocumented(d ast.Decl) []*ast.Ident {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || exportedMethod(d)) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		if d.Tok == token.IMPORT || d.Doc != nil && d.Tok != token.TYPE {
			return nil // the comment of a group serves all of it
		}
		var names []*ast.Ident
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil {
					names = append(names, s.Name)
				}
			case *ast.ValueSpec:
				if s.Doc == nil && s.Comment == nil {
					names = append(names, s.Names...)
				}
			}
		}
		return slices.DeleteFunc(names, func(id *ast.Ident) bool { return !id.IsExported() })
	}
	return nil
}

// exportedMethod says whether a method has a contract of its own: those of well-known interfaces have theirs.
func exportedMethod(d *ast.FuncDecl) bool {
	const known = "Error Unwrap Is As String GoString Format Read ReadAt ReadFrom Write WriteAt WriteTo WriteString Close Seek " +
		"Len Less Swap MarshalJSON UnmarshalJSON MarshalText UnmarshalText"
	if matches(known, d.Name.Name) {
		return false
	}
	receiver := d.Recv.List[0].Type
	for {
		switch t := receiver.(type) {
		case *ast.StarExpr:
			receiver = t.X
		case *ast.IndexExpr:
			receiver = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return true
		}
	}
}

func checkMarkers(h *house) []string {
	var broken []string
	for _, f := range h.goFiles {
		for _, group := range f.ast.Comments {
			for _, c := range group.List {
				for _, marker := range []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"} {
					if strings.Contains(c.Text, marker) {
						broken = append(broken, fmt.Sprintf("%s: %s", h.at(c.Pos()), marker))
					}
				}
			}
		}
	}
	return broken
}
