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
	"github.com/rung-build/rung/internal/format/disk"
	"github.com/rung-build/rung/internal/format/payload"
	"github.com/rung-build/rung/internal/format/srcfs"
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/importer"
	"github.com/rung-build/rung/internal/tree"
)

// Shape is what a medium is.
type Shape string

// The shapes.
const (
	Folder  Shape = "folder"  // a root file system, to be run in place
	Image   Shape = "image"   // builder-hex0 with its stream
	Disk    Shape = "disk"    // an msdos label with one ext3
	Payload Shape = "payload" // raw distfiles, LBPAYLD1
	Work    Shape = "stage0"  // a changed copy of an image of an earlier run
)

// Medium is something that a guest is given.
type Medium struct {
	Name    string // of the file or folder in the target; "" is the target itself
	Shape   Shape
	Entries []Entry // sorted by path, each folder before what it holds
	Bytes   int64   // the content, as far as sizes are known
	Missing int     // distfiles that the host does not hold
	Size    int64   // of the file in bytes, with all that fills it up; -1 where a distfile is missing, or of a folder

	layout  disk.Layout     // of a Disk
	version payload.Version // of a Payload
	tree    tree.Tree       // what is held
	at      map[string]Entry
	boot    srcfs.Boot
	minimum int64 // of an Image, in MiB
}

// Sizes of disks whose size no flag gives, in MiB: files of this size without content take no room.
const defaultDisk = 16 << 10

// media makes the media.
func (p *Plan) media(from Distfiles) error {
	o, c := p.Options, p.Checkout
	if o.Stage0Image != "" {
		p.Media = []Medium{{Name: "stage0-work.img", Shape: Work, Size: -1}}
		return nil
	}
	repo, err := repository(o.Repo)
	if err != nil {
		return err
	}
	root, err := p.root()
	if err != nil {
		return err
	}
	files := distfileEntries(p.Early, from)
	if !c.externalDisk(o) {
		files = append(files, repo...)
	}
	root = append(root, files.below("external")...)
	p.Media = []Medium{p.rootMedium(root)}
	switch {
	case c.externalDisk(o):
		second := append(distfileEntries(p.External, from), repo...)
		p.Media = append(p.Media, Medium{Name: "external.img", Shape: Disk, Entries: second,
			layout: disk.Layout{Size: defaultDisk << 20, Start: disk.Head}})
	case c.payloadDisk(o):
		var flat entries
		for _, e := range distfileEntries(p.Payload, from) {
			if !e.Mode.IsDir() {
				e.Path = path.Base(e.Path)
				flat = append(flat, e)
			}
		}
		version, err := c.payloadVersion(o)
		if err != nil {
			return err
		}
		p.Media = append(p.Media, Medium{Name: "external.img", Shape: Payload, Entries: flat, version: version})
	}
	for i := range p.Media {
		if err := p.Media[i].measure(c); err != nil {
			return err
		}
	}
	return nil
}

// rootMedium is the medium that a guest's root comes from.
func (p *Plan) rootMedium(root entries) Medium {
	o := p.Options
	size := int64(defaultDisk)
	if o.Mode == QEMU {
		size = o.TargetSize
	}
	switch {
	case o.KernelBootstrap():
		m := Medium{Name: "init.img", Shape: Image, Entries: root}
		if o.Mode == QEMU { // R36: for bare metal only what fills the last MiB
			m.minimum = o.TargetSize
		}
		return m
	case o.Kernel != "":
		return Medium{Name: "disk.img", Shape: Disk, Entries: root, layout: disk.Layout{Size: size << 20,
			Start: disk.BootHead}}
	}
	return Medium{Shape: Folder, Entries: root}
}

// measure sorts the entries, takes their digests, and finds sizes.
func (m *Medium) measure(c *Checkout) error {
	sortEntries(m.Entries)
	all := entries(m.Entries)
	m.Bytes, m.Missing = all.bytes()
	var err error
	if m.tree, m.at, err = all.digested(); err != nil {
		return err
	}
	m.Size = -1
	switch m.Shape {
	case Image:
		if m.boot, err = c.boot(); err != nil {
			return err
		}
		m.Size = srcfs.DiskSize(m.boot, m.tree, m.minimum)
	case Payload:
		if m.Size = payload.Size(m.version, m.tree); m.Size < 0 {
			return fault.New(fault.Limit, "payload: more than a file can have")
		}
	case Disk:
		if m.layout, err = disk.New(m.layout.Size, m.layout.Start); err != nil {
			return fault.New(fault.Usage, "%s: %w", m.Name, err).WithHint("give a larger --target-size")
		}
		m.Size = m.layout.Size
		return nil
	}
	if m.Missing > 0 {
		m.Size = -1
	}
	return nil
}

