// SPDX-License-Identifier: MIT

package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/ledger"
)

// Why tells where an artefact comes from, down to the seed.
type Why struct {
	Artefact Origin `json:"artefact"`
	Seed     []File `json:"seed"` // every file of the seed that it comes from, by name
	// Distfiles are those that it comes from, by name.
	Distfiles []Distfile `json:"distfiles,omitempty"`
}

// Origin is a file and how it was made, or all files that a run took from one distfile.
type Origin struct {
	Name   string        `json:"name,omitempty"`   // in the tree of the stage that takes it; "" for the artefact itself
	From   string        `json:"from"`             // "seed:amd64/hex0.hex0", "boot0/hex0", "distfile:NAME", a place
	Digest digest.Digest `json:"digest,omitzero"`  // not of several files
	Size   int64         `json:"size"`             // of all
	Files  int           `json:"files,omitempty"`  // how many were taken from the distfile
	Making *Making       `json:"making,omitempty"` // nil for a file of the seed, and where Told or Unknown is set
	Told   bool          `json:"told,omitempty"`   // its making is told above, for a file of the same run
	// Unknown is set where the ledger holds no run that made the file.
	Unknown bool `json:"unknown,omitempty"`
	// Distfile is set where the origin is a distfile itself, or files of one.
	Distfile *Distfile `json:"distfile,omitempty"`
}

// Making is the run that made a file.
type Making struct {
	Chain    string        `json:"chain"`
	Arch     string        `json:"arch"`
	Stage    string        `json:"stage"`
	Job      digest.Digest `json:"job"`
	Time     time.Time     `json:"time"`
	Machine  string        `json:"machine"`
	Version  string        `json:"version"`
	Isolated bool          `json:"isolated"`
	Wall     time.Duration `json:"wall_ns"`
	Log      digest.Digest `json:"log"`
	Steps    [][]string    `json:"steps"`
	Same     [][2]string   `json:"same,omitempty"`
	Inputs   []Origin      `json:"inputs"`
}

// Question says what is asked about: a name (NAME or STAGE/NAME), or a digest as its text form, its hex digits, or
// eight or more of these from the first on.
type Question struct {
	What string
	Arch string // only runs for this architecture; "" for any
}

// NewWhy answers a question from the lines of a ledger, oldest first. The error is a fault of kind NotFound where no
// run made, or took, what is asked about, and Usage where the name stands for several artefacts.
func NewWhy(runs []ledger.Run, q Question) (Why, error) {
	runs = slices.DeleteFunc(slices.Clone(runs), func(r ledger.Run) bool {
		return r.Failure != "" || q.Arch != "" && r.Arch != q.Arch
	})
	slices.Reverse(runs)
	found, err := find(runs, q.What)
	if err != nil {
		return Why{}, err
	}
	w := &walk{runs: runs, told: map[digest.Digest]bool{}, seed: map[string]digest.Digest{},
		distfiles: map[string]Distfile{}}
	why := Why{Artefact: w.origin(found.arch, found.File), Seed: []File{}}
	for _, name := range sortedKeys(w.seed) {
		why.Seed = append(why.Seed, File{Name: name, Digest: w.seed[name]})
	}
	for _, name := range sortedKeys(w.distfiles) {
		why.Distfiles = append(why.Distfiles, w.distfiles[name])
	}
	return why, nil
}

// candidate is a file that a question may be about; its From says what it is.
type candidate struct {
	ledger.File
	arch string
}

func find(runs []ledger.Run, what string) (candidate, error) {
	matches := outputs(runs, func(stage, name string, _ digest.Digest) bool {
		return name == what || stage+"/"+name == what
	})
	if len(matches) == 0 {
		matches = outputs(runs, func(_, _ string, d digest.Digest) bool { return isDigest(what, d) })
		if len(matches) == 0 {
			matches = texts(runs, what)
		}
		matches = matches[:min(len(matches), 1)]
	}
	switch len(matches) {
	case 0:
		return candidate{}, fault.New(fault.NotFound, "%q: the ledger knows no artefact of that name or digest", what).
			WithHint("rung ledger ls lists the runs; rung bootstrap makes them")
	case 1:
		return matches[0], nil
	}
	return candidate{}, ambiguous(what, matches)
}

func ambiguous(what string, matches []candidate) error {
	var names []string
	for _, m := range matches {
		names = append(names, m.From+" for "+m.arch)
	}
	return fault.New(fault.Usage, "%q stands for several artefacts: %s", what, strings.Join(names, ", ")).
		WithHint("ask for STAGE/NAME, with --arch where it is needed")
}

