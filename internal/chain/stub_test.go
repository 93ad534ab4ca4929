// SPDX-License-Identifier: MIT

package chain

import (
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
	"github.com/rung-build/rung/internal/machine/fake"
	"github.com/rung-build/rung/internal/store"
)

// stub is a machine that counts the jobs it runs. Its programs, beside those of the fake machine it is made of:
//
//	cat IN... OUT   writes what the files hold
//	fail TEXT...    prints a line a text and ends with status 3
//	flood           is stopped at the limit of output
//	hang            tells hanging, and ends with the context
//	flip OUT        writes how many jobs the machine has run
type stub struct {
	fake.Machine
	hanging chan struct{}
	meet    *sync.WaitGroup // each job waits for as many as this is for; nil: for none

	mu   sync.Mutex
	jobs []string // that were run, in the order they began
}

func newStub() *stub {
	s := &stub{hanging: make(chan struct{}, 1)}
	s.Description = machine.Info{Name: "stub", Version: "1", Isolated: true, Arches: []string{"amd64"}}
	s.Programs = map[string]fake.Program{
		"cat": func(_ context.Context, s *fake.State) int {
			last := len(s.Argv) - 1
			all := ""
			for _, name := range s.Argv[1:last] {
				all += s.Files[name].Content
			}
			s.Files[s.Argv[last]] = fake.File{Content: all, Executable: true}
			return 0
		},
		"fail": func(_ context.Context, s *fake.State) int {
			fmt.Fprintln(s.Out, strings.Join(s.Argv[1:], "\n"))
			return 3
		},
		"flood": func(context.Context, *fake.State) int { return floods },
		"hang": func(ctx context.Context, _ *fake.State) int {
			s.hanging <- struct{}{}
			<-ctx.Done()
			return 1
		},
		"flip": func(_ context.Context, state *fake.State) int {
			state.Files[state.Argv[1]] = fake.File{Content: fmt.Sprintf("made by job %d\n", s.count())}
			return 0
		},
	}
	return s
}

// floods is the status that a stub turns into a limit, which the fake machine does not know.
const floods = 99

func (s *stub) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.jobs)
}

// ran lists the jobs since the last call.
func (s *stub) ran() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	jobs := s.jobs
	s.jobs = nil
	return jobs
}

func (s *stub) Run(ctx context.Context, job machine.Job, blobs store.Blobs,
	watch machine.Watch) (machine.Result, error) {
	s.mu.Lock()
	s.jobs = append(s.jobs, job.Name)
	s.mu.Unlock()
	if s.meet != nil {
		s.meet.Done()
		s.meet.Wait()
	}
	result, err := s.Machine.Run(ctx, job, blobs, watch)
	if n := len(result.Steps); n > 0 && result.Steps[n-1].Exit == floods {
		result.Failure.Cause, result.Failure.Detail = machine.CauseOutput, "more than 256 MiB of output"
	}
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
	s := &site{machine: newStub(), store: &store.Mem{}, files: fstest.MapFS{}}
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
