// SPDX-License-Identifier: MIT

package machine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/reapi"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/tree"
)

func newTree(t *testing.T, nodes ...tree.Node) tree.Tree {
	t.Helper()
	made, err := tree.New(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func file(name string, mode uint32) tree.Node {
	return tree.Node{Path: name, Kind: tree.File, Mode: mode, Content: digest.Of([]byte(name))}
}

func dir(name string, mode uint32) tree.Node {
	return tree.Node{Path: name, Kind: tree.Dir, Mode: mode}
}

func link(name, target string) tree.Node {
	return tree.Node{Path: name, Kind: tree.Symlink, Mode: machine.ModeSymlink, Target: target}
}

// sample is a job in which every field is set.
func sample(t *testing.T) machine.Job {
	return machine.Job{
		Name:   "amd64/boot0",
		Arch:   "amd64",
		Inputs: newTree(t, file("hex0-seed", 0o555), file("hex0.hex0", 0o444), dir("d", 0o555), link("d/l", "../hex0.hex0")),
		Steps: []machine.Step{
			{Argv: []string{"hex0-seed", "hex0.hex0", "hex0"}, Limit: time.Second},
			{Argv: []string{"hex0", "<&>\"\n", "é"}, Limit: 1500 * time.Millisecond, Group: 1},
		},
		Env:     []string{"A=", "B=x=y"},
		Exports: []string{"d/out", "hex0"},
		Limits:  machine.Limits{Time: 90 * time.Second, Memory: 1 << 30, Output: 1 << 20, Files: 100},
		Calls:   machine.CallsSeed,
	}
}

func TestValidateAcceptsASample(t *testing.T) {
	if err := sample(t).Validate(); err != nil {
		t.Errorf("Validate() = %v; want nil", err)
	}
}

func TestValidateRefuses(t *testing.T) {
	inputs := func(nodes ...tree.Node) func(*machine.Job) {
		return func(j *machine.Job) { j.Inputs = newTree(t, nodes...) }
	}
	argv := func(argv ...string) func(*machine.Job) { return func(j *machine.Job) { j.Steps[0].Argv = argv } }
	exports := func(names ...string) func(*machine.Job) { return func(j *machine.Job) { j.Exports = names } }
	tests := []struct {
		name   string
		change func(*machine.Job)
		want   string // part of the message
	}{
		{"unknown architecture", func(j *machine.Job) { j.Arch = "vax" }, "vax"},
		{"unknown calls", func(j *machine.Job) { j.Calls = "some" }, "some"},
		{"no time", func(j *machine.Job) { j.Limits.Time = 0 }, "limit"},
		{"no files", func(j *machine.Job) { j.Limits.Files = -1 }, "limit"},
		{"an input among devices", func(j *machine.Job) { j.Devices, j.Inputs = true, newTree(t, dir("dev", 0o555)) }, "devices"},
		{"an export among devices", func(j *machine.Job) { j.Devices, j.Exports = true, []string{"dev/null"} }, "devices"},
		{"no step", func(j *machine.Job) { j.Steps = nil }, "no step"},
		{"a step without a limit", func(j *machine.Job) { j.Steps[1].Limit = 0 }, "step 1"},
		{"a negative group", func(j *machine.Job) { j.Steps[1].Group = -1 }, "step 1"},
		{"an empty argv", argv(), "step 0"},
		{"an absolute program", argv("/bin/sh"), "/bin/sh"},
		{"a program outside", argv("../sh"), "../sh"},
		{"an argument with NUL", argv("a", "b\x00"), "NUL"},
		{"an argument that is not UTF-8", argv("a", "\xff"), "UTF-8"},
		{"an ordinary mode", inputs(file("a", 0o644)), "mode 0644"},
		{"a directory that can be written to", inputs(dir("a", 0o755)), "0755"},
		{"an owner", inputs(tree.Node{Path: "a", Kind: tree.Dir, Mode: 0o555, UID: 1}), "owner 1"},
		{"a time", inputs(tree.Node{Path: "a", Kind: tree.Dir, Mode: 0o555, ModTime: 5}), "time 5"},
		{"a fifo", inputs(tree.Node{Path: "a", Kind: tree.Fifo, Mode: 0o444}), "fifo"},
		{"a link outside", inputs(link("a", "../b")), "out of the tree"},
		{"an absolute link", inputs(link("a", "/b")), "out of the tree"},
		{"a variable without a name", func(j *machine.Job) { j.Env = []string{"=x"} }, "NAME=value"},
		{"variables out of order", func(j *machine.Job) { j.Env = []string{"B=", "A="} }, "order"},
		{"a variable set twice", func(j *machine.Job) { j.Env = []string{"A=1", "A=2"} }, "twice"},
		{"exports out of order", exports("b", "a"), "sorted"},
		{"an export twice", exports("a", "a"), "once"},
		{"an export in another", exports("a", "a-b", "a/b"), "part of"},
		{"an export outside", exports("../a"), "clean path"},
		{"an export below a file", exports("hex0.hex0/a"), "below"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := sample(t)
			tt.change(&j)
			err := j.Validate()
			if err == nil || fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Validate() = %v; want a fault of kind usage with %q", err, tt.want)
			}
		})
	}
}

