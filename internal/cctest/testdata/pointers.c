/* SPDX-License-Identifier: MIT */
/* Pointers and arrays. */
#include "test.h"

struct item {
    int a;
    char b[7];
};
typedef int row[4];

int numbers[6] = { 10, 20, 30, 40, 50, 60 };
row grid[3] = { { 1, 2, 3, 4 }, { 5, 6, 7, 8 }, { 9, 10, 11, 12 } };
struct item items[3];
char *names[] = { "zero", "one", "two", 0 };

static int sum(row r) { return r[0] + r[3]; }
static int sum2(int r[][4], int n)
{
    return n ? sum(*r) + sum2(r + 1, n - 1) : 0;
}
static int *at(int i) { return numbers + i; }
static void swap(int *a, int *b) { int t = *a; *a = *b; *b = t; }
static int count(char **list)
{
    int n = 0;
    while (*list++)
        n++;
    return n;
}

int main(void)
{
    int *p = numbers, **pp = &p, (*pr)[4] = grid, i = 2;
    struct item *q = items + 1;
    char *s = names[1], c, buffer[20];
    unsigned char *u;
    void *v;
    long l;
    unsigned ui = 1;
    short sh = -1;

    SHOW(*p + p[1] + *(p + 2) + 3[p]);
    SHOW(*++p);
    SHOW(*p++);
    SHOW(++*p);
    SHOW((*p)++);
    SHOW(*p);
    SHOW(*p--);
    SHOW(p - numbers);
    SHOW(&numbers[5] - p);
    SHOW(p < &numbers[5]);
    SHOW(p == &numbers[1]);
    SHOW(**pp);
    *pp += 2;
    SHOW(*p);
    p -= 1;
    SHOW(*p);
    SHOW(p[-1]);
    SHOW(p[i - 3]);
    SHOW(p[sh]);
    SHOW(*(p + ui));
    SHOW(*at(4));
    *at(4) = 5;
    *at(3) += *at(4);
    SHOW(numbers[3]);
    swap(&numbers[0], at(5));
    SHOW(numbers[0] - numbers[5]);
    SHOW(grid[1][2] + pr[2][1] + *grid[2] + (*pr)[3] + **pr);
    SHOW(*(*(grid + 1) + 3));
    SHOW(sum(grid[1]) + sum2(grid, 3));
    SHOW(sizeof grid / sizeof *grid + sizeof *pr + sizeof(row[2]));
    SHOW(&grid[2][1] - &grid[0][3]);
    SHOW((char *)(pr + 1) - (char *)pr);
    q->b[6] = 'q';
    (q - 1)->a = 7;
    q[1].a = 8;
    SHOW(items[1].b[6] + items->a + (*(q + 1)).a);
    SHOW((q + 1) - items);
    SHOW((long)(q + 1) - (long)items);
    SHOW(s[2] + *names[2] + names[0][1] + *s++ + *s);
    SHOW("literal"[3]);
    SHOW(*"x" + sizeof "four" + sizeof("a" "b"));
    SHOW(count(names));
    for (s = buffer, c = 'a'; c <= 'e'; )
        *s++ = c++;
    *s = 0;
    text(buffer);
    text("\n");
    while (s-- > buffer)
        *s ^= 0x20;
    text(buffer);
    text("\n");
    v = numbers;
    SHOW(*(int *)v == numbers[0]);
    SHOW(v == numbers);
    SHOW(v != 0 && !!v);
    u = (unsigned char *)&numbers[1];
    u[1] = 1;
    SHOW(numbers[1]);
    l = (long)&numbers[2];
    SHOW(*(int *)l);
    SHOW(*(short *)(l + 1));
    p = 0;
    SHOW(p ? 1 : p == (void *)0 ? 2 : 3);
    SHOW((long)(p + 3));
    SHOW((long)&((struct item *)0)->b[2]);
    p = i ? numbers : 0;
    SHOW(p[1]);
    p = &*numbers;
    SHOW(*&*p == *p);
    pr++;
    SHOW((*pr)[1]);
    SHOW(pr[1][-1]);
    return 0;
}
