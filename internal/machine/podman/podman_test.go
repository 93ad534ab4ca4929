// SPDX-License-Identifier: MIT

package podman

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/machinetest"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
)

// TestMain ends what is no test without os.Exit, in which the race detector sleeps for a second.
func TestMain(m *testing.M) {
	if status, ok := agent.Child(); ok {
		syscall.Exit(status)
	}
	if how := os.Getenv(fakeVariable); how != "" {
		syscall.Exit(fake(how, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// folderVariable names the folder of images and containers to a test in a process of its own.
const folderVariable = "RUNG_TEST_FOLDER"

// folder is one for images and containers.
func folder(t testing.TB) string {
	if dir := os.Getenv(folderVariable); dir != "" {
		return dir
	}
	dir, err := os.MkdirTemp("", "rung") // podman wants short paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// newPodman is a podman that works here.
func newPodman(t testing.TB, dir string, terminal *agent.Terminal) *Machine {
	t.Helper()
	need.Tool(t, "podman")
	m := New(Options{Options: agent.Options{Now: time.Now, Terminal: terminal}, Dir: dir})
	if err := m.Check(t.Context()); fault.KindOf(err) == fault.Unavailable {
		need.Unmet(t, "containers: %v: %s", err, fault.HintOf(err))
	}
	return m
}

func TestContract(t *testing.T) {
	need.Whole(t)
	dir := folder(t)
	machinetest.Run(t, machinetest.Options{}, func(t *testing.T) machine.Machine { return newPodman(t, dir, nil) })
}

func TestInteractive(t *testing.T) {
	need.Whole(t)
	dir := folder(t)
	machinetest.Interactive(t, func(t *testing.T, in io.Reader, out io.Writer) machine.Machine {
		return newPodman(t, dir, &agent.Terminal{In: in, Out: out})
	})
}

func TestContractAsOrdinaryUser(t *testing.T) {
	need.Whole(t)
	if os.Getuid() != 0 {
		t.Log("TestContract has run as an ordinary user already")
		return
	}
	// Who the user is makes a difference to these.
	cmd := machinetest.AsNobody(t, "TestContract$/^(Check|Outputs|ReadOnlyInputs|KilledByContext|Facts|HostFile|HostNetwork|"+
		"UserNamespace|Attack|LeftBehind|Devices)")
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "--- PASS: TestContract/LeftBehind") {
		t.Errorf("the contract as an ordinary user: %v\n%s", err, said)
	}
	// For an ordinary user podman leaves a process that holds a user namespace.
	stop := exec.CommandContext(t.Context(), "podman", "system", "migrate")
	stop.Dir, stop.Env, stop.SysProcAttr = cmd.Dir, cmd.Env, &syscall.SysProcAttr{Credential: cmd.SysProcAttr.Credential}
	if said, err := stop.CombinedOutput(); err != nil {
		t.Errorf("podman system migrate: %v\n%s", err, said)
	}
}

// TestEndless is what TestKilledWithRung kills. It fails where it gets to its end.
func TestEndless(t *testing.T) {
	machinetest.Endless(t, os.Stdout, func() machine.Machine { return newPodman(t, folder(t), nil) })
}

// containers are all there are.
func containers(t *testing.T, m *Machine) []string {
	t.Helper()
	list, err := m.ask(t.Context(), m.way, nil, "ps", "--all", "--format", "{{.Names}}")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(list)
}

func TestKilledWithRung(t *testing.T) {
	dir := folder(t)
	m := newPodman(t, dir, nil)
	// Containers, and podman's own processes as well: one that the folder is taken away from would wait for ever, with a
	// lock that podman has for all folders together.
	machinetest.KilledWithRung(t, func() []string {
		return append(containers(t, m), machinetest.RunningWith(t, filepath.Join(dir, "root"))...)
	}, folderVariable+"="+dir)
}

func TestTwoJobsAtOnce(t *testing.T) {
	dir := folder(t)
	newPodman(t, dir, nil) // or skip
	m := New(Options{Options: agent.Options{Now: time.Now}, Dir: dir})
	blobs := &store.Mem{}
	job := machinetest.Job(t, blobs, []string{"in"}, "cp in out")
	job.Exports = []string{"out"}
	var jobs sync.WaitGroup
	for range 2 {
		jobs.Go(func() {
			r, err := m.Run(t.Context(), job, blobs, nil)
			if err != nil || r.Failure != nil || r.Outputs.Len() != 1 {
				t.Errorf("Run = %+v, %v; want one output", r, err)
			}
		})
	}
	jobs.Wait()
	if list := containers(t, m); len(list) > 0 {
		t.Errorf("containers after the jobs: %q; want none", list)
	}
}

func TestLeftoversOfTheDeadAreRemoved(t *testing.T) {
	m := newPodman(t, folder(t), nil)
	dead := m.owner[:strings.LastIndex(string(m.owner), "-")+1] + "1" // a process of this number, long before
	names := map[string]owner{"rung-" + string(dead) + "-7": dead, "rung-" + string(m.owner) + "-7777": m.owner}
	for name, o := range names {
		if _, err := m.ask(t.Context(), m.way, nil, "create", "--network", "none", "--pull", "never", "--name", name,
			"--label", ownerLabel+"="+string(o), m.image, "/rung"); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.removeLeftovers(t.Context(), m.way); err != nil {
		t.Fatal(err)
	}
	if got, want := containers(t, m), []string{"rung-" + string(m.owner) + "-7777"}; !slices.Equal(got, want) {
		t.Errorf("containers = %q; want %q, whose owner lives", got, want)
	}
}

func TestImageThatIsGoneIsLoadedAgain(t *testing.T) {
	m := newPodman(t, folder(t), nil)
	if _, err := m.ask(t.Context(), m.way, nil, "image", "rm", "--force", m.image); err != nil {
		t.Fatal(err)
	}
	if err := m.Check(t.Context()); err != nil {
		t.Errorf("Check = %v; want nil", err)
	}
}
