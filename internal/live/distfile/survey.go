// SPDX-License-Identifier: MIT

package distfile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/source"
)

// surveyJobs is how many questions are on their way at once: each is small.
const surveyJobs = 32

// Presence is where a file can be had, as far as places say.
type Presence struct {
	Name, SHA256 string
	Held         bool     // the cache has it
	At           []string // places that have a file of the name that looks right; without passwords
	Not          []Tried  // the others
}

// Survey is what a round of questions found.
type Survey struct {
	Files  []Presence // in the order they were asked for
	Places []Health   // as of Report; Gave counts files that are there, and no bytes
}

// Survey asks each mirror, and upstream where there is none, which files it has, and takes no more than the first bytes
// of each. What a place says is believed as far as its bytes look like what the name makes one expect.
func (f *Fetcher) Survey(ctx context.Context, files []File) (Survey, error) {
	type question struct {
		file    int
		address string
	}
	s := Survey{Files: make([]Presence, len(files))}
	var all []question
	for i, file := range files {
		s.Files[i] = Presence{Name: file.Name, SHA256: file.SHA256, Held: f.Cache.Has(file.SHA256)}
		places := f.addresses(file)
		if n := len(f.Mirrors); n > 0 && len(places) >= n {
			places = places[:n]
		}
		for _, p := range places {
			all = append(all, question{i, p})
		}
	}
	troubles := make([]*Tried, len(all))
	err := parallel(ctx, surveyJobs, len(all), func(n int) error {
		q := all[n]
		troubles[n] = f.ask(ctx, files[q.file].Name, q.address)
		return ctx.Err()
	})
	if err != nil {
		return Survey{}, interrupted(ctx, err)
	}
	for n, q := range all {
		p := &s.Files[q.file]
		if t := troubles[n]; t != nil {
			p.Not = append(p.Not, *t)
		} else {
			p.At = append(p.At, redacted(q.address))
		}
	}
	s.Places = f.health.report()
	return s, nil
}

// ask asks one place; nil where it has the file.
func (f *Fetcher) ask(ctx context.Context, name, address string) *Tried {
	label := redacted(address)
	if err := f.health.skip(address); err != nil {
		return &Tried{Place: label, Trouble: Skipped, Why: err.Error()}
	}
	f.health.asked(label)
	answer, err := f.source.Ask(ctx, address)
	trouble := source.TroubleOf(err)
	if err == nil {
		trouble, err = source.Wrong, looksRight(name, answer)
	}
	if err == nil {
		f.health.has(label)
		return nil
	}
	f.health.failed(label, trouble, err.Error())
	return &Tried{Place: label, Trouble: trouble, Why: err.Error()}
}

// marks are the first bytes of packings, by the end of a file's name.
func marks() map[string]string {
	return map[string]string{".gz": "\x1f\x8b", ".tgz": "\x1f\x8b", ".xz": "\xfd7zXZ\x00", ".bz2": "BZh", ".zip": "PK",
		".lzma": "\x5d\x00\x00"}
}

// looksRight compares the first bytes of an answer with what a name promises.
func looksRight(name string, a source.Answer) error {
	if a.Size == 0 {
		return fmt.Errorf("a file without content")
	}
	for end, mark := range marks() {
		if strings.HasSuffix(name, end) && !strings.HasPrefix(string(a.Head), mark) {
			return fmt.Errorf("begins with %q, and is no %s: perhaps a page that says something else", a.Head, end)
		}
	}
	return nil
}

// Lacking are the files that no place and no cache has.
func (s Survey) Lacking() []Presence {
	return slices.DeleteFunc(slices.Clone(s.Files), func(p Presence) bool { return p.Held || len(p.At) > 0 })
}
