/* SPDX-License-Identifier: MIT */
/* Floating point in integers: what cc calls for it. Round to nearest, ties to
   even; denormals, infinities and NaNs as in IEEE 754. long double is that of
   the x87: 64 bits of mantissa, all of them there, then sign and exponent. */

typedef unsigned long u64;

enum { ZERO, NORMAL, INFINITE, NAN };

/* (-1)^neg * (m + low / 2^64) * 2^(e - 63). Where kind is NORMAL, the top bit
   of m is set. The last bit of low is also set where bits below it are. */
struct number {
    int kind, neg, e;
    u64 m, low;
};

union ld {
    long double l;
    struct {
        u64 m;
        unsigned short e;
    } w;
};
union d {
    double d;
    u64 w;
};
union f {
    float f;
    unsigned w;
};

#define TOP (1UL << 63)

static void normalize(struct number *x)
{
    if ((x->m | x->low) == 0) {
        x->kind = ZERO;
        return;
    }
    if (x->m == 0) {
        x->m = x->low;
        x->low = 0;
        x->e -= 64;
    }
    while (!(x->m & TOP)) {
        x->m = x->m << 1 | x->low >> 63;
        x->low <<= 1;
        x->e--;
    }
}

/* Shift right by n; what falls out leaves its mark. */
static void shift_right(struct number *x, u64 n)
{
    if (n >= 128) {
        x->low = (x->m | x->low) != 0;
        x->m = 0;
        return;
    }
    if (n >= 64) {
        x->low = x->m | (x->low != 0);
        x->m = 0;
        n -= 64;
    }
    if (n > 0) {
        u64 lost = x->low << (64 - n);
        x->low = x->m << (64 - n) | x->low >> n | (lost != 0);
        x->m >>= n;
    }
}

/* A mantissa of p bits with a biased exponent, as floats have them. */
static void unpack(struct number *x, int neg, int biased, u64 m, int p,
                   int bias)
{
    x->neg = neg;
    x->low = 0;
    if (biased == 2 * bias + 1) {
        x->kind = m << (65 - p) ? NAN : INFINITE;
        return;
    }
    x->kind = NORMAL;
    x->e = (biased ? biased : 1) - bias;
    x->m = m << (64 - p);
    normalize(x);
}
static void unpack_l(struct number *x, long double l)
{
    union ld u;
    u.l = l;
    unpack(x, u.w.e >> 15, u.w.e & 0x7fff, u.w.m, 64, 16383);
}
static void unpack_d(struct number *x, double d)
{
    union d u;
    int biased;
    u64 m;
    u.d = d;
    biased = u.w >> 52 & 0x7ff;
    m = u.w & (1UL << 52) - 1;
    if (biased)
        m |= 1UL << 52;
    unpack(x, u.w >> 63, biased, m, 53, 1023);
}

/* Rounds to p bits: *m is the mantissa with its first bit, or without it for
   a small number; returns the biased exponent. */
static int pack(struct number *x, u64 *m, int p, int bias)
{
    int e = x->e;
    u64 full = 1UL << (p - 1);
    *m = 0;
    if (x->kind == ZERO)
        return 0;
    *m = full;
    if (x->kind == INFINITE)
        return 2 * bias + 1;
    if (x->kind == NAN) {
        *m = full | full >> 1;
        return 2 * bias + 1;
    }
    if (e < 1 - bias) {
        shift_right(x, 1 - bias - e);
        e = 1 - bias;
    }
    shift_right(x, 64 - p);
    *m = x->m;
    if (x->low > TOP || x->low == TOP && (x->m & 1)) {
        *m += 1;
        if (*m == full << 1) {
            *m = full;
            e++;
        }
    }
    if (e > bias) {
        *m = full;
        return 2 * bias + 1;
    }
    return *m & full ? e + bias : 0;
}
static long double pack_l(struct number *x)
{
    union ld u;
    u64 m;
    u.l = 0;
    u.w.e = pack(x, &m, 64, 16383) | x->neg << 15;
    u.w.m = m;
    return u.l;
}
static double pack_d(struct number *x)
{
    union d u;
    u64 m;
    u.w = (u64)pack(x, &m, 53, 1023) << 52 | (u64)x->neg << 63;
    u.w |= m & (1UL << 52) - 1;
    return u.d;
}

static void make_nan(struct number *x)
{
    x->kind = NAN;
    x->neg = 1;
}

/* x += y */
static void add(struct number *x, struct number *y)
{
    struct number t;
    if (x->kind == NAN || y->kind == ZERO) {
        if (x->kind == ZERO && !y->neg)
            x->neg = 0;
        return;
    }
    if (y->kind == NAN || x->kind == ZERO) {
        *x = *y;
        return;
    }
    if (x->kind == INFINITE || y->kind == INFINITE) {
        if (x->kind == y->kind && x->neg != y->neg)
            make_nan(x);
        else if (y->kind == INFINITE)
            *x = *y;
        return;
    }
    if (y->e > x->e || y->e == x->e && y->m > x->m) {
        t = *x;
        *x = *y;
        *y = t;
    }
    shift_right(y, x->e - y->e);
    if (x->neg == y->neg) {
        x->low += y->low;
        x->m += y->m;
        if (x->m < y->m) {
            shift_right(x, 1);
            x->m |= TOP;
            x->e++;
        }
    } else {
        x->m -= y->m + (y->low > 0);
        x->low = -y->low;
        normalize(x);
        if (x->kind == ZERO)
            x->neg = 0;
    }
}

