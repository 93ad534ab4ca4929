// SPDX-License-Identifier: MIT

package live_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/filelock"
	"github.com/rung-build/rung/internal/format/disk"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/format/payload"
	"github.com/rung-build/rung/internal/format/srcfs"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/tree"
)

func build(t *testing.T, dir string, o live.Options) []live.Built {
	t.Helper()
	p := mustPlan(t, open(t, dir), o, served{})
	built, err := live.Builder{Held: served{}, Run: runTool}.Build(t.Context(), p)
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return built
}

func runTool(ctx context.Context, c disk.Command) error {
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return &exec.Error{Name: c.Argv[0], Err: errorText(string(out))}
	}
	return nil
}

type errorText string

func (e errorText) Error() string { return string(e) }

// into names a target that does not exist yet.
func into(t *testing.T, change func(*live.Options)) func(*live.Options) {
	target := filepath.Join(t.TempDir(), "target")
	return func(o *live.Options) {
		o.Target = target
		if change != nil {
			change(o)
		}
	}
}

// files are the names of a tree's files, and their texts.
func files(t tree.Tree, c formattest.Blobs) map[string]string {
	all := map[string]string{}
	for n := range t.Nodes() {
		if n.Kind == tree.File {
			all[n.Path] = string(c[n.Content])
		}
	}
	return all
}

