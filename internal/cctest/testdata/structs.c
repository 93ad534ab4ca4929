/* SPDX-License-Identifier: MIT */
/* Structs and unions: layout, members, copies, arguments, results. */
#include "test.h"

struct point {
    int x, y;
};
struct line {
    struct point from, to;
    char name[5];
};
struct mixed {
    char a;
    short b;
    char c;
    int d;
    char e;
    long f;
    char g;
};
union value {
    char c;
    int i;
    long l;
    struct point p;
    char bytes[13];
};
struct tree {
    struct tree *left, *right;
    int key;
};
struct outer {
    int kind;
    union {
        int number;
        struct {
            short low, high;
        };
        union {
            unsigned char byte;
        };
    };
    struct {
        int deep;
    } named;
};
struct big {
    long words[20];
    char tail;
};
struct flexible {
    int n;
    char data[];
};
struct odd {
    char c[3];
};

#define OFFSET(t, m) ((long)&((t *)0)->m)
enum { AT = OFFSET(struct mixed, f), LAST = OFFSET(struct line, name[2]) };

static struct point make(int x, int y)
{
    struct point p;
    p.x = x;
    p.y = y;
    return p;
}
static struct big grow(struct big b, int by, struct odd o)
{
    int i;
    for (i = 0; i < 20; i++)
        b.words[i] += by;
    b.tail = o.c[0] + o.c[1] + o.c[2];
    return b;
}
static int sum(struct point p, char c, struct point q)
{
    p.x += 1000;
    return p.x + p.y + q.x + q.y + c;
}
static struct point *address(struct point *p)
{
    p->x++;
    return p;
}

struct point points[3] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
struct big big;

int main(void)
{
    struct line l, *pl = &l;
    struct mixed m;
    union value v;
    struct outer o;
    struct tree nodes[3], *t = nodes;
    struct big other;
    struct odd odd = { { 1, 2, 3 } }, odd2;
    struct point p = make(7, 8), q;
    int i;

    SHOW(sizeof(struct mixed));
    SHOW(sizeof(struct line));
    SHOW(sizeof(union value));
    SHOW(sizeof(struct outer));
    SHOW(sizeof(struct big));
    SHOW(sizeof(struct flexible));
    SHOW(sizeof m.f + sizeof pl->name + sizeof(pl->from));
    SHOW(AT);
    SHOW(LAST);
    SHOW(OFFSET(struct mixed, g));
    SHOW((char *)&o.high - (char *)&o);
    SHOW((char *)&o.named.deep - (char *)&o);
    l.from = p;
    l.to = make(p.y, p.x);
    pl->name[4] = 'z';
    SHOW(l.from.x * 1000 + pl->from.y * 100 + l.to.x * 10 + (*pl).to.y);
    SHOW(pl->name[4]);
    SHOW(make(1, 2).y);
    SHOW(sum(p, 'c', make(20, 30)));
    SHOW(p.x);
    SHOW(address(&p)->x);
    address(address(&p))->y = 50;
    SHOW(p.x + p.y);
    q = p.x > 5 ? p : points[0];
    SHOW(q.x);
    q = points[2], q = (p = points[1]);
    SHOW(p.x * 10 + q.y);
    points[0] = points[2];
    SHOW(points[0].y);
    SHOW((points + 1)->x);
    SHOW(&points[2] - points);
    v.l = 0x1122334455667788;
    SHOW(v.c);
    SHOW(v.i);
    SHOW(v.p.y);
    SHOW(v.bytes[2]);
    o.number = 0x00050003;
    SHOW(o.low + o.high * 10);
    o.byte = 9;
    SHOW(o.number);
    o.named.deep = o.low;
    SHOW(o.named.deep);
    for (i = 0; i < 20; i++)
        big.words[i] = i;
    other = big;
    other = grow(other, 100, odd);
    SHOW(other.words[0] + other.words[19] + other.tail);
    SHOW(big.words[19]);
    SHOW(grow(big, 1, odd).words[5]);
    odd2 = odd;
    SHOW(odd2.c[2]);
    nodes[0].left = nodes + 1;
    nodes[1].right = &nodes[2];
    nodes[2].key = 42;
    SHOW(t->left->right->key);
    t->left->right->key += 8;
    t->left->right->key++;
    SHOW(nodes[2].key--);
    SHOW(--nodes[0].left->right->key);
    return 0;
}
