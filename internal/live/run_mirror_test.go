// SPDX-License-Identifier: MIT

package live_test

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
	"github.com/rung-build/rung/internal/live"
)

// TestServeMirrorsOnLoopback (R24, R25): a file:// mirror becomes a server on 127.0.0.1 that gives files by their names,
// whole and in part, and nothing else; other mirrors stay as they are. The
// address is the one that scripts in a QEMU guest put 10.0.2.2 into: http://127.0.0.1, and not localhost.
func TestServeMirrorsOnLoopback(t *testing.T) {
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
	s, err := live.ServeMirrors(t.Context(), t.TempDir(), []string{"https://m.example/x/", folder, folder}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Addresses) != 3 || s.Addresses[0] != "https://m.example/x/" || !strings.HasPrefix(s.Addresses[1], "http://127.0.0.1:") ||
		s.Addresses[2] != s.Addresses[1] {
		t.Fatalf("Addresses = %q; want the folder on the loopback address, once", s.Addresses)
	}
	for _, c := range []struct{ path, ask, want string }{
		{"/a+b.tar", "", "200 0123456789"}, {"/a%2Bb.tar", "bytes=3-5", "206 345"}, {"/a+b.tar", "bytes=99-", "416"},
		{"/", "", "404"}, {"/.lock", "", "404"}, {"/sub/c", "", "404"}, {"/link", "", "404"}, {"/../secret", "", "404"},
		{"/%2e%2e%2fsecret", "", "404"}, {"/none", "", "404"},
	} {
		if got := ask(t, s.Addresses[1]+c.path, c.ask); !strings.HasPrefix(got, c.want) {
			t.Errorf("GET %s %s = %q; want %q", c.path, c.ask, got, c.want)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if _, err := http.Get(s.Addresses[1] + "/a+b.tar"); err == nil {
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

// TestServeMirrorsEndsWithItsContext (R24): a failure elsewhere leaves no server behind that keeps the process.
func TestServeMirrorsEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := live.ServeMirrors(ctx, t.TempDir(), []string{"file://" + t.TempDir()}, nil)
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

func TestServeMirrorsRefusesWhatIsNoFolder(t *testing.T) {
	_, err := live.ServeMirrors(t.Context(), t.TempDir(), []string{"file://" + t.TempDir(), "file:///no/such/folder"}, nil)
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("ServeMirrors = %v; want not found", err)
	}
}
