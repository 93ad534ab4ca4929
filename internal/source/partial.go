// SPDX-License-Identifier: MIT

package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/filelock"
)

// partial is a file on its way, of which this process has the claim:
//
//	DIR/HEX.part  what has arrived; HEX is the declared SHA-256
//	DIR/HEX.from  JSON: which address it came from, and that server's name for its version of the file
//	DIR/HEX.lock  flock(2) on it is the claim; it is removed with the claim
//
// No file is ever seen under another name before it was verified; the store takes it from here.
type partial struct {
	path   string   // DIR/HEX
	lock   *os.File //
	f      *os.File // DIR/HEX.part
	from   origin
	pieced bool // it was put together from several answers
	done   bool // nothing is worth keeping
}

// origin says where a part came from.
type origin struct {
	URL       string `json:"url"`
	Validator string `json:"validator"` // for If-Range: a strong ETag or a Last-Modified date; "" for neither
}

// Times of waiting for another process that has the claim. That one gives up long before, unless it makes progress.
const (
	claimPause = 100 * time.Millisecond
	claimWait  = 2 * time.Hour
)

// claim waits until no other process, and no other goroutine, fetches a file, and opens its partial file.
func (f *Fetcher) claim(ctx context.Context, name, hex string) (*partial, error) {
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return nil, hostFault(err)
	}
	part := &partial{path: filepath.Join(f.Dir, hex)}
	for waited := time.Duration(0); ; waited += claimPause {
		ok, err := part.acquire()
		if err != nil {
			return nil, hostFault(err)
		}
		if ok {
			break
		}
		if waited == 0 {
			f.tell(Waiting{name})
		}
		if waited >= claimWait {
			return nil, fault.New(fault.Unavailable, "distfile %q: another process has been fetching it for %v", name, waited)
		}
		if err := f.Sleep(ctx, claimPause); err != nil {
			return nil, err
		}
	}
	if err := part.open(); err != nil {
		part.release()
		return nil, err
	}
	return part, nil
}

// acquire takes the lock. Since whoever had it removes the file, the lock counts only on the file that has the name
// now.
func (p *partial) acquire() (bool, error) {
	lock, err := os.OpenFile(p.path+".lock", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return false, err
	}
	err = filelock.Lock(lock, filelock.Exclusive, 0)
	if err == nil {
		mine, statErr := lock.Stat()
		named, namedErr := os.Stat(p.path + ".lock")
		if statErr == nil && namedErr == nil && os.SameFile(mine, named) {
			p.lock = lock
			return true, nil
		}
	}
	lock.Close()
	if err != nil && !errors.Is(err, filelock.ErrBusy) {
		return false, err
	}
	return false, nil
}

// open opens what has arrived earlier.
func (p *partial) open() error {
	f, err := os.OpenFile(p.path+".part", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return hostFault(err)
	}
	p.f, p.from = f, origin{}
	if text, err := os.ReadFile(p.path + ".from"); err == nil && json.Unmarshal(text, &p.from) != nil {
		p.from = origin{}
	}
	return nil
}

// drop says that nothing of the file is worth keeping any more.
func (p *partial) drop() { p.done = true }

// release gives the claim up. What has arrived stays for the next time, where it is worth it.
func (p *partial) release() {
	if p.f != nil {
		if info, err := p.f.Stat(); p.done || err == nil && info.Size() == 0 {
			os.Remove(p.path + ".part")
			os.Remove(p.path + ".from")
		}
		p.f.Close()
	}
	os.Remove(p.path + ".lock")
	p.lock.Close()
}

// size is how many bytes have arrived.
func (p *partial) size() (int64, error) {
	info, err := p.f.Stat()
	if err != nil {
		return 0, hostFault(err)
	}
	return info.Size(), nil
}

// restart forgets what has arrived.
func (p *partial) restart() error {
	p.pieced = false
	if err := p.f.Truncate(0); err != nil {
		return hostFault(err)
	}
	return nil
}

// cameFrom remembers where the next bytes come from.
func (p *partial) cameFrom(o origin) error {
	text, err := json.Marshal(o)
	if err == nil {
		err = os.WriteFile(p.path+".from", text, 0o644)
	}
	if err != nil {
		return hostFault(err)
	}
	p.from = o
	return nil
}

// moveTo gives what has arrived another name, and begins anew.
func (p *partial) moveTo(name string) error {
	p.f.Close()
	p.f, p.pieced = nil, false
	os.Remove(p.path + ".from")
	if err := os.Rename(p.path+".part", name); err != nil {
		return hostFault(err)
	}
	return p.open()
}

// digest is that of what has arrived.
func (p *partial) digest() (digest.Digest, error) {
	if _, err := p.f.Seek(0, io.SeekStart); err != nil {
		return digest.Digest{}, hostFault(err)
	}
	d, err := hashed(p.f)
	if err != nil {
		return digest.Digest{}, hostFault(err)
	}
	return d, nil
}

// fill takes a file of at most limit bytes, in place of what has arrived.
func (p *partial) fill(r io.Reader, limit int64) error {
	if err := p.restart(); err != nil {
		return err
	}
	if err := p.cameFrom(origin{}); err != nil {
		return err
	}
	return p.add(r, 0, limit, func(int64) {})
}

// fillFromFile takes a regular file.
func (p *partial) fillFromFile(ctx context.Context, name string, limit int64) error {
	info, err := os.Stat(name)
	if err != nil {
		return bare(err)
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if info.Size() > limit {
		return &tooLargeError{limit}
	}
	f, err := os.Open(name)
	if err != nil {
		return bare(err)
	}
	defer f.Close()
	return p.fill(contextReader{ctx, f}, limit)
}

// bare takes the operation and the name from an error about a file whose name stands before it anyway.
func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// add writes what a reader gives behind an offset, up to limit bytes in all, and tells how many there are by then.
func (p *partial) add(r io.Reader, offset, limit int64, arrived func(total int64)) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if offset+int64(n) > limit {
			return &tooLargeError{limit}
		}
		if _, err := p.f.WriteAt(buf[:n], offset); err != nil {
			return hostFault(err)
		}
		offset += int64(n)
		arrived(offset)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// tooLargeError says that a place has more bytes than can be right.
type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("more than %d bytes, which is too much to be the declared file, or another packing of it", e.limit)
}

// contextReader fails once its context has ended.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