func TestNormal(t *testing.T) {
	mixed := newTree(t, file("d/exe", 0o710), tree.Node{Path: "d", Kind: tree.Dir, Mode: 0o1777, UID: 5, GID: 6, ModTime: 7},
		file("f", 0o640))
	got, err := machine.Normal(mixed)
	if err != nil {
		t.Fatal(err)
	}
	var list []tree.Node
	for n := range got.Nodes() {
		list = append(list, n)
	}
	want := []tree.Node{dir("d", 0o555), file("d/exe", 0o555), file("f", 0o444)}
	if diff := cmp.Diff(want, list, cmp.Comparer(func(a, b digest.Digest) bool { return a == b })); diff != "" {
		t.Errorf("Normal (-want +got):\n%s", diff)
	}
	if _, err := machine.Normal(newTree(t, link("a/b", "../../c"))); err == nil {
		t.Error("Normal(a link out of the tree) = nil; want an error")
	}
}

func TestParents(t *testing.T) {
	got := machine.Parents([]string{"a/b/c", "a/b/d", "e", "f/g"})
	if diff := cmp.Diff([]string{"a", "a/b", "f"}, got); diff != "" {
		t.Errorf("Parents (-want +got):\n%s", diff)
	}
}

// messages gives the messages of an action by digest.
func messages(a machine.Action) func(digest.Digest) ([]byte, error) {
	all := append([][]byte{a.Message, a.Command}, a.Directories...)
	return func(d digest.Digest) ([]byte, error) {
		for _, m := range all {
			if digest.Of(m) == d {
				return m, nil
			}
		}
		return nil, fmt.Errorf("no message %s", d.Short())
	}
}

func TestActionSaysWhatTheJobSays(t *testing.T) {
	a, err := sample(t).Action()
	if err != nil {
		t.Fatal(err)
	}
	command, err := reapi.DecodeCommand(a.Command)
	if err != nil {
		t.Fatal(err)
	}
	want := reapi.Command{
		Arguments: []string{
			"rung-walk",
			`{"argv":["hex0-seed","hex0.hex0","hex0"],"limit_ns":1000000000}`,
			`{"argv":["hex0","<&>\"\n","é"],"limit_ns":1500000000,"group":1}`,
		},
		Environment: []reapi.Pair{{Name: "A"}, {Name: "B", Value: "x=y"}},
		OutputPaths: []string{"d/out", "hex0"},
		Platform: []reapi.Pair{
			{Name: "ISA", Value: "x86-64"}, {Name: "OSFamily", Value: "linux"}, {Name: "rung-calls", Value: "seed"},
			{Name: "rung-files", Value: "100"}, {Name: "rung-memory", Value: "1073741824"}, {Name: "rung-output", Value: "1048576"},
		},
	}
	if diff := cmp.Diff(want, command); diff != "" {
		t.Errorf("Command (-want +got):\n%s", diff)
	}
	action, err := reapi.DecodeAction(a.Message)
	if err != nil {
		t.Fatal(err)
	}
	if action.Timeout != 90*time.Second || action.Command != digest.Of(a.Command) ||
		action.InputRoot != digest.Of(a.Directories[len(a.Directories)-1]) {
		t.Errorf("Action = %+v; want a timeout of 90 s and the digests of the command and of the last directory", action)
	}
}

