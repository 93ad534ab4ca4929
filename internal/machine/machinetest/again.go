// SPDX-License-Identifier: MIT

package machinetest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/store"
)

// nobody is a user who may do nothing that root may.
const nobody = 65534

// Again is this test program, to run one of its tests in a process and a folder of its own, which is its home too.
func Again(t *testing.T, test string, env ...string) *exec.Cmd {
	t.Helper()
	probe, err := Probe()
	if err != nil {
		t.Fatalf("building the probe: %v", err)
	}
	// Not t.TempDir, whose parent is for this user alone.
	dir, err := os.MkdirTemp("", "rung-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := errors.Join(os.Chmod(dir, 0o777), os.WriteFile(filepath.Join(dir, ProbeFile), probe, 0o444)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+test+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(env, "TMPDIR="+dir, "HOME="+dir, "XDG_RUNTIME_DIR="+dir, "PATH="+os.Getenv("PATH"),
		need.NoSkip+"="+os.Getenv(need.NoSkip))
	return cmd
}

// AsNobody is Again as an ordinary user; only root can ask for it.
func AsNobody(t *testing.T, test string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := Again(t, test, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := os.Chown(cmd.Dir, nobody, nobody); err != nil { // what XDG_RUNTIME_DIR names has to be the user's
		t.Fatal(err)
	}
	return cmd
}

// endlessVariable holds the word that the processes of the job are known by.
const endlessVariable = "RUNG_TEST_ENDLESS"

// Endless, called by a test TestEndless, runs a job that does not end, where the process is one that KilledWithRung has
// started to read its output. In any other it does nothing.
func Endless(t *testing.T, out io.Writer, m func() machine.Machine) {
	t.Helper()
	word := os.Getenv(endlessVariable)
	if word == "" {
		return
	}
	blobs := &store.Mem{}
	job := Job(t, blobs, nil, "daemon "+word+" wait")
	_, err := m().Run(t.Context(), job, blobs, func(e machine.Event) { out.Write(e.Output) })
	t.Errorf("the job ended: %v", err)
}

// KilledWithRung kills a process in which TestEndless runs a job, and wants everything of the job to end with it: the
// processes that the job's word is in, and what left lists beside them.
func KilledWithRung(t *testing.T, left func() []string, env ...string) {
	t.Helper()
	word := Word(t)
	cmd := Again(t, "TestEndless", append(env, endlessVariable+"="+word)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
	}
	if len(RunningWith(t, word)) == 0 {
		t.Error("no process of the job is running")
	}
	if left != nil && len(left()) == 0 {
		t.Error("the job has nothing beside its processes")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	remains := func() []string {
		all := RunningWith(t, word)
		if left != nil {
			all = append(all, left()...)
		}
		return all
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	all := remains()
	for len(all) > 0 && soon.Err() == nil {
		runtime.Gosched() // they are about to be ended
		all = remains()
	}
	if len(all) > 0 {
		t.Errorf("still there: %q", all)
	}
}
