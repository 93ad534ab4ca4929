// SPDX-License-Identifier: MIT

package page

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// measure is a script that unfolds everything and finds what does not fit: a page wider than the window, texts of the
// pictures that leave them or stand on one another. It gives a list of sentences.
const measure = `(async () => {
	const wrong = [], width = () => {
		const root = document.documentElement;
		if (root.scrollWidth > root.clientWidth) wrong.push("the page is " + root.scrollWidth + " wide, the window " + root.clientWidth);
	};
	width();
	document.querySelectorAll("details").forEach(d => d.open = true);
	await new Promise(requestAnimationFrame);
	width();
	for (const svg of document.querySelectorAll("figure svg")) {
		if (!svg.checkVisibility()) continue;
		const frame = svg.getBoundingClientRect(), texts = [];
		for (const t of svg.querySelectorAll("text")) {
			const b = t.getBoundingClientRect();
			if (b.width == 0) continue;
			if (b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top || b.bottom > frame.bottom)
				wrong.push("a text leaves its picture: " + t.textContent);
			for (const o of texts) if (b.left < o.b.right - 1 && o.b.left < b.right - 1 && b.top < o.b.bottom - 5 && o.b.top < b.bottom - 5)
				wrong.push("texts meet: " + t.textContent + " and " + o.text);
			texts.push({b, text: t.textContent});
		}
	}
	return wrong;
})()`

// inspect tells everything that is wrong with a page at a width, in light or dark.
func (c *chromium) inspect(t *testing.T, url string, width int, scheme string) []string {
	t.Helper()
	c.open(t, url, width, scheme)
	var wrong []string
	c.eval(t, measure, &wrong)
	var pictures, windows, dark int
	c.eval(t, `[...document.querySelectorAll("figure svg")].filter(s => s.checkVisibility()).length`, &pictures)
	c.eval(t, `document.documentElement.clientWidth`, &windows)
	c.eval(t, `+(getComputedStyle(document.body).backgroundColor.match(/\d+/g).reduce((a, b) => +a + +b) < 384)`, &dark)
	if pictures != 2 || windows != width || (dark == 1) != (scheme == "dark") {
		wrong = append(wrong, fmt.Sprintf("%d pictures are shown in a window of %d, dark: %d", pictures, windows, dark))
	}
	return append(c.complaints(url), wrong...)
}

func place(t *testing.T, text []byte) (url string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return "file://" + name
}

func TestPageInABrowser(t *testing.T) {
	c := startChromium(t)
	url := place(t, pageOf(t, compared(t)))
	for _, width := range []int{360, 768, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			for _, wrong := range c.inspect(t, url, width, scheme) {
				t.Errorf("%d wide, %s: %s", width, scheme, wrong)
			}
		}
	}
	var copied string
	c.eval(t, `getSelection().selectAllChildren(document.querySelector("#seed .digest")), getSelection().toString()`, &copied)
	if want := of("program").Hex(); copied != want {
		t.Errorf("a digest is copied as %q; want %q", copied, want)
	}
}

func TestHostilePageInABrowser(t *testing.T) {
	c, url := startChromium(t), place(t, pageOf(t, hostile(t)))
	for _, width := range []int{360, 1280} {
		for _, wrong := range c.inspect(t, url, width, "light") {
			t.Errorf("%d wide: %s", width, wrong)
		}
	}
}

func TestTangleInABrowser(t *testing.T) {
	m, r := material(t), tangle(12)
	full := newReport(t, m)
	full.Stages, full.Sources = r.Stages, r.Sources
	var b strings.Builder
	if err := full.HTML(&b); err != nil {
		t.Fatal(err)
	}
	c, url := startChromium(t), place(t, []byte(b.String()))
	for _, width := range []int{360, 1280} {
		for _, wrong := range c.inspect(t, url, width, "light") {
			t.Errorf("%d wide: %s", width, wrong)
		}
	}
}

// A page that does everything wrong shows that the inspection sees it.
func TestInspectionSeesWhatIsWrong(t *testing.T) {
	c := startChromium(t)
	wrong := strings.Join(c.inspect(t, place(t, []byte(`<!DOCTYPE html><title>x</title><div style="width: 2000px">wide</div>
<img src="http://127.0.0.1:9/x.png"><script>console.warn("listen"); undefined.x</script>
<figure><svg width="100" height="50"><text x="90" y="20">leaves</text><text x="85" y="20">meets</text></svg></figure>`)), 1280, "light"), "\n")
	for _, want := range []string{
		"the page is 20", "request of http://127.0.0.1:9/x.png", "consoleAPICalled", "exceptionThrown", "net::ERR",
		"a text leaves its picture: leaves", "texts meet: meets and leaves", "1 pictures are shown", "dark: 1",
	} {
		if !strings.Contains(wrong, want) {
			t.Errorf("nothing is said of %q in:\n%s", want, wrong)
		}
	}
}
