// SPDX-License-Identifier: MIT

package live

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/fault"
)

// maxDepth is how deep folders of a checkout may be: symbolic links are followed, and may lead in circles.
const maxDepth = 40

// scanner lists folders of a checkout. Symbolic links are followed, as the host's scripts do; what editors and other
// programs leave behind is no input, and neither is anything with .git in its name, which builder-hex0 images leave out
// as well.
type scanner struct {
	dir            string
	stray, outside []string
}

// found are the paths that are worth a word, sorted.
func (s *scanner) found() (stray, outside []string) {
	slices.Sort(s.stray)
	slices.Sort(s.outside)
	return s.stray, s.outside
}

// seed lists seed/stage0-posix with the plain files of seed on top: where both have a name, the latter counts.
func (s *scanner) seed() ([]Entry, error) {
	entries, err := s.tree(stage0Dir, "", nil)
	if err != nil {
		return nil, err
	}
	all, err := os.ReadDir(filepath.Join(s.dir, seedDir))
	if err != nil {
		return nil, readFault("checkout", err)
	}
	var top []Entry
	for _, e := range all {
		one, ok, err := s.entry(path.Join(seedDir, e.Name()), e.Name())
		if err != nil {
			return nil, err
		}
		if ok && !one.Mode.IsDir() {
			top = append(top, one)
		}
	}
	return overlay(entries, top), nil
}

// overlay is one tree laid over another: where both have a path, the upper's counts.
func overlay(lower, upper []Entry) []Entry {
	in := make(map[string]bool, len(upper))
	for _, e := range upper {
		in[e.Path] = true
	}
	all := slices.Clone(upper)
	for _, e := range lower {
		if !in[e.Path] {
			all = append(all, e)
		}
	}
	sortEntries(all)
	return all
}

// sortEntries sorts by path, so that each folder stands before what it holds.
func sortEntries(all []Entry) {
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
}

// tree lists what is in a folder of the checkout, with paths below one in a guest; "" is the root. The folder itself is an
// entry where it has a path.
func (s *scanner) tree(from, to string, list []Entry) ([]Entry, error) {
	if strings.Count(from, "/") > maxDepth {
		return nil, fault.New(fault.Usage, "checkout: %s: more than %d folders deep", from, maxDepth).
			WithHint("look for a symbolic link that leads back to a folder above it")
	}
	all, err := os.ReadDir(filepath.Join(s.dir, filepath.FromSlash(from)))
	if err != nil {
		return nil, readFault("checkout", err)
	}
	if to != "" {
		list = append(list, Entry{Path: to, Mode: fs.ModeDir | 0o755})
	}
	for _, e := range all {
		name, inside := path.Join(from, e.Name()), path.Join(to, e.Name())
		one, ok, err := s.entry(name, inside)
		switch {
		case err != nil:
			return nil, err
		case !ok:
		case one.Mode.IsDir():
			list, err = s.tree(name, inside, list)
		default:
			list = append(list, one)
		}
		if err != nil {
			return nil, err
		}
	}
	sortEntries(list)
	return list, nil
}

// entry is a file or folder of the checkout; false where it is no input.
func (s *scanner) entry(name, inside string) (Entry, bool, error) {
	base := path.Base(name)
	generated := base == configFile && strings.HasPrefix(name, stepsRoot) && strings.Count(name, "/") == 1
	if strings.Contains(base, ".git") || generated {
		return Entry{}, false, nil
	}
	if isStray(base) {
		s.stray = append(s.stray, name)
		return Entry{}, false, nil
	}
	host := filepath.Join(s.dir, filepath.FromSlash(name))
	info, err := os.Lstat(host)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		info, err = s.follow(name, host)
	}
	switch {
	case err != nil:
		return Entry{}, false, readFault("checkout", err)
	case info.IsDir():
		return Entry{Path: inside, Mode: fs.ModeDir | 0o755}, true, nil
	case !info.Mode().IsRegular():
		return Entry{}, false, fault.New(fault.Usage, "checkout: %s: neither a file nor a folder", name).
			WithHint("remove it")
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	return Entry{Path: inside, Mode: mode, Size: info.Size(), Host: host}, true, nil
}

// follow is where a symbolic link leads.
func (s *scanner) follow(name, host string) (fs.FileInfo, error) {
	end, err := filepath.EvalSymlinks(host)
	if err != nil {
		return nil, err
	}
	if rel, err := filepath.Rel(s.dir, end); err != nil || !filepath.IsLocal(rel) {
		s.outside = append(s.outside, name)
	}
	return os.Stat(end)
}

// isStray tells whether a name is one that editors, patch, Python or a file manager leave behind.
func isStray(base string) bool {
	for _, pattern := range []string{"*~", "#*#", ".#*", ".*.sw?", "*.orig", "*.rej", "*.pyc", "__pycache__",
		".DS_Store", "Thumbs.db"} {
		if ok, _ := path.Match(pattern, base); ok { // the patterns are right
			return true
		}
	}
	return false
}
