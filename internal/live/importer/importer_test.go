// SPDX-License-Identifier: MIT

package importer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/payload"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/tree"
)

// source is the path of the program's source.
func source(t testing.TB) string {
	t.Helper()
	name, err := filepath.Abs("files/" + Package + "/src/payload-import.c")
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// tcc is the compiler that the chain ends in, with its musl.
func tcc(t testing.TB) string {
	t.Helper()
	need.Arch(t, "amd64")
	dir := os.Getenv("RUNG_SYSROOT")
	if dir == "" {
		dir = filepath.Join("../../../build", runtime.GOARCH, "boot5")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		need.Unmet(t, "%s, which is not there: rung bootstrap makes it, or RUNG_SYSROOT names another", dir)
	}
	return filepath.Join(dir, "bin/tcc")
}

// compile makes a static program, of which the compiler has nothing to say.
func compile(t testing.TB, source, cc string, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	out, err := exec.CommandContext(t.Context(), cc, append(flags, "-static", "-o", program, source)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Fatalf("%s: %v\n%s", cc, err, out)
	}
	return program
}

// withEach runs a test for the program as each compiler makes it. R7: C89, and tcc makes it.
func withEach(t *testing.T, test func(t *testing.T, program string)) {
	t.Run("gcc", func(t *testing.T) {
		test(t, compile(t, source(t), need.Tool(t, "gcc"), "-std=c89", "-pedantic", "-Wall", "-Wextra", "-Werror"))
	})
	t.Run("32 bits", func(t *testing.T) { // as wide as numbers are where the program runs
		text, err := os.ReadFile(source(t))
		if err != nil {
			t.Fatal(err)
		}
		narrow := filepath.Join(t.TempDir(), "narrow.c")
		content := bytes.ReplaceAll(text, []byte("unsigned long"), []byte("unsigned int"))
		if err := os.WriteFile(narrow, content, 0o644); err != nil {
			t.Fatal(err)
		}
		test(t, compile(t, narrow, need.Tool(t, "gcc"), "-std=c89", "-pedantic", "-Wall", "-Wextra", "-Werror"))
	})
	t.Run("tcc", func(t *testing.T) { test(t, compile(t, source(t), tcc(t), "-std=c89", "-Wall", "-Werror")) })
}

// run runs a program and gives its status and what it said.
func run(t *testing.T, program string, args ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// sample is files as they stand in a payload, of sizes around those the program reads at once.
func sample() map[string]string {
	many := func(n int) string { return strings.Repeat("0123456789abcdef", n/16+1)[:n] }
	return map[string]string{
		"empty": "", "one": "1", "a name with blanks": "x\n", "großes Päckchen.tar": many(3<<20 + 5),
		strings.Repeat("n", 255): "long", "64k": many(1 << 16), "64k-1": many(1<<16 - 1), "64k+1": many(1<<16 + 1),
	}
}

// encode makes a payload.
func encode(t testing.TB, v payload.Version, files map[string]string) []byte {
	t.Helper()
	var nodes []tree.Node
	for name, content := range files {
		nodes = append(nodes, tree.Node{Path: name, Kind: tree.File, Content: digest.Of([]byte(content))})
	}
	tr, err := tree.New(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	var w bytes.Buffer
	err = payload.Encode(&w, v, tr, func(n tree.Node) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(files[n.Path])), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w.Bytes()
}

// device writes a plain file that stands for a disk.
func device(t testing.TB, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// read gives the files of a folder; none where it is not there.
func read(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(content)
	}
	return files
}

// TestImportCopiesEveryFile: R7, R10, R11: both versions, into a folder that is not there yet, without a shell; what the
// disk holds behind the payload is nothing to it.
func TestImportCopiesEveryFile(t *testing.T) {
	withEach(t, func(t *testing.T, program string) {
		for _, v := range []payload.Version{payload.U32, payload.U64} {
			for _, files := range []map[string]string{sample(), {}} {
				dest := filepath.Join(t.TempDir(), "external/distfiles")
				disk := device(t, append(encode(t, v, files), "LBPAYLD1 and rubbish"...))
				if status, said := run(t, program, "--device", disk, dest); status != 0 {
					t.Fatalf("%v: status %d; want 0\n%s", v, status, said)
				}
				if diff := cmp.Diff(files, read(t, dest)); diff != "" {
					t.Errorf("%v: files differ (-payload +folder):\n%.500s", v, diff)
				}
			}
		}
	})
}

// TestImportTellsProgress: R60: each file is named when it is there.
func TestImportTellsProgress(t *testing.T) {
	withEach(t, func(t *testing.T, program string) {
		disk := device(t, encode(t, payload.U32, map[string]string{"a": "1", "b": "2"}))
		_, said := run(t, program, "--device", disk, t.TempDir())
		if want := "payload-import: 1 of 2 a\npayload-import: 2 of 2 b\n"; said != want {
			t.Errorf("it said %q; want %q", said, want)
		}
	})
}

func TestImportProbes(t *testing.T) {
	withEach(t, func(t *testing.T, program string) {
		with, without := device(t, encode(t, payload.U64, nil)), device(t, []byte("LBPAYLD2....."))
		none := filepath.Join(t.TempDir(), "none")
		for _, test := range []struct {
			status int
			args   []string
		}{
			{0, []string{"--probe", with}}, {2, []string{"--probe", without}}, {2, []string{"--probe", none}},
			{2, []string{"--device", without, none}}, {2, []string{"--device", none, none}},
			{1, nil}, {1, []string{"--probe"}}, {1, []string{""}}, {1, []string{"--device", with}},
			{1, []string{"a", "b", "c", "d"}},
		} {
			if status, said := run(t, program, test.args...); status != test.status {
				t.Errorf("%q: status %d; want %d\n%s", test.args, status, test.status, said)
			}
			if _, err := os.Stat(none); err == nil {
				t.Errorf("%q made a folder", test.args)
			}
		}
	})
}

// TestImportDeletesWhatIsNotWhole cuts a payload in every part of it: an error each time, and no file is there that is
// not whole.
func TestImportDeletesWhatIsNotWhole(t *testing.T) {
	files := map[string]string{"a": "first", "b": strings.Repeat("second", 20_000), "c": "third"}
	withEach(t, func(t *testing.T, program string) {
		for _, v := range []payload.Version{payload.U32, payload.U64} {
			whole := bytes.TrimRight(encode(t, v, files), "\x00")
			for n := 8; n < len(whole); n += 3 + n/100*50 {
				dest := t.TempDir()
				status, said := run(t, program, "--device", device(t, whole[:n]), dest)
				if status != 1 {
					t.Errorf("%v, %d of %d bytes: status %d; want 1\n%s", v, n, len(whole), status, said)
				}
				for name, content := range read(t, dest) {
					if content != files[name] {
						t.Errorf("%v, %d of %d bytes: %q has %d bytes; want %d", v, n, len(whole), name, len(content),
							len(files[name]))
					}
				}
			}
		}
	})
}

// TestImportBelievesNothing: what no payload has is an error, and nothing is written beside the folder.
func TestImportBelievesNothing(t *testing.T) {
	u32 := func(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }
	u64 := func(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
	named := func(name string) string { return u32(1) + u32(uint32(len(name))) + u32(1) + name + "x" }
	hostile := map[string]string{
		"too many files":              u32(200_001) + u32(1) + u32(1) + "ax",
		"as many as there can be":     u32(0xffffffff) + u32(1) + u32(1) + "ax",
		"an empty name":               u64(1) + u64(0) + u64(1) + "x",
		"a name of 2 to the 32":       u64(1) + u64(1<<32) + u64(1) + "x",
		"a name of 2 to the 32 and 1": u64(1) + u64(1<<32+1) + u64(1) + "ax",
		"a long name":                 named(strings.Repeat("n", 1025)),
		"a name for no file system":   named(strings.Repeat("n", 1024)),
		"a path":                      named("../beside"),
		"a folder":                    named("."),
		"the folder above":            named(".."),
		"a backslash":                 named(`a\b`),
		"NUL":                         named("a\x00b"),
		"NUL in front":                named("\x00b"),
		"content of 2 to the 32 - 1":  u32(1) + u32(1) + u32(0xffffffff) + "ax",
		"content of 2 to the 32":      u64(1) + u64(1) + u64(1<<32) + "ax",
		"content of 2 to the 64 - 1":  u64(1) + u64(1) + u64(1<<64-1) + "ax" + strings.Repeat("x", 1<<17),
	}
	withEach(t, func(t *testing.T, program string) {
		for name, in := range hostile {
			dir := t.TempDir()
			status, said := run(t, program, "--device", device(t, []byte("LBPAYLD1"+in)), filepath.Join(dir, "dest"))
			if status != 1 || !strings.HasPrefix(said, "payload-import: ") {
				t.Errorf("%s: status %d, %q; want 1 and a message", name, status, said)
			}
			if left := read(t, filepath.Join(dir, "dest")); len(left) != 0 {
				t.Errorf("%s: it leaves %d files", name, len(left))
			}
			if _, err := os.Stat(filepath.Join(dir, "beside")); err == nil {
				t.Errorf("%s: it wrote beside the folder", name)
			}
		}
	})
}

// TestImportReplacesFiles: what has the name of a file is replaced; a link of that name is not written through.
func TestImportReplacesFiles(t *testing.T) {
	withEach(t, func(t *testing.T, program string) {
		dir := t.TempDir()
		dest, outside := filepath.Join(dir, "dest"), filepath.Join(dir, "outside")
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(os.Mkdir(dest, 0o755))
		must(os.WriteFile(outside, []byte("mine"), 0o644))
		must(os.WriteFile(filepath.Join(dest, "file"), []byte("longer than before"), 0o444))
		must(os.Symlink(outside, filepath.Join(dest, "link")))
		files := map[string]string{"file": "new", "link": "new"}
		if status, said := run(t, program, "--device", device(t, encode(t, payload.U32, files)), dest); status != 0 {
			t.Fatalf("status %d; want 0\n%s", status, said)
		}
		if diff := cmp.Diff(files, read(t, dest)); diff != "" {
			t.Errorf("files differ (-payload +folder):\n%s", diff)
		}
		if mine, err := os.ReadFile(outside); err != nil || string(mine) != "mine" {
			t.Errorf("the file that a link leads to = %q, %v; want it as it was", mine, err)
		}
	})
}

// TestImportNeedsAFolder: what cannot be written is an error.
func TestImportNeedsAFolder(t *testing.T) {
	withEach(t, func(t *testing.T, program string) {
		disk := device(t, encode(t, payload.U32, map[string]string{"a": "1"}))
		for _, dest := range []string{disk, disk + "/below", "/" + strings.Repeat("d/", 2047), "/" + strings.Repeat("d", 5000)} {
			if status, said := run(t, program, "--device", disk, dest); status != 1 {
				t.Errorf("%.30s: status %d; want 1\n%s", dest, status, said)
			}
		}
	})
}

// TestAddPutsTheLinesAroundTheJump: R7, R8.
func TestAddPutsTheLinesAroundTheJump(t *testing.T) {
	got, err := Add("# jump: fiwix\nbuild: a\n jump: fiwix\njump: fiwix ( KERNEL_BOOTSTRAP == True ) # on\nbuild: b\n")
	if err == nil {
		t.Errorf("Add with two jumps = %q; want an error", got)
	}
	got, err = Add("# jump: fiwix\nbuild: a\njump: fiwix ( KERNEL_BOOTSTRAP == True ) # on\nbuild: b\n")
	want := "# jump: fiwix\nbuild: a\nbuild: payload-import-1.0 ( KERNEL_BOOTSTRAP == True )\n" +
		"jump: fiwix ( KERNEL_BOOTSTRAP == True ) # on\nimprove: import_payload\nbuild: b\n"
	if err != nil || got != want {
		t.Errorf("Add = %q, %v; want %q", got, err, want)
	}
	if got, err = Add("jump: fiwix"); err != nil || !strings.HasSuffix(got, "\njump: fiwix\nimprove: import_payload\n") {
		t.Errorf("Add to a line without end = %q, %v", got, err)
	}
	for name, text := range map[string]string{
		"again": want, "without a jump": "build: a\njump: linux\n", "with the step": "build: payload-import-1.0\njump: fiwix\n",
	} {
		if got, err := Add(text); err == nil || got != "" {
			t.Errorf("Add %s = %q, %v; want an error alone", name, got, err)
		}
	}
}

// TestFilesAreAStep: the files that Add's lines name are there, and none else.
func TestFilesAreAStep(t *testing.T) {
	var names []string
	err := fs.WalkDir(Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	want := []string{"improve/" + Improvement + ".sh", Package + "/pass1.kaem", Package + "/src/payload-import.c"}
	if diff := cmp.Diff(want, names); err != nil || diff != "" {
		t.Errorf("Files: %v, differ (-want +got):\n%s", err, diff)
	}
	// R9: the import hangs on PAYLOAD_REQUIRED, in words that kaem and bash have both.
	script, err := fs.ReadFile(Files(), want[0])
	if want := "\nif match x${PAYLOAD_REQUIRED} xTrue; then\n    payload-import ${DISTFILES}\nfi\n"; err != nil ||
		!strings.HasSuffix(string(script), want) {
		t.Errorf("import_payload.sh: %v, %q; want it to end in %q", err, script, want)
	}
	step, err := fs.ReadFile(Files(), Package+"/pass1.kaem")
	if want := fmt.Sprintf("tcc -static -o ${BINDIR}/%s %[1]s.c\n", "payload-import"); err != nil ||
		!strings.Contains(string(step), want) {
		t.Errorf("pass1.kaem: %v, %q; want it to hold %q", err, step, want)
	}
}

// TestVersionOfReadsTheImporter: R7: the version is that which the checkout's importer reads.
func TestVersionOfReadsTheImporter(t *testing.T) {
	own, err := os.ReadFile(source(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		source string
		want   payload.Version
	}{
		{string(own), payload.U64},
		{"static int read_u32(FILE *f, unsigned long *n) { unsigned char b[4]; }", payload.U32},
		{"/* not\n uint64_t */ uint32_t n; // u64\nputs(\"a \\\" u64\");", payload.U32},
		{"unsigned long le32(char *p); int le64(char *p) { return le32(p) | le32(p + 4); }", payload.U64},
		{"int main() { off64_t n; lseek64(0, n, 65536); }", 0},
		{"", 0},
	} {
		if got, err := VersionOf(test.source); got != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("VersionOf(%.60q) = %v, %v; want %v", test.source, got, err, test.want)
		}
	}
}
