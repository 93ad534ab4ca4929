/* SPDX-License-Identifier: MIT */
/* Statements: loops, switch, goto, and conditions with effects. */
#include "test.h"

static int plain(int n)
{
    switch (n) {
    case 0:
        return 10;
    case 1:
    case 2:
        n += 5;
    case 3:
        n++;
        break;
    default:
        n = -1;
    case -7:
        n *= 2;
    }
    return n;
}

/* Enough cases for a search, in no order. */
#define FOUR(n) case n: case n + 7: case n + 2: r += n; break;
#define MANY(n) FOUR(n) FOUR(n + 1000) FOUR(n - 5000) FOUR(n + 100) \
    FOUR(n + 300) FOUR(n + 20) FOUR(n - 70)
static long many(int n)
{
    long r = 1;
    switch (n) {
        MANY(0)
        MANY(100000)
        MANY(-100000)
    case 2147483647:
        r = 2;
        break;
    case -2147483647 - 1:
        r = 3;
    }
    return r;
}

static int wide(unsigned long n)
{
    switch (n) {
    case 0: return 0;
    case 1: return 1;
    case 0x7fffffffffffffff: return 2;
    case 0x8000000000000000: return 3;
    case 0xffffffffffffffff: return 4;
    case 0xffffffff: return 5;
    case 0x100000000: return 6;
    }
    return 7;
}

static int small(signed char c)
{
    switch (c) {
    case -128: return 1;
    case 'a': return 2;
    case 127: return 3;
    }
    switch (c)
    case 5: return 4;
    return 0;
}

/* Copying in a loop that a switch jumps into. */
static void device(char *to, const char *from, int n)
{
    int turns = (n + 3) / 4;
    switch (n % 4) {
    case 0: do { *to++ = *from++;
    case 3:      *to++ = *from++;
    case 2:      *to++ = *from++;
    case 1:      *to++ = *from++;
            } while (--turns > 0);
    }
}

static int loops(int n)
{
    int i, j, sum = 0;
    for (i = 0; i < n; i++) {
        if (i % 3 == 0)
            continue;
        for (j = i; ; j--) {
            if (j < 0)
                break;
            if (j == 7)
                goto out;
            sum += j;
            switch (j & 3) {
            case 1:
                continue;
            case 2:
                break;
            }
            sum++;
        }
    }
out:
    while (n--)
        if (n == 2)
            break;
        else
            sum += n;
    do {
        sum++;
        if (sum & 1)
            continue;
        sum += 2;
    } while (sum % 5);
    return sum;
}

static int back(int n)
{
    int r = 0;
again:
    if (n == 0)
        goto end;
    r += n--;
    goto again;
    r = 1000;
end:;
    return r;
}

static int calls;
static int called(int r)
{
    calls++;
    return r;
}
static void conditions(void)
{
    int a = 3, *p = 0;
    calls = 0;
    SHOW(called(0) && called(1));
    SHOW(called(2) || called(0));
    SHOW(called(0) || called(0) && called(1) || called(5));
    SHOW(!called(0) && !(called(1) && called(0)));
    SHOW(calls);
    SHOW((called(1) ? called(2) : called(3)) + called(4));
    SHOW(calls);
    SHOW(p && *p);
    SHOW(!p || *p);
    SHOW(a == 3 ? 4 : a == 4 ? 5 : 6);
    SHOW((a > 2 && a < 4) + (a < 2 || a > 4) * 2);
    if (a = 0)
        SHOW(1);
    if (called(0), a == 0)
        SHOW(2);
    if (!(a || p) == 1)
        SHOW(3);
    if (p)
        ;
    else if (a)
        SHOW(4);
    else
        SHOW(5);
    a = called(1) && 0;
    a += called(7) || 1;
    SHOW(a);
    while (0)
        SHOW(6);
    for (;;) {
        if (a++ > 5)
            break;
    }
    SHOW(a);
    a > 3 ? called(1) : called(2);
    a && (a = 9);
    SHOW(a);
    (void)(a ? a++ : 0), a += 2;
    SHOW(a);
}

int main(void)
{
    int i;
    long sum = 0;
    char text1[8] = "", *t = "abcdefgh";
    for (i = -8; i < 5; i++)
        SHOW(plain(i));
    for (i = -110000; i < 110000; i++)
        sum = sum * 3 + many(i);
    SHOW(sum);
    SHOW(many(2147483647) + many(-2147483647 - 1));
    for (i = -2; i < 3; i++) {
        SHOW(wide(i));
        SHOW(wide(0x7fffffffffffffff + i));
        SHOW(wide(0xffffffff + (long)i));
    }
    SHOW(small(-128) * 1000 + small('a') * 100 + small(127) * 10 + small(5));
    device(text1, t, 7);
    text(text1);
    text("\n");
    for (i = 0; i < 12; i++)
        SHOW(loops(i));
    SHOW(back(10));
    conditions();
    for (int k = 0, n = 3; k < n; k++) {
        int k = 5;
        i += k;
    }
    SHOW(i);
    return 0;
}
