// SPDX-License-Identifier: MIT

package distfile

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/source"
)

// Program is a program of the host to run, and to wait for.
type Program struct {
	Argv   []string
	Env    []string // KEY=VALUE, beside the environment that the caller has
	Stdin  io.Reader
	Stdout io.Writer
}

// Archiver makes archives of git repositories, as live-bootstrap's mirror.sh does: those of "git archive" with the
// prefix NAME-REF/, packed by "gzip -n" or "xz -T1". The programs git, gzip and xz are the host's, since the sums in
// sources files are those of their output; what of their configuration could show in it is overruled. Where the sum is
// another, the other usual prefixes and packings are tried.
type Archiver struct {
	Dir string                               // clones, bare, below their addresses; processes may share it
	Run func(context.Context, Program) error // the error has the end of what the program said
}

// limits on a run of git, which else might wait for ever.
const slowGit = "http.lowSpeedLimit=1000 http.lowSpeedTime=60"

// git is the start of a command line of git.
func (a *Archiver) git(repo string, args ...string) []string {
	argv := []string{"git", "--git-dir=" + repo}
	for setting := range strings.FieldsSeq(slowGit) {
		argv = append(argv, "-c", setting)
	}
	return append(argv, args...)
}

// alone keeps the configuration of the user and of the host out of what git writes.
func alone() []string {
	return []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"LC_ALL=C", "TZ=UTC0", "GZIP=", "XZ_OPT=", "XZ_DEFAULTS="}
}

