/* SPDX-License-Identifier: MIT */
/* The other file of decl.c: names of its own that are the same there. */
static int hidden = 1000;
static int later(int n) { return n + hidden; }
static const char *const name = "decl2\n";
int shared = 500;
int shared_array[4] = { 1, 2, 3 };
#ifdef SHOW
#error "macros end with their file"
#endif
struct list {
    char other[100];
};

const char *shared_name(void)
{
    static int count;
    struct list l;
    l.other[99] = later(0) == 1000;
    return l.other[99] && count++ == 0 ? name : "wrong";
}
