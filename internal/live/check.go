// SPDX-License-Identifier: MIT

package live

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/format/srcfs"
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/manifest"
)

// Area is what a finding is about. Findings are told area by area.
type Area string

// The areas, in order.
const (
	AreaOptions       Area = "options"
	AreaCheckout      Area = "checkout"
	AreaManifest      Area = "manifest"
	AreaSources       Area = "sources"
	AreaConfiguration Area = "configuration"
	AreaDistfiles     Area = "distfiles"
	AreaCapacity      Area = "capacity"
	AreaHost          Area = "host"
)

// Areas are all of them, in order.
func Areas() []Area {
	return []Area{AreaOptions, AreaCheckout, AreaManifest, AreaSources, AreaConfiguration, AreaDistfiles, AreaCapacity,
		AreaHost}
}

// Finding is something that Check has to say.
type Finding struct {
	Area     Area
	Severity manifest.Severity
	Pos      manifest.Position // Line 0: of no line
	Text     string
	Hint     string     // "" for none
	Kind     fault.Kind // of an error: what a run would end with
}

// String is the finding on one line, without the hint: FILE:LINE:COLUMN first where it has a place.
func (f Finding) String() string {
	text := f.Severity.String() + ": " + f.Text
	if f.Pos.Line > 0 {
		return f.Pos.String() + ": " + text
	}
	return text
}

// findings collects.
type findings []Finding

func (all *findings) add(a Area, s manifest.Severity, hint, format string, args ...any) {
	*all = append(*all, Finding{Area: a, Severity: s, Text: fmt.Sprintf(format, args...), Hint: hint,
		Kind: fault.Usage})
}

func (all *findings) problems(a Area, problems manifest.Problems) {
	for _, p := range problems {
		*all = append(*all, Finding{a, p.Severity, p.Pos, p.Text, p.Hint, fault.Usage})
	}
}

func (all *findings) err(a Area, err error) {
	if err != nil {
		*all = append(*all, Finding{Area: a, Severity: manifest.Error, Text: err.Error(), Hint: fault.HintOf(err),
			Kind: fault.KindOf(err)})
	}
}

// Check tells what is wrong with a checkout under options, area by area. Nothing is written, no network is asked, and no
// distfile is read.
func (c *Checkout) Check(o Options, held Distfiles) []Finding {
	var all findings
	all.err(AreaOptions, o.Validate())
	all.layout(c, o)
	all.manifests(c)
	all.problems(AreaConfiguration, c.Config(o).Check(path.Join(stepsRoot, configFile)))
	if o.NoCreateConfig {
		all.add(AreaConfiguration, manifest.Warning, "leave out --no-create-config",
			"bootstrap.cfg is empty: the guest asks for its values, and scripts cannot be foretold")
	}
	p, err := c.Plan(o, held)
	if err == nil {
		all.scripts(p)
		all.distfiles(p)
		all.capacity(p)
	} else if !all.told(err) {
		all.err(AreaOptions, err)
	}
	if o.Target != "" && !o.LaterPass() {
		all.err(AreaHost, CheckTarget(o.Target))
	}
	all.files(o)
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(Areas(), a.Area), slices.Index(Areas(), b.Area)),
			cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return slices.Compact(all)
}

// told tells whether an error says what a finding says already.
func (all findings) told(err error) bool {
	return slices.ContainsFunc(all, func(f Finding) bool {
		return f.Severity == manifest.Error && strings.Contains(err.Error(), f.Text)
	})
}

// kexecFiwix is the source that stays as it was at 984b8322 (R3), and its SHA-256.
const (
	kexecFiwix    = "steps/kexec-fiwix-1.0/src/kexec-fiwix.c"
	kexecFiwixSum = "34f6049c12e470e11f873bb46ef67ccfcb6bec5f7e913ea2ed6089dfff7fb3dc"
)

