/* SPDX-License-Identifier: MIT */
#ifndef STDLIB_H
#define STDLIB_H
#include <stddef.h>
extern char **environ;
void *malloc(size_t size);
void *realloc(void *p, size_t size);
void free(void *p);
void exit(int status);
void abort(void);
char *getenv(const char *name);
int atoi(const char *s);
long strtol(const char *s, char **end, int base);
unsigned long strtoul(const char *s, char **end, int base);
long long strtoll(const char *s, char **end, int base);
unsigned long long strtoull(const char *s, char **end, int base);
float strtof(const char *s, char **end);
double strtod(const char *s, char **end);
long double strtold(const char *s, char **end);
void qsort(void *base, size_t n, size_t size,
	int (*compare)(const void *, const void *));
#endif
