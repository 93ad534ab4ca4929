// SPDX-License-Identifier: MIT

package live_test

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/live"
)

// BenchmarkBuild makes media with 300 distfiles, and compares the time, up to where all is on the disk, with that of cat
// of the same distfiles to the same disk: an image as full as builder-hex0 can take, and a payload of 700 MB. The last
// figure is the largest memory that the process had in use, which is that of all before as well.
func BenchmarkBuild(b *testing.B) {
	for _, c := range []struct {
		name, fork, at string
		size           int
		o              live.Options
	}{
		{"image of 300 MB", "", "improve: get_network", 1_000_000, options(live.BareMetal, nil)},
		{"payload of 700 MB", "testdata/forks/F1", "improve: after", 2_333_333,
			options(live.BareMetal, func(o *live.Options) { o.ExternalSources = true })},
	} {
		b.Run(c.name, func(b *testing.B) {
			dir := checkout(b, strings.Fields(c.fork)...)
			bulk(b, dir, c.at, c.size)
			checked := open(b, dir)
			held := checked.Hold(nil)
			c.o.Target = filepath.Join(b.TempDir(), "target")
			b.SetBytes(300 * int64(c.size))
			var ours, cats time.Duration
			for b.Loop() {
				b.StopTimer()
				cats += synced(b, dir, func() error {
					return exec.Command("sh", "-c", `cat "$0"/distfiles/* >"$0.cat"`, dir).Run()
				})
				if err := os.Remove(dir + ".cat"); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				ours += synced(b, dir, func() error {
					p, err := checked.Plan(c.o, held)
					if err != nil {
						return err
					}
					_, err = live.Builder{Held: held}.Build(b.Context(), p)
					return err
				})
				b.StopTimer()
				if err := os.RemoveAll(c.o.Target); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(ours)/float64(cats), "cats/op")
			b.ReportMetric(peak(b), "MiB-peak")
		})
	}
}

// synced is the time that something takes, up to where all is on the disk of a folder.
func synced(b *testing.B, dir string, do func() error) time.Duration {
	b.Helper()
	sync := func() {
		if err := exec.Command("sync", "-f", dir).Run(); err != nil {
			b.Fatal(err)
		}
	}
	sync()
	begin := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	sync()
	return time.Since(begin)
}

// bulk gives a checkout 300 distfiles of a size, and a package that wants them above a line of its manifest.
func bulk(b *testing.B, dir, at string, size int) {
	b.Helper()
	chance := rand.New(rand.NewSource(1))
	var sources strings.Builder
	content := make([]byte, size)
	for i := range 300 {
		chance.Read(content)
		name := fmt.Sprintf("bulk-%03d.tar.xz", i)
		write(b, filepath.Join(dir, "distfiles", name), string(content))
		fmt.Fprintf(&sources, "f _ %s %s\n", digest.Of(content).Hex(), name)
	}
	write(b, filepath.Join(dir, "steps/bulk-1.0/sources"), sources.String())
	for _, name := range []string{"cc-0.1.tar.gz", "cc-extra.tar", "isle-1.0.tar.bz2", "make-0.1.tar.xz", "bash-0.1.tar.gz",
		"kernel-1.0.tar.xz", "bash-0.2.tar.gz", "net-1.0.tar.gz", "big-2.0.tar.xz", "big-data.tar.gz"} {
		write(b, filepath.Join(dir, "distfiles", name), served{}.content(name))
	}
	text, err := os.ReadFile(filepath.Join(dir, "steps/manifest"))
	if err != nil {
		b.Fatal(err)
	}
	write(b, filepath.Join(dir, "steps/manifest"), strings.Replace(string(text), at, "build: bulk-1.0\n"+at, 1))
}

// peak is the largest memory of this process so far, in MiB, as proc(5) has it.
func peak(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}

// BenchmarkCheck reads and checks the checkout in testdata.
func BenchmarkCheck(b *testing.B) {
	dir := checkout(b)
	for b.Loop() {
		if all := open(b, dir).Check(options(live.QEMU, nil), served{}); len(all) != 0 {
			b.Fatal(all)
		}
	}
}
