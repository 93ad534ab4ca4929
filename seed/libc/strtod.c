/* SPDX-License-Identifier: MIT */
/*
 * Floating-point numbers from text, without floating-point
 * arithmetic: the number is a fraction of two large integers, its first bits
 * come from a long division, and the rest decides the rounding, to nearest
 * and to even. So the result is right to the last bit, whatever compiled it.
 *
 * LONG_DOUBLE is the number of significant bits of long double: 64 for the
 * x87 format, 113 for IEEE quad, 53 where it is double.
 */
#include <stdlib.h>
#include <string.h>
#include <math.h>

#ifndef LONG_DOUBLE
#define LONG_DOUBLE 64
#endif

/* 10 to the 7200 has less than 24000 bits. */
#define WORDS 800
#define TEN_MOST 6000

struct big {
	int n; /* words in use, the highest is not 0 */
	unsigned int w[WORDS];
};

static struct big top, bottom;

static void big_set(struct big *b, unsigned int v)
{
	b->w[0] = v;
	b->n = v != 0;
}

/* b = b * factor + more */
static void big_step(struct big *b, unsigned int factor, unsigned int more)
{
	unsigned long carry = more;
	int i;

	for (i = 0; i < b->n; i++) {
		carry += (unsigned long)b->w[i] * factor;
		b->w[i] = (unsigned int)carry;
		carry >>= 32;
	}
	if (carry)
		b->w[b->n++] = (unsigned int)carry;
}

static int big_bits(struct big *b)
{
	unsigned int high;
	int bits;

	if (b->n == 0)
		return 0;
	bits = (b->n - 1) * 32;
	for (high = b->w[b->n - 1]; high; high >>= 1)
		bits++;
	return bits;
}

static void big_shift_left(struct big *b, int by)
{
	int words = by >> 5;
	int i;

	if (words && b->n) {
		for (i = b->n - 1; i >= 0; i--)
			b->w[i + words] = b->w[i];
		for (i = 0; i < words; i++)
			b->w[i] = 0;
		b->n += words;
	}
	if (by & 31)
		big_step(b, (unsigned int)1 << (by & 31), 0);
}

static void big_halve(struct big *b)
{
	int i;

	for (i = 0; i < b->n; i++) {
		b->w[i] >>= 1;
		if (i + 1 < b->n)
			b->w[i] |= b->w[i + 1] << 31;
	}
	if (b->n && b->w[b->n - 1] == 0)
		b->n--;
}

static int big_less(struct big *a, struct big *b)
{
	int i;

	if (a->n != b->n)
		return a->n < b->n;
	for (i = a->n - 1; i >= 0; i--)
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i];
	return 0;
}

/* a = a - b, which is not more than a */
static void big_subtract(struct big *a, struct big *b)
{
	unsigned long borrow = 0;
	unsigned long v;
	int i;

	for (i = 0; i < a->n; i++) {
		v = (unsigned long)a->w[i] - borrow;
		if (i < b->n)
			v -= b->w[i];
		a->w[i] = (unsigned int)v;
		borrow = (v >> 32) & 1;
	}
	while (a->n && a->w[a->n - 1] == 0)
		a->n--;
}

/*
 * A number: (high:low) times two to the exponent, with a little more where
 * rest is not 0. Zero has no bits at all.
 */
struct number {
	int negative;
	unsigned long high, low;
	int exponent;
	int rest;
};

static int number_bits(struct number *x)
{
	unsigned long v = x->high ? x->high : x->low;
	int bits = x->high ? 64 : 0;

	while (v) {
		v >>= 1;
		bits++;
	}
	return bits;
}

/* Drops the lowest bits, and rounds. */
static void number_drop(struct number *x, int bits)
{
	int half = 0;

	if (bits > 128) {
		x->rest = 1; /* less than half of the last bit that stays */
		x->high = x->low = 0;
		return;
	}
	while (bits > 0) {
		x->rest |= half;
		half = x->low & 1;
		x->low = (x->low >> 1) | (x->high << 63);
		x->high >>= 1;
		x->exponent++;
		bits--;
	}
	if (half && (x->rest || (x->low & 1))) {
		x->low++;
		if (x->low == 0)
			x->high++;
	}
}

/*
 * The number in an IEEE format: so many significant bits, the first of which
 * is always 1 and not stored, and an exponent of so many bits. What is stored
 * comes back in high:low, sign, exponent, fraction.
 */
static void number_pack(struct number *x, int significant, int exponent_bits)
{
	int bias = (1 << (exponent_bits - 1)) - 1;
	int bits = number_bits(x);
	int lowest = 2 - bias - significant; /* exponent of the last bit */
	int drop = bits - significant;
	int field = 0;

	if (bits && x->exponent + drop < lowest)
		drop = lowest - x->exponent;
	if (bits && drop > 0)
		number_drop(x, drop);
	bits = number_bits(x);
	if (bits) {
		while (bits < significant && x->exponent > lowest) {
			x->high = (x->high << 1) | (x->low >> 63);
			x->low <<= 1;
			x->exponent--;
			bits++;
		}
		/* rounding may have made one bit more: a power of two */
		if (bits > significant) {
			x->low = (x->low >> 1) | (x->high << 63);
			x->high >>= 1;
			x->exponent++;
			bits--;
		}
		if (bits == significant)
			field = x->exponent - lowest + 1;
	}
	if (field >= 2 * bias + 1) {
		field = 2 * bias + 1; /* too large: infinity */
		x->high = x->low = 0;
	}
	x->exponent = field;
}

