/* SPDX-License-Identifier: MIT */
/* Floating point: literals, conversions, arithmetic, comparisons. */
#include "test.h"

float f, fs[] = { 0.1f, 1e38f, 1e-45f, 3.4028235e38f, 16777217.f, 0x1.8p-3f };
double d, ds[] = {
    0.0, 1.0, 0.1, 1e308, 4.9e-324, 2.2250738585072011e-308, 1e22, 1e23,
    123456789012345678., .5, 5.e-1, 0x1p-1074, 0x1.fffffffffffffp1023,
    9007199254740993.0, 4294967296.0, 1e-400, 3, -7, -0.0, 0x.8p1
};
long double l, ls[] = {
    0.1L, 1e4000L, 1e-4940L, 3.14159265358979323846264338327950288L, 1L, -2.5,
    0x1.fffffffffffffffep3L, 18446744073709551617.L, 0.5f
};
struct {
    char c;
    float f;
    double d;
    long double l;
} s = { 1, 2, 3, 4 }, t;

#define BITS(x) show_bytes(#x, &x, sizeof(x) == 16 ? 10 : sizeof(x))

static double half(double x) { return x / 2; }
static float third(float x) { return x / 3; }
static long double sum(int n, long double a, double b, float c)
{
    return n + a + b + c;
}
static double vary(int n, ...)
{
    __builtin_va_list ap;
    double r = 0;
    __builtin_va_start(ap, n);
    while (n--) {
        r = r * 10 + __builtin_va_arg(ap, double);
        r += __builtin_va_arg(ap, long double);
        r += __builtin_va_arg(ap, int);
    }
    __builtin_va_end(ap);
    return r;
}

static void arithmetic(double a, double b)
{
    float x = a, y = b;
    long double u = a, v = b;
    d = a + b, BITS(d);
    d = a - b, BITS(d);
    d = a * b, BITS(d);
    d = a / b, BITS(d);
    f = x + y, BITS(f);
    f = x - y, BITS(f);
    f = x * y, BITS(f);
    f = x / y, BITS(f);
    l = u + v, BITS(l);
    l = u - v, BITS(l);
    l = u * v, BITS(l);
    l = u / v, BITS(l);
    d = -a, BITS(d);
    f = -x, BITS(f);
    l = -u, BITS(l);
    SHOW(a < b);
    SHOW(a <= b);
    SHOW(a > b);
    SHOW(a >= b);
    SHOW(a == b);
    SHOW(a != b);
    SHOW(x < y);
    SHOW(u >= v);
    SHOW(!a);
    SHOW(a && b);
    SHOW((a ? 1 : 2) + (y ? 10 : 20));
    SHOW(a);
    SHOW((int)b);
    SHOW((char)(int)x);
    SHOW((long)u);
}

int main(void)
{
    long i = 1234567890123456789;
    unsigned long ul = 0xfedcba9876543210;
    unsigned u = 4000000000u;
    double zero = 0, inf = 1 / zero, nan = zero / zero, big = 1e308;
    int n;
    for (n = 0; n < (int)(sizeof fs / sizeof *fs); n++)
        BITS(fs[n]);
    for (n = 0; n < (int)(sizeof ds / sizeof *ds); n++)
        BITS(ds[n]);
    for (n = 0; n < (int)(sizeof ls / sizeof *ls); n++)
        BITS(ls[n]);
    arithmetic(1.5, 2.25);
    arithmetic(0.1, -0.3);
    arithmetic(1e10, 1e-10);
    arithmetic(-3, 7);
    arithmetic(123456.789, 123456.789);
    d = i, BITS(d);
    f = i, BITS(f);
    l = i, BITS(l);
    d = ul, BITS(d);
    f = ul, BITS(f);
    l = ul, BITS(l);
    d = u, BITS(d);
    d = -5, BITS(d);
    d = 'a', BITS(d);
    f = 16777217, BITS(f);
    f = 1.00000005960464485, BITS(f);
    d = ul;
    SHOW((unsigned long)d);
    l = ul;
    SHOW((unsigned long)l);
    SHOW((long)-1e18);
    SHOW((int)-2.9);
    SHOW((unsigned char)200.7);
    SHOW((_Bool)0.25);
    SHOW((unsigned)3e9);
    BITS(inf);
    d = -inf, BITS(d);
    d = big * 10, BITS(d);
    f = big, BITS(f);
    d = 4.9e-324, d = d / 2, BITS(d);
    d = 3e-308, d = d / 7, BITS(d);
    f = 1e-40, f = f / 3, BITS(f);
    f = 1e-44f, BITS(f);
    SHOW(nan == nan);
    SHOW(nan != nan);
    SHOW(nan < 1 || nan >= 1);
    SHOW(inf > big && -inf < -big);
    SHOW(0.0 == -0.0);
    SHOW(zero - zero == 0);
    d = half(3), BITS(d);
    f = third(1), BITS(f);
    l = sum(1, 2.5L, 3.25, 4.125f), BITS(l);
    d = vary(2, 1.5, 2.5L, 3, 4.5f, 5.25L, 6), BITS(d);
    t = s;
    BITS(t.d);
    BITS(t.l);
    t.l += t.f++ + --t.d;
    BITS(t.l);
    BITS(t.f);
    BITS(t.d);
    n = 7, n *= 1.5;
    SHOW(n);
    n = 10, n /= 4.0f;
    SHOW(n);
    d = 1, d += n > 1 ? 1 : 0.5;
    BITS(d);
    d = -1.0 * 0.0, BITS(d);
    d = 10;
    while (d > 1e-3)
        d = d / 2;
    BITS(d);
    for (l = 1, n = 1; n <= 30; n++)
        l *= n;
    BITS(l);
    SHOW(sizeof(f + 1) + sizeof(f + 1.0) * 10 + sizeof(l + f) * 100);
    SHOW(sizeof s);
    return 0;
}
