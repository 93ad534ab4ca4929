// SPDX-License-Identifier: MIT

package source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/source"
	"github.com/rung-build/rung/internal/source/apt"
	"github.com/rung-build/rung/internal/store"
)

// world is a store, a folder, and servers on the loopback address.
type world struct {
	testing.TB
	store  store.Mem
	dir    string
	server *httptest.Server // answers https
	slept  []time.Duration  // protected by mu
	events []source.Event   // protected by mu
	mu     sync.Mutex
}

func newWorld(t testing.TB, handler http.HandlerFunc) *world {
	t.Helper()
	w := &world{TB: t, dir: t.TempDir()}
	if handler == nil {
		handler = http.NotFound
	}
	w.server = httptest.NewTLSServer(handler)
	t.Cleanup(w.server.Close)
	return w
}

// fetcher makes a Fetcher that trusts the server and does not wait; change may change its options.
func (w *world) fetcher(change func(*source.Options)) *source.Fetcher {
	w.Helper()
	o := source.Options{
		Blobs: &w.store, Actions: &w.store, Dir: w.dir, Transport: w.server.Client().Transport, Stall: 5 * time.Second,
		Sleep: func(ctx context.Context, d time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.slept = append(w.slept, d)
			return ctx.Err()
		},
		Watch: func(e source.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		},
	}
	if change != nil {
		change(&o)
	}
	f, err := source.New(o)
	if err != nil {
		w.Fatal(err)
	}
	return f
}

