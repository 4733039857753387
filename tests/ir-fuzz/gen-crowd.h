/* Loops that hand round more values than there are registers, by several ways, for gen.c: rounds of
 * ciphers and hashes, interpreters, solvers. */
#ifndef TESTS_IR_FUZZ_GEN_CROWD_H
#define TESTS_IR_FUZZ_GEN_CROWD_H

#include "translator/guest/isa.h"

/* From the builder's block on, which ends, until behind the loop. `leave`: 0, or where exits go. */
void gen_crowd(LiftContext *ctx, uint64_t *random, IrRef base, GuestAddr leave, bool polls);

#endif
