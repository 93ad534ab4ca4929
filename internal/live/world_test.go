// SPDX-License-Identifier: MIT

package live_test

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/live/distfile"
)

// update writes golden files anew: go test ./internal/live -update.
var update = flag.Bool("update", false, "write the golden files anew")

// served holds every distfile of the checkout in testdata: its content is "distfile NAME" and a line feed.
type served map[string]string

func (s served) content(name string) string {
	if content, ok := s[name]; ok {
		return content
	}
	return "distfile " + name + "\n"
}

func (s served) Size(f distfile.File) (int64, bool) { return int64(len(s.content(f.Name))), true }

func (s served) Open(f distfile.File) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(s.content(f.Name))), nil
}

// nothing holds no distfile.
type nothing struct{}

func (nothing) Size(distfile.File) (int64, bool)          { return 0, false }
func (nothing) Open(distfile.File) (io.ReadCloser, error) { return nil, os.ErrNotExist }

// checkout copies the checkout in testdata, and lays forks over it.
func checkout(t testing.TB, overlays ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "checkout")
	for _, from := range append([]string{"testdata/checkout"}, overlays...) {
		err := filepath.WalkDir(from, func(name string, e os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(from, name)
			if err != nil {
				return err
			}
			to := filepath.Join(dir, rel)
			if e.IsDir() {
				return os.MkdirAll(to, 0o755)
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			return os.WriteFile(to, b, 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t testing.TB, dir string) *live.Checkout {
	t.Helper()
	c, err := live.Open(dir)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return c
}

// options are those that rootfs.py has without flags, in a mode, changed by a function.
func options(mode live.Mode, change func(*live.Options)) live.Options {
	o := live.Options{Mode: mode, Arch: "x86", Target: "/target", Cores: 2, QEMUCommand: "qemu-system-x86_64",
		Mirrors: []string{"https://m.example/d"}}
	if mode == live.QEMU {
		o.TargetSize, o.RAM = 16<<10, 4096
	}
	if change != nil {
		change(&o)
	}
	return o
}

func mustPlan(t testing.TB, c *live.Checkout, o live.Options, held live.Distfiles) *live.Plan {
	t.Helper()
	c, err := c.With(o)
	if err != nil {
		t.Fatalf("With: %v", err)
	}
	p, err := c.Plan(o, held)
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	return p
}

// wantFault checks an error's kind and that its text and hint have some words.
func wantFault(t *testing.T, doing string, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Errorf("%s: error %v (%v); want %v", doing, err, fault.KindOf(err), kind)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error()+"\n"+fault.HintOf(err), w) {
			t.Errorf("%s: error %q, hint %q; want %q in it", doing, err, fault.HintOf(err), w)
		}
	}
	if fault.HintOf(err) == "" {
		t.Errorf("%s: error %q has no hint", doing, err)
	}
}

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
