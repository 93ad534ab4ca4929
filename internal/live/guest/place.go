// SPDX-License-Identifier: MIT

package guest

import (
	"strings"
	"time"

	"github.com/rung-build/rung/internal/live/manifest"
)

// kaemMark is how kaem begins the line of a command that it is about to run. Source: kaem of stage0-posix.
const kaemMark = " +> "

// place finds in a line where the run is.
func (w *Watcher) place(line string, now time.Time) {
	if command, ok := strings.CutPrefix(line, kaemMark); ok {
		w.command = command
		w.kaem(strings.Fields(command), now)
		return
	}
	name, said, ok := strings.Cut(line, ": ")
	if !ok {
		if file, ok := strings.CutPrefix(line, "removing file: "); ok {
			w.reach(manifest.Uninstall, strings.TrimSuffix(file, "."), 0, now)
		}
		return
	}
	w.bash(name, said, now)
}

// kaem follows a command of kaem. In a kaem script a package is "pkg=NAME", "cd NAME" and "kaem --file passN.kaem",
// and other directives are "kaem --file /ROOT/improve/NAME.sh". Source: the script generator of live-bootstrap.
func (w *Watcher) kaem(words []string, now time.Time) {
	if len(words) == 0 {
		return
	}
	if w.phase == PhaseFirmware {
		w.phase = PhaseSeed
	}
	switch {
	case words[0] == "cd" && len(words) == 2 && !strings.Contains(words[1], "/"):
		w.pass = words[1]
	case strings.HasSuffix(words[0], "kaem") && len(words) >= 3 && (words[1] == "--file" || words[1] == "-f"):
		file := words[2]
		folder, base := "", file
		if i := strings.LastIndexByte(file, '/'); i >= 0 {
			folder, base = file[:i], file[i+1:]
		}
		stem := strings.TrimSuffix(strings.TrimSuffix(base, ".sh"), ".kaem")
		switch {
		case folder == "" && strings.HasPrefix(stem, "pass"):
			w.reach(manifest.Build, w.pass, number(stem[len("pass"):]), now)
		case strings.HasSuffix(folder, "/improve"):
			w.reach(manifest.Improve, stem, 0, now)
		case strings.HasSuffix(folder, "/jump"):
			w.reach(manifest.Jump, stem, 0, now)
		}
	}
}

// number reads a pass; 0 where there is none.
func number(text string) int {
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' || n > 10000 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// bash follows what the functions of helpers.sh say of a package: "NAME: WHAT.".
func (w *Watcher) bash(name, said string, now time.Time) {
	switch {
	case strings.HasPrefix(said, "beginning build using script "):
		script := strings.TrimPrefix(said, "beginning build using script ")
		stem := strings.TrimSuffix(script, ".sh")
		w.reach(manifest.Build, name, number(strings.TrimPrefix(stem, "pass")), now)
	case said == "installing prebuilt package.":
		w.reach(manifest.Build, name, 0, now)
		w.doing = said
	case said == "uninstalling.":
		w.reach(manifest.Uninstall, name, 0, now)
	case said == "build successful" && w.runs(name):
		w.finish(now)
	case w.runs(name) && strings.HasSuffix(said, ".") && len(said) < 60:
		w.doing = said
	}
}

// runs tells whether a package is what runs.
func (w *Watcher) runs(name string) bool {
	return w.at >= 0 && w.at < len(w.o.Steps) && w.o.Steps[w.at].Kind == manifest.Build && w.o.Steps[w.at].Arg == name
}

// reach says that a step begins: the next one of this kind and name. What lies between has ended, and well: scripts
// stop at the first failure. The pass is 0 where the line does not tell it.
func (w *Watcher) reach(kind manifest.Kind, name string, pass int, now time.Time) {
	for i := max(w.at, 0); i < len(w.o.Steps); i++ {
		s := w.o.Steps[i]
		if s.Kind != kind || pass > 0 && s.Pass != pass || !named(s, name) {
			continue
		}
		if i > w.at {
			w.begin(i, now)
			return
		}
		if !w.finished || pass > 0 || kind != manifest.Build {
			return // said of the step that runs
		}
	}
}

// named tells whether a line speaks of a step. Of an uninstall, each line has one of its arguments.
func named(s Step, name string) bool {
	if s.Kind != manifest.Uninstall {
		return s.Arg == name
	}
	for arg := range strings.FieldsSeq(s.Arg) {
		if arg == name {
			return true
		}
	}
	return false
}

// begin makes a step the one that runs.
func (w *Watcher) begin(i int, now time.Time) {
	if !w.finished {
		w.finish(now)
	}
	if i > 0 && i-1 > w.good.Step {
		w.mark(i-1, now)
	}
	w.at, w.begun, w.finished, w.doing, w.phase = i, now, false, "", PhaseScripts
	w.suspects = nil
	if w.o.Reached != nil {
		w.o.Reached(i)
	}
}

// finish says that the step that runs has ended well.
func (w *Watcher) finish(now time.Time) {
	if w.at < 0 || w.at >= len(w.o.Steps) || w.finished {
		return
	}
	w.finished, w.suspects, w.doing = true, nil, ""
	took := now.Sub(w.begun)
	w.took[Key(w.o.Steps[w.at])] = took
	if w.o.Steps[w.at].Kind == manifest.Build {
		w.last = took
	}
	w.mark(w.at, now)
	if w.at == w.lastBuild() {
		w.phase = PhaseDone
	}
}

func (w *Watcher) mark(i int, now time.Time) {
	s := w.o.Steps[i]
	w.good = Good{Step: i, Name: s.Arg, Pass: s.Pass, At: now}
}

// lastBuild is the index of the last package; -1 where there is none. What comes after it says nothing.
func (w *Watcher) lastBuild() int {
	for i := len(w.o.Steps) - 1; i >= 0; i-- {
		if w.o.Steps[i].Kind == manifest.Build {
			return i
		}
	}
	return -1
}
