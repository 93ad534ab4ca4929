// SPDX-License-Identifier: MIT

package chain

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
)

// files is a seed with the definitions, a program, a text, and answers where they are not "".
func files(definitions, answers string) fstest.MapFS {
	fsys := fstest.MapFS{
		"chain.star": {Data: []byte(definitions)},
		"amd64/prog": {Data: []byte("\x7fELF")},
		"text":       {Data: []byte("some text\n")},
	}
	if answers != "" {
		fsys["amd64/answers"] = &fstest.MapFile{Data: []byte(answers)}
	}
	return fsys
}

const twoStages = `
def low(name):
    stage(
        name=name,
        inputs={"prog": program("seed:" + arch + "/prog"), "in": "seed:text"},
        steps=[run("prog", "in", "tool", limit="250ms"), run("tool", group=2), run("tool", "x", group=2)],
        exports=["tool", "b"],
        same=[("tool", "prog")],
        limits=limits(time="2m", memory="64MiB", output="1KiB", files=7),
        calls="seed",
    )

stage(name="top", inputs={"t": "low/tool"}, steps=[run("t", "out")], exports=["out"])
low("low")
`

func TestLoadPlansInOrder(t *testing.T) {
	plan, err := Load("test", files(twoStages, ""), "amd64")
	if err != nil {
		t.Fatalf("Load() = %v; want a plan", err)
	}
	want := []Stage{{
		Name: "low", Pos: "chain.star:3:10",
		Inputs: []Input{
			{"in", Ref{Path: "text"}}, {"prog", Ref{Path: "amd64/prog", Program: true}},
		},
		Steps: []machine.Step{
			{Argv: []string{"prog", "in", "tool"}, Limit: 250 * time.Millisecond},
			{Argv: []string{"tool"}, Limit: time.Minute, Group: 2},
			{Argv: []string{"tool", "x"}, Limit: time.Minute, Group: 2},
		},
		Exports: []string{"b", "tool"},
		Same:    []Pair{{"tool", "prog"}},
		Limits:  machine.Limits{Time: 2 * time.Minute, Memory: 64 << 20, Output: 1 << 10, Files: 7},
		Calls:   machine.CallsSeed,
	}, {
		Name: "top", Pos: "chain.star:13:6",
		Inputs:  []Input{{"t", Ref{Stage: "low", Path: "tool"}}},
		Steps:   []machine.Step{{Argv: []string{"t", "out"}, Limit: time.Minute}},
		Exports: []string{"out"},
		Limits:  machine.Limits{Time: time.Minute, Memory: 1 << 30, Output: 256 << 20, Files: 1000},
	}}
	if diff := cmp.Diff(want, plan.Stages); diff != "" {
		t.Errorf("Load().Stages differ (-want +got):\n%s", diff)
	}
	if p := plan.Programs(); len(p) != 1 || p[0].Path != "amd64/prog" {
		t.Errorf("Programs() = %v; want amd64/prog alone", p)
	}
}

// one is a definition of a single stage, with some arguments in place of the usual ones.
func one(replace ...string) string {
	args := map[string]string{
		"name": `"s"`, "inputs": `{"prog": program("seed:amd64/prog")}`, "steps": `[run("prog", "out")]`,
		"exports": `["out"]`,
	}
	for i := 0; i < len(replace); i += 2 {
		args[replace[i]] = replace[i+1]
	}
	var words []string
	for _, name := range sortedKeys(args) {
		words = append(words, name+"="+args[name])
	}
	return "stage(" + strings.Join(words, ", ") + ")\n"
}

