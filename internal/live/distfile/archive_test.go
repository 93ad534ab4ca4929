// SPDX-License-Identifier: MIT

package distfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/need"
)

// run runs programs of the host.
func run(ctx context.Context, p distfile.Program) error {
	c := exec.CommandContext(ctx, p.Argv[0], p.Argv[1:]...)
	var stderr bytes.Buffer
	c.Env, c.Stdin, c.Stdout, c.Stderr = append(os.Environ(), p.Env...), p.Stdin, p.Stdout, &stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return nil
}

// upstream is a git repository.
type upstream struct {
	testing.TB
	dir string
}

func newUpstream(t testing.TB, name string) upstream {
	t.Helper()
	need.Tool(t, "git")
	need.Tool(t, "gzip")
	need.Tool(t, "xz")
	u := upstream{t, filepath.Join(t.TempDir(), name)}
	u.git("init", "-q", "-b", "main", u.dir)
	u.commit("README", "text\n")
	return u
}

// git runs git as a user with a configuration of no harm, at a fixed time.
func (u upstream) git(args ...string) string {
	u.Helper()
	c := exec.CommandContext(u.Context(), "git", args...)
	if _, err := os.Stat(u.dir); err == nil {
		c.Dir = u.dir
	}
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@x",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@x", "GIT_AUTHOR_DATE=1000000000 +0000", "GIT_COMMITTER_DATE=1000000000 +0000")
	out, err := c.CombinedOutput()
	if err != nil {
		u.Fatalf("git %q: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes a file, and gives the commit.
func (u upstream) commit(name, content string) string {
	u.Helper()
	if err := os.WriteFile(filepath.Join(u.dir, name), []byte(content), 0o644); err != nil {
		u.Fatal(err)
	}
	u.git("add", ".")
	u.git("commit", "-q", "-m", "change "+name)
	return u.git("rev-parse", "HEAD")
}

// shell makes an archive as mirror.sh does, by the shell, and gives its SHA-256.
func (u upstream) shell(command string) string {
	u.Helper()
	c := exec.CommandContext(u.Context(), "sh", "-c", command)
	c.Dir, c.Env = u.dir, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := c.Output()
	if err != nil {
		u.Fatalf("%s: %v", command, err)
	}
	return digest.Of(out).Hex()
}

func gitFile(name, sha256, repo, ref string, urls ...string) distfile.File {
	f := distfile.File{Name: name, SHA256: sha256}
	for _, u := range append(urls, "") {
		f.Lines = append(f.Lines, distfile.Distfile{Package: "p", SHA256: sha256, Name: name, URL: u, Git: repo, Ref: ref})
	}
	return f
}

func (w *world) archive(files ...distfile.File) distfile.Report {
	w.Helper()
	f := w.fetcher(func(o *distfile.Options) { o.Git = &distfile.Archiver{Dir: filepath.Join(w.dir, "git"), Run: run} })
	r, err := f.Fetch(w.Context(), files)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// TestArchiveAsMirrorDoes: tags, whole and abbreviated commits and branches, with the prefix rule, packed by gzip -n, xz
// -T1 or not at all, have the sum of what git archive and the compressor give in a shell.
func TestArchiveAsMirrorDoes(t *testing.T) {
	u := newUpstream(t, "thing.git")
	if err := os.WriteFile(filepath.Join(u.dir, ".gitattributes"), []byte("hidden export-ignore\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	u.commit("hidden", "not in the archive")
	u.git("tag", "-a", "-m", "a tag", "v1.2")
	whole := u.commit("b", "second")
	u.commit("c", "third")
	var files []distfile.File
	for i, c := range []struct{ name, ref, prefix, pack string }{
		{"thing-1.2.tar.gz", "v1.2", "thing-1.2/", "gzip -n"},
		{"thing-1.2.tar.xz", "v1.2", "thing-1.2/", "xz -T1"},
		{"thing-1.2.tar", "v1.2", "thing-1.2/", "cat"},
		{"abbreviated.tar.gz", whole[:7], "thing-" + whole[:7] + "/", "gzip -n"},
		{"whole.tar.gz", whole, "thing-" + whole + "/", "gzip -n"},
		{"branch.tgz", "main", "thing-main/", "gzip -n"},
	} {
		want := u.shell(fmt.Sprintf("git archive --format=tar --prefix=%s %s | %s", c.prefix, c.ref, c.pack))
		files = append(files, gitFile(c.name, want, u.dir, c.ref))
		if i == 0 && want == u.shell("git archive --format=tar --prefix=thing-v1.2/ v1.2 | gzip -n") {
			t.Fatal("the prefix makes no difference: this test shows nothing")
		}
	}
	w := newWorld(t)
	got := w.archive(files...)
	if err := got.Err(); err != nil {
		t.Fatal(err)
	}
	for _, r := range got.Files {
		if r.State != distfile.Made || r.Note != "" || !strings.HasPrefix(r.Place, "git+"+u.dir+"~") || !w.cache.Has(r.SHA256) {
			t.Errorf("%+v; want it made in the usual way", r)
		}
	}
}

// TestArchiveTriesOtherWays: a tag whose v is kept, and a packing by git's own zlib, are found.
func TestArchiveTriesOtherWays(t *testing.T) {
	u := newUpstream(t, "thing.git")
	var b strings.Builder
	for i := range 20000 {
		fmt.Fprintln(&b, i*i%9973)
	}
	u.commit("numbers", b.String())
	u.git("tag", "v2")
	if plain := "git archive --format=tar --prefix=thing-2/ v2 | gzip -n"; u.shell(plain) == u.shell(plain+" -9") {
		t.Fatal("the packing makes no difference: this test shows nothing")
	}
	v := u.shell("git archive --format=tar --prefix=thing-v2/ v2 | gzip -n -9")
	zlib := u.shell("git -c 'tar.tar.gz.command=git archive gzip' archive --format=tar.gz --prefix=thing-2/ v2")
	got := newWorld(t).archive(gitFile("a.tar.gz", v, u.dir, "v2"), gitFile("b.tar.gz", zlib, u.dir, "v2"))
	if err := got.Err(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"made with prefix thing-v2/, gzip -n -9", "made with prefix thing-2/, git archive gzip"} {
		if got.Files[i].Note != want {
			t.Errorf("note = %q; want %q", got.Files[i].Note, want)
		}
	}
}

// TestArchiveTellsWhyItDiffers: what was tried, by which versions, and how it differs from an archive that a server sent.
func TestArchiveTellsWhyItDiffers(t *testing.T) {
	u := newUpstream(t, "thing")
	u.git("tag", "1")
	commit := u.commit("b", "changed since")
	other := filepath.Join(t.TempDir(), "other.tar")
	u.git("archive", "--format=tar", "--prefix=thing-1/", "-o", other, "main")
	text, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	up := mirror(t, map[string]string{"thing-1.tar.gz": string(text)})
	w := newWorld(t)
	got := w.archive(gitFile("thing-1.tar.gz", sum("lost"), u.dir, "1", up+"/thing-1.tar.gz"))
	err = got.Err()
	if err == nil {
		t.Fatal("a wrong archive was taken")
	}
	for _, part := range []string{"another version of the compressor", "a ref that was moved", "prefix thing-1/, gzip -n: ",
		"made with git version", `only in the other: "thing-1/b"`, sum("lost")} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("Err = %v; want %q in it", err, part)
		}
	}
	if w.cache.Has(sum("lost")) {
		t.Error("the cache has what could not be made")
	}
	u.git("tag", "-f", "1", commit)
	if text := w.archive(gitFile("thing-1.tar.gz", sum("lost"), u.dir, "1")).Err().Error(); !strings.Contains(text, "the ref was moved") {
		t.Errorf("Err = %s; want the moved tag told", text)
	}
}

// TestArchiveNeverAborts: a repository that is gone, a ref that is none, and one that looks like an option leave the
// others alone.
func TestArchiveNeverAborts(t *testing.T) {
	u := newUpstream(t, "thing")
	u.git("tag", "1")
	want := u.shell("git archive --format=tar --prefix=thing-1/ 1")
	got := newWorld(t).archive(gitFile("a.tar", sum("a"), "/no/such/repository", "1"), gitFile("b.tar", sum("b"), u.dir, "none"),
		gitFile("c.tar", sum("c"), u.dir, "--upload-pack=x"), gitFile("d.tar", want, u.dir, "1"))
	for i, state := range []distfile.State{distfile.Failed, distfile.Failed, distfile.Failed, distfile.Made} {
		if got.Files[i].State != state {
			t.Errorf("%+v; want %s", got.Files[i], state)
		}
	}
	if text := got.Err().Error(); !strings.Contains(text, "no name of a commit") || !strings.Contains(text, "3 of 4") {
		t.Errorf("Err = %s; want each told", text)
	}
}

// TestArchiveNeedsGit: without the program that is the reason that is told.
func TestArchiveNeedsGit(t *testing.T) {
	w := newWorld(t)
	f := w.fetcher(func(o *distfile.Options) {
		o.Git = &distfile.Archiver{Dir: t.TempDir(), Run: func(context.Context, distfile.Program) error { return errors.New("no program") }}
	})
	got, err := f.Fetch(t.Context(), []distfile.File{gitFile("a.tar", sum("a"), "https://git.example/x", "1")})
	if err != nil || !strings.Contains(got.Err().Error(), "no program") {
		t.Errorf("Fetch = %v, %v; want the reason", got.Err(), err)
	}
}
