// SPDX-License-Identifier: MIT

package fake_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/fake"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/store"
)

// probe does what the suite's probe does, as far as it can be done without a process.
func probe(_ context.Context, s *fake.State) int {
	args := s.Argv[2:]
	switch verb := s.Argv[1]; verb {
	case "print":
		fmt.Fprintln(s.Out, strings.Join(args, " "))
	case "write":
		s.Files[args[0]] = fake.File{Content: args[1]}
	case "cp":
		s.Files[args[1]] = fake.File{Content: s.Files[args[0]].Content}
	case "exe":
		s.Files[args[0]] = fake.File{Content: s.Files[args[0]].Content, Executable: true}
	case "exit":
		return number(args[0])
	case "kill":
		return -number(args[0])
	default:
		return 1
	}
	return 0
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 255
	}
	return n
}

func newFake() *fake.Machine {
	return &fake.Machine{
		Description: machine.Info{Name: "fake", Version: "1", Isolated: true, Arches: []string{runtime.GOARCH}},
		Programs:    map[string]fake.Program{"probe": probe},
	}
}

func TestContract(t *testing.T) {
	machinetest.Run(t, machinetest.Options{Simulated: true}, func(*testing.T) machine.Machine { return newFake() })
}

func TestFaultIsWhatCheckAndRunSay(t *testing.T) {
	m, want := newFake(), errors.New("broken")
	m.Fault = want
	if err := m.Check(t.Context()); !errors.Is(err, want) {
		t.Errorf("Check() = %v; want %v", err, want)
	}
	if _, err := m.Run(t.Context(), machine.Job{}, &store.Mem{}, nil); !errors.Is(err, want) {
		t.Errorf("Run() = %v; want %v", err, want)
	}
}
