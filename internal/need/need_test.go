// SPDX-License-Identifier: MIT

package need_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/need"
)

// recorder is a test that only remembers how it ended first: a real one ends there.
type recorder struct {
	testing.TB
	ended string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) { r.end("fail: " + fmt.Sprintf(format, args...)) }

func (r *recorder) Skipf(format string, args ...any) { r.end("skip: " + fmt.Sprintf(format, args...)) }

func (r *recorder) end(how string) {
	if r.ended == "" {
		r.ended = how
	}
}

func TestMissingThingsSkipOrFail(t *testing.T) {
	here := runtime.GOOS + " on " + runtime.GOARCH
	for _, test := range []struct {
		name       string
		need       func(testing.TB)
		bare, full string // how it ends without and with RUNG_NO_SKIP
	}{
		{"a tool that is there", func(t testing.TB) { need.Tool(t, "go") }, "", ""},
		{"a tool that is missing", func(t testing.TB) { need.Tool(t, "no-such-tool") },
			"skip: needs the program no-such-tool",
			"fail: RUNG_NO_SKIP is set, and this test needs the program no-such-tool"},
		{"the host's architecture", func(t testing.TB) { need.Arch(t, "other", runtime.GOARCH) }, "", ""},
		{"another architecture", func(t testing.TB) { need.Arch(t, "pdp11") },
			"skip: needs Linux on pdp11, and this is " + here, "skip: needs Linux on pdp11, and this is " + here},
		{"something else", func(t testing.TB) { need.Unmet(t, "%s: %d", "luck", 7) },
			"skip: needs luck: 7", "fail: RUNG_NO_SKIP is set, and this test needs luck: 7"},
	} {
		for value, want := range map[string]string{"": test.bare, "1": test.full} {
			t.Setenv(need.NoSkip, value)
			r := &recorder{TB: t}
			if test.need(r); r.ended != want {
				t.Errorf("%s, with %s=%q: ended = %q; want %q", test.name, need.NoSkip, value, r.ended, want)
			}
		}
	}
}

func TestKernelIsTheNewest(t *testing.T) {
	cache := t.TempDir()
	boot := filepath.Join(cache, "rung/kernel/boot")
	if err := os.MkdirAll(boot, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv(need.KernelFile, "")
	t.Setenv(need.NoSkip, "")
	r := &recorder{TB: t}
	need.Kernel(r)
	if want := "skip: needs a Linux kernel in " + boot + ", or named by RUNG_KERNEL"; r.ended != want {
		t.Errorf("without one: ended = %q; want %q", r.ended, want)
	}
	for day, name := range []string{"vmlinuz-6.1.0-9", "vmlinuz-6.1.0-10", "System.map-6.1.0-10"} {
		path := filepath.Join(boot, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(day)*86400, 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := need.Kernel(t), filepath.Join(boot, "vmlinuz-6.1.0-10"); got != want {
		t.Errorf("Kernel() = %q; want %q", got, want)
	}
	named := filepath.Join(boot, "System.map-6.1.0-10")
	t.Setenv(need.KernelFile, named)
	if got := need.Kernel(t); got != named {
		t.Errorf("with %s: Kernel() = %q; want %q", need.KernelFile, got, named)
	}
	t.Setenv(need.KernelFile, filepath.Join(cache, "absent"))
	r = &recorder{TB: t}
	need.Kernel(r)
	want := "skip: needs the Linux kernel that RUNG_KERNEL names: stat " + cache + "/absent: no such file or directory"
	if r.ended != want {
		t.Errorf("with %s=absent: ended = %q; want %q", need.KernelFile, r.ended, want)
	}
}
