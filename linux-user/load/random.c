/*
 * The random numbers of a program's start.
 */
#include "linux-user/load/random.h"

#include <string.h>
#include <sys/personality.h>
#include <sys/random.h>

#include "linux-user/options.h"

/* splitmix64: for -seed only. */
static uint64_t seeded_next(Process *p)
{
    uint64_t z = p->random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void load_random_bytes(Process *p, void *buf, size_t n)
{
    uint8_t *at = buf;
    if (!p->options->has_seed) {
        while (n) {
            ssize_t got = getrandom(at, n, 0);
            if (got > 0) {
                at += got;
                n -= (size_t)got;
            }
        }
        return;
    }
    while (n) {
        uint64_t v = seeded_next(p);
        size_t part = n < sizeof v ? n : sizeof v;
        memcpy(at, &v, part);
        at += part;
        n -= part;
    }
}

uint64_t load_random_layout(Process *p)
{
    uint64_t v;
    if (p->personality & ADDR_NO_RANDOMIZE)
        return 0;
    load_random_bytes(p, &v, sizeof v);
    return v;
}
