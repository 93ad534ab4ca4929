// SPDX-License-Identifier: MIT

package page

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/ledger"
)

func pageOf(t testing.TB, m Material) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := newReport(t, m).HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hostile is material in which everything that comes from files tries to be more than text.
func hostile(t testing.TB) Material {
	m := material(t)
	const evil = `x"'><script>alert(1)</script><img src=http://evil.example/>&amp;` + "\u202e\x1b[31m\x00"
	for i := range m.Runs {
		r := &m.Runs[i]
		r.Machine, r.Version = evil, evil
		for j := range r.Outputs {
			r.Outputs[j].Name += evil
		}
		r.Inputs = append(slices.Clone(r.Inputs), file(evil, "evil", "seed:"+evil), file("y"+evil, "evil", "gone"+evil+"/y"))
		r.Steps = append(slices.Clone(r.Steps), []string{evil, evil}, []string{"a b", ""})
		r.Same = append(slices.Clone(r.Same), [2]string{evil, evil})
	}
	m.Texts[0].Language, m.Rung, m.Go = evil, evil, evil
	m.Said[of("mid")] = evil + "\n" + evil
	m.Comparison = hostileComparison(evil)
	return m
}

// large is material with a stage of a thousand and more steps and several thousand files.
func large(t testing.TB) Material {
	m := material(t)
	mid := &m.Runs[3]
	for i := range 1300 {
		mid.Steps = append(mid.Steps, []string{"a", "-c", "-I", "include", fmt.Sprintf("src/some/where/file%d.c", i), "-o", fmt.Sprintf("file%d.o", i)})
	}
	objects := []string{"a", "-ar", "libc.a"}
	for i := range 5000 {
		name := fmt.Sprintf("src/some/where/file%d.c", i)
		objects = append(objects, name)
		mid.Inputs = append(mid.Inputs, file(name, name, "distfile:lib-1.tar.gz/"+name))
		mid.Outputs = append(mid.Outputs, file("inc/"+name, name, ""))
	}
	mid.Steps = append(mid.Steps, objects)
	return m
}

func TestHTMLIsWellFormed(t *testing.T) {
	for name, make := range map[string]func(testing.TB) Material{"plain": material, "hostile": hostile, "large": large, "compared": compared} {
		t.Run(name, func(t *testing.T) {
			text := pageOf(t, make(t))
			checkNesting(t, text)
			checkTree(t, text)
		})
	}
}

// checkNesting wants every element closed, in order.
func checkNesting(t *testing.T, text []byte) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(bytes.NewReader(text))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			if z.Err() != io.EOF || len(open) > 0 {
				t.Errorf("the page ends with %v, and %v open", z.Err(), open)
			}
			return
		case html.StartTagToken:
			tag, _ := z.TagName()
			if !slices.Contains([]string{"meta", "br", "col"}, string(tag)) {
				open = append(open, string(tag))
			}
		case html.EndTagToken:
			tag, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(tag) {
				t.Fatalf("</%s> closes %v", tag, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// checkTree wants ids that are there once, references that lead to them, nothing that is fetched or run, and what a
// reader who does not see the page needs.
func checkTree(t *testing.T, text []byte) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	ids, refs := map[string]int{}, []string{}
	heading := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"script", "link", "img", "iframe", "object", "embed", "image", "use", "base", "form"}, n.Data) {
			t.Errorf("the page has an element %s", n.Data)
		}
		for _, a := range n.Attr {
			switch value := a.Val; {
			case a.Key == "id":
				ids[value]++
			case a.Key == "href" && strings.HasPrefix(value, "#"):
				refs = append(refs, value[1:])
			case a.Key == "aria-labelledby":
				refs = append(refs, strings.Fields(value)...)
			case strings.HasPrefix(a.Key, "on"), a.Key == "href", a.Key == "src", a.Key == "srcset", a.Key == "style",
				a.Namespace == "xlink":
				t.Errorf("%s has %s=%q", n.Data, a.Key, value)
			}
		}
		checkElement(t, n, &heading)
	}
	for id, times := range ids {
		if times > 1 {
			t.Errorf("id %q is there %d times", id, times)
		}
	}
	for _, ref := range refs {
		if ids[ref] == 0 {
			t.Errorf("a reference leads to %q, which is not there", ref)
		}
	}
	if len(refs) < 20 {
		t.Errorf("the page has %d references; want more", len(refs))
	}
}

