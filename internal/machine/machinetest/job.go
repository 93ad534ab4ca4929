// SPDX-License-Identifier: MIT

// Package machinetest is the contract of machines: a suite that each driver passes. Its jobs run one static program,
// probe, that is built once from the folder of that name.
//
// What only a machine with real processes, or only one that isolates its steps can do is asked of those only, and less
// of one in which nothing of rung is where the steps run: see Options.
package machinetest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// ProbeFile is a file that, where it exists in the working directory, is taken for the probe: a test that was started as
// another user cannot build it.
const ProbeFile = "rung-test-probe"

// Probe is the probe's bytes. The build takes a second or two where the Go cache knows nothing of it.
var Probe = sync.OnceValues(func() ([]byte, error) {
	if made, err := os.ReadFile(ProbeFile); err == nil {
		return made, nil
	}
	dir, err := os.MkdirTemp("", "rung-probe-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "probe")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out,
		"github.com/rung-build/rung/internal/machine/machinetest/probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, said)
	}
	return os.ReadFile(out)
})

// generous are limits that no test comes near by accident.
func generous() machine.Limits {
	return machine.Limits{Time: time.Minute, Memory: 1 << 30, Output: 64 << 20, Files: 1000}
}

// Step is a step that runs the probe, within a minute.
func Step(argv ...string) machine.Step {
	return machine.Step{Argv: append([]string{"probe"}, argv...), Limit: time.Minute}
}

// Job is a job that runs the probe with each of the lines of words, on inputs beside it that hold their own names.
func Job(t testing.TB, blobs store.Blobs, inputs []string, lines ...string) machine.Job {
	t.Helper()
	program, err := Probe()
	if err != nil {
		t.Fatalf("building the probe: %v", err)
	}
	nodes := []tree.Node{File(t, blobs, "probe", string(program), machine.ModeExecutable)}
	for _, name := range inputs {
		nodes = append(nodes, File(t, blobs, name, name, machine.ModeFile))
	}
	j := machine.Job{
		Name: t.Name(), Arch: runtime.GOARCH, Inputs: Tree(t, nodes...), Env: []string{"A=1", "B=two words"}, Limits: generous(),
	}
	for _, line := range lines {
		j.Steps = append(j.Steps, Step(strings.Fields(line)...))
	}
	return j
}

// File is a file with content, which goes to blobs.
func File(t testing.TB, blobs store.Blobs, name, content string, mode uint32) tree.Node {
	t.Helper()
	d, err := blobs.Put(context.Background(), strings.NewReader(content))
	if err != nil {
		t.Fatalf("Put(%s): %v", name, err)
	}
	return tree.Node{Path: name, Kind: tree.File, Mode: mode, Content: d}
}

// Tree is a normal tree of nodes.
func Tree(t testing.TB, nodes ...tree.Node) tree.Tree {
	t.Helper()
	made, err := tree.New(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	if made, err = machine.Normal(made); err != nil {
		t.Fatal(err)
	}
	return made
}

// run runs a job that has to be able to run.
func run(t *testing.T, m machine.Machine, j machine.Job, blobs store.Blobs, watch machine.Watch) machine.Result {
	t.Helper()
	r, err := m.Run(t.Context(), j, blobs, watch)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return r
}

// succeed runs a job that has to come to its end well, and gives what it printed.
func succeed(t *testing.T, m machine.Machine, j machine.Job, blobs store.Blobs) (machine.Result, string) {
	t.Helper()
	r := run(t, m, j, blobs, nil)
	log := read(t, blobs, r)
	if r.Failure != nil {
		t.Fatalf("Run: Failure = %+v; want none. Log:\n%s", *r.Failure, log)
	}
	return r, log
}

// read gives the log of a result.
func read(t *testing.T, blobs store.Blobs, r machine.Result) string {
	t.Helper()
	f, err := blobs.Open(t.Context(), r.Log)
	if err != nil {
		t.Fatalf("opening the log: %v", err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatalf("reading the log: %v", err)
	}
	return string(text)
}

// describe gives a tree as text: a line a node, with the content of files.
func describe(t *testing.T, blobs store.Blobs, in tree.Tree) string {
	t.Helper()
	var b strings.Builder
	for n := range in.Nodes() {
		fmt.Fprintf(&b, "%v %#o %d:%d %d %s", n.Kind, n.Mode, n.UID, n.GID, n.ModTime, n.Path)
		switch n.Kind {
		case tree.File:
			f, err := blobs.Open(t.Context(), n.Content)
			if err != nil {
				t.Fatalf("opening %s: %v", n.Path, err)
			}
			content, err := io.ReadAll(f)
			f.Close()
			if err != nil {
				t.Fatalf("reading %s: %v", n.Path, err)
			}
			fmt.Fprintf(&b, " %q", content)
		case tree.Symlink:
			fmt.Fprintf(&b, " -> %s", n.Target)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
