// SPDX-License-Identifier: MIT

//go:build live

package distfile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/manifest"
	"github.com/rung-build/rung/internal/need"
)

// TestSourceManifestOfARealCheckout: the lines of the packages that a manifest builds are what the checkout's own
// source_manifest.py prints, in its order.
func TestSourceManifestOfARealCheckout(t *testing.T) {
	dir := os.Getenv("RUNG_LIVE_CHECKOUT")
	if dir == "" {
		need.Unmet(t, "a checkout of live-bootstrap in $RUNG_LIVE_CHECKOUT")
	}
	c := exec.CommandContext(t.Context(), need.Tool(t, "python3"), "-B", "source_manifest.py")
	c.Dir = dir
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "steps/manifest"))
	if err != nil {
		t.Fatal(err)
	}
	m, _ := manifest.Parse("steps/manifest", string(text))
	var got []string
	var lines []distfile.Distfile
	seen := map[string]bool{}
	for _, s := range m.Scan() {
		name := filepath.Join("steps", s.Package, "sources")
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		of, problems := distfile.Parse(name, s.Package, string(text))
		if err := problems.Err(); err != nil {
			t.Error(err)
		}
		for _, d := range of {
			url := d.URL
			if url == "" {
				url = "_"
			}
			if line := d.SHA256 + " distfiles " + url + " " + d.Name; !seen[line] {
				seen[line] = true
				got = append(got, line)
				lines = append(lines, d)
			}
		}
	}
	want := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the source manifest (-python +rung):\n%s", d)
	}
	files, problems := distfile.Files(lines)
	t.Logf("%d lines, %d files, %d problems", len(lines), len(files), len(problems))
	if len(problems) > 0 {
		t.Errorf("Files: %v", problems)
	}
}
