// SPDX-License-Identifier: MIT

package shell

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// layOut makes a tree of files; a name that ends in a slash is a directory, content after "-> " is that of a link.
func layOut(t *testing.T, files map[string]string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	must(t, os.Mkdir(root, 0o755))
	for name, content := range files {
		at := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(at), 0o755))
		target, isLink := strings.CutPrefix(content, "-> ")
		switch {
		case strings.HasSuffix(name, "/"):
			must(t, os.MkdirAll(at, 0o755))
		case isLink:
			must(t, os.Symlink(target, at))
		default:
			must(t, os.WriteFile(at, []byte(content), 0o644))
		}
	}
	return root
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run is what a shell with a short prompt over root answers to a script, without greeting and prompts.
func run(t *testing.T, o Options, script string) string {
	t.Helper()
	var out bytes.Buffer
	o.In, o.Out = strings.NewReader(script), &out
	if err := Run(t.Context(), o); err != nil {
		t.Fatalf("Run = %v", err)
	}
	_, answers, ok := strings.Cut(out.String(), "leaves.\n")
	if !ok {
		t.Fatalf("no greeting in %q", out.String())
	}
	answers = strings.TrimSuffix(answers, "\n") // of the end of input
	return strings.ReplaceAll(answers, "rung $ ", "")
}

