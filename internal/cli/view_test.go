// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rung-build/rung/internal/chain"
)

// TestViewRedrawsItsBlock draws on something that does not know its size, and so counts as 80 by 24.
func TestViewRedrawsItsBlock(t *testing.T) {
	screen, err := os.Create(filepath.Join(t.TempDir(), "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	var b bytes.Buffer
	a := &app{stderr: &b, color: "never", env: func(string) string { return "" }}
	v := &view{app: a, screen: screen, stop: make(chan struct{})}
	done := func(name string) chain.StageDone {
		return chain.StageDone{Done: chain.Done{Stage: chain.Stage{Name: name}}}
	}
	long := "a word that makes the line of the stage longer than the eighty characters of a terminal"
	v.tell(chain.StageStarted{Stage: "a", Steps: 3})
	v.tell(chain.StepStarted{Stage: "a", Step: 1, Argv: []string{"x", long}})
	v.tell(chain.StageStarted{Stage: "b", Steps: 1})
	v.draw("")
	v.tell(done("a"))
	v.tell(chain.StageHealing{Stage: "b", Cause: errors.New("cut")})
	v.close()
	got := regexp.MustCompile(`\d\.\d\d s`).ReplaceAllString(b.String(), "T")
	want := "a  step 2 of 3  T  x a word that makes the line of the stage longer than t\n" + // 79 characters with "0.00 s"
		"b  step 0 of 1  T  \n" +
		"\x1b[2A\x1b[J" + "a: done in T\n" + "b  step 0 of 1  T  \n" +
		"\x1b[1A\x1b[J" + "b: healing: cut\n" + "b  step 0 of 1  T  \n" +
		"\x1b[1A\x1b[J"
	if got != want {
		t.Errorf("the view wrote %q; want %q", got, want)
	}
}

func TestPrintableKeepsTheTerminalSafe(t *testing.T) {
	if got, want := printable("a\tb\x1b[31mc\u009bd\x7f"), "a\tb\uFFFD[31mc\uFFFDd\uFFFD"; got != want {
		t.Errorf("printable() = %q; want %q", got, want)
	}
}
