// SPDX-License-Identifier: MIT

package source_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/store"
)

// mirrored makes a mirror of a tarball, as it was declared or as somebody packed it anew.
func mirrored(t *testing.T, sent []byte) (dir string, d source.Distfile) {
	t.Helper()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { w.Write(sent) })
	d = declare(t, tarball(t), w.server.URL+"/x")
	f := w.fetcher(func(o *source.Options) { o.Whole = true })
	got, err := f.Fetch(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "mirror")
	for _, fresh := range []bool{true, false} {
		files, err := f.WriteMirror(t.Context(), dir, got)
		want := []source.Mirrored{{Name: d.Name, File: digest.Of(sent), New: fresh}}
		if err != nil || !cmp.Equal(files, want, cmp.Comparer(func(a, b digest.Digest) bool { return a == b })) {
			t.Fatalf("WriteMirror(...) = %v, %v; want %v", files, err, want)
		}
	}
	return dir, d
}

func TestWriteMirrorLayout(t *testing.T) {
	dir, d := mirrored(t, tarball(t))
	text, err := os.ReadFile(filepath.Join(dir, "MANIFEST"))
	if want := d.File.Hex() + "  name/" + d.Name + "\n"; err != nil || string(text) != want {
		t.Errorf("MANIFEST = %q, %v; want %q", text, err, want)
	}
	for _, name := range []string{"sha256/" + d.File.Hex(), "name/" + d.Name} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || digest.Of(b) != d.File {
			t.Errorf("%s: %v, %v; want %v", name, digest.Of(b), err, d.File)
		}
	}
}

// TestFetchFromMirror has no network but a mirror: as a folder, and as a server. What was packed anew is found by
// name.
func TestFetchFromMirror(t *testing.T) {
	for name, sent := range map[string][]byte{"as declared": tarball(t), "packed anew": xzed(t, tarOf(t, hello()...))} {
		dir, d := mirrored(t, sent)
		server := httptest.NewServer(source.Handler(os.DirFS(dir), nil))
		t.Cleanup(server.Close)
		for _, mirror := range []string{dir, server.URL + "/"} {
			w := newWorld(t, nil)
			w.server.Close()
			got, err := w.fetcher(func(o *source.Options) { o.Mirrors = []string{mirror} }).Fetch(t.Context(), d)
			if err != nil || got[0].File != digest.Of(sent) {
				t.Errorf("Fetch(%s) with --mirror %s = %v, %v; want %v", name, mirror, got, err, digest.Of(sent))
			}
		}
	}
}

// TestFetchHealsWithMirror has a mirror whose file is damaged: it is not used, and the declared place is.
func TestFetchDamagedMirror(t *testing.T) {
	b := tarball(t)
	dir, d := mirrored(t, b)
	damaged := bytes.Clone(b)
	damaged[len(b)/2] ^= 1
	if err := os.WriteFile(filepath.Join(dir, "sha256", d.File.Hex()), damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { w.Write(b) })
	d.Places = []string{w.server.URL + "/x"}
	got, err := w.fetcher(func(o *source.Options) { o.Mirrors = []string{dir} }).Fetch(t.Context(), d)
	if err != nil || got[0].Place != d.Places[0] {
		t.Errorf("Fetch(...) = %v, %v; want it from %s", got, err, d.Places[0])
	}
}

func TestNewRefusesMirrors(t *testing.T) {
	for text, kind := range map[string]fault.Kind{
		"/no/such/folder": fault.NotFound, "ftp://a.test/": fault.Usage, "http://": fault.Usage,
		"http://a.test/?q": fault.Usage,
		"mirror_test.go":   fault.Usage,
	} {
		if _, err := source.New(source.Options{Mirrors: []string{text}}); fault.KindOf(err) != kind || err == nil {
			t.Errorf("New(--mirror %s) = %v; want a fault of kind %v", text, err, kind)
		}
	}
}

