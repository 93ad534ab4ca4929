// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/live"
	livefile "github.com/rung-build/rung/internal/live/distfile"
	"github.com/rung-build/rung/internal/live/manifest"
	"github.com/rung-build/rung/internal/report"
)

// livePlan is rung live plan.
func (a *app) livePlan() *cobra.Command {
	var f liveFlags
	var scripts string
	c := a.command(verb{
		use:   "plan [CHECKOUT] MODE [flags]",
		short: "Tell what a run would do",
		long: `Tell what a run would do: the configuration, the scripts as the guest will generate them, the media with their
sizes, the distfiles, and the command line. The same checkout and flags give the same plan. Nothing is written but the
scripts, where --scripts names a folder for them.

A mirror of the form file:///FOLDER gets an address when a run starts; a plan shows PORT in its place.`,
		example: `  rung live plan live-bootstrap --qemu --external-sources
  rung live plan live-bootstrap -bw -m https://mirror.example/distfiles --scripts /tmp/scripts`,
		args:  cobra.MaximumNArgs(1),
		kinds: []fault.Kind{fault.NotFound, fault.Limit, fault.Unavailable, fault.Interrupted},
		run: func(c *cobra.Command, args []string) error {
			f.standIn()
			p, _, err := a.livePlanned(c.Context(), &f, args)
			if err != nil {
				return err
			}
			if scripts != "" {
				if err := p.WriteScripts(scripts); err != nil {
					return err
				}
			}
			is := newPlanned(p)
			return a.show(is, is.text)
		},
	})
	f.register(c)
	c.Flags().StringVar(&scripts, "scripts", "", "folder to write the guest's scripts into")
	completeFolder(c, "scripts")
	return c
}

// standIn puts the form of an address in the place of folders, whose servers have none before a run.
func (f *liveFlags) standIn() {
	for i, m := range f.o.Mirrors {
		if strings.HasPrefix(m, "file:///") {
			f.o.Mirrors[i] = "http://127.0.0.1:PORT"
		}
	}
}

// planned is a plan in JSON.
type planned struct {
	Checkout      string          `json:"checkout"`
	Generation    string          `json:"generation"`
	Mode          live.Mode       `json:"mode"`
	Target        string          `json:"target"`
	Added         []string        `json:"added,omitempty"` // to the checkout that the guest sees
	Configuration []setting       `json:"configuration"`
	Roots         []plannedRoot   `json:"roots"`
	Distfiles     []plannedFiles  `json:"distfiles"`
	Media         []plannedMedium `json:"media"`
	Command       []string        `json:"command,omitempty"`
	Environment   []string        `json:"environment,omitempty"`
	AsRoot        bool            `json:"as_root,omitempty"`
	CommandLine   string          `json:"command_line,omitempty"`
	Directions    []string        `json:"directions,omitempty"`
}

type setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type plannedRoot struct {
	Root  string          `json:"root"`
	Files []plannedScript `json:"files"`
	Steps []plannedStep   `json:"steps"`
}

type plannedScript struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

type plannedStep struct {
	Script int    `json:"script"`
	Does   string `json:"does"`
	Arg    string `json:"arg"`
	Pass   int    `json:"pass,omitempty"`
	Bash   bool   `json:"bash,omitempty"`
	Line   int    `json:"line"`
}

type plannedFiles struct {
	Set   string        `json:"set"`
	Files []plannedFile `json:"files"`
}

type plannedFile struct {
	Name      string   `json:"name"`
	SHA256    string   `json:"sha256"`
	Size      int64    `json:"size"` // -1: not held
	Addresses []string `json:"addresses"`
}

type plannedMedium struct {
	Name    string     `json:"name"`
	Shape   live.Shape `json:"shape"`
	Entries int        `json:"entries"`
	Bytes   int64      `json:"bytes"` // of content, as far as it is known
	Missing int        `json:"missing"`
	Size    int64      `json:"size"` // of the file; -1 where it is not known, or no file
}

func newPlanned(p *live.Plan) planned {
	is := planned{
		Checkout: p.Checkout.Dir, Generation: generationName(p.Checkout.Generation), Mode: p.Options.Mode,
		Target:        p.Options.Target,
		Added:         p.Checkout.Added,
		Configuration: []setting{}, Command: p.Command.Argv, Environment: p.Command.Env, AsRoot: p.Command.Root,
		Directions: p.Directions,
	}
	if len(p.Command.Argv) > 0 {
		is.CommandLine = p.Command.String()
	}
	for _, v := range p.Config {
		is.Configuration = append(is.Configuration, setting{v.Name, v.Value})
	}
	for _, r := range p.Scripts {
		is.Roots = append(is.Roots, newPlannedRoot(r))
	}
	sizes := map[string]int64{}
	for _, m := range p.Media {
		is.Media = append(is.Media, plannedMedium{m.Name, m.Shape, len(m.Entries), m.Bytes, m.Missing, m.Size})
		for _, e := range m.Entries {
			if e.Distfile != nil {
				sizes[e.Distfile.Name] = e.Size
			}
		}
	}
	for _, set := range []struct {
		name  string
		files []livefile.File
	}{{"early", p.Early}, {"external", p.External}, {"payload", p.Payload}} {
		if len(set.files) > 0 {
			is.Distfiles = append(is.Distfiles, newPlannedFiles(set.name, set.files, sizes))
		}
	}
	return is
}