// makeAll makes what no address gave and a git line names. Several repositories are worked on at once, and one after
// another what is of one repository.
func (f *Fetcher) makeAll(ctx context.Context, files []File, results []Result) error {
	if f.Git == nil || f.Offline {
		return nil
	}
	var order []string
	groups := map[string][]int{}
	for i, file := range files {
		l := slices.IndexFunc(file.Lines, func(d Distfile) bool { return d.Git != "" })
		if results[i].State != Failed || l < 0 {
			continue
		}
		repo := file.Lines[l].Git
		if groups[repo] == nil {
			order = append(order, repo)
		}
		groups[repo] = append(groups[repo], i)
	}
	return parallel(ctx, 4, len(order), func(n int) error {
		for _, i := range groups[order[n]] {
			if err := f.makeOne(ctx, files[i], &results[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// makeOne tries each git line of a file.
func (f *Fetcher) makeOne(ctx context.Context, file File, r *Result) error {
	tried := map[string]bool{}
	for _, l := range file.Lines {
		key := l.Git + "~" + l.Ref
		if l.Git == "" || r.State != Failed || tried[key] {
			continue
		}
		tried[key] = true
		label := "git+" + redacted(l.Git) + "~" + l.Ref
		f.watch(source.Trying{Name: file.Name, Place: label})
		size, note, err := f.Git.make(ctx, f.Cache, l, r.Tries)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			f.watch(source.Refused{Name: file.Name, Place: label, Err: err})
			r.Tries = append(r.Tries, Tried{Place: label, Trouble: troubleOf(err), Why: err.Error()})
		default:
			f.watch(source.Arrived{Name: file.Name, Place: label, Size: size})
			r.State, r.Size, r.Place, r.Note = Made, size, label, note
		}
	}
	return nil
}

// troubleOf sorts the error of a place, or of an archive that was not made.
func troubleOf(err error) source.Trouble {
	var other *ArchiveError
	switch {
	case errors.As(err, &other):
		return source.Wrong
	case errors.Is(err, errGivenUp):
		return Skipped
	}
	return source.TroubleOf(err)
}

// way is one way to make an archive of a commit.
type way struct {
	prefix string   // "NAME-REF/"
	packer []string // the program that packs; nil for none
}

func (w way) String() string {
	if w.packer == nil {
		return "prefix " + w.prefix
	}
	return "prefix " + w.prefix + ", " + strings.Join(w.packer, " ")
}

var tagForm = regexp.MustCompile(`^v[0-9]`)

// prefixes are those that an archive may have: first that of mirror.sh, which leaves away the v of a version, except for
// GitLab; then the other, and that which the archive's name hints at.
func prefixes(d Distfile) []string {
	repo := strings.TrimSuffix(path.Base(d.Git), ".git") + "-"
	whole, short := repo+d.Ref+"/", repo+strings.TrimPrefix(d.Ref, "v")+"/"
	all := []string{whole}
	if tagForm.MatchString(d.Ref) {
		all = []string{short, whole}
		if strings.Contains(d.Git, "gitlab") {
			all = []string{whole, short}
		}
	}
	stem := d.Name
	for _, suffix := range []string{".gz", ".xz", ".tgz", ".tar", ".zip"} {
		stem = strings.TrimSuffix(stem, suffix)
	}
	if stem += "/"; !slices.Contains(all, stem) {
		all = append(all, stem)
	}
	return all
}

// gitGzip stands for git's own compressor, which is zlib's: git archive has used it unless told otherwise since 2.38.
func gitGzip() []string { return []string{"git", "archive", "gzip"} }

// packers are the programs that may have packed an archive, by its name; the first is that of mirror.sh.
func packers(name string) [][]string {
	switch {
	case strings.HasSuffix(name, ".gz"), strings.HasSuffix(name, ".tgz"):
		return [][]string{{"gzip", "-n"}, gitGzip(), {"gzip", "-n", "-9"}}
	case strings.HasSuffix(name, ".xz"):
		return [][]string{{"xz", "-T1"}, {"xz", "-T1", "-9"}}
	}
	return [][]string{nil}
}

// make makes an archive that has the SHA-256 of a line, and puts it into the cache. The note tells the way where that is
// not the usual one. Tries may have kept another archive of the name, to compare with.
func (a *Archiver) make(ctx context.Context, c *Cache, d Distfile, tries []Tried) (size int64, note string, err error) {
	commit, err := a.fetch(ctx, d, false)
	if err != nil {
		return 0, "", err
	}
	size, note, err = a.makeOf(ctx, c, d, commit, tries)
	var wrong *ArchiveError
	if !errors.As(err, &wrong) || isCommit(d.Ref) || isAbbreviated(d.Ref) {
		return size, note, err
	}
	if later, fetching := a.fetch(ctx, d, true); fetching == nil && later != commit {
		size, note, err = a.makeOf(ctx, c, d, later, tries)
		if errors.As(err, &wrong) {
			wrong.Moved = commit
		}
	}
	return size, note, err
}

// makeOf makes an archive of a commit, in every way, until one has the SHA-256.
func (a *Archiver) makeOf(ctx context.Context, c *Cache, d Distfile, commit string, tries []Tried) (int64, string, error) {
	tmp, err := tempFolder(c.partial())
	if err != nil {
		return 0, "", err
	}
	defer os.RemoveAll(tmp)
	tar, out := filepath.Join(tmp, "tar"), filepath.Join(tmp, "out")
	wrong := &ArchiveError{Commit: commit, Want: d.SHA256}
	for _, prefix := range prefixes(d) {
		if _, err := a.tar(ctx, d, commit, prefix, "", tar); err != nil {
			return 0, "", err
		}
		if prefix == prefixes(d)[0] {
			wrong.compare(ctx, tar, tries)
		}
		for _, packer := range packers(d.Name) {
			w := way{prefix, packer}
			sum, err := a.pack(ctx, d, commit, w, tar, out)
			if err != nil && len(wrong.Ways) == 0 {
				return 0, "", err
			}
			if err != nil {
				continue // an old git has no compressor of its own
			}
			if sum.Hex() != d.SHA256 {
				wrong.Ways = append(wrong.Ways, Way{w.String(), sum.Hex()})
				continue
			}
			note := ""
			if len(wrong.Ways) > 0 {
				note = "made with " + w.String()
			}
			return sum.Size(), note, install(out, c.Path(d.SHA256))
		}
	}
	wrong.Tools = a.versions(ctx, d.Name)
	return 0, "", wrong
}

func tempFolder(dir string) (string, error) {
	err := os.MkdirAll(dir, 0o755)
	var name string
	if err == nil {
		name, err = os.MkdirTemp(dir, "archive-")
	}
	if err != nil {
		return "", fault.New(fault.Unavailable, "distfiles: %w", err)
	}
	return name, nil
}