// left lists what stands in the fetcher's folder.
func (w *world) left() []string {
	w.Helper()
	var all []string
	err := filepath.WalkDir(w.dir, func(p string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			p, err = filepath.Rel(w.dir, p)
			all = append(all, p)
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// tarball is the packed form of hello that a declaration in a test is of.
func tarball(t testing.TB) []byte { return gzipped(t, tarOf(t, hello()...), 9) }

// declare declares a tarball that unpacks to hello.
func declare(t testing.TB, b []byte, places ...string) source.Distfile {
	t.Helper()
	root, err := digest.Parse(helloTree)
	if err != nil {
		t.Fatal(err)
	}
	return source.Distfile{Name: "hello-1.0.tar.gz", File: digest.Of(b), Tree: root, Licence: "MIT", Strip: 1,
		Places: places,
		Pos:    "chain.star:1:1"}
}

// big is a tarball that unpacks to more than a buffer: text that packs badly, made without chance.
func big(t testing.TB) ([]byte, digest.Digest) {
	t.Helper()
	var text strings.Builder
	for sum := digest.Of(nil); text.Len() < 300_000; sum = digest.Of([]byte(sum.Hex())) {
		text.WriteString(sum.Hex())
	}
	b := gzipped(t, tarOf(t, entry{name: "text", text: text.String()}), 9)
	unpacked, err := unpack(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b, unpacked.Root
}

func TestFetch(t *testing.T) {
	b := tarball(t)
	asked := 0
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Write(b)
	})
	d := declare(t, b, w.server.URL+"/hello.tar.gz")
	got, err := w.fetcher(nil).Fetch(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Hit || got[0].Repacked() || got[0].File != d.File || got[0].Place != d.Places[0] || got[0].Tree.Len() != 7 {
		t.Errorf("Fetch(...) = %v of %d nodes from %s; want the declared file from its place", got[0].File, got[0].Tree.Len(),
			got[0].Place)
	}
	if left := w.left(); len(left) != 0 {
		t.Errorf("Fetch left %q behind", left)
	}
	again, err := w.fetcher(nil).Fetch(t.Context(), d)
	if err != nil || !again[0].Hit || asked != 1 || again[0].Tree.Diff(got[0].Tree) != "" ||
		again[0].Place != got[0].Place {
		t.Errorf("the second Fetch(...) = %+v, %v after %d requests; want a hit after one", again, err, asked)
	}
}

func TestFetchPlainFile(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "--- a\n+++ b\n") })
	d := source.Distfile{Name: "fix.patch", File: digest.Of([]byte("--- a\n+++ b\n")), Licence: "MIT",
		Places: []string{w.server.URL + "/x"}}
	got, err := w.fetcher(nil).Fetch(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := got[0].Tree.Lookup("fix.patch"); !ok || n.Content != d.File || n.Mode != 0o444 {
		t.Errorf("Fetch(...).Tree has %+v; want the file itself", n)
	}
}

func TestFetchRepacked(t *testing.T) {
	declared, sent := tarball(t), xzed(t, tarOf(t, hello()...))
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { w.Write(sent) })
	d := declare(t, declared, w.server.URL+"/x")
	got, err := w.fetcher(nil).Fetch(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if !got[0].Repacked() || got[0].File != digest.Of(sent) || got[0].Distfile.File != digest.Of(declared) {
		t.Errorf("Fetch(...) = %v for the declared %v; want it to tell of the repacked %v", got[0].File, d.File,
			digest.Of(sent))
	}
	stored, ok, err := w.fetcher(nil).Stored(t.Context(), d)
	if err != nil || !ok || stored.File != digest.Of(sent) {
		t.Errorf("Stored(...) = %v, %v, %v; want the repacked file remembered", stored.File, ok, err)
	}
}

// TestFetchResumes cuts every answer after some kilobytes.
func TestFetchResumes(t *testing.T) {
	b, root := big(t)
	for _, test := range []struct{ name, header, value string }{
		{"entity tag", "ETag", `"v1"`}, {"date", "Last-Modified", "Fri, 21 Nov 2025 10:00:00 GMT"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var ranges []string
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				ranges = append(ranges, r.Header.Get("Range")+" "+r.Header.Get("If-Range"))
				w.Header().Set(test.header, test.value)
				changed, err := http.ParseTime(test.value)
				if err != nil {
					changed = time.Time{}
				}
				http.ServeContent(&cut{ResponseWriter: w, left: 64 << 10}, r, "", changed, bytes.NewReader(b))
			})
			d := declare(t, b, w.server.URL+"/x")
			d.Tree, d.Strip = root, 0
			got, err := w.fetcher(nil).Fetch(t.Context(), d)
			if err != nil || got[0].File != d.File {
				t.Fatalf("Fetch(...) = %v, %v", got, err)
			}
			for i, r := range ranges {
				want := " "
				if i > 0 {
					want = fmt.Sprintf("bytes=%d- %s", i*(64<<10), test.value)
				}
				if r != want {
					t.Errorf("request %d asks for %q; want %q", i, r, want)
				}
			}
			if want := len(b)/(64<<10) + 1; len(ranges) != want {
				t.Errorf("%d requests; want %d", len(ranges), want)
			}
		})
	}
}

// cut ends the connection after some bytes, as a line that breaks does.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 {
		http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// TestFetchResumesLater stops in the middle, and goes on in another process, as it were.
func TestFetchResumesLater(t *testing.T) {
	b, root := big(t)
	first := true
	var asked []string
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Range"))
		w.Header().Set("ETag", `"v1"`)
		if first {
			w = &cut{ResponseWriter: w, left: 100_000}
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	})
	d := declare(t, b, w.server.URL+"/x")
	d.Tree, d.Strip = root, 0
	ctx, cancel := context.WithCancel(t.Context())
	_, err := w.fetcher(func(o *source.Options) {
		o.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	}).Fetch(ctx, d)
	if fault.KindOf(err) != fault.Interrupted {
		t.Fatalf("Fetch(...) = %v; want it interrupted", err)
	}
	if left := w.left(); !slices.Equal(left, []string{d.File.Hex() + ".from", d.File.Hex() + ".part"}) {
		t.Errorf("an interrupted Fetch leaves %q; want the part and where it is from", left)
	}
	first = false
	if _, err := w.fetcher(nil).Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "bytes=100000-"}; !cmp.Equal(asked, want) {
		t.Errorf("ranges asked for: %q; want %q", asked, want)
	}
	if left := w.left(); len(left) != 0 {
		t.Errorf("Fetch left %q behind", left)
	}
}

