// SPDX-License-Identifier: MIT

package chain

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const languageDoc = "../../docs/chain-language.md"

func TestDocumentedExampleLoads(t *testing.T) {
	doc, err := os.ReadFile(languageDoc)
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(doc), "\n\n    ")
	example, _, _ = strings.Cut(example, "\n\n## ")
	example = strings.ReplaceAll("\n"+example, "\n    ", "\n")
	files := fstest.MapFS{"chain.star": {Data: []byte(example)}}
	for _, name := range []string{"hex0-seed", "hex0.hex0", "linker.hex0"} {
		files["amd64/"+name] = &fstest.MapFile{}
	}
	plan, err := Load("doc", files, "amd64")
	if err != nil || len(plan.Stages) != 2 {
		t.Errorf("Load(the example of %s) = %+v, %v; want two stages\n%s", languageDoc, plan, err, example)
	}
}

func TestEveryBuiltinIsDocumented(t *testing.T) {
	doc, err := os.ReadFile(languageDoc)
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^### `([a-z]+)").FindAllStringSubmatch(string(doc), -1) {
		documented = append(documented, m[1])
	}
	slices.Sort(documented)
	if known := sortedKeys(predeclared("", &evaluator{})); !slices.Equal(known, documented) {
		t.Errorf("%s tells of %q; the language has %q", languageDoc, documented, known)
	}
}
