/* Random values, as a seed makes them: those that are interesting among any others. */
#ifndef TESTS_IR_FUZZ_VALUES_H
#define TESTS_IR_FUZZ_VALUES_H

#include "translator/ir/ir.h"

static inline uint64_t next(uint64_t *s) /* splitmix64 */
{
    uint64_t z = *s += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static inline uint64_t int_value(uint64_t *s)
{
    static const uint64_t special[] = {
        0, 1, ~0ull, 1ull << 63, ~0ull >> 1, 0x80000000, 0x7fffffff, 0xffffffff, 0x100000000, 0xff,
        0x8000, 31, 32, 63, 64, 0xffffffff80000000,
    };
    uint64_t r = next(s);
    return r & 1 ? special[r >> 1 & 15] + (r >> 8 & 3) - 1 : next(s) >> (r >> 8 & 63);
}

static inline uint64_t float_bits(uint64_t *s, unsigned bits)
{
    static const uint32_t special[] = {
        0, 1, 0x7fffff, 0x800000, 0x800001, 0x3f800000, 0x3f800001, 0x3f7fffff, 0x7f7fffff,
        0x7f800000, 0x7fc00000, 0x7fc00123, 0x7f800321, 0x4f000000, 0x5f000000, 0x3f000000,
        0x33800000, 0x4b000001, 0x40490fdb, 0x4effffff,
    };
    uint64_t r = next(s);
    unsigned frac = bits == 64 ? 52 : bits == 32 ? 23 : 10;
    uint64_t sign = r >> 63 << (bits - 1), x;
    unsigned k = (unsigned)(r % 30);
    if (k >= 20)
        return bits == 64 ? next(s) : next(s) & ((1ull << bits) - 1);
    uint32_t f = special[k];
    if (bits == 32) {
        x = f;
    } else {
        uint64_t e = f >> 23, m = f & 0x7fffff;
        int64_t bias = bits == 64 ? 1023 : 15, top = bits == 64 ? 2047 : 31;
        int64_t to = e == 0 ? 0 : e == 255 ? top : (int64_t)e - 127 + bias;
        to = to < 0 ? 0 : to > top ? top - 1 : to;
        m = bits == 64 ? (m & 1) | m >> 1 << 30 : m >> 13 | (m & 1);
        x = (uint64_t)to << frac | m;
    }
    return sign | x;
}

static inline V128 vec_value(uint64_t *s)
{
    uint64_t r = next(s);
    V128 v;
    uint64_t *half[] = { &v.lo, &v.hi };
    for (unsigned n = 0; n < 2; n++)
        switch (r >> 8 & 3) {
        case 0: *half[n] = int_value(s); break;
        case 1: *half[n] = float_bits(s, 64); break;
        case 2: *half[n] = float_bits(s, 32) | float_bits(s, 32) << 32; break;
        default:
            *half[n] = 0;
            for (unsigned b = 0; b < 8; b++)
                *half[n] |= (next(s) & 1 ? int_value(s) & 255 : next(s) & 17) << 8 * b;
            break;
        }
    return v;
}

#endif
