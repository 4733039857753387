/*
 * Flags that a function returns. A translator may not save them where functions call themselves and
 * overwrite the flags behind the call; but somebody else's call may want them, or a return may lead
 * elsewhere. Self-checking: prints what is wrong and exits with 1.
 */
#include <stdint.h>
#include <stdio.h>

uint64_t count(uint64_t n, uint64_t limit);
uint64_t flags_of(uint64_t n, uint64_t limit);
uint64_t flags_elsewhere(uint64_t n, uint64_t limit);

/* count() walks a binary tree of depth n; each return leaves the flags of a comparison with 1 or
 * with the limit. elsewhere() calls a function that returns to another place than it was called
 * from, as coroutines do. */
__asm__(".macro gather\n" /* the flags in x0 */
        "    cset x2, eq\n"
        "    cset x3, hs\n"
        "    cset x4, mi\n"
        "    cset x5, vs\n"
        "    add x0, x2, x3, lsl #1\n"
        "    add x0, x0, x4, lsl #2\n"
        "    add x0, x0, x5, lsl #3\n"
        ".endm\n"
        ".text\n"
        ".balign 16\n"
        "count:\n"
        "    cmp x0, #1\n"
        "    b.hi 1f\n"
        "    ret\n"
        "1:  stp x29, x30, [sp, #-32]!\n"
        "    stp x19, x20, [sp, #16]\n"
        "    mov x19, x0\n"
        "    sub x0, x0, #1\n"
        "    bl count\n"
        "    cmp x19, #1000\n"
        "    b.eq 2f\n"
        "    mov x20, x0\n"
        "    sub x0, x19, #2\n"
        "    bl count\n"
        "    add x0, x0, x20\n"
        "    cmp x0, x1\n"
        "2:  ldp x19, x20, [sp, #16]\n"
        "    ldp x29, x30, [sp], #32\n"
        "    ret\n"
        "flags_of:\n"
        "    stp x29, x30, [sp, #-16]!\n"
        "    bl count\n"
        "    gather\n"
        "    ldp x29, x30, [sp], #16\n"
        "    ret\n"
        "hop:\n"
        "    adr x30, 3f\n"
        "    b count\n"
        "flags_elsewhere:\n"
        "    stp x29, x30, [sp, #-16]!\n"
        "    bl hop\n"
        "    mov x0, #99\n"
        "    b 4f\n"
        "3:  gather\n"
        "4:  ldp x29, x30, [sp], #16\n"
        "    ret\n");

static uint64_t expected(uint64_t a, uint64_t b)
{
    uint64_t d = a - b;
    return (a == b) | (a >= b) << 1 | d >> 63 << 2 | ((a ^ b) & (a ^ d)) >> 63 << 3;
}

int main(void)
{
    int failures = 0;
    uint64_t fib[28] = { 0, 1 };
    for (unsigned n = 2; n < 28; n++)
        fib[n] = fib[n - 1] + fib[n - 2];
    for (unsigned turn = 0; turn < 3; turn++)
        for (unsigned n = 0; n < 22; n++)
            for (unsigned k = 0; k < 4; k++) {
                uint64_t limit = k == 3 ? 1ull << 63 : fib[n] + k - 1;
                uint64_t want = n < 2 ? expected(n, 1) : expected(fib[n], limit);
                uint64_t got = flags_of(n, limit), other = flags_elsewhere(n, limit);
                if (count(n, limit) != fib[n] || got != want || other != want) {
                    printf("%u, limit %llu: %llu, elsewhere %llu; not %llu\n", n,
                           (unsigned long long)limit, (unsigned long long)got,
                           (unsigned long long)other, (unsigned long long)want);
                    failures++;
                }
            }
    return failures != 0;
}
