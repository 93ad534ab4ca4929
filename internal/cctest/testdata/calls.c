/* SPDX-License-Identifier: MIT */
/* Functions: arguments, results, pointers to functions, and ... */
#include "test.h"

typedef __builtin_va_list va_list;
#ifdef HOST
#define START(ap, last) __builtin_va_start(ap, last)
#else
#define START __builtin_va_start
#endif
#define ARG(ap, type) __builtin_va_arg(ap, type)
#define END(ap) __builtin_va_end(ap)
#define COPY(to, from) __builtin_va_copy(to, from)

struct pair {
    long a, b;
};
struct small {
    char c[5];
};

static long total(int n, ...)
{
    va_list ap;
    long sum = 0;
    START(ap, n);
    while (n-- > 0)
        sum = sum * 10 + ARG(ap, int);
    END(ap);
    return sum;
}
static long pass(const char *kinds, va_list ap)
{
    long sum = 0;
    for (; *kinds; kinds++)
        switch (*kinds) {
        case 'i':
            sum += ARG(ap, int);
            break;
        case 'u':
            sum += ARG(ap, unsigned);
            break;
        case 'l':
            sum += ARG(ap, long);
            break;
        case 's':
            sum += *ARG(ap, char *);
            break;
        case 'p': {
            struct pair p = ARG(ap, struct pair);
            sum += p.a * p.b;
            break;
        }
        case 'c':
            sum += ARG(ap, struct small).c[3];
            break;
        case 'f':
            sum += ARG(ap, long (*)(int))(3);
        }
    return sum;
}
static long vary(const char *kinds, ...)
{
    va_list ap, again;
    long sum, *mixed = &sum;
    START(ap, kinds);
    COPY(again, ap);
    sum = pass(kinds, ap) * 2;
    *mixed += pass(kinds, again);
    END(ap);
    END(again);
    return sum;
}

static long square(int n) { return (long)n * n; }
static long negative(int n) { return -n; }
static long (*choose(int which))(int)
{
    return which ? square : &negative;
}
typedef long function(int);
static long apply(function *f, int n) { return f(n) + (*f)(n) + (**f)(n); }
static long twice(long f(int), int n) { return f(f(n)); }

static signed char narrow(int n) { return n; }
static unsigned char narrow_u(int n) { return n; }
static unsigned short half(long n) { return n; }
static _Bool yes(int n) { return n; }
static int wide(char c, unsigned char u, short s, unsigned short v, int i,
                unsigned w, long l)
{
    return c + u + s + v + i + w + l;
}
static long ten(long a, long b, long c, long d, long e, long f, long g,
                long h, long i, long j)
{
    return a - b + c * d - e + f * g - h + i - j;
}
static int ackermann(int m, int n)
{
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1)
        : ackermann(m - 1, ackermann(m, n - 1));
}
static int odd(unsigned n);
static int even(unsigned n) { return n == 0 || odd(n - 1); }
static int odd(unsigned n) { return n != 0 && even(n - 1); }
static void nothing(void) { }
static void early(int *p)
{
    if (*p > 3)
        return;
    ++*p;
    return nothing();
}
static int order[4], next;
static int mark(int n) { order[next++ & 3] = n; return n; }
static int changes(int n, int *p)
{
    n++;
    *p = n;
    { int n = 100; n++; }
    return n++;
}
long external(int, char *);

int main(int argc, char **argv)
{
    struct pair p = { 6, 7 };
    struct small s = { { 1, 2, 3, 4, 5 } };
    struct { function *f; struct { long (*g)(int); } in[2]; } o;
    function *table[2][2] = { { square, negative }, { negative } };
    int i = 0;
    SHOW(argc);
    SHOW(argv[argc] == 0);
    SHOW(total(0));
    SHOW(total(5, 1, 2, 'a' - 'a' + 3, (char)4, (short)5));
    SHOW(vary("iuls", -5, 4000000000u, 1L << 40, "x"));
    SHOW(vary("picifl", p, 10, s, 20, square, 30L));
    SHOW(choose(0)(5) + choose(1)(5));
    SHOW((*choose(1))(6));
    SHOW(apply(square, 3) + apply(choose(0), 2));
    SHOW(twice(square, 3));
    o.f = square;
    o.in[1].g = o.f;
    SHOW(o.in[1].g(9) + (*o.f)(2));
    SHOW((i ? square : negative)(8));
    SHOW(table[0][1](4) + (*table[1])(5) + !table[1][1]);
    SHOW(narrow(200) + narrow_u(-1) + half(65537) + yes(256));
    SHOW(wide(-1, 255, -2, 65535, -3, 4000000000u, 1L << 33));
    SHOW(wide(300, 300, 70000, 70000, 3, 4, 5));
    SHOW(ten(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    SHOW(ten(square(1), square(2), ten(1, 1, 1, 1, 1, 1, 1, 1, 1, square(2)),
             4, 5, square(6), 7, 8, 9, square(choose(0)(10))));
    SHOW(ackermann(2, 3));
    SHOW(even(10) * 10 + odd(10));
    for (i = 0; i < 3; i++)
        early(&i);
    SHOW(i);
    SHOW(changes(5, &i) * 10 + i);
    SHOW(mark(1) + mark(2) * (mark(3), mark(4)));
    SHOW(square(3) - square(2) * square(1) + (square(4) - 1) / square(2));
    SHOW(external(3, "abcdef"));
    SHOW(square == choose(1));
    SHOW(sizeof(square(1)) + sizeof(&square));
    return 0;
}

long external(int n, char *s)
{
    return s[n];
}
