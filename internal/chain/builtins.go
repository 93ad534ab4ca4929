// SPDX-License-Identifier: MIT

package chain

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/source"
)

// evaluator collects what definition files define and declare.
type evaluator struct {
	files       fs.FS
	predeclared starlark.StringDict
	modules     map[string]*module

	stages    []Stage
	distfiles []source.Distfile
}

// defaultStep is the limit of a step that says nothing else.
const defaultStep = time.Minute

// defaultLimits are the limits of a stage that says nothing else.
func defaultLimits() machine.Limits {
	return machine.Limits{Time: time.Minute, Memory: 1 << 30, Output: 256 << 20, Files: 1000}
}

// stage is stage(name, inputs, steps, exports, same=[], limits=limits(), calls="", says="", product=False), by keyword
// only.
func (e *evaluator) stage(t *starlark.Thread, b *starlark.Builtin, args starlark.Tuple,
	kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 0 {
		return nil, fmt.Errorf("stage: takes keyword arguments only")
	}
	s := Stage{Pos: t.CallFrame(1).Pos.String(), Limits: defaultLimits()}
	var inputs *starlark.Dict
	var steps, exports, same starlark.Iterable = nil, nil, starlark.Tuple{}
	var bounds starlark.Value = starlark.None
	var calls string
	err := starlark.UnpackArgs("stage", nil, kwargs, "name", &s.Name, "inputs", &inputs, "steps", &steps,
		"exports", &exports, "same?", &same, "limits?", &bounds, "calls?", &calls, "says?", &s.Says, "product?", &s.Product)
	if err != nil {
		return nil, err
	}
	s.Calls = machine.Calls(calls)
	for _, fill := range []func() error{
		func() (err error) { s.Inputs, err = inputsOf(inputs); return },
		func() (err error) { s.Steps, err = stepsOf(steps); return },
		func() (err error) { s.Exports, err = stringsOf("exports", exports); return },
		func() (err error) { s.Same, err = pairsOf(same); return },
		func() error { return setLimits(&s.Limits, bounds) },
	} {
		if err := fill(); err != nil {
			return nil, fmt.Errorf("stage %q: %w", s.Name, err)
		}
	}
	slices.Sort(s.Exports)
	e.stages = append(e.stages, s)
	return starlark.None, nil
}

func inputsOf(dict *starlark.Dict) ([]Input, error) {
	var inputs []Input
	for _, item := range dict.Items() {
		name, ok := starlark.AsString(item[0])
		if !ok {
			return nil, fmt.Errorf("inputs: want names as keys, not %s", item[0].Type())
		}
		ref, err := refOf(item[1])
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", name, err)
		}
		inputs = append(inputs, Input{Name: name, From: ref})
	}
	slices.SortFunc(inputs, func(a, b Input) int { return strings.Compare(a.Name, b.Name) })
	return inputs, nil
}

func refOf(v starlark.Value) (Ref, error) {
	if p, ok := v.(value[Ref]); ok {
		return p.v, nil
	}
	s, ok := starlark.AsString(v)
	if !ok {
		return Ref{}, fmt.Errorf("want \"seed:PATH\", \"STAGE/NAME\", \"distfile:NAME/PATH\" or program(...), not %s",
			v.Type())
	}
	ref, ok := parseRef(s)
	if !ok {
		return Ref{}, fmt.Errorf("want \"seed:PATH\", \"STAGE/NAME\" or \"distfile:NAME/PATH\", not %q", s)
	}
	return ref, nil
}

func stepsOf(list starlark.Iterable) ([]machine.Step, error) {
	var steps []machine.Step
	for v := range starlark.Elements(list) {
		step, ok := v.(value[machine.Step])
		if !ok {
			return nil, fmt.Errorf("steps: want run(...), not %s", v.Type())
		}
		steps = append(steps, step.v)
	}
	return steps, nil
}

func pairsOf(list starlark.Iterable) ([]Pair, error) {
	var pairs []Pair
	for v := range starlark.Elements(list) {
		tuple, ok := v.(starlark.Tuple)
		if !ok {
			return nil, fmt.Errorf("same: want pairs of names, not %s", v.Type())
		}
		names, err := stringsOf("same", tuple)
		if err != nil {
			return nil, err
		}
		if len(names) != 2 {
			return nil, fmt.Errorf("same: want pairs of names, not %d names", len(names))
		}
		pairs = append(pairs, Pair{names[0], names[1]})
	}
	return pairs, nil
}

func setLimits(l *machine.Limits, v starlark.Value) error {
	if v == starlark.None {
		return nil
	}
	set, ok := v.(value[machine.Limits])
	if !ok {
		return fmt.Errorf("limits: want limits(...), not %s", v.Type())
	}
	*l = set.v
	return nil
}

// run is run(*argv, limit="60s", group=0).
func run(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple,
	kwargs []starlark.Tuple) (starlark.Value, error) {
	argv, err := stringsOf("run", args)
	if err != nil {
		return nil, err
	}
	if len(argv) == 0 || argv[0] == "" {
		return nil, fmt.Errorf("run: want a program and its arguments")
	}
	step := machine.Step{Argv: argv, Limit: defaultStep}
	var limit string
	err = starlark.UnpackArgs("run", nil, kwargs, "limit?", &limit, "group?", &step.Group)
	if err == nil && limit != "" {
		step.Limit, err = ParseTime(limit)
	}
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	if step.Group < 0 {
		return nil, fmt.Errorf("run: group %d is below 0", step.Group)
	}
	for _, arg := range argv {
		if strings.ContainsRune(arg, 0) {
			return nil, fmt.Errorf("run: %q holds a zero byte", arg)
		}
	}
	return value[machine.Step]{"step", step}, nil
}

// limits is limits(time="60s", memory="1GiB", output="256MiB", files=1000).
func limits(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple,
	kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 0 {
		return nil, fmt.Errorf("limits: takes keyword arguments only")
	}
	l := defaultLimits()
	var span, memory, output string
	err := starlark.UnpackArgs("limits", nil, kwargs, "time?", &span, "memory?", &memory, "output?", &output,
		"files?", &l.Files)
	if err == nil && span != "" {
		l.Time, err = ParseTime(span)
	}
	if err == nil && memory != "" {
		l.Memory, err = ParseSize(memory)
	}
	if err == nil && output != "" {
		l.Output, err = ParseSize(output)
	}
	if err == nil && l.Files <= 0 {
		err = fmt.Errorf("files: want more than 0")
	}
	if err != nil {
		return nil, fmt.Errorf("limits: %w", err)
	}
	return value[machine.Limits]{"limits", l}, nil
}

// program is program("seed:PATH"): a file of the seed that runs as it is. It is a form of its own, rather than a rule
// about argv[0], so that every binary a chain trusts can be found by reading for one word.
func program(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple,
	kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	if err := starlark.UnpackPositionalArgs("program", args, kwargs, 1, &text); err != nil {
		return nil, err
	}
	ref, ok := parseRef(text)
	if !ok || ref.Stage != "" || ref.Distfile != "" {
		return nil, fmt.Errorf("program: want \"seed:PATH\", not %q", text)
	}
	ref.Program = true
	return value[Ref]{"program", ref}, nil
}