func checkElement(t *testing.T, n *html.Node, heading *int) {
	switch n.Data {
	case "style":
		if css := n.FirstChild.Data; strings.Contains(css, "url(") || strings.Contains(css, "@import") || strings.Contains(css, "@font-face") {
			t.Error("the style sheet asks for something from elsewhere")
		}
	case "h1", "h2", "h3", "h4":
		level := int(n.Data[1] - '0')
		if level > *heading+1 {
			t.Errorf("a heading of level %d follows one of level %d", level, *heading)
		}
		*heading = level
	case "svg":
		if !strings.Contains(attr(n, "aria-labelledby"), "-title ") && attr(n, "aria-hidden") != "true" {
			t.Error("a picture has no title")
		}
	case "th":
		if attr(n, "scope") == "" {
			t.Error("the header of a table has no scope")
		}
	case "html":
		if attr(n, "lang") != "en" {
			t.Error("the page has no language")
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "style" {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// Names that hold markup stand on the page as they are, and signs that nobody sees are shown.
func TestHTMLShowsHostileNames(t *testing.T) {
	text := pageOf(t, hostile(t))
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	seen := textOf(root)
	for _, want := range []string{`x"'><script>alert(1)</script><img src=http://evil.example/>&amp;\u202e\x1b[31m\x00`, `"a b"`, `""`} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	for _, r := range string(text) {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("the page holds %U", r)
		}
	}
}

func TestHTMLHoldsItsFacts(t *testing.T) {
	root, err := html.Parse(bytes.NewReader(pageOf(t, material(t))))
	if err != nil {
		t.Fatal(err)
	}
	seen := textOf(root)
	for _, want := range []string{
		"1,234 lines of text", "1 artefact is not equal to the answer", "b == a", of("a!").Hex() + "  low/a",
		"hit: a climb takes the stored result", "miss: a climb runs it", "2, the same bytes each time, on chroot, host", "hello\n",
		"debian:pool/main/l/lib.tar.gz", "from https://mirror.example/lib", "packed anew", "MIT OR <b>0BSD</b>",
		"--arch amd64 --rebuild", of("program").Hex(), "not run yet", "none: could see the host", "2026-11-21 07:04:00 UTC",
		"a ledger of 6 lines", "1 file of lib-1.tar.gz", "m t",
	} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// A page is within what a browser opens at once and a mail carries, says what it leaves out, and folds long lists.
func TestHTMLOfThousandsOfSteps(t *testing.T) {
	text := pageOf(t, large(t))
	if len(text) > 3<<20 || len(text) < 1<<20 {
		t.Errorf("the page has %d bytes; want 1 to 3 MiB", len(text))
	}
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	seen := textOf(root)
	for _, want := range []string{"2,001 more are left out here", "1,302 steps", "4,963 more words", "a ×1,302"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for n := range root.Descendants() {
		if n.Data != "details" || attr(n, "open") != "" {
			continue
		}
		open := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "open" })
		rows := 0
		for d := range n.Descendants() {
			if d.Data == "tr" || d.Data == "li" {
				rows++
			}
		}
		if open != (rows <= openRows+1) && rows > 0 {
			t.Errorf("a list of %d rows is open: %v", rows, open)
		}
	}
}

func TestHTMLIsTheSameForTheSameMaterial(t *testing.T) {
	first := pageOf(t, material(t))
	for range 3 {
		if !bytes.Equal(first, pageOf(t, material(t))) {
			t.Fatal("two pages of the same material differ")
		}
	}
}

func TestHTMLOfLittle(t *testing.T) {
	m := material(t)
	m.Texts, m.Head, m.Said, m.Stored = nil, ledger.Head{}, nil, nil
	m.Runs = m.Runs[:1]
	m.Runs[0].Outputs = []ledger.File{{Name: "a", Digest: digest.Of(nil)}}
	text := pageOf(t, m)
	checkNesting(t, text)
	checkTree(t, text)
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWritersTellOfWriteErrors(t *testing.T) {
	r := newReport(t, material(t))
	if err := r.HTML(full{}); !errors.Is(err, errFull) {
		t.Errorf("HTML() to a full disk = %v; want its error", err)
	}
	if err := r.Text(full{}); !errors.Is(err, errFull) {
		t.Errorf("Text() to a full disk = %v; want its error", err)
	}
}
