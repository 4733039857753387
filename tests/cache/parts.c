/* Runs the part that its argument names; from 1 on also one that all of these have in common. An
 * indirect branch leads into the part if there is a second argument, else a direct one. */
#include <stdio.h>
#include <stdlib.h>

#ifdef __aarch64__
#define GO "b %l0"
#else
#define GO "j %l0"
#endif

#define PART(n) \
    __attribute__((noinline)) int part##n(int x, int argc) \
    { \
        static void *volatile way[] = {&&out, &&there}; \
        if (argc > 2) \
            goto *way[argc > 0]; \
        __asm__ goto(GO : : : : there); \
    out: \
        return 1; \
    there: \
        for (int k = 0; k < 20; k++) \
            x = x % 3 ? x * (n + 3) + k : x / 2 + (n ^ k); \
        return x; \
    }
#define TEN(n) PART(n##0) PART(n##1) PART(n##2) PART(n##3) PART(n##4) \
    PART(n##5) PART(n##6) PART(n##7) PART(n##8) PART(n##9)
TEN(1) TEN(2) TEN(3) PART(40)
#define NAMES(n) part##n##0, part##n##1, part##n##2, part##n##3, part##n##4, \
    part##n##5, part##n##6, part##n##7, part##n##8, part##n##9

int main(int argc, char **argv)
{
    static int (*const part[])(int, int) = {NAMES(1), NAMES(2), NAMES(3)};
    int n = argc > 1 ? atoi(argv[1]) : 0;
    printf("%d %d\n", part[n](7, argc), n ? part40(n, argc) : 0);
    return 0;
}