func TestFromActionGivesTheJobBack(t *testing.T) {
	plain := sample(t)
	plain.Calls, plain.Env, plain.Exports, plain.Inputs = machine.CallsAny, nil, nil, tree.Tree{}
	devices := sample(t)
	devices.Devices = true
	for name, want := range map[string]machine.Job{"every field": sample(t), "few fields": plain, "devices": devices} {
		t.Run(name, func(t *testing.T) {
			a, err := want.Action()
			if err != nil {
				t.Fatal(err)
			}
			got, err := machine.FromAction(a.Digest, messages(a))
			if err != nil {
				t.Fatalf("FromAction: %v", err)
			}
			want.Name = ""
			same := cmp.Comparer(func(a, b tree.Tree) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
			if diff := cmp.Diff(want, got, same); diff != "" {
				t.Errorf("FromAction (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDigestTellsJobsApart(t *testing.T) {
	changes := map[string]func(*machine.Job){
		"arch":    func(j *machine.Job) { j.Arch = "arm64" },
		"inputs":  func(j *machine.Job) { j.Inputs = newTree(t, file("hex0-seed", 0o444)) },
		"argv":    func(j *machine.Job) { j.Steps[0].Argv = []string{"hex0-seed", "hex0.hex0 hex0"} },
		"limit":   func(j *machine.Job) { j.Steps[0].Limit++ },
		"group":   func(j *machine.Job) { j.Steps[0].Group = 1 },
		"order":   func(j *machine.Job) { j.Steps[0], j.Steps[1] = j.Steps[1], j.Steps[0] },
		"env":     func(j *machine.Job) { j.Env = []string{"A=", "B=x"} },
		"exports": func(j *machine.Job) { j.Exports = []string{"hex0"} },
		"time":    func(j *machine.Job) { j.Limits.Time++ },
		"memory":  func(j *machine.Job) { j.Limits.Memory++ },
		"output":  func(j *machine.Job) { j.Limits.Output++ },
		"files":   func(j *machine.Job) { j.Limits.Files++ },
		"calls":   func(j *machine.Job) { j.Calls = machine.CallsAny },
		"devices": func(j *machine.Job) { j.Devices = true },
	}
	seen := make(map[digest.Digest]string)
	changes["nothing"] = func(*machine.Job) {}
	for name, change := range changes {
		j := sample(t)
		j.Name = name // which must not count
		change(&j)
		d, err := j.Digest()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other, twice := seen[d]; twice {
			t.Errorf("a change of %s and one of %s give one digest", name, other)
		}
		seen[d] = name
	}
	again, err := sample(t).Digest()
	if err != nil || seen[again] != "nothing" {
		t.Errorf("Digest of the same job under another name = %s, %v; want that of no change", again.Short(), err)
	}
}

func TestFromActionRefusesOtherActions(t *testing.T) {
	a, err := sample(t).Action()
	if err != nil {
		t.Fatal(err)
	}
	command, err := reapi.DecodeCommand(a.Command)
	if err != nil {
		t.Fatal(err)
	}
	action, err := reapi.DecodeAction(a.Message)
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string]func(*reapi.Command, *reapi.Action){
		"another program":     func(c *reapi.Command, _ *reapi.Action) { c.Arguments = []string{"sh", "-c", "x"} },
		"a step with blanks":  func(c *reapi.Command, _ *reapi.Action) { c.Arguments[1] = `{"argv": ["a"],"limit_ns":1}` },
		"an unknown field":    func(c *reapi.Command, _ *reapi.Action) { c.Arguments[1] = `{"argv":["a"],"limit_ns":1,"x":1}` },
		"a working directory": func(c *reapi.Command, _ *reapi.Action) { c.WorkingDirectory = "d" },
		"an unknown property": func(_ *reapi.Command, a *reapi.Action) {
			a.Platform = append(a.Platform, reapi.Pair{Name: "x", Value: "y"})
		},
		"no timeout":     func(_ *reapi.Command, a *reapi.Action) { a.Timeout = 0 },
		"another system": func(_ *reapi.Command, a *reapi.Action) { a.Platform[1].Value = "macos" },
		"no directory":   func(_ *reapi.Command, a *reapi.Action) { a.InputRoot = digest.Of([]byte("absent")) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			c, act := command, action
			c.Arguments = append([]string{}, command.Arguments...)
			act.Platform = append([]reapi.Pair{}, action.Platform...)
			change(&c, &act)
			changed := a
			if changed.Command, err = c.Encode(); err != nil {
				t.Fatal(err)
			}
			act.Command = digest.Of(changed.Command)
			if changed.Message, err = act.Encode(); err != nil {
				t.Fatal(err)
			}
			if j, err := machine.FromAction(digest.Of(changed.Message), messages(changed)); err == nil {
				t.Errorf("FromAction = %+v; want an error", j)
			}
		})
	}
}
