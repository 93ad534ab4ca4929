// SPDX-License-Identifier: MIT

package manifest

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
)

// primaryRoot is the root whose scripts start in kaem, before there is a bash.
const primaryRoot = "/steps"

// lateBash is the bash level at which scripts of another root start; see Generation.
const lateBash = 2

// maxEnvLine is the longest line of env that the guest copies whole.
const maxEnvLine = 2047

// Generator is the guest's script generator, and where it runs.
type Generator struct {
	Generation Generation
	Root       string // where the manifest is and scripts go; "" for /steps. H knows no other
	ConfigRoot string // of F1 and F2: where bootstrap.cfg, env and helpers.sh are; "" for Root
	Env        string // the text of env there
}

// File is a file that the generator writes.
type File struct {
	Path string // in the guest
	Text string
}

// Step is a survivor in its script.
type Step struct {
	Script int // N of N.sh
	Index  int // from 0, through all scripts
	Survivor
	Bash bool // the script is run by bash; else by kaem
	Next int  // the number of the script that follows, where the step ends its own: a jump, or a build of bash; else 0
}

// Break tells whether the step is the jump at which a run under test stops.
func (s Step) Break() bool { return s.Kind == Jump && s.Arg == "break" }

// Scripts are what the generator writes.
type Scripts struct {
	Files    []File // sorted by path
	Steps    []Step // in the order in which they run
	Preseed  int    // the script that /preseed-jump.kaem starts; 0 where it is not written
	Problems Problems
}

