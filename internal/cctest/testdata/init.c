/* SPDX-License-Identifier: MIT */
/* Initialisers, of objects with a fixed place and of those in a frame. */
#include "test.h"

struct pair {
    short a, b;
};
struct deep {
    char c;
    struct pair p[2];
    union {
        int i;
        char text[4];
    } u;
    const char *s;
    int tail[];
};
struct node {
    struct node *next;
    int (*f)(int);
    long *where;
};

static int twice(int n) { return 2 * n; }
static int thrice(int n) { return 3 * n; }

int zero;
int one = 1, list[] = { 1, 2, 3, 4, };
int some[10] = { 5, 6 };
int square[2][3] = { { 1, 2 }, { 4 } };
int flat[2][3] = { 1, 2, 3, 4 };
int open_ended[][2] = { { 1 }, { 2, 3 }, 4, 5, { 6 } };
char greeting[] = "hello";
char exact[5] = "hello", room[9] = "hello", braced[] = { "hi" };
char lines[3][4] = { "abc", "de", { 'f' } };
const char *words[] = { "one", "two" "three", "\x41\102\n", "a\0b" };
struct pair pairs[] = { { 1, 2 }, 3, 4, { 5 } };
struct pair *ends[2] = { pairs + 2, &pairs[0] };
struct deep deep = { 'x', { { 1, 2 }, { 3 } }, { 7 }, "text" };
struct deep flatter = { 'y', 1, 2, 3, 4, 5, "more" };
long place[3] = { 10, 20, 30 };
struct node second, first = { &second, twice, &place[1] };
struct node second = { &first, thrice, place + 2 };
int (*functions[])(int) = { twice, &thrice, 0 };
char *inside = greeting + 1, *end = &greeting[sizeof greeting - 1];
long difference = &place[2] - &place[0];
unsigned char bytes[] = { 255, -1, 'a', 1 + 1 };
long values[] = { -1, 1L << 40, 0xffffffff, ~0UL >> 1, sizeof(struct deep),
    (char)300, 5 ? 6 : 7, (long)1 << 62 };
static int *self[] = { &one, (int *)self, 0 };
void *address = (void *)0x12345678;
unsigned long number_of = (unsigned long)&one;
short mixed[] = { sizeof list / sizeof *list, 'b' - 'a', !5, -3 % 2 };
enum { LIMIT = 4, TWICE = LIMIT * 2 } kind = TWICE;
_Bool truth = 5, lie = 0;

static int counter(void)
{
    static int count = 5, more[2] = { 7 };
    static const char *const name = "counter";
    static struct pair p = { 1 };
    more[1] += more[0];
    p.b++;
    return count++ + more[1] * 10 + name[0] + p.b;
}

static void locals(int n)
{
    int a = n, b[] = { n, n + 1, n + 2 }, c[5] = { 1, n }, d = { 9 };
    char s[] = "local", t[10] = "ab", u[3] = "xyz", e[100] = "";
    char *p = s, rest[200] = { 'r', n };
    struct pair q = { n, 2 }, r = q, v[2] = { { n }, q };
    struct deep w = { 'z', { { n, 1 }, q }, { n }, "w" };
    struct pair x[2][2] = { { q, r }, { 5, 6 } };
    int *pa = &a, m[2][2] = { n, n, n };
    long long big = n * 10000000000;
    BYTES(b);
    BYTES(c);
    BYTES(s);
    BYTES(t);
    BYTES(u);
    BYTES(q);
    BYTES(r);
    BYTES(v);
    BYTES(x);
    BYTES(m);
    SHOW(a + d + *p + *pa + e[0] + e[99] + rest[1] + rest[150]);
    SHOW(w.p[0].a + w.p[1].b + w.u.i + w.s[0]);
    SHOW(big);
}

int main(void)
{
    BYTES(zero);
    BYTES(list);
    BYTES(some);
    BYTES(square);
    BYTES(flat);
    BYTES(open_ended);
    BYTES(greeting);
    BYTES(exact);
    BYTES(room);
    BYTES(braced);
    BYTES(lines);
    SHOW(sizeof words / sizeof *words);
    text(words[0]);
    text(words[1]);
    text(words[2]);
    SHOW(words[3][2]);
    BYTES(pairs);
    SHOW(ends[0]->a - ends[1]->a);
    SHOW(deep.c + deep.p[0].b + deep.p[1].a + deep.p[1].b + deep.u.i);
    text(deep.s);
    SHOW(flatter.p[1].b);
    SHOW(flatter.u.text[0]);
    text(flatter.s);
    SHOW(first.next->next == &first);
    SHOW(first.f(5) + second.f(7) + *first.where + *second.where);
    SHOW(functions[0](3) + functions[1](3) + !functions[2]);
    SHOW(*inside);
    SHOW(*end);
    SHOW(difference);
    BYTES(bytes);
    BYTES(values);
    SHOW(*self[0]);
    SHOW(self[1] == (int *)self);
    SHOW((long)address);
    SHOW(number_of == (unsigned long)&one);
    BYTES(mixed);
    SHOW(kind);
    SHOW(truth + lie);
    counter();
    SHOW(counter());
    SHOW(counter());
    locals(7);
    locals(-1);
    return 0;
}