func TestRunCommands(t *testing.T) {
	files := map[string]string{
		"a": "one\ntwo\nthree\n", "b": "one\ntwo\nTHREE\n", "short": "one\n", "empty": "",
		".hidden": "", "sub/c": "see\n", "link": "-> sub", "bad\x1b[2J name": "x", "it's": "y",
		"bin": "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00>\x00",
	}
	for _, tt := range []struct{ name, script, want string }{
		{"cat", "cat a sub/c", "one\ntwo\nthree\nsee\n"},
		{"cat of input", "cat < short", "one\n"},
		{"cat of nothing", "cat", "cat: no file named\n"},
		{"cat of a directory", "cat sub", "cat: sub: is a directory\n"},
		{"cat as it is", "echo -n \"\\x1b[2J\" > esc\ncat esc 'it'\\''s'", "\x1b[2Jy"},
		{"missing", "cat nope\ncat ''", "cat: nope: no such file or directory\ncat: '': empty path\n"},
		{"cd and pwd", "cd sub\npwd\ncat c\ncat /short\ncat ../short\ncd ..\npwd\ncd\npwd", "/sub\nsee\none\none\n/\n/\n"},
		{"cd through a link", "cd link\npwd\ncd ..\npwd\ncd /link/../sub/.\npwd", "/sub\n/\n/sub\n"},
		{"cd to no directory", "cd a\ncd nope\ncd ''\ncd a b",
			"cd: a: not a directory\ncd: nope: no such file or directory\ncd: '': no such file or directory\ncd: usage: cd [DIR]\n"},
		{"echo", "echo a  b 'c  d'\necho -n x\necho", "a b c  d\nx\n"},
		{"env", "B=2\nenv\nA=\"$B\\n\"\nenv\necho ${A}x", "A=1\nB=2\nA=2\\n\nB=2\n2\nx\n"},
		{"ls", "ls", "a\nb\n\"bad\\x1b[2J name\"\nbin\nempty\n\"it's\"\nlink\nshort\nsub\n"},
		{"ls of names", "ls a sub", "a\nsub:\nc\n"},
		{"ls -a", "cd sub\nls -a .. > x\ngrep hidden x", "1:.hidden\n"},
		{"ls -la", "ls -l sub\ncd sub\nls -la ../a", "-rw-r--r--             4 c\n-rw-r--r--            14 ../a\n"},
		{"ls of what is not there", "ls nope\nls -x", "ls: nope: no such file or directory\nls: usage: ls [-a] [-l] [NAME...]\n"},
		{"cp", "cp a n\ncmp a n\ncp a b sub\nls sub\ncp a a", "they are the same, 14 bytes\na\nb\nc\ncp: a and a are the same file\n"},
		{"cp of permissions", "chmod 755 a\ncp a n\ncp a b\nls -l n b", "-rwxr-xr-x            14 n\n-rw-r--r--            14 b\n"},
		{"cp wrong", "cp a\ncp a b short\ncp sub x", "cp: usage: cp FILE... FILE|DIR\ncp: short: not a directory\ncp: sub: is a directory\n"},
		{"mv", "mv a n\ncat n\nmv n b sub\nls sub\ncat a", "one\ntwo\nthree\nb\nc\nn\ncat: a: no such file or directory\n"},
		{"rm", "rm a b\nrm sub\nrm -r sub\nls s\nls\nrm nope",
			"rm: sub: directory not empty\nls: s: no such file or directory\n" +
				"\"bad\\x1b[2J name\"\nbin\nempty\n\"it's\"\nlink\nshort\nrm: nope: no such file or directory\n"},
		{"rm of a link", "rm -r link\ncat sub/c", "see\n"},
		{"rm of the current directory", "cd sub\nrm -r .\nrm -r ''\nrm -r /\nrm -r ../sub/..\nls",
			"rm: .: is not removed by this name\nrm: '': is not removed by this name\nrm: /: is not removed by this name\n" +
				"rm: ../sub/..: is not removed by this name\nc\n"},
		{"mkdir", "mkdir d\nmkdir -p e/f/g\ncd e/f/g\npwd\nmkdir /d\nmkdir /x/y",
			"/e/f/g\nmkdir: /d: file exists\nmkdir: /x/y: no such file or directory\n"},
		{"chmod", "chmod 640 a\nls -l a\nchmod +x a\nls -l a\nchmod -w a\nls -l a\nchmod 999 a\nchmod +x link\nchmod 8 nope",
			"-rw-r-----            14 a\n-rwxr-x--x            14 a\n-r-xr-x--x            14 a\n" +
				"chmod: 999: want three octal digits, or +x, -x, +w, -w\nchmod: 8: want three octal digits, or +x, -x, +w, -w\n"},
		{"cmp", "cmp a b\ncmp a short\ncmp empty a\ncmp a ./a\ncmp a",
			"they differ at 8 (0x8): 0x74 in a, 0x54 in b\nshort ends at 4 (0x4), a goes on\nempty ends at 0 (0x0), a goes on\n" +
				"they are the same, 14 bytes\ncmp: usage: cmp FILE FILE\n"},
		// Of nothing: FIPS 180-2; of "one\n": printf 'one\n' | sha256sum.
		{"sha256sum", "sha256sum empty\nsha256sum < short",
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n" +
				"2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806  -\n"},
		{"xxd", "xxd bin", "00000000: 7f45 4c46 0201 0100 0000 0000 0000 0000  .ELF............\n" +
			"00000010: 0300 3e00                                ..>.\n"},
		{"xxd of a part", "xxd -s 0x10 -l 3 bin\nxxd -s1 -l2 < bin\nxxd -s 99 bin\nxxd -s 99 < bin\nxxd -s -1 bin",
			"00000010: 0300 3e                                  ..>\n00000001: 454c                                     EL\n" +
				"xxd: -s -1: no number of at least 0\n"},
		{"head", "head -n 1 a\nhead -n1 a b\nhead -c 5 a\nhead -n 0 a",
			"one\n==> a <==\none\n==> b <==\none\none\nt"},
		{"grep", "grep THREE a b\ngrep e short\ngrep ELF bin\ngrep", "b:3:THREE\n1:one\n" +
			"1:\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x03\\x00>\\x00\ngrep: usage: grep TEXT [FILE...]\n"},
		{"redirections", "echo one > n\necho two >>n\ncat n\n> n\ncat < nope\necho > a > b\necho 2>n\necho x >sub",
			"one\ntwo\na redirection without a command\ncat: nope: no such file or directory\nredirected twice, to a and to b\n" +
				"2>: a program has one stream here, for what it prints on either\necho: sub: is a directory\n"},
		{"an error goes to the person", "cat nope > n\ncat n", "cat: nope: no such file or directory\n"},
		{"no list", "echo a; rm -r sub\necho a | cat\necho `a`\necho 'x", ";: there is one command a line; quote it to mean itself\n" +
			"|: there is one command a line; quote it to mean itself\n`: there is one command a line; quote it to mean itself\n" +
			"a ' without another\n"},
		{"exit", "exit now\nexit\necho not reached", "exit: usage: exit\n"},
		{"blank lines", "\n  \n# comment\necho a # b\r\n", "a\n"},
		{"a variable before a command", "A=2 echo", "A: a variable is set on a line of its own\n"},
		{"a last line without an end", "echo a", "a\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := run(t, Options{Root: layOut(t, files), Env: []string{"A=1"}}, tt.script)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("Run(%q) (-want +got):\n%s", tt.script, d)
			}
		})
	}
}

