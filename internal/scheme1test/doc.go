// SPDX-License-Identifier: MIT

// Package scheme1test is the suite of scheme1, the Scheme interpreter of the seed chain, whose language docs/scheme1.md
// defines. The tests assemble seed/scheme1 with the reference assembler of internal/seedlang and run programs with it:
//
//   - testdata/*.scm say in comments, after ";=> ", what they print, line by line. What is expected was written from the
//     definition of the language, not from the output. preamble.scm has the two macros that they use.
//   - Most of them run a second time with a scheme1 that collects garbage at each allocation.
//   - Programs that end with an error, and figures such as memory, are cases in Go.
//
// Left out on purpose: the programs of the chain that scheme1 runs, which have suites of their own.
package scheme1test
