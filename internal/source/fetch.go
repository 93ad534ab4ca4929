// SPDX-License-Identifier: MIT

package source

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source/apt"
	"github.com/rung-build/rung/internal/store"
	"github.com/rung-build/rung/internal/tree"
)

// Options say with what files are fetched. Blobs, Actions, Dir and Sleep are needed.
type Options struct {
	Blobs   store.Blobs
	Actions store.Actions

	// Dir is a folder for what is being fetched and, in "quarantine", for what was wrong. Processes may share it.
	Dir string

	Mirrors []string            // folders that WriteMirror filled, or addresses of servers of such; tried before all else
	Apt     apt.Config          // for places that begin with "debian:"
	Env     func(string) string // for http_proxy, https_proxy, no_proxy; nil where there are none
	Watch   func(Event)         // told of progress, from one goroutine at a time

	// Whole demands the files themselves, rather than only what they unpack to: for mirrors.
	Whole bool

	Jobs  int                                        // files at once; 4 where it is 0
	Tries int                                        // of one place in a row without any progress; 4 where it is 0
	Stall time.Duration                              // how long a place may send next to nothing; 30 s where it is 0
	Sleep func(context.Context, time.Duration) error // waits, or gives the context's error

	Transport http.RoundTripper // in place of one with the proxies above
}

// Fetcher brings declared files into a store. It is safe for use by several goroutines, and several processes may
// fetch into one store.
type Fetcher struct {
	Options
	mirrors []mirror
	client  client
	lists   lists

	watching sync.Mutex // held while Watch is told
}

// Fetched is a declared file that is in the store, verified and unpacked.
type Fetched struct {
	Distfile Distfile
	File     digest.Digest // of the file itself: other than the declared one where it was packed anew
	Tree     tree.Tree     // what it unpacks to, see Unpacked.Tree; of a file that is used as it is, one node of its name
	Place    string        // where it came from, without passwords
	Hit      bool          // it was in the store already
	Again    bool          // only the file was, and was unpacked again
}

// Repacked tells that the file is not the declared one, byte for byte, but unpacks to the same tree.
func (f Fetched) Repacked() bool { return f.File != f.Distfile.File }

// New makes a Fetcher. The error is a fault of kind Usage for a mirror that is neither an address nor a folder.
func New(o Options) (*Fetcher, error) {
	f := &Fetcher{Options: o}
	f.Jobs, f.Tries = positive(o.Jobs, 4), positive(o.Tries, 4)
	f.Stall = positive(o.Stall, 30*time.Second)
	for _, text := range o.Mirrors {
		m, err := parseMirror(text)
		if err != nil {
			return nil, err
		}
		f.mirrors = append(f.mirrors, m)
	}
	f.client = newClient(f.Options)
	return f, nil
}

func positive[N int | time.Duration](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}

