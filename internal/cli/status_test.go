// SPDX-License-Identifier: MIT

package cli_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/fault"
)

func TestExitStatusesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/exit-status.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented, known []string
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (.*?) ?\|`).FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, strings.TrimSpace(row[1]+" "+row[2]))
	}
	known = append(known, "0")
	for _, k := range fault.Kinds() {
		known = append(known, fmt.Sprintf("%d %s", k.ExitStatus(), k))
	}
	if diff := cmp.Diff(known, documented); diff != "" {
		t.Errorf("docs/exit-status.md differs from package fault (-code +docs):\n%s", diff)
	}
}
