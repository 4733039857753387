/* data plane */
/* The compiler's entry, for backend.c. */
#ifndef TRANSLATOR_HOST_X86_64_COMPILE_H
#define TRANSLATOR_HOST_X86_64_COMPILE_H

#include "translator/cache/unit.h"
#include "translator/translator.h"

struct X86Backend;
enum { MARK_DONE = 1 }; /* IrInsn.mark: an earlier instruction computes it, see EmitState.pair */

void compile_stubs(struct X86Backend *b, const struct GuestIsa *isa);
void compile_target_init(struct X86Backend *b);
CompiledUnit *compile_unit(Translator *t, IrUnit *u);
#endif
