// SPDX-License-Identifier: MIT

package chain

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/store"
)

func TestRunHealsDamage(t *testing.T) {
	for name, damage := range map[string][]byte{"another byte": []byte("lefT, "), "a short blob": []byte("l")} {
		t.Run(name, func(t *testing.T) {
			s := newTower(t)
			s.mustClimb(t)
			s.machine.ran()
			left := digest.Of([]byte("left, "))
			s.store.(*store.Mem).Damage(left, damage)
			out := s.mustClimb(t)
			if got := s.machine.ran(); len(got) != 1 || got[0] != "amd64/left" || hits(out) != "right top" {
				t.Errorf("Run() after damage ran %q; want left alone", got)
			}
			var corrupt *store.CorruptError
			if !errors.As(out.Stages[0].Healed, &corrupt) || corrupt.Digest != left {
				t.Errorf("Run() after damage: healed %v; want the blob named", out.Stages[0].Healed)
			}
			told := slices.IndexFunc(s.events, func(e Event) bool { h, ok := e.(StageHealing); return ok && h.Stage == "left" })
			if told < 0 {
				t.Errorf("Run() after damage told %v; want healing of left", s.events)
			}
			if b, err := store.Bytes(t.Context(), s.store, left, 100); string(b) != "left, " {
				t.Errorf("the blob is %q, %v; want it healed", b, err)
			}
		})
	}
}

func TestRunHealsADamagedInput(t *testing.T) {
	s := newTower(t)
	s.mustClimb(t)
	s.machine.ran()
	s.write("left.txt", "new, ")
	s.store = &damaging{Mem: s.store.(*store.Mem), bad: digest.Of([]byte("new, "))}
	out := s.mustClimb(t)
	if got := s.machine.ran(); len(got) != 3 || hits(out) != "right" {
		t.Errorf("Run() with an input damaged in the store ran %q; want left twice, and top", got)
	}
}

// damaging is a store that damages a blob when it is put for the first time.
type damaging struct {
	*store.Mem
	bad  digest.Digest
	once sync.Once
}

func (d *damaging) Put(ctx context.Context, r io.Reader) (digest.Digest, error) {
	got, err := d.Mem.Put(ctx, r)
	if got == d.bad {
		d.once.Do(func() { d.Damage(got, []byte("NEW, ")) })
	}
	return got, err
}

func TestRunRefusesAnswersThatDiffer(t *testing.T) {
	s := newTower(t)
	s.mustClimb(t)
	for name, test := range map[string]struct{ expected, want string }{
		"known bytes":   {"right\n", `the first difference is at offset 0`},
		"unknown bytes": {"else", "only the digest of the expected bytes is known"},
	} {
		t.Run(name, func(t *testing.T) {
			s.write("amd64/answers", digest.Of([]byte(test.expected)).Hex()+"  left/out\n")
			_, err := s.climb(t, t.Context())
			var bad *MismatchError
			if !errors.As(err, &bad) || fault.KindOf(err) != fault.Mismatch {
				t.Fatalf("Run() = %v; want a mismatch", err)
			}
			text := err.Error()
			for _, want := range []string{`stage "left": "out" is ` + digest.Of([]byte("left, ")).Hex(),
				"amd64/answers says " + digest.Of([]byte(test.expected)).Hex(), test.want} {
				if !strings.Contains(text, want) {
					t.Errorf("Run() = %s; want %q in it", text, want)
				}
			}
		})
	}
}

func TestRunChecksFixedPoints(t *testing.T) {
	s := newSite(t, `stage(name="s", inputs={"cat": program("seed:amd64/cat"), "in": "seed:text"},
		steps=[run("cat", "in", "a"), run("cat", "in", "in", "b")], exports=["a", "b"], same=[("a", "in"), ("a", "b")])`)
	s.write("text", "12345")
	_, err := s.climb(t, t.Context())
	if err == nil || !strings.Contains(err.Error(), `"a" is`) || !strings.Contains(err.Error(), "at offset 5") {
		t.Errorf("Run() = %v; want a mismatch of a and b at offset 5", err)
	}
	if run := s.runs(t)[0]; !strings.Contains(run.Failure, "fixed point with b") {
		t.Errorf("ledger: failure %q; want the fixed point named", run.Failure)
	}
	s.write("text", "")
	s.mustClimb(t)
	if diff := cmp.Diff([][2]string{{"a", "in"}, {"a", "b"}}, s.runs(t)[1].Same); diff != "" {
		t.Errorf("ledger: fixed points (-want +got):\n%s", diff)
	}
}

const flips = `stage(name="s", inputs={"flip": program("seed:amd64/flip")},
	steps=[run("flip", "out")], exports=["out"])`

func TestRunRebuildFindsWhatDiffers(t *testing.T) {
	for name, forget := range map[string]func(*site){
		"by the stored result": func(*site) {},
		"by the ledger alone": func(s *site) {
			s.store = &store.Mem{}
			s.store.Put(context.Background(), strings.NewReader("made by job 1\n"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, flips)
			s.mustClimb(t)
			forget(s)
			s.options = func(o *Options) { o.Rebuild = true }
			_, err := s.climb(t, t.Context())
			var bad *MismatchError
			if !errors.As(err, &bad) || bad.Stage != "s" || bad.File != "out" || bad.Offset != int64(len("made by job ")) ||
				bad.Want != digest.Of([]byte("made by job 1\n")).Hex() || bad.Got != digest.Of([]byte("made by job 2\n")) {
				t.Errorf("Run() = %v; want s/out to differ at offset 12", err)
			}
			if last := s.runs(t)[1]; last.Failure == "" {
				t.Errorf("ledger: %+v; want the run written down as a failure", last)
			}
		})
	}
}

func TestRunRebuildAcceptsWhatIsEqual(t *testing.T) {
	s := newTower(t)
	s.mustClimb(t)
	s.machine.ran()
	s.options = func(o *Options) { o.Rebuild = true }
	if out := s.mustClimb(t); hits(out) != "" || len(s.machine.ran()) != 3 {
		t.Errorf("Run() to rebuild: hits %q; want every stage run", hits(out))
	}
}
