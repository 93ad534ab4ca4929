// SPDX-License-Identifier: MIT

//go:build live

package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rung-build/rung/internal/cli"
	"github.com/rung-build/rung/internal/need"
)

// realCheckout is a copy of the checkout that $RUNG_LIVE_CHECKOUT names, whose sources files are empty: the guest
// comes as far as it does without any distfile, which is past stage0 and the first two packages.
func realCheckout(t *testing.T) string {
	t.Helper()
	from := os.Getenv("RUNG_LIVE_CHECKOUT")
	if from == "" {
		t.Fatal("RUNG_LIVE_CHECKOUT names no checkout")
	}
	dir := filepath.Join(t.TempDir(), "checkout")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob(filepath.Join(dir, "steps/*/sources"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no sources files: %v", err)
	}
	for _, name := range all {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRealCheckoutBoots shows builder-hex0 of a real checkout booting our image in QEMU under TCG: the firmware,
// builder-hex0's own first output, which is the names of the files it reads, all of them, and the first command of the
// first kaem. On two cores that others use too: 0.6 s, and 123 s.
func TestRealCheckoutBoots(t *testing.T) {
	need.Tool(t, "qemu-system-x86_64")
	target := filepath.Join(t.TempDir(), "target")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	begin := time.Now()
	stderr := &trigger{text: " +> ./x86/artifact/hex0 ", call: cancel}
	status := cli.Main(ctx, []string{"live", "run", realCheckout(t), "--qemu", "--accel", "tcg", "-m",
		"http://127.0.0.1:1/x", "-t", target, "-v",
		"--store", t.TempDir()}, nil, &bytes.Buffer{}, stderr, func(string) string { return "" })
	text, err := os.ReadFile(filepath.Join(target, "rung/console.log"))
	if err != nil {
		t.Fatalf("Main(live run) = %d: %v\n%s", status, err, stderr.all.String())
	}
	console := strings.ReplaceAll(string(text), "\r", "")
	t.Logf("%v; %d names of files", time.Since(begin).Round(time.Second), strings.Count(console, "src\n"))
	at := 0
	for _, want := range []string{"SeaBIOS", "Booting from Hard Disk...\n", "src\n.\n", "\n./steps/manifest\n",
		"\nhex0\n", " +> ./bootstrap-seeds/POSIX/x86/hex0-seed "} {
		i := strings.Index(console[at:], want)
		if i < 0 {
			t.Fatalf("no %q in its place; status %d; the console's end: %q", want, status, console[max(0, len(console)-2000):])
		}
		at += i
	}
}

// TestRealCheckoutRunsInAChroot shows the first four minutes of a run without root's mounts: stage0 with its
// checksums, the script generator, two packages; and that the failure of the third, which has no distfile here, is
// told.
func TestRealCheckoutRunsInAChroot(t *testing.T) {
	target := filepath.Join(t.TempDir(), "target")
	status, out, said := rungLive(t, t.TempDir(), "run", realCheckout(t), "--chroot", "--external-sources", "-t", target)
	t.Logf("%s", said)
	if status != 4 && status != 3 || !strings.Contains(out, "last good    step 2, simple-patch-1.0 pass 1") ||
		!strings.Contains(out, "failed       mes-0.27.1 pass 1: ") {
		t.Errorf("Main(live run) = %d\n%s\n%s; want a failure of mes after simple-patch", status, out, said)
	}
}
