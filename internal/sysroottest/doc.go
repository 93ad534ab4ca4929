// SPDX-License-Identifier: MIT

// Package sysroottest is the suite of what boot5 makes: a C compiler, a C library, and how they get on with each other.
// Its tests run on a sysroot that is there already: build/ARCH/boot5 of a bootstrap, or the folder that RUNG_SYSROOT
// names.
//
//   - testdata/*.c are programs that check themselves; where the host has a C compiler, they have to pass with that one
//     too, for then it is the library and compiler that are wrong, and not the test.
//   - testdata/numbers.c calculates, prints and reads floating-point numbers; Go's own libraries say what is right.
//   - tcc's own tests, tests2, are taken from its tarball, which is looked for in build/sources, as "rung source mirror
//     build/sources" fills it, or in the folder that RUNG_SOURCES names. tests2_test.go says which do not apply,
//     and why.
//   - The lists of files in seed/musl/files.star are compared with musl's tarball.
//
// Left out on purpose: the chain itself, whose own fixed points say that the bytes are the same.
package sysroottest
