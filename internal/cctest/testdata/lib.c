/* SPDX-License-Identifier: MIT */
/* Output for the tests of cc, on the system calls of cc.P1 or, with HOST, on
   the C library of the host. */
#include "test.h"

#ifdef HOST
long write(int fd, const void *p, unsigned long n);
#define put(p, n) write(1, p, n)
#else
long sys_write(long fd, const void *p, long n);
void sys_exit(long status);
#define put(p, n) sys_write(1, p, n)

void exit(int status)
{
    sys_exit(status);
}
#endif

void text(const char *s)
{
    long n = 0;
    while (s[n])
        n++;
    put(s, n);
}

void number(long n)
{
    char digits[24];
    int i = 24;
    unsigned long u = n < 0 ? -(unsigned long)n : n;
    do
        digits[--i] = '0' + u % 10;
    while (u /= 10);
    if (n < 0)
        digits[--i] = '-';
    put(digits + i, 24 - i);
}

void show(const char *what, long n)
{
    text(what);
    text(" = ");
    number(n);
    text("\n");
}

void show_bytes(const char *what, const void *p, long n)
{
    const unsigned char *b = p;
    char pair[3];
    long i;
    text(what);
    text(":");
    for (i = 0; i < n; i++) {
        pair[0] = ' ';
        pair[1] = "0123456789abcdef"[b[i] >> 4];
        pair[2] = "0123456789abcdef"[b[i] & 15];
        put(pair, 3);
    }
    text("\n");
}
