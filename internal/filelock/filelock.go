// SPDX-License-Identifier: MIT

// Package filelock locks open files between processes, with a bound on the waiting.
//
// The locks are those of flock(2): they belong to the open file, not to the process, so two files opened by one process
// exclude each other as well, and they are gone with the process that held them however it ends. They are advisory, and
// unknown between hosts on some network file systems.
package filelock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Mode says who else may hold the lock.
type Mode int

// The modes of a lock.
const (
	Shared    Mode = syscall.LOCK_SH
	Exclusive Mode = syscall.LOCK_EX
)

// ErrBusy says that somebody else holds the lock.
var ErrBusy = errors.New("locked by another process")

// pause is the time between two attempts: long enough to cost nothing, short enough to be no delay for people.
const pause = 5 * time.Millisecond

// Lock takes the lock on an open file, in place of one of another mode that the file has; such a change lets go of the
// old lock first. Where the lock is not free within about the given time, the error is ErrBusy and the file has no
// lock.
func Lock(f *os.File, mode Mode, wait time.Duration) error {
	for {
		err := flock(f, int(mode)|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("%s: locking: %w", f.Name(), err)
		}
		if wait <= 0 {
			return fmt.Errorf("%s: %w", f.Name(), ErrBusy)
		}
		time.Sleep(pause)
		wait -= pause
	}
}

// Unlock lets go of the lock; closing the file does as well.
func Unlock(f *os.File) error {
	if err := flock(f, syscall.LOCK_UN); err != nil {
		return fmt.Errorf("%s: unlocking: %w", f.Name(), err)
	}
	return nil
}

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); err != syscall.EINTR {
			return err
		}
	}
}
