// SPDX-License-Identifier: MIT

package distfile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rung-build/rung/internal/source"
)

// patience is how often in a row a place may fail, other than by not having a file, before it is asked no more in a run.
// Without it a mirror whose host is down costs the time of a connection that nobody takes for each file.
const patience = 4

var errGivenUp = errors.New("not asked any more")

// Skipped is the trouble of a place that was not asked, since it failed too often.
const Skipped source.Trouble = "not asked any more"

// Health is what a run saw of a mirror, or of a host of upstream.
type Health struct {
	Place       string // the mirror, or SCHEME://HOST
	Mirror      bool
	Asked, Gave int // files
	Troubles    map[source.Trouble]int
	Bytes       int64         // of the files that it gave
	Took        time.Duration // of those, added up over files that came at once
	GivenUp     bool          // it was not asked for all files
	Why         string        // the last trouble but of files that are absent; "" for none
}

// Speed is in bytes a second, of one file at a time; 0 where nothing came.
func (h Health) Speed() int64 {
	if h.Took <= 0 {
		return 0
	}
	return int64(float64(h.Bytes) / h.Took.Seconds())
}

// health watches places. It is safe for use by several goroutines.
type health struct {
	mirrors []string // as their addresses begin, without passwords
	now     func() time.Time

	mu    sync.Mutex
	known map[string]*condition
	since map[string]time.Time // of what is on its way, by the name of the file
}

type condition struct {
	Health
	row int // failures without a success between them
}

func newHealth(mirrors []string, now func() time.Time) *health {
	h := &health{now: now, known: map[string]*condition{}, since: map[string]time.Time{}}
	for _, m := range mirrors {
		h.mirrors = append(h.mirrors, redacted(m))
		h.at(redacted(m) + "/")
	}
	return h
}

// redacted is an address without a password.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "file" {
		return text
	}
	return u.Redacted()
}

// at is the condition of the place that an address belongs to.
func (h *health) at(address string) *condition {
	key, mirror := "", false
	for _, m := range h.mirrors {
		if strings.HasPrefix(address, m+"/") && len(m) > len(key) {
			key, mirror = m, true
		}
	}
	if key == "" {
		key = address
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			key = u.Scheme + "://" + u.Host
		}
	}
	if h.known[key] == nil {
		h.known[key] = &condition{Health: Health{Place: key, Mirror: mirror, Troubles: map[source.Trouble]int{}}}
	}
	return h.known[key]
}

// skip is source.Wanted.Skip.
func (h *health) skip(place string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.at(redacted(place))
	if c.row < patience {
		return nil
	}
	c.GivenUp = true
	return fmt.Errorf("%w: it failed %d times in a row: %s", errGivenUp, c.row, c.Why)
}

// see counts an event.
func (h *health) see(e source.Event) {
	switch e := e.(type) {
	case source.Trying:
		h.asked(e.Place)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.since[e.Name] = h.now()
	case source.Refused:
		if !errors.Is(e.Err, errGivenUp) {
			h.failed(e.Place, troubleOf(e.Err), e.Err.Error())
		}
	case source.Arrived:
		h.has(e.Place)
		h.mu.Lock()
		defer h.mu.Unlock()
		c := h.at(e.Place)
		c.Bytes += e.Size
		c.Took += h.now().Sub(h.since[e.Name])
	}
}

func (h *health) asked(address string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at(address).Asked++
}

func (h *health) has(address string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.at(address)
	c.Gave++
	c.row = 0
}

// failed counts a failure. Wrong bytes make a place worse only where it is a mirror that gave nothing right so far:
// upstream changes files now and then, and has the others still.
func (h *health) failed(address string, trouble source.Trouble, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.at(address)
	c.Troubles[trouble]++
	if trouble == source.Absent {
		c.row = 0
		return
	}
	c.Why = strings.ReplaceAll(why, "\n", "; ")
	if trouble != source.Wrong || c.Mirror && c.Gave == 0 {
		c.row++
	}
}

// report gives the mirrors in their order, and the hosts of upstream by name.
func (h *health) report() []Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Health
	for _, key := range slices.Sorted(maps.Keys(h.known)) {
		one := h.known[key].Health
		one.Troubles = maps.Clone(one.Troubles)
		all = append(all, one)
	}
	rank := func(a Health) int {
		if i := slices.Index(h.mirrors, a.Place); i >= 0 {
			return i
		}
		return len(h.mirrors)
	}
	slices.SortStableFunc(all, func(a, b Health) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}
