/* SPDX-License-Identifier: MIT */
/* Integers of all widths: conversions, operators, comparisons. */
#include "test.h"

signed char sc;
unsigned char uc;
short ss;
unsigned short us;
int i, j;
unsigned u, v;
long l, m;
unsigned long ul, um;
_Bool b;

static void conversions(void)
{
    l = 0x123456789abcdef0;
    SHOW(sc = l);
    SHOW(uc = l);
    SHOW(ss = l);
    SHOW(us = l);
    SHOW(i = l);
    SHOW(u = l);
    SHOW(b = l);
    SHOW(b = 0);
    SHOW(sc = -1);
    SHOW(uc = sc);
    SHOW(us = sc);
    SHOW(u = sc);
    SHOW(ul = sc);
    SHOW((unsigned char)sc);
    SHOW((unsigned)sc);
    SHOW((char)200);
    SHOW((short)40000);
    SHOW((int)3000000000);
    SHOW((unsigned)-1);
    SHOW((_Bool)256);
    SHOW((_Bool)&i);
    u = 0xffffffff;
    SHOW(i = u);
    SHOW(l = u);
    SHOW(l = (int)u);
    i = -5;
    SHOW(ul = i);
    SHOW((unsigned)i);
    SHOW((unsigned long)i == -5UL);
    SHOW(sizeof(sc + sc));
    SHOW(sizeof(u + l));
    SHOW(sizeof(char));
    SHOW('a' + 1);
    SHOW('\377');
    SHOW(-'\x80');
    SHOW(~0u == 0xffffffff);
}

static void operators(void)
{
    i = -17;
    j = 5;
    SHOW(i / j);
    SHOW(i % j);
    SHOW(i / -j);
    SHOW(i % -j);
    SHOW(-i / j);
    SHOW(i * j);
    SHOW(i - j);
    SHOW(i & j);
    SHOW(i | j);
    SHOW(i ^ j);
    SHOW(~i);
    SHOW(!i);
    SHOW(!!i);
    SHOW(-i);
    SHOW(+i);
    SHOW(i << 3);
    SHOW(i >> 1);
    SHOW((unsigned)i >> 28);
    SHOW((unsigned)i / 7);
    SHOW((unsigned)i % 7);
    SHOW((unsigned)i * 3u);
    SHOW((unsigned)i / 8);
    SHOW((unsigned)i % 8);
    SHOW(i / 8);
    SHOW(i % 8);
    u = 3000000000u;
    v = 2000000000;
    SHOW(u + v);
    SHOW(u * 2);
    SHOW(v - u);
    SHOW((v - u) / 2);
    SHOW((long)(v - u));
    SHOW(u + 1L);
    ul = 0xfedcba9876543210;
    um = 10;
    SHOW(ul / um);
    SHOW(ul % um);
    SHOW(ul >> 60);
    SHOW((long)ul >> 60);
    SHOW(ul / 0x8000000000000000);
    SHOW(ul % 1000);
    SHOW(ul * ul);
    SHOW(ul + ul);
    SHOW(ul << 4);
    sc = 100;
    SHOW(sc + sc);
    SHOW(sc += sc);
    SHOW(sc <<= 1);
    SHOW(sc -= 300);
    uc = 250;
    SHOW(uc += 10);
    SHOW(uc--);
    SHOW(uc -= 10);
    SHOW(uc >>= 1);
    SHOW(uc *= 3);
    SHOW(uc /= 2);
    SHOW(uc %= 7);
    SHOW(uc ^= 0xff);
    SHOW(uc &= ~3);
    SHOW(uc |= 1);
    SHOW(uc);
    ss = 32767;
    SHOW(ss++);
    SHOW(ss);
    SHOW(--ss);
    us = 0;
    SHOW(us--);
    SHOW(us);
    b = 0;
    SHOW(b--);
    SHOW(b);
    SHOW(++b);
    SHOW(b += 5);
    i = 2147483647;
    SHOW(i + 1u);
    SHOW((i + 1u) / 2);
}

static void comparisons(void)
{
    i = -1;
    j = 1;
    u = 1;
    l = -1;
    ul = 1;
    SHOW(i < j);
    SHOW(i < u);
    SHOW(i < (long)u);
    SHOW(l < u);
    SHOW(l < ul);
    SHOW(i <= j);
    SHOW(i >= j);
    SHOW(i > j);
    SHOW(i == -1);
    SHOW(i != -1);
    SHOW(u - 2 < 0);
    SHOW(u - 2 > 0x7fffffff);
    SHOW((signed char)-1 < (unsigned char)1);
    SHOW(-1 > 0u);
    SHOW(-1L > 0u);
    SHOW(0x7fffffffffffffff < 0x8000000000000000);
    SHOW(i < j && j < 2);
    SHOW(i > j || j > 2);
    SHOW(!(i < j));
    SHOW(i < j == u);
    SHOW(i ? j ? 10 : 20 : 30);
    SHOW((i > 0 ? i : -i) + 1);
    SHOW(1 ? -1 : 0u);
    SHOW((0 ? 'a' : 0x80000000) > 0);
    SHOW((i, j));
}

/* The same again where the compiler knows the values. */
static void constants(void)
{
    SHOW(-17 / 5);
    SHOW(-17 % 5);
    SHOW(-17 >> 1);
    SHOW(-17u >> 28);
    SHOW(1 << 31);
    SHOW(1u << 31);
    SHOW(1L << 63);
    SHOW(0xffffffff + 1);
    SHOW(0x7fffffff + 1L);
    SHOW(4294967295 + 1);
    SHOW(0xfedcba9876543210 / 10);
    SHOW(0xfedcba9876543210 % 1000);
    SHOW(-1 / 3u);
    SHOW(-1L / 3u);
    SHOW(0x123456789 * 0x987654321);
    SHOW(18446744073709551615u);
    SHOW(~0UL >> 1);
    SHOW(-9223372036854775807 - 1);
    SHOW(0777);
    SHOW(0xABCdef);
    SHOW(1ull << 40);
    SHOW(~1);
    SHOW(3 > 2 > 1);
    SHOW(0x80000000 > -1);
    SHOW((unsigned char)~0 == 255);
    SHOW(sizeof(int[3]) / sizeof(int));
    SHOW(0 && i);
}

int main(void)
{
    conversions();
    operators();
    comparisons();
    constants();
    return 0;
}
