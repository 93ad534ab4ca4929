// SPDX-License-Identifier: MIT

package rung_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// sound is a house that keeps every rule. Each case of TestPolicyFindsWhatIsPlanted changes a file of it.
func sound() map[string]string {
	return map[string]string{
		".gitignore":           "/build/\n*.prof\n",
		"build/junk/x.go":      "ignored, so that it is no trouble",
		"README.md":            "# rung\n\n[one](docs/dependencies.md)\n",
		"docs/dependencies.md": "# Dependencies\n\n| `go.starlark.net` | definitions |\n",
		"go.mod":               "module " + modulePath + "\n\nrequire go.starlark.net v0.1.0\n",
		"seed/chain.star":      "# SPDX-License-Identifier: MIT\n",
		"seed/amd64/hex0-seed": "\x7fELF",
		"internal/tree/tree.go": header("tree", "Package tree is a value.", "internal/digest") +
			"// Tree is one.\ntype Tree struct{}\n\nvar names = []string{`a`}\n\nfunc f() { names := 1; names++ }\n",
		"internal/chain/chain.go": header("chain", "Package chain runs.", "go.starlark.net/starlark", "internal/tree"),
		"internal/cli/cli.go":     header("cli", "Package cli prints.", "os", "internal/chain") + "var _ = os.Exit\n",
	}
}

// header is the beginning of a Go file. Imports that begin with internal/ are ours.
func header(pkg, doc string, imports ...string) string {
	text := "// SPDX-License-Identifier: MIT\n\n"
	if doc != "" {
		text += "// " + doc + "\n"
	}
	text += "package " + pkg + "\n\n"
	for _, p := range imports {
		if strings.HasPrefix(p, "internal/") {
			p = modulePath + "/" + p
		}
		text += "import \"" + p + "\"\n"
	}
	return text
}

// planted is a change to the sound house, and part of the complaint that it leads to.
type planted struct{ rule, file, text, want string }

func plantings() []planted {
	tree := header("tree", "")
	return []planted{
		{"rooms", "internal/format/cpio/cpio.go", header("cpio", "Package cpio.", "internal/format/tarball"),
			"may not import internal/format/tarball"},
		{"rooms", "internal/tree/bad.go", header("tree", "", "internal/store"),
			"the way there:\n\tinternal/cli\n\tinternal/chain\n\tinternal/tree\n\tinternal/store"},
		{"rooms", "internal/machine/qemu/qemu.go", header("qemu", "Package qemu.", "internal/machine/sandbox"), "no driver"},
		{"rooms", "internal/machine/qemu/qemu.go", header("qemu", "Package qemu.", "internal/ledger"), "no ledger"},
		{"rooms", "internal/new/new.go", header("new", "Package new."), "no row of rooms() matches internal/new"},
		{"rooms", "rung.go", header("rung", "Package rung."), "the root holds no Go but tests"},
		{"closed packages", "internal/store/bad.go", header("store", "Package store.", "crypto/sha256"), "one place says what names bytes"},
		{"closed packages", "internal/format/cpio/cpio.go", header("cpio", "Package cpio.", "os"), "may not import os"},
		{"closed packages", "internal/chain/bad.go", header("chain", "", "testing"), "may not import testing"},
		{"closed packages", "internal/tree/bad.go", header("tree", "", "C"), "without a C compiler"},
		{"names of rooms", "internal/util/util.go", header("util", "Package util."), "util says nothing"},
		{"edge words", "internal/chain/bad.go", header("chain", "", "time") + "var f = time.Now\n", "time.Now: times enter"},
		{"edge words", "internal/chain/bad.go", header("chain", "", "fmt") + "func f() { fmt.Println() }\n", "chain/bad.go:6: fmt.Println"},
		{"edge words", "internal/need/need.go", header("need", "Package need."), "os.Getenv: the exception is not needed"},
		{"skips", "internal/tree/tree_test.go", tree + "func f(t *testing.T) { t.Skip() }\n", "use internal/need"},
		{"init", "internal/tree/bad.go", tree + "func init() {}\n", "func init"},
		{"init", "internal/tree/bad.go", header("tree", "") + "import _ \"image/png\"\n", "image/png for what its init does"},
		{"package variables", "internal/tree/bad.go", tree + "func g() { names[0] = `b` }\n", "writes to the package variable names"},
		{"package variables", "internal/tree/bad.go", header("tree", "", "sync") + "var mu sync.Mutex\n", "type Mutex is there to change"},
		{"compiler directives", "internal/tree/bad.go", tree + "//go:linkname now time.now\nfunc now()\n", "linkname"},
		{"sizes", "internal/tree/bad.go", tree + strings.Repeat("\n", 400), "404 lines; want at most 400"},
		{"sizes", "internal/tree/bad.go", tree + "func f() {" + strings.Repeat("\n", 60) + "}\n", "f has 61 lines"},
		{"package comments", "internal/new/new.go", header("new", ""), "internal/new: no file has a package comment"},
		{"exported names", "internal/tree/bad.go", tree + "func Walk() {}\n", "Walk has no comment"},
		{"exported names", "internal/tree/bad.go", tree + "type (\n\tKind int\n)\n", "Kind has no comment"},
		{"markers of unfinished work", "internal/tree/bad.go", tree + "// TO" + "DO: all of it\n", "TO" + "DO"},
		{"licence headers", "seed/amd64/M0.hex2", "7F\n", "no line with SPDX"},
		{"licence headers", ".ci/run", "#!/bin/sh\n", "no line with SPDX"},
		{"seed", "seed/amd64/hex1", "", "no row of seedKinds()"},
		{"seed", "seed/catm.P1", "# \u00e9\n", "byte 2 is no printable ASCII"},
		{"executables", "docs/run.md", "#!/bin/sh\n", "no row of executables() names it"},
		{"go.mod", "go.mod", "module x\n\nreplace a => b\n", "replace a => b"},
		{"dependencies", "internal/chain/bad.go", header("chain", "", "example.org/x"), "imports example.org/x"},
		{"dependencies", "docs/dependencies.md", "| `go.starlark.net` | why |\n| `example.org/x` | why |\n", "nothing imports example.org/x"},
		{"corpora", "internal/tree/testdata/empty/", "", "testdata/empty: holds no file"},
		{"fuzz targets", "internal/tree/fuzz_test.go", tree + "func FuzzTree(f *testing.F) {}\n", "FuzzTree adds no seed"},
		{"links", "docs/a.md", "[gone](b.md)\n", "leads to docs/b.md, which does not exist"},
		{"links", "docs/a.md", "[gone](#no)\n\n# Yes\n", "#no, which has no such heading"},
		{"pages", "docs/a.md", "alone\n", "no way leads here"},
		{"places", "docs/a.md", "see /home/me\n", "docs/a.md:1: names the folder"},
	}
}