func TestLoadRefuses(t *testing.T) {
	const at = "chain.star:1:6: stage \"s\": "
	for name, test := range map[string]struct{ text, want string }{
		"a syntax error":           {"stage(\n  name=,\n)", "chain.star:2:8: got ',', want primary expression"},
		"an unknown word":          {"\n  \nstagE()", "chain.star:3:1: undefined: stagE"},
		"a failure of its own":     {"x = 1 // 0", "chain.star:1:7: floored division by zero"},
		"print":                    {`print("x")` + "\nx = 1", "use fail"},
		"an endless loop":          {"def f():\n  for i in range(1000000000): pass\nf()", "too many steps"},
		"a positional argument":    {`stage("s")`, "chain.star:1:6: stage: takes keyword arguments only"},
		"a missing argument":       {`stage(name="s")`, "chain.star:1:6: stage: missing argument for inputs"},
		"a name with a capital":    {one("name", `"S"`), `chain.star:1:6: stage "S": a name is lower-case`},
		"a name again":             {one() + one(), `chain.star:2:6: stage "s": there is one already, at chain.star:1:6`},
		"an input that is no text": {one("inputs", `{"a": 1}`), `input "a": want "seed:PATH"`},
		"a reference of no form":   {one("inputs", `{"a": "nothing"}`), `not "nothing"`},
		"an unknown seed file": {
			one("inputs", `{"prog": "seed:no"}`),
			at + `input "prog": seed file "no": file does not exist`,
		},
		"a seed folder": {
			one("inputs", `{"prog": "seed:amd64"}`),
			at + `input "prog": seed file "amd64": want a regular file`,
		},
		"a path out of the seed": {one("inputs", `{"prog": "seed:../x"}`), `not "seed:../x"`},
		"an unknown stage":       {one("inputs", `{"prog": "t/x"}`), at + `input "prog": there is no stage "t"`},
		"an unknown export": {
			one() + one("name", `"t"`, "inputs", `{"prog": "s/x"}`),
			`stage "s" exports no "x"; it exports out`,
		},
		"a path that is not clean": {one("exports", `["out/"]`), at + `export "out/": not a clean relative path`},
		"an export twice":          {one("exports", `["out", "out"]`), at + `export "out": named twice`},
		"an export in another":     {one("exports", `["out", "out/x"]`), at + `export "out/x" lies below export "out"`},
		"no export":                {one("exports", `[]`), at + `exports nothing`},
		"no step":                  {one("steps", `[]`), at + `has no steps`},
		"a program from nowhere": {
			one("steps", `[run("prog", "a"), run("b")]`),
			at + `step 2: "b" is neither an input nor named`,
		},
		"a program outside": {
			one("steps", `[run("/bin/sh")]`),
			at + `step 1: "/bin/sh" is not a clean relative path`,
		},
		"a step without words":       {one("steps", `[run()]`), "chain.star:1:89: run: want a program"},
		"a word that is no text":     {one("steps", `[run("prog", 1)]`), "run: want strings, not int"},
		"a step limit of nothing":    {one("steps", `[run("prog", limit="0s")]`), `run: duration "0s": want more than 0`},
		"a group below 0":            {one("steps", `[run("prog", group=-1)]`), "run: group -1 is below 0"},
		"a step that is none":        {one("steps", `["prog"]`), "steps: want run(...), not string"},
		"a pair of three":            {one("same", `[("a", "b", "c")]`), "same: want pairs of names, not 3 names"},
		"a pair of unknown names":    {one("same", `[("out", "b")]`), at + `same: "b" is neither an input nor an export`},
		"limits that are none":       {one("limits", `3`), "limits: want limits(...), not int"},
		"an unknown unit":            {one("limits", `limits(memory="1GB")`), `limits: size "1GB"`},
		"an unknown set of calls":    {one("calls", `"all"`), at + `calls: want "seed" or nothing, not "all"`},
		"a program of another stage": {one("inputs", `{"prog": program("t/x")}`), `program: want "seed:PATH", not "t/x"`},
		"a file as program and text": {
			one("inputs", `{"prog": program("seed:text"), "b": "seed:text"}`),
			`"text" is a program for one`,
		},
		"an input above another": {
			one("inputs", `{"prog": "seed:text", "prog/x": "seed:text"}`),
			`input "prog/x" lies below input "prog"`,
		},
		"a cycle": {
			one("inputs", `{"prog": "c/out"}`) + one("name", `"b"`, "inputs", `{"prog": "s/out"}`) +
				one("name", `"c"`, "inputs", `{"prog": "b/out"}`),
			at + "takes inputs that are made from its own exports: s <- c <- b <- s",
		},
		"a stage above itself": {one("inputs", `{"prog": "s/out"}`), "own exports: s <- s"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load("test", files(test.text, ""), "amd64")
			if err == nil || !strings.Contains(err.Error(), test.want) || fault.KindOf(err) != fault.Usage {
				t.Errorf("Load(%s) = %v (%v); want %q (usage)", test.text, err, fault.KindOf(err), test.want)
			}
		})
	}
}

func TestLoadNamesEveryDefect(t *testing.T) {
	_, err := Load("test", files(one("exports", `[]`, "calls", `"all"`), "x\n"), "amd64")
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("Load() = %v; want three lines", err)
	}
}

func TestLoadRefusesUnknownArchitecture(t *testing.T) {
	_, err := Load("test", files(one(), ""), "mips")
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(fault.HintOf(err), "amd64") {
		t.Errorf("Load() for mips = %v, hint %q; want not found, and amd64 in the hint", err, fault.HintOf(err))
	}
}

func TestLoadWantsAMakerForEachAnswer(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	if _, err := Load("test", files(one(), sum+"  s/out\n"), "amd64"); err != nil {
		t.Errorf("Load() = %v; want a plan", err)
	}
	_, err := Load("test", files(one(), sum+"  s/other\n"), "amd64")
	if err == nil || !strings.Contains(err.Error(), `amd64/answers: no stage exports "s/other"`) {
		t.Errorf("Load() = %v; want no stage exports s/other", err)
	}
}