// layout checks that what every checkout has is there, and what should not be is not.
func (all *findings) layout(c *Checkout, o Options) {
	if missing := c.Missing(o); len(missing) > 0 && o.Stage0Image == "" {
		all.err(AreaCheckout, c.unfilled(missing))
	}
	names := []string{"seed/after.kaem", "seed/seed.kaem", "seed/script-generator.c", "seed/configurator.c",
		"steps/env", "steps/helpers.sh"}
	if o.EarlyPreseed != "" {
		names = append(names, "seed/preseeded.kaem")
	}
	if o.KernelBootstrap() && len(c.Missing(o)) == 0 {
		names = append(names, stage1File, stage2File)
	}
	for _, name := range names {
		if !c.has(name) {
			all.add(AreaCheckout, manifest.Error, "git -C "+c.Dir+" checkout -- "+name+" brings it back",
				"%s is missing", name)
		}
	}
	for _, name := range c.Stray {
		all.add(AreaCheckout, manifest.Warning, "remove it", "%s is no input: it is left out of media", name)
	}
	for _, name := range c.Outside {
		all.add(AreaCheckout, manifest.Warning, "put the file there instead",
			"%s is a link that leads out of the checkout", name)
	}
	if c.has(kexecFiwix) {
		if sum, err := digestFile(c.at(kexecFiwix)); err != nil || sum.Hex() != kexecFiwixSum {
			all.add(AreaCheckout, manifest.Warning, "compare it with that of live-bootstrap 984b8322",
				"%s is not the one that the hand-off to Fiwix is known to work with", kexecFiwix)
		}
	}
}

// manifests tells what manifests and sources files are wrong in by themselves.
func (all *findings) manifests(c *Checkout) {
	for _, r := range c.Roots {
		for _, p := range r.Problems {
			area := AreaSources
			if path.Base(p.Pos.File) == "manifest" {
				area = AreaManifest
			}
			all.problems(area, manifest.Problems{p})
		}
		all.problems(AreaManifest, r.Manifest.HostProblems(c.Generation))
		all.builds(c, r)
	}
}

// builds checks what all build lines name, whatever their predicates.
func (all *findings) builds(c *Checkout, r Root) {
	var lines []distfile.Distfile
	seen := map[string]bool{}
	for _, b := range r.Manifest.Scan() {
		if seen[b.Package] {
			continue
		}
		seen[b.Package] = true
		lines = append(lines, r.Sources[b.Package]...)
		if !c.has(path.Join(r.Name, b.Package)) {
			*all = append(*all, Finding{AreaManifest, manifest.Error, b.Pos,
				fmt.Sprintf("no folder %s/%s", r.Name, b.Package), "add it, or correct the name", fault.Usage})
		}
	}
	files, problems := distfile.Files(lines)
	all.problems(AreaSources, problems)
	for _, f := range files {
		if kind := unsuitable(f.Name); kind != "" {
			*all = append(*all, Finding{AreaSources, manifest.Warning, f.Lines[0].Pos,
				fmt.Sprintf("%s looks like %s, which is no source", f.Name, kind), "rung live audit looks into it",
				fault.Usage})
		}
	}
}

// unsuitable tells by its name what a file is that is no source (R71); "" where it may be one.
func unsuitable(name string) string {
	name = strings.ToLower(name)
	for suffix, kind := range map[string]string{
		".deb": "a binary package", ".rpm": "a binary package", ".apk": "a binary package", ".whl": "a binary package",
		".exe": "a program", ".dll": "a library", ".so": "a library", ".a": "a library", ".o": "an object file",
		".jar": "compiled Java", ".class": "compiled Java", ".pyc": "compiled Python", ".iso": "a system's image",
		".img": "a system's image",
	} {
		if strings.HasSuffix(name, suffix) {
			return kind
		}
	}
	return ""
}

