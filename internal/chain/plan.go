// SPDX-License-Identifier: MIT

package chain

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/machine"
	"github.com/rung-build/rung/internal/source"
)

// definitionFile is the file of a seed that defines its stages.
const definitionFile = "chain.star"

// maxText bounds a file of the seed, in bytes: the texts are made to be read by people.
const maxText = 16 << 20

// Load reads a chain's definitions for an architecture from the files of a seed, checks them, and plans the climb. All
// that can be found wrong before anything runs is found here: a fault of kind Usage that names each defect with its
// FILE:LINE:COLUMN, or of kind NotFound where the seed has nothing for the architecture. The name is the chain's, for
// the ledger.
func Load(name string, files fs.FS, arch string) (*Plan, error) {
	text, err := readText(files, definitionFile)
	if err != nil {
		return nil, fault.New(fault.NotFound, "reading the definitions: %w", err)
	}
	if err := checkArch(files, arch); err != nil {
		return nil, err
	}
	defined, err := evaluate(files, definitionFile, text, arch)
	if err != nil {
		return nil, err
	}
	stages := defined.stages
	p := &planner{files: files, byName: map[string]Stage{}, texts: map[string]Text{},
		distfiles: map[string]source.Distfile{}}
	p.indexDistfiles(defined.distfiles)
	p.index(stages)
	for _, s := range stages {
		p.checkStage(s)
	}
	order := p.order(stages)
	answers := p.answers(path.Join(arch, "answers"))
	if len(p.problems) > 0 {
		return nil, fault.New(fault.Usage, "%w", errors.Join(p.problems...))
	}
	return &Plan{Chain: name, Arch: arch, Stages: order, Answers: answers, Distfiles: defined.distfiles,
		texts: p.texts}, nil
}

// checkArch wants a folder of the architecture's name, and says which there are.
func checkArch(files fs.FS, arch string) error {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return fault.New(fault.NotFound, "seed: %w", err)
	}
	var arches []string
	for _, e := range entries {
		if e.IsDir() {
			arches = append(arches, e.Name())
		}
	}
	if slices.Contains(arches, arch) {
		return nil
	}
	return fault.New(fault.NotFound, "architecture %q: the seed has no folder of that name", arch).
		WithHint("the seed has folders for: %s", strings.Join(arches, ", "))
}

// planner gathers what a plan needs, and everything that is wrong with it.
type planner struct {
	files     fs.FS
	byName    map[string]Stage
	texts     map[string]Text
	distfiles map[string]source.Distfile
	product   string // the stage that is one
	problems  []error
}

func (p *planner) problem(s Stage, format string, args ...any) {
	p.problems = append(p.problems, fmt.Errorf("%s: stage %q: %w", s.Pos, s.Name, fmt.Errorf(format, args...)))
}

func (p *planner) index(stages []Stage) {
	for _, s := range stages {
		first, twice := p.byName[s.Name]
		switch {
		case !stageName(s.Name):
			p.problem(s, "a name is lower-case letters, digits, dots, underscores and hyphens")
		case twice:
			p.problem(s, "there is one already, at %s", first.Pos)
		default:
			p.byName[s.Name] = s
		}
	}
}

func (p *planner) checkStage(s Stage) {
	inputs := make([]string, len(s.Inputs))
	for i, in := range s.Inputs {
		inputs[i] = in.Name
		p.checkRef(s, in)
	}
	p.checkPaths(s, "input", inputs)
	p.checkPaths(s, "export", s.Exports)
	if len(s.Exports) == 0 {
		p.problem(s, "exports nothing")
	}
	p.checkSteps(s)
	for _, name := range s.compared() {
		if !cleanPath(name) || !slices.ContainsFunc(s.Steps, mentions(name)) {
			p.problem(s, "same: %q is neither an input nor an export, and no step names it", name)
		}
	}
	if s.Calls != machine.CallsAny && s.Calls != machine.CallsSeed {
		p.problem(s, "calls: want %q or nothing, not %q", machine.CallsSeed, s.Calls)
	}
	if n := len(s.Steps); s.Says != "" && n > 0 && s.Steps[n-1].Argv[0] != s.Says {
		p.problem(s, "says: the program of the last step is %q, not %q", s.Steps[n-1].Argv[0], s.Says)
	}
	if s.Product && p.product != "" {
		p.problem(s, "product: stage %q is one already", p.product)
	}
	if s.Product {
		p.product = s.Name
	}
}

