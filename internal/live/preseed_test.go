// SPDX-License-Identifier: MIT

package live_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/formattest"
	"github.com/rung-build/rung/internal/format/srcfs"
	"github.com/rung-build/rung/internal/format/tarball"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/tree"
)

// archive writes a root file system to start from; texts that begin with -> are links.
func archive(t *testing.T, texts map[string]string) string {
	t.Helper()
	c := formattest.Blobs{}
	var nodes []tree.Node
	for name, text := range texts {
		n := tree.Node{Path: name, Kind: tree.File, Mode: 0o755}
		if len(text) > 2 && text[:2] == "->" {
			n.Kind, n.Mode, n.Target = tree.Symlink, 0o777, text[2:]
		} else {
			n.Content = c.Add(text)
		}
		nodes = append(nodes, n)
	}
	tr, err := tree.New(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	err = tarball.Encode(z, tr, func(d digest.Digest) (io.ReadCloser,
		error) {
		return io.NopCloser(bytes.NewReader([]byte(c[d]))), nil
	})
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "base.tar.gz")
	write(t, name, b.String())
	return name
}

// TestEarlyPreseed: an archive takes the place of the seed; its steps and distfiles do not count.
func TestEarlyPreseed(t *testing.T) {
	texts := map[string]string{
		"script-generator": "generator\n", "usr/bin/kaem": "kaem\n", "usr/bin/link": "->kaem", "bin": "->usr/bin",
		"sh":   "->/bin/link",
		"none": "->nowhere", "x86/hex0_x86.hex0": "7F\n", "x86/kaem-minimal.hex0": "7F\n", "steps/manifest": "old\n",
		"external/distfiles/old": "old\n", "bootstrap-seeds/POSIX/x86/kaem-optional-seed": "seed\n",
	}
	tarball := archive(t, texts)
	dir := checkout(t)
	o := options(live.QEMU, into(t, func(o *live.Options) { o.EarlyPreseed = tarball }))
	build(t, dir, o)
	f, err := os.Open(filepath.Join(o.Target, "init.img"))
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
		"script-generator": "generator\n", "usr/bin/link": "kaem\n", "sh": "kaem\n",
		"kaem.x86": "# goes on behind bash\n",
		"none":     "", "external/distfiles/old": "", "after.kaem": "", "steps/bootstrap.cfg": plain,
		"external/distfiles/cc-extra.tar": "distfile cc-extra.tar\n",
	} {
		if got[name] != want {
			t.Errorf("%s in the image = %q; want %q", name, got[name], want)
		}
	}

	o = options(live.Chroot, into(t, func(o *live.Options) { o.EarlyPreseed = tarball }))
	build(t, dir, o)
	if to, err := os.Readlink(filepath.Join(o.Target, "bin")); err != nil || to != "usr/bin" {
		t.Errorf("bin leads to %q, %v; want usr/bin", to, err)
	}
	if b, err := os.ReadFile(filepath.Join(o.Target, "bin/link")); err != nil || string(b) != "kaem\n" {
		t.Errorf("bin/link = %q, %v; want kaem", b, err)
	}
	if left, _ := filepath.Glob(o.Target + "/.*"); len(left) > 0 {
		t.Errorf("left in the target: %q", left)
	}

	delete(texts, "usr/bin/kaem")
	delete(texts, "usr/bin/link")
	_, err = open(t, dir).Plan(options(live.Chroot, func(o *live.Options) { o.EarlyPreseed = archive(t, texts) }),
		served{})
	wantFault(t, "Plan with an archive that lacks something", err, fault.Usage, "no usr/bin/kaem")
	write(t, tarball, "no archive at all, and not a short one")
	_, err = open(t, dir).Plan(options(live.Chroot, func(o *live.Options) { o.EarlyPreseed = tarball }), served{})
	wantFault(t, "Plan with a file that is no archive", err, fault.Usage, "--early-preseed")
}
