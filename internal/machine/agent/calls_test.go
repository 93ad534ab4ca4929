// SPDX-License-Identifier: MIT

package agent

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/seed"
)

func TestSeedCallsAreThoseOfTheSeed(t *testing.T) {
	text, err := fs.ReadFile(seed.Files(), "SYSCALLS")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			want = append(want, line)
		}
	}
	for _, c := range seedCalls() {
		got = append(got, c.name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("seedCalls (-seed/SYSCALLS +got):\n%s", diff)
	}
}
