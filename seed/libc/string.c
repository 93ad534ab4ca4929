/* SPDX-License-Identifier: MIT */
/* Bytes and strings. */
#include <string.h>

void *memcpy(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;
	long *tl = to;
	const long *fl = from;

	if ((((unsigned long)to | (unsigned long)from) & 7) == 0) {
		while (n >= 8) {
			*tl++ = *fl++;
			n -= 8;
		}
		t = (char *)tl;
		f = (const char *)fl;
	}
	while (n) {
		*t++ = *f++;
		n--;
	}
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (t <= f || t >= f + n)
		return memcpy(to, from, n);
	while (n) {
		n--;
		t[n] = f[n];
	}
	return to;
}

void *memset(void *to, int c, size_t n)
{
	char *t = to;
	long *tl;

	if (c == 0) {
		while (n && ((unsigned long)t & 7)) {
			*t++ = 0;
			n--;
		}
		tl = (long *)t;
		while (n >= 8) {
			*tl++ = 0;
			n -= 8;
		}
		t = (char *)tl;
	}
	while (n) {
		*t++ = c;
		n--;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a;
	const unsigned char *q = b;

	while (n) {
		if (*p != *q)
			return *p - *q;
		p++;
		q++;
		n--;
	}
	return 0;
}

size_t strlen(const char *s)
{
	const char *e = s;

	while (*e)
		e++;
	return e - s;
}

char *strcpy(char *to, const char *from)
{
	memcpy(to, from, strlen(from) + 1);
	return to;
}

char *strcat(char *to, const char *from)
{
	strcpy(to + strlen(to), from);
	return to;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *(const unsigned char *)a - *(const unsigned char *)b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	while (n && *a && *a == *b) {
		a++;
		b++;
		n--;
	}
	if (n == 0)
		return 0;
	return *(const unsigned char *)a - *(const unsigned char *)b;
}

char *strchr(const char *s, int c)
{
	while (*s != (char)c) {
		if (*s == 0)
			return NULL;
		s++;
	}
	return (char *)s;
}

char *strrchr(const char *s, int c)
{
	char *last = NULL;

	while (1) {
		if (*s == (char)c)
			last = (char *)s;
		if (*s == 0)
			return last;
		s++;
	}
}

char *strstr(const char *s, const char *part)
{
	size_t n = strlen(part);

	while (strncmp(s, part, n) != 0) {
		if (*s == 0)
			return NULL;
		s++;
	}
	return (char *)s;
}
