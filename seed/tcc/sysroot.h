/* SPDX-License-Identifier: MIT */
/*
 * config.h for the tcc of a sysroot: everything lies in the folder above its
 * own, wherever that was unpacked. home.c finds it; -B overrides it.
 */
#define TCC_VERSION "0.9.27"
#ifndef __linux__ /* tcc tells programs that this is Linux if it was told so */
#define __linux__ 1
#endif
#define CONFIG_TCC_STATIC
#define CONFIG_TCCBOOT
#define TCC_MUSL
const char *tcc_home(void);
#define CONFIG_TCCDIR tcc_home()
#define CONFIG_TCC_SYSINCLUDEPATHS "{B}/include"
#define CONFIG_TCC_LIBPATHS "{B}/lib"
#define CONFIG_TCC_CRTPREFIX "{B}/lib"
#define TCC_LIBTCC1 "lib/libtcc1.a"
