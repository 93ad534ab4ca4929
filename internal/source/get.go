// SPDX-License-Identifier: MIT

package source

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// Wanted is a file of which others have declared the SHA-256 alone: not its size, and not what it unpacks to.
type Wanted struct {
	Name   string   // for messages
	SHA256 string   // 64 lower-case hex digits
	Max    int64    // bytes, the most that is read of a place, whatever it announces
	Places []string // addresses by http, https or file, in the order they are tried

	// Skip says why a place is not worth asking just now; nil where it is. It may be nil itself.
	Skip func(place string) error
}

// Got is a file that Get brought.
type Got struct {
	Size  int64  // bytes
	Place string // where it came from, without passwords; "" with Hit
	Hit   bool   // it was there already
	Tries []Try  // the places that did not do before, in their order
}

// Get brings a file to a path on the file system of Options.Dir. It appears there whole and verified, or not at all, by
// whichever of several processes comes first; a file that is there already is taken for right. Where no place has the
// file, that is a *LackError, whose Lack has the tries in their order.
func (f *Fetcher) Get(ctx context.Context, w Wanted, to string) (Got, error) {
	part, err := f.claim(ctx, w.Name, w.SHA256)
	if err != nil {
		return Got{}, err
	}
	defer part.release()
	if info, err := os.Stat(to); err == nil && info.Mode().IsRegular() {
		part.drop()
		return Got{Size: info.Size(), Hit: true}, nil
	}
	got, err := f.getFrom(ctx, w, part)
	if err != nil {
		return Got{}, err
	}
	if err := part.keep(to); err != nil {
		return Got{}, err
	}
	f.tell(Arrived{w.Name, got.Place, got.Size})
	return got, nil
}

// getFrom tries each place in turn, until the partial file is the wanted one.
func (f *Fetcher) getFrom(ctx context.Context, w Wanted, part *partial) (Got, error) {
	var got Got
	for _, text := range w.Places {
		p := plainPlace(text)
		err := p.problem
		if w.Skip != nil && err == nil {
			err = w.Skip(text)
		}
		if err == nil {
			f.tell(Trying{w.Name, p.label})
			got.Size, err = f.getPlace(ctx, w, p, part)
		}
		var final *finalError
		switch {
		case err == nil:
			got.Place = p.label
			return got, nil
		case ctx.Err() != nil:
			return Got{}, ctx.Err()
		case errors.As(err, &final):
			return Got{}, final.err
		}
		got.Tries = append(got.Tries, Try{p.label, err})
		f.tell(Refused{w.Name, p.label, err})
	}
	sum, err := digest.FromHex(w.SHA256, 0)
	if err != nil {
		return Got{}, fault.New(fault.Usage, "distfile %q: %w", w.Name, err)
	}
	return Got{}, &LackError{[]Lack{{Distfile{Name: w.Name, File: sum}, got.Tries}}}
}

// getPlace gets the file from a place and compares its SHA-256. One that was put together from several answers, and is
// wrong, is fetched once more in one piece before the place is blamed.
func (f *Fetcher) getPlace(ctx context.Context, w Wanted, p place, part *partial) (int64, error) {
	for again := false; ; again = true {
		var err error
		if p.url != nil {
			err = f.download(ctx, want{name: w.Name, limit: w.Max}, p, part)
		} else {
			err = part.fillFromFile(ctx, p.path, w.Max)
		}
		if err != nil {
			return 0, err
		}
		file, err := part.digest()
		if err != nil {
			return 0, err
		}
		if file.Hex() == w.SHA256 {
			return file.Size(), nil
		}
		if !part.pieced || again {
			want, err := digest.FromHex(w.SHA256, 0)
			if err != nil {
				return 0, &finalError{fault.New(fault.Usage, "distfile %q: %w", w.Name, err)}
			}
			return 0, f.setAside(Distfile{Name: w.Name}, &WrongError{Want: want, Got: file}, part)
		}
		if err := part.restart(); err != nil {
			return 0, err
		}
	}
}

// plainPlace reads an address by http, https or file.
func plainPlace(text string) place {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return place{label: "an address that is none", problem: errors.New("not an address")}
	case u.Scheme == "file" && (u.Host == "" || u.Host == "localhost") && filepath.IsAbs(filepath.FromSlash(u.Path)):
		return place{label: text, path: filepath.FromSlash(u.Path)}
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return place{label: u.Redacted(), url: u}
	}
	return place{label: u.Redacted(), problem: errors.New("want an address by http, https or file:///")}
}

// keep puts what has arrived on the disk for good, under its name.
func (p *partial) keep(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return hostFault(err)
	}
	if err := p.f.Sync(); err != nil {
		return hostFault(err)
	}
	return p.moveTo(name)
}

// Trouble sorts what keeps a place from giving a file, for reports.
type Trouble string

// The troubles.
const (
	Absent      Trouble = "absent"      // it answers, and has no such file
	Wrong       Trouble = "wrong bytes" // it sent something else
	Unreachable Trouble = "unreachable" // its name is unknown, or nobody answers, or nothing arrives
	Denied      Trouble = "refused"     // it answers with another status
	Broken      Trouble = "broken"      // all else: broken off, too large, not allowed
)

// TroubleOf sorts the error of a Try, or of Ask.
func TroubleOf(err error) Trouble {
	var wrong *WrongError
	var status *statusError
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case isAbsent(err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOENT):
		return Absent
	case errors.As(err, &wrong):
		return Wrong
	case errors.As(err, &status):
		return Denied
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial", errors.Is(err, errStalled), isTimeout(err):
		return Unreachable
	}
	return Broken
}
