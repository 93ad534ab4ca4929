// SPDX-License-Identifier: MIT

package audit

import (
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// DecodeHex0 decodes hex0 text in a few lines that use no assembler, as sed and xxd would.
func DecodeHex0(text []byte) ([]byte, error) {
	digits := regexp.MustCompile(`[#;].*|\s`).ReplaceAll(text, nil)
	b, err := hex.DecodeString(string(digits))
	if err != nil {
		return nil, fmt.Errorf("decoding hex digits: %w", err)
	}
	return b, nil
}

// textOf names the text of a binary program: DIR/NAME.hex0 for DIR/NAME-seed.
func textOf(program string) string {
	dir, name := path.Split(program)
	return dir + strings.TrimSuffix(name, "-seed") + ".hex0"
}
