// SPDX-License-Identifier: MIT

package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/fault"
)

// DefaultAddress is where a mirror is served: to this machine only.
const DefaultAddress = "127.0.0.1:7864"

// Times of the server: a client that says nothing must not hold a connection, and an interrupt must not wait for one.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = time.Minute
	closeTimeout  = 2 * time.Second
)

// Serve shows the folder of a mirror by http at an address, HOST:PORT, until ctx ends, and gives nil then. Ready is
// told the address of the mirror once it can be asked; seen, where it is not nil, is told of every answer, from
// several goroutines at once. A folder that is no mirror is a fault of kind NotFound, an address that cannot be had
// one of kind Unavailable.
func Serve(ctx context.Context, dir, address string, ready func(url string), seen func(method, path string,
	status int)) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fault.New(fault.NotFound, "mirror %s: %w", dir, bare(err))
	}
	defer root.Close()
	if _, err := fs.Stat(root.FS(), manifest); err != nil {
		return fault.New(fault.NotFound, "mirror %s: %s: %w", dir, manifest, bare(err)).
			WithHint("\"rung source mirror %s\" makes a mirror of it", dir)
	}
	return serve(ctx, address, Handler(root.FS(), seen), ready)
}

// ServeNames shows the regular files of a folder by http under their names, as mirrors of distfiles are laid out; the
// rest is as of Serve.
func ServeNames(ctx context.Context, dir, address string, ready func(url string), seen func(method, path string,
	status int)) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fault.New(fault.NotFound, "mirror %s: %w", dir, bare(err))
	}
	defer root.Close()
	return serve(ctx, address, NamesHandler(root.FS(), seen), ready)
}

// serve answers at an address until ctx ends.
func serve(ctx context.Context, address string, handler http.Handler, ready func(url string)) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fault.New(fault.Unavailable, "address %s: %w", address,
			err).WithHint("name another one with --address HOST:PORT")
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: 64 << 10}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		closing, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if server.Shutdown(closing) != nil {
			server.Close()
		}
	})
	ready("http://" + listener.Addr().String() + "/")
	err = server.Serve(listener)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fault.New(fault.Unavailable, "address %s: %w", address, err)
}

// Handler answers GET and HEAD for the manifest and the files of a mirror, whole or in part, and nothing else: no
// lists of folders, no files beside those of the layout.
func Handler(dir fs.FS, seen func(method, path string, status int)) http.Handler {
	return handler(dir, seen, func(name string) bool {
		folder := path.Dir(name)
		return name == manifest || folder == hashFolder || folder == nameFolder
	})
}

// NamesHandler answers GET and HEAD for the regular files of a folder, whole or in part, and for nothing below it.
func NamesHandler(dir fs.FS, seen func(method, path string, status int)) http.Handler {
	return handler(dir, seen, func(name string) bool { return path.Dir(name) == "." })
}

func handler(dir fs.FS, seen func(method, path string, status int), shown func(name string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		serveFile(answer, r, dir, shown)
		if seen != nil {
			seen(r.Method, r.URL.Path, answer.status)
		}
	})
}

func serveFile(w http.ResponseWriter, r *http.Request, dir fs.FS, shown func(name string) bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "GET and HEAD only", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if !shown(name) || !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") {
		http.NotFound(w, r)
		return
	}
	if info, err := fs.Stat(dir, name); err != nil || !info.Mode().IsRegular() { // to open a fifo is to wait
		http.NotFound(w, r)
		return
	}
	f, err := dir.Open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	content, ok := f.(io.ReadSeeker)
	if err != nil || !info.Mode().IsRegular() || !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if tag := entityTag(dir, name); tag != "" {
		w.Header().Set("ETag", tag)
	}
	http.ServeContent(w, r, "", info.ModTime(), content)
}

// entityTag is the SHA-256 of a file, by its name or by the manifest, in quotes.
func entityTag(dir fs.FS, name string) string {
	base := path.Base(name)
	if path.Dir(name) == hashFolder {
		return fmt.Sprintf("%q", base)
	}
	sums, err := readManifest(dir)
	if err != nil || sums[base] == "" {
		return ""
	}
	return fmt.Sprintf("%q", sums[base])
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
