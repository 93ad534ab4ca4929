// SPDX-License-Identifier: MIT

package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rung-build/rung/internal/cli"
	"github.com/rung-build/rung/internal/machine/agent"
	"github.com/rung-build/rung/internal/machine/sandbox"
	"github.com/rung-build/rung/seed"
)

func TestMain(m *testing.M) {
	if status, ok := agent.Child(); ok {
		os.Exit(status)
	}
	testscript.Main(m, map[string]func(){"rung": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop)
		os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
	}})
}

// machineHere is the machine that scripts run on: the sandbox, or the host where namespaces are forbidden.
func machineHere(t *testing.T) string {
	if err := sandbox.New(agent.Options{Now: time.Now}).Check(t.Context()); err != nil {
		return "host"
	}
	return "sandbox"
}

// TestScript runs the scripts below testdata/script; the first line of each says what it is for. They find the
// first rung of the seed in $WORK/seed, a machine's name in $MACHINE, and a store of their own in $WORK/store.
func TestScript(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts (%v)", err)
	}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s: the first line does not say what the script is for (%v)", name, err)
		}
	}
	machine := machineHere(t)
	testscript.Run(t, testscript.Params{
		Files:               scripts,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "flip-named": flipNamed,
		},
		Condition: func(cond string) (bool, error) {
			if cond != "sandbox" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return machine == cond, nil
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("MACHINE", machine)
			env.Setenv("ARCH", runtime.GOARCH)
			env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector keeps each process a second longer
			checkout, err := filepath.Abs("../live/testdata/checkout")
			if err != nil {
				return err
			}
			env.Setenv("CHECKOUT", checkout) // of live-bootstrap
			env.Setenv("RUNG_STORE", filepath.Join(env.WorkDir, "store"))
			place := filepath.Join(env.WorkDir, "place")
			if err := os.WriteFile(place, []byte(filepath.Join(env.WorkDir, "store")+"\n"), 0o644); err != nil {
				return err
			}
			return placeSeed(filepath.Join(env.WorkDir, "seed"))
		},
	})
}

// placeSeed puts the first rung of the seed for the host into a folder, where there is one: the scripts make what they
// run with it.
func placeSeed(dir string) error {
	for _, file := range []string{"hex0-seed", "hex0.hex0"} {
		name := path.Join(runtime.GOARCH, file)
		text, err := fs.ReadFile(seed.Files(), name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(dir, runtime.GOARCH), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// status N COMMAND... wants a command to end with a status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("status %d; want %d\n%s", got, want, ts.ReadFile("stderr"))
	}
}

// flip-named FILE changes one bit of the file whose name the file holds.
func flipNamed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip-named FILE")
	}
	name := strings.TrimSpace(ts.ReadFile(args[0]))
	b, err := os.ReadFile(name)
	ts.Check(err)
	b[len(b)/2] ^= 4
	ts.Check(os.Chmod(name, 0o644))
	ts.Check(os.WriteFile(name, b, 0o444))
}
