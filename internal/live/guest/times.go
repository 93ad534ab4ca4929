// SPDX-License-Identifier: MIT

package guest

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/manifest"
)

// Times are how long packages took, by Key.
type Times map[string]time.Duration

// Key names a step among times: "NAME pass N" of a package, "jump NAME" and the like of others, with the root in front
// where it is not steps.
func Key(s Step) string {
	key := s.Kind.String() + " " + s.Arg
	if s.Kind == manifest.Build {
		key = fmt.Sprintf("%s pass %d", s.Arg, s.Pass)
	}
	if s.Root != "steps" {
		key = s.Root + " " + key
	}
	return key
}

// maxTimes is how many entries a file of times may have.
const maxTimes = 100000

// ReadTimes reads what Format writes: an object with seconds by key.
func ReadTimes(text []byte) (Times, error) {
	var seconds map[string]float64
	if err := json.Unmarshal(text, &seconds); err != nil {
		return nil, fault.New(fault.Usage, "times: %w", err)
	}
	if len(seconds) > maxTimes {
		return nil, fault.New(fault.Limit, "times: more than %d", maxTimes)
	}
	t := Times{}
	for key, s := range seconds {
		if s >= 0 && s < 1e7 {
			t[key] = time.Duration(s * float64(time.Second))
		}
	}
	return t, nil
}

// Format is the text of a file of times.
func (t Times) Format() ([]byte, error) {
	seconds := make(map[string]float64, len(t))
	for key, d := range t {
		seconds[key] = d.Round(10 * time.Millisecond).Seconds()
	}
	text, err := json.MarshalIndent(seconds, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("times: %w", err)
	}
	return append(text, '\n'), nil
}

// With are the times of two runs: where both have one, the later counts.
func (t Times) With(later Times) Times {
	all := maps.Clone(t)
	if all == nil {
		all = Times{}
	}
	maps.Copy(all, later)
	return all
}

// expected is how long the step that runs took in an earlier run; 0 where that is not known.
func (w *Watcher) expected() time.Duration {
	if w.at < 0 || w.at >= len(w.o.Steps) {
		return 0
	}
	return w.o.Times[Key(w.o.Steps[w.at])]
}

// remaining is how long the rest took in an earlier run; 0 where the times of more than a tenth of the packages are not
// known.
func (w *Watcher) remaining(inStep time.Duration) time.Duration {
	var sum time.Duration
	known, builds := 0, 0
	for i := max(w.at, 0); i < len(w.o.Steps); i++ {
		step := w.o.Steps[i]
		took, ok := w.o.Times[Key(step)]
		if step.Kind == manifest.Build {
			builds++
			if ok {
				known++
			}
		}
		if i == w.at {
			took = max(took-inStep, 0)
		}
		sum += took
	}
	if known*10 < builds*9 {
		return 0
	}
	return sum
}