// Fetch brings files into the store, several at once, and gives what it brought in the order of their declarations.
// Files that no place has are one fault that names each place of each of them and why it did not do: a *LackError, of
// kind Unavailable, or Mismatch where some place sent wrong bytes. Whatever fails, files that were fetched stay in the
// store, and what arrived of the others is kept for the next time.
func (f *Fetcher) Fetch(ctx context.Context, files ...Distfile) ([]Fetched, error) {
	if err := CheckAll(files); err != nil {
		return nil, err
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	results, failures := make([]Fetched, len(files)), make([]error, len(files))
	seats := make(chan struct{}, f.Jobs)
	var fetching sync.WaitGroup
	for i, d := range files {
		seats <- struct{}{}
		fetching.Go(func() {
			defer func() { <-seats }()
			results[i], failures[i] = f.one(inner, d)
			var lack *LackError
			if failures[i] != nil && !errors.As(failures[i], &lack) {
				cancel() // the disk is full, say: the others would fail alike
			}
		})
	}
	fetching.Wait()
	if err := verdict(ctx, failures); err != nil {
		return nil, err
	}
	return results, nil
}

// verdict is one error for all that went wrong.
func verdict(ctx context.Context, failures []error) error {
	if ctx.Err() != nil {
		return fault.New(fault.Interrupted, "interrupted: %w", ctx.Err()).
			WithHint("what was fetched is kept; the same command goes on from there")
	}
	var all LackError
	for _, err := range failures {
		var lack *LackError
		switch {
		case errors.As(err, &lack):
			all.Lacks = append(all.Lacks, lack.Lacks...)
		case err != nil && !errors.Is(err, context.Canceled):
			return err
		}
	}
	if len(all.Lacks) > 0 {
		return &all
	}
	return nil
}

// one fetches a file, unless it is there.
func (f *Fetcher) one(ctx context.Context, d Distfile) (Fetched, error) {
	got, ok, err := f.Stored(ctx, d)
	if err != nil || ok {
		return got, err
	}
	part, err := f.claim(ctx, d.Name, d.File.Hex())
	if err != nil {
		return Fetched{}, err
	}
	defer part.release()
	if got, ok, err = f.Stored(ctx, d); err != nil || ok { // by somebody else, while this one waited for the claim
		part.drop()
		return got, err
	}
	if got, err = f.fromPlaces(ctx, d, part); err != nil {
		return Fetched{}, err
	}
	part.drop()
	f.tell(Finished{got})
	return got, nil
}

// fromPlaces tries each place in turn.
func (f *Fetcher) fromPlaces(ctx context.Context, d Distfile, part *partial) (Fetched, error) {
	lack := Lack{Distfile: d}
	refuse := func(p place, err error) {
		lack.Tries = append(lack.Tries, Try{p.label, err})
		f.tell(Refused{d.Name, p.label, err})
	}
	given := "" // the mirror that failed as a whole
	for p := range f.places(ctx, d) {
		if p.mirror != "" && p.mirror == given {
			continue
		}
		f.tell(Trying{d.Name, p.label})
		got, err := f.fromPlace(ctx, d, p, part)
		var final *finalError
		switch {
		case err == nil:
			got.Place, got.Again = f.origin(ctx, d, p), !p.blob.IsZero()
			return got, f.remember(ctx, got)
		case ctx.Err() != nil:
			return Fetched{}, ctx.Err()
		case errors.As(err, &final):
			return Fetched{}, final.err
		}
		if !isAbsent(err) {
			given = p.mirror
		}
		refuse(p, err)
	}
	return Fetched{}, &LackError{[]Lack{lack}}
}

// origin is where a file came from that a place gave: for one that the store had already, where it came from then.
func (f *Fetcher) origin(ctx context.Context, d Distfile, p place) string {
	if !p.blob.IsZero() {
		if r, ok, err := f.recall(ctx, d); err == nil && ok && r.File == p.blob {
			return r.Place
		}
	}
	return p.label
}

// fromPlace gets a file from a place, judges it, and takes it into the store or sets it aside. A file that was put
// together from several answers, and is wrong, is fetched once more in one piece before the place is blamed.
func (f *Fetcher) fromPlace(ctx context.Context, d Distfile, p place, part *partial) (Fetched, error) {
	for again := false; ; again = true {
		if err := f.get(ctx, d, p, part); err != nil {
			return Fetched{}, err
		}
		file, err := part.digest()
		if err != nil {
			return Fetched{}, err
		}
		err = d.judge(file, part.f)
		var wrong *WrongError
		switch {
		case err == nil:
			return f.take(ctx, d, file, part)
		case !errors.As(err, &wrong):
			return Fetched{}, &finalError{err}
		case !part.pieced || again:
			return Fetched{}, f.setAside(d, wrong, part)
		}
		if err := part.restart(); err != nil {
			return Fetched{}, err
		}
	}
}

// get fills the partial file from a place.
func (f *Fetcher) get(ctx context.Context, d Distfile, p place, part *partial) error {
	switch {
	case p.problem != nil:
		return p.problem
	case p.url != nil:
		return f.download(ctx, d.want(), p, part)
	case !p.blob.IsZero():
		r, err := f.Blobs.Open(ctx, p.blob)
		if err != nil {
			return err
		}
		defer r.Close()
		return part.fill(r, d.limit())
	}
	return part.fillFromFile(ctx, p.path, d.limit())
}

// judge tells whether a file is the declared one, or unpacks to the declared tree. It is a *WrongError where it is
// not, and another fault where it is the declared one and yet does not unpack to the declared tree.
func (d Distfile) judge(file digest.Digest, r io.ReadSeeker) error {
	if d.plain() {
		if file != d.File {
			return &WrongError{Want: d.File, Got: file}
		}
		return nil
	}
	unpacked, err := Unpack(r, file.Size(), d.Strip, hashed)
	switch {
	case err != nil && file == d.File:
		return fault.New(fault.KindOf(err), "%sdistfile %q: the file is as declared, and refused: %w", position(d.Pos),
			d.Name, err)
	case err != nil:
		return &WrongError{Want: d.File, Got: file, Cause: err}
	case unpacked.Root == d.Tree:
		return nil
	case file == d.File:
		return fault.New(fault.Usage, "%sdistfile %q: the file is as declared, but unpacks to the tree %v, not to %v",
			position(d.Pos), d.Name, unpacked.Root, d.Tree).WithHint("rung source declare FILE prints a declaration that fits")
	}
	return &WrongError{Want: d.File, Got: file, WantTree: d.Tree, GotTree: unpacked.Root}
}

// setAside moves a file that is wrong out of the way, under a name that tells what it should have been and what it is.
func (f *Fetcher) setAside(d Distfile, wrong *WrongError, part *partial) error {
	dir := filepath.Join(f.Dir, "quarantine")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return hostFault(err)
	}
	to := filepath.Join(dir, d.Name+"."+wrong.Got.Hex())
	if err := part.moveTo(to); err != nil {
		return err
	}
	wrong.Kept = to
	return wrong
}