func newPlannedRoot(r live.RootScripts) plannedRoot {
	root := plannedRoot{Root: r.Root, Files: []plannedScript{}, Steps: []plannedStep{}}
	for _, f := range r.Files {
		root.Files = append(root.Files, plannedScript{f.Path, f.Text})
	}
	for _, s := range r.Steps {
		step := plannedStep{Script: s.Script, Does: s.Kind.String(), Arg: s.Arg, Bash: s.Bash, Line: s.Pos.Line}
		if s.Kind == manifest.Build {
			step.Pass = s.Pass
		}
		root.Steps = append(root.Steps, step)
	}
	return root
}

func newPlannedFiles(name string, files []livefile.File, sizes map[string]int64) plannedFiles {
	set := plannedFiles{Set: name}
	for _, f := range files {
		set.Files = append(set.Files, plannedFile{f.Name, f.SHA256, sizes[f.Name], append([]string{},
			f.Addresses()...)})
	}
	return set
}

// text prints a plan.
func (is planned) text(w io.Writer) error {
	fmt.Fprintf(w, "checkout   %s\ngeneration %s\nmode       %s\ntarget     %s\n", is.Checkout, is.Generation, is.Mode,
		is.Target)
	for _, line := range is.Added {
		fmt.Fprintf(w, "added      %s\n", line)
	}
	fmt.Fprint(w, "\nconfiguration\n")
	for _, s := range is.Configuration {
		fmt.Fprintf(w, "  %s=%s\n", s.Name, s.Value)
	}
	for _, r := range is.Roots {
		r.text(w)
	}
	for _, set := range is.Distfiles {
		set.text(w)
	}
	fmt.Fprint(w, "\nmedia\n")
	for _, m := range is.Media {
		m.text(w)
	}
	if is.CommandLine != "" {
		as := ""
		if is.AsRoot {
			as = " (as root)"
		}
		fmt.Fprintf(w, "\ncommand%s\n  %s\n", as, is.CommandLine)
	}
	for i, line := range is.Directions {
		if i == 0 {
			fmt.Fprint(w, "\ndirections\n")
		}
		fmt.Fprintf(w, "  %d. %s\n", i+1, line)
	}
	return nil
}

func (r plannedRoot) text(w io.Writer) {
	fmt.Fprintf(w, "\nscripts of %s\n", r.Root)
	for _, f := range r.Files {
		fmt.Fprintf(w, "  %s\n", f.Path)
	}
	fmt.Fprintf(w, "\nsteps of %s\n", r.Root)
	for _, s := range r.Steps {
		shell, pass := "kaem", ""
		if s.Bash {
			shell = "bash"
		}
		if s.Pass > 0 {
			pass = " pass " + strconv.Itoa(s.Pass)
		}
		fmt.Fprintf(w, "  %2d.sh %s  %s: %s%s\n", s.Script, shell, s.Does, s.Arg, pass)
	}
}

func (set plannedFiles) text(w io.Writer) {
	total, missing := int64(0), 0
	for _, f := range set.Files {
		if f.Size < 0 {
			missing++
		} else {
			total += f.Size
		}
	}
	fmt.Fprintf(w, "\ndistfiles, %s: %d, %s%s\n", set.Set, len(set.Files), report.Size(total), notHeld(missing))
	for _, f := range set.Files {
		size := "not held"
		if f.Size >= 0 {
			size = report.Size(f.Size)
		}
		fmt.Fprintf(w, "  %s  %10s  %s\n", f.SHA256[:12], size, f.Name)
	}
}

func (m plannedMedium) text(w io.Writer) {
	name, size := m.Name, "size not known yet"
	if name == "" {
		name, size = "the target itself", "no file"
	}
	if m.Size >= 0 {
		size = strconv.FormatInt(m.Size, 10) + " bytes"
	}
	fmt.Fprintf(w, "  %s  %s, %s: %d entries, %s%s\n", name, m.Shape, size, m.Entries, report.Size(m.Bytes),
		notHeld(m.Missing))
}

func notHeld(missing int) string {
	if missing == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d that are not held", missing)
}
