// SPDX-License-Identifier: MIT

package source_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/source"
)

// TestGetBoundsWhatIsRead: a size is never believed, whether it is announced or not, and redirects lead to servers only.
func TestGetBoundsWhatIsRead(t *testing.T) {
	content := strings.Repeat("x", 1000)
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := rw.Write([]byte(content)); err != nil {
					return
				}
			}
		case "/announced":
			rw.Header().Set("Content-Length", "99999999")
		case "/short": // less than was announced
			rw.Header().Set("Content-Length", "1000")
			rw.Write([]byte("x"))
		case "/loop":
			http.Redirect(rw, r, "/loop", http.StatusFound)
		case "/local":
			http.Redirect(rw, r, "file:///etc/passwd", http.StatusFound)
		case "/moved":
			http.Redirect(rw, r, "/right", http.StatusFound)
		case "/right":
			rw.Write([]byte(content))
		}
	})
	wanted := source.Wanted{Name: "a", SHA256: digest.Of([]byte(content)).Hex(), Max: 5000}
	for _, path := range []string{"/endless", "/announced", "/short", "/loop", "/local", "/moved"} {
		wanted.Places = append(wanted.Places, w.server.URL+path)
	}
	to := filepath.Join(w.dir, "got", "a")
	got, err := w.fetcher(nil).Get(t.Context(), wanted, to)
	if err != nil || got.Size != 1000 || got.Place != w.server.URL+"/moved" || len(got.Tries) != 5 {
		t.Fatalf("Get = %+v, %v; want the last place to give it", got, err)
	}
	for i, want := range []string{"more than 5000 bytes", "more than 5000 bytes", "unexpected EOF", "more than 5 redirects", "unsupported protocol"} {
		if text := got.Tries[i].Err.Error(); !strings.Contains(text, want) {
			t.Errorf("%s: %s; want %q in it", got.Tries[i].Place, text, want)
		}
	}
	if text, err := os.ReadFile(to); err != nil || string(text) != content {
		t.Errorf("the file has %d bytes, %v; want %d", len(text), err, len(content))
	}
	if again, err := w.fetcher(nil).Get(t.Context(), wanted, to); err != nil || !again.Hit || again.Size != 1000 {
		t.Errorf("Get again = %+v, %v; want a hit", again, err)
	}
}

// TestGetFromFolders: a file by its address, and what is none.
func TestGetFromFolders(t *testing.T) {
	w := newWorld(t, nil)
	name := filepath.Join(t.TempDir(), "a b")
	if err := os.WriteFile(name, []byte("A"), 0o644); err != nil {
		t.Fatal(err)
	}
	wanted := source.Wanted{Name: "a", SHA256: digest.Of([]byte("A")).Hex(), Max: 10, Places: []string{"%", "file:relative",
		"file://elsewhere/x", "ftp://h/x", "file://" + t.TempDir(), "file://" + name + ".none", "file://" + strings.ReplaceAll(name, " ", "%20")}}
	got, err := w.fetcher(nil).Get(t.Context(), wanted, filepath.Join(w.dir, "a"))
	if err != nil || len(got.Tries) != 6 || source.TroubleOf(got.Tries[5].Err) != source.Absent {
		t.Errorf("Get = %+v, %v; want six that do not do", got, err)
	}
}

// TestGetSkips tells why a place was not asked.
func TestGetSkips(t *testing.T) {
	w := newWorld(t, func(http.ResponseWriter, *http.Request) { t.Error("a skipped place was asked") })
	wanted := source.Wanted{Name: "a", SHA256: strings.Repeat("a", 64), Max: 10, Places: []string{w.server.URL + "/a"},
		Skip: func(string) error { return errors.New("not today") }}
	_, err := w.fetcher(nil).Get(t.Context(), wanted, filepath.Join(w.dir, "a"))
	var lack *source.LackError
	if !errors.As(err, &lack) || len(lack.Lacks[0].Tries) != 1 || lack.Lacks[0].Tries[0].Err.Error() != "not today" {
		t.Errorf("Get = %v; want the reason", err)
	}
}

// TestAskReadsTheFirstBytes of servers that know ranges, and of one that does not.
func TestAskReadsTheFirstBytes(t *testing.T) {
	content := []byte("0123456789abcdefghij")
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ranges":
			http.ServeContent(rw, r, "", time.Time{}, bytes.NewReader(content))
		case "/plain":
			rw.Write(content)
		case "/empty":
			http.ServeContent(rw, r, "", time.Time{}, bytes.NewReader(nil))
		case "/denied":
			rw.WriteHeader(http.StatusForbidden)
		default:
			http.NotFound(rw, r)
		}
	})
	f := w.fetcher(nil)
	for path, want := range map[string]source.Answer{
		"/ranges": {Size: 20, Head: content[:16]}, "/plain": {Size: 20, Head: content[:16]}, "/empty": {},
	} {
		got, err := f.Ask(t.Context(), w.server.URL+path)
		if err != nil || got.Size != want.Size || !bytes.Equal(got.Head, want.Head) {
			t.Errorf("Ask(%s) = %d %q, %v; want %d %q", path, got.Size, got.Head, err, want.Size, want.Head)
		}
	}
	for path, want := range map[string]source.Trouble{"/none": source.Absent, "/denied": source.Denied} {
		if _, err := f.Ask(t.Context(), w.server.URL+path); source.TroubleOf(err) != want {
			t.Errorf("Ask(%s) = %v; want %s", path, err, want)
		}
	}
}

// TestNamesHandlerDoesNotWait: a fifo in a folder that is served is no file, and nobody waits for what comes out of it.
func TestNamesHandlerDoesNotWait(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	answer := httptest.NewRecorder()
	source.NamesHandler(root.FS(), nil).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/fifo", nil))
	if answer.Code != http.StatusNotFound {
		t.Errorf("GET of a fifo = %d; want 404", answer.Code)
	}
	answer = httptest.NewRecorder()
	source.NamesHandler(fstest.MapFS{"a": {Data: []byte("A")}}, nil).ServeHTTP(answer, httptest.NewRequest(http.MethodPut, "/a", nil))
	if answer.Code != http.StatusMethodNotAllowed {
		t.Errorf("PUT = %d; want 405", answer.Code)
	}
}
