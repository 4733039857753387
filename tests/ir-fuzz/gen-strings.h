/* Loops over memory for gen.c: those that search, copy and fill, as C libraries have them, and some
 * that nearly are such loops. They end within GEN_MEM_BYTES of `base`. */
#ifndef TESTS_IR_FUZZ_GEN_STRINGS_H
#define TESTS_IR_FUZZ_GEN_STRINGS_H

#include "translator/guest/isa.h"

/* Made in the builder's block, which goes on behind the loop. Writes the four variables of type i64
 * from `vars` on, and perhaps `vector`; a value of the loop's end. */
IrRef gen_string_loop(LiftContext *ctx, uint64_t *random, IrRef base, unsigned vars,
                      unsigned vector);

#endif
