/*
 * Loops over words whose registers come in with upper halves that are no extension: the optimizing
 * tier assumes extended words once the loop is hot, and must notice (translator/opt/extend.c).
 */
#include <stdint.h>
#include <stdio.h>

static volatile int64_t odd = 0x1234567800000005;

static __attribute__((noinline)) int64_t mix(int64_t x, int64_t y, int n)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++) {
        sum += x ^ y;
        x = (int32_t)((uint32_t)x * 3 + (uint32_t)i);
        y = (int32_t)((uint32_t)y - (uint32_t)x);
    }
    return sum ^ x ^ y;
}

/* An inner loop, entered from an outer one with values that change. */
static __attribute__((noinline)) int64_t nest(const int64_t *start, int n)
{
    int64_t sum = 0;
    for (int k = 0; k < n; k++) {
        int64_t x = start[k & 3];
        for (int i = 0; i < 20; i++) {
            sum = sum * 5 + x;
            x = (int32_t)((uint32_t)x + (uint32_t)k);
        }
        sum ^= x;
    }
    return sum;
}

int main(void)
{
    int64_t all = 0, start[4] = { 1, -2, INT32_MAX, INT32_MIN };
    for (int r = 0; r < 20000; r++)
        all += mix(r, -r, 10);
    printf("%lld\n", (long long)all);
    for (int r = 0; r < 20000; r++)
        all += mix(odd + r, r & 1 ? odd : -odd, 10);
    printf("%lld\n", (long long)all);
    printf("%lld\n", (long long)nest(start, 100000));
    start[1] = odd;
    start[3] = -odd;
    printf("%lld\n", (long long)nest(start, 100000));
    return 0;
}
