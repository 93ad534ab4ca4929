/* SPDX-License-Identifier: MIT */
/* setjmp and longjmp, as tcc uses them. */
#include "test.h"

#ifdef HOST
#include <setjmp.h>
#else
typedef long jmp_buf[8];
int setjmp(jmp_buf);
void longjmp(jmp_buf, int);
#endif

static jmp_buf top;
static struct {
    int level;
    jmp_buf inner;
} state;

static void dive(int depth, int value)
{
    int here[10];
    here[depth % 10] = depth;
    if (depth == 0)
        longjmp(top, value);
    dive(depth - 1, value);
    text("never\n");
    SHOW(here[0]);
}

static int nested(int n)
{
    int r;
    state.level = n;
    if ((r = setjmp(state.inner)) == 0) {
        longjmp(state.inner, n);
        return -1;
    }
    return r + state.level * 10;
}

int main(void)
{
    volatile int turns = 0;
    switch (setjmp(top)) {
    case 0:
        turns++;
        dive(20, 5);
    case 5:
        turns++;
        text("five\n");
        dive(3, 0);
    case 1:
        turns++;
        text("one\n");
        if (turns < 5)
            dive(1, 0);
        break;
    default:
        text("wrong\n");
    }
    SHOW(turns);
    SHOW(nested(3));
    SHOW(nested(4) + nested(5));
    return 0;
}
