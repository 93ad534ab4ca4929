// SPDX-License-Identifier: MIT

package cli

import (
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/rung-build/rung/internal/fault"
)

// completion is rung completion SHELL.
func (a *app) completion() *cobra.Command {
	c := a.command(verb{
		use:   "completion bash|zsh|fish|powershell",
		short: "Print a completion script for a shell",
		long:  "Print a script that completes verbs, flags and their values in a shell.",
		example: `  source <(rung completion bash)
  rung completion fish > ~/.config/fish/completions/rung.fish`,
		args: cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		run: func(c *cobra.Command, args []string) error {
			root := c.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			}
			return root.GenPowerShellCompletionWithDesc(a.stdout)
		},
	})
	c.ValidArgs = []string{"bash", "zsh", "fish", "powershell"}
	return c
}

// man is rung man DIR.
func (a *app) man() *cobra.Command {
	return a.command(verb{
		use:     "man DIR",
		short:   "Write man pages into a folder",
		long:    "Write one man page a verb into a folder, which is made where it does not exist. The pages hold no date.",
		example: `  rung man ~/.local/share/man/man1`,
		args:    cobra.ExactArgs(1),
		run: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return fault.New(fault.Unavailable, "man pages: %w", err)
			}
			start := time.Unix(0, 0).UTC()
			header := &doc.GenManHeader{Section: "1", Source: "rung", Manual: "rung", Date: &start}
			c.Root().DisableAutoGenTag = true
			if err := doc.GenManTree(c.Root(), header, args[0]); err != nil {
				return fault.New(fault.Unavailable, "man pages: %w", err)
			}
			return nil
		},
	})
}

// complete offers values for a flag.
func complete(c *cobra.Command, flag string, values ...string) {
	// The only error is that the flag does not exist, or has an offer already: a slip of this package.
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// completeFolder offers folders for a flag.
func completeFolder(c *cobra.Command, flag string) { _ = c.MarkFlagDirname(flag) }

// completeArtefact offers the names of artefacts that the ledger knows, and files.
func (a *app) completeArtefact(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	h, err := a.openHome(false)
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	runs, err := h.runs(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	for _, run := range runs {
		for _, out := range run.Outputs {
			names = append(names, run.Stage+"/"+out.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveDefault
}