/* Puts the fields of a packed number of up to 64 bits together. */
static unsigned long number_word(struct number *x, int significant,
	int exponent_bits)
{
	unsigned long fraction = x->low
		& (((unsigned long)1 << (significant - 1)) - 1);

	return ((unsigned long)x->negative << (significant - 1 + exponent_bits))
		| ((unsigned long)x->exponent << (significant - 1)) | fraction;
}

/* The fraction top / bottom, both not 0, as a number of 120 bits and more. */
static void number_divide(struct number *x, int exponent)
{
	int shift = 120 - (big_bits(&top) - big_bits(&bottom));
	int i;

	if (shift > 0)
		big_shift_left(&top, shift);
	else
		big_shift_left(&bottom, -shift);
	x->exponent = exponent - shift;
	big_shift_left(&bottom, 121);
	x->high = x->low = 0;
	for (i = 0; i <= 121; i++) {
		x->high = (x->high << 1) | (x->low >> 63);
		x->low <<= 1;
		if (!big_less(&top, &bottom)) {
			big_subtract(&top, &bottom);
			x->low |= 1;
		}
		big_halve(&bottom);
	}
	x->rest = top.n != 0;
}

/* What a sign stands for as a digit; 99 for none. */
static int digit(int sign)
{
	if (sign >= '0' && sign <= '9')
		return sign - '0';
	sign |= 32;
	return sign >= 'a' && sign <= 'f' ? sign - 'a' + 10 : 99;
}

/* Reads digits into top, and how many of them stand behind the point. */
static const char *digits(const char *s, int base, int *scale, int *any)
{
	int point = 0;
	int taken = 0;

	*scale = 0;
	*any = 0;
	big_set(&top, 0);
	while (1) {
		if (*s == '.' && !point) {
			point = 1;
		} else if (digit(*s) < base) {
			*any = 1;
			if (taken < 1200) {
				big_step(&top, base, digit(*s));
				taken += top.n != 0;
				*scale += point;
			} else {
				*scale -= !point;
			}
		} else {
			return s;
		}
		s++;
	}
}

/* A number: [+-]digits[.digits][e[+-]digits], or with 0x in front and a p. */
static void number_read(struct number *x, const char *s, char **end)
{
	const char *start = s;
	int base = 10;
	int scale, any, i;
	long e = 0;
	char *behind;

	memset(x, 0, sizeof(*x));
	while (*s == ' ' || (*s >= 9 && *s <= 13))
		s++;
	if (*s == '-' || *s == '+')
		x->negative = *s++ == '-';
	if (*s == '0' && (s[1] | 32) == 'x'
		&& (digit(s[2]) < 16 || (s[2] == '.' && digit(s[3]) < 16))) {
		base = 16;
		s += 2;
	}
	s = digits(s, base, &scale, &any);
	if (!any) {
		x->negative = 0;
		s = start;
	} else if ((*s | 32) == (base == 16 ? 'p' : 'e')) {
		e = strtol(s + 1, &behind, 10);
		if (behind != s + 1 && s[1] > ' ')
			s = behind;
		else
			e = 0;
	}
	if (end)
		*end = (char *)s;
	if (top.n == 0)
		return;
	if (e > 100000)
		e = 100000;
	if (e < -100000)
		e = -100000;
	big_set(&bottom, 1);
	if (base == 16) {
		number_divide(x, e - 4 * scale);
		return;
	}
	e -= scale;
	if (e > TEN_MOST)
		e = TEN_MOST; /* infinity in every format */
	for (i = 0; i < e; i++)
		big_step(&top, 10, 0);
	for (i = 0; i > e && i > -TEN_MOST - 1200; i--)
		big_step(&bottom, 10, 0);
	number_divide(x, 0);
}

double strtod(const char *s, char **end)
{
	struct number x;
	union {
		unsigned long bits;
		double value;
	} u;

	number_read(&x, s, end);
	number_pack(&x, 53, 11);
	u.bits = number_word(&x, 53, 11);
	return u.value;
}

float strtof(const char *s, char **end)
{
	struct number x;
	union {
		unsigned int bits;
		float value;
	} u;

	number_read(&x, s, end);
	number_pack(&x, 24, 8);
	u.bits = (unsigned int)number_word(&x, 24, 8);
	return u.value;
}

long double strtold(const char *s, char **end)
{
	struct number x;
	union {
		unsigned long bits[2];
		long double value;
	} u;

	number_read(&x, s, end);
	u.bits[0] = u.bits[1] = 0;
#if LONG_DOUBLE == 53
	number_pack(&x, 53, 11);
	u.bits[0] = number_word(&x, 53, 11);
#else
	number_pack(&x, LONG_DOUBLE, 15);
	u.bits[0] = x.low;
	u.bits[1] = ((unsigned long)x.negative << 15) | x.exponent;
#if LONG_DOUBLE == 64
	if (x.exponent == 32767)
		u.bits[0] = (unsigned long)1 << 63; /* infinity's first bit */
#else
	u.bits[1] = (u.bits[1] << 48)
		| (x.high & (((unsigned long)1 << 48) - 1));
#endif
#endif
	return u.value;
}

/* value times two to the exponent */
double ldexp(double value, int exponent)
{
	struct number x;
	union {
		unsigned long bits;
		double value;
	} u;
	int field;

	u.value = value;
	field = (u.bits >> 52) & 2047;
	if (field == 2047)
		return value;
	memset(&x, 0, sizeof(x));
	x.negative = u.bits >> 63;
	x.low = u.bits & (((unsigned long)1 << 52) - 1);
	if (field)
		x.low |= (unsigned long)1 << 52;
	else
		field = 1;
	if (exponent > 10000)
		exponent = 10000;
	if (exponent < -10000)
		exponent = -10000;
	x.exponent = field - 1075 + exponent;
	number_pack(&x, 53, 11);
	u.bits = number_word(&x, 53, 11);
	return u.value;
}
