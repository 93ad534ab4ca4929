/* SPDX-License-Identifier: MIT */
/* What the programs here use: CHECK says where something is not so, DONE ends main. */
#include <stdio.h>

static int checks, failed;

#define CHECK(x) do { \
	checks++; \
	if (!(x)) { \
		failed++; \
		printf("%s:%d: %s\n", __FILE__, __LINE__, #x); \
	} \
} while (0)

#define DONE do { \
	printf("%d checks, %d failed\n", checks, failed); \
	return failed != 0; \
} while (0)

/* Numbers that look like chance, the same at every run. */
static unsigned long long chance_state = 88172645463325252ULL;

static unsigned long long chance(void)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return chance_state;
}
