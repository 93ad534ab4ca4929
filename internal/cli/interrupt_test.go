// SPDX-License-Identifier: MIT

package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/cli"
	"github.com/rung-build/rung/internal/need"
)

// loopSeed makes a program that does not end in its first stage, and runs it in its second.
const loopSeed = `
stage(name = "low", inputs = {"hex0": program("seed:amd64/hex0-seed"), "loop.hex0": "seed:loop.hex0"},
    steps = [run("hex0", "loop.hex0", "loop")], exports = ["loop"])
stage(name = "top", inputs = {"loop": "low/loop"}, steps = [run("loop", limit = "60s")], exports = ["out"])
`

// loopText is an ELF program for amd64 that jumps to itself, in hex0.
const loopText = `
7F 45 4C 46 02 01 01 00 00 00 00 00 00 00 00 00
02 00 3E 00 01 00 00 00 78 00 40 00 00 00 00 00
40 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
00 00 00 00 40 00 38 00 01 00 00 00 00 00 00 00
01 00 00 00 05 00 00 00 00 00 00 00 00 00 00 00
00 00 40 00 00 00 00 00 00 00 40 00 00 00 00 00
00 02 00 00 00 00 00 00 00 02 00 00 00 00 00 00
00 10 00 00 00 00 00 00
EB FE             # jmp itself
`

// trigger is a stream that calls a function when a text was written to it.
type trigger struct {
	mu   sync.Mutex
	all  bytes.Buffer
	text string
	call func()
}

func (w *trigger) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(p)
	if strings.Contains(w.all.String(), w.text) {
		w.call()
	}
	return len(p), nil
}

func TestBootstrapStopsAtOnceWhenInterrupted(t *testing.T) {
	need.Arch(t, "amd64") // the programs of the test chain
	dir := t.TempDir()
	if err := placeSeed(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"chain.star": loopSeed, "loop.hex0": loopText} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	store := filepath.Join(dir, "store")
	args := []string{
		"bootstrap", "--verbose", "--seed", dir, "--store", store, "--out", filepath.Join(dir, "out"),
		"--machine", machineHere(t),
	}
	ctx, cancel := context.WithCancel(t.Context())
	stderr := &trigger{text: "top: step 1: loop", call: cancel}
	begin := time.Now()
	if got := cli.Main(ctx, args, nil, &bytes.Buffer{}, stderr, func(string) string { return "" }); got != 130 {
		t.Errorf("Main(bootstrap), interrupted = %d; want 130\n%s", got, stderr.all.String())
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("Main(bootstrap), interrupted, took %v; want it to stop at once", took)
	}
	// The store is sound, and what was finished is kept.
	rung := func(args ...string) (int, string) {
		var out bytes.Buffer
		status := cli.Main(t.Context(), append(args, "--store", store), nil, &out, &out, os.Getenv)
		return status, out.String()
	}
	if got, text := rung("store", "verify"); got != 0 {
		t.Errorf("Main(store verify) = %d; want 0\n%s", got, text)
	}
	if _, text := rung("ledger", "ls"); strings.Count(text, "\n") != 1 || !strings.Contains(text, "amd64/low") {
		t.Errorf("Main(ledger ls) printed %q; want one run, of low", text)
	}
}
