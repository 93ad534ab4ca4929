// SPDX-License-Identifier: MIT

package sysroottest

import (
	"compress/gzip"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// listed reads files.star: for each list, what stands between its name and the next one, by the keys of its entries.
// A list without entries has one of the key "".
func listed(t *testing.T) map[string]map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(above, "seed/musl/files.star"))
	if err != nil {
		t.Fatal(err)
	}
	body := regexp.MustCompile(`(?s)^.*?"""(.*?)"""`).ReplaceAllString(string(text), "") // what the file is for
	body = regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(body, "")
	lists := map[string]map[string][]string{}
	var list string
	for _, m := range regexp.MustCompile(`(?s)(?:^|\n)(\w+) = |"([\w/]*)": "([^"{]*)"\s*,|(?:"([\w/]*)": )?"""(.*?)"""`).
		FindAllStringSubmatch(body, -1) {
		switch {
		case m[1] != "":
			list = m[1]
			lists[list] = map[string][]string{}
		case m[5] != "":
			lists[list][m[4]] = strings.Fields(m[5])
		default:
			lists[list][m[2]] = strings.Fields(m[3])
		}
	}
	return lists
}

// muslTree unpacks musl's tarball in memory, without the folder that holds everything.
func muslTree(t *testing.T) map[string][]byte {
	t.Helper()
	f, err := os.Open(tarball(t, "musl-1.2.3.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for name, text := range untar(t, z) {
		_, name, _ = strings.Cut(name, "/")
		files[name] = text
	}
	return files
}

// byFolder are the names of files below a folder that end so, by the folders that hold them.
func byFolder(files []string, below, end string, take func(folder string) bool) map[string][]string {
	found := map[string][]string{}
	for _, file := range files {
		name, ok := strings.CutPrefix(file, below+"/")
		base, is := strings.CutSuffix(path.Base(name), end)
		folder := strings.TrimPrefix(path.Dir(name), ".")
		if ok && is && take(folder) {
			found[folder] = append(found[folder], base)
		}
	}
	for _, names := range found {
		slices.Sort(names)
	}
	return found
}

// TestLists compares the lists of files.star with what musl's own Makefile takes: every C file two levels below src and
// in the folder of its newer malloc, or in its place what an architecture has in a folder of its name.
func TestLists(t *testing.T) {
	t.Parallel()
	files, got := slices.Sorted(maps.Keys(muslTree(t))), listed(t)
	if len(files) < 2000 {
		t.Fatalf("%d files; want 2000 at least", len(files))
	}
	sources := byFolder(files, "src", ".c", func(folder string) bool {
		return folder == "malloc/mallocng" || !strings.Contains(folder, "/") && folder != "complex"
	})
	if diff := cmp.Diff(sources, got["sources"]); diff != "" {
		t.Errorf("sources (-tarball +files.star):\n%s", diff)
	}
	own := func(folder string) bool { return path.Base(folder) == "x86_64" && folder != "math/x86_64" }
	assembly := map[string][]string{}
	for folder, names := range byFolder(files, "src", ".s", own) {
		assembly[path.Dir(folder)] = names
	}
	if diff := cmp.Diff(assembly, got["assembly"]); diff != "" {
		t.Errorf("assembly (-tarball +files.star):\n%s", diff)
	}
	if others := byFolder(files, "src", ".c", own); len(others) > 0 {
		t.Errorf("C files of x86_64 = %v; want none but in math", others)
	}
	for folder, names := range assembly {
		for _, name := range names {
			if !slices.Contains(sources[folder], name) {
				t.Errorf("%s/%s.s takes the place of nothing", folder, name)
			}
		}
	}
	all := func(string) bool { return true }
	if diff := cmp.Diff(byFolder(files, "include", ".h", all), got["headers"]); diff != "" {
		t.Errorf("headers (-tarball +files.star):\n%s", diff)
	}
	if diff := cmp.Diff(byFolder(files, "arch/generic/bits", ".h", all), got["generic_bits"]); diff != "" {
		t.Errorf("generic_bits (-tarball +files.star):\n%s", diff)
	}
	if diff := cmp.Diff(byFolder(files, "arch/x86_64/bits", ".h", all)[""], got["bits"]["x86_64"]); diff != "" {
		t.Errorf("bits (-tarball +files.star):\n%s", diff)
	}
}
