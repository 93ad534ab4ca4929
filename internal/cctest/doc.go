// SPDX-License-Identifier: MIT

// Package cctest is the suite of cc, the C compiler of the seed chain, which docs/cc.md describes. The tests assemble
// scheme1, M1pp and hex2pp with the reference assembler of internal/seedlang, and compile with them as the chain does:
//
//   - testdata/*.c are programs for one feature each. What they print stands in *.out; where the host has a C
//     compiler, a test makes sure that its programs print the same.
//   - A generator writes programs of some hundred random functions, about arithmetic of all widths, bit-fields, structs,
//     initialisers and control flow. They are compared with what the host's compiler makes of them.
//   - What cc does not support it must refuse, with the file, the line and a sentence.
//
// Left out on purpose: tcc, the program that cc exists for. The chain compiles that, and compares tcc1, tcc2 and tcc3.
package cctest
