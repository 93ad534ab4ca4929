/* SPDX-License-Identifier: MIT */
/*
 * What the compiler makes of floats, of structs that are passed and returned,
 * of weak symbols and aliases: each value is looked at as a constant, which
 * the compiler folds, and as the outcome of a calculation.
 */
#include <fenv.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"

#define NEARLY1 1.9999999999999999998L /* a double would be 2 */

static volatile float f1 = 1.5f;
static volatile double d1 = 1.5, big = 9007199254740993.0;
static volatile long double l1 = NEARLY1;
static volatile int i1 = -7;
static volatile unsigned u1 = 4000000000u;
static volatile long long ll1 = -9007199254740993LL;
static volatile unsigned long long ull1 = 18446744073709551615ULL;

static void to_integers(void)
{
	CHECK((int)NEARLY1 == 1 && (int)l1 == 1 && (long long)l1 == 1 && (unsigned)l1 == 1);
	CHECK((signed char)l1 == 1 && (short)l1 == 1 && (unsigned long long)l1 == 1);
	l1 = -l1;
	CHECK((int)l1 == -1 && (long long)l1 == -1 && (signed char)l1 == -1);
	l1 = 9223372036854775807.0L;
	CHECK((long long)l1 == LLONG_MAX && (long long)-l1 == -LLONG_MAX);
	l1 = 18446744073709551615.0L;
	CHECK((unsigned long long)l1 == ULLONG_MAX);
	d1 = -1.9999999999999998;
	CHECK((int)d1 == -1 && (long long)d1 == -1 && (short)d1 == -1);
	d1 = 3000000000.7;
	CHECK((unsigned)d1 == 3000000000u && (long long)d1 == 3000000000LL && (unsigned)3000000000.7 == 3000000000u);
	d1 = 1.8e19;
	CHECK((unsigned long long)d1 == 18000000000000000000ULL);
	f1 = -2.75f;
	CHECK((int)f1 == -2 && (signed char)f1 == -2 && (long long)f1 == -2);
	f1 = 1.2e19f;
	CHECK((unsigned long long)f1 == 11999999536803086336ULL);
	CHECK((bool)0.5 == 1 && (bool)l1 == 1 && !(bool)-0.0);
}

static void from_integers(void)
{
	CHECK((double)i1 == -7.0 && (float)i1 == -7.0f && (long double)i1 == -7.0L);
	CHECK((double)u1 == 4000000000.0 && (float)u1 == 4000000000.0f && (long double)u1 == 4000000000.0L);
	CHECK((double)ll1 == -9007199254740992.0 && (long double)ll1 == -9007199254740993.0L);
	CHECK((float)ll1 == -9007199254740992.0f);
	CHECK((double)ull1 == 18446744073709551616.0 && (long double)ull1 == 18446744073709551615.0L);
	CHECK((float)ull1 == 18446744073709551616.0f);
	ull1 = 9223372036854775809ULL;
	CHECK((long double)ull1 == 9223372036854775809.0L && (double)ull1 == 9223372036854775808.0);
	CHECK((double)(signed char)-3 == -3.0 && (float)(unsigned short)65535 == 65535.0f && (double)(bool)5 == 1.0);
}

static int truth(double d, float f, long double l)
{
	return (d ? 1 : 0) + (f ? 2 : 0) + (l ? 4 : 0) + (!d ? 8 : 0) + (d && f ? 16 : 0) + (f || l ? 32 : 0);
}

static void comparing(void)
{
	volatile double nan = NAN, inf = INFINITY, zero = 0.0, minus = -0.0;
	volatile long double lnan = NAN, lzero = 0;
	volatile float fnan = NAN;
	int n = 0;

	CHECK(truth(0.5, 0.25f, 0.125L) == 1 + 2 + 4 + 16 + 32 && truth(0.0, -0.0f, 0.0L) == 8 && truth(nan, 0, 0) == 1);
	CHECK(nan != nan && !(nan == nan) && !(nan < 1) && !(nan > 1) && !(nan <= 1) && !(nan >= 1));
	CHECK(lnan != lnan && !(lnan == lnan) && !(lnan < 1) && !(lnan > 1) && !(lnan <= lzero) && !(lnan >= lzero));
	CHECK(fnan != fnan && !(fnan < 1.0f) && !(fnan >= 1.0f));
	CHECK(zero == minus && 1 / zero == inf && 1 / minus == -inf && signbit(minus) && !signbit(zero));
	CHECK(inf > DBL_MAX && -inf < -DBL_MAX && inf - inf != inf - inf);
	for (d1 = 0; d1 < 1; d1 += 0.125)
		n++;
	CHECK(n == 8);
	for (l1 = 3; l1; l1 -= 1)
		n++;
	CHECK(n == 11 && !(l1 || f1 - f1));
	while (f1 > 0)
		f1 /= 2;
	CHECK(f1 <= 0);
	CHECK((d1 > 0.5 ? 2.5 : 1) == 2.5 && isnan(nan) && isinf(inf) && isfinite(d1) && fpclassify(4e-324) == FP_SUBNORMAL);
}

