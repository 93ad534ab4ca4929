// SPDX-License-Identifier: MIT

package chain

import (
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/fault"
)

// loading is a site whose chain.star is the text, beside two definition files and a list.
func loading(t *testing.T, text string) *site {
	t.Helper()
	s := newSite(t, text)
	s.write("lib/low.star", `
names = [name + "!" for name in lines("seed:lib/names")]
def copy(name):
    stage(name=name, inputs={"cat": program("seed:" + arch + "/cat"), "x": "seed:lib/names"},
        steps=[run("cat", "x", "o")], exports=["o"])
copy("low")
`)
	s.write("top.star", `
load("lib/low.star", "copy", "names")
def top():
    copy("top")
    return names
`)
	s.write("lib/names", "# names\n\nfirst\n  second name \r\n#last\nthird # not a comment")
	return s
}

func TestLoadTakesOtherFiles(t *testing.T) {
	s := loading(t, `
load("top.star", "top")
load("lib/low.star", said = "names")
if top() != said or said != ["first!", "second name!", "third # not a comment!"]:
    fail("names are", said)
`)
	plan, err := Load("test", s.files, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	var names, at []string
	for _, stage := range plan.Stages {
		names, at = append(names, stage.Name), append(at, stage.Pos)
	}
	if strings.Join(names, " ") != "low top" || !strings.HasPrefix(at[0], "lib/low.star:4:") {
		t.Errorf("Load() = stages %q at %q; want low, once, and top, where they are defined", names, at)
	}
}

func TestLoadRefusesOtherFiles(t *testing.T) {
	for name, row := range map[string]struct{ text, says string }{
		"absent":                  {`load("none.star", "x")`, `chain.star:1:1: cannot load none.star: seed file "none.star"`},
		"no definitions":          {`load("lib/names", "x")`, "ends with .star"},
		"outside":                 {`load("../x.star", "x")`, "want a path in the seed"},
		"no such name":            {`load("top.star", "x")`, "name x not found"},
		"itself":                  {`load("chain.star", "x")`, "in a circle"},
		"a mistake there":         {`load("bad.star", "x")`, "chain.star:1:1: cannot load bad.star: bad.star:2:5: fail: no"},
		"a circle":                {`load("a.star", "x")`, "a.star:1:1: cannot load b.star: b.star:1:1: cannot load a.star: "},
		"lines of nothing":        {`lines("seed:none")`, `chain.star:1:6: lines: seed file "none"`},
		"lines of a stage":        {`lines("low/o")`, `want "seed:PATH", not "low/o"`},
		"lines of bytes":          {`lines("seed:bytes")`, "not UTF-8"},
		"a program of a distfile": {`program("distfile:x")`, `want "seed:PATH", not "distfile:x"`},
	} {
		s := loading(t, row.text)
		s.write("bad.star", "x = 1\nfail(\"no\")")
		s.write("a.star", `load("b.star", "x")`)
		s.write("b.star", `load("a.star", "x")`)
		s.write("bytes", "\xff")
		_, err := Load("test", s.files, "amd64")
		if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: Load() = %v; want a fault of kind Usage that says %s", name, err, row.says)
		}
	}
}

// TestLoadBoundsAllFilesTogether wants a definition to end, however many files it is spread over.
func TestLoadBoundsAllFilesTogether(t *testing.T) {
	s := newSite(t, `load("low.star", "x")
y = [0 for a in range(2000) for b in range(2000)]`)
	s.write("low.star", "x = [0 for a in range(2000) for b in range(2000)]\n")
	_, err := Load("test", s.files, "amd64")
	if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), "too many steps") {
		t.Errorf("Load() = %v; want it stopped after %d steps", err, maxSteps)
	}
}
