// SPDX-License-Identifier: MIT

package live_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// requirements is the number of the last requirement in docs/live-bootstrap.md.
const requirements = 79

// TestDocsNameTests wants a row for each requirement, in order, with tests that exist; where there is a dash in place of
// what is done, the reason stands in place of tests.
func TestDocsNameTests(t *testing.T) {
	text, err := os.ReadFile("../../docs/live-bootstrap.md")
	if err != nil {
		t.Fatal(err)
	}
	have := testNames(t)
	rows := regexp.MustCompile(`(?m)^\| R(\d+) \| (.+) \| (.+) \|$`).FindAllStringSubmatch(string(text), -1)
	if len(rows) != requirements {
		t.Fatalf("%d rows; want %d", len(rows), requirements)
	}
	name := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)\\w+)`")
	for i, row := range rows {
		if row[1] != strconv.Itoa(i+1) {
			t.Errorf("row %d is of R%s; want R%d", i, row[1], i+1)
		}
		named := name.FindAllStringSubmatch(row[3], -1)
		if (len(named) == 0) != (row[2] == "-") {
			t.Errorf("R%s: %q shown by %q; want tests, or a dash and a reason", row[1], row[2], row[3])
		}
		for _, n := range named {
			if !have[n[1]] {
				t.Errorf("R%s: no test %s", row[1], n[1])
			}
		}
	}
}

// testNames are the names of all tests of the project.
func testNames(t *testing.T) map[string]bool {
	names := map[string]bool{}
	pattern := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	err := filepath.WalkDir("..", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range pattern.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
