/* What floating-point operations add to the sticky flags, in loops that read, clear, restore and
 * raise them all the time, in every rounding mode; with denormals that are exact and others.
 * cflags: -frounding-math
 */
#include <fenv.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t state = 88172645463325252u;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Of few bits, so that results are exact quite often; nothing that is nearly the smallest normal
 * number, where processors differ in what tininess is. */
static double value(unsigned kind)
{
    double x = (double)(int64_t)(next() >> 40) * 0x1p-12;
    switch (kind % 12) {
    case 0: return 0;
    case 1: return x * 0x1p1010;
    case 2: return x * 0x1p-1060;
    case 3: return x * 0x1p-520;
    case 4: return 1 / 3.0 * x;
    case 5: return (double)(next() % 16);
    case 6: return -x;
    case 7: return x * 0x1p52;
    case 8: return INFINITY;
    default: return x;
    }
}

static uint64_t hash;

static void add(double x)
{
    uint64_t bits;
    if (x != x || x == 0)
        x = x == 0 ? 0 : 12345; /* NaNs and the sign of minima differ */
    memcpy(&bits, &x, 8);
    hash = (hash ^ bits) * 0x9e3779b97f4a7c15u;
}

__attribute__((noinline)) static double operate(unsigned op, double x, double y)
{
    volatile double a = x, b = y;
    volatile float f;
    fexcept_t kept;
    switch (op % 16) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return a / b;
    case 4: return sqrt(fabs(a));
    case 5: /* as floor() is made on RISC-V */
        fegetexceptflag(&kept, FE_ALL_EXCEPT);
        a = rint(a);
        fesetexceptflag(&kept, FE_ALL_EXCEPT);
        return a;
    case 6: return ldexp(a, (int)(op & 63) - 32);
    case 7: return rint(a);
    case 8: return nearbyint(a);
    case 9: f = (float)a; return f;
    case 10: return fabs(a) < 0x1p62 ? (double)(int64_t)a : 0;
    case 11: return fma(a, b, 1.5);
    case 12: return a < b ? a : b;
    case 13: return isless(a, b) ? a : b;
    case 14: return round(a);
    default: return fmin(a, b);
    }
}

static void run(unsigned turns, unsigned kinds, unsigned clear)
{
    fenv_t kept;
    const int rounds[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
    feclearexcept(FE_ALL_EXCEPT);
    fegetenv(&kept);
    hash = 0;
    unsigned seen = 0;
    for (unsigned n = 0; n < turns; n++) {
        double x = value((unsigned)(next() >> 33) % kinds + 12 - kinds);
        double y = value((unsigned)(next() >> 33) % kinds + 12 - kinds);
        add(operate((unsigned)(next() >> 20), x, y));
        unsigned flags = (unsigned)fetestexcept(FE_ALL_EXCEPT);
        seen |= flags;
        hash = (hash ^ (flags & FE_DIVBYZERO ? 1 : 0) ^ (flags & FE_INEXACT ? 2 : 0) ^
                (flags & FE_INVALID ? 4 : 0) ^ (flags & FE_OVERFLOW ? 8 : 0) ^
                (flags & FE_UNDERFLOW ? 16 : 0)) * 0x9e3779b97f4a7c15u;
        unsigned what = (unsigned)(next() >> 25) % clear;
        if (what == 0)
            feclearexcept(FE_ALL_EXCEPT);
        else if (what == 1)
            feclearexcept(FE_INEXACT | FE_UNDERFLOW);
        else if (what == 2)
            fesetround(rounds[next() >> 60 & 3]);
        else if (what == 3)
            fesetenv(&kept);
        else if (what == 4)
            fegetenv(&kept);
        else if (what == 5)
            feclearexcept(FE_INVALID);
        else if (what == 6)
            feraiseexcept(FE_DIVBYZERO);
    }
    fesetround(FE_TONEAREST);
    printf("%u turns, %u kinds, 1 of %u: %016llx, %d flags seen\n", turns, kinds, clear,
           (unsigned long long)hash, __builtin_popcount(seen & FE_ALL_EXCEPT));
}

/* Cleared and raised again and again, nothing else: how many turns told so. */
static void raise_often(void)
{
    volatile double zero = 0, large = 0x1p1000, one = 1;
    unsigned told = 0, turns = 3000;
    for (unsigned n = 0; n < turns; n++) {
        feclearexcept(FE_ALL_EXCEPT);
        one = 1 / zero;
        bool divided = fetestexcept(FE_ALL_EXCEPT) == FE_DIVBYZERO;
        one = large * large;
        int flags = fetestexcept(FE_ALL_EXCEPT);
        told += divided && flags == (FE_DIVBYZERO | FE_OVERFLOW | FE_INEXACT);
    }
    printf("%u turns, %u told\n", turns, told);
}

int main(void)
{
    raise_often();
    static const unsigned clears[] = { 8, 40, 400, 4000 };
    for (unsigned k = 0; k < 4; k++) {
        run(40000, 12, clears[k]);
        run(40000, 7, clears[k]); /* neither zeros nor what is very large or small */
        run(40000, 1, clears[k]);
    }
    return 0;
}
