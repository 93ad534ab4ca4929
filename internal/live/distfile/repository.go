// SPDX-License-Identifier: MIT

package distfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/filelock"
)

// Times of a clone: another process may be at it, and git may hang in spite of its own limits.
const (
	gitWait    = time.Hour
	gitLongest = 45 * time.Minute
)

var (
	refForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+-]*$`)
	hexForm = regexp.MustCompile(`^[0-9a-f]+$`)
)

// isCommit tells whether a name is the whole one of a commit: SHA-1 or SHA-256.
func isCommit(name string) bool {
	return len(name) >= 40 && len(name) <= 64 && hexForm.MatchString(name)
}

// isAbbreviated tells whether a name may be the beginning of one: git wants four digits.
func isAbbreviated(name string) bool {
	return len(name) >= 4 && len(name) < 40 && hexForm.MatchString(name)
}

// fetch brings the commit of a line into the clone of its repository, and gives it. Again asks the repository where the
// clone has the name already: a tag may have been moved.
func (a *Archiver) fetch(ctx context.Context, d Distfile, again bool) (commit string, err error) {
	if !refForm.MatchString(d.Ref) || strings.Contains(d.Ref, "..") {
		return "", fault.New(fault.Usage, "%v: %q is no name of a commit, tag or branch", d.Pos, d.Ref)
	}
	repo := a.clone(d)
	unlock, err := lockFolder(ctx, repo)
	if err != nil {
		return "", err
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(ctx, gitLongest)
	defer cancel()
	if _, err := os.Stat(filepath.Join(repo, "HEAD")); errors.Is(err, os.ErrNotExist) {
		if err := a.run(ctx, nil, a.git(repo, "init", "-q", "--bare")...); err != nil {
			return "", err
		}
	}
	if commit := a.resolve(ctx, repo, d.Ref); commit != "" && !again {
		return commit, nil
	}
	if err := a.bring(ctx, repo, d); err != nil {
		return "", fmt.Errorf("git fetch %s: %w", redacted(d.Git), err)
	}
	if commit = a.resolve(ctx, repo, d.Ref); commit == "" {
		return "", fault.New(fault.Unavailable, "%s: the repository has no commit, tag or branch %s", redacted(d.Git), d.Ref)
	}
	return commit, nil
}

// clone is the folder for the clone of a repository: never above Dir, whatever the address has.
func (a *Archiver) clone(d Distfile) string {
	_, rest, found := strings.Cut(d.Git, "://")
	if !found {
		rest = d.Git
	}
	return filepath.Join(a.Dir, strings.TrimSuffix(filepath.Join("/", rest), ".git")+".git")
}

// lockFolder keeps other processes and goroutines out of a clone.
func lockFolder(ctx context.Context, repo string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(repo), 0o755); err != nil {
		return nil, fault.New(fault.Unavailable, "clones: %w", err)
	}
	f, err := os.OpenFile(repo+".lock", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "clones: %w", err)
	}
	const step = time.Second
	for waited := time.Duration(0); waited < gitWait && ctx.Err() == nil; waited += step {
		if err = filelock.Lock(f, filelock.Exclusive, step); err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, filelock.ErrBusy) {
			break
		}
	}
	f.Close()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return nil, fmt.Errorf("clone %s: %w", repo, err)
}

// resolve is the commit that a clone has under a name; "" for none. Trees and blobs have to be there too: a clone that
// was cut short has been removed by git itself.
func (a *Archiver) resolve(ctx context.Context, repo, ref string) string {
	var b strings.Builder
	err := a.run(ctx, &b, a.git(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")...)
	commit := strings.TrimSpace(b.String())
	if err != nil || !isCommit(commit) {
		return ""
	}
	return commit
}

// bring fetches what a name stands for: alone and without its history where the server gives that, else everything.
func (a *Archiver) bring(ctx context.Context, repo string, d Distfile) error {
	var wants []string
	switch {
	case isCommit(d.Ref):
		wants = []string{"+" + d.Ref + ":refs/rung/" + d.Ref}
	case !isAbbreviated(d.Ref): // a server resolves no abbreviation
		wants = []string{"+refs/tags/" + d.Ref + ":refs/tags/" + d.Ref, "+refs/heads/" + d.Ref + ":refs/heads/" + d.Ref}
	}
	for _, want := range wants {
		if a.run(ctx, nil, a.git(repo, "fetch", "-q", "--depth=1", "--no-tags", "--end-of-options", d.Git, want)...) == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	args := []string{"fetch", "-q", "--no-tags"}
	if _, err := os.Stat(filepath.Join(repo, "shallow")); err == nil {
		args = append(args, "--unshallow")
	}
	args = append(args, "--end-of-options", d.Git, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
	return a.run(ctx, nil, a.git(repo, args...)...)
}

// run runs git for what is of the network: with the user's own configuration, and never asking for a password.
func (a *Archiver) run(ctx context.Context, stdout *strings.Builder, argv ...string) error {
	p := Program{Argv: argv, Env: []string{"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true", "GIT_SSH_COMMAND=ssh -oBatchMode=yes",
		"LC_ALL=C", "GIT_ALLOW_PROTOCOL=file:git:http:https:ssh"}}
	if stdout != nil {
		p.Stdout = stdout
	}
	return a.Run(ctx, p)
}