func TestPolicyFindsWhatIsPlanted(t *testing.T) {
	for _, test := range plantings() {
		broken := checkPlanted(t, test.rule, test.file, test.text)
		if len(broken) == 0 || !strings.Contains(strings.Join(broken, "\n"), test.want) {
			t.Errorf("%s, with %s planted: %q; want a complaint with %q", test.rule, test.file, broken, test.want)
		}
	}
}

// TestPolicyAcceptsASoundHouse also wants that every rule has been seen to break.
func TestPolicyAcceptsASoundHouse(t *testing.T) {
	for _, r := range rules() {
		if broken := checkPlanted(t, r.name, "README.md", sound()["README.md"]); len(broken) > 0 {
			t.Errorf("%s, in a sound house: %q; want nothing", r.name, broken)
		}
		if r.why == "" {
			t.Errorf("%s: no reason", r.name)
		}
		if !slices.ContainsFunc(plantings(), func(p planted) bool { return p.rule == r.name }) {
			t.Errorf("%s: no planting breaks it", r.name)
		}
	}
}

// checkPlanted checks a rule in a sound house with one file changed. A name that ends with a slash plants a folder, a
// text that begins as a script's does a file that can be run.
func checkPlanted(t *testing.T, name, changed, text string) []string {
	t.Helper()
	texts := sound()
	texts[changed] = text
	files := fstest.MapFS{}
	for name, text := range texts {
		f := &fstest.MapFile{Data: []byte(text), Mode: 0o644}
		if strings.HasPrefix(text, "#!") {
			f.Mode = 0o755
		}
		if dir, ok := strings.CutSuffix(name, "/"); ok {
			name, f.Mode = dir, fs.ModeDir|0o755
		}
		files[name] = f
	}
	h, err := enter(files)
	if err != nil {
		t.Fatalf("entering with %s: %v", changed, err)
	}
	for _, r := range rules() {
		if r.name == name {
			return r.check(h)
		}
	}
	t.Fatalf("no rule %q", name)
	return nil
}
