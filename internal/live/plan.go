// SPDX-License-Identifier: MIT

package live

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/manifest"
)

// Plan is what a command line makes of a checkout. It is a function of the two and of which distfiles are held: the same
// come to the same plan, on every host.
type Plan struct {
	Options  Options
	Checkout *Checkout

	Config     manifest.Config // what bootstrap.cfg says; empty with Options.NoCreateConfig
	Scripts    []RootScripts   // of the roots that run, "steps" first
	Early      []distfile.File // in the medium that boots
	External   []distfile.File // on a second disk
	Payload    []distfile.File // in the payload
	Media      []Medium        // in the order of the guest's disks
	Command    Command         // starts the guest; no Argv on bare metal
	Directions []string        // for a person, on bare metal

	manifests map[string]string // texts by root, where they are not the checkout's
}

// RootScripts are the scripts that a guest generates for a root.
type RootScripts struct {
	Root string // "steps", "steps-NAME"
	*manifest.Scripts
}

// Command is a program to start.
type Command struct {
	Argv []string
	Env  []string // all of it, as KEY=VALUE; nil for that of the host
	Root bool     // only root may
}

// Plan makes the plan of a checkout. It fails with fault.Usage where options contradict each other or the checkout, or
// where a manifest stops the guest's script generator; Check tells all that is wrong.
func (c *Checkout) Plan(o Options, held Distfiles) (*Plan, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	p := &Plan{Options: o, Checkout: c, manifests: map[string]string{}}
	for _, step := range []func() error{p.checkGeneration, p.checkSubmodules, p.breakAfter, p.script, p.choose} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := p.media(held); err != nil {
		return nil, err
	}
	p.Command = p.command()
	p.Directions = p.directions()
	return p, nil
}

// checkGeneration refuses what the checkout's generation does not know.
func (p *Plan) checkGeneration() error {
	o, g := p.Options, p.Checkout.Generation
	unknown := func(flag string, hint string) error {
		return fault.New(fault.Usage, "%s: this checkout does not know it", flag).WithHint("%s", hint)
	}
	switch {
	case o.BuildGuixAlso && g == manifest.F2:
		return unknown("--build-guix-also", "write --extra-builds guix")
	case o.BuildGuixAlso && g == manifest.H:
		return unknown("--build-guix-also", "take a checkout with steps-guix")
	case len(o.ExtraBuilds) > 0 && g == manifest.F1:
		return unknown("--extra-builds", "write --build-guix-also")
	case len(o.ExtraBuilds) > 0 && g == manifest.H:
		return unknown("--extra-builds", "take a checkout with steps-"+o.ExtraBuilds[0])
	}
	for _, name := range o.extraRoots(g) {
		if p.Checkout.Root(name) == nil {
			return fault.New(fault.Usage, "checkout: no %s/manifest", name).
				WithHint("leave out this build, or add the folder")
		}
	}
	return nil
}

func (p *Plan) checkSubmodules() error {
	if missing := p.Checkout.Missing(p.Options); len(missing) > 0 && p.Options.Stage0Image == "" {
		return p.Checkout.unfilled(missing)
	}
	return nil
}

// roots are the roots that run.
func (p *Plan) roots() []*Root {
	roots := []*Root{&p.Checkout.Roots[0]}
	for _, name := range p.Options.extraRoots(p.Checkout.Generation) {
		roots = append(roots, p.Checkout.Root(name))
	}
	return roots
}

// manifestOf is the manifest that runs in a root.
func (p *Plan) manifestOf(r *Root) *manifest.Manifest {
	if text, ok := p.manifests[r.Name]; ok {
		m, _ := manifest.Parse(path.Join(r.Name, "manifest"), text)
		return m
	}
	return r.Manifest
}

// breakAfter adds the jump at which a run under test stops.
func (p *Plan) breakAfter() error {
	scope, step, ok := strings.Cut(p.Options.BreakAfter, ":")
	if !ok {
		return nil
	}
	r := p.Checkout.Root(scope)
	if r == nil {
		return fault.New(fault.Usage, "--internal-ci-break-after: no %s in the checkout", scope).
			WithHint("use steps:STEP")
	}
	text, err := p.Checkout.text(path.Join(scope, "manifest"))
	if err != nil {
		return err
	}
	lines := strings.SplitAfter(text, "\n")
	i := slices.IndexFunc(lines, func(line string) bool {
		words := strings.Fields(line)
		return len(words) > 1 && words[0] == "build:" && words[1] == step
	})
	if i < 0 {
		return fault.New(fault.Usage, "--internal-ci-break-after: %s/manifest builds no %s", scope, step).
			WithHint("name a step as its build line does, NAME-VERSION")
	}
	lines = slices.Insert(lines, i+1, "jump: break ( INTERNAL_CI == "+p.Options.InternalCI+" )\n")
	p.manifests[scope] = strings.Join(lines, "")
	return nil
}

