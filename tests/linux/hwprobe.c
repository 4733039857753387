/* What RISC-V's kernel tells of its processors. Other machines have no such call and print what it
 * gives. */
#include <sched.h>
#include <stdint.h>

#include "test.h"

struct pair { int64_t key; uint64_t value; };

#define PROBE(pairs, n, bytes, cpus, flags)                                                        \
    printf("hwprobe(" #pairs ", " #n ", " #bytes ", " #cpus ", " #flags "): %s\n",                 \
           ASK(pairs, n, bytes, cpus, flags))
#ifdef __riscv
#define ASK(pairs, n, bytes, cpus, flags)                                                          \
    (syscall(258, pairs, n, bytes, cpus, flags) ? strerrorname_np(errno) : "0")
#else
#define ASK(pairs, n, bytes, cpus, flags) answer()
static const char *const answers[] = {
    "0", "EFAULT", "EFAULT", "EINVAL", "EINVAL", "EFAULT", "0", "EINVAL", "EINVAL", "0", "0", "0",
};
static unsigned asked;
static const char *answer(void) { return answers[asked++]; }
#endif

int main(void)
{
    struct pair p[20], one = {4, 1}, unknown[2] = {{4, 1}, {99, 7}};
    cpu_set_t none, own, now;
    for (int i = 0; i < 20; i++)
        p[i] = (struct pair){i == 19 ? -5 : i, 77};
    CPU_ZERO(&none);
    sched_getaffinity(0, sizeof own, &own);
    PROBE(p, 20, 0, NULL, 0);
#ifndef __riscv
    for (int i = 0; i < 20; i++)
        p[i] = (struct pair){i <= 16 ? i : -1, i == 3};
#endif
    for (int i = 0; i < 20; i++)
        printf("%d ", (int)p[i].key);
    printf("\nIMA %d, none %d %d %d\n", (int)p[3].value, (int)p[17].value, (int)p[18].value,
           (int)p[19].value);
    PROBE(BAD, 1, 0, NULL, 0);
    PROBE(p, 1, 8, BAD, 0);
    PROBE(p, 1, sizeof none, &none, 0);
    PROBE(p, 1, 0, NULL, 2);
    PROBE(p, 1, 8, NULL, 0);
    PROBE(p, 1, sizeof own, &own, 0);
    PROBE(&one, 1, 0, NULL, 1);
    PROBE(&one, 1, 0, &own, 1);
    now = own;
    PROBE(&one, 1, sizeof now, &now, 1);
    printf("all %d\n", CPU_EQUAL(&now, &own));
    CPU_ZERO(&now);
    PROBE(&one, 1, sizeof now, &now, 1);
#ifndef __riscv
    now = own;
#endif
    printf("any %d\n", CPU_COUNT(&now) >= CPU_COUNT(&own));
    PROBE(unknown, 2, sizeof now, &now, 1);
#ifndef __riscv
    CPU_ZERO(&now);
    unknown[1] = (struct pair){-1, 0};
#endif
    printf("%d %d %d %d\n", CPU_COUNT(&now), (int)unknown[0].key, (int)unknown[1].key,
           (int)unknown[1].value);
    return 0;
}