/* m and low of x become those of x->m * y, of 128 bits. */
static void multiply(struct number *x, u64 y)
{
    u64 a = x->m >> 32, b = x->m & 0xffffffff;
    u64 c = y >> 32, d = y & 0xffffffff;
    u64 middle = a * d + (b * d >> 32), other = b * c;
    x->low = x->m * y;
    other += middle & 0xffffffff;
    x->m = a * c + (middle >> 32) + (other >> 32);
}
static void mul(struct number *x, struct number *y)
{
    x->neg ^= y->neg;
    if (x->kind == NAN)
        return;
    if (y->kind == NAN) {
        *x = *y;
    } else if (x->kind == INFINITE || y->kind == INFINITE) {
        if (x->kind == ZERO || y->kind == ZERO)
            make_nan(x);
        else
            x->kind = INFINITE;
    } else if (x->kind == ZERO || y->kind == ZERO) {
        x->kind = ZERO;
    } else {
        multiply(x, y->m);
        x->e += y->e + 1;
        normalize(x);
    }
}

/* m and low of x become those of x->m / y, up to 127 bits behind the point. */
static void divide(struct number *x, u64 y)
{
    u64 rest = x->m, over = 0;
    int i;
    x->m = x->low = 0;
    for (i = 0; i < 128; i++) {
        x->m = x->m << 1 | x->low >> 63;
        x->low <<= 1;
        if (over || rest >= y) {
            x->low |= 1;
            rest -= y;
        }
        over = rest >> 63;
        rest <<= 1;
    }
    x->low |= (rest | over) != 0;
}
static void div(struct number *x, struct number *y)
{
    x->neg ^= y->neg;
    if (x->kind == NAN)
        return;
    if (y->kind == NAN) {
        *x = *y;
    } else if (x->kind == INFINITE) {
        if (y->kind == INFINITE)
            make_nan(x);
    } else if (y->kind == ZERO) {
        if (x->kind == ZERO)
            make_nan(x);
        else
            x->kind = INFINITE;
    } else if (y->kind == INFINITE) {
        x->kind = ZERO;
    } else if (x->kind != ZERO) {
        divide(x, y->m);
        x->e -= y->e;
        normalize(x);
    }
}

#define OPERATION(name, type, suffix, work) \
    type name(type a, type b) \
    { \
        struct number x, y; \
        unpack_ ## suffix(&x, a); \
        unpack_ ## suffix(&y, b); \
        work; \
        return pack_ ## suffix(&x); \
    }
OPERATION(__cc_add_l, long double, l, add(&x, &y))
OPERATION(__cc_add_d, double, d, add(&x, &y))
OPERATION(__cc_sub_l, long double, l, y.neg ^= 1; add(&x, &y))
OPERATION(__cc_sub_d, double, d, y.neg ^= 1; add(&x, &y))
OPERATION(__cc_mul_l, long double, l, mul(&x, &y))
OPERATION(__cc_mul_d, double, d, mul(&x, &y))
OPERATION(__cc_div_l, long double, l, div(&x, &y))
OPERATION(__cc_div_d, double, d, div(&x, &y))

/* -1, 0 or 1 as a is less than, equal to or more than b; 2 for NaNs. */
int __cc_cmp(long double a, long double b)
{
    struct number x, y;
    int more;
    unpack_l(&x, a);
    unpack_l(&y, b);
    if (x.kind == NAN || y.kind == NAN)
        return 2;
    if (x.kind == ZERO && y.kind == ZERO)
        return 0;
    if (x.kind == ZERO)
        return y.neg ? 1 : -1;
    if (y.kind == ZERO || x.neg != y.neg)
        return x.neg ? -1 : 1;
    more = x.neg ? -1 : 1;
    if (x.kind != y.kind)
        return x.kind == INFINITE ? more : -more;
    if (x.kind == INFINITE || x.e == y.e && x.m == y.m)
        return 0;
    return x.e > y.e || x.e == y.e && x.m > y.m ? more : -more;
}

/* Conversions: the letters tell from and to what; i is long, u unsigned. */
long double __cc_d_l(double d)
{
    struct number x;
    unpack_d(&x, d);
    return pack_l(&x);
}
double __cc_l_d(long double l)
{
    struct number x;
    unpack_l(&x, l);
    return pack_d(&x);
}
long double __cc_f_l(float f)
{
    union f u;
    struct number x;
    int biased;
    u64 m;
    u.f = f;
    biased = u.w >> 23 & 0xff;
    m = u.w & 0x7fffff;
    if (biased)
        m |= 0x800000;
    unpack(&x, u.w >> 31, biased, m, 24, 127);
    return pack_l(&x);
}
float __cc_l_f(long double l)
{
    union f u;
    struct number x;
    u64 m;
    unpack_l(&x, l);
    u.w = pack(&x, &m, 24, 127) << 23 | (unsigned)x.neg << 31;
    u.w |= m & 0x7fffff;
    return u.f;
}
static long double from_integer(u64 v, int neg)
{
    struct number x;
    x.kind = NORMAL;
    x.neg = neg;
    x.e = 63;
    x.m = v;
    x.low = 0;
    normalize(&x);
    return pack_l(&x);
}
long double __cc_u_l(u64 v)
{
    return from_integer(v, 0);
}
long double __cc_i_l(long v)
{
    return v < 0 ? from_integer(-(u64)v, 1) : from_integer(v, 0);
}
/* What does not fit gives what the processor gives. */
static u64 to_integer(long double l, u64 most)
{
    struct number x;
    unpack_l(&x, l);
    if (x.kind == ZERO || x.kind == NORMAL && x.e < 0)
        return 0;
    if (x.kind != NORMAL || x.e > 63)
        return TOP;
    x.m >>= 63 - x.e;
    if (x.m > most)
        return TOP;
    return x.neg ? -x.m : x.m;
}
long __cc_l_i(long double l)
{
    return to_integer(l, TOP);
}
u64 __cc_l_u(long double l)
{
    return to_integer(l, -1UL);
}