// scripts checks that what the guest will run is there.
func (all *findings) scripts(p *Plan) {
	for _, r := range p.Scripts {
		all.problems(AreaManifest, r.Problems)
		for _, s := range r.Steps {
			name := path.Join(r.Root, s.Kind.String(), s.Arg+".sh")
			severity, then := manifest.Error, "which this line runs"
			switch {
			case s.Kind == manifest.Build && s.Bash:
				name = path.Join(r.Root, s.Arg, fmt.Sprintf("pass%d.sh", s.Pass))
				severity, then = manifest.Warning, "so that this line builds with what helpers.sh has for all"
			case s.Kind == manifest.Build:
				name = path.Join(r.Root, s.Arg, fmt.Sprintf("pass%d.kaem", s.Pass))
			case s.Kind == manifest.Uninstall:
				continue
			}
			if !p.Checkout.hasEntry(name) {
				*all = append(*all, Finding{AreaManifest, severity, s.Pos, fmt.Sprintf("no %s, %s", name, then),
					"add it, or correct the line", fault.Usage})
			}
		}
	}
}

// hasEntry tells whether a root has a file, which may be one that rung ships.
func (c *Checkout) hasEntry(name string) bool {
	root, _, _ := strings.Cut(name, "/")
	r := c.Root(root)
	if r == nil {
		return false
	}
	_, found := slices.BinarySearchFunc(r.Entries, name, func(e Entry, name string) int {
		return cmp.Compare(e.Path, name)
	})
	return found
}

// distfiles tells which distfiles are not held, and which have no address.
func (all *findings) distfiles(p *Plan) {
	if missing := p.Missing(); len(missing) > 0 {
		all.add(AreaDistfiles, manifest.Warning, "rung live fetch brings them",
			"%d of those that the media carry are not held", len(missing))
	}
	if len(p.Options.Mirrors) > 0 || p.Options.ExternalSources {
		return
	}
	for _, r := range p.roots() {
		for _, b := range p.manifestOf(r).Scan() {
			for _, d := range r.Sources[b.Package] {
				if d.URL == "" {
					*all = append(*all, Finding{AreaDistfiles, manifest.Warning, d.Pos,
						d.Name + " has no address upstream",
						"give a mirror that has it", fault.Usage})
				}
			}
		}
	}
}

// crowded is the share of a guest's capacity that an image may take, in percent, before a word is due: the rest is for
// what the guest builds up to its hand-off.
const crowded = 60

// capacity tells whether builder-hex0 can take an image (R1, R2).
func (all *findings) capacity(p *Plan) {
	if err := p.Fits(); err != nil {
		all.err(AreaCapacity, err)
		return
	}
	for _, m := range p.Media {
		has := srcfs.CapacityOf(m.tree)
		if m.Shape != Image {
			continue
		}
		if has.Bytes > has.MaxBytes/100*crowded || has.Entries > has.MaxEntries/100*crowded {
			all.add(AreaCapacity, manifest.Warning, "keep large distfiles behind the hand-off",
				"%s takes %d of %d bytes and %d of %d entries; what the guest builds up to its hand-off comes on top",
				m.Name, has.Bytes, has.MaxBytes, has.Entries, has.MaxEntries)
		}
	}
}

// files checks files of the host that options name.
func (all *findings) files(o Options) {
	for flag, name := range map[string]string{"--kernel": o.Kernel, "--repo": o.Repo, "--early-preseed": o.EarlyPreseed,
		"--stage0-image": o.Stage0Image} {
		if name == "" {
			continue
		}
		if _, err := os.Stat(name); err != nil {
			*all = append(*all, Finding{Area: AreaHost, Severity: manifest.Error, Text: flag + ": " + err.Error(),
				Kind: fault.NotFound,
				Hint: "correct the path"})
		}
	}
}

// Failed gives the error for findings: of the kind of the first error, nil where there are only warnings.
func Failed(all []Finding) error {
	count := 0
	var first Finding
	for _, f := range all {
		if f.Severity == manifest.Error {
			if count++; count == 1 {
				first = f
			}
		}
	}
	switch count {
	case 0:
		return nil
	case 1:
		return fault.New(first.Kind, "checkout: 1 error").WithHint("%s", first.Hint)
	}
	return fault.New(first.Kind, "checkout: %d errors", count)
}
