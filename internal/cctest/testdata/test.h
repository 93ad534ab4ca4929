/* SPDX-License-Identifier: MIT */
/* What the tests of cc print with; lib.c has it. */
void text(const char *s);
void number(long n);
void show(const char *what, long n);
void show_bytes(const char *what, const void *p, long n);
#define SHOW(e) show(#e, (long)(e))
#define BYTES(x) show_bytes(#x, &x, sizeof(x))
