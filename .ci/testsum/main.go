// SPDX-License-Identifier: MIT

// Command testsum makes what go test -json says short: a line a package, everything that a failed test printed, what
// skipped tests need, and one line of figures at the end.
//
//	go test -json ./... | go run ./.ci/testsum
//
// The status is 1 where a test or a package failed, or where no test ran.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is a line of go test -json, as go doc test2json has it.
type event struct {
	Action, Package, Test, Output, ImportPath string
}

// summary counts tests and subtests, and keeps what each printed until it is known to have passed.
type summary struct {
	passed, failed, skipped, packages int

	broken []string // packages that failed without a failed test
	said   map[string]*strings.Builder
	tests  map[string]int // failed tests by package
}

func main() {
	s := summary{said: map[string]*strings.Builder{}, tests: map[string]int{}}
	if err := s.read(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if s.failed > 0 || len(s.broken) > 0 || s.passed == 0 {
		os.Exit(1)
	}
}

func (s *summary) read(r io.Reader, w io.Writer) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(w, "%s", line) // go itself says something
			} else {
				s.take(e, w)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("reading events: %w", err)
		}
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped, in %d packages\n", s.passed, s.failed, s.skipped, s.packages)
	if len(s.broken) > 0 {
		fmt.Fprintf(w, "failed outside of a test: %s\n", strings.Join(s.broken, " "))
	}
	return nil
}

func (s *summary) take(e event, w io.Writer) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		if e.Test == "" && (strings.HasPrefix(e.Output, "ok ") || strings.HasPrefix(e.Output, "FAIL\t")) {
			fmt.Fprint(w, e.Output)
			return
		}
		if s.said[key] == nil {
			s.said[key] = &strings.Builder{}
		}
		s.said[key].WriteString(e.Output)
	case "build-output":
		fmt.Fprint(w, e.Output)
	case "pass", "fail", "skip":
		s.end(e, w, key)
		delete(s.said, key)
	}
}

func (s *summary) end(e event, w io.Writer, key string) {
	said := ""
	if b := s.said[key]; b != nil {
		said = b.String()
	}
	switch {
	case e.Test == "" && e.Action == "skip": // a package without tests
	case e.Test == "":
		s.packages++
		if e.Action == "fail" && s.tests[e.Package] == 0 {
			s.broken = append(s.broken, e.Package)
			fmt.Fprint(w, said)
		}
	case e.Action == "pass":
		s.passed++
	case e.Action == "fail":
		s.failed++
		s.tests[e.Package]++
		fmt.Fprint(w, said)
	default:
		s.skipped++
		fmt.Fprint(w, said)
	}
}
