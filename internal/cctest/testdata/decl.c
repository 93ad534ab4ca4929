/* SPDX-License-Identifier: MIT */
/* Declarations: types, scopes, linkage between files (with decl2.c). */
#include "test.h"

typedef int integer, *pointer, array[3], function(integer);
typedef struct list list;
struct list {
    list *next;
    integer value;
};
typedef enum { RED, GREEN = 5, BLUE, MINUS = -3, NEXT } color;
enum big { HIGH = 0x7fffffff };
typedef unsigned char byte;
typedef struct {
    byte b;
} anonymous;

extern int shared;
extern int shared_array[];
extern const char *shared_name(void);
static int hidden = 1;
static int tentative;
static int tentative;
static int tentative = 4;
int defined_later[];
int defined_later[3];
function declared;
static int later(int);
long unsigned int long many_words = 1;
const volatile int unsigned qualified = 2;
int (*(*complicated)(int, char *))[3];
int *(*pointers[2])(int *);
char (*strings(int n))[4];
struct forward *opaque;
void (*handler)(int), (*handlers[3])(int);

struct scope {
    int a;
};

static int scopes(integer number)
{
    int list = number;
    {
        typedef long list;
        list value = number;
        struct scope {
            char b[3];
        } s;
        enum { RED = 50 };
        value += 0, value++;
        {
            int value = RED, color = 7;
            SHOW(value + color);
        }
        SHOW(value + sizeof(s) + sizeof(struct scope) + sizeof(list));
    }
    {
        extern int shared;
        extern int later(int);
        struct { struct scope in; int tail; } nested = { { 3 }, 4 };
        SHOW(shared + later(nested.in.a) + nested.tail);
    }
    SHOW(sizeof(struct scope) + RED);
    for (int i = 0; i < 2; i++) {
        static int kept;
        int fresh = 0;
        SHOW(++kept * 10 + ++fresh);
    }
    return list;
}
static int kept(void)
{
    static int kept = 100;
    return kept++;
}

static int *give(int *p) { return p + 1; }
char (*strings(int n))[4]
{
    static char table[3][4] = { "one", "two", "six" };
    return table + n;
}
static int three[3] = { 7, 8, 9 };
static int (*array_of(int n, char *s))[3]
{
    return n + *s ? &three : 0;
}

int main(void)
{
    pointer p = defined_later;
    array a = { 1, 2, 3 };
    list one = { 0, 1 }, two = { &one, 2 };
    color c = BLUE;
    anonymous x;
    int unsigned const static_count = 3;
    unsigned e = GREEN;
    byte b = 300;

    SHOW(scopes(9));
    SHOW(kept() + kept());
    SHOW(shared + hidden + tentative);
    SHOW(shared_array[2]);
    text(shared_name());
    SHOW(declared(4));
    SHOW(p[2] = 6);
    SHOW(defined_later[2] + sizeof defined_later);
    SHOW(a[1] + two.next->value + c + sizeof x + static_count);
    SHOW(RED + GREEN + BLUE + MINUS + NEXT);
    SHOW((color)-1 > 0);
    SHOW((enum big)HIGH + 1 > 0);
    SHOW(e + b);
    SHOW(sizeof many_words + qualified);
    complicated = array_of;
    SHOW((*complicated(1, "x"))[2]);
    pointers[1] = give;
    SHOW(*pointers[1](a) + *(*pointers[1])(&a[1]));
    SHOW((*strings(1))[0] + strings(2)[0][1]);
    SHOW(sizeof(int (*)[5]) + sizeof(int *[5]) + sizeof(char (*(*)(void))[9]));
    SHOW(opaque == 0 && !handler && !handlers[2]);
    SHOW(later(1));
    return 0;
}

int declared(int n)
{
    return n * 3;
}
static int later(int n)
{
    extern int shared_array[];
    return n + shared_array[0];
}
