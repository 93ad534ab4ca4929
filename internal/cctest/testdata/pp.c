/* SPDX-License-Identifier: MIT */
/* The preprocessor. */
#include "test.h"
#define HEADER "pp.h"
#include HEADER
#include "pp.h" // a second time: it guards itself

#define ONE 1
#define TWO (ONE + ONE)
#define ADD(a, b) ((a) + (b))
#define STR(x) #x
#define XSTR(x) STR(x)
#define CAT(a, b) a ## b
#define XCAT(a, b) CAT(a, b)
#define CAT3(a, b, c) a ## b ## c
#define EMPTY
#define CALL(f, ...) f(__VA_ARGS__)
#define LIST(first, rest...) first, ## rest
#define NOTHING() 5
#define SELF SELF + 1
#define PING(x) PONG(x) + x
#define PONG(x) PING(x) * 2
#define f(x) x + 1
#define g f
#define LP (
#define t(x, y, z) x ## y ## z
#define HASH_HASH # ## #
#define MKSTR(a) # a
#define IN_BETWEEN(a) MKSTR(a)
#define JOIN(c, d) IN_BETWEEN(c HASH_HASH d)
#define LONG_ONE(a, \
                 b) \
    a - \
    b

#if defined ONE && !defined(NONE) && ONE + ONE == 2
int first = 1;
#elif 1
int first = 2;
#else
int first = 3;
#endif

#ifdef NONE
# error "no" /* a comment
#endif */
it's not seen
#else // comment
#ifndef ONE
int second = 1;
#elif TWO > 1
int second = 2;
#else
int second = 3;
#endif
#endif

#if 0
#if 1
int third = 1;
#else
int third = 2;
#endif
#elif UNKNOWN
int third = 3;
#elif ADD(ONE, 1) == 2 ? 1 : 0
int third = 4;
#endif

#if -1 > 0u && 0x7fffffffffffffff + 1 < 0 && (2 || 1 / 0)
#endif
#if -1 < 0u || (-1 >> 1) != -1 || 0xffffffffffffffff != -1 || 'a' != 97
#error "conditions"
#endif
#if 5 / 2 != 2 || -5 % 3 != -2 || (1 << 40) != 0x10000000000 || ~0 != -1
#error "arithmetic"
#endif
#if (3 > 2) + (2 >= 2) * 10 != 11 || !1 || (1 ? 0 : 1) || (7 & 3 ^ 8 | 16) != 27
#error "operators"
#endif

#undef TWO
#define TWO 22
#define show_text(s) (text(s), text("\n"))

int xab = 5, x1 = 6, f1 = 7;

int main(void)
{
    SHOW(first);
    SHOW(second);
    SHOW(third);
    SHOW(from_header);
    SHOW(ADD(TWO, ADD(1, 2)));
    SHOW(CAT(x, ab) + XCAT(x, ONE) + CAT3(x, , 1));
    SHOW(CALL(ADD, 3, 4) + NOTHING());
    { int list[] = { LIST(1), LIST(2, 3), LIST(4, 5, 6) }; SHOW(sizeof list); }
    SHOW(f(1) * f(2));
    SHOW(g(3));
    SHOW(f
         (4));
    SHOW(CAT(f, 1));
    SHOW(LONG_ONE(9, 4));
    SHOW(__LINE__);
    show_text(__FILE__);
    show_text(STR(a   b "c\n" '"' + 'x'));
    show_text(STR( ONE ));
    show_text(XSTR(ONE + EMPTY TWO));
    show_text(XSTR(ADD(1, (2, 3))));
    show_text(XSTR(PING(1) SELF));
    show_text(XSTR(f(f(1)) g(2)));
    show_text(XSTR(t(1, 2, 3) t(, 4, 5) t(6, , 7) t(8, 9, ) t(10, , )
                   t(, 11, ) t(, , 12) t(, , )));
    show_text(JOIN(x, y));
    show_text(STR(CAT(a, b)));
    show_text(XSTR(CALL(STR, a)));
    show_text(XSTR(.5e+3 0x1.8p-1 1.e5f ... -> <<= >>= a+++b));
    show_text(XSTR(f)XSTR(f (1)));
    SHOW(ADD(/* a comment, (here) */ 1, // and here
             2));
    return 0;
}
