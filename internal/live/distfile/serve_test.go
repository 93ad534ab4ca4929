// SPDX-License-Identifier: MIT

package distfile_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/distfile"
)

// TestServeShowsFoldersOnLoopback (R24): a file:// mirror becomes a server on 127.0.0.1 that gives files by their names,
// whole and in part, and nothing else; other mirrors stay as they are.
func TestServeShowsFoldersOnLoopback(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "my mirror")
	for name, content := range map[string]string{"my mirror/a+b.tar": "0123456789", "my mirror/.lock": "l", "my mirror/sub/c": "c",
		"secret": "s"} {
		name = filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	folder := "file://" + strings.ReplaceAll(dir, " ", "%20")
	s, err := distfile.Serve(t.Context(), []string{"https://m.example/x/", folder, folder + "/"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Mirrors) != 3 || s.Mirrors[0] != "https://m.example/x" || !strings.HasPrefix(s.Mirrors[1], "http://127.0.0.1:") ||
		s.Mirrors[2] != s.Mirrors[1] {
		t.Fatalf("Mirrors = %q; want the folder on the loopback address, once", s.Mirrors)
	}
	for _, c := range []struct{ path, ask, want string }{
		{"/a+b.tar", "", "200 0123456789"}, {"/a%2Bb.tar", "bytes=3-5", "206 345"}, {"/a+b.tar", "bytes=99-", "416"},
		{"/", "", "404"}, {"/.lock", "", "404"}, {"/sub/c", "", "404"}, {"/link", "", "404"}, {"/../secret", "", "404"},
		{"/%2e%2e%2fsecret", "", "404"}, {"/none", "", "404"},
	} {
		if got := ask(t, s.Mirrors[1]+c.path, c.ask); !strings.HasPrefix(got, c.want) {
			t.Errorf("GET %s %s = %q; want %q", c.path, c.ask, got, c.want)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if _, err := http.Get(s.Mirrors[1] + "/a+b.tar"); err == nil {
		t.Error("the server answers after Close")
	}
}

func ask(t *testing.T, url, bytes string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bytes != "" {
		r.Header.Set("Range", bytes)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(response.Status[:3] + " " + string(text))
}

// TestServeEndsWithItsContext (R24): a failure elsewhere leaves no server behind that keeps the process.
func TestServeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := distfile.Serve(ctx, []string{"file://" + t.TempDir()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	done := make(chan error)
	go func() { done <- s.Close() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Close = %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the server goes on")
	}
}

func TestServeRefusesWhatIsNoFolder(t *testing.T) {
	for mirror, want := range map[string]fault.Kind{"file:///no/such/folder": fault.NotFound, "gopher://x": fault.Usage} {
		_, err := distfile.Serve(t.Context(), []string{"file://" + t.TempDir(), mirror}, nil)
		if fault.KindOf(err) != want {
			t.Errorf("Serve(%q) = %v; want %v", mirror, err, want)
		}
	}
}

// TestGuestAddress (R25): inside QEMU, and only there, 127.0.0.1 is 10.0.2.2; nothing else is rewritten.
func TestGuestAddress(t *testing.T) {
	for _, c := range []struct {
		mirror string
		qemu   bool
		want   string
	}{
		{"http://127.0.0.1:1234/x", true, "http://10.0.2.2:1234/x"},
		{"http://127.0.0.1:1234/x", false, "http://127.0.0.1:1234/x"},
		{"http://localhost:1234", true, "http://localhost:1234"},
		{"https://127.0.0.1/", true, "https://127.0.0.1/"},
		{"http://m.example/http://127.0.0.1", true, "http://m.example/http://127.0.0.1"},
	} {
		if got := distfile.GuestAddress(c.mirror, c.qemu); got != c.want {
			t.Errorf("GuestAddress(%q, %v) = %q; want %q", c.mirror, c.qemu, got, c.want)
		}
	}
}
