/*
 * Switches in loops that go to one place or two for a long time and then to others: the optimizing
 * tier takes the usual ones into the loop's region (translator/region/discover.c). And jumps from
 * one function's end to another, and by a table that is written to.
 */
#include <stdint.h>

#include "test.h"

#define NI __attribute__((noinline))
enum { LONG = 3000000, SHORT = 1000 };

/* Seven ways, of which `usual` and `other` are gone most: by a table, not by comparisons. */
static NI uint64_t machine(const unsigned char *code, long n, uint64_t a)
{
    uint64_t b = 1;
    for (long i = 0; i < n; i++)
        switch (code[i & 1023]) {
        case 0: a += 3; break;
        case 1: a = a * 5 + b; break;
        case 2: b ^= a; break;
        case 3: a -= b >> 3; break;
        case 4: b += i; break;
        case 5: a = a << 7 | a >> 57; break;
        case 6: b = b * 9 + 1; break;
        case 7:
            if (a & 1)
                return a ^ b ^ (uint64_t)i;
            b--;
            break;
        default: a ^= 0x5555; break;
        }
    return a ^ b;
}

static NI uint64_t by_labels(const unsigned char *code, long n)
{
    static const void *const to[] = { &&add, &&twist, &&mix, &&end };
    uint64_t a = 7, b = 3;
    long i = 0;
next:
    goto *to[i < n ? code[i & 1023] % 3 : 3];
add:
    a += b + (uint64_t)i++;
    goto next;
twist:
    b ^= a << 3;
    i++;
    goto next;
mix:
    a = a * 3 + b;
    i++;
    goto next;
end:
    return a ^ b;
}

typedef uint64_t Step(uint64_t, long);
static NI uint64_t step_up(uint64_t a, long i) { return a + (uint64_t)i; }
static NI uint64_t step_mix(uint64_t a, long i) { return a * 3 ^ (uint64_t)i; }
static Step *step_to[4] = { step_up, step_up, step_mix, step_up };
static NI uint64_t tail(uint64_t a, long i) { return step_to[i & 3](a, i); }
static NI uint64_t tails(long n)
{
    uint64_t a = 1;
    for (long i = 0; i < n; i++)
        a = tail(a, i);
    return a;
}

int main(void)
{
    static unsigned char code[1024];
    for (int usual = 0; usual < 9; usual += 2) {
        memset(code, usual, sizeof code);
        printf("%d: %llx\n", usual, (unsigned long long)machine(code, LONG, 11));
        for (int k = 0; k < 1024; k += 2)
            code[k] = (unsigned char)((usual + 5) % 7);
        printf("%d and another: %llx\n", usual, (unsigned long long)machine(code, LONG, 13));
        for (int k = 0; k < 1024; k += 31)
            code[k] = (unsigned char)(k % 9);
        printf("%d and all: %llx\n", usual, (unsigned long long)machine(code, LONG, 17));
        for (int way = 0; way < 9; way++) {
            memset(code, way, sizeof code);
            printf("%d, then %d: %llx\n", usual, way,
                   (unsigned long long)machine(code, SHORT, (uint64_t)way));
        }
    }
    for (int k = 0; k < 1024; k++)
        code[k] = (unsigned char)(k % 61 == 0 ? 2 : k % 7 == 0);
    printf("labels: %llx\n", (unsigned long long)by_labels(code, LONG));
    memset(code, 2, sizeof code);
    printf("labels: %llx\n", (unsigned long long)by_labels(code, SHORT));
    printf("tails: %llx\n", (unsigned long long)tails(LONG));
    step_to[1] = step_mix;
    printf("tails: %llx\n", (unsigned long long)tails(LONG));
    return 0;
}
