/* SPDX-License-Identifier: MIT */
/* malloc and its family under load; memcpy, memmove and memset at every alignment. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "check.h"

#define SLOTS 600

struct block {
	unsigned char *at;
	size_t size;
	unsigned char mark;
};

static int intact(struct block *b)
{
	size_t i;

	for (i = 0; i < b->size; i++)
		if (b->at[i] != (unsigned char)(b->mark + i))
			return 0;
	return 1;
}

static void fill(struct block *b, size_t from)
{
	size_t i;

	for (i = from; i < b->size; i++)
		b->at[i] = b->mark + i;
}

static size_t some_size(void)
{
	unsigned long long r = chance();

	switch (r % 8) {
	case 0:
		return r / 8 % 200000;
	case 1:
		return r / 8 % 5000;
	default:
		return r / 8 % 200;
	}
}

static void replace(struct block *b)
{
	free(b->at);
	b->size = some_size();
	b->mark = chance();
	b->at = chance() % 4 ? malloc(b->size) : aligned_alloc(64, (b->size + 63) / 64 * 64);
	CHECK(b->at || b->size == 0);
	CHECK((uintptr_t)b->at % 16 == 0);
	fill(b, 0);
}

static void resize(struct block *b)
{
	size_t was = b->size;

	b->size = some_size() + 1;
	b->at = realloc(b->at, b->size);
	CHECK(b->at != NULL);
	fill(b, was < b->size ? was : b->size);
}

static void torture(void)
{
	static struct block blocks[SLOTS];
	int i, bad = 0;

	for (i = 0; i < 12000; i++) {
		struct block *b = &blocks[chance() % SLOTS];

		if (i % 16 == 0)
			bad += !intact(b);
		if (chance() % 3)
			replace(b);
		else
			resize(b);
		bad += b->size > 0 && malloc_usable_size(b->at) < b->size;
	}
	for (i = 0; i < SLOTS; i++) {
		bad += !intact(&blocks[i]);
		free(blocks[i].at);
	}
	CHECK(bad == 0);
}

static void corners(void)
{
	size_t i, dirty = 0;
	unsigned char *p;
	void *q = NULL;

	for (i = 0; i < 200; i++) {
		p = malloc(4000);
		memset(p, 0xff, 4000);
		free(p);
		p = calloc(100, 40);
		while (dirty < 4000 && p[dirty] == 0)
			dirty++;
		CHECK(dirty == 4000);
		dirty = 0;
		free(p);
	}
	free(NULL);
	errno = 0;
	CHECK(calloc((size_t)-1 / 2, 4) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(malloc((size_t)-1 / 2) == NULL && errno == ENOMEM);
	CHECK(posix_memalign(&q, 4096, 100) == 0 && (uintptr_t)q % 4096 == 0);
	free(q);
	CHECK(posix_memalign(&q, 3, 100) == EINVAL);
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED && p[12345] == 0);
	p[12345] = 7;
	CHECK(munmap(p, 1 << 20) == 0);
	p = realloc(NULL, 10);
	memcpy(p, "123456789", 10);
	p = realloc(p, 3000000);
	CHECK(strcmp((char *)p, "123456789") == 0);
	p = realloc(p, 10);
	CHECK(strcmp((char *)p, "123456789") == 0);
	free(p);
}

/* Every small size and pair of alignments, and overlaps both ways. */
static void copies(void)
{
	unsigned char from[96], to[96], want[96];
	int size, a, b, i, bad = 0;

	for (i = 0; i < 96; i++)
		from[i] = i * 7 + 1;
	for (size = 0; size < 72; size++)
		for (a = 0; a < 9; a++)
			for (b = 0; b < 9; b++) {
				for (i = 0; i < 96; i++)
					want[i] = i >= a && i < a + size ? from[i - a + b] : from[i];
				memcpy(to, from, 96);
				bad += memcpy(to + a, from + b, size) != to + a;
				bad += memcmp(to, want, 96) != 0;
				memcpy(to, from, 96);
				bad += memmove(to + a, to + b, size) != to + a;
				bad += memcmp(to, want, 96) != 0;
				memset(to + a, b, size);
				for (i = a; i < a + size; i++)
					want[i] = b;
				bad += memcmp(to, want, 96) != 0;
			}
	CHECK(bad == 0);
}

int main(void)
{
	torture();
	corners();
	copies();
	DONE;
}
