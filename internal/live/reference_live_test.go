// SPDX-License-Identifier: MIT

//go:build live

package live_test

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/format/srcfs"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/need"
)

// TestImageOfRootfs: R4, R43, R44: the image of a real checkout, $RUNG_LIVE_CHECKOUT, has entry for entry what the image
// of its own rootfs.py has, with distfiles of a line each in place of the real ones.
func TestImageOfRootfs(t *testing.T) {
	python := need.Tool(t, "python3")
	dir := filepath.Join(t.TempDir(), "checkout")
	if out, err := exec.Command("cp", "-r", os.Getenv("RUNG_LIVE_CHECKOUT"), dir).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
	shrink(t, dir)
	theirs := filepath.Join(t.TempDir(), "target")
	cmd := exec.Command(python, "rootfs.py", "--qemu", "-qc", "true", "-m", "https://m.example/d", "-t", theirs)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rootfs.py: %v: %s", err, out)
	}
	o := options(live.QEMU, into(t, nil))
	c := open(t, dir)
	held := c.Hold(nil)
	if _, err := (live.Builder{Held: held}).Build(t.Context(), mustPlan(t, c, o, held)); err != nil {
		t.Fatal(err)
	}
	want, got := decoded(t, filepath.Join(theirs, "init.img")), decoded(t, filepath.Join(o.Target, "init.img"))
	if d := cmp.Diff(want.Trailer, got.Trailer); d != "" || !want.Tree.Equal(got.Tree) || want.Boot.Start() != got.Boot.Start() {
		t.Errorf("image: %s; commands (-want +got):\n%s", want.Tree.Diff(got.Tree), d)
	}
}

func decoded(t *testing.T, name string) srcfs.Image {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := srcfs.Decode(f, srcfs.Limits{Files: 20_000, Bytes: 1 << 30}, formattest.Blobs{}.Put)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// shrink gives a checkout distfiles of a line each, and sources files that want these.
func shrink(t *testing.T, dir string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "steps/*/sources"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no sources (%v)", err)
	}
	for _, name := range all {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var lines strings.Builder
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			sum := 2
			if words[0] == "g" || words[0] == "git" {
				sum = 3
			}
			file := path.Base(words[sum-1])
			if len(words) > sum+1 {
				file = words[sum+1]
			}
			content := served{}.content(file)
			words[sum] = digest.Of([]byte(content)).Hex()
			write(t, filepath.Join(dir, "distfiles", file), content)
			fmt.Fprintln(&lines, strings.Join(words, " "))
		}
		write(t, name, lines.String())
	}
}
