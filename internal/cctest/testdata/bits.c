/* SPDX-License-Identifier: MIT */
/* Bit-fields: where they lie, what they hold, what they become. */
#include "test.h"

struct a {
    unsigned short one : 1, two : 2, five : 5, eight : 8, fourteen : 14;
} a;
struct b {
    int s3 : 3;
    unsigned u3 : 3;
    signed char c;
    int : 0;
    int s7 : 7, : 4, s20 : 20;
    unsigned long long big : 40;
    long small : 10;
    _Bool flag : 1;
} b, *p = &b, copy;
struct c {
    char x;
    int y : 20;
    char z : 4;
    short w : 9;
} c;
union d {
    unsigned all;
    struct {
        unsigned low : 4, mid : 20, high : 8;
    };
} d;
struct e {
    unsigned full : 32;
    long whole : 64;
} e;
struct f {
    int first : 5, : 0;
    int second : 5;
    unsigned char tail[3];
} f = { -3, 9, { 1, 2, 3 } };
struct b g = { -4, 7, 'x', -64, -524288, 0xffffffffff, -512, 1 };
static struct { char a; unsigned b : 5, c : 9, d : 12; short e; } h =
    { 1, 31, 300, 4000, -2 };

int main(void)
{
    struct b local = { 3, 5, -1, 63, 7, 1, 2, 0 };
    SHOW(sizeof(struct a));
    SHOW(sizeof(struct b));
    SHOW(sizeof(struct c));
    SHOW(sizeof(union d));
    SHOW(sizeof(struct e));
    SHOW(sizeof(struct f));
    SHOW(sizeof h);
    SHOW(a.one = 3);
    SHOW(a.two = 7);
    SHOW(a.five = 33);
    SHOW(a.eight = 511);
    SHOW(a.fourteen = -1);
    BYTES(a);
    a.eight = 0;
    BYTES(a);
    SHOW(a.five++);
    SHOW(++a.five);
    SHOW(a.five += 40);
    SHOW(a.five *= 3);
    SHOW(a.two--);
    SHOW(a.two);
    SHOW(p->s3 = 5);
    SHOW(p->s3 >> 1);
    SHOW(p->u3 = 13);
    SHOW(p->u3 - 6);
    SHOW(p->u3 - 6 < 0);
    SHOW(+(unsigned)p->u3 - 6 > 0);
    SHOW(p->c = 200);
    SHOW(p->s7 = 64);
    SHOW(p->s20 = 0x80000);
    SHOW(p->big = 0x123456789abc);
    SHOW(p->big * 2);
    SHOW(p->small = 1023);
    SHOW(p->flag = 8);
    SHOW(p->flag);
    BYTES(b);
    copy = b;
    BYTES(copy);
    c.x = 1;
    c.y = -2;
    c.z = 3;
    c.w = -4;
    SHOW(c.x + c.y + c.z + c.w);
    BYTES(c);
    d.all = 0x12345678;
    SHOW(d.low);
    SHOW(d.mid);
    SHOW(d.high);
    d.mid = 0;
    SHOW(d.all);
    SHOW(e.full = -1);
    SHOW(e.full > 0);
    SHOW(e.whole = -1);
    SHOW(e.whole > 0);
    BYTES(f);
    BYTES(g);
    BYTES(h);
    SHOW(local.s3);
    SHOW(local.s7);
    SHOW(local.big + local.small + local.flag);
    p = &local;
    p->s3 = p->u3 = 6;
    SHOW(p->s3);
    SHOW(p->u3 ? p->c : 9);
    return 0;
}
