// SPDX-License-Identifier: MIT

package chain

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rung-build/rung/internal/ledger"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// stub is a machine whose programs are known by their names:
//
//	cat IN... OUT   writes what the files hold
//	fail TEXT...    prints a line a text and ends with status 3
//	flood           is stopped at its limit of output
//	hang            tells hanging that it began, and ends with the context
//	flip OUT        writes how many jobs the machine has run
type stub struct {
	isolated bool
	hanging  chan string // told the job's name by hang
	meet     *sync.WaitGroup

	mu   sync.Mutex
	jobs []string // that were run, in the order they began
}

func (s *stub) Info() machine.Info {
	return machine.Info{Name: "stub", Version: "1", Isolated: s.isolated, Arches: []string{"amd64"}}
}

func (s *stub) Check(context.Context) error { return nil }

// ran lists the jobs since the last call.
func (s *stub) ran() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	jobs := s.jobs
	s.jobs = nil
	return jobs
}

func (s *stub) Run(ctx context.Context, job machine.Job, blobs store.Blobs, watch machine.Watch) (machine.Result, error) {
	s.mu.Lock()
	s.jobs = append(s.jobs, job.Name)
	nth := len(s.jobs)
	s.mu.Unlock()
	if s.meet != nil {
		s.meet.Done()
		s.meet.Wait()
	}
	b := &bench{ctx: ctx, blobs: blobs, job: job, made: map[string][]byte{}, nth: nth, hanging: s.hanging}
	var result machine.Result
	for i, step := range job.Steps {
		watch(machine.Event{Step: i})
		failure, err := b.step(step.Argv)
		if err != nil {
			return machine.Result{}, err
		}
		done := machine.StepResult{}
		if failure != nil {
			failure.Step, done.Exit = i, 3
		}
		result.Steps = append(result.Steps, done)
		watch(machine.Event{Step: i, Result: &done})
		if result.Failure = failure; failure != nil {
			break
		}
	}
	return b.finish(result)
}

// bench is one job of a stub.
type bench struct {
	ctx     context.Context
	blobs   store.Blobs
	job     machine.Job
	made    map[string][]byte
	log     bytes.Buffer
	nth     int
	hanging chan string
}

func (b *bench) step(argv []string) (*machine.Failure, error) {
	out := argv[len(argv)-1]
	switch argv[0] {
	case "cat":
		var all []byte
		for _, name := range argv[1 : len(argv)-1] {
			content, err := b.read(name)
			if err != nil {
				return nil, err
			}
			all = append(all, content...)
		}
		b.made[out] = all
	case "flip":
		b.made[out] = fmt.Appendf(nil, "made by job %d\n", b.nth)
	case "fail":
		b.log.WriteString(strings.Join(argv[1:], "\n") + "\n")
		return &machine.Failure{Cause: machine.CauseExit, Detail: "exit status 3"}, nil
	case "flood":
		return &machine.Failure{Cause: machine.CauseOutput, Detail: "more than 256 MiB of output"}, nil
	case "hang":
		b.hanging <- b.job.Name
		<-b.ctx.Done()
		return nil, b.ctx.Err()
	}
	return nil, nil
}

func (b *bench) read(name string) ([]byte, error) {
	if made, ok := b.made[name]; ok {
		return made, nil
	}
	n, ok := b.job.Inputs.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("no input %q", name)
	}
	return store.Bytes(b.ctx, b.blobs, n.Content, 1<<20)
}

func (b *bench) finish(result machine.Result) (_ machine.Result, err error) {
	if result.Log, err = b.blobs.Put(b.ctx, &b.log); err != nil || result.Failure != nil {
		return result, err
	}
	var nodes []tree.Node
	for _, name := range b.job.Exports {
		d, err := b.blobs.Put(b.ctx, bytes.NewReader(b.made[name]))
		if err != nil {
			return machine.Result{}, err
		}
		nodes = append(nodes, tree.Node{Path: name, Kind: tree.File, Mode: machine.ModeExecutable, Content: d})
	}
	result.Outputs, err = tree.New(nodes...)
	return result, err
}

// bothStores is a store of blobs and of results.
type bothStores interface {
	store.Blobs
	store.Actions
}

// site is everything a climb needs, in memory.
type site struct {
	files   fstest.MapFS
	machine *stub
	store   bothStores
	ledger  *ledger.Ledger
	events  []Event
	options func(*Options) // changes the options of a climb; nil for none
}

// newSite holds a seed of the definitions and of programs that a stub knows.
func newSite(t *testing.T, definitions string) *site {
	t.Helper()
	s := &site{machine: &stub{isolated: true}, store: &store.Mem{}, files: fstest.MapFS{}}
	s.newLedger(t)
	s.write("chain.star", definitions)
	for _, program := range []string{"cat", "fail", "flood", "hang", "flip"} {
		s.write("amd64/"+program, "program "+program)
	}
	return s
}

// newLedger is an empty ledger in place of the one there was.
func (s *site) newLedger(t *testing.T) {
	t.Helper()
	var err error
	if s.ledger, err = ledger.Open(filepath.Join(t.TempDir(), "ledger")); err != nil {
		t.Fatal(err)
	}
}

// runs is what the ledger holds.
func (s *site) runs(t *testing.T) []ledger.Run {
	t.Helper()
	var all []ledger.Run
	err := s.ledger.Read(func(run ledger.Run) error {
		all = append(all, run)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (s *site) write(name, text string) { s.files[name] = &fstest.MapFile{Data: []byte(text)} }

func (s *site) climb(t *testing.T, ctx context.Context) (Outcome, error) {
	t.Helper()
	plan, err := Load("test", s.files, "amd64")
	if err != nil {
		t.Fatalf("Load() = %v; want a plan", err)
	}
	s.events = nil
	o := Options{
		Blobs: s.store, Actions: s.store, Ledger: s.ledger, Machine: s.machine, Jobs: 2, Now: clock(),
		Watch: func(e Event) { s.events = append(s.events, e) },
	}
	if s.options != nil {
		s.options(&o)
	}
	return Run(ctx, plan, o)
}

func (s *site) mustClimb(t *testing.T) Outcome {
	t.Helper()
	out, err := s.climb(t, t.Context())
	if err != nil {
		t.Fatalf("Run() = %v; want an outcome", err)
	}
	return out
}

// clock goes on by a second each time it is asked.
func clock() func() time.Time {
	var mu sync.Mutex
	now := time.Unix(1_800_000_000, 0)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}
