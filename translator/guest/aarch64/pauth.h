/*
 * Pointer authentication as IR (Arm ARM DDI 0487 K.a, D8.10).
 */
#ifndef TRANSLATOR_GUEST_AARCH64_PAUTH_H
#define TRANSLATOR_GUEST_AARCH64_PAUTH_H

#include "translator/guest/aarch64/translate.h"

/* AddPAC(), Auth() of a pointer under a key (A64_KEY_IA …). */
IrRef a64_add_pac(LiftContext *ctx, IrRef pointer, IrRef modifier, unsigned key);
IrRef a64_authenticate(LiftContext *ctx, IrRef pointer, IrRef modifier, unsigned key);

#endif
