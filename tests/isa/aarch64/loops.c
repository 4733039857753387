/*
 * Loops of scalar floating point that are entered with registers that aren't 0 above the scalar,
 * and left before they write them. A loop's result is the same as that of its turns one by one.
 * Checks itself; prints only what differs, and a last line.
 */
#include <stdint.h>
#include <stdio.h>

enum { TURNS = 60000 };
static int n_checks, n_failed;

typedef struct Vector { uint64_t low, high; } Vector;

#define LOOP(name, body) \
    static Vector name(Vector x, Vector y, long n) \
    { \
        Vector r; \
        __asm__ volatile("ldr q0, [%0]\n ldr q1, [%1]\n mov x9, %2\n" \
                         "1: subs x9, x9, #1\n b.mi 2f\n " body " b 1b\n 2: str q0, [%3]" \
                         :: "r"(&x), "r"(&y), "r"(n), "r"(&r) \
                         : "v0", "v1", "v2", "x9", "memory", "cc"); \
        return r; \
    }
LOOP(add_doubles, "fadd d0, d0, d1\n fmul d2, d0, d1\n")
LOOP(add_singles, "fadd s0, s0, s1\n fsub s2, s0, s1\n")
LOOP(add_vectors, "fadd v0.2d, v0.2d, v1.2d\n fadd d2, d0, d1\n")

static void compare(const char *what, Vector (*loop)(Vector, Vector, long), Vector x, Vector y,
                    long n)
{
    Vector r = loop(x, y, n), one = x;
    for (long k = 0; k < n; k++)
        one = loop(one, y, 1);
    n_checks++;
    if (r.low != one.low || r.high != one.high) {
        n_failed++;
        printf("%s: %#llx:%#llx, not %#llx:%#llx\n", what, (unsigned long long)r.high,
               (unsigned long long)r.low, (unsigned long long)one.high,
               (unsigned long long)one.low);
    }
}

int main(void)
{
    static const uint64_t high[] = { 0, 1, 0x3ff0000000000000, 0x100000000, 0 };
    const Vector tiny = { 0x3e70000000000000, 0x3e80000000000000 };
    for (unsigned round = 0; round < 4; round++)
        for (unsigned k = 0; k < sizeof high / sizeof *high; k++) {
            long n = round ? k : k ? 2 : TURNS;
            uint64_t above = high[round == 1 ? 0 : k];
            Vector d = { 0x3ff0000000000000 + k, above };
            Vector s = { 0x3f800000 + (round > 1 && k > 2 ? 5ull << 33 : 0), above };
            compare("add_doubles", add_doubles, d, tiny, n);
            compare("add_singles", add_singles, s, (Vector){ 0x33d6bf95, above }, n);
            compare("add_vectors", add_vectors, d, tiny, n);
        }
    printf("%d checks, %d failed\n", n_checks, n_failed);
    return n_failed != 0;
}
