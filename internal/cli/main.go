// SPDX-License-Identifier: MIT

// Package cli is the command line: one file a verb, which turns flags into one call and prints what came of it.
//
// It is the only place that knows the clock, the environment, the terminal and concrete machines and stores, and it is
// a value: Main takes arguments and three streams and gives an exit status. Data goes to stdout, talk to stderr; with
// --json, stdout holds one JSON value with the same facts. Exit statuses are specified in docs/exit-status.md.
package cli

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
)

// Main runs one command line, without the program's name, and gives the status the process should end with. The
// environment is asked for through env. Where ctx ends, the command stops at once with status 130.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) string) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, env: env}
	root := a.root()
	defer a.close()
	rewritten, err := liveArgs(args)
	if err == nil {
		root.SetArgs(rewritten)
		err = root.ExecuteContext(ctx)
	}
	if err == nil {
		return 0
	}
	a.json = a.json || slices.Contains(args, "--json") // a flag before it may have been wrong
	a.complain(err)
	return fault.KindOf(err).ExitStatus()
}

// app is one command line on its way.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string

	json    bool
	shown   bool // stdout holds its one JSON value
	verbose bool
	color   string
	store   string

	home *home // nil until a verb opens it
}

// root is the command that all verbs hang from.
func (a *app) root() *cobra.Command {
	root := a.group(verb{
		use:   "rung",
		short: "Build from a seed of a few hundred bytes, and prove what came out",
		long: `rung builds bootable systems from sources that a person can audit, from a seed of a few hundred bytes up,
and proves that what came out is the same whichever machine built it.`,
		example: `  rung bootstrap                 # climb the seed chain
  rung why scheme1               # from an artefact down to the seed
  rung help bootstrap            # flags, examples and exit statuses of a verb`,
	},
		a.auditVerb(), a.bootstrap(), a.compareVerb(), a.completion(), a.cpioVerbs(), a.doctor(), a.ledgerVerbs(), a.liveVerbs(),
		a.man(),
		a.reportVerb(), a.sourceVerbs(), a.storeVerbs(), a.version(), a.why(),
	)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fault.New(fault.Usage, "%s: %w", c.CommandPath(), err).WithHint("%s --help lists the flags", c.CommandPath())
	})
	root.SetUsageTemplate(root.UsageTemplate() + statusTemplate)
	root.SetHelpCommand(a.help())
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "print one JSON value with the same facts")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "tell of every step, and show what steps print")
	flags.StringVar(&a.color, "color", "auto", "colour: auto, always or never; auto respects NO_COLOR")
	flags.StringVar(&a.store, "store", "", "folder of the store (default $RUNG_STORE, or rung in the user's cache folder)")
	complete(root, "color", "auto", "always", "never")
	_ = root.MarkPersistentFlagDirname("store") // fails only for a flag that does not exist
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.checkColor() }
	return root
}

// help is rung help VERB.
func (a *app) help() *cobra.Command {
	c := a.command(verb{
		use:   "help [VERB...]",
		short: "Tell about rung or one of its verbs",
		long:  "Tell what a verb does, its flags, examples, and the exit statuses it ends with.",
		example: `  rung help
  rung help store gc`,
		args: cobra.ArbitraryArgs,
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		about, rest, err := c.Root().Find(args)
		if err != nil || len(rest) > 0 {
			return fault.New(fault.Usage, "no verb %q", strings.Join(args, " ")).WithHint("rung help lists the verbs")
		}
		about.InitDefaultHelpFlag()
		return about.Help()
	}
	return c
}
