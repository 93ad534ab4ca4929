// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
)

// verb is what every command says about itself.
type verb struct {
	use, short, long, example string
	args                      cobra.PositionalArgs // nil: none
	kinds                     []fault.Kind         // it can end with, beside those that every verb can
	run                       func(c *cobra.Command, args []string) error
}

const statusKey = "exit-status"

const statusTemplate = `{{with index .Annotations "` + statusKey + `"}}
Exit status (docs/exit-status.md):
{{.}}{{end}}`

// command makes a command that does something.
func (a *app) command(v verb) *cobra.Command {
	if v.args == nil {
		v.args = cobra.NoArgs
	}
	return &cobra.Command{
		Use: v.use, Short: v.short, Long: v.long, Example: v.example, RunE: v.run,
		Args: func(c *cobra.Command, args []string) error {
			if err := v.args(c, args); err != nil {
				return fault.New(fault.Usage, "%s: %w", c.CommandPath(), err).WithHint("usage: %s", c.UseLine())
			}
			return nil
		},
		Annotations:           map[string]string{statusKey: statuses(v.kinds)},
		DisableFlagsInUseLine: true,
	}
}

// group makes a command that only holds others, and tells about itself where none is named.
func (a *app) group(v verb, verbs ...*cobra.Command) *cobra.Command {
	v.run = func(c *cobra.Command, _ []string) error { return c.Help() }
	g := a.command(v)
	g.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		err := fault.New(fault.Usage, "%s has no verb %q", c.CommandPath(), args[0])
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			return err.WithHint("did you mean %s?", strings.Join(near, " or "))
		}
		return err.WithHint("%s --help lists the verbs", c.CommandPath())
	}
	g.SuggestionsMinimumDistance = 2
	g.AddCommand(verbs...)
	return g
}

// always are the kinds that any verb can end with.
func always() []fault.Kind { return []fault.Kind{fault.Internal, fault.Usage} }

// statuses lists exit statuses for a verb's help.
func statuses(kinds []fault.Kind) string {
	text := "    0  success\n"
	for _, k := range fault.Kinds() {
		if slices.Contains(kinds, k) || slices.Contains(always(), k) {
			text += fmt.Sprintf("  %3d  %s\n", k.ExitStatus(), k)
		}
	}
	return text
}
