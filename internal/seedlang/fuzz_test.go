// SPDX-License-Identifier: MIT

package seedlang

import (
	"bytes"
	"io/fs"
	"path"
	"testing"

	"github.com/rung-build/rung/seed"
)

// subsets lists which language is a subset of which.
var subsets = [][2]Lang{{Hex0, Hex2}, {Hex2, M0}, {Hex2, Hex2pp}, {M0, M1pp}, {Hex2pp, M1pp}}

// seedTexts gives the texts of the seed by path.
func seedTexts(tb testing.TB) map[string][]byte {
	tb.Helper()
	texts := map[string][]byte{}
	err := fs.WalkDir(seed.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch path.Ext(name) {
		case ".hex0", ".hex2", ".M0", ".M1", ".P1", ".M1pp", ".scm":
			texts[name], err = fs.ReadFile(seed.Files(), name)
		}
		return err
	})
	if err != nil || len(texts) == 0 {
		tb.Fatalf("the seed has %d texts, %v; want some", len(texts), err)
	}
	return texts
}

// checkSubsets wants a text of any language to mean the same in the languages above.
func checkSubsets(t *testing.T, text []byte) (assembled int) {
	t.Helper()
	for _, pair := range subsets {
		low, _, err := Assemble(pair[0], Base, Source{"a", text})
		if err != nil {
			continue
		}
		assembled++
		high, m, err := Assemble(pair[1], Base, Source{"a", text})
		if err != nil || !bytes.Equal(low, high) {
			t.Errorf("Assemble(%s, %q) = %x, %v; want %x, as %s gives", pair[1], text, high, err, low, pair[0])
			continue
		}
		if end := m.end() - m.Base; end != uint64(len(high)) {
			t.Errorf("Assemble(%s, %q): the map has %d bytes; want %d", pair[1], text, end, len(high))
		}
	}
	return assembled
}

func FuzzSubsets(f *testing.F) {
	ok := 0
	for _, text := range seedTexts(f) {
		f.Add(text)
		if _, _, err := Assemble(M1pp, Base, Source{"a", text}); err == nil {
			ok++
		}
	}
	if ok == 0 {
		f.Fatal("no text of the seed assembles; want at least hex0.hex0")
	}
	f.Add([]byte("macro m 2 .$1 $2 :a.$1 end m 1 5 m 2 -1 %a.1>a.2 \"q\""))
	f.Add([]byte(":a :.x !.x <8 @a"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 1<<14 {
			checkSubsets(t, text)
		}
	})
}

func FuzzCheckScheme(f *testing.F) {
	f.Add([]byte("(define (f . x) `(,x ,@y \"a\\n\" #\\( #(1) #u8(2) #;z |s t|)) #| a |# ; b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if CheckScheme(Source{"a", text}) != nil {
			return
		}
		if err := CheckScheme(Source{"a", append(append([]byte("("), text...), "\n)"...)}); err != nil {
			t.Errorf("CheckScheme(%q in parentheses) = %v; want nil, as for the text itself", text, err)
		}
	})
}

func TestSeedTextsAssembleOnTheRungsAbove(t *testing.T) {
	texts := seedTexts(t)
	for name, text := range texts {
		if ext := path.Ext(name); ext != ".hex0" && ext != ".hex2" {
			continue
		}
		if checkSubsets(t, text) == 0 {
			t.Errorf("%s: no language takes it; want %s", name, path.Ext(name)[1:])
		}
	}
}

func TestSeedTextsAreClean(t *testing.T) {
	for name, text := range seedTexts(t) {
		if err := Lint(name, text); err != nil {
			t.Errorf("Lint(%s) = %v; want nil", name, err)
		}
	}
}