// TestFetchMixedVersions wants a file that was put together from two versions to be fetched again in one piece.
func TestFetchMixedVersions(t *testing.T) {
	b, root := big(t)
	damaged := bytes.Clone(b)
	damaged[1000] ^= 1
	requests := 0
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"same"`)
		send := b
		if requests++; requests == 1 {
			send, w = damaged, &cut{ResponseWriter: w, left: 100_000}
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(send))
	})
	d := declare(t, b, w.server.URL+"/x")
	d.Tree, d.Strip = root, 0
	got, err := w.fetcher(nil).Fetch(t.Context(), d)
	if err != nil || got[0].File != d.File || requests != 3 {
		t.Errorf("Fetch(...) = %v, %v after %d requests; want the file after 3", got, err, requests)
	}
}

func TestFetchRestartsWhereTheServerHasAnotherVersion(t *testing.T) {
	b, root := big(t)
	requests := 0
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Header().Set("ETag", fmt.Sprintf(`"v%d"`, requests)) // ServeContent compares it with If-Range
		if requests == 1 {
			w = &cut{ResponseWriter: w, left: 100_000}
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	})
	d := declare(t, b, w.server.URL+"/x")
	d.Tree, d.Strip = root, 0
	if got, err := w.fetcher(nil).Fetch(t.Context(), d); err != nil || got[0].Repacked() {
		t.Errorf("Fetch(...) = %v, %v", got, err)
	}
}

// TestFetchWrongDigest wants a wrong file to be set aside, and the next place to be tried.
func TestFetchWrongDigest(t *testing.T) {
	b := tarball(t)
	other := gzipped(t, tarOf(t, entry{name: "hello-1.0/evil", text: "rm -rf /"}), 9)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.Write(other)
		} else {
			w.Write(b)
		}
	})
	d := declare(t, b, w.server.URL+"/bad", w.server.URL+"/good")
	got, err := w.fetcher(nil).Fetch(t.Context(), d)
	if err != nil || got[0].Place != w.server.URL+"/good" {
		t.Fatalf("Fetch(...) = %v, %v; want it from the second place", got, err)
	}
	kept := filepath.Join("quarantine", d.Name+"."+digest.Of(other).Hex())
	if left := w.left(); !slices.Equal(left, []string{kept}) {
		t.Errorf("Fetch leaves %q; want %q", left, kept)
	}
	if has, _ := w.store.Has(t.Context(), digest.Of([]byte("rm -rf /"))); has {
		t.Error("the store holds content of the wrong file")
	}
}

func TestFetchWrongDigestEverywhere(t *testing.T) {
	b := tarball(t)
	for _, test := range []struct {
		name string
		sent []byte
		says []string
	}{
		{"another tree", gzipped(t, tarOf(t, entry{name: "hello-1.0/evil"}), 9), []string{"unpacks to the tree", helloTree}},
		{"no archive", []byte("<html>log in first</html>"), []string{"no other packing of it"}},
		{"hostile archive", gzipped(t, tarOf(t, entry{name: "/etc/passwd"}), 9), []string{`"/etc/passwd"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { w.Write(test.sent) })
			d := declare(t, b, w.server.URL+"/x")
			_, err := w.fetcher(nil).Fetch(t.Context(), d)
			if fault.KindOf(err) != fault.Mismatch {
				t.Fatalf("Fetch(...) = %v; want a mismatch", err)
			}
			for _, want := range append(test.says, d.File.String(), digest.Of(test.sent).String(), w.server.URL+"/x",
				"kept aside as "+w.dir) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Fetch(...) = %v; want it to say %q", err, want)
				}
			}
		})
	}
}

