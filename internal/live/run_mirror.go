// SPDX-License-Identifier: MIT

package live

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
)

// Mirrors are the mirrors of a run, of which folders are shown on the loopback address as long as it runs (R24).
type Mirrors struct {
	Addresses []string          // as bootstrap.cfg has them
	Ports     map[string]string // of the servers, by folder

	stop context.CancelFunc
	done sync.WaitGroup
	mu   sync.Mutex
	err  error
}

// ServeMirrors starts the servers. Media hold the port, so that a target whose media are made already has the ports
// that it was made with; one that is taken meanwhile is fault.Unavailable. Seen is told of each answer, where it is
// not nil.
func ServeMirrors(ctx context.Context, target string, mirrors []string, seen func(method, path string,
	status int)) (*Mirrors, error) {
	state, _, err := readState(filepath.Join(target, runDir))
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	m := &Mirrors{Ports: map[string]string{}, stop: stop}
	for _, text := range mirrors {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "file" || !strings.HasPrefix(u.Path, "/") {
			m.Addresses = append(m.Addresses, text) // Options.Validate judges it
			continue
		}
		if m.Ports[u.Path] == "" {
			err = m.serve(ctx, u.Path, state.Ports[u.Path], seen)
		}
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		m.Addresses = append(m.Addresses, "http://127.0.0.1:"+m.Ports[u.Path])
	}
	return m, nil
}

func (m *Mirrors) serve(ctx context.Context, dir, port string, seen func(method, path string, status int)) error {
	if port == "" {
		port = "0"
	}
	ready, failed := make(chan string, 1), make(chan error, 1)
	m.done.Go(func() {
		err := source.ServeNames(ctx, filepath.FromSlash(dir), "127.0.0.1:"+port, func(at string) { ready <- at }, seen)
		failed <- err
		m.mu.Lock()
		defer m.mu.Unlock()
		m.err = errors.Join(m.err, err)
	})
	select {
	case at := <-ready:
		u, err := url.Parse(at)
		if err != nil {
			return fmt.Errorf("mirror %s: %w", dir, err)
		}
		m.Ports[dir] = u.Port()
		return nil
	case err := <-failed:
		if port != "0" {
			return fault.New(fault.Unavailable, "mirror file://%s: %w", dir, err).
				WithHint("the target was made with port %s: end what uses it, or name another --target", port)
		}
		return err
	}
}

// Close ends the servers and waits for them.
func (m *Mirrors) Close() error {
	m.stop()
	m.done.Wait()
	return m.err
}
