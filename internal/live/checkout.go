// SPDX-License-Identifier: MIT

package live

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/manifest"
)

// Checkout is a live-bootstrap checkout as a value: what of it can come into a guest has been listed, manifests and
// sources have been read. Make one with Open.
type Checkout struct {
	Dir        string // absolute
	Generation manifest.Generation
	Shipped    bool        // an importer of payloads of ours has been added
	Added      []string    // what that added, as a difference for people
	Roots      []Root      // "steps" first, then extra roots by name
	Seed       []Entry     // of seed/stage0-posix with the plain files of seed on top, sorted
	Stray      []string    // paths from Dir, sorted, that lie among inputs and are none
	Outside    []string    // paths from Dir, sorted, of symbolic links that lead out of Dir
	Submodules []Submodule // sorted by path
}

// Root is a manifest with its packages.
type Root struct {
	Name     string // "steps", "steps-NAME": the folder in the checkout, and in the guest below /
	Manifest *manifest.Manifest
	Problems manifest.Problems              // of the manifest, and of the sources files
	Sources  map[string][]distfile.Distfile // by package; a package without a sources file has no key
	Entries  []Entry                        // sorted; paths begin with the root's name; without bootstrap.cfg
}

// Where in a checkout things are.
const (
	stepsRoot   = "steps"
	seedDir     = "seed"
	stage0Dir   = "seed/stage0-posix"
	builderDir  = "builder-hex0"
	configFile  = "bootstrap.cfg"
	distfileDir = "distfiles"
	stage1File  = builderDir + "/builder-hex0-x86-stage1.hex0"
	stage2File  = builderDir + "/builder-hex0-x86-stage2.hex0"
)

// maxText is what a text of a checkout may have, in bytes: a hundred times what the largest has.
const maxText = 8 << 20

// Open reads the checkout in a folder. What is wrong with manifests and sources is kept for Check. It fails with
// fault.NotFound where there is no checkout, and with fault.Usage where it is one of a time before manifests (R53), or
// where seed/stage0-posix is empty (R55): the hint has the git command that fills it. Submodules that only some modes
// need are for Missing to tell.
func Open(dir string) (*Checkout, error) {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.New(fault.Usage, "checkout %s: %w", dir, err)
	}
	c := &Checkout{Dir: whole}
	if err := c.recognise(); err != nil {
		return nil, err
	}
	c.readSubmodules()
	if m := c.submodule(stage0Dir); m == nil || m.Empty {
		return nil, c.unfilled([]string{stage0Dir})
	}
	s := scanner{dir: whole}
	if c.Seed, err = s.seed(); err != nil {
		return nil, err
	}
	names, err := c.rootNames()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		r, err := c.openRoot(&s, name)
		if err != nil {
			return nil, err
		}
		c.Roots = append(c.Roots, r)
	}
	c.Stray, c.Outside = s.found()
	return c, nil
}

// at is a file of the checkout on the host.
func (c *Checkout) at(name string) string { return filepath.Join(c.Dir, filepath.FromSlash(name)) }

func (c *Checkout) has(name string) bool {
	_, err := os.Stat(c.at(name))
	return err == nil
}

// text reads a text of the checkout.
func (c *Checkout) text(name string) (string, error) {
	info, err := os.Stat(c.at(name))
	if err == nil && info.Size() > maxText {
		return "", fault.New(fault.Limit, "%s: %d bytes; a text of a checkout has %d at most", name, info.Size(),
			int64(maxText))
	}
	if err != nil {
		return "", readFault("checkout", err)
	}
	b, err := os.ReadFile(c.at(name))
	if err != nil {
		return "", readFault("checkout", err)
	}
	return string(b), nil
}

// readFault is an error of reading something that should be there.
func readFault(about string, err error) error {
	kind := fault.Unavailable
	if errors.Is(err, fs.ErrNotExist) {
		kind = fault.NotFound
	}
	return fault.New(kind, "%s: %w", about, err)
}

// recognise tells what kind of checkout it is.
func (c *Checkout) recognise() error {
	const clone = "git clone --recursive https://github.com/fosslinux/live-bootstrap"
	switch info, err := os.Stat(c.Dir); {
	case err != nil:
		return fault.New(fault.NotFound, "checkout: %w", err).
			WithHint("name the folder of a checkout; %s makes one", clone)
	case !info.IsDir():
		return fault.New(fault.Usage, "checkout %s: not a folder", c.Dir).
			WithHint("name the folder that holds rootfs.py")
	case c.has("steps/manifest"):
	case c.has("sysa"):
		return fault.New(fault.Usage, "checkout %s: from before 2023, with sysa and without steps/manifest", c.Dir).
			WithHint("git -C %s pull, and then git -C %[1]s submodule update --init --recursive; rung reads no older ones",
				c.Dir)
	default:
		return fault.New(fault.NotFound, "checkout %s: no steps/manifest in it", c.Dir).
			WithHint("name the folder that holds rootfs.py; %s makes one", clone)
	}
	if !c.has("rootfs.py") {
		return nil // the generation without extras; nothing of the host's scripts is needed
	}
	script, err := c.text("rootfs.py")
	switch {
	case err != nil:
		return err
	case strings.Contains(script, "--extra-builds"):
		c.Generation = manifest.F2
	case strings.Contains(script, "--build-guix-also"):
		c.Generation = manifest.F1
	}
	return nil
}

// rootNames lists steps and the extra roots that have a manifest.
func (c *Checkout) rootNames() ([]string, error) {
	names := []string{stepsRoot}
	all, err := os.ReadDir(c.Dir)
	if err != nil {
		return nil, readFault("checkout", err)
	}
	for _, e := range all {
		if strings.HasPrefix(e.Name(), "steps-") && c.has(path.Join(e.Name(), "manifest")) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// openRoot reads a manifest and its packages.
func (c *Checkout) openRoot(s *scanner, name string) (Root, error) {
	r := Root{Name: name, Sources: map[string][]distfile.Distfile{}}
	var err error
	if r.Entries, err = s.tree(name, name, nil); err != nil {
		return r, err
	}
	file := path.Join(name, "manifest")
	text, err := c.text(file)
	if err != nil {
		return r, err
	}
	r.Manifest, r.Problems = manifest.Parse(file, text)
	for _, e := range r.Entries {
		dir, base := path.Split(e.Path)
		if base != "sources" || strings.Count(dir, "/") != 2 || e.Mode.IsDir() {
			continue
		}
		if text, err = c.text(e.Path); err != nil {
			return r, err
		}
		pkg := path.Base(dir)
		lines, problems := distfile.Parse(e.Path, pkg, text)
		r.Sources[pkg] = lines
		r.Problems = append(r.Problems, problems...)
	}
	return r, nil
}

// Root is a root by name, or nil.
func (c *Checkout) Root(name string) *Root {
	for i := range c.Roots {
		if c.Roots[i].Name == name {
			return &c.Roots[i]
		}
	}
	return nil
}
