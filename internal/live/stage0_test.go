// SPDX-License-Identifier: MIT

package live_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/disk"
	"github.com/rung-build/rung/internal/live"
	"github.com/rung-build/rung/internal/need"
)

// tool runs a program of e2fsprogs.
func tool(ctx context.Context, well []int, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	if cmd.Err != nil {
		cmd = exec.CommandContext(ctx, "/usr/sbin/"+argv[0], argv[1:]...)
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && slices.Contains(well, exit.ExitCode()) {
		return nil
	}
	if err != nil {
		return errors.Join(err, errors.New(string(out)))
	}
	return nil
}

// finished is an image as a run leaves it: a partition at 1 GiB, in it some files.
func finished(t *testing.T, files map[string]string) string {
	t.Helper()
	need.Tool(t, "mke2fs")
	need.Tool(t, "debugfs")
	need.Tool(t, "e2fsck")
	dir, image := t.TempDir(), filepath.Join(t.TempDir(), "init.img")
	for name, text := range files {
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	l, err := disk.New(disk.BootHead+32<<20, disk.BootHead)
	if err != nil {
		t.Fatal(err)
	}
	label := l.Label(1)
	if err := errors.Join(os.WriteFile(image, label[:], 0o644), os.Truncate(image, l.Size)); err != nil {
		t.Fatal(err)
	}
	c := l.Ext3(image, dir, "01234567-89ab-4def-8123-456789abcdef")
	if err := tool(t.Context(), []int{0}, c.Argv...); err != nil {
		t.Fatal(err)
	}
	return image
}

// readBack gives a file of an image, by debugfs.
func readBack(t *testing.T, image, name string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	if err := tool(t.Context(), []int{0}, "debugfs", "-R", "dump "+name+" "+out, image+"?offset=1073741824"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return "nothing"
	}
	return string(text)
}

// stage0Files are those of an image that was run with other mirrors, of which one served a folder then (R16).
func stage0Files(init string) map[string]string {
	return map[string]string{
		"init": init, "steps/env": "PREFIX=/usr\nexport HOME=/tmp", "steps/manifest": "build: old-1.0\n",
		"steps/left/file": "left",
		"steps/bootstrap.cfg": "ARCH=x86\nINTERNAL_CI=pass1\nMIRRORS=\"http://127.0.0.1:4711\"\nMIRRORS_LEN=1\nBUILD_GUIX_ALSO=False\n" +
			"PAYLOAD_REQUIRED=True\nLB_RESUME_NEXT_SCOPE=steps\nDISK=sda1\n",
	}
}

const (
	handsOff = "#!/usr/bin/bash\nrun_steps_guix_if_requested() { :; }\n"
	plainly  = "#!/usr/bin/bash\ncd /steps\nenv - PATH=/usr/bin bash -i\nsync\n"
)

func stage0Plan(t *testing.T, fork, image string, change func(*live.Options)) *live.Plan {
	t.Helper()
	return mustPlan(t, open(t, checkout(t, filepath.Join("testdata/forks", fork))), options(live.QEMU,
		func(o *live.Options) {
			o.Stage0Image, o.Target = image, filepath.Join(t.TempDir(), "target")
			if change != nil {
				change(o)
			}
		}), served{})
}

// fileSum is the digest of a file's partition: before it is nothing.
func fileSum(t *testing.T, name string) digest.Digest {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := digest.NewHasher()
	if _, err := io.Copy(h, io.NewSectionReader(f, disk.BootHead, 1<<40)); err != nil {
		t.Fatal(err)
	}
	return h.Digest()
}

// TestStage0IsPatched shows R14 to R18: this run's mirrors and no old ones, the roots of the checkout laid over the
// image's, env kept and made ready, the original untouched, all without root.
func TestStage0IsPatched(t *testing.T) {
	image := finished(t, stage0Files(handsOff))
	before := fileSum(t, image)
	p := stage0Plan(t, "F1", image, func(o *live.Options) {
		o.BuildGuixAlso = true
		o.Mirrors = []string{"http://127.0.0.1:9", "https://m.example"}
	})
	r := runner(&fakeHost{reason: "guest-reset"})
	r.Builder.Stage0 = live.Stage0Maker{Tool: tool}.Make
	mustRun(t, r, p)
	work := filepath.Join(p.Options.Target, "stage0-work.img")
	want := "ARCH=x86\nDISK=sda1\nBUILD_GUIX_ALSO=True\nMIRRORS=\"http://127.0.0.1:9 " +
		"https://m.example\"\nMIRRORS_LEN=2\n" +
		"INTERNAL_CI=False\nPAYLOAD_REQUIRED=False\n"
	if diff := cmp.Diff(want, readBack(t, work, "/steps/bootstrap.cfg")); diff != "" {
		t.Errorf("bootstrap.cfg (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"/steps/env":           "PREFIX=/usr\nexport HOME=/tmp\nNETWORK_READY=False\n",
		"/steps/left/file":     "left",
		"/init":                handsOff,
		"/steps/manifest":      hostText(t, p.Checkout.Dir, "steps/manifest"),
		"/steps-guix/manifest": hostText(t, p.Checkout.Dir, "steps-guix/manifest"),
	} {
		if got := readBack(t, work, name); got != want {
			t.Errorf("%s = %q; want %q", name, got, want)
		}
	}
	if after := fileSum(t, image); after != before {
		t.Error("the original has changed")
	}
	// Another run has other mirrors (R14).
	p = stage0Plan(t, "F1", image, func(o *live.Options) {
		o.Target, o.Mirrors = p.Options.Target,
			[]string{"http://127.0.0.1:10"}
	})
	mustRun(t, r, p)
	if got := readBack(t, work, "/steps/bootstrap.cfg"); !strings.Contains(got, `MIRRORS="http://127.0.0.1:10"`) ||
		strings.Contains(got, "GUIX") {
		t.Errorf("bootstrap.cfg of the second run = %q; want its own mirror", got)
	}
}

func hostText(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestStage0NeedsTheHandOff shows R19: an /init without the marker is refused, and patched on a flag only; the patched
// one is a script that bash reads.
func TestStage0NeedsTheHandOff(t *testing.T) {
	image := finished(t, stage0Files(plainly))
	p := stage0Plan(t, "F1", image, func(o *live.Options) { o.BuildGuixAlso = true })
	r := runner(&fakeHost{reason: "guest-reset"})
	r.Builder.Stage0 = live.Stage0Maker{Tool: tool}.Make
	_, err := r.Run(t.Context(), p)
	wantFault(t, "Run of an image without a hand-off", err, fault.Usage, "run_steps_guix_if_requested", "--patch-init")
	if _, err := os.Stat(p.Options.Target); err == nil {
		t.Error("the target is there; want nothing of a refused image")
	}
	r.Builder.Stage0 = live.Stage0Maker{Tool: tool, PatchInit: true}.Make
	mustRun(t, r, p)
	init := readBack(t, filepath.Join(p.Options.Target, "stage0-work.img"), "/init")
	if !strings.Contains(init, "\nrun_steps_guix_if_requested\n\nenv - ") || !strings.HasPrefix(init,
		"#!/usr/bin/bash\n") {
		t.Errorf("/init = %q; want the hand-off before the shell", init)
	}
	if out, err := exec.Command("/bin/bash", "-n", "-c", init).CombinedOutput(); err != nil {
		t.Errorf("bash -n: %v: %s", err, out)
	}
	mustRun(t, r, stage0Plan(t, "F1", image, nil)) // without extra builds nobody needs it
}

// TestStage0BreaksAfter shows the lines by which a run under test goes on behind its break.
func TestStage0BreaksAfter(t *testing.T) {
	image := finished(t, stage0Files(handsOff))
	p := stage0Plan(t, "F2", image, func(o *live.Options) {
		o.InternalCI, o.BreakAfter, o.Mirrors = "pass2",
			"steps:cc-0.1", nil
	})
	r := runner(&fakeHost{reason: "guest-reset"})
	r.Builder.Stage0 = live.Stage0Maker{Tool: tool}.Make
	mustRun(t, r, p)
	work := filepath.Join(p.Options.Target, "stage0-work.img")
	got := readBack(t, work, "/steps/bootstrap.cfg")
	for _, line := range []string{"LB_RESUME_NEXT_SCOPE=steps\n", "LB_RESUME_NEXT_PACKAGE=", "INTERNAL_CI=pass2\n"} {
		if strings.Count(got, line) != 1 {
			t.Errorf("bootstrap.cfg = %q; want one %q", got, line)
		}
	}
	if strings.Contains(got, "MIRRORS") || !strings.Contains(readBack(t, work, "/steps/manifest"),
		"jump: break ( INTERNAL_CI == pass2 )\n") {
		t.Errorf("bootstrap.cfg = %q; want no mirrors, and a break in the manifest", got)
	}
}

// TestStage0Refuses shows what is no image of a finished run.
func TestStage0Refuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, make([]byte, 4096), 0o644); err != nil {
		t.Fatal(err)
	}
	files := stage0Files(handsOff)
	delete(files, "steps/bootstrap.cfg")
	for image, word := range map[string]string{
		empty: "--stage0-image", filepath.Join(t.TempDir(), "none"): "no such file", finished(t,
			files): "no /steps/bootstrap.cfg",
	} {
		file := filepath.Join(t.TempDir(), "work")
		p := stage0Plan(t, "F1", empty, nil)
		p.Options.Stage0Image = image
		wantFault(t, "Make", live.Stage0Maker{Tool: tool}.Make(t.Context(), p, file), fault.Usage, word)
	}
}
