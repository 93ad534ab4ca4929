// SPDX-License-Identifier: MIT

package chain

import (
	"errors"
	"fmt"
	"io/fs"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/rung-build/rung/internal/fault"
)

// maxSteps ends a definition that does not end by itself; a chain of a hundred stages takes some ten thousand.
const maxSteps = 10_000_000

// evaluate runs a definition file of a seed, and those that it loads, for an architecture, and gives what they define,
// in the order of evaluation.
func evaluate(files fs.FS, name string, text []byte, arch string) (*evaluator, error) {
	e := &evaluator{files: files, modules: map[string]*module{}}
	e.predeclared = predeclared(arch, e)
	thread := &starlark.Thread{Name: name, Load: e.load}
	thread.Print = func(t *starlark.Thread, _ string) { t.Cancel("print is not part of the language; use fail") }
	thread.SetMaxExecutionSteps(maxSteps)
	if _, err := e.exec(thread, name, text); err != nil {
		return nil, err
	}
	return e, nil
}

// exec runs one definition file.
func (e *evaluator) exec(thread *starlark.Thread, name string, text []byte) (starlark.StringDict, error) {
	options := &syntax.FileOptions{TopLevelControl: true}
	globals, err := starlark.ExecFileOptions(options, thread, name, text, e.predeclared)
	if err != nil {
		return nil, located(name, err)
	}
	return globals, nil
}

// predeclared is what the language has beside Starlark's own; docs/chain-language.md specifies each.
func predeclared(arch string, e *evaluator) starlark.StringDict {
	return starlark.StringDict{
		"arch":     starlark.String(arch),
		"stage":    starlark.NewBuiltin("stage", e.stage),
		"distfile": starlark.NewBuiltin("distfile", e.distfile),
		"run":      starlark.NewBuiltin("run", run),
		"limits":   starlark.NewBuiltin("limits", limits),
		"program":  starlark.NewBuiltin("program", program),
		"lines":    starlark.NewBuiltin("lines", e.lines),
	}
}

// located turns any error of Starlark into a fault of the form FILE:LINE:COLUMN: text.
func located(name string, err error) error {
	var syntaxErr syntax.Error
	var resolveErr resolve.ErrorList
	var evalErr *starlark.EvalError
	switch {
	case errors.As(err, &syntaxErr):
		return fault.New(fault.Usage, "%v: %s", syntaxErr.Pos, syntaxErr.Msg)
	case errors.As(err, &resolveErr) && len(resolveErr) > 0:
		return fault.New(fault.Usage, "%v: %s", resolveErr[0].Pos, resolveErr[0].Msg)
	case errors.As(err, &evalErr):
		return fault.New(fault.Usage, "%s: %s", innermost(name, evalErr.CallStack), evalErr.Msg)
	}
	return fault.New(fault.Usage, "%s: %w", name, err)
}

// innermost is the position of the innermost call that stands in the file; a builtin has none.
func innermost(name string, stack starlark.CallStack) string {
	for i := range stack {
		if pos := stack.At(i).Pos; pos.Line > 0 {
			return pos.String()
		}
	}
	return name
}

// value is a Go value in Starlark's hands: opaque, and equal to nothing.
type value[T any] struct {
	kind string
	v    T
}

func (v value[T]) String() string        { return fmt.Sprintf("<%s>", v.kind) }
func (v value[T]) Type() string          { return v.kind }
func (v value[T]) Freeze()               {}
func (v value[T]) Truth() starlark.Bool  { return true }
func (v value[T]) Hash() (uint32, error) { return 0, fmt.Errorf("%s cannot be a key", v.kind) }

// stringsOf reads a list or tuple of strings.
func stringsOf(what string, list starlark.Iterable) ([]string, error) {
	var all []string
	for v := range starlark.Elements(list) {
		s, ok := starlark.AsString(v)
		if !ok {
			return nil, fmt.Errorf("%s: want strings, not %s", what, v.Type())
		}
		all = append(all, s)
	}
	return all, nil
}
