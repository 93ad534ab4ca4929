// SPDX-License-Identifier: MIT

package audit

import (
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/seedlang"
)

// FuzzDisassemble wants a listing to account for every byte of a program in which nothing is wrong.
func FuzzDisassemble(f *testing.F) {
	sound := 0
	for name, text := range seedChain(f, "amd64").Texts {
		if !strings.Contains(name, ".hex") {
			continue
		}
		f.Add(strings.HasSuffix(name, ".hex2"), text.Bytes)
		if _, problems := Disassemble("amd64", name, text.Bytes); len(problems) == 0 {
			sound++
		}
	}
	if sound == 0 {
		f.Fatal("no listing of the seed is sound; want all")
	}
	f.Fuzz(func(t *testing.T, hex2 bool, text []byte) {
		name, lang := "x.hex0", seedlang.Hex0
		if hex2 {
			name, lang = "x.hex2", seedlang.Hex2
		}
		l, problems := Disassemble("amd64", name, text)
		if len(problems) > 0 {
			return
		}
		program, _, err := seedlang.Assemble(lang, seedlang.Base, seedlang.Source{Name: name, Text: text})
		if err != nil || l == nil || l.Code+l.Data != len(program) {
			t.Errorf("Disassemble(%q) = %+v; want all of %d bytes, %v", text, l, len(program), err)
		}
	})
}
