/* SPDX-License-Identifier: MIT */
/*
 * What tcc is told when it is built, from tcc0 to tcc3: everything it reads
 * and writes lies in one folder, the one it is run in.
 */
#define TCC_VERSION "0.9.27"
#ifndef __linux__ /* tcc tells programs that this is Linux if it was told so */
#define __linux__ 1
#endif
#define CONFIG_TCC_STATIC
#define CONFIG_TCCBOOT
#define TCC_MUSL
#define CONFIG_TCCDIR "."
#define CONFIG_TCC_SYSINCLUDEPATHS "."
#define CONFIG_TCC_LIBPATHS "."
#define CONFIG_TCC_CRTPREFIX "."
