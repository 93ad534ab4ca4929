// SPDX-License-Identifier: MIT

package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
)

func put(t testing.TB, s store.Blobs, content string) digest.Digest {
	t.Helper()
	d, err := s.Put(context.Background(), strings.NewReader(content))
	if err != nil {
		t.Fatalf("Put(%q): %v", content, err)
	}
	return d
}

func checkFault(t testing.TB, doing string, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want || fault.HintOf(err) == "" {
		t.Errorf("%s = %v (kind %v, hint %q); want a fault of kind %v with a hint",
			doing, err, fault.KindOf(err), fault.HintOf(err), want)
	}
}

func TestDiskLayout(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	d := put(t, s, "abc")
	if err := s.Record(t.Context(), d, []byte("result")); err != nil {
		t.Fatal(err)
	}
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, appendix B.1
	want := []string{"actions/ba/" + sum, "blobs/ba/" + sum, "lock", "version"}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Errorf("files of the store differ (-want +got):\n%s", diff)
	}
	info, err := os.Stat(s.Path(d))
	if err != nil || info.Mode() != 0o444 {
		t.Errorf("mode of a blob = %v, %v; want 0444", info.Mode(), err)
	}
	b, err := os.ReadFile(filepath.Join(dir, want[0]))
	empty := "action " + sum + "/3 result " + digest.Of([]byte("result")).String() + "\nresult"
	if err != nil || string(b) != empty {
		t.Errorf("file of a result = %q, %v; want %q", b, err, empty)
	}
}

func TestDiskRefusesAnotherLayout(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "version"), []byte("rung store 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(dir, store.Options{})
	checkFault(t, "Open of another layout", err, fault.Unavailable)
	_, err = store.Open(filepath.Join(dir, "version"), store.Options{})
	checkFault(t, "Open of a file", err, fault.Unavailable)
}

func TestDiskMovesDamageAside(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{})
	d := put(t, s, "some content")
	overwrite(t, s.Path(d), []byte("some_content"))
	_, err := store.Bytes(t.Context(), s, d, 100)
	var corrupt *store.CorruptError
	if !errors.As(err, &corrupt) || corrupt.Path != s.Path(d) || corrupt.Got != digest.Of([]byte("some_content")) {
		t.Fatalf("reading a damaged blob = %v; want a CorruptError that names it", err)
	}
	if b, err := os.ReadFile(corrupt.Moved); string(b) != "some_content" {
		t.Errorf("what was moved aside = %q, %v; want the damaged bytes", b, err)
	}
	var missing *store.MissingError
	if _, err := s.Open(t.Context(), d); !errors.As(err, &missing) {
		t.Errorf("Open after the damage was found = %v; want a MissingError", err)
	}
}

func TestDiskLeavesAloneWhatWasHealedMeanwhile(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{})
	d := put(t, s, "some content")
	overwrite(t, s.Path(d), []byte("some_content"))
	r, err := s.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := s.Remove(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	put(t, s, "some content")
	var corrupt *store.CorruptError
	if _, err := io.ReadAll(r); !errors.As(err, &corrupt) {
		t.Errorf("reading the old file = %v; want a CorruptError", err)
	}
	if b, err := store.Bytes(t.Context(), s, d, 100); string(b) != "some content" {
		t.Errorf("the healed blob = %q, %v; want it untouched", b, err)
	}
}

func TestDiskPutReplacesAFileOfAnotherSize(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{})
	large := strings.Repeat("large", 1<<19)
	for _, content := range []string{"small", large} {
		d := put(t, s, content)
		overwrite(t, s.Path(d), nil) // as a power failure leaves it
		put(t, s, content)
		if b, err := store.Bytes(t.Context(), s, d, 1<<30); string(b) != content {
			t.Errorf("after putting it again: %d bytes, %v; want %d", len(b), err, len(content))
		}
	}
}

func TestDiskPutLeavesWhatIsThere(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{})
	for _, content := range []string{"small", strings.Repeat("large", 1<<19)} {
		d := put(t, s, content)
		first, err := os.Stat(s.Path(d))
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, content)
		if second, err := os.Stat(s.Path(d)); err != nil || !os.SameFile(first, second) {
			t.Errorf("putting %d bytes again replaced the file (%v)", len(content), err)
		}
	}
}

