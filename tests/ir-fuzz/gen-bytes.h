/* Stores of bytes side by side, for gen.c: of a value's parts, of bytes loaded elsewhere, of
 * anything, in some order, with what may stand between them. */
#ifndef TESTS_IR_FUZZ_GEN_BYTES_H
#define TESTS_IR_FUZZ_GEN_BYTES_H

#include "translator/guest/isa.h"

/* Made in the builder's block, within 64 bytes from `base` + 64 on. Writes the four variables of
 * type i64 from `vars` on; what a word there holds afterwards. */
IrRef gen_bytes(LiftContext *ctx, uint64_t *random, IrRef base, IrRef value, unsigned vars);

#endif
