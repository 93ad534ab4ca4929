/* SPDX-License-Identifier: MIT */
/*
 * Does what lines on its standard input ask for, so that the answers can be
 * compared with what others calculate. Bits are hexadecimal; those of a long
 * double are two numbers, sign and exponent, then the significand.
 *
 *   print FORMAT D      sprintf of a double
 *   printl FORMAT H L   the same of a long double
 *   read TEXT           strtof, strtod and strtold: bits of each
 *   scan TEXT           the same by sscanf
 *   do OP D D           + - * / of doubles, floats and long doubles made of them
 *   to D                integers of a double: int, long, unsigned long
 *   from N              a long as float, double, long double, then as unsigned
 *   call NAME D D       a function of math.h
 *   calll NAME H L H L  the same of long doubles
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long word;

static double make(word b)
{
	double d;

	memcpy(&d, &b, 8);
	return d;
}

static long double make_long(unsigned high, word low)
{
	long double l = 0;
	unsigned short h = high;

	memcpy(&l, &low, 8);
	memcpy((char *)&l + 8, &h, 2);
	return l;
}

static void put_float(float f)
{
	unsigned b;

	memcpy(&b, &f, 4);
	printf(" %08x", b);
}

static void put(double d)
{
	word b;

	memcpy(&b, &d, 8);
	printf(" %016llx", b);
}

static void put_long(long double l)
{
	unsigned short h;
	word b;

	memcpy(&b, &l, 8);
	memcpy(&h, (char *)&l + 8, 2);
	printf(" %04x %016llx", h, b);
}

static double own_fma(double x, double y) { return fma(x, y, -1.25); }
static long double own_fmal(long double x, long double y) { return fmal(x, y, -1.25L); }
static double power(double x, double y) { return pow(fabs(x), y); }

static const struct { const char *name; double (*f)(double, double); } functions[] = {
	{ "pow", power }, { "atan2", atan2 }, { "fmod", fmod }, { "hypot", hypot }, { "fma", own_fma },
	{ "remainder", remainder }, { "nextafter", nextafter },
};

static const struct { const char *name; double (*f)(double); } simple[] = {
	{ "sqrt", sqrt }, { "sin", sin }, { "cos", cos }, { "tan", tan }, { "exp", exp }, { "log", log },
	{ "log10", log10 }, { "log2", log2 }, { "exp2", exp2 }, { "expm1", expm1 }, { "log1p", log1p }, { "asin", asin },
	{ "acos", acos }, { "atan", atan }, { "sinh", sinh }, { "cosh", cosh }, { "tanh", tanh }, { "cbrt", cbrt },
	{ "floor", floor }, { "ceil", ceil }, { "trunc", trunc }, { "round", round }, { "rint", rint }, { "erf", erf },
	{ "tgamma", tgamma },
};

static const struct { const char *name; long double (*f)(long double); } simple_long[] = {
	{ "sqrt", sqrtl }, { "floor", floorl }, { "ceil", ceill }, { "trunc", truncl }, { "exp", expl }, { "log", logl },
	{ "sin", sinl }, { "cos", cosl }, { "atan", atanl }, { "rint", rintl },
};

#define COUNT(a) (int)(sizeof(a) / sizeof(*a))

static void call(const char *name, double x, double y)
{
	int i;

	for (i = 0; i < COUNT(functions); i++)
		if (strcmp(name, functions[i].name) == 0)
			put(functions[i].f(x, y));
	for (i = 0; i < COUNT(simple); i++)
		if (strcmp(name, simple[i].name) == 0)
			put(simple[i].f(x));
}

static void call_long(const char *name, long double x, long double y)
{
	int i;

	if (strcmp(name, "fma") == 0)
		put_long(own_fmal(x, y));
	for (i = 0; i < COUNT(simple_long); i++)
		if (strcmp(name, simple_long[i].name) == 0)
			put_long(simple_long[i].f(x));
}

static void calculate(int op, double x, double y)
{
	float fx = x, fy = y;
	long double lx = x, ly = y;

	switch (op) {
	case '+':
		put_float(fx + fy), put(x + y), put_long(lx + ly);
		break;
	case '-':
		put_float(fx - fy), put(x - y), put_long(lx - ly);
		break;
	case '*':
		put_float(fx * fy), put(x * y), put_long(lx * ly);
		break;
	case '/':
		put_float(fx / fy), put(x / y), put_long(lx / ly);
		break;
	}
	printf(" %d%d%d%d%d%d", x < y, x <= y, x == y, x != y, x >= y, x > y);
	printf(" %d%d%d%d%d%d", fx < fy, fx <= fy, fx == fy, fx != fy, fx >= fy, fx > fy);
	printf(" %d%d%d%d%d%d", lx < ly, lx <= ly, lx == ly, lx != ly, lx >= ly, lx > ly);
}

static void scan(const char *text)
{
	float f;
	double d;
	long double l;

	if (sscanf(text, "%f", &f) == 1 && sscanf(text, "%lf", &d) == 1 && sscanf(text, "%Lf", &l) == 1)
		put_float(f), put(d), put_long(l);
}

static void from(word n)
{
	long s = n;

	put_float(s), put(s), put_long(s);
	put_float(n), put(n), put_long(n);
}

int main(void)
{
	static char line[8192], text[8192];
	word a, b;
	unsigned h, g;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "print %s %llx", text, &a) == 2)
			putchar(' '), printf(text, make(a));
		else if (sscanf(line, "printl %s %x %llx", text, &h, &a) == 3)
			putchar(' '), printf(text, make_long(h, a));
		else if (sscanf(line, "read %s", text) == 1)
			put_float(strtof(text, NULL)), put(strtod(text, NULL)), put_long(strtold(text, NULL));
		else if (sscanf(line, "scan %s", text) == 1)
			scan(text);
		else if (sscanf(line, "do %s %llx %llx", text, &a, &b) == 3)
			calculate(*text, make(a), make(b));
		else if (sscanf(line, "to %llx", &a) == 1)
			printf(" %d %ld %lu", (int)make(a), (long)make(a), (unsigned long)make(a));
		else if (sscanf(line, "from %llx", &a) == 1)
			from(a);
		else if (sscanf(line, "call %s %llx %llx", text, &a, &b) == 3)
			call(text, make(a), make(b));
		else if (sscanf(line, "calll %s %x %llx %x %llx", text, &h, &a, &g, &b) == 5)
			call_long(text, make_long(h, a), make_long(g, b));
		else
			printf("what is this: %s", line);
		putchar('\n');
	}
	return 0;
}