static unsigned long long bits(double d)
{
	unsigned long long b;

	memcpy(&b, &d, 8);
	return b;
}

static int same_long(long double l, unsigned high, unsigned long long low)
{
	unsigned short h;
	unsigned long long m;

	memcpy(&m, &l, 8);
	memcpy(&h, (char *)&l + 8, 2);
	return m == low && h == high;
}

static void constants(void)
{
	static const float f = 0x1.fffffep127f;
	static const long double small = 0x1p-16382L, least = 0x1p-16445L, many = 0x1.fffffffffffffffep0L;

	CHECK(bits(0.1) == 0x3fb999999999999aULL && bits(1e23) == 0x44b52d02c7e14af6ULL && bits(5e-324) == 1);
	CHECK(bits(2.2250738585072011e-308) == 0x000fffffffffffffULL && bits(1.7976931348623157e308) == 0x7fefffffffffffffULL);
	CHECK(bits(0x1.8p1) == bits(3.0) && bits(0x.8p0) == bits(0.5) && bits(0x1p-1074) == 1 && bits(0xfp+4) == bits(240.0));
	CHECK(bits(0x1.00000000000008p0) == bits(1.0) && bits(0x1.000000000000081p0) == bits(1.0) + 1);
	CHECK(f == FLT_MAX && 0x1p-149f > 0 && 0x1p-149f / 2 == 0 && bits((double)0.1f) == 0x3fb99999a0000000ULL);
	CHECK(bits((double)16777217.0f) == bits(16777216.0) && 0x1.0000010000001p0f == 0x1.000002p0f);
	CHECK(same_long(0.1L, 0x3ffb, 0xcccccccccccccccdULL) && same_long(small, 1, 1ULL << 63) && same_long(least, 0, 1));
	CHECK(same_long(many, 0x3fff, ~0ULL) && same_long(LDBL_MAX, 0x7ffe, ~0ULL) && same_long(LDBL_MIN, 1, 1ULL << 63));
	CHECK(same_long(-1.5L, 0xbfff, 3ULL << 62) && LDBL_EPSILON == 0x1p-63L && DBL_EPSILON == 0x1p-52 && LDBL_DIG == 18);
}

static void arithmetic(void)
{
	volatile double a = 1, b = 3;
	volatile float fa = 1, fb = 3;
	volatile long double la = 1, lb = 3;

	CHECK(bits(a / b) == 0x3fd5555555555555ULL && bits(1.0 / 3.0) == bits(a / b));
	CHECK(bits((double)(fa / fb)) == 0x3fd5555560000000ULL && 1.0f / 3.0f == fa / fb);
	CHECK(same_long(la / lb, 0x3ffd, 0xaaaaaaaaaaaaaaabULL) && 1.0L / 3.0L == la / lb);
	CHECK(0.1 + 0.2 != 0.3 && a + 0x1p-53 == 1 && a + 0x1.8p-53 > 1 && la + 0x1p-63L > 1);
	CHECK(bits(-a) == 0xbff0000000000000ULL && bits(-(a - a)) == 1ULL << 63 && bits(big * big) == 0x4690000000000000ULL);
	a += 2;
	a *= b;
	a -= 1;
	a /= 4;
	fa += a;
	la -= fa;
	CHECK(a == 2 && fa == 3 && la == -2 && a++ == 2 && --a == 2 && a + i1 == -5);
}

static void rounding(void)
{
	volatile double one = 1, three = 3, half = 0.5;
	volatile long double lone = 1, lthree = 3;

	CHECK(fegetround() == FE_TONEAREST);
	CHECK(fesetround(FE_UPWARD) == 0 && fegetround() == FE_UPWARD);
	CHECK(bits(one / three) == 0x3fd5555555555556ULL && same_long(lone / lthree, 0x3ffd, 0xaaaaaaaaaaaaaaabULL));
	CHECK(rint(half) == 1 && nearbyint(-half) == 0 && lrint(one + half) == 2);
	CHECK(fesetround(FE_TOWARDZERO) == 0 && same_long(lone / lthree, 0x3ffd, 0xaaaaaaaaaaaaaaaaULL) && rint(half) == 0);
	CHECK(fesetround(FE_DOWNWARD) == 0 && rint(-half) == -1);
	CHECK(fesetround(FE_TONEAREST) == 0 && bits(one / three) == 0x3fd5555555555555ULL && rint(half) == 0);
	CHECK(feclearexcept(FE_ALL_EXCEPT) == 0 && fetestexcept(FE_ALL_EXCEPT) == 0);
	one /= 0.0;
	CHECK(fetestexcept(FE_ALL_EXCEPT) == FE_DIVBYZERO);
	lthree = lone / lthree;
	CHECK(fetestexcept(FE_INEXACT) == FE_INEXACT && feraiseexcept(FE_INVALID) == 0 && fetestexcept(FE_INVALID));
	CHECK(feclearexcept(FE_ALL_EXCEPT) == 0 && fetestexcept(FE_ALL_EXCEPT) == 0);
}

