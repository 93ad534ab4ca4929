// SPDX-License-Identifier: MIT

package audit

import (
	"bytes"
	"path"
	"regexp"
	"strings"
)

// licenceName is how files are called that hold a licence.
var licenceName = regexp.MustCompile(`(?i)^(un)?(copying|licen[cs]e|copyright|artistic|notice|gpl|lgpl|agpl|mit|bsd|apache)([._-].*|)$`)

// licenceDepth is how many folders deep a licence of the whole distfile may lie.
const licenceDepth = 3

// nonFree are words of licences that allow less than a free one: of trade, of changes, of use. The GPL speaks of
// noncommercial distribution, so that the word alone says nothing.
func nonFree() []string {
	return []string{
		"for non-commercial use only", "for noncommercial use only", "non-commercial use only", "noncommercial use only",
		"not for commercial use", "no commercial use", "commercial use is prohibited", "commercial use is not permitted",
		"may not be used for commercial", "non-commercial purposes only", "noncommercial purposes only",
		"for evaluation purposes only", "for evaluation only", "attribution-noncommercial", "cc by-nc", "cc-by-nc",
		"attribution-noderiv", "cc by-nd", "cc-by-nd", "modification is not permitted", "may not be modified",
		"may not be sold for profit",
	}
}

// licence looks whether a file holds a licence, and whether that is a free one. In a distfile that is one plain file a
// word of a licence will do.
func (l *look) licence(name string, head []byte) {
	named := licenceName.MatchString(path.Base(name)) && strings.Count(name, "/") <= licenceDepth ||
		strings.Contains(name, "/LICENSES/")
	alone := name == l.name
	if !named && !alone {
		return
	}
	flat := strings.ToLower(string(bytes.Join(bytes.Fields(head), []byte(" "))))
	for _, words := range nonFree() {
		if strings.Contains(flat, words) {
			l.add(Finding{NonFree, High, name, "its licence says \"" + words + "\"", ""})
			break
		}
	}
	if named || strings.Contains(flat, "licen") || strings.Contains(flat, "copyright") || strings.Contains(flat, "terms of use") ||
		strings.Contains(flat, "public domain") {
		l.licensed = true
	}
}
