// SPDX-License-Identifier: MIT

package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rung-build/rung/internal/store"
)

// inChild names the work that TestMain does instead of the tests, for tests that need a process of their own.
const inChild = "RUNG_TEST_STORE_CHILD"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(inChild) {
	case "":
		os.Exit(m.Run())
	case "put":
		err = childPut(os.Getenv(inChild + "_DIR"))
	case "full":
		err = childFull(os.Getenv(inChild + "_DIR"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is this test's program as another process that does some work on a directory.
func child(t testing.TB, work, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), inChild+"="+work, inChild+"_DIR="+dir)
	return cmd
}

// childPut puts 50 blobs and reads each back.
func childPut(dir string) error {
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	for i := range 50 {
		b := bytes.Repeat(fmt.Appendf(nil, "content %d", i), 1+i*500)
		d, err := s.Put(context.Background(), bytes.NewReader(b))
		if err != nil {
			return err
		}
		if got, err := store.Bytes(context.Background(), s, d, 1<<30); err != nil || !bytes.Equal(got, b) {
			return fmt.Errorf("content %d: %d bytes back, %w", i, len(got), err)
		}
	}
	return nil
}

func TestDiskIsSafeBetweenProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "whoever", "is", "first")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if out, err := child(t, "put", dir).CombinedOutput(); err != nil {
				t.Errorf("a process that puts: %v\n%s", err, out)
			}
		})
	}
	wg.Wait()
	s := open(t, dir, store.Options{Alone: true})
	if bad, err := s.Verify(t.Context(), nil); len(bad) != 0 || err != nil {
		t.Errorf("Verify = %v, %v; want a sound store", bad, err)
	}
	if got := len(files(t, filepath.Join(dir, "blobs"))); got != 50 {
		t.Errorf("4 processes put 50 blobs; the store has %d", got)
	}
}
