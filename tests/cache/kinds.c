/* Some 10,000 units: one function in three runs always, the others if the argument names them. */
#include <stdio.h>
#include <stdlib.h>

#define ONE(n) \
    __attribute__((noinline)) static unsigned f##n(unsigned x) \
    { \
        if (x & 1) \
            x = x * 5 + __LINE__ % 7; \
        else if (x & 2) \
            x ^= x >> 3; \
        for (int k = 0; k < 2; k++) \
            x = x % 3 ? x * 7 + k : x / 3 + k; \
        return x; \
    }
#define TEN(n) ONE(n##0) ONE(n##1) ONE(n##2) ONE(n##3) ONE(n##4) ONE(n##5) ONE(n##6) ONE(n##7) \
    ONE(n##8) ONE(n##9)
#define HUNDRED(n) TEN(n##0) TEN(n##1) TEN(n##2) TEN(n##3) TEN(n##4) TEN(n##5) TEN(n##6) \
    TEN(n##7) TEN(n##8) TEN(n##9)
HUNDRED(1) HUNDRED(2) HUNDRED(3) HUNDRED(4) HUNDRED(5) HUNDRED(6) HUNDRED(7) HUNDRED(8)
HUNDRED(9) HUNDRED(10) HUNDRED(11) HUNDRED(12) HUNDRED(13) HUNDRED(14)

#define NAMES(n) f##n##0, f##n##1, f##n##2, f##n##3, f##n##4, f##n##5, f##n##6, f##n##7, f##n##8, \
    f##n##9
#define MORE(n) NAMES(n##0), NAMES(n##1), NAMES(n##2), NAMES(n##3), NAMES(n##4), NAMES(n##5), \
    NAMES(n##6), NAMES(n##7), NAMES(n##8), NAMES(n##9)

int main(int argc, char **argv)
{
    static unsigned (*const f[])(unsigned) = {MORE(1), MORE(2), MORE(3), MORE(4),
                                              MORE(5), MORE(6), MORE(7), MORE(8),
                                              MORE(9), MORE(10), MORE(11), MORE(12),
                                              MORE(13), MORE(14)};
    int kind = argc > 1 ? atoi(argv[1]) : 1;
    unsigned x = 1;
    for (int turn = 0; turn < 20; turn++)
        for (unsigned n = 0; n < sizeof f / sizeof *f; n++)
            if (n % 3 == 0 || (int)(n % 3) == kind)
                x = f[n](x + n + turn);
    printf("%u\n", x);
    return 0;
}
