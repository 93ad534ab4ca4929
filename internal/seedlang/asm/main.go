// SPDX-License-Identifier: MIT

// Command asm assembles seed texts with the reference assemblers, for people who write them:
//
//	go run ./internal/seedlang/asm -lang M1pp -o OUT [-base ADDRESS] [-map MAP] [-at ADDRESS] [-E] IN...
//
// A P1 program is seed/ARCH/P1.M1 followed by its own text. M1pp is expanded and linked as hex2pp in one go, M0 as hex2.
// OUT is written with mode 0755; MAP tells for each instruction its address, length, file, line and macro call, between
// lines for the labels; -at says on standard output what stands at an address (of a crash, say); -E writes the expanded
// text in place of the program.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"github.com/rung-build/rung/internal/seedlang"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	lang := flag.String("lang", "M1pp", "hex0, hex2, M0, hex2pp or M1pp")
	out := flag.String("o", "", "the program to write")
	mapFile := flag.String("map", "", "the map to write")
	base := flag.String("base", "0x400000", "the address of the first byte")
	at := flag.String("at", "", "an address to look up")
	expand := flag.Bool("E", false, "write the expanded text")
	flag.Parse()
	var sources []seedlang.Source
	for _, name := range flag.Args() {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		sources = append(sources, seedlang.Source{Name: name, Text: text})
	}
	if *expand {
		text, err := seedlang.Expand(seedlang.Lang(*lang), sources...)
		if err != nil {
			return err
		}
		return write(*out, text, 0o644)
	}
	address, err := seedlang.ParseNumber(*base)
	if err != nil {
		return err
	}
	program, m, err := seedlang.Assemble(seedlang.Lang(*lang), address, sources...)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := m.Write(&text); err != nil {
		return err
	}
	if *at != "" {
		n, err := seedlang.ParseNumber(*at)
		if err != nil {
			return err
		}
		fmt.Println(m.Describe(n))
	}
	if err := write(*mapFile, text.Bytes(), 0o644); err != nil {
		return err
	}
	return write(*out, program, 0o755)
}

func write(name string, b []byte, mode os.FileMode) error {
	if name == "" {
		return nil
	}
	if err := os.WriteFile(name, b, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}
