// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is rung version.
func (a *app) version() *cobra.Command {
	return a.command(verb{
		use:   "version",
		short: "Tell which rung this is",
		long:  "Tell the version of the module, the toolchain it was built with, and the host's architecture.",
		example: `  rung version
  rung version --json`,
		run: func(*cobra.Command, []string) error {
			facts := struct {
				Version string `json:"version"`
				Go      string `json:"go"`
				Arch    string `json:"arch"`
			}{"unknown", runtime.Version(), runtime.GOARCH}
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				facts.Version = info.Main.Version
			}
			return a.show(facts, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "rung %s, %s, %s\n", facts.Version, facts.Go, facts.Arch)
				return err
			})
		},
	})
}
