// SPDX-License-Identifier: MIT

package distfile_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/source"
)

// world is a cache, and what was told of fetches into it.
type world struct {
	testing.TB
	cache *distfile.Cache
	dir   string

	mu     sync.Mutex
	events []source.Event
}

func newWorld(t testing.TB) *world {
	dir := filepath.Join(t.TempDir(), "cache")
	return &world{TB: t, cache: distfile.NewCache(dir), dir: dir}
}

// fetcher makes a fetcher that does not wait between tries.
func (w *world) fetcher(change func(*distfile.Options)) *distfile.Fetcher {
	w.Helper()
	o := distfile.Options{
		Cache: w.cache, Now: time.Now, Stall: 5 * time.Second,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Watch: func(e source.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		},
	}
	if change != nil {
		change(&o)
	}
	f, err := distfile.New(o)
	if err != nil {
		w.Fatal(err)
	}
	return f
}

// fetch fetches from mirrors, and wants no error of this machine.
func (w *world) fetch(mirrors []string, files ...distfile.File) distfile.Report {
	w.Helper()
	r, err := w.fetcher(func(o *distfile.Options) { o.Mirrors = mirrors }).Fetch(w.Context(), files)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// files lists what stands below the cache's folder.
func (w *world) files() []string {
	w.Helper()
	var all []string
	err := filepath.WalkDir(w.dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(w.dir, name)
			all = append(all, rel)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		w.Fatal(err)
	}
	return all
}

func sum(content string) string { return digest.Of([]byte(content)).Hex() }

// file is one with upstream addresses.
func file(name, content string, urls ...string) distfile.File {
	f := distfile.File{Name: name, SHA256: sum(content)}
	for _, u := range urls {
		f.Lines = append(f.Lines, distfile.Distfile{Package: "p-1", SHA256: f.SHA256, Name: name, URL: u})
	}
	if len(urls) == 0 {
		f.Lines = []distfile.Distfile{{Package: "p-1", SHA256: f.SHA256, Name: name}}
	}
	return f
}

// serve starts a server and gives its address.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// mirror serves contents by name.
func mirror(t testing.TB, contents map[string]string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		content, ok := contents[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
	})
}

// read reads a held file to its end.
func (w *world) read(sha256 string) string {
	w.Helper()
	r, err := w.cache.Open(sha256)
	if err != nil {
		w.Fatal(err)
	}
	defer r.Close()
	var b strings.Builder
	buf := make([]byte, 7)
	for {
		n, err := r.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			if err.Error() != "EOF" {
				w.Fatal(err)
			}
			return b.String()
		}
	}
}
