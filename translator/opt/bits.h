/* How many bits integer values may need: for bits.c's rewrites. */
#ifndef TRANSLATOR_OPT_BITS_H
#define TRANSLATOR_OPT_BITS_H

#include "translator/ir/ir.h"

/* The value is less than 2^u, and it is the sign extension of its low s bits. For i32 values of
 * their 32 bits: u and s are at most 32. */
typedef struct OptBits { uint8_t u, s; } OptBits;

/* By operation, from the arguments' bits in `of`. Values that aren't integers: meaningless. */
OptBits opt_bits_of(const IrUnit *u, const OptBits *of, IrRef r);

#endif
