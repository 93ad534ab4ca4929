// SPDX-License-Identifier: MIT

package need_test

import (
	"fmt"
	"runtime"
	"testing"

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
