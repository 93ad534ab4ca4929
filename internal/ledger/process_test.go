// SPDX-License-Identifier: MIT

package ledger

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/rung-build/rung/internal/filelock"
)

// writers is how many runs each process or goroutine of the tests below appends.
const writers = 25

// appendFrom is the work of one process of TestTwoProcessesAppend.
const appendFrom = "RUNG_TEST_LEDGER"

func TestMain(m *testing.M) {
	if path := os.Getenv(appendFrom); path != "" {
		os.Exit(appendMany(path))
	}
	os.Exit(m.Run())
}

func appendMany(path string) int {
	l, err := Open(path)
	for i := 0; err == nil && i < writers; i++ {
		err = l.Append(context.Background(), sample(fmt.Sprint(i)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestTwoProcessesAppend(t *testing.T) {
	l := newLedger(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), appendFrom+"="+l.Path())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("a process that appends: %v\n%s", err, out)
			}
		})
	}
	for i := range writers {
		appendAll(t, l, fmt.Sprint(i))
	}
	wg.Wait()
	head, err := l.Verify()
	if err != nil || head.Lines != 3*writers {
		t.Errorf("Verify after three processes appended = %+v, %v; want %d lines", head, err, 3*writers)
	}
}

func TestReadDoesNotWaitForItsVisitor(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a")
	err := l.Read(func(Run) error { // appending from inside would deadlock if Read held the lock
		f, err := os.OpenFile(l.Path(), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		return filelock.Lock(f, filelock.Exclusive, 0)
	})
	if err != nil {
		t.Errorf("locking the ledger while it is read: %v", err)
	}
}
