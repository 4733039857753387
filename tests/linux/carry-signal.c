/*
 * A signal in a loop that carries by the flags from turn to turn, as multiple precision arithmetic
 * in assembly does: they are part of what it must find and leave. The loop's caller, which
 * overwrites them, is hot, so that both are in one region.
 */
#include "test.h"

#include <signal.h>
#include <stdint.h>
#include <sys/time.h>

enum { WORDS = 40, ROUNDS = 3000000 };

#if defined __aarch64__
/* z = x - y of n words, a multiple of four. Returns the borrow. */
uint64_t subtract(uint64_t *z, const uint64_t *x, const uint64_t *y, long n);
__asm__(".text\n"
        "subtract: cmp x3, x3\n"
        "1: cbz x3, 2f\n"
        "ldp x4, x5, [x1], #32\n ldp x6, x7, [x1, #-16]\n"
        "ldp x8, x9, [x2], #32\n ldp x10, x11, [x2, #-16]\n"
        "sbcs x4, x4, x8\n sbcs x5, x5, x9\n sbcs x6, x6, x10\n sbcs x7, x7, x11\n"
        "stp x4, x5, [x0], #32\n stp x6, x7, [x0, #-16]\n"
        "sub x3, x3, #4\n"
        "b 1b\n"
        "2: cset x0, lo\n"
        "ret\n");
#else
static uint64_t subtract(uint64_t *z, const uint64_t *x, const uint64_t *y, long n)
{
    uint64_t borrow = 0;
    for (long k = 0; k < n; k++) {
        uint64_t t, b = __builtin_sub_overflow(x[k], y[k], &t);
        b |= __builtin_sub_overflow(t, borrow, &z[k]);
        borrow = b;
    }
    return borrow;
}
#endif

static volatile sig_atomic_t n_signals;

static void alarmed(int sig) { n_signals += sig == SIGALRM; }

int main(void)
{
    static uint64_t x[WORDS], y[WORDS], z[WORDS];
    /* x - y borrows from every word: zeros less something. */
    for (int k = 0; k < WORDS; k++)
        y[k] = (uint64_t)k + 1;
    signal(SIGALRM, alarmed);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 100}, {0, 100}}, NULL);
    int bad = 0, rounds = 0;
    for (; rounds < ROUNDS || n_signals < 100; rounds++)
        bad += subtract(z, x, y, WORDS) != 1 || z[0] != -UINT64_C(1) ||
               z[WORDS - 1] != ~(uint64_t)WORDS;
    printf("wrong %d, signals %d\n", bad, n_signals >= 100);
    return 0;
}