// outputs lists the outputs that match, the latest of each stage and name.
func outputs(runs []ledger.Run, match func(stage, name string, d digest.Digest) bool) []candidate {
	var all []candidate
	seen := map[string]bool{}
	for _, run := range runs {
		for _, out := range run.Outputs {
			out.From = run.Stage + "/" + out.Name
			if key := run.Arch + "/" + out.From; !seen[key] && match(run.Stage, out.Name, out.Digest) {
				seen[key] = true
				all = append(all, candidate{out, run.Arch})
			}
		}
	}
	return all
}

// texts lists inputs that match: files of the seed and distfiles, that no run made.
func texts(runs []ledger.Run, what string) []candidate {
	var all []candidate
	for _, run := range runs {
		for i, in := range run.Inputs {
			distfile := i == 0 && run.Distfile != nil
			named := in.From == what || distfile && (in.Name == what || run.Stage == what)
			if distfile {
				in.From = run.Stage
			}
			if named || isDigest(what, in.Digest) {
				all = append(all, candidate{in, run.Arch})
			}
		}
	}
	return all
}

// isDigest tells whether a text is a digest's text form, or eight or more of its hex digits.
func isDigest(what string, d digest.Digest) bool {
	return what == d.String() || len(what) >= 8 && strings.HasPrefix(d.Hex(), what)
}

// walk goes from a file down to the seed.
type walk struct {
	runs []ledger.Run             // latest first, without failures
	told map[digest.Digest]bool   // jobs whose making is told
	seed map[string]digest.Digest // files of the seed met on the way

	distfiles map[string]Distfile // met on the way
}

func (w *walk) origin(arch string, f ledger.File) Origin {
	o := Origin{From: f.From, Digest: f.Digest, Size: f.Digest.Size()}
	if path, ok := strings.CutPrefix(f.From, "seed:"); ok {
		w.seed[path] = f.Digest
		return o
	}
	if name, ok := distfileOf(f.From); ok {
		if o, ok := w.whole(arch, f); ok {
			return o
		}
		return w.taken(arch, name, f)
	}
	run, ok := w.maker(arch, f)
	w.tell(&o, run, ok)
	return o
}

// tell adds the making of an origin, unless that is told already or not known.
func (w *walk) tell(o *Origin, run ledger.Run, known bool) {
	switch {
	case !known:
		o.Unknown = true
	case w.told[run.Job]:
		o.Told = true
	default:
		w.told[run.Job] = true
		o.Making = w.making(run)
	}
}

// maker finds the latest run that made a file, of those on machines that isolate where there is one. The ledger's
// reference and the digest both have to agree.
func (w *walk) maker(arch string, f ledger.File) (found ledger.Run, ok bool) {
	for _, run := range w.runs {
		if run.Arch != arch || !strings.HasPrefix(f.From, run.Stage+"/") {
			continue
		}
		for _, out := range run.Outputs {
			if out.Digest != f.Digest || run.Stage+"/"+out.Name != f.From {
				continue
			}
			if run.Isolated {
				return run, true
			}
			if !ok {
				found, ok = run, true
			}
		}
	}
	return found, ok
}

func (w *walk) making(run ledger.Run) *Making {
	m := &Making{
		Chain: run.Chain, Arch: run.Arch, Stage: run.Stage, Job: run.Job, Time: run.Time, Machine: run.Machine,
		Version: run.Version, Isolated: run.Isolated, Wall: run.Wall, Log: run.Log, Steps: run.Steps, Same: run.Same,
	}
	if run.Distfile != nil {
		m.Inputs = []Origin{w.fetched(run)}
		return m
	}
	taken := map[string][]ledger.File{} // by distfile
	for _, in := range run.Inputs {
		if name, ok := distfileOf(in.From); ok {
			taken[name] = append(taken[name], in)
			continue
		}
		o := w.origin(run.Arch, in)
		o.Name = in.Name
		m.Inputs = append(m.Inputs, o)
	}
	for _, name := range sortedKeys(taken) {
		m.Inputs = append(m.Inputs, w.taken(run.Arch, name, taken[name]...))
	}
	return m
}

// line is the file on one line.
func (o Origin) line() string {
	text := fmt.Sprintf("%s  %s  %s", o.From, o.Digest.Short(), count(o.Size, "byte"))
	if o.Files > 0 {
		text = fmt.Sprintf("%s of %s, %s", count(o.Files, "file"), o.From, Size(o.Size))
	}
	if o.Name != "" && !strings.HasSuffix(o.From, "/"+o.Name) && o.From != "seed:"+o.Name {
		text = o.Name + " = " + text
	}
	if o.Distfile != nil {
		text += o.Distfile.remark(o)
	}
	switch {
	case o.Told:
		text += "  (told above)"
	case o.Unknown && o.Files > 0:
		text += "  (no run in the ledger unpacked it)"
	case o.Unknown:
		text += "  (no run in the ledger made it)"
	}
	return text
}
