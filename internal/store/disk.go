// SPDX-License-Identifier: MIT

package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/filelock"
)

// Disk is a store in a directory:
//
//	version         "rung store 1\n": which layout this is
//	lock            never written; flock(2) on it keeps GC away from processes that use the store
//	blobs/ab/HEX    content; HEX is its SHA-256, ab the first two digits of it; mode 0444
//	actions/ab/HEX  the result of the action of that SHA-256: a line with the action's digest and the result's, then
//	                the result; mode 0444
//	tmp/            files being written; what a killed process left is removed by whoever opens the store unused
//	damaged/        blobs and results that were found to be damaged, for whoever wants to know why; GC removes them
//
// Files come to their names by rename(2), so that no reader sees half of one, and two writers of one blob do not
// disturb each other.
//
// Nothing is flushed with fsync(2). After a power failure a file may be missing, short, or hold other bytes; each of
// these is found by its size or its digest and healed by running a stage again. A flush for each of some hundred blobs
// would cost more than all the stages together, and buy nothing that cannot be made again. The ledger, which cannot,
// flushes.
type Disk struct {
	dir    string
	lock   *os.File // nil where the store is read-only and has no lock file
	alone  bool     // the lock is exclusive
	report func(error)

	// create makes an empty file of a new name in a directory; another one in tests of failing disks.
	create  func(dir string) (tempFile, error)
	buffers sync.Pool // of *[bufferSize]byte
}

// tempFile is what Disk needs of a file it writes.
type tempFile interface {
	io.WriteCloser
	Name() string
	Chmod(fs.FileMode) error
}

// Options are the choices of Open.
type Options struct {
	// Alone demands that nobody else uses the store, until Close. GC needs it.
	Alone bool
	// Report, where it is set, is told of damage that no error speaks of: a recorded result that is treated as absent.
	// It may be called from several goroutines at once.
	Report func(error)
}

// layout is the content of the file "version".
const layout = "rung store 1\n"

// Times to wait for the lock. A process that opens the store alone to clean it up needs some milliseconds, GC of a
// large store a few seconds.
const (
	waitShared = 10 * time.Second
	waitAlone  = 100 * time.Millisecond
)

// Open opens the store in a directory, and makes it where it does not exist. It has to be closed. A store that cannot
// be written can be opened for reading. The error is a fault of kind Unavailable where the directory cannot be used, or
// is in use and Options.Alone is set.
func Open(dir string, opts Options) (*Disk, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", dir, err)
	}
	d := &Disk{dir: dir, report: opts.Report, create: createTemp}
	d.buffers.New = func() any { return new([bufferSize]byte) }
	if d.report == nil {
		d.report = func(error) {}
	}
	if err := d.prepare(); err != nil {
		return nil, err
	}
	if err := d.acquire(opts.Alone); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// prepare makes the directories that are missing and checks the layout.
func (d *Disk) prepare() error {
	for _, sub := range []string{"blobs", "actions", "tmp", "damaged"} {
		if err := os.MkdirAll(filepath.Join(d.dir, sub), 0o755); err != nil && !isReadOnly(err) {
			return d.fail("making it", err)
		}
	}
	if info, err := os.Stat(d.dir); err != nil {
		return d.fail("making it", err)
	} else if !info.IsDir() {
		return d.fail("opening it", syscall.ENOTDIR)
	}
	version := filepath.Join(d.dir, "version")
	b, err := os.ReadFile(version)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) == 0 { // the same bytes, whoever writes them first
		if err = os.WriteFile(version, []byte(layout), 0o644); err != nil && !isReadOnly(err) {
			return d.fail("making it", err)
		}
		return nil
	}
	if err != nil {
		return d.fail("reading its version", err)
	}
	if string(b) != layout {
		return fault.New(fault.Unavailable, "store %s: version %.40q is not one this program knows", d.dir, b).
			WithHint("name another directory with --store")
	}
	return nil
}

// acquire takes the lock. Whoever finds the store unused sweeps what killed processes left.
func (d *Disk) acquire(alone bool) error {
	lock, err := os.OpenFile(filepath.Join(d.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil && isReadOnly(err) {
		lock, err = os.Open(filepath.Join(d.dir, "lock"))
		if errors.Is(err, fs.ErrNotExist) && !alone {
			return nil
		}
	}
	if err != nil {
		return d.fail("opening its lock", err)
	}
	d.lock = lock
	wait := time.Duration(0)
	if alone {
		wait = waitAlone
	}
	if err = filelock.Lock(lock, filelock.Exclusive, wait); err == nil {
		d.sweep()
		d.alone = alone
	}
	if !alone {
		err = filelock.Lock(lock, filelock.Shared, waitShared)
	}
	if errors.Is(err, filelock.ErrBusy) {
		return fault.New(fault.Unavailable, "store %s: in use: %w", d.dir, err).
			WithHint("wait for the other rung to end, then try again")
	}
	if err != nil {
		return d.fail("locking it", err)
	}
	return nil
}

// sweep removes files that killed processes were writing. Nobody else uses the store.
func (d *Disk) sweep() (removed int) {
	stale, _ := filepath.Glob(filepath.Join(d.dir, "tmp", tempPattern))
	for _, name := range stale {
		if os.Remove(name) == nil {
			removed++
		}
	}
	return removed
}

// Close lets go of the store.
func (d *Disk) Close() error {
	if d.lock == nil {
		return nil
	}
	return d.lock.Close()
}

// Dir is the absolute path of the store.
func (d *Disk) Dir() string { return d.dir }

// Path is where content stands, or would stand. Whoever reads it there has to verify it.
func (d *Disk) Path(of digest.Digest) string { return d.path("blobs", of) }

func (d *Disk) path(kind string, of digest.Digest) string {
	sum := of.Hex()
	return filepath.Join(d.dir, kind, sum[:2], sum)
}

// isReadOnly tells whether an error says that the directory cannot be written by this user.
func isReadOnly(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM)
}

// fail is the fault of an operation on the store's own files.
func (d *Disk) fail(doing string, err error) error {
	f := fault.New(fault.Unavailable, "store %s: %s: %w", d.dir, doing, err)
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return f.WithHint("free some space (rung store gc), or name a directory on another disk with --store")
	case isReadOnly(err):
		return f.WithHint("the store has to be writable by this user; name another one with --store or RUNG_STORE")
	case errors.Is(err, syscall.EFBIG):
		return f.WithHint("the limit on the size of files is too low (ulimit -f)")
	case errors.Is(err, syscall.ENOTDIR):
		return f.WithHint("a file stands where the store's directory should be; name another one with --store")
	}
	return f.WithHint("check the disk, or name another directory with --store")
}
