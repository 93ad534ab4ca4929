// SPDX-License-Identifier: MIT

//go:build live

package srcfs

import (
	"bufio"
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/need"
	"github.com/rung-build/rung/internal/tree"
)

// driver makes an image with the functions of the checkout's own generator, of a tree without distfiles, which are not
// there: in the folder that is its argument. It runs in the checkout and writes nothing into it.
const driver = `
import os, shutil, sys
sys.dont_write_bytecode = True
try:
    import requests
except ImportError:
    import types
    sys.modules["requests"] = types.ModuleType("requests")
sys.path.insert(0, os.getcwd())
from lib.generator import Generator
g = Generator.__new__(Generator)
g.arch, g.target_dir = "x86", os.path.join(sys.argv[1], "init")
os.mkdir(g.target_dir)
g.stage0_posix(True)
g.seed()
shutil.copytree("steps", os.path.join(g.target_dir, "steps"))
g.create_builder_hex0_disk_image(g.target_dir + ".img", 0)
`

// walk makes a tree of a folder as the generator takes it: without whatever has .git in its path.
func walk(t *testing.T, dir string, b formattest.Blobs) tree.Tree {
	t.Helper()
	var nodes []tree.Node
	folder := os.DirFS(dir)
	err := fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || path == ".":
			return err
		case strings.Contains(path, ".git") && d.IsDir():
			return fs.SkipDir
		case strings.Contains(path, ".git"):
			return nil
		case d.IsDir():
			nodes = append(nodes, tree.Node{Path: path, Kind: tree.Dir, Mode: 0o755})
			return nil
		}
		content, err := fs.ReadFile(folder, path)
		nodes = append(nodes, b.Plain(path, string(content)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return formattest.Tree(t, nodes...)
}

// checkout is a real checkout.
func checkout(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("RUNG_LIVE_CHECKOUT")
	if dir == "" {
		need.Unmet(t, "a checkout of live-bootstrap, which RUNG_LIVE_CHECKOUT names")
	}
	return dir
}

// realBoot is the front of an image from the sources of a checkout.
func realBoot(t *testing.T, dir string) Boot {
	t.Helper()
	var sources [2][]byte
	for i, name := range []string{"builder-hex0-x86-stage1.hex0", "builder-hex0-x86-stage2.hex0"} {
		text, err := os.ReadFile(filepath.Join(dir, "builder-hex0", name))
		if err != nil {
			t.Fatal(err)
		}
		sources[i] = text
	}
	boot, err := NewBoot(sources[0], sources[1])
	if err != nil {
		t.Fatal(err)
	}
	return boot
}

// TestRealBoot: R43 to R45, with the digest and the sector known of builder-hex0 a2781242.
func TestRealBoot(t *testing.T) {
	boot := realBoot(t, checkout(t))
	const known = "37b765a6aecd007e4afec714211aa4d8f39515ebc3e277fc1251d4b54fd31c66"
	if got := digest.Of(boot.stage2).Hex(); got != known {
		t.Logf("another stage2: %s, %d bytes, sector %d", got, len(boot.stage2), boot.Start())
		return
	}
	if got := digest.Of(boot.stage1).Hex(); got != "87c3d44555bd294dbc7be12dd06697235a354247c155eb0eb5a8834a3aad1b59" {
		t.Errorf("stage1 = %s", got)
	}
	if boot.Start() != 175 || len(boot.stage2) != 88_615 {
		t.Errorf("Start = %d, stage2 of %d bytes; want 175, 88615", boot.Start(), len(boot.stage2))
	}
}

// TestSameAsGenerator compares with the image that the checkout's own generator makes of the same tree, entry by entry.
func TestSameAsGenerator(t *testing.T) {
	dir, temp := checkout(t), t.TempDir()
	python, err := exec.LookPath("python3")
	if err != nil {
		need.Unmet(t, "python3: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", driver, temp)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the generator: %v\n%s", err, out)
	}
	theirs, err := os.ReadFile(filepath.Join(temp, "init.img"))
	if err != nil {
		t.Fatal(err)
	}
	b := formattest.Blobs{}
	img, err := Decode(bytes.NewReader(theirs), Limits{Files: MaxEntries, Bytes: MaxBytes}, b.Put)
	if err != nil {
		t.Fatal(err)
	}
	ours := walk(t, filepath.Join(temp, "init"), b)
	boot := realBoot(t, dir)
	if !bytes.Equal(img.Boot.stage1, boot.stage1) || !bytes.Equal(img.Boot.stage2, boot.stage2) {
		t.Error("stage1 or stage2 differ")
	}
	if got := strings.Join(img.Trailer, "\n") + "\n"; got != trailer {
		t.Errorf("the end of their stream is\n%swant\n%s", got, trailer)
	}
	image := mustEncode(t, boot, ours, b)
	if len(image) != len(theirs) || Size(boot, ours) != int64(len(theirs)) {
		t.Errorf("our image has %d bytes; theirs %d", len(image), len(theirs))
	}
	// As trees they differ in folders without anything in them, which a stream does not tell from empty files.
	if again := mustEncode(t, img.Boot, img.Tree, b); !bytes.Equal(again, image) {
		t.Errorf("their entries, in order, are not ours: %s", img.Tree.Diff(ours))
	}
	c := CapacityOf(ours)
	t.Logf("%d bytes of image; %d of %d bytes, %d of %d entries", len(image), c.Bytes, c.MaxBytes, c.Entries, c.MaxEntries)
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

// TestBuilderHex0BootsTheImage boots our image under TCG until builder-hex0's shell says the name of the last entry of
// the first folder, which means that the boot sector has compiled the kernel, and that the kernel has found the stream.
func TestBuilderHex0BootsTheImage(t *testing.T) {
	dir, b := checkout(t), formattest.Blobs{}
	nodes := []tree.Node{b.Plain("0/one", "1"), b.Plain("0/two words", strings.Repeat("\x00src\n", 1000)),
		b.Plain("0/z", ""), b.Plain(firstScript, "")}
	for _, name := range []string{hex0Source, kaemSource} {
		content, err := os.ReadFile(filepath.Join(dir, "seed/stage0-posix", name))
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, b.Plain(name, string(content)))
	}
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(disk, mustEncode(t, realBoot(t, dir), formattest.Tree(t, nodes...), b), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, need.Tool(t, "qemu-system-x86_64"), "-M", "pc", "-accel", "tcg", "-m", "4G",
		"-nographic", "-no-reboot", "-nic", "none", "-drive", "format=raw,file="+disk)
	console, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(console); lines.Scan() && len(said) < 1000; {
		said = append(said, strings.TrimSpace(lines.Text()))
		if said[len(said)-1] == "./"+hex0Source {
			break
		}
	}
	cancel() // ends the guest
	_ = cmd.Wait()
	got := strings.Join(said, " ")
	want := "src . src ./0 src ./0/one src ./0/two words src ./0/z src ./kaem.x86 src ./x86 src ./x86/hex0_x86.hex0"
	if !strings.HasSuffix(got, want) {
		t.Errorf("builder-hex0 says %q; want it to end in %q", got, want)
	}
}
