// SPDX-License-Identifier: MIT

package chain

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/tree"
)

// MismatchError says that a file is not what it must be.
type MismatchError struct {
	Stage   string
	File    string        // its path in the job's tree
	Got     digest.Digest // zero where the file was not made
	Want    string        // 64 hex digits; "" where there should be no file
	Against string        // who says so: "amd64/answers", "an earlier run", "hex0-seed"
	Offset  int64         // of the first byte that differs; -1 where the expected bytes are not known
}

// Error gives both digests and the first difference.
func (e *MismatchError) Error() string {
	got, want := e.Got.Hex(), e.Want
	if e.Got.IsZero() {
		got = "absent"
	}
	if want == "" {
		want = "no such file"
	}
	where := "only the digest of the expected bytes is known"
	if e.Offset >= 0 {
		where = fmt.Sprintf("the first difference is at offset %d", e.Offset)
	}
	return fmt.Sprintf("stage %q: %q is %s; %s says %s; %s", e.Stage, e.File, got, e.Against, want, where)
}

// check compares a record with the answers and checks the stage's fixed points.
func (r *runner) check(ctx context.Context, w *work, rec *record) error {
	for _, o := range rec.Outputs {
		want, known := r.plan.Answers[w.Name+"/"+o.Path]
		if known && o.Digest.Hex() != want {
			return r.mismatch(ctx, MismatchError{Stage: w.Name, File: o.Path, Got: o.Digest, Want: want,
				Against: r.plan.Arch + "/answers"}, r.known(ctx, w, o.Path, want))
		}
	}
	for _, pair := range w.Same {
		a, b := w.digestOf(rec, pair.A), w.digestOf(rec, pair.B)
		if a.IsZero() || a != b {
			return r.mismatch(ctx, MismatchError{Stage: w.Name, File: pair.A, Got: a, Want: b.Hex(),
				Against: "the fixed point with " + pair.B}, b)
		}
	}
	return nil
}

// digestOf finds a file of a stage, export or input.
func (w *work) digestOf(rec *record, name string) digest.Digest {
	if d, ok := rec.file(name); ok {
		return d
	}
	n, _ := w.job.Inputs.Lookup(name)
	return n.Content
}

// known finds content whose SHA-256 an answer gives: an answer has no size, so that it has to be a file of the seed, or
// what an earlier run of the same job gave. It is zero where it is neither.
func (r *runner) known(ctx context.Context, w *work, file, sum string) digest.Digest {
	for _, path := range sortedKeys(r.plan.texts) {
		if t := r.plan.texts[path]; t.Digest.Hex() == sum {
			return t.Digest
		}
	}
	files, err := r.earlier(ctx, w)
	if d := files[file]; err == nil && hexOf(d) == sum {
		return d
	}
	return digest.Digest{}
}

// earlier is what an earlier run of the job gave, by file: of the action cache, or else of the ledger.
func (r *runner) earlier(ctx context.Context, w *work) (map[string]digest.Digest, error) {
	files := map[string]digest.Digest{}
	if w.stored != nil {
		for _, o := range w.stored.Outputs {
			if o.Kind == tree.File.String() {
				files[o.Path] = o.Digest
			}
		}
		return files, nil
	}
	run, ok, err := r.Ledger.Last(ctx, w.key)
	if err != nil || !ok {
		return nil, err
	}
	for _, f := range run.Outputs {
		files[f.Name] = f.Digest
	}
	return files, nil
}

// checkRebuilt compares the files of a stage that ran again with what an earlier run of the same job gave.
func (r *runner) checkRebuilt(ctx context.Context, w *work, rec *record) error {
	if !r.Rebuild {
		return nil
	}
	earlier, err := r.earlier(ctx, w)
	if err != nil || earlier == nil {
		return err
	}
	bad := MismatchError{Stage: w.Name, Against: "an earlier run"}
	for _, o := range rec.Outputs {
		if o.Kind != tree.File.String() {
			continue
		}
		if want := earlier[o.Path]; want != o.Digest {
			bad.File, bad.Got, bad.Want = o.Path, o.Digest, hexOf(want)
			return r.mismatch(ctx, bad, want)
		}
		delete(earlier, o.Path)
	}
	for _, name := range sortedKeys(earlier) {
		bad.File, bad.Want = name, earlier[name].Hex()
		return r.mismatch(ctx, bad, digest.Digest{})
	}
	return nil
}

func hexOf(d digest.Digest) string {
	if d.IsZero() {
		return ""
	}
	return d.Hex()
}

// mismatch makes the fault, with the offset of the first difference where the expected content is in the store.
func (r *runner) mismatch(ctx context.Context, e MismatchError, want digest.Digest) error {
	e.Offset = r.firstDifference(ctx, e.Got, want)
	return fault.New(fault.Mismatch, "%w", &e).WithHint("rung why DIGEST shows what each was made from")
}

// firstDifference is the offset at which two contents part, or -1 where it cannot be told.
func (r *runner) firstDifference(ctx context.Context, a, b digest.Digest) int64 {
	if a.IsZero() || b.IsZero() {
		return -1
	}
	left, err := r.open(ctx, a)
	if err != nil {
		return -1
	}
	defer left.Close()
	right, err := r.open(ctx, b)
	if err != nil {
		return -1
	}
	defer right.Close()
	return difference(left, right)
}

// open reads content from the seed, which need not have been stored, or from the store.
func (r *runner) open(ctx context.Context, d digest.Digest) (io.ReadCloser, error) {
	for _, t := range r.plan.texts {
		if t.Digest == d {
			return io.NopCloser(bytes.NewReader(t.Bytes)), nil
		}
	}
	return r.Blobs.Open(ctx, d)
}

// difference is the offset at which two streams part, or -1 where one cannot be read so far.
func difference(left, right io.Reader) int64 {
	a, b := bufio.NewReader(left), bufio.NewReader(right)
	for offset := int64(0); ; offset++ {
		x, errX := a.ReadByte()
		y, errY := b.ReadByte()
		switch {
		case errX == io.EOF && errY == io.EOF:
			return -1
		case errX != nil && errX != io.EOF || errY != nil && errY != io.EOF:
			return -1
		case errX != nil || errY != nil || x != y:
			return offset
		}
	}
}
