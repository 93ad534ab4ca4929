// SPDX-License-Identifier: MIT

package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/machine/sandbox"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
)

func TestMain(m *testing.M) {
	if status, ok := agent.Child(); ok {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

// newSandbox is a sandbox that works here.
func newSandbox(t *testing.T) *sandbox.Machine {
	t.Helper()
	m := sandbox.New(agent.Options{Now: time.Now})
	if err := m.Check(t.Context()); fault.KindOf(err) == fault.Unavailable {
		need.Unmet(t, "namespaces: %v: %s", err, fault.HintOf(err))
	}
	return m
}

func TestContract(t *testing.T) {
	machinetest.Run(t, machinetest.Options{}, func(t *testing.T) machine.Machine { return newSandbox(t) })
}

func TestContractAsOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Log("TestContract has run as an ordinary user already")
		return
	}
	// Who the user is makes a difference to these.
	cmd := machinetest.AsNobody(t, "TestContract$/^(Check|Outputs|ReadOnlyInputs|KilledByContext|Facts|HostFile|HostNetwork|"+
		"UserNamespace|Attack|LeftBehind|SeedCalls)")
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "--- PASS: TestContract/SeedCalls") {
		t.Errorf("the contract as an ordinary user: %v\n%s", err, said)
	}
}

// TestEndless is what TestKilledWithRung kills. It fails where it gets to its end.
func TestEndless(t *testing.T) {
	machinetest.Endless(t, os.Stdout, func() machine.Machine { return newSandbox(t) })
}

func TestKilledWithRung(t *testing.T) { machinetest.KilledWithRung(t, nil) }

func TestRunLeavesNothingBehind(t *testing.T) {
	blobs := &store.Mem{}
	m := newSandbox(t)
	job := machinetest.Job(t, blobs, []string{"in"}, "cp in out", "print a")
	job.Exports = []string{"out"}
	machinetest.LeavesNothing(t, m, blobs, job, 5)
}

// faulty is a store that reads wrong bytes, as if a bit had flipped on disk, or cannot take any.
type faulty struct {
	*store.Mem
	full bool
}

var errFaulty = errors.New("the store is broken")

func (f faulty) Open(ctx context.Context, d digest.Digest) (io.ReadCloser, error) {
	r, err := f.Mem.Open(ctx, d)
	if err != nil || f.full {
		return r, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(r, d.Size()), brokenEnd{}), r}, nil
}

type brokenEnd struct{}

func (brokenEnd) Read([]byte) (int, error) {
	return 0, fault.New(fault.Mismatch, "content: %w", errFaulty)
}

func (f faulty) Put(ctx context.Context, r io.Reader) (digest.Digest, error) {
	if f.full {
		return digest.Digest{}, fault.New(fault.Unavailable, "put: %w", errFaulty)
	}
	return f.Mem.Put(ctx, r)
}

func TestNoStepStartsOnCorruptInputs(t *testing.T) {
	blobs := &store.Mem{}
	job := machinetest.Job(t, blobs, nil, "print a")
	started := false
	_, err := newSandbox(t).Run(t.Context(), job, faulty{Mem: blobs}, func(machine.Event) { started = true })
	if !errors.Is(err, errFaulty) || fault.KindOf(err) != fault.Mismatch || started {
		t.Errorf("Run = %v, started %v; want the store's error, of kind mismatch, and no step", err, started)
	}
}

func TestStoreThatIsFull(t *testing.T) {
	blobs := &store.Mem{}
	job := machinetest.Job(t, blobs, nil, "write out x")
	job.Exports = []string{"out"}
	_, err := newSandbox(t).Run(t.Context(), job, faulty{blobs, true}, nil)
	if !errors.Is(err, errFaulty) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Run = %v; want the store's error, of kind unavailable", err)
	}
}

func TestLargeInputsAndOutputs(t *testing.T) {
	blobs := &store.Mem{}
	content := strings.Repeat("0123456789abcdef", 1<<20)
	job := machinetest.Job(t, blobs, nil, "cp big copy")
	program, _ := job.Inputs.Lookup("probe")
	job.Inputs = machinetest.Tree(t, program, machinetest.File(t, blobs, "big", content, machine.ModeFile))
	job.Exports = []string{"copy"}
	r, err := newSandbox(t).Run(t.Context(), job, blobs, nil)
	if err != nil || r.Failure != nil {
		t.Fatalf("Run = %+v, %v", r.Failure, err)
	}
	if n, ok := r.Outputs.Lookup("copy"); !ok || n.Content != digest.Of([]byte(content)) {
		t.Errorf("output = %v; want the 16 MiB of the input", n)
	}
}

func TestManyInputs(t *testing.T) {
	blobs := &store.Mem{}
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprintf("file%d", i), fmt.Sprintf("dir/file%d", i))
	}
	job := machinetest.Job(t, blobs, names, "modify file500", "modify dir/file500")
	r, err := newSandbox(t).Run(t.Context(), job, blobs, nil)
	if err != nil || r.Failure != nil || r.Log != digest.Of(nil) {
		t.Errorf("Run = %+v, log of %d bytes, %v; want no failure and an empty log", r.Failure, r.Log.Size(), err)
	}
}

func TestInteractive(t *testing.T) {
	machinetest.Interactive(t, func(t *testing.T, in io.Reader, out io.Writer) machine.Machine {
		m := sandbox.New(agent.Options{Now: time.Now, Terminal: &agent.Terminal{In: in, Out: out}})
		if err := m.Check(t.Context()); fault.KindOf(err) == fault.Unavailable {
			need.Unmet(t, "sandbox: %v: %s", err, fault.HintOf(err))
		}
		return m
	})
}
