// SPDX-License-Identifier: MIT

package tarball

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/tree"
)

// gnuTar runs GNU tar on a stream in a directory and gives what it prints.
func gnuTar(t *testing.T, dir string, in []byte, args ...string) string {
	t.Helper()
	path := need.Tool(t, "tar")
	if out, err := exec.Command(path, "--version").Output(); err != nil || !strings.Contains(string(out), "GNU tar") {
		need.Unmet(t, "GNU tar, and tar here is another")
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	cmd.Env = []string{"TZ=UTC", "LC_ALL=C.UTF-8", "PATH=" + os.Getenv("PATH")}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("tar %q: %v\n%s", args, err, complaints.Bytes())
	}
	return string(out)
}

func TestGNUTarListsWhatEncodeWrote(t *testing.T) {
	tr, b := sample(t)
	got := strings.Split(gnuTar(t, t.TempDir(), mustEncode(t, tr, b), "-tvf", "-", "--numeric-owner", "--full-time"), "\n")
	want := map[string]bool{
		"drwxrwxrwt 1/2 0 2001-09-09 01:46:40 a/":                       true,
		"-rw-r--r-- 0/0 1024 1970-01-01 00:00:00 a-b":                   true,
		"-rwxr-xr-x 0/0 511 1970-01-01 00:00:00 a/b":                    true,
		"lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 a/link -> ../" + longName: true,
		"crw-rw-rw- 0/0 1,3 1970-01-01 00:00:00 dev/null":               true,
		"brw-rw---- 0/0 254,1048576 1970-01-01 00:00:00 dev/vda":        true,
		"prw------- 0/0 0 1970-01-01 00:00:00 dev/pipe":                 true,
		"-rw------- 0/0 16 1969-12-31 20:34:15 old":                     true,
		"-rwsr-xr-x 4000000000/3000000 0 2514-05-30 01:53:04 owned":     true,
		"-rw-r--r-- 0/0 7 1970-01-01 00:00:00 " + longName:              true,
	}
	found := 0
	for _, line := range got {
		if want[strings.Join(strings.Fields(line), " ")] {
			found++
		}
	}
	if found != len(want) {
		t.Errorf("GNU tar lists %d of %d lines as expected:\n%s", found, len(want), strings.Join(got, "\n"))
	}
}

func TestGNUTarUnpacksWhatEncodeWrote(t *testing.T) {
	b := formattest.Blobs{}
	tr, err := tree.New(b.File("a/b", 0o755, "content"), b.File("a-b", 0o644, strings.Repeat("x", 5000)),
		tree.Node{Path: "a/l", Kind: tree.Symlink, Mode: 0o777, Target: "../a-b"})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	gnuTar(t, dir, mustEncode(t, tr, b), "-xf", "-", "--no-same-owner")
	for name, want := range map[string]string{"a/b": "content", "a/l": strings.Repeat("x", 5000)} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s as GNU tar unpacked it = %d bytes, %v; want %d", name, len(got), err, len(want))
		}
	}
}

// prepare makes a directory with one of each kind that an ordinary user can make.
func prepare(t *testing.T) string {
	t.Helper()
	dir, long := t.TempDir(), strings.Repeat("n", 90)
	deep := filepath.Join(dir, "d", long, long)
	for _, err := range []error{
		os.MkdirAll(deep, 0o755),
		os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o644),
		os.WriteFile(filepath.Join(deep, "größe"), nil, 0o600),
		os.Link(filepath.Join(dir, "f"), filepath.Join(dir, "h")),
		os.Symlink("../f", filepath.Join(dir, "d", "l")),
		os.Chmod(filepath.Join(dir, "f"), 0o754),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDecodeReadsWhatGNUTarWrote(t *testing.T) {
	dir, long := prepare(t), strings.Repeat("n", 90)
	for _, format := range []string{"gnu", "pax", "ustar", "oldgnu"} {
		b := formattest.Blobs{}
		in := gnuTar(t, dir, nil, "-cf", "-", "--format="+format, "--sort=name", "--owner=5", "--group=6", "--mtime=@7", ".")
		got, err := Decode(strings.NewReader(in), wide, b.Put)
		if err != nil {
			t.Errorf("%s: Decode: %v", format, err)
			continue
		}
		nodes := []tree.Node{
			b.File("f", 0o754, "content"), b.File("h", 0o754, "content"),
			b.File("d/"+long+"/"+long+"/größe", 0o600, ""),
			{Path: "d", Kind: tree.Dir, Mode: 0o755}, {Path: "d/" + long, Kind: tree.Dir, Mode: 0o755},
			{Path: "d/" + long + "/" + long, Kind: tree.Dir, Mode: 0o755},
			{Path: "d/l", Kind: tree.Symlink, Mode: 0o777, Target: "../f"},
		}
		for i := range nodes {
			nodes[i].UID, nodes[i].GID, nodes[i].ModTime = 5, 6, 7
		}
		want, err := tree.New(nodes...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := want.Diff(got); diff != "" {
			t.Errorf("%s: Decode differs: %s", format, diff)
		}
	}
}

func TestDecodeRefusesGNUTarsSparseFiles(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(1 << 19); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("end"), 1<<19); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"--format=gnu", "--format=pax", "--sparse-version=0.0", "--sparse-version=0.1"} {
		args := []string{"-cSf", "-", "--format=pax", format, "sparse"}
		_, err := Decode(strings.NewReader(gnuTar(t, dir, nil, args...)), wide, formattest.Blobs{}.Put)
		if err == nil || !strings.Contains(err.Error(), `"sparse"`) {
			t.Errorf("%s: Decode of a sparse file = %v; want an error that names it", format, err)
		}
	}
}
