// SPDX-License-Identifier: MIT

package live

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/digest"
	"github.com/rung-build/rung/internal/fault"
)

// Submodule is a folder that git fills from another repository.
type Submodule struct {
	Path   string `json:"path"` // from the checkout's folder
	URL    string `json:"url,omitempty"`
	Commit string `json:"commit,omitempty"` // "" where the checkout has no history of it
	Empty  bool   `json:"empty,omitempty"`
}

// Identity tells checkouts apart.
type Identity struct {
	Tree       digest.Digest `json:"tree"`             // of all inputs: their paths, modes and contents
	Commit     string        `json:"commit,omitempty"` // of git; "" where the checkout has no history
	Submodules []Submodule   `json:"submodules"`       // sorted by path
}

// Identity reads all inputs and takes their digest: of a line for each, "MODE SHA256/SIZE PATH", sorted by path.
func (c *Checkout) Identity() (Identity, error) {
	inputs := slices.Clone(c.Seed)
	for i := range inputs {
		inputs[i].Path = path.Join(seedDir, inputs[i].Path)
	}
	for _, r := range c.Roots {
		inputs = append(inputs, r.Entries...)
	}
	for _, name := range []string{stage1File, stage2File} {
		if c.has(name) {
			inputs = append(inputs, Entry{Path: name, Mode: 0o644, Host: c.at(name)})
		}
	}
	sortEntries(inputs)
	whole := digest.NewHasher()
	for _, e := range inputs {
		if e.Mode.IsDir() {
			continue
		}
		sum, err := digestFile(e.Host)
		if err != nil {
			return Identity{}, err
		}
		fmt.Fprintf(whole, "%o %s %s\n", e.Mode.Perm(), sum, e.Path)
	}
	return Identity{Tree: whole.Digest(), Commit: headCommit(c.Dir), Submodules: c.Submodules}, nil
}

func digestFile(name string) (digest.Digest, error) {
	f, err := os.Open(name)
	if err != nil {
		return digest.Digest{}, readFault("checkout", err)
	}
	defer f.Close()
	h := digest.NewHasher()
	if _, err := io.Copy(h, f); err != nil {
		return digest.Digest{}, readFault("checkout", err)
	}
	return h.Digest(), nil
}

// readSubmodules finds the submodules that .gitmodules files name, nested ones too; without such files those that every
// checkout has.
func (c *Checkout) readSubmodules() {
	list := c.modulesOf("")
	if len(list) == 0 {
		list = []Submodule{{Path: builderDir}, {Path: stage0Dir}}
	}
	for i := 0; i < len(list) && len(list) < 1000; i++ {
		m := &list[i]
		all, err := os.ReadDir(c.at(m.Path))
		m.Empty = err != nil || !slices.ContainsFunc(all, func(e os.DirEntry) bool { return e.Name() != ".git" })
		m.Commit = headCommit(c.at(m.Path))
		if strings.Count(m.Path, "/") < maxDepth {
			list = append(list, c.modulesOf(m.Path)...)
		}
	}
	slices.SortFunc(list, func(a, b Submodule) int { return strings.Compare(a.Path, b.Path) })
	c.Submodules = list
}

// modulesOf reads the .gitmodules of a folder: git's configuration format, of which only path and url count here.
func (c *Checkout) modulesOf(dir string) []Submodule {
	text, err := c.text(path.Join(dir, ".gitmodules"))
	if err != nil {
		return nil
	}
	var list []Submodule
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, "=")
		value = strings.TrimSpace(value)
		switch key = strings.TrimSpace(key); {
		case strings.HasPrefix(line, "[submodule"):
			list = append(list, Submodule{})
		case len(list) == 0:
		case key == "path" && filepath.IsLocal(value):
			list[len(list)-1].Path = path.Join(dir, value)
		case key == "url":
			list[len(list)-1].URL = value
		}
	}
	return slices.DeleteFunc(list, func(m Submodule) bool { return m.Path == "" })
}

func (c *Checkout) submodule(name string) *Submodule {
	for i := range c.Submodules {
		if c.Submodules[i].Path == name {
			return &c.Submodules[i]
		}
	}
	return nil
}

// Missing lists the submodules that a run needs and that are empty: those that the seed of its architecture is made
// from, and builder-hex0 for the bootstrap without a kernel.
func (c *Checkout) Missing(o Options) []string {
	var names []string
	if o.KernelBootstrap() {
		names = append(names, builderDir)
	}
	for _, name := range []string{"M2-Mesoplanet", "M2-Planet", "M2libc", o.ArchDir(), "bootstrap-seeds", "mescc-tools",
		"mescc-tools-extra"} {
		names = append(names, path.Join(stage0Dir, name))
	}
	return slices.DeleteFunc(names, func(name string) bool {
		all, err := os.ReadDir(c.at(name))
		return err == nil && slices.ContainsFunc(all, func(e os.DirEntry) bool {
			return !strings.Contains(e.Name(), ".git")
		})
	})
}

// unfilled is the error for submodules that are empty.
func (c *Checkout) unfilled(names []string) error {
	return fault.New(fault.Usage, "checkout %s: submodules that are empty: %s", c.Dir, strings.Join(names, ", ")).
		WithHint("git -C %s submodule update --init --recursive", c.Dir)
}

// headCommit is the commit that a folder with a .git of its own is at, as gitrepository-layout(5) has it; "" where that
// cannot be told.
func headCommit(dir string) string {
	git := filepath.Join(dir, ".git")
	if text, err := os.ReadFile(git); err == nil { // a file names the folder
		name, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
		if !ok {
			return ""
		}
		if git = name; !filepath.IsAbs(name) {
			git = filepath.Join(dir, name)
		}
	}
	head := readLine(filepath.Join(git, "HEAD"))
	ref, symbolic := strings.CutPrefix(head, "ref: ")
	if !symbolic {
		return commitOf(head)
	}
	common := git
	if name := readLine(filepath.Join(git, "commondir")); name != "" {
		if common = name; !filepath.IsAbs(name) {
			common = filepath.Join(git, name)
		}
	}
	for _, where := range []string{git, common} {
		if commit := commitOf(readLine(filepath.Join(where, filepath.FromSlash(ref)))); commit != "" {
			return commit
		}
	}
	packed, err := os.ReadFile(filepath.Join(common, "packed-refs"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(packed)) {
		if commit, name, _ := strings.Cut(strings.TrimSpace(line), " "); name == ref {
			return commitOf(commit)
		}
	}
	return ""
}

func readLine(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line)
}

// commitOf is a text that is a commit; else "".
func commitOf(text string) string {
	if (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdef") == "" {
		return text
	}
	return ""
}