func TestFetchWrongDeclaration(t *testing.T) {
	b := tarball(t)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { w.Write(b) })
	d := declare(t, b, w.server.URL+"/1", w.server.URL+"/2")
	d.Tree = digest.Of([]byte("another"))
	_, err := w.fetcher(nil).Fetch(t.Context(), d)
	if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), helloTree) || !strings.HasPrefix(err.Error(),
		d.Pos) {
		t.Errorf("Fetch(...) = %v; want a fault of the declaration, with where it stands and the right tree", err)
	}
}

// TestFetchNowhere wants one message with every place of every file and its reason.
func TestFetchNowhere(t *testing.T) {
	refused := need.Refused(t)
	w := newWorld(t, nil)
	first := declare(t, tarball(t), w.server.URL+"/x", "debian:pool/main/h/hello/hello_1.0+git1.orig.tar.gz")
	second := first
	second.Name, second.File = "other-2.tar.gz", digest.Of([]byte("other"))
	mirror := w.TempDir()
	_, err := w.fetcher(func(o *source.Options) {
		o.Mirrors = []string{mirror, refused}
		o.Apt = apt.Config{Mirrors: []apt.Mirror{{URL: refused + "/debian", From: "etc/apt/sources.list:1"}}}
	}).Fetch(t.Context(), first, second)
	var lack *source.LackError
	if !errors.As(err, &lack) || fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.HintOf(err),
		"--mirror") {
		t.Fatalf("Fetch(...) = %v, hint %q; want a LackError of kind unavailable that points to --mirror", err,
			fault.HintOf(err))
	}
	var want []string
	for _, d := range []source.Distfile{first, second} {
		want = append(want, fmt.Sprintf("distfile %q (%d bytes): none of its 5 places gave it", d.Name, d.File.Size()),
			"  "+filepath.Join(mirror, "sha256", d.File.Hex())+": no such file or directory",
			"  "+filepath.Join(mirror, "name", d.Name)+": no such file or directory",
			"  "+refused+"/sha256/"+d.File.Hex()+": REFUSED",
			"  "+w.server.URL+"/x: 404 Not Found",
			"  "+refused+"/debian/pool/main/h/hello/hello_1.0%2bgit1.orig.tar.gz: REFUSED")
	}
	got := strings.Split(err.Error(), "\n")
	for i, line := range got {
		if before, ok := strings.CutSuffix(line, "connect: connection refused"); ok {
			got[i] = before[:strings.Index(before, ": dial")+2] + "REFUSED"
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Fetch(...): -want +got\n%s", diff)
	}
	if len(w.slept) != 0 {
		t.Errorf("Fetch slept %v; what cannot pass is not tried again", w.slept)
	}
}

func TestFetchRetries(t *testing.T) {
	b := tarball(t)
	requests := 0
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests < 4 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Write(b)
	})
	if _, err := w.fetcher(nil).Fetch(t.Context(), declare(t, b, w.server.URL+"/x")); err != nil {
		t.Fatal(err)
	}
	want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}
	if !cmp.Equal(w.slept, want) {
		t.Errorf("Fetch slept %v; want %v", w.slept, want)
	}
}