struct mixed { char c; double d; float f; };
struct floats { float x, y, z; };
struct two { double a, b; };
struct large { long double l; int i[9]; };
struct bits { unsigned a : 3; int b : 5; unsigned long long c : 40; unsigned : 0; unsigned d : 1; };

static struct mixed pass_mixed(struct mixed m, int n) { m.d += n; m.f *= 2; m.c++; return m; }
static struct floats pass_floats(float s, struct floats v) { v.x *= s; v.y *= s; v.z *= s; return v; }
static struct two pass_two(struct two t) { double h = t.a; t.a = t.b; t.b = h; return t; }
static struct large pass_large(int n, struct large g) { g.l /= n; g.i[n]++; return g; }

static double sum(int n, ...)
{
	va_list ap, again;
	double all = 0;
	int i;

	va_start(ap, n);
	va_copy(again, ap);
	for (i = 0; i < n; i++)
		all += va_arg(ap, double);
	all += va_arg(ap, long double);
	all += va_arg(ap, struct two).b;
	all += va_arg(ap, int);
	all += va_arg(again, double);
	va_end(again);
	va_end(ap);
	return all;
}

static void passing(void)
{
	struct mixed m = { 'a', 1.5, 2.5f };
	struct floats v = { 1, 2, 3 };
	struct two t = { 1, 2 };
	struct large g = { 10, { 0, 1, 2, 3 } };
	struct bits b = { 7, -16, 0xffffffffffULL, 1 };

	m = pass_mixed(m, 3);
	v = pass_floats(0.5f, v);
	t = pass_two(t);
	g = pass_large(4, g);
	CHECK(m.c == 'b' && m.d == 4.5 && m.f == 5 && v.x == 0.5f && v.y == 1 && v.z == 1.5f);
	CHECK(t.a == 2 && t.b == 1 && g.l == 2.5L && g.i[4] == 1 && g.i[3] == 3);
	CHECK(sum(10, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 0.5L, t, 7) == 55 + 0.5 + 1 + 7 + 1);
	CHECK(b.a == 7 && b.b == -16 && b.c == 0xffffffffffULL && b.d == 1);
	b.a += 1;
	b.b--;
	b.c++;
	CHECK(b.a == 0 && b.b == 15 && b.c == 0 && b.d == 1);
	CHECK(sizeof(long double) == 16 && sizeof(struct large) == 64 && offsetof(struct mixed, f) == 16);
}

int answer(void) { return 42; }
int other_answer(void) __attribute__((alias("answer")));
int weak_answer(void) __attribute__((weak, alias("answer")));
extern int nowhere(void) __attribute__((weak));
int number = 5;
extern int other_number __attribute__((alias("number")));

static void symbols(void)
{
	int (*volatile f)(void) = other_answer;

	CHECK(f() == 42 && f == answer && weak_answer() == 42 && !nowhere);
	other_number = 6;
	CHECK(number == 6 && &number == &other_number);
}

static int prepared;
static void __attribute__((constructor)) prepare(void) { prepared = 1; }

#if !defined __linux__ || !defined __unix__ || !defined __x86_64__ || !defined __STDC__ || __STDC_HOSTED__ != 1
#error these are what programs look for
#endif

static void language(void)
{
	int n = 5, vla[n], i, total = 0;
	struct { int x, y[3]; } s = { .y = { [1] = 7, 8 }, .x = 1 };
	struct two *t = &(struct two){ .b = 4 };

	for (i = 0; i < n; i++)
		vla[i] = i * i;
	for (i = 0; i < n; i++)
		total += vla[i];
	CHECK(total == 30 && sizeof(vla) == 20 && s.x == 1 && s.y[0] == 0 && s.y[1] == 7 && s.y[2] == 8 && t->b == 4);
	CHECK(_Generic(1.0f, float: 1, double: 2, default: 3) == 1 && _Generic(1.0L, float: 1, long double: 2) == 2);
	CHECK(-7 / 2 == -3 && -7 % 2 == -1 && i1 / 2 == -3 && i1 >> 1 == -4 && (unsigned)i1 >> 28 == 15 && ll1 % 10 == -3);
	CHECK(18446744073709551615ULL / 10 == 1844674407370955161ULL && (ull1 | 7) % 1000 == 815);
	CHECK(ull1 > 5 && -1 < (long long)5);
	CHECK(({ int q = 3; q * q; }) == 9 && (1 ? 2 : 3.0) == 2.0 && sizeof(1 ? 2 : 3.0) == 8 && prepared);
	switch (ll1) {
	case -9007199254740993LL:
		break;
	default:
		CHECK(0);
	}
}

int main(void)
{
	to_integers();
	from_integers();
	comparing();
	constants();
	arithmetic();
	rounding();
	passing();
	symbols();
	language();
	DONE;
}
