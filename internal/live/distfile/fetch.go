// SPDX-License-Identifier: MIT

package distfile

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
)

// maxFile bounds a distfile, in bytes, since sources files tell no sizes: ten times the largest that is in use.
const maxFile = 2 << 30

// defaultJobs is how many files are fetched at once where Options say nothing.
const defaultJobs = 8

// Options say how distfiles are fetched. Cache, Sleep and Now are needed.
type Options struct {
	Cache   *Cache
	Mirrors []string  // addresses by http, https or file, below which the files lie by their names; asked in this order
	Offline bool      // ask nothing but the cache, and mirrors that are folders
	Git     *Archiver // makes what no address gave and a git line names; nil: nobody

	Env   func(string) string // for http_proxy, https_proxy, no_proxy; nil where there are none
	Watch func(source.Event)  // told of progress, from one goroutine at a time; nil for nobody
	Jobs  int                 // files at once; 8 where it is 0
	Tries int                 // of one place in a row without any progress; 3 where it is 0
	Stall time.Duration       // how long a place may send next to nothing; 30 s where it is 0
	Sleep func(context.Context, time.Duration) error
	Now   func() time.Time // for speeds
}

// Fetcher brings distfiles into a cache. Several processes may fetch into one.
type Fetcher struct {
	Options
	source *source.Fetcher
	health *health

	watching sync.Mutex // held while Watch is told
}

// New makes a Fetcher. A mirror that is no address by http, https or file is a fault of kind Usage.
func New(o Options) (*Fetcher, error) {
	for i, m := range o.Mirrors {
		clean, err := cleanMirror(m)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			o.Mirrors = slices.Clone(o.Mirrors)
		}
		o.Mirrors[i] = clean
	}
	if o.Jobs <= 0 {
		o.Jobs = defaultJobs
	}
	if o.Tries <= 0 {
		o.Tries = 3
	}
	f := &Fetcher{Options: o, health: newHealth(o.Mirrors, o.Now)}
	var err error
	f.source, err = source.New(source.Options{Dir: o.Cache.partial(), Env: o.Env, Watch: f.watch, Tries: o.Tries,
		Stall: o.Stall, Sleep: o.Sleep})
	return f, err
}

// cleanMirror checks the address of a mirror, and takes slashes from its end.
func cleanMirror(text string) (string, error) {
	u, err := url.Parse(text)
	hint := "a mirror is http://HOST/PATH, https://HOST/PATH or file:///FOLDER"
	switch {
	case err != nil:
		return "", fault.New(fault.Usage, "mirror %q: not an address", text).WithHint("%s", hint)
	case u.Scheme == "file" && u.Host == "" && strings.HasPrefix(u.Path, "/"):
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" && u.Fragment == "":
	default:
		return "", fault.New(fault.Usage, "mirror %q: neither http, https nor file with an absolute path",
			u.Redacted()).WithHint("%s", hint)
	}
	return strings.TrimRight(text, "/"), nil
}

// below is where a mirror has a file.
func below(mirror, name string) string {
	return mirror + "/" + strings.ReplaceAll(url.PathEscape(name), "+", "%2B")
}

// watch keeps the health of places, and passes events on.
func (f *Fetcher) watch(e source.Event) {
	f.health.see(e)
	f.watching.Lock()
	defer f.watching.Unlock()
	if f.Watch != nil {
		f.Watch(e)
	}
}

// addresses are the places of a file in the order they are asked.
func (f *Fetcher) addresses(file File) []string {
	var all []string
	for _, m := range f.Mirrors {
		if !f.Offline || strings.HasPrefix(m, "file:") {
			all = append(all, below(m, file.Name))
		}
	}
	if f.Offline {
		return all
	}
	return append(all, file.Addresses()...)
}

// Fetch brings files into the cache, and tells how that went, of each file and of each place. Files that cannot be had
// end nothing: they are in the report, see Report.Err. An error is one of this machine, or the end of the context; what
// was fetched until then stays.
func (f *Fetcher) Fetch(ctx context.Context, files []File) (Report, error) {
	results := make([]Result, len(files))
	err := parallel(ctx, f.Jobs, len(files), func(i int) (err error) {
		results[i], err = f.one(ctx, files[i])
		return err
	})
	if err != nil {
		return Report{}, interrupted(ctx, err)
	}
	if err := f.makeAll(ctx, files, results); err != nil {
		return Report{}, interrupted(ctx, err)
	}
	return Report{results, f.health.report()}, nil
}

func interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fault.New(fault.Interrupted, "interrupted: %w", ctx.Err()).
		WithHint("what was fetched is kept; the same command goes on from there")
}

// one fetches a file, unless it is held.
func (f *Fetcher) one(ctx context.Context, file File) (Result, error) {
	r := Result{Name: file.Name, SHA256: file.SHA256}
	if size, ok := f.Cache.Size(file.SHA256); ok {
		r.State, r.Size = Held, size
		return r, nil
	}
	places := f.addresses(file)
	if len(places) == 0 {
		r.State = Failed
		return r, nil
	}
	got, err := f.source.Get(ctx, source.Wanted{Name: file.Name, SHA256: file.SHA256, Max: maxFile, Places: places,
		Skip: f.health.skip}, f.Cache.Path(file.SHA256))
	var lack *source.LackError
	if errors.As(err, &lack) {
		r.State, r.Tries = Failed, tried(lack.Lacks[0].Tries)
		return r, nil
	}
	if err != nil {
		return r, err
	}
	r.State, r.Size, r.Place, r.Tries = Fetched, got.Size, got.Place, tried(got.Tries)
	if got.Hit {
		r.State = Held
	}
	return r, nil
}

func tried(tries []source.Try) []Tried {
	var all []Tried
	for _, t := range tries {
		one := Tried{Place: t.Place, Trouble: troubleOf(t.Err), Why: t.Err.Error()}
		var wrong *source.WrongError
		if errors.As(t.Err, &wrong) {
			one.Kept = wrong.Kept
		}
		all = append(all, one)
	}
	return all
}
