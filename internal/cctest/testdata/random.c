/* SPDX-License-Identifier: MIT */
/* Floating point on thousands of numbers, as sums of the results' bits. */
#include "test.h"

static unsigned long state = 88172645463325252, sum;

static unsigned long next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1d;
}

union d {
    double d;
    unsigned long w;
};
union f {
    float f;
    unsigned w;
};
union l {
    long double l;
    struct {
        unsigned long m;
        unsigned short e;
    } w;
};

/* Numbers of all kinds; those with exponents near to each other, and with
   few bits, are more frequent. */
static double random_d(void)
{
    union d u;
    u.w = next();
    if (next() % 4)
        u.w = u.w & 0x800fffffffffffff | 1000 + next() % 60 << 52;
    if (next() % 4 == 0)
        u.w &= -1L << next() % 54;
    if (next() % 16 == 0)
        u.w &= 0x800fffffffffffff;
    return u.d;
}
static long double random_l(void)
{
    union l u;
    u.l = random_d();
    if (next() % 2)
        u.w.m |= next() >> 12;
    if (next() % 8 == 0 && u.w.m >> 63)
        u.w.e = next() % 0x7fff + 1 | u.w.e & 0x8000;
    if ((u.w.e & 0x7fff) == 0x7fff)
        u.w.m = 1UL << 63;
    return u.l;
}
static float random_f(void)
{
    union f u;
    u.w = next();
    if (next() % 4)
        u.w = u.w & 0x807fffff | (100 + next() % 50) << 23;
    return u.f;
}

/* All NaNs count the same. */
static void add(unsigned long w)
{
    sum = (sum ^ w) * 0x9e3779b97f4a7c15;
    sum ^= sum >> 29;
}
static void add_d(double d)
{
    union d u;
    u.d = d;
    add(d != d ? 1 : u.w);
}
static void add_f(float f)
{
    union f u;
    u.f = f;
    add(f != f ? 2 : u.w);
}
static void add_l(long double l)
{
    union l u;
    u.l = l;
    add(l != l ? 3 : u.w.m);
    add(l != l ? 3 : u.w.e);
}

#define OPERATIONS(kind, type) \
    static void operations_ ## kind(int n) \
    { \
        while (n--) { \
            type a = random_ ## kind(), b = random_ ## kind(); \
            add_ ## kind(a + b); \
            add_ ## kind(a - b); \
            add_ ## kind(a * b); \
            add_ ## kind(a / b); \
            add_ ## kind(-a); \
            add((a < b) + (a <= b) * 2 + (a > b) * 4 + (a >= b) * 8 \
                + (a == b) * 16 + (a != b) * 32); \
        } \
        SHOW(sum); \
    }
OPERATIONS(d, double)
OPERATIONS(f, float)
OPERATIONS(l, long double)

static void conversions(int n)
{
    while (n--) {
        double d = random_d();
        long double l = random_l();
        float f = random_f();
        unsigned long u = next(), shift = next() % 64;
        long i;
        u >>= shift;
        i = next() % 2 ? u : -u;
        add_f(d);
        add_l(d);
        add_f(l);
        add_d(l);
        add_d(f);
        add_l(f);
        add_d(u);
        add_f(u);
        add_l(u);
        add_d(i);
        add_f(i);
        add_l(i);
        add_d((int)i);
        add_f((unsigned)i);
        if (d > -9e18 && d < 9e18)
            add((long)d);
        if (d >= 0 && d < 18e18)
            add((unsigned long)d);
        if (f > -2e9f && f < 2e9f)
            add((int)f);
        if (l >= 0 && l < 18e18L)
            add((unsigned long)l);
        if (l > -1 && l < 4e9)
            add((unsigned)l);
    }
    SHOW(sum);
}

int main(void)
{
    operations_d(3000);
    operations_f(3000);
    operations_l(3000);
    conversions(3000);
    return 0;
}
