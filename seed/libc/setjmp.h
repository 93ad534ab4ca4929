/* SPDX-License-Identifier: MIT */
#ifndef SETJMP_H
#define SETJMP_H
/* More than the registers that any of our architectures keeps. */
typedef long jmp_buf[32];
int setjmp(jmp_buf place);
void longjmp(jmp_buf place, int value);
#endif
