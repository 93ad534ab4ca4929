/* SPDX-License-Identifier: MIT */
/* Memory, numbers as text, sorting. */
#include <stdlib.h>
#include <string.h>
#include "system.h"

/*
 * Memory comes from one array. A block is a power of two; the 16 bytes in
 * front of what the caller gets, which has its place at a multiple of 16, hold
 * its class, the power. Freed blocks hang in a list for each class.
 */
#define HEAP_SIZE 0x18000000
static char heap[HEAP_SIZE];
static size_t heap_used;
static void *freed[32];

static int class_of(size_t size)
{
	int class = 5;

	while (((size_t)1 << class) < size + 16)
		class++;
	return class;
}

void *malloc(size_t size)
{
	int class;
	char *p;

	if (size > HEAP_SIZE)
		return NULL;
	class = class_of(size);
	p = freed[class];
	if (p) {
		freed[class] = *(void **)p;
		return p;
	}
	if (heap_used == 0)
		heap_used = -(size_t)heap & 15;
	if (((size_t)1 << class) > HEAP_SIZE - heap_used)
		return NULL;
	p = heap + heap_used;
	heap_used += (size_t)1 << class;
	*(long *)p = class;
	return p + 16;
}

void free(void *p)
{
	long class;

	if (p == NULL)
		return;
	class = *((long *)p - 2);
	*(void **)p = freed[class];
	freed[class] = p;
}

void *realloc(void *p, size_t size)
{
	void *q;
	size_t had;

	if (p == NULL)
		return malloc(size);
	had = ((size_t)1 << *((long *)p - 2)) - 16;
	if (size <= had)
		return p;
	q = malloc(size);
	if (q == NULL)
		return NULL;
	memcpy(q, p, had);
	free(p);
	return q;
}

/* There is no environment. */
char **environ;

char *getenv(const char *name)
{
	return NULL;
}

void abort(void)
{
	sys_exit(134);
}

static int digit_of(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	return 99;
}

/* Wraps where the number has more than 64 bits. */
unsigned long strtoul(const char *s, char **end, int base)
{
	unsigned long n = 0;
	int negative = 0;
	const char *start = s;

	while (*s == ' ' || (*s >= 9 && *s <= 13))
		s++;
	if (*s == '-' || *s == '+')
		negative = *s++ == '-';
	if ((base == 0 || base == 16) && *s == '0' && (s[1] | 32) == 'x'
		&& digit_of(s[2]) < 16) {
		base = 16;
		s += 2;
	}
	if (base == 0)
		base = *s == '0' ? 8 : 10;
	if (digit_of(*s) < base)
		start = NULL;
	while (digit_of(*s) < base)
		n = n * base + digit_of(*s++);
	if (end)
		*end = (char *)(start ? start : s);
	return negative ? -n : n;
}

long strtol(const char *s, char **end, int base)
{
	return strtoul(s, end, base);
}

long long strtoll(const char *s, char **end, int base)
{
	return strtoul(s, end, base);
}

unsigned long long strtoull(const char *s, char **end, int base)
{
	return strtoul(s, end, base);
}

int atoi(const char *s)
{
	return strtoul(s, NULL, 10);
}

static void swap(char *a, char *b, size_t size)
{
	char c;

	while (size) {
		c = *a;
		*a++ = *b;
		*b++ = c;
		size--;
	}
}

/* Heapsort: in place, never quadratic. */
static void sift(char *base, size_t root, size_t n, size_t size,
	int (*compare)(const void *, const void *))
{
	size_t child;

	while ((child = 2 * root + 1) < n) {
		if (child + 1 < n && compare(base + child * size,
			base + (child + 1) * size) < 0)
			child++;
		if (compare(base + root * size, base + child * size) >= 0)
			return;
		swap(base + root * size, base + child * size, size);
		root = child;
	}
}

void qsort(void *base, size_t n, size_t size,
	int (*compare)(const void *, const void *))
{
	size_t i;

	for (i = n / 2; i > 0; i--)
		sift(base, i - 1, n, size, compare);
	for (i = n; i > 1; i--) {
		swap(base, (char *)base + (i - 1) * size, size);
		sift(base, 0, i - 1, size, compare);
	}
}
