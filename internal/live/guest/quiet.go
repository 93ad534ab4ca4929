// SPDX-License-Identifier: MIT

package guest

import (
	"strings"
	"time"

	"github.com/rung-build/rung/internal/live/manifest"
)

// quiet is something that shows nothing for long while all is well, on a processor of today. That these are silent is
// seen in their scripts; how long at most is a bound on the safe side, and not measured: see docs/live-run.md.
type quiet struct {
	command string // kaem started something that has this
	step    string // the package or script that runs; "" for any
	long    time.Duration
}

func quiets() []quiet {
	return []quiet{
		{command: "mes", step: "mes-0.27.1", long: 2 * time.Hour},
		{step: "mes-0.27.1", long: time.Hour},
		{step: "tcc-0.9.26", long: time.Hour},
		{command: "make_fiwix_initrd", long: time.Hour},
		{step: "linux", long: time.Hour}, // kexec-linux packs the whole root with bzip2
		{step: "move_disk", long: time.Hour},
	}
}

// patience is how long the console may show nothing now.
func (w *Watcher) patience() time.Duration {
	long := w.o.Silence
	scaled := func(d time.Duration) time.Duration { return time.Duration(float64(d) * w.o.Slow) }
	if w.fatal != nil {
		return min(long, time.Minute)
	}
	if took := w.expected(); took > 0 && took < 1000*time.Hour {
		long = max(long, 3*took)
	}
	step := ""
	if w.at >= 0 && w.at < len(w.o.Steps) {
		step = w.o.Steps[w.at].Arg
		if w.o.Steps[w.at].Kind == manifest.Build && w.finished { // the silent steps that follow
			for i := w.at + 1; i < len(w.o.Steps) && w.o.Steps[i].Kind != manifest.Build; i++ {
				long = max(long, w.known(w.o.Steps[i].Arg, scaled))
			}
		}
	}
	return max(long, w.known(step, scaled))
}

// known is the longest silence that is known of a step.
func (w *Watcher) known(step string, scaled func(time.Duration) time.Duration) time.Duration {
	var long time.Duration
	for _, q := range quiets() {
		if (q.step == "" || q.step == step) && strings.Contains(w.command, q.command) {
			long = max(long, scaled(q.long))
		}
	}
	return long
}