func TestFetchGivesUp(t *testing.T) {
	loop := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if len(header) > 0 {
				w.Header().Set(header[0], header[1])
			}
			w.WriteHeader(code)
		}
	}
	huge := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9999999999")
	}
	endless := func(w http.ResponseWriter, r *http.Request) {
		for chunk := make([]byte, 32<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		says    string
		waits   int
	}{
		{"gone", status(http.StatusGone), "410 Gone", 0},
		{"forbidden", status(http.StatusForbidden), "403 Forbidden", 0},
		{"broken for good", status(http.StatusBadGateway), "502 Bad Gateway (tried 4 times)", 3},
		{"come back tomorrow", status(http.StatusTooManyRequests, "Retry-After", "86400"), "wants us to wait for 1h0m0s", 0},
		{"redirect loop", loop, "more than 5 redirects", 0},
		{"a body that is announced too large", huge, "more than", 0},
		{"a body that does not end", endless, "more than", 0},
		{"a range that was not asked for", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.WriteHeader(http.StatusPartialContent)
		}, "continued the file in another place", 3},
		{"a line that is cut in the same place each time", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "300")
			(&cut{ResponseWriter: w, left: 100}).Write(make([]byte, 300))
		}, "unexpected EOF (tried 4 times)", 3},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, "wrong file", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.handler)
			_, err := w.fetcher(nil).Fetch(t.Context(), declare(t, tarball(t), w.server.URL+"/"))
			if err == nil || !strings.Contains(err.Error(), test.says) || len(w.slept) != test.waits {
				t.Errorf("Fetch(...) = %v after %d pauses; want %q after %d", err, len(w.slept), test.says, test.waits)
			}
			for _, name := range w.left() {
				if !strings.HasPrefix(name, "quarantine") && !strings.HasSuffix(name, ".part") && !strings.HasSuffix(name,
					".from") {
					t.Errorf("Fetch left %s", name)
				}
			}
		})
	}
}

// TestFetchStalls has one server that never answers and one that stops in the middle.
func TestFetchStalls(t *testing.T) {
	b := tarball(t)
	for name, before := range map[string]int{"before the header": -1, "in the middle": 100} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				if before >= 0 {
					w.Write(b[:before])
					http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
			})
			_, err := w.fetcher(func(o *source.Options) { o.Stall, o.Tries = 50*time.Millisecond, 2 }).
				Fetch(t.Context(), declare(t, b, w.server.URL+"/x"))
			if err == nil || !strings.Contains(err.Error(), "next to nothing arrived any more: less than 1024 bytes in 50ms "+
				"(tried 2 times)") {
				t.Errorf("Fetch(...) = %v; want it to tell of the stall", err)
			}
		})
	}
}

func TestFetchInterrupted(t *testing.T) {
	reached := make(chan struct{})
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	_, err := w.fetcher(nil).Fetch(ctx, declare(t, tarball(t), w.server.URL+"/x"))
	if fault.KindOf(err) != fault.Interrupted {
		t.Errorf("Fetch(...) = %v; want it interrupted", err)
	}
}

// TestFetchTwoAtOnce has two fetchers on one folder and one store: one asks the server, the other one waits for it.
func TestFetchTwoAtOnce(t *testing.T) {
	b := tarball(t)
	requests := 0
	waiting := make(chan struct{})
	var once sync.Once
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		<-waiting
		w.Write(b)
	})
	d := declare(t, b, w.server.URL+"/x")
	var both sync.WaitGroup
	for range 2 {
		f := w.fetcher(func(o *source.Options) {
			o.Sleep = func(ctx context.Context, _ time.Duration) error {
				once.Do(func() { close(waiting) })
				time.Sleep(time.Millisecond)
				return ctx.Err()
			}
		})
		both.Go(func() {
			if got, err := f.Fetch(t.Context(), d); err != nil || got[0].File != d.File {
				t.Errorf("Fetch(...) = %v, %v", got, err)
			}
		})
	}
	both.Wait()
	if left := w.left(); requests != 1 || len(left) != 0 {
		t.Errorf("%d requests, and %q left; want one and nothing", requests, left)
	}
}

// TestFetchHeals wants a tree that lost a file to be unpacked again from the file in the store, without a network.
func TestFetchHeals(t *testing.T) {
	b := tarball(t)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { w.Write(b) })
	d := declare(t, b, w.server.URL+"/x")
	if _, err := w.fetcher(nil).Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	w.store = store.Mem{} // all is gone but the file itself
	if _, err := w.store.Put(t.Context(), bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	w.server.Close()
	got, err := w.fetcher(nil).Fetch(t.Context(), d)
	if err != nil || got[0].Place != "the store" || !got[0].Again {
		t.Errorf("Fetch(...) = %v, %v; want it from the store", got, err)
	}
}