// boot is what stands in front of an image's stream.
func (c *Checkout) boot() (srcfs.Boot, error) {
	stage1, err := c.text(stage1File)
	if err != nil {
		return srcfs.Boot{}, err
	}
	stage2, err := c.text(stage2File)
	if err != nil {
		return srcfs.Boot{}, err
	}
	b, err := srcfs.NewBoot([]byte(stage1), []byte(stage2))
	if err != nil {
		return srcfs.Boot{}, fault.New(fault.Usage, "checkout: %s: %w", builderDir, err).
			WithHint("git -C %s submodule update --init --recursive brings the builder-hex0 that belongs to it", c.Dir)
	}
	return b, nil
}

// root is the root file system but for what is in external.
func (p *Plan) root() (entries, error) {
	all, err := p.base()
	if err != nil {
		return nil, err
	}
	for _, r := range p.roots() {
		for _, e := range r.Entries {
			if text, ok := p.manifests[r.Name]; ok && e.Path == path.Join(r.Name, "manifest") {
				e = asFile(e.Path, text)
			}
			all = append(all, e)
		}
	}
	return append(all, asFile(path.Join(stepsRoot, configFile), p.Config.Format())), nil
}

// base is what a guest starts with beside its steps: the seed, or an archive of a later time.
func (p *Plan) base() (entries, error) {
	o, c := p.Options, p.Checkout
	if o.EarlyPreseed != "" {
		return p.preseed()
	}
	var all entries
	for _, e := range c.Seed {
		first, _, _ := strings.Cut(e.Path, "/")
		if !o.KernelBootstrap() || first != "bootstrap-seeds" {
			all = append(all, e)
		}
	}
	if !o.KernelBootstrap() {
		seed := path.Join("bootstrap-seeds", "POSIX", o.ArchDir(), "kaem-optional-seed")
		i := slices.IndexFunc(c.Seed, func(e Entry) bool { return e.Path == seed })
		if i < 0 {
			return nil, fault.New(fault.Usage, "checkout: no %s in %s", seed, stage0Dir).
				WithHint("use another --arch, or git -C %s submodule update --init --recursive", c.Dir)
		}
		init := c.Seed[i]
		init.Path = "init"
		all = overlay(all, entries{init})
	}
	return all, nil
}

// distfileEntries are the folder of distfiles.
func distfileEntries(files []distfile.File, from Distfiles) entries {
	all := entries{{Path: distfileDir, Mode: fs.ModeDir | 0o755}}
	for i := range files {
		e := Entry{Path: path.Join(distfileDir, files[i].Name), Mode: 0o644, Size: -1, Distfile: &files[i]}
		if size, ok := from.Size(files[i]); ok {
			e.Size = size
		}
		all = append(all, e)
	}
	return all
}

// repository are the prebuilt packages of a folder, as the guest finds them.
func repository(dir string) (entries, error) {
	if dir == "" {
		return nil, nil
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fault.New(fault.NotFound, "--repo: %w", err).
			WithHint("name the folder of prebuilt packages, name_rev.tar.bz2")
	}
	all := entries{{Path: "repo-preseeded", Mode: fs.ModeDir | 0o755}}
	for _, e := range list {
		info, err := os.Stat(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, readFault("--repo", err)
		}
		if info.Mode().IsRegular() && !isStray(e.Name()) {
			all = append(all, Entry{Path: path.Join("repo-preseeded", e.Name()), Mode: 0o644, Size: info.Size(),
				Host: filepath.Join(dir, e.Name())})
		}
	}
	return all, nil
}

// payloadVersion is the width of numbers that the checkout's importer reads, where the command line does not say it. The
// one that rung ships reads both.
func (c *Checkout) payloadVersion(o Options) (payload.Version, error) {
	if o.PayloadVersion != "" {
		v, err := payload.Parse(o.PayloadVersion)
		if err != nil {
			return 0, fault.New(fault.Usage, "--payload-version: %w", err).
				WithHint("leave it out, where the importer's source shows it")
		}
		return v, nil
	}
	if c.Shipped {
		return payload.U64, nil
	}
	var source strings.Builder
	for _, e := range c.Roots[0].Entries {
		if !strings.HasPrefix(e.Path, "steps/"+importer.Package[:strings.LastIndex(importer.Package, "-")+1]) ||
			!strings.HasSuffix(e.Path, ".c") {
			continue
		}
		text, err := c.text(e.Path)
		if err != nil {
			return 0, err
		}
		source.WriteString(text)
	}
	v, err := importer.VersionOf(source.String())
	if err != nil {
		return 0, fault.New(fault.Usage, "checkout: the importer of payloads: %w", err).
			WithHint("say it with --payload-version u32 or u64")
	}
	return v, nil
}