// Scripts gives the files that the script generator writes in a guest, byte for byte.
func (e *Evaluation) Scripts(g Generator) *Scripts {
	w := &writer{Generator: g, config: e.Config, out: &Scripts{Steps: make([]Step, 0, len(e.Survivors))}}
	if w.Root == "" || g.Generation == H {
		w.Root = primaryRoot
	}
	if w.ConfigRoot == "" || g.Generation == H {
		w.ConfigRoot = w.Root
	}
	if w.Root != primaryRoot {
		w.level = lateBash
	}
	w.checkEnv()
	w.start()
	for i, s := range e.Survivors {
		w.step(Step{Script: w.script, Index: i, Survivor: s, Bash: w.level > 0})
	}
	w.finish()
	w.file(path.Join(w.ConfigRoot, "bootstrap.cfg"), e.Config.Format())
	slices.SortFunc(w.out.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return w.out
}

// writer writes scripts one after the other.
type writer struct {
	Generator
	config Config
	out    *Scripts

	script int // the number of the open one
	level  int // how many bash have been built; 0 is kaem
	text   strings.Builder
}

func (w *writer) file(name, text string) {
	w.out.Files = append(w.out.Files, File{name, text})
}

// emit writes lines.
func (w *writer) emit(lines ...string) {
	for _, l := range lines {
		w.text.WriteString(l)
		w.text.WriteByte('\n')
	}
}

// path is the full name of a script.
func (w *writer) path(script int) string { return w.Root + "/" + strconv.Itoa(script) + ".sh" }

// start writes the head of a script.
func (w *writer) start() {
	if w.level == 0 {
		w.emit("set -ex", "cd "+w.Root)
		for _, v := range w.config {
			w.emit(v.Name + "=" + v.Value)
		}
		w.text.WriteString(w.Env)
		return
	}
	w.emit("#!/bin/bash")
	w.emit(w.errorMode()...)
	w.emit("cd " + w.Root)
	beside := "."
	if w.Generation != H {
		beside = w.ConfigRoot
	}
	w.emit(". "+beside+"/bootstrap.cfg", ". "+beside+"/env", ". "+beside+"/helpers.sh")
}

// errorMode is what a bash script does about failures. Only an interactive run asks somebody, and the first bash has no
// ERR trap that works.
func (w *writer) errorMode() []string {
	switch {
	case w.config.Get("INTERACTIVE") != "True":
		return []string{"set -e"}
	case w.level == 1:
		const loop = `while true; do printf "[TRAP - use Ctrl+D] $(pwd) # "; eval "$(cat)"; done`
		inner := `'"'"'` + loop + `'"'"'` // quoted inside of what is quoted
		return []string{"set -e", "trap 'bash -c " + inner + "' EXIT"}
	}
	return []string{"set -eEo pipefail", `trap 'env PS1="[TRAP] \w # " bash -i' ERR`}
}

// finish closes the open script.
func (w *writer) finish() {
	w.file(w.path(w.script), w.text.String())
	w.text.Reset()
}

func (w *writer) step(s Step) {
	switch s.Kind {
	case Build:
		w.build(&s)
	case Improve:
		w.emit(w.call("improve", s.Arg))
	case Jump:
		w.jump(&s)
	case Uninstall:
		w.emit("uninstall " + s.Arg)
		if w.level == 0 {
			w.out.Problems.add(s.Pos, Error, "uninstall before the first bash: kaem has no such command\n"+
				"move the line below the build of bash")
		}
	}
	w.out.Steps = append(w.out.Steps, s)
}

// build runs a pass. A build of bash goes on in the next script, run by what was built.
func (w *writer) build(s *Step) {
	pass := "pass" + strconv.Itoa(s.Pass)
	if w.level > 0 {
		w.emit("build " + s.Arg + " " + pass + ".sh")
	} else {
		w.emit("pkg="+s.Arg, "cd ${pkg}", "kaem --file "+pass+".kaem", "cd ..")
	}
	if !strings.HasPrefix(s.Arg, "bash-") {
		return
	}
	s.Next = w.script + 1
	next := "bash " + w.path(s.Next)
	if w.level == 0 {
		w.out.Preseed = s.Next
		w.file("/preseed-jump.kaem", "set -ex\nPATH=/usr/bin\n"+next+"\n")
	}
	w.emit(next)
	w.level++
	w.follow(s.Next)
}

// jump runs a script that starts another kernel or another root file system, after it has made sure that what starts
// there goes on with the next script.
func (w *writer) jump(s *Step) {
	s.Next = w.script + 1
	n := strconv.Itoa(s.Next)
	if w.level > 0 {
		w.emit("mv /init /init.bak", "cp /init."+n+" /init", "chmod 755 /init", w.call("jump", s.Arg))
		w.file("/init."+n, "#!/bin/bash\nbash "+w.path(s.Next)+"\n")
	} else {
		w.emit("cp /kaem.run."+n+" /kaem.run", "cp /usr/bin/kaem /init", "chmod 755 /init", w.call("jump", s.Arg))
		w.file("/kaem.run."+n, "set -ex\nkaem --file "+w.path(s.Next)+"\n")
	}
	w.follow(s.Next)
}

// call is the command that runs a script of a folder of the root.
func (w *writer) call(folder, name string) string {
	script := w.Root + "/" + folder + "/" + name + ".sh"
	if w.level > 0 {
		return ". " + script
	}
	return "kaem --file " + script
}

// follow closes the open script and opens the next one.
func (w *writer) follow(next int) {
	w.finish()
	w.script = next
	w.start()
}

// checkEnv tells what the guest would not copy as it stands.
func (w *writer) checkEnv() {
	file := strings.TrimPrefix(w.ConfigRoot, "/") + "/env"
	number := 0
	for l := range strings.Lines(w.Env) {
		number++
		switch at := (Position{file, number, 1}); {
		case strings.IndexByte(l, 0) >= 0:
			w.out.Problems.add(at, Error, "the line has a NUL: the guest drops what follows\nremove the byte")
		case len(l) > maxEnvLine:
			w.out.Problems.add(at, Error, "the line has %d bytes: the guest reads %d with the line feed\n"+
				"shorten it", len(l), maxEnvLine)
		case !strings.HasSuffix(l, "\n"):
			w.out.Problems.add(at, Error, "the last line has no line feed: the first step's line is joined to it\n"+
				"end the file with a line feed")
		}
	}
}
