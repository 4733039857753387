/*
 * Loops of floating point that are entered with what they don't expect: registers that hold no
 * single in its box, NaNs with payloads, bounds that are no words. A loop's result is the same as
 * that of its turns one by one. Checks itself; prints only what differs, and a last line.
 */
#include <stdint.h>
#include <stdio.h>

enum { TURNS = 60000 };
static int n_checks, n_failed;

static void check(const char *what, uint64_t got, uint64_t want)
{
    n_checks++;
    if (got != want) {
        n_failed++;
        printf("%s: %#llx, not %#llx\n", what, (unsigned long long)got, (unsigned long long)want);
    }
}

#define LOOP(name, body) \
    static uint64_t name(uint64_t *other, uint64_t x, uint64_t y, long n) \
    { \
        uint64_t r, f2 = *other; \
        __asm__ volatile("fmv.d.x fa0, %2\n fmv.d.x fa1, %3\n fmv.d.x fa2, %1\n mv t0, %4\n" \
                         "j 2f\n 1: " body " addi t0, t0, -1\n 2: bgtz t0, 1b\n" \
                         "fmv.x.d %0, fa0\n fmv.x.d %1, fa2" \
                         : "=&r"(r), "+r"(f2) : "r"(x), "r"(y), "r"(n) \
                         : "fa0", "fa1", "fa2", "fa3", "t0"); \
        *other = f2; \
        return r; \
    }
LOOP(add_singles, "fadd.s fa0, fa0, fa1\n fmul.s fa2, fa0, fa1\n")
LOOP(add_doubles, "fadd.d fa3, fa0, fa1\n fsub.d fa2, fa3, fa1\n fmv.d fa0, fa3\n")
LOOP(mixed, "fadd.s fa0, fa0, fa1\n fcvt.d.s fa2, fa0\n fadd.d fa2, fa2, fa2\n")

typedef uint64_t Loop(uint64_t *other, uint64_t x, uint64_t y, long n);

static void compare(const char *what, Loop *loop, uint64_t x, uint64_t y, uint64_t other, long n)
{
    uint64_t a = other, b = other, r = loop(&a, x, y, n), one = x;
    for (long k = 0; k < n; k++)
        one = loop(&b, one, y, 1);
    check(what, r, one);
    check(what, a, b);
}

/* addiw and a comparison with a bound of 64 bits. */
static long count_words(long from, long bound, long most)
{
    long n = 0, i = from;
    __asm__ volatile("1: addiw %1, %1, 1\n addi %0, %0, 1\n beq %0, %3, 2f\n bne %1, %2, 1b\n 2:"
                     : "+r"(n), "+r"(i) : "r"(bound), "r"(most));
    return n;
}

int main(void)
{
    static const uint64_t value[] = {
        0xffffffff3fa00000, 0xffffffff00000000, 0x4000000000000000, 0xffffffff7fc00001,
        0xffffffff7f800001, 0xffffffffff800000, 0x7ff8000000000001, 0x0123456789abcdef,
        0xfffffffe3f800000, 0x7ff0000000000001, 0xfff8000000000000, 0x3ff0000000000001,
    };
    const uint64_t single = 0xffffffff37800000, twice = 0x3e70000000000000;
    enum { N = sizeof value / sizeof *value };
    for (unsigned round = 0; round < 3; round++)
        for (unsigned k = 0; k < N; k++) {
            uint64_t x = value[round == 1 ? 0 : k], other = value[(k + round) % N];
            long n = round ? k : k < 2 ? TURNS : 3;
            compare("add_singles", add_singles, x, single, other, n);
            compare("add_doubles", add_doubles, value[round == 1 ? 11 : k], twice, other, n);
            compare("mixed", mixed, x, single, other, n);
        }
    for (unsigned k = 0; k < 200; k++) /* until it isn't guessed any more */
        compare("add_singles again", add_singles, single, single, twice + k, 3);
    for (unsigned round = 0; round < 3; round++) {
        check("words", count_words(0, TURNS, 1 << 20), TURNS);
        check("no word", count_words(-5, 1l << 32, 1000), 1000);
        check("negative", count_words(-TURNS, -1, 1 << 20), TURNS - 1);
        check("not extended", count_words(0x7ffffff0, 0x80000000, 100), 100);
    }
    printf("%d checks, %d failed\n", n_checks, n_failed);
    return n_failed != 0;
}
