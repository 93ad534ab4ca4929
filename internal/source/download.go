// SPDX-License-Identifier: MIT

package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Pauses between tries of one place. A server that asks for a longer one than the last is given up.
const (
	firstPause  = 500 * time.Millisecond
	longestWait = 30 * time.Second
)

// errRange says that a server continued a file somewhere else than where it was asked to.
var errRange = errors.New("the server continued the file in another place than it was asked to")

// want is what a download knows of its file beforehand.
type want struct {
	name  string // for messages
	limit int64  // bytes, the most that is read
	size  int64  // bytes, as declared; 0 where it is not known
}

func (d Distfile) want() want { return want{d.Name, d.limit(), d.File.Size()} }

// download fills the partial file from a server, and goes on where an earlier try stopped. Failures that may pass are
// tried again, with pauses that double; a try that comes further than any before it starts the count again.
func (f *Fetcher) download(ctx context.Context, w want, p place, part *partial) error {
	pause := firstPause
	most := int64(0) // that has arrived in any try
	for failures := 0; ; {
		arrived, err := f.attempt(ctx, w, p, part)
		if err == nil || ctx.Err() != nil || !passing(err) {
			return err
		}
		if arrived >= most+leastBytes { // less would let a server that sends single bytes keep us for ever
			failures, pause, most = 0, firstPause, arrived
		}
		if failures++; failures >= f.Tries {
			return fmt.Errorf("%w (tried %d times)", err, failures)
		}
		wait := pause
		var status *statusError
		if errors.As(err, &status) && status.after > wait {
			wait = status.after
		}
		if wait > longestWait {
			return fmt.Errorf("%w (it wants us to wait for %v)", err, wait)
		}
		f.tell(Retrying{w.name, p.label, err, wait})
		if err := f.Sleep(ctx, wait); err != nil {
			return err
		}
		pause = min(2*pause, longestWait)
	}
}

// attempt makes one request, and tells how many bytes the partial file has after it.
func (f *Fetcher) attempt(ctx context.Context, w want, p place, part *partial) (arrived int64, err error) {
	offset, err := f.resumable(w, p, part)
	if err != nil {
		return 0, err
	}
	inner, count, stop := f.client.watched(ctx)
	defer stop()
	defer func() { err = whyEnded(inner, f.Stall, err) }()
	response, err := f.client.get(inner, p, offset, part.from.Validator)
	var status *statusError
	if errors.As(err, &status) && status.code == http.StatusRequestedRangeNotSatisfiable {
		part.from = origin{} // begin anew
	}
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if offset, err = f.begin(response, w, p, part, offset); err != nil {
		return 0, err
	}
	err = part.add(response.Body, offset, w.limit, func(total int64) {
		count.Add(total - offset)
		offset = total
		f.tell(Progress{w.name, total, w.size})
	})
	if err == nil {
		err = inner.Err() // a server that notices that we hang up may end its answer in good form, as if it were whole
	}
	return offset, err
}

// resumable is how much of what has arrived can be continued by a place: all of it where it came from there, and there
// is a name for the version it is of.
func (f *Fetcher) resumable(w want, p place, part *partial) (int64, error) {
	size, err := part.size()
	if err != nil {
		return 0, err
	}
	if part.from.Validator == "" || part.from.URL != p.label || size >= w.limit {
		return 0, nil
	}
	return size, nil
}

// begin looks at an answer before its body is read, and makes the partial file ready for it. It gives the offset from
// which the body goes on.
func (f *Fetcher) begin(response *http.Response, w want, p place, part *partial, asked int64) (int64, error) {
	offset := int64(0)
	if response.StatusCode == http.StatusPartialContent {
		var total string
		n, err := fmt.Sscanf(response.Header.Get("Content-Range"), "bytes %d-%s", &offset, &total)
		if err != nil || n != 2 || asked == 0 || offset != asked {
			part.from = origin{}
			return 0, errRange
		}
	}
	if response.ContentLength > w.limit-offset {
		return 0, &tooLargeError{w.limit}
	}
	if offset > 0 {
		part.pieced = true
		return offset, nil
	}
	if err := part.restart(); err != nil {
		return 0, err
	}
	return 0, part.cameFrom(origin{p.label, validator(response.Header)})
}

// validator is what names a server's version of a file, for If-Range: a strong entity tag, or else the date of the
// last change (RFC 9110, 13.1.5). That such a date may be a weak one does no harm here: what was put together from two
// versions has the wrong digest, and is fetched again in one piece.
func validator(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}
