// SPDX-License-Identifier: MIT

package chain

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"github.com/rung-build/rung/internal/fault"
)

// module is a definition file that others load: evaluated once, whoever loads it.
type module struct {
	globals starlark.StringDict
	over    bool // its evaluation has ended
	err     error
}

// load is load("PATH", ...): another definition file of the seed, by its path from the top.
func (e *evaluator) load(thread *starlark.Thread, name string) (starlark.StringDict, error) {
	if !cleanPath(name) || !strings.HasSuffix(name, ".star") {
		return nil, errors.New("want a path in the seed that ends with .star")
	}
	if m, ok := e.modules[name]; ok {
		if !m.over {
			return nil, errors.New("it is being loaded already: definition files load each other in a circle")
		}
		return m.globals, m.err
	}
	m := &module{}
	e.modules[name] = m
	defer func() { m.over = true }()
	var text []byte
	if text, m.err = readText(e.files, name); m.err == nil {
		m.globals, m.err = e.exec(thread, name, text)
	}
	return m.globals, m.err
}

// lines is lines("seed:PATH"): the lines of a text of the seed without the blanks around them; empty lines and those
// that begin with "#" are left out.
func (e *evaluator) lines(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple,
	kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	if err := starlark.UnpackPositionalArgs("lines", args, kwargs, 1, &text); err != nil {
		return nil, err
	}
	ref, ok := parseRef(text)
	if !ok || ref.Stage != "" || ref.Distfile != "" {
		return nil, fmt.Errorf("lines: want \"seed:PATH\", not %q", text)
	}
	content, err := readText(e.files, ref.Path)
	if err != nil {
		return nil, fmt.Errorf("lines: %w", err)
	}
	if !utf8.Valid(content) {
		return nil, fault.New(fault.Usage, "lines: seed file %q is not UTF-8", ref.Path)
	}
	var all []starlark.Value
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all = append(all, starlark.String(line))
		}
	}
	return starlark.NewList(all), nil
}