// compared lists the files, sorted, that fixed points name and that are neither inputs nor exports: the machine has to
// hand them over for the comparison, but they are no artefacts.
func (s Stage) compared() []string {
	var names []string
	for _, pair := range s.Same {
		for _, name := range []string{pair.A, pair.B} {
			input := slices.ContainsFunc(s.Inputs, func(in Input) bool { return covers(name)(in.Name) })
			if !input && !slices.ContainsFunc(s.Exports, covers(name)) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func mentions(name string) func(machine.Step) bool {
	return func(step machine.Step) bool { return slices.Contains(step.Argv, name) }
}

// checkRef finds what an input refers to, and reads it where it is a file of the seed.
func (p *planner) checkRef(s Stage, in Input) {
	ref := in.From
	if ref.Distfile != "" {
		p.checkDistfile(s, in)
		return
	}
	if ref.Stage == "" {
		if err := p.takeText(ref); err != nil {
			p.problem(s, "input %q: %w", in.Name, err)
		}
		return
	}
	maker, ok := p.byName[ref.Stage]
	switch {
	case !ok:
		p.problem(s, "input %q: there is no stage %q", in.Name, ref.Stage)
	case !slices.Contains(maker.Exports, ref.Path):
		p.problem(s, "input %q: stage %q exports no %q; it exports %s", in.Name, ref.Stage, ref.Path,
			strings.Join(maker.Exports, ", "))
	}
}

func (p *planner) takeText(ref Ref) error {
	if known, ok := p.texts[ref.Path]; ok {
		if known.Program != ref.Program {
			return fmt.Errorf("seed file %q is a program for one input and a text for another", ref.Path)
		}
		return nil
	}
	text, err := readText(p.files, ref.Path)
	if err != nil {
		return err
	}
	p.texts[ref.Path] = Text{Path: ref.Path, Bytes: text, Digest: digest.Of(text), Program: ref.Program}
	return nil
}

// checkPaths wants clean relative paths, none twice and none below another. The names are sorted.
func (p *planner) checkPaths(s Stage, what string, names []string) {
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
	}
	for i, name := range names {
		if !cleanPath(name) {
			p.problem(s, "%s %q: not a clean relative path", what, name)
		}
		if i > 0 && names[i-1] == name {
			p.problem(s, "%s %q: named twice", what, name)
		}
		for above := range above(name) {
			if above != name && known[above] {
				p.problem(s, "%s %q lies below %s %q", what, name, what, above)
			}
		}
	}
}

// above gives a path, and then every directory above it but the root. A path that is not clean may have none.
func above(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for yield(name) {
			i := strings.LastIndexByte(name, '/')
			if i <= 0 {
				return
			}
			name = name[:i]
		}
	}
}

// checkSteps wants every program to be an input, or a word of a step before it: nothing else can have made it.
func (p *planner) checkSteps(s Stage) {
	if len(s.Steps) == 0 {
		p.problem(s, "has no steps")
	}
	known := map[string]bool{}
	for _, in := range s.Inputs {
		known[in.Name] = true
	}
	for i, step := range s.Steps {
		name, made := path.Clean(step.Argv[0]), false
		for p := range above(name) {
			made = made || known[p]
		}
		switch {
		case !cleanPath(step.Argv[0]):
			p.problem(s, "step %d: %q is not a clean relative path", i+1, step.Argv[0])
		case !made:
			p.problem(s, "step %d: %q is neither an input nor named by a step before it", i+1, name)
		}
		for _, word := range step.Argv[1:] {
			known[word] = true
		}
	}
}

// answers reads the expected digests and wants each to have a maker. A chain without the file has no answers.
func (p *planner) answers(name string) Answers {
	text, err := readText(p.files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return Answers{}
	}
	var answers Answers
	if err == nil {
		answers, err = ParseAnswers(name, text)
	}
	if err != nil {
		p.problems = append(p.problems, err)
		return nil
	}
	for _, artefact := range sortedKeys(answers) {
		ref, _ := parseRef(artefact)
		if !slices.ContainsFunc(p.byName[ref.Stage].Exports, covers(ref.Path)) {
			p.problems = append(p.problems, fmt.Errorf("%s: no stage exports %q", name, artefact))
		}
	}
	return answers
}

// readText reads a file of a seed, bounded.
func readText(files fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("seed file %q: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxText {
		return nil, fmt.Errorf("seed file %q: want a regular file of at most %d bytes", name, maxText)
	}
	return fs.ReadFile(files, name)
}

// covers makes a test for paths that are the name or a directory above it.
func covers(name string) func(string) bool {
	return func(p string) bool { return p == name || strings.HasPrefix(name, p+"/") }
}

// cleanPath tells whether a path is relative, clean, and stays in its tree.
func cleanPath(p string) bool { return p != "." && fs.ValidPath(p) && !strings.ContainsRune(p, 0) }

var stageNames = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

func stageName(s string) bool { return stageNames.MatchString(s) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