// script makes the configuration and the scripts.
func (p *Plan) script() error {
	c := p.Checkout
	p.Config = c.Config(p.Options)
	env, err := c.text("steps/env")
	if err != nil {
		return err
	}
	config := p.Config
	for i, r := range p.roots() {
		g := manifest.Generator{Generation: c.Generation, Env: env}
		if i > 0 {
			g.Root, g.ConfigRoot = "/"+r.Name, "/"+stepsRoot
			if c.Generation == manifest.F1 { // the hand-off clears it before it generates
				config = config.Define("BUILD_GUIX_ALSO", "False")
			}
		}
		e, err := p.manifestOf(r).Evaluate(config)
		if err != nil {
			return err
		}
		config = e.Config
		scripts := e.Scripts(g)
		scripts.Problems = append(e.Problems, scripts.Problems...)
		p.Scripts = append(p.Scripts, RootScripts{r.Name, scripts})
	}
	return nil
}

// choose makes the sets of distfiles. As rootfs.py does, it looks at all builds of a manifest, whatever their predicates.
func (p *Plan) choose() error {
	o, c := p.Options, p.Checkout
	if o.Stage0Image != "" {
		return nil
	}
	cut := manifest.Network
	if c.payloadDisk(o) {
		cut = manifest.ImportPayload
	}
	full, err := p.distfiles("")
	if err != nil {
		return err
	}
	early, err := p.distfiles(cut)
	if err != nil {
		return err
	}
	switch {
	case c.payloadDisk(o):
		p.Early, p.Payload = early, without(full, early)
	case c.externalDisk(o) && o.ExternalSources:
		p.Early, p.External = early, full
	case c.externalDisk(o):
		p.Early, p.External = early, early
	case o.ExternalSources:
		p.Early = full
	default:
		p.Early = early
	}
	return nil
}

// distfiles are those of all roots, or with a cut those that stand above it. Extra roots have none above the import of
// the payload, which is long before they run.
func (p *Plan) distfiles(cut manifest.Cut) ([]distfile.File, error) {
	var lines []distfile.Distfile
	for i, r := range p.roots() {
		m := p.manifestOf(r)
		builds := m.Scan()
		if cut != "" {
			g := p.Checkout.Generation
			if p.Checkout.Shipped && cut == manifest.ImportPayload {
				g = manifest.F1
			}
			above, found := m.ScanBefore(cut, g)
			if builds = above; cut == manifest.ImportPayload && !found && i == 0 {
				return nil, fault.New(fault.Usage,
					"%s/manifest: no improve: %s, at which the early distfiles would end", r.Name, cut).
					WithHint("add the line behind jump: fiwix")
			}
			if cut == manifest.ImportPayload && i > 0 {
				builds = nil
			}
		}
		for _, b := range builds {
			lines = append(lines, r.Sources[b.Package]...)
		}
	}
	files, problems := distfile.Files(lines)
	return files, problems.Err()
}

// without are the files of one list that another does not have. Both are sorted by name.
func without(all, some []distfile.File) []distfile.File {
	var rest []distfile.File
	for _, f := range all {
		if _, found := slices.BinarySearchFunc(some, f.Name, func(g distfile.File, name string) int {
			return strings.Compare(g.Name, name)
		}); !found {
			rest = append(rest, f)
		}
	}
	return rest
}

// WriteScripts writes the scripts of a plan, and bootstrap.cfg as the guest starts with it, into a folder that is empty or
// does not exist: DIR/steps/0.sh is /steps/0.sh in the guest.
func (p *Plan) WriteScripts(dir string) error {
	if all, err := os.ReadDir(dir); err == nil && len(all) > 0 {
		return fault.New(fault.Usage, "--scripts %s: not empty", dir).
			WithHint("name a folder that is empty or does not exist")
	}
	for _, f := range p.scriptFiles() {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fault.New(fault.Unavailable, "--scripts: %w", err)
		}
		if err := os.WriteFile(name, []byte(f.Text), 0o644); err != nil {
			return fault.New(fault.Unavailable, "--scripts: %w", err)
		}
	}
	return nil
}

// scriptFiles are the files of all roots, sorted by path; a later root's replace those of an earlier one.
func (p *Plan) scriptFiles() []manifest.File {
	at := map[string]string{}
	for _, r := range p.Scripts {
		for _, f := range r.Files {
			at[f.Path] = f.Text
		}
	}
	var files []manifest.File
	for name, text := range at {
		files = append(files, manifest.File{Path: name, Text: text})
	}
	slices.SortFunc(files, func(a, b manifest.File) int { return strings.Compare(a.Path, b.Path) })
	return files
}

// asFile is an entry for a text.
func asFile(name, text string) Entry {
	return Entry{Path: name, Mode: fs.FileMode(0o644), Size: int64(len(text)), Text: text}
}
