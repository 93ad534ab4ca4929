// SPDX-License-Identifier: MIT

package live_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
)

// TestServeMirrorsKeepsPorts shows R24: a folder is shown on the loopback address, at the port that media already
// name.
func TestServeMirrorsKeepsPorts(t *testing.T) {
	dir, p := t.TempDir(), planIn(t, live.Chroot, nil)
	mirrors := []string{"file://" + dir, "https://m.example/d"}
	m, err := live.ServeMirrors(t.Context(), p.Options.Target, mirrors, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Addresses) != 2 || !strings.HasPrefix(m.Addresses[0], "http://127.0.0.1:") || m.Addresses[1] != mirrors[1] {
		t.Errorf("addresses %q; want the loopback, and the other as it was", m.Addresses)
	}
	r := runner(&fakeHost{})
	r.Ports = m.Ports
	mustRun(t, r, p)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := live.ServeMirrors(t.Context(), p.Options.Target, mirrors, nil)
	if err != nil || again.Addresses[0] != m.Addresses[0] {
		t.Fatalf("ServeMirrors, again: %v, %v; want %q", again, err, m.Addresses[0])
	}
	_, err = live.ServeMirrors(t.Context(), p.Options.Target, mirrors, nil)
	wantFault(t, "ServeMirrors at a port that is taken", err, fault.Unavailable, "port "+again.Ports[dir])
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestExportIsTheSame shows that two runs that made the same give the same archive (pain 13), and what is left out.
func TestExportIsTheSame(t *testing.T) {
	var sums []string
	for range 2 {
		p := planIn(t, live.Chroot, nil)
		file := filepath.Join(t.TempDir(), "x.tar")
		_, err := live.Export(t.Context(), p.Options.Target, file)
		wantFault(t, "Export of nothing", err, fault.NotFound)
		mustRun(t, runner(&fakeHost{console: consoleLines(p, 1000)}), p)
		if err := os.MkdirAll(filepath.Join(p.Options.Target, "tmp/rest"), 0o755); err != nil {
			t.Fatal(err)
		}
		x, err := live.Export(t.Context(), p.Options.Target, file)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(file)
		if err != nil || strings.Contains(string(b), "tmp/rest") || strings.Contains(string(b), "console.log") ||
			!strings.Contains(string(b), "steps/manifest") {
			t.Errorf("archive: %v; want steps/manifest, and neither tmp/rest nor console.log", err)
		}
		sums = append(sums, x.Digest.Hex())
	}
	if sums[0] != sums[1] {
		t.Errorf("digests %q; want them the same", sums)
	}
}
