// SPDX-License-Identifier: MIT

package distfile

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rung-build/rung/internal/source"
)

// The addresses of a host's loopback: as the host has it, and as a guest of QEMU's user network does.
const (
	hostLoopback  = "http://127.0.0.1"
	guestLoopback = "http://10.0.2.2"
)

// GuestAddress is the address that a guest asks for a mirror of its configuration. Scripts in the guest put 10.0.2.2 in
// place of 127.0.0.1 where the configuration has QEMU=True, and change nothing else; so the configuration itself keeps
// the host's address.
func GuestAddress(mirror string, qemu bool) string {
	if rest, ok := strings.CutPrefix(mirror, hostLoopback); ok && qemu {
		return guestLoopback + rest
	}
	return mirror
}

// Served are mirrors of which those that are folders are shown by http.
type Served struct {
	Mirrors []string // as they stand in a configuration: http://127.0.0.1:PORT in place of file:///FOLDER

	stop context.CancelFunc
	done sync.WaitGroup
	mu   sync.Mutex
	err  error // of servers that ended by themselves
}

// Serve starts a server on the loopback address, at any free port, for each mirror that is a folder: file:///FOLDER. It
// shows the regular files of the folder by their names, and parts of them. The servers end with ctx, or with Close; seen
// is told of each answer, from several goroutines at once, where it is not nil. A folder that is none is a fault of kind
// NotFound; then no server is left.
func Serve(ctx context.Context, mirrors []string, seen func(method, path string, status int)) (*Served, error) {
	ctx, stop := context.WithCancel(ctx)
	s := &Served{stop: stop}
	known := map[string]string{}
	for _, m := range mirrors {
		clean, err := cleanMirror(m)
		u, parsing := url.Parse(clean)
		switch {
		case err != nil || parsing != nil:
			s.Close()
			return nil, err
		case u.Scheme != "file":
			s.Mirrors = append(s.Mirrors, clean)
			continue
		case known[u.Path] == "":
			if known[u.Path], err = s.start(ctx, filepath.FromSlash(u.Path), seen); err != nil {
				s.Close()
				return nil, err
			}
		}
		s.Mirrors = append(s.Mirrors, known[u.Path])
	}
	return s, nil
}

// start starts a server and gives its address without a slash at the end.
func (s *Served) start(ctx context.Context, dir string, seen func(method, path string, status int)) (string, error) {
	ready, failed := make(chan string, 1), make(chan error, 1)
	s.done.Go(func() {
		err := source.ServeNames(ctx, dir, "127.0.0.1:0", func(url string) { ready <- url }, seen)
		failed <- err
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err = errors.Join(s.err, err)
	})
	select {
	case address := <-ready:
		return strings.TrimRight(address, "/"), nil
	case err := <-failed:
		return "", err
	}
}

// Close ends the servers and waits for them.
func (s *Served) Close() error {
	s.stop()
	s.done.Wait()
	return s.err
}
