// SPDX-License-Identifier: MIT

package chain

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/rung-build/rung/internal/fault"
)

// Answers holds the expected SHA-256 of artefacts, 64 lower-case hex digits, by STAGE/PATH.
type Answers map[string]string

var answerLine = regexp.MustCompile(`^([0-9a-f]{64})  ([^ ].*)$`)

// ParseAnswers reads a file in the form of sha256sum: 64 lower-case hex digits, two blanks, the artefact as STAGE/PATH.
// Lines that start with # are comments, as they are to sha256sum. Every line ends with a newline, and none names an
// artefact again. The name is for messages; an error is a fault of kind Usage that says NAME:LINE:COLUMN.
func ParseAnswers(name string, text []byte) (Answers, error) {
	answers := Answers{}
	for n := 1; len(text) > 0; n++ {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		if !ended {
			return nil, fault.New(fault.Usage, "%s:%d:%d: the last line does not end with a newline", name, n, len(line)+1)
		}
		text = rest
		if bytes.HasPrefix(line, []byte("#")) {
			continue
		}
		if column, err := answers.add(string(line)); err != nil {
			return nil, fault.New(fault.Usage, "%s:%d:%d: %w", name, n, column, err)
		}
	}
	return answers, nil
}

// add takes one line; where it is wrong, the column says where.
func (a Answers) add(line string) (column int, err error) {
	m := answerLine.FindStringSubmatch(line)
	if m == nil {
		return 1, fmt.Errorf("want 64 lower-case hex digits, two blanks and STAGE/NAME, not %q", clip(line, 100))
	}
	const nameColumn = 67
	if ref, ok := parseRef(m[2]); !ok || ref.Stage == "" {
		return nameColumn, fmt.Errorf("%q is not STAGE/NAME", clip(m[2], 100))
	}
	if _, twice := a[m[2]]; twice {
		return nameColumn, fmt.Errorf("%q has an answer already", m[2])
	}
	a[m[2]] = m[1]
	return 0, nil
}

// clip shortens a text for a message.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}
