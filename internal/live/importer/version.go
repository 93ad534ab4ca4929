// SPDX-License-Identifier: MIT

package importer

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/rung-build/rung/internal/format/payload"
)

var (
	// comment is a comment of C, or a text in quotes, which says nothing of the code.
	comment = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"`)
	// wide and narrow are the names that programs give to what reads a number of 64 or 32 bits.
	wide   = regexp.MustCompile(`\b\w*(?:u|uint|le|LE|U|UINT)_?64\w*\b`)
	narrow = regexp.MustCompile(`\b\w*(?:u|uint|le|LE|U|UINT)_?32\w*\b`)
)

// VersionOf tells which version of payloads an importer reads, from its source in C: the two versions have one magic, so
// that only the importer of a checkout says which it needs. Ours reads both. One that reads numbers of 64 bits may do so
// in halves; one in which neither can be seen is an error, and the user has to say it.
func VersionOf(source string) (payload.Version, error) {
	own, err := fs.ReadFile(Files(), Package+"/src/payload-import.c")
	if err != nil {
		return 0, fmt.Errorf("payload-import: %w", err)
	}
	code := comment.ReplaceAllString(source, " ")
	switch {
	case source == string(own), wide.MatchString(code):
		return payload.U64, nil
	case narrow.MatchString(code):
		return payload.U32, nil
	}
	return 0, fmt.Errorf("payload-import: its source does not show whether it reads numbers of 4 or of 8 bytes: %s",
		strings.Join([]string{payload.U32.String(), payload.U64.String()}, " or "))
}
