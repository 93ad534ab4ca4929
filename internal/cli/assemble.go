// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/rung-build/rung/internal/fault"
	"github.com/rung-build/rung/internal/seedlang"
)

// assembly holds the flags of rung audit asm.
type assembly struct {
	lang, out, mapFile, base, at string
	expand                       bool
}

// auditAssemble is rung audit asm.
func (a *app) auditAssemble() *cobra.Command {
	var f assembly
	c := a.command(verb{
		use:   "asm TEXT... [flags]",
		short: "Assemble seed texts with the reference assembler",
		long: `Assemble texts, read one after the other, with the reference assembler: for people who write seed texts, and to
look closely at what the audit compares with. Nothing that the chain makes is made this way.

M1pp texts are expanded and linked as hex2pp in one go, M0 texts as hex2. A P1 program is the macros of an architecture,
then its own texts. The program is written with mode 0755.`,
		example: `  rung audit asm -o catm seed/amd64/P1.M1 seed/text.P1 seed/catm.P1
  rung audit asm --map catm.map --at 0x400123 seed/amd64/P1.M1 seed/text.P1 seed/catm.P1
  rung audit asm --lang hex0 -o hex0 seed/amd64/hex0.hex0`,
		args:  cobra.MinimumNArgs(1),
		kinds: []fault.Kind{fault.NotFound},
		run:   func(_ *cobra.Command, args []string) error { return a.assemble(f, args) },
	})
	flags := c.Flags()
	flags.StringVar(&f.lang, "lang", string(seedlang.M1pp), "language: hex0, hex2, M0, hex2pp or M1pp")
	flags.StringVarP(&f.out, "output", "o", "", "program to write; without it, the texts are checked only")
	flags.StringVar(&f.mapFile, "map", "", "map to write: each label, and each instruction with its place in the text")
	flags.StringVar(&f.base, "base", "0x400000", "address of the first byte")
	flags.StringVar(&f.at, "at", "", "tell what stands at an address, of a crash for example")
	flags.BoolVarP(&f.expand, "expand", "E", false, "write the expanded text in place of the program")
	return c
}

func (a *app) assemble(f assembly, names []string) error {
	var sources []seedlang.Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return fault.New(fault.NotFound, "seed text: %w", err)
		}
		sources = append(sources, seedlang.Source{Name: name, Text: text})
	}
	if f.expand {
		text, err := seedlang.Expand(seedlang.Lang(f.lang), sources...)
		if err != nil {
			return fault.New(fault.Usage, "%w", err)
		}
		return writeAssembled(f.out, text, 0o644)
	}
	base, err := seedlang.ParseNumber(f.base)
	if err != nil {
		return fault.New(fault.Usage, "--base: %w", err)
	}
	program, m, err := seedlang.Assemble(seedlang.Lang(f.lang), base, sources...)
	if err != nil {
		return fault.New(fault.Usage, "%w", err)
	}
	if f.at != "" {
		address, err := seedlang.ParseNumber(f.at)
		if err != nil {
			return fault.New(fault.Usage, "--at: %w", err)
		}
		fmt.Fprintln(a.stdout, m.Describe(address))
	}
	var listing bytes.Buffer
	if err := m.Write(&listing); err != nil {
		return err
	}
	if err := writeAssembled(f.mapFile, listing.Bytes(), 0o644); err != nil {
		return err
	}
	return writeAssembled(f.out, program, 0o755)
}

func writeAssembled(name string, b []byte, mode os.FileMode) error {
	if name == "" {
		return nil
	}
	if err := os.WriteFile(name, b, mode); err != nil {
		return fault.New(fault.Unavailable, "writing the program: %w", err)
	}
	return os.Chmod(name, mode)
}
