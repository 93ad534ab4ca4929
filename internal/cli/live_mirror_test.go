// SPDX-License-Identifier: MIT

package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/cli"
)

// TestLiveMirrorServes (R24): a mirror that was filled is served until the interrupt, and the status is that of filling
// it.
func TestLiveMirrorServes(t *testing.T) {
	checkout, dir := filepath.Join(t.TempDir(), "checkout"), t.TempDir()
	for name, text := range map[string]string{
		"steps/manifest": "build: a\n", "steps/a/sources": "f _ " + strings.Repeat("a", 64) + " one\n", "seed/stage0-posix/x": "x",
	} {
		name = filepath.Join(checkout, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "other"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	status := make(chan int, 1)
	go func() {
		var stdout bytes.Buffer
		status <- cli.Main(ctx, []string{"live", "mirror", checkout, dir, "--git=false", "--serve", "127.0.0.1:0", "--store", t.TempDir()},
			nil, &stdout, w, func(string) string { return "" })
		w.Close()
	}()
	for lines := bufio.NewScanner(r); lines.Scan(); {
		_, url, found := strings.Cut(lines.Text(), "serving "+dir+" at ")
		if !found {
			continue
		}
		response, err := http.Get(url + "other")
		if err != nil {
			t.Error(err)
		} else {
			text, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if string(text) != "content" {
				t.Errorf("GET = %q; want the file", text)
			}
		}
		cancel()
	}
	if got := <-status; got != 7 {
		t.Errorf("status %d; want 7, for the file that nobody has", got)
	}
}