func TestDiskResultDamageIsAbsentAndReported(t *testing.T) {
	var reports []error
	s := open(t, t.TempDir(), store.Options{Report: func(err error) { reports = append(reports, err) }})
	action := digest.Of([]byte("action"))
	path := filepath.Join(s.Dir(), "actions", action.Hex()[:2], action.Hex())
	if err := s.Record(t.Context(), action, []byte("result")); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(good) * 8 {
		if i%7 != 0 { // every byte, one bit in seven
			continue
		}
		bad := slices.Clone(good)
		bad[i/8] ^= 1 << (i % 8)
		if err := s.Record(t.Context(), action, []byte("result")); err != nil {
			t.Fatal(err)
		}
		overwrite(t, path, bad)
		reports = nil
		b, ok, err := s.Result(t.Context(), action)
		if ok || err != nil || b != nil || len(reports) != 1 {
			t.Fatalf("Result with bit %d flipped = %q, %v, %v, %v; want none and one report", i, b, ok, err, reports)
		}
	}
	checkFault(t, "the report", reports[0], fault.Mismatch)
}

func TestDiskSweepsWhatKilledProcessesLeft(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, store.Options{})
	stale := filepath.Join(dir, "tmp", "put-123")
	if err := os.WriteFile(stale, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir, store.Options{}).Close()
	if _, err := os.Stat(stale); err != nil {
		t.Errorf("a file in tmp/ while the store is in use: %v; want it left alone", err)
	}
	first.Close()
	open(t, dir, store.Options{})
	if got := files(t, filepath.Join(dir, "tmp")); len(got) != 0 {
		t.Errorf("tmp/ after the store was opened alone = %v; want nothing", got)
	}
}

func TestDiskVerifyNamesEachBadBlob(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{})
	var all []digest.Digest
	for i := range 9 {
		all = append(all, put(t, s, fmt.Sprint("content ", i)))
	}
	if err := s.Record(t.Context(), all[5], []byte("result")); err != nil {
		t.Fatal(err)
	}
	if bad, err := s.Verify(t.Context(), nil); len(bad) != 0 || err != nil {
		t.Fatalf("Verify of a sound store = %v, %v", bad, err)
	}
	overwrite(t, s.Path(all[2]), []byte("Content 2"))
	overwrite(t, s.Path(all[7]), []byte("cont"))
	result := filepath.Join(s.Dir(), "actions", all[5].Hex()[:2], all[5].Hex())
	overwrite(t, result, []byte("resuld"))
	var last store.Progress
	bad, err := s.Verify(t.Context(), func(p store.Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{s.Path(all[2]), s.Path(all[7])}
	slices.Sort(want)
	want = append(want, result)
	var got []string
	for _, b := range bad {
		got = append(got, b.Path)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Verify names others than the damaged files (-want +got):\n%s", diff)
	}
	if last.Files != 10 || last.AllFiles != 10 || last.Bytes != last.AllBytes {
		t.Errorf("last progress = %+v; want 10 files of 10 and all bytes", last)
	}
	if bad, err := s.Verify(t.Context(), nil); len(bad) != 0 || err != nil {
		t.Errorf("Verify once more = %v, %v; want nothing: what is damaged was moved aside", bad, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Verify(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify with a context that ended = %v; want %v", err, context.Canceled)
	}
}

func TestDiskListIsSorted(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{})
	var want []string
	for i := range 20 {
		want = append(want, put(t, s, fmt.Sprint(i)).String())
	}
	slices.Sort(want)
	var got []string
	for d, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("List differs (-want +got):\n%s", diff)
	}
	stray := filepath.Join(s.Dir(), "blobs", "00")
	os.MkdirAll(stray, 0o755)
	if err := os.WriteFile(filepath.Join(stray, "README"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, err := range s.List(t.Context()) {
		checkFault(t, "List with a stray file", err, fault.Mismatch)
		break
	}
}
