/* SPDX-License-Identifier: MIT */
#ifndef ASSERT_H
#define ASSERT_H
void __assert_fail(char *what, char *file, int line, char *function);
#define assert(e) \
	do { if (!(e)) __assert_fail(#e, __FILE__, __LINE__, ""); } while (0)
#endif
