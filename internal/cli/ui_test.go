// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine/console"
)

func TestComplainShowsTheConsole(t *testing.T) {
	trouble := console.Trouble{Kind: fault.Panic, Text: "kernel panic: x", Tail: []string{"a", "b\x1b"}}
	whole := digest.Of([]byte("a\nb\n"))
	var stdout, stderr bytes.Buffer
	a := &app{stdout: &stdout, stderr: &stderr, json: true, color: "never", env: func(string) string { return "" }}
	a.complain(fmt.Errorf("stage %q: %w", "boot1", trouble.Fault(whole)))
	want := "error: stage \"boot1\": kernel panic: x\n  | a\n  | b\uFFFD\nhint: --kernel gives the machine another kernel\n"
	if diff := cmp.Diff(want, stderr.String()); diff != "" {
		t.Errorf("stderr differs (-want +got):\n%s", diff)
	}
	var got complaint
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if e := got.Error; e.Kind != "kernel panic" || e.Exit != 8 || e.Log != whole || !cmp.Equal(e.Tail, trouble.Tail) {
		t.Errorf("as JSON: %+v; want a kernel panic, 8, %v and %q", e, whole, trouble.Tail)
	}
}
