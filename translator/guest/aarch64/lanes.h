/*
 * Lanes of a V128 for the helpers: a register taken apart into two words, numbered from the low end
 * whatever the host's byte order. esize is log2 of a lane's bytes.
 *
 * (Two words indexed, not a choice between pointers to .lo and .hi: gcc 12 drops stores of the
 * latter form when it moves them out of an unrolled loop.)
 */
#ifndef TRANSLATOR_GUEST_AARCH64_LANES_H
#define TRANSLATOR_GUEST_AARCH64_LANES_H

#include "translator/ir/ir.h"

typedef struct Lanes { uint64_t half[2]; } Lanes;

static inline uint64_t lane_mask(unsigned esize) { return UINT64_MAX >> (64 - (8 << esize)); }

static inline uint64_t lane_get(const V128 *v, unsigned esize, unsigned n)
{
    unsigned at = n << esize;
    return (at < 8 ? v->lo : v->hi) >> (8 * (at & 7)) & lane_mask(esize);
}

/* The lane must be 0 before. */
static inline void lane_or(Lanes *r, unsigned esize, unsigned n, uint64_t value)
{
    unsigned at = n << esize;
    r->half[at >> 3] |= (value & lane_mask(esize)) << (8 * (at & 7));
}

static inline V128 lanes_join(const Lanes *r) { return (V128){ r->half[0], r->half[1] }; }

#endif
