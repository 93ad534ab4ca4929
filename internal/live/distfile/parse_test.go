// SPDX-License-Identifier: MIT

package distfile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/manifest"
)

var (
	sumA = strings.Repeat("a", 64)
	sumB = strings.Repeat("b", 64)
)

func line(n int) manifest.Position { return manifest.Position{File: "S", Line: n, Column: 1} }

// TestParseReadsEachForm: every form of a line of the sources format.
func TestParseReadsEachForm(t *testing.T) {
	got, problems := distfile.Parse("S", "p-1", ""+
		"f https://a.example/x/p-1.tar.gz "+sumA+"\n"+
		"file http://a.example/v1?x=y "+sumA+" p.tar\n"+
		"g https://git.example/p.git~v1~2 https://a.example/p-snapshot.tar "+sumB+"\n"+
		"git git://git.example/p~main _ "+sumB+" q.tar.xz\n"+
		"f _ "+sumB+" r\n")
	want := []distfile.Distfile{
		{Pos: line(1), Package: "p-1", SHA256: sumA, Name: "p-1.tar.gz", URL: "https://a.example/x/p-1.tar.gz"},
		{Pos: line(2), Package: "p-1", SHA256: sumA, Name: "p.tar", URL: "http://a.example/v1?x=y"},
		{Pos: line(3), Package: "p-1", SHA256: sumB, Name: "p-snapshot.tar", URL: "https://a.example/p-snapshot.tar",
			Git: "https://git.example/p.git~v1", Ref: "2"},
		{Pos: line(4), Package: "p-1", SHA256: sumB, Name: "q.tar.xz", Git: "git://git.example/p", Ref: "main"},
		{Pos: line(5), Package: "p-1", SHA256: sumB, Name: "r"},
	}
	if d := cmp.Diff(want, got); d != "" || len(problems) > 0 {
		t.Errorf("Parse (-want +got):\n%s%v", d, problems)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"\n", "S:1:1: error: a line without a distfile: rootfs.py ends here with an error"},
		{"# text\n", "S:1:1: error: sources files have no comments: the guest takes this for a distfile"},
		{"https://a.example/x " + sumA + "\n", `S:1:1: error: "https://a.example/x" is no type of source`},
		{"f https://a.example/x\n", "S:1:22: error: the line has 2 fields, which are too few"},
		{"g https://a.example/x~1 _\n", "S:1:26: error: the line has 3 fields, which are too few"},
		{"g\n", "S:1:2: error: the line has 1 fields, which are too few"},
		{"f https://a.example/x " + strings.ToUpper(sumA) + "\n",
			`S:1:23: error: "` + strings.ToUpper(sumA) + `" is not a SHA-256 of 64 lower-case hex digits`},
		{"f  https://a.example/x " + sumA + "\n",
			"S:1:3: error: a space too many: rootfs.py reads an empty field here, the guest reads none"},
		{"f https://a.example/x " + sumA + "\r\n",
			`S:1:87: error: a '\r' in the line: rootfs.py and the guest split it in different ways`},
		{"f _ " + sumA + "\n", "S:1:69: error: a source without an address has no name"},
		{"f _ " + sumA + " _\n", `S:1:70: error: "_" is no name of a distfile`},
		{"f _ " + sumA + " ../x\n", `S:1:70: error: the name "../x" would leave the distfiles folder`},
		{"f _ " + sumA + " " + strings.Repeat("x", 256) + "\n", "S:1:70: error: a name of 256 bytes; file systems take 255"},
		{"f https://a.example/x/ " + sumA + "\n", "S:1:3: error: the address ends in a slash, and gives no name"},
		{"f file:///x/y " + sumA + "\n", `S:1:3: error: "file:///x/y" is no address of a file`},
		{"g https://a.example/x _ " + sumA + " n\n", `S:1:3: error: "https://a.example/x" names no commit or tag`},
		{"g x~1 _ " + sumA + " n\n", `S:1:3: error: "x" is no address of a repository`},
	} {
		got, problems := distfile.Parse("S", "p-1", c.text)
		if len(got) != 0 || len(problems) != 1 || problems[0].String() != c.want || problems[0].Hint == "" {
			t.Errorf("Parse(%q) = %v, %v; want %s", c.text, got, problems, c.want)
		}
	}
}

func TestParseWarns(t *testing.T) {
	got, problems := distfile.Parse("S", "p-1", "f https://a.example/x "+sumA+" n more\nf _ "+sumA+" m \nf _ "+sumA+" last")
	want := []string{`S:1:90: warning: "more" is read by nobody`,
		"S:2:71: warning: a space at the end of the line: both readers drop it",
		"S:3:74: error: the last line has no line feed: the guest does not read it"}
	if len(got) != 3 || !slices.Equal(texts(problems), want) {
		t.Errorf("Parse = %v, %q; want three, and %q", got, texts(problems), want)
	}
}

func texts(problems manifest.Problems) []string {
	var all []string
	for _, p := range problems {
		all = append(all, p.String())
	}
	return all
}

func TestFilesJoinsLines(t *testing.T) {
	lines, _ := distfile.Parse("S", "p-1", ""+
		"f https://b.example/z "+sumA+"\n"+"f https://a.example/y "+sumB+"\n"+"f https://c.example/z "+sumA+"\n"+
		"f https://b.example/z "+sumA+"\n"+"f _ "+sumA+" z\n"+"f _ "+sumB+" z\n")
	files, problems := distfile.Files(lines)
	want := []distfile.File{
		{Name: "y", SHA256: sumB, Lines: lines[1:2]},
		{Name: "z", SHA256: sumA, Lines: []distfile.Distfile{lines[0], lines[2], lines[4]}},
	}
	if d := cmp.Diff(want, files); d != "" {
		t.Errorf("Files (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"https://b.example/z", "https://c.example/z"}, files[1].Addresses()); d != "" {
		t.Errorf("Addresses (-want +got):\n%s", d)
	}
	if len(problems) != 1 || problems[0].Pos.Line != 6 {
		t.Errorf("Files: problems %v; want one in line 6", problems)
	}
}