// TestBuildImage: R4, R37, R39, R43, R44, R45: the image is read back by the decoder of its format: boot sector, kernel
// source, and the whole tree with configuration and early distfiles; the file is filled up without taking room.
func TestBuildImage(t *testing.T) {
	dir := checkout(t)
	o := options(live.QEMU, into(t, func(o *live.Options) { o.TargetSize = 2048 }))
	built := build(t, dir, o)
	if len(built) != 1 || built[0].Path != filepath.Join(o.Target, "init.img") || built[0].Size != 2048<<20 {
		t.Fatalf("Build = %+v; want one file init.img of 2 GiB", built)
	}
	f, err := os.Open(built[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := formattest.Blobs{}
	img, err := srcfs.Decode(f, srcfs.Limits{Files: 1000, Bytes: 1 << 20}, c.Put)
	if err != nil {
		t.Fatal(err)
	}
	got := files(img.Tree, c)
	for name, want := range map[string]string{
		"after.kaem":                           "# goes on with seed.kaem: this one counts, not that of stage0-posix\n",
		"steps/bootstrap.cfg":                  plain,
		"external/distfiles/cc-extra.tar":      "distfile cc-extra.tar\n",
		"external/distfiles/bash-0.2.tar.gz":   "distfile bash-0.2.tar.gz\n",
		"High Level Prototypes/part.c":         "/* a folder with spaces in its name */\n",
		"steps/kernel-1.0/files/bootstrap.cfg": "# of this name, and an input nevertheless\n",
		"external/distfiles/net-1.0.tar.gz":    "",
		"bootstrap-seeds/POSIX/x86/hex0-seed":  "",
		".gitmodules":                          "",
		"init":                                 "",
	} {
		if text, ok := got[name]; text != want || ok != (want != "") {
			t.Errorf("%s in the image = %q, %v; want %q", name, text, ok, want)
		}
	}
	for _, name := range openTexts(t, dir, "steps") {
		rel, _ := filepath.Rel(dir, name)
		if _, ok := got[filepath.ToSlash(rel)]; !ok {
			t.Errorf("%s is not in the image", rel)
		}
	}
	if last := img.Trailer[len(img.Trailer)-1]; last != "/bootstrap-seeds/POSIX/x86/kaem-optional-seed /kaem.x86" {
		t.Errorf("the last command = %q; want the one that starts the seed", last)
	}
}

// openTexts lists files below folders of a checkout.
func openTexts(t *testing.T, dir string, below ...string) []string {
	var all []string
	for _, b := range below {
		err := filepath.WalkDir(filepath.Join(dir, b), func(name string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				all = append(all, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestBuildIsDeterministic: two clones with other times and another order on the disk come to the same bytes.
func TestBuildIsDeterministic(t *testing.T) {
	need.Tool(t, "mke2fs")
	var sums []string
	for range 2 {
		dir := checkout(t)
		for _, c := range []struct {
			file   string
			change func(*live.Options)
		}{
			{"init.img", func(o *live.Options) { o.TargetSize = 1100 }},
			{"external.img", func(o *live.Options) { o.ExternalSources, o.ShipImporter = true, true }},
			{"disk.img", func(o *live.Options) { o.Kernel, o.TargetSize = "/kernel", 1100 }},
		} {
			o := options(live.QEMU, into(t, c.change))
			build(t, dir, o)
			sums = append(sums, sumFile(t, filepath.Join(o.Target, c.file)))
		}
	}
	if !slices.Equal(sums[:3], sums[3:]) {
		t.Errorf("sums of two builds %q and %q; want the same", sums[:3], sums[3:])
	}
}

// sumFile is the sum of 16 MiB behind the start of a file and behind its first GiB.
func sumFile(t *testing.T, name string) string {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := digest.NewHasher()
	for _, at := range []int64{0, 1 << 30} {
		if _, err := io.Copy(h, io.NewSectionReader(f, at, 16<<20)); err != nil {
			t.Fatal(err)
		}
	}
	return h.Digest().Hex()
}

// TestBuildPayload: R5, R6, R11: what the early image lacks is in one raw file beside it, in the width that the
// checkout's importer reads.
func TestBuildPayload(t *testing.T) {
	for fork, version := range map[string]payload.Version{"F1": payload.U32, "F2": payload.U64} {
		o := options(live.QEMU, into(t, func(o *live.Options) { o.ExternalSources = true }))
		built := build(t, checkout(t, "testdata/forks/"+fork), o)
		if len(built) != 2 || filepath.Base(built[1].Path) != "external.img" {
			t.Fatalf("%s: Build = %+v; want two files", fork, built)
		}
		b, err := os.ReadFile(built[1].Path)
		if err != nil {
			t.Fatal(err)
		}
		c := formattest.Blobs{}
		v, tr, err := payload.Decode(bytes.NewReader(b), payload.Limits{Files: 100, Bytes: 1 << 20}, c.Put)
		if err != nil || v != version || !bytes.HasPrefix(b, []byte("LBPAYLD1")) || len(b)%512 != 0 {
			t.Errorf("%s: payload.Decode: version %v, %v; want %v", fork, v, err, version)
		}
		want := map[string]string{}
		for _, name := range []string{"bash-0.1.tar.gz", "bash-0.2.tar.gz", "big-2.0.tar.xz", "big-data.tar.gz",
			"kernel-1.0.tar.xz",
			"make-0.1.tar.xz", "net-1.0.tar.gz"} {
			want[name] = "distfile " + name + "\n"
		}
		if d := cmp.Diff(want, files(tr, c)); d != "" {
			t.Errorf("%s: payload (-want +got):\n%s", fork, d)
		}
	}
}

// TestPayloadVersion: R5: the command line counts where the importer's source does not show what it reads.
func TestPayloadVersion(t *testing.T) {
	dir := checkout(t, "testdata/forks/F1")
	source := filepath.Join(dir, "steps/payload-import-1.0/src/payload-import.c")
	write(t, source, "int main(void);\n")
	o := options(live.QEMU, func(o *live.Options) { o.ExternalSources = true })
	_, err := open(t, dir).Plan(o, served{})
	wantFault(t, "Plan with an importer that shows nothing", err, fault.Usage, "--payload-version u32 or u64")
	o.PayloadVersion = "u16"
	_, err = open(t, dir).Plan(o, served{})
	wantFault(t, "Plan with a version that is none", err, fault.Usage, "--payload-version")
	sizes := map[string]int64{}
	for _, v := range []string{"u32", "u64"} {
		o.PayloadVersion = v
		sizes[v] = mustPlan(t, open(t, dir), o, huge{sizes: map[string]int64{"net-1.0.tar.gz": 1 << 20}}).Media[1].Size
	}
	// Seven files: their content, names of 105 bytes, the magic, and 15 numbers of 4 or 8 bytes, in whole sectors.
	content := int64(1<<20) + 6*10 + 105 - int64(len("net-1.0.tar.gz"))
	for v, width := range map[string]int64{"u32": 4, "u64": 8} {
		want := (8 + 15*width + content + 105 + 511) / 512 * 512
		if sizes[v] != want {
			t.Errorf("payload of %s: %d bytes; want %d", v, sizes[v], want)
		}
	}
}

// TestBuildFolder: R58, R75: the root of a chroot.
func TestBuildFolder(t *testing.T) {
	dir := checkout(t)
	if err := os.Chmod(filepath.Join(dir, "seed/stage0-posix/bootstrap-seeds/POSIX/x86/kaem-optional-seed"),
		0o755); err != nil {
		t.Fatal(err)
	}
	o := options(live.Chroot, into(t, nil))
	build(t, dir, o)
	b, err := os.ReadFile(filepath.Join(o.Target, "init"))
	if info, _ := os.Stat(filepath.Join(o.Target, "init")); err != nil || string(b) != "the seed for x86\n" ||
		info.Mode() != 0o755 {
		t.Errorf("init = %q, %v, %v; want the seed for x86, which can be run", b, info, err)
	}
	if _, err := os.Stat(filepath.Join(o.Target, "external/distfiles/cc-0.1.tar.gz")); err != nil {
		t.Error(err)
	}
	for _, name := range openTexts(t, o.Target, ".") {
		if info, err := os.Stat(name); err != nil || info.ModTime().Unix() != 1 || strings.Contains(name, ".git") ||
			strings.Contains(name, ".rung") {
			t.Errorf("%s: %v, %v; want the first second of 1970, and neither .git nor .rung", name, info.ModTime(), err)
		}
	}
}

// TestBuildDisk: R39: e2fsprogs finds the files where the label says that the partition is.
func TestBuildDisk(t *testing.T) {
	need.Tool(t, "mke2fs")
	debugfs := need.Tool(t, "debugfs")
	o := options(live.QEMU, into(t, func(o *live.Options) { o.Kernel, o.TargetSize = "/kernel", 1100 }))
	build(t, checkout(t), o)
	image := filepath.Join(o.Target, "disk.img")
	f, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sector := make([]byte, 512)
	if _, err := io.ReadFull(f, sector); err != nil {
		t.Fatal(err)
	}
	parts, err := disk.Partitions(sector, 1100<<20)
	if err != nil || len(parts) != 1 || parts[0].Start != 1<<30 || parts[0].Type != 0x83 {
		t.Errorf("partitions %+v, %v; want one of Linux from 1 GiB", parts, err)
	}
	out, err := exec.Command(debugfs, "-R", "cat /external/distfiles/bash-0.2.tar.gz",
		image+"?offset=1073741824").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "distfile bash-0.2.tar.gz\n") {
		t.Errorf("debugfs: %q, %v; want the distfile", out, err)
	}
	partition := filepath.Join(t.TempDir(), "partition")
	if out, err := exec.Command("dd", "if="+image, "of="+partition, "bs=1M", "skip=1024",
		"status=none").CombinedOutput(); err != nil {
		t.Fatalf("dd: %v: %s", err, out)
	}
	if out, err := exec.Command(need.Tool(t, "e2fsck"), "-f", "-n", partition).CombinedOutput(); err != nil {
		t.Errorf("e2fsck: %v: %s", err, out)
	}
	if left, _ := filepath.Glob(o.Target + "/*"); len(left) != 1 {
		t.Errorf("in the target: %q; want the disk alone", left)
	}
}

// TestBuildLeavesNothingBehind: what is missing, wrong or interrupted leaves neither a target nor a part of one.
func TestBuildLeavesNothingBehind(t *testing.T) {
	dir := checkout(t)
	for _, name := range []string{"bash-0.1.tar.gz", "bash-0.2.tar.gz", "cc-0.1.tar.gz", "cc-extra.tar",
		"isle-1.0.tar.bz2", "make-0.1.tar.xz"} {
		write(t, filepath.Join(dir, "distfiles", name), served{}.content(name))
	}
	o := options(live.QEMU, into(t, nil))
	c := open(t, dir)
	held := c.Hold(nil)
	_, err := live.Builder{Held: held}.Build(t.Context(), mustPlan(t, c, o, held))
	wantFault(t, "Build, one distfile is missing", err, fault.NotFound, "kernel-1.0.tar.xz", "rung live fetch")

	write(t, filepath.Join(dir, "distfiles", "kernel-1.0.tar.xz"), "distfile kernel-2.0.tar.xz\n")
	_, err = live.Builder{Held: held}.Build(t.Context(), mustPlan(t, c, o, held))
	wantFault(t, "Build, a distfile is wrong", err, fault.Mismatch, "kernel-1.0.tar.xz", "remove the file")

	write(t, filepath.Join(dir, "distfiles", "kernel-1.0.tar.xz"), served{}.content("kernel-1.0.tar.xz"))
	p := mustPlan(t, c, o, held)
	write(t, filepath.Join(dir, "steps/env"), "another text\n")
	_, err = live.Builder{Held: held}.Build(t.Context(), p)
	if err == nil {
		t.Error("Build, an input changed since the plan: no error")
	}

	ctx, cancel := context.WithCancel(t.Context())
	p = mustPlan(t, c, o, held)
	_, err = live.Builder{Held: held, Progress: func(string, int64, int64) { cancel() }}.Build(ctx, p)
	if fault.KindOf(err) != fault.Interrupted {
		t.Errorf("Build, interrupted: %v; want an interruption", err)
	}
	if left, _ := filepath.Glob(filepath.Dir(o.Target) + "/*"); len(left) != 0 {
		t.Errorf("left behind: %q; want nothing", left)
	}
	if _, err := (live.Builder{Held: held}).Build(t.Context(), p); err != nil {
		t.Errorf("Build, again: %v", err)
	}
}

// TestBuildKeepsTargets: R33, R34: a target that holds something stays as it is.
func TestBuildKeepsTargets(t *testing.T) {
	o := options(live.BareMetal, into(t, nil))
	p := mustPlan(t, open(t, checkout(t)), o, served{})
	b := live.Builder{Held: served{}}
	write(t, filepath.Join(o.Target, "mine"), "x")
	_, err := b.Build(t.Context(), p)
	wantFault(t, "Build into a folder that is not empty", err, fault.Usage, "not empty", "--target")
	if err := os.Remove(filepath.Join(o.Target, "mine")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(o.Target+".partial", "mine"), "x")
	_, err = b.Build(t.Context(), p)
	wantFault(t, "Build beside a folder of somebody", err, fault.Usage, "in the way")

	write(t, filepath.Join(o.Target+".partial", ".rung-live"), "")
	f, err := os.OpenFile(filepath.Join(o.Target+".partial", ".rung-live"), os.O_RDWR, 0)
	if err != nil || filelock.Lock(f, filelock.Exclusive, 0) != nil {
		t.Fatal(err)
	}
	_, err = b.Build(t.Context(), p)
	wantFault(t, "Build beside another one", err, fault.Unavailable, "wait")
	f.Close()
	if _, err := b.Build(t.Context(), p); err != nil { // what a killed run left, and an empty target
		t.Errorf("Build over a folder that a run left: %v", err)
	}
	if _, err := os.Stat(filepath.Join(o.Target, "init.img")); err != nil {
		t.Error(err)
	}
}

// TestBuildLaterPass: a later pass in bwrap keeps the target and brings distfiles that it lacks.
func TestBuildLaterPass(t *testing.T) {
	dir := checkout(t)
	later := into(t, func(o *live.Options) { o.InternalCI, o.ExternalSources = "pass2", true })
	o := options(live.Bwrap, later)
	p := mustPlan(t, open(t, dir), o, served{})
	_, err := live.Builder{Held: served{}}.Build(t.Context(), p)
	wantFault(t, "Build of a second pass without a first", err, fault.Usage, "pass1")
	first := o
	first.InternalCI = "pass1"
	build(t, dir, first)
	gone := filepath.Join(o.Target, "external/distfiles/big-2.0.tar.xz")
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(o.Target, "built"), "x")
	if _, err := (live.Builder{Held: served{}}).Build(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(gone)
	if _, kept := os.Stat(filepath.Join(o.Target, "built")); err != nil || string(b) != "distfile big-2.0.tar.xz\n" ||
		kept != nil {
		t.Errorf("big-2.0.tar.xz = %q, %v; built: %v; want it back, and all else kept", b, err, kept)
	}
}
