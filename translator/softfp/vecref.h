/* The inside of the vector reference. */
#ifndef TRANSLATOR_SOFTFP_VECREF_H
#define TRANSLATOR_SOFTFP_VECREF_H

#include "translator/softfp/fpref.h"

typedef union Bytes { V128 v; uint8_t b[16]; } Bytes; /* a little-endian host's view of lanes */

Bytes vecref_aes_sub_shift(Bytes state, Bytes key, bool inverse);
Bytes vecref_aes_mix_columns(Bytes x, bool inverse);
V128 vecref_sha(IrOp op, int64_t imm, V128 a, V128 b, V128 c);

#endif