func TestRunHelpNamesEveryCommand(t *testing.T) {
	got := run(t, Options{Root: layOut(t, nil)}, "help")
	doc, err := os.ReadFile("../../../docs/shell.md")
	must(t, err)
	for _, k := range commands() {
		if !strings.Contains(got, "\n"+k.name+" ") && !strings.HasPrefix(got, k.name+" ") {
			t.Errorf("help = %s; want a line for %s", got, k.name)
		}
		form := strings.ReplaceAll(strings.TrimSpace(k.name+" "+k.usage), "|", `\|`)
		if !strings.Contains(string(doc), "`"+form+"`") {
			t.Errorf("docs/shell.md has no `%s`", form)
		}
	}
}

func TestRunRefusesEscapes(t *testing.T) {
	files := map[string]string{"d/f": "in\n", "up": "-> ..", "abs": "-> /etc", "d/deep": "-> ../../secret", "loop": "-> loop"}
	for _, line := range []string{
		"cat ../secret", "cat /../secret", "cat up/secret", "cat d/deep", "cat abs/hostname", "cat d/../../secret",
		"cd ..", "cd up", "cd abs", "cd /..", "cd loop", "ls ..", "ls up/", "echo x > ../secret", "echo x >> d/deep", "echo x > up/new",
		"cat < ../secret", "cp d/f ../new", "cp d/f up", "cp d/deep x", "mv d/f ../new", "mv ../secret x", "mv d/f up/new", "rm ../secret",
		"rm up/secret", "rm -r up/secret", "mkdir ../new", "mkdir -p up/new", "chmod 777 ../secret", "chmod 777 d/deep", "cmp d/f ../secret",
		"sha256sum ../secret", "xxd d/deep", "head up/secret", "grep x ../secret", "../secret", "up/secret", "/../secret", "d/deep",
	} {
		root := layOut(t, files)
		secret := filepath.Join(filepath.Dir(root), "secret")
		must(t, os.WriteFile(secret, []byte("out\n"), 0o755))
		start := func(context.Context, []string, []string, string, io.Reader, io.Writer) (string, error) {
			t.Errorf("%q started a program", line)
			return success, nil
		}
		got := run(t, Options{Root: root, Start: start}, line)
		named := strings.Contains(got, "escapes from parent") || strings.Contains(got, "leads out of the tree") ||
			strings.Contains(got, "too many levels of symbolic links")
		if !named || strings.Contains(got, "out\n") {
			t.Errorf("Run(%q) = %q; want an error that says that it leads out", line, got)
		}
		around, err := os.ReadDir(filepath.Dir(root))
		must(t, err)
		content, err := os.ReadFile(secret)
		info, err2 := os.Stat(secret)
		if err = errors.Join(err, err2); err != nil || string(content) != "out\n" || len(around) != 2 || info.Mode().Perm() != 0o755 {
			t.Errorf("after %q: secret = %q, %v, with %v; want it as it was, alone", line, content, err, around)
		}
	}
}