func TestWriteMirrorTwoAtOnce(t *testing.T) {
	b := tarball(t)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { w.Write(b) })
	f := w.fetcher(func(o *source.Options) { o.Whole = true })
	one := declare(t, b, w.server.URL+"/x")
	two := one
	two.Name = "again.tar.gz"
	dir := t.TempDir()
	var both sync.WaitGroup
	for _, d := range []source.Distfile{one, two} {
		both.Go(func() {
			got, err := f.Fetch(t.Context(), d)
			if err == nil {
				_, err = f.WriteMirror(t.Context(), dir, got)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	text, err := os.ReadFile(filepath.Join(dir, "MANIFEST"))
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("MANIFEST = %q, %v; want both files", text, err)
	}
}

func TestHandler(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	files := fstest.MapFS{
		"MANIFEST": {Data: []byte(sum + "  name/a.tar\n")}, "sha256/" + sum: {Data: []byte("content")},
		"name/a.tar": {Data: []byte("content")}, "name/.incoming": {Data: []byte("x")}, "secret": {Data: []byte("x")},
		"name/deep/x": {Data: []byte("x")}, ".lock": {},
	}
	h := source.Handler(files, nil)
	for _, test := range []struct {
		method, path, ranges string
		status               int
		body                 string
	}{
		{"GET", "/MANIFEST", "", 200, sum + "  name/a.tar\n"},
		{"GET", "/sha256/" + sum, "", 200, "content"},
		{"GET", "/name/a.tar", "", 200, "content"},
		{"GET", "/name/a.tar", "bytes=3-", 206, "tent"},
		{"HEAD", "/name/a.tar", "", 200, ""},
		{"POST", "/name/a.tar", "", 405, ""},
		{"GET", "/", "", 404, ""},
		{"GET", "/name", "", 404, ""},
		{"GET", "/name/", "", 404, ""},
		{"GET", "/name/.incoming", "", 404, ""},
		{"GET", "/name/deep", "", 404, ""},
		{"GET", "/name/deep/x", "", 404, ""},
		{"GET", "/secret", "", 404, ""},
		{"GET", "/.lock", "", 404, ""},
		{"GET", "/name/../secret", "", 404, ""},
		{"GET", "/name/%2e%2e/secret", "", 404, ""},
	} {
		r := httptest.NewRequest(test.method, "http://a.test"+test.path, nil)
		r.Header.Set("Range", test.ranges)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.status || test.status < 300 && w.Body.String() != test.body {
			t.Errorf("%s %s = %d %q; want %d %q", test.method, test.path, w.Code, w.Body, test.status, test.body)
		}
		if test.status == 200 && test.path != "/MANIFEST" && w.Header().Get("ETag") != `"`+sum+`"` {
			t.Errorf("%s %s: ETag %s; want the SHA-256", test.method, test.path, w.Header().Get("ETag"))
		}
	}
}

func TestServe(t *testing.T) {
	dir, d := mirrored(t, tarball(t))
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan string), make(chan error)
	go func() { ended <- source.Serve(ctx, dir, "127.0.0.1:0", func(url string) { ready <- url }, nil) }()
	response, err := http.Get(<-ready + "name/" + d.Name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || digest.Of(b) != d.File {
		t.Errorf("the server gives %v, %v; want %v", digest.Of(b), err, d.File)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve(...) = %v after its context ended; want nil", err)
	}
	if err := source.Serve(t.Context(), t.TempDir(), "127.0.0.1:0", nil, nil); fault.KindOf(err) != fault.NotFound {
		t.Errorf("Serve(an empty folder) = %v; want a fault of kind not found", err)
	}
	if err := source.Serve(t.Context(), dir, "127.0.0.1:99999", nil, nil); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Serve(at a wrong port) = %v; want a fault of kind unavailable", err)
	}
}

func TestVerify(t *testing.T) {
	b := tarball(t)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { w.Write(b) })
	d := declare(t, b, w.server.URL+"/x")
	f := w.fetcher(nil)
	if _, err := f.Verify(t.Context(), d); fault.KindOf(err) != fault.NotFound || err == nil {
		t.Errorf("Verify(what is not there) = %v; want a fault of kind not found", err)
	}
	if _, err := f.Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Verify(t.Context(), d); err != nil || got.File != d.File {
		t.Errorf("Verify(...) = %v, %v; want it sound", got.File, err)
	}
	if left := w.left(); len(left) != 0 {
		t.Errorf("Verify left %q behind", left)
	}
}

// TestVerifyDamage flips a bit of a stored file: it is found, and the next fetch heals it without a network.
func TestVerifyDamage(t *testing.T) {
	b := tarball(t)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { w.Write(b) })
	disk, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	d := declare(t, b, w.server.URL+"/x")
	f := w.fetcher(func(o *source.Options) { o.Blobs, o.Actions = disk, disk })
	if _, err := f.Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	w.server.Close()
	damaged := disk.Path(digest.Of([]byte("A greeting.\n")))
	if err := errors.Join(os.Chmod(damaged, 0o644), os.WriteFile(damaged, []byte("a greeting.\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	var corrupt *store.CorruptError
	if _, err := f.Verify(t.Context(), d); !errors.As(err, &corrupt) {
		t.Fatalf("Verify(...) = %v; want the damage named", err)
	}
	if got, err := f.Fetch(t.Context(), d); err != nil || !got[0].Again || got[0].Place != d.Places[0] {
		t.Fatalf("Fetch(...) = %v, %v; want it unpacked again, and where it came from once", got, err)
	}
	if _, err := f.Verify(t.Context(), d); err != nil {
		t.Errorf("Verify(...) = %v; want it sound again", err)
	}
}

// TestKeep collects a store, and wants what was fetched to be a hit afterwards.
func TestKeep(t *testing.T) {
	b := tarball(t)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { w.Write(b) })
	disk, err := store.Open(t.TempDir(), store.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	d := declare(t, b, w.server.URL+"/x")
	f := w.fetcher(func(o *source.Options) { o.Blobs, o.Actions, o.Whole = disk, disk, true })
	if _, err := f.Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Put(t.Context(), strings.NewReader("nobody wants this")); err != nil {
		t.Fatal(err)
	}
	keep, err := f.Keep(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := disk.GC(t.Context(), keep); err != nil || got.Blobs != 1 || got.Actions != 0 {
		t.Errorf("GC(...) = %+v, %v; want the one blob removed that nobody wants", got, err)
	}
	if _, ok, err := f.Stored(t.Context(), d); !ok || err != nil {
		t.Errorf("Stored(...) = %v, %v after GC; want it whole", ok, err)
	}
}
