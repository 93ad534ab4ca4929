// SPDX-License-Identifier: MIT

package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

var compareDigests = cmp.Comparer(func(a, b digest.Digest) bool { return a == b })

// sample is a run with every field set.
func sample(stage string) Run {
	of := func(s string) digest.Digest { return digest.Of([]byte(s)) }
	return Run{
		Time: time.Date(2026, 11, 3, 12, 30, 0, 123456789, time.UTC), Chain: "seed", Arch: "amd64", Stage: stage,
		Job: of("job " + stage), Machine: "sandbox", Version: "1 linux", Isolated: true,
		Steps:   [][]string{{"hex0", "in", "out"}, {"cc", "<a&b>", "größe", "line\nbreak"}},
		Inputs:  []File{{Name: "hex0", Digest: of("hex0"), From: "seed:amd64/hex0-seed"}},
		Outputs: []File{{Name: "out", Digest: of("out " + stage)}},
		Same:    [][2]string{{"hex0", "out"}}, Exit: 1, Failure: "",
		Wall: time.Second, CPU: 2 * time.Second, Memory: 1 << 40, Log: of("log"),
	}
}

func newLedger(t testing.TB) *Ledger {
	t.Helper()
	l, err := Open(filepath.Join(t.TempDir(), "state", "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func appendAll(t testing.TB, l *Ledger, stages ...string) {
	t.Helper()
	for _, s := range stages {
		if err := l.Append(t.Context(), sample(s)); err != nil {
			t.Fatalf("Append(%s): %v", s, err)
		}
	}
}

// stages reads the names of all stages.
func stages(t testing.TB, l *Ledger) []string {
	t.Helper()
	var all []string
	if err := l.Read(func(r Run) error { all = append(all, r.Stage); return nil }); err != nil {
		t.Fatalf("Read: %v", err)
	}
	return all
}

func checkStages(t testing.TB, l *Ledger, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, stages(t, l)); diff != "" {
		t.Errorf("stages of the ledger differ (-want +got):\n%s", diff)
	}
}

func fileText(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func setText(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLedgerReadsWhatWasAppended(t *testing.T) {
	l := newLedger(t)
	checkStages(t, l) // a file that does not exist is an empty ledger
	appendAll(t, l, "a", "b")
	var got []Run
	if err := l.Read(func(r Run) error { got = append(got, r); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Run{sample("a"), sample("b")}, got, compareDigests); diff != "" {
		t.Errorf("Read differs from what was appended (-want +got):\n%s", diff)
	}
}

func TestLedgerIsAHashChain(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a", "b", "c")
	lines := strings.SplitAfter(fileText(t, l.Path()), "\n")
	if len(lines) != 4 || lines[3] != "" {
		t.Fatalf("three runs made %d lines", len(lines)-1)
	}
	prev := ""
	for i, line := range lines[:3] {
		if want := `{"prev":"` + prev + `",`; !strings.HasPrefix(line, want) {
			t.Errorf("line %d starts %.80s; want %s", i+1, line, want)
		}
		sum := sha256.Sum256([]byte(line))
		prev = hex.EncodeToString(sum[:])
	}
	head, err := l.Verify()
	if err != nil || head.Lines != 3 || head.Digest.Hex() != prev {
		t.Errorf("Verify = %+v, %v; want 3 lines, the last %s", head, err, prev)
	}
	if !strings.Contains(lines[0], "<a&b>") {
		t.Error("the line is not readable text: it escapes what needs no escape")
	}
}

func TestVerifyNamesTheFirstLineThatDoesNotFit(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a", "b", "c", "d")
	good := fileText(t, l.Path())
	lines := strings.SplitAfter(good, "\n")
	rows := map[string]struct {
		text, want string
	}{
		"a changed value":      {strings.Replace(good, `"stage":"b"`, `"stage":"x"`, 1), "line 3:"},
		"a line taken out":     {lines[0] + lines[2] + lines[3], "line 2:"},
		"the first taken out":  {lines[1] + lines[2], "line 1:"},
		"two lines swapped":    {lines[0] + lines[2] + lines[1] + lines[3], "line 2:"},
		"a line put in twice":  {lines[0] + lines[0], "line 2:"},
		"a line of other text": {lines[0] + "hello\n" + lines[1], "line 2:"},
		"an empty line":        {lines[0] + "\n" + lines[1], "line 2:"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			setText(t, l.Path(), row.text)
			head, err := l.Verify()
			if err == nil || !strings.Contains(err.Error(), row.want) || fault.KindOf(err) != fault.Mismatch {
				t.Errorf("Verify = %+v, %v; want a mismatch at %s", head, err, row.want)
			}
		})
	}
}

func TestReadNamesTheBadLine(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a", "b")
	good := fileText(t, l.Path())
	for name, bad := range map[string]string{
		"not JSON":          "hello\n",
		"an unknown field":  `{"prev":"","color":"red"}` + "\n",
		"two objects":       `{"prev":""}{"prev":""}` + "\n",
		"a bad digest":      `{"prev":"","job":"123"}` + "\n",
		"a bad prev":        `{"prev":"xyz","stage":"a"}` + "\n",
		"neither":           `{"prev":""}` + "\n",
		"a cell too many":   `{"prev":"","comparison":{"stages":[{"name":"low","cells":[{}]}]}}` + "\n",
		"both":              `{"prev":"","stage":"a","comparison":{}}` + "\n",
		"half of an object": `{"prev":""` + "\n",
		"nothing":           "\n",
	} {
		setText(t, l.Path(), good+bad)
		n := 0
		err := l.Read(func(Run) error { n++; return nil })
		if err == nil || !strings.Contains(err.Error(), "line 3:") || fault.KindOf(err) != fault.Mismatch || n != 2 {
			t.Errorf("%s: Read = %v after %d runs; want a mismatch at line 3 after 2", name, err, n)
		}
	}
}

func TestReadStopsWhereItIsTold(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a", "b")
	stop := errors.New("enough")
	if err := l.Read(func(Run) error { return stop }); err != stop {
		t.Errorf("Read = %v; want the visitor's own error", err)
	}
}

func TestLedgerSurvivesATornLine(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a", "b")
	whole := fileText(t, l.Path())
	lastLine := whole[strings.Index(whole, "\n")+1:]
	for _, cut := range []int{1, 10, len(lastLine) - 1} {
		setText(t, l.Path(), whole+lastLine[:cut])
		os.Remove(l.Path() + ".torn")
		checkStages(t, l, "a", "b")
		if head, err := l.Verify(); err != nil || head.Lines != 2 {
			t.Errorf("Verify of a ledger with a torn line = %+v, %v; want 2 lines", head, err)
		}
		appendAll(t, l, "c")
		checkStages(t, l, "a", "b", "c")
		if head, err := l.Verify(); err != nil || head.Lines != 3 {
			t.Errorf("Verify after the torn line was mended = %+v, %v; want 3 lines", head, err)
		}
		if got := fileText(t, l.Path()+".torn"); got != lastLine[:cut]+"\n" {
			t.Errorf("what was kept aside = %q; want %q", got, lastLine[:cut]+"\n")
		}
	}
}

func TestLedgerSurvivesATornFirstLine(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a")
	whole := fileText(t, l.Path())
	setText(t, l.Path(), whole[:len(whole)/2])
	checkStages(t, l)
	appendAll(t, l, "b")
	checkStages(t, l, "b")
	if _, err := l.Verify(); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

func TestAppendAfterALineLongerThanABlock(t *testing.T) {
	l := newLedger(t)
	long := sample("long")
	for i := range 3000 {
		long.Inputs = append(long.Inputs, File{Name: fmt.Sprint(i), Digest: long.Job})
	}
	if err := l.Append(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, "b")
	if head, err := l.Verify(); err != nil || head.Lines != 2 {
		t.Errorf("Verify = %+v, %v; want 2 lines", head, err)
	}
}

func TestLastReadsOnlyWhatIsNew(t *testing.T) {
	l := newLedger(t)
	job := sample("a").Job
	if _, ok, err := l.Last(t.Context(), job); ok || err != nil {
		t.Fatalf("Last of an empty ledger = %v, %v; want none", ok, err)
	}
	appendAll(t, l, "a")
	other, err := Open(l.Path())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := other.Last(t.Context(), job); !ok || err != nil {
		t.Fatalf("Last = %v, %v; want a run", ok, err)
	}
	later, failed := sample("a"), sample("a")
	later.Memory, failed.Failure = 7, "exit status 1"
	for _, r := range []Run{later, failed} {
		if err := l.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for name, l := range map[string]*Ledger{"the writer": l, "another": other} {
		run, ok, err := l.Last(t.Context(), job)
		if !ok || err != nil || run.Memory != 7 {
			t.Errorf("%s: Last = %d, %v, %v; want the latest that did not fail, 7", name, run.Memory, ok, err)
		}
	}
}

func TestLastTellsOfALedgerThatBecameShorter(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a", "b")
	if _, _, err := l.Last(t.Context(), sample("a").Job); err != nil {
		t.Fatal(err)
	}
	setText(t, l.Path(), "")
	if _, _, err := l.Last(t.Context(), sample("a").Job); fault.KindOf(err) != fault.Mismatch || err == nil {
		t.Errorf("Last of a ledger that was cut = %v; want a mismatch", err)
	}
}

func TestLastTakesTheLatestSuccess(t *testing.T) {
	l := newLedger(t)
	first, second, failed := sample("a"), sample("a"), sample("a")
	second.Memory = 2
	failed.Memory, failed.Failure = 3, "exit status 1"
	for _, r := range []Run{sample("b"), first, second, failed} {
		if err := l.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if r, ok, err := l.Last(t.Context(), first.Job); err != nil || !ok || r.Memory != 2 {
		t.Errorf("Last() = run %d, %v, %v; want run 2", r.Memory, ok, err)
	}
}

func TestAppendRefusesAPathThatIsNoFile(t *testing.T) {
	if l, err := Open(t.TempDir()); fault.KindOf(err) != fault.Usage || l != nil {
		t.Errorf("Open of a directory = %v, %v; want a fault of kind %v", l, err, fault.Usage)
	}
	dir := t.TempDir()
	setText(t, filepath.Join(dir, "file"), "")
	l := &Ledger{path: filepath.Join(dir, "file", "ledger")}
	if err := l.Append(t.Context(), sample("a")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Append below a file = %v; want a fault of kind %v", err, fault.Unavailable)
	}
}

func TestWriteThatFailsLeavesTheFileAsItWas(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, "a")
	before := fileText(t, l.Path())
	f, err := os.Open(l.Path()) // not for writing: each write fails
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := write(f, []byte("line\n"), int64(len(before))); err == nil {
		t.Error("write to a file that is not open for writing succeeded")
	}
	if after := fileText(t, l.Path()); after != before {
		t.Errorf("the file changed from %d to %d bytes", len(before), len(after))
	}
}
