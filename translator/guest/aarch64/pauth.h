/*
 * Pointer authentication as IR (Arm ARM DDI 0487 K.a, D8.10).
 */
#ifndef TRANSLATOR_GUEST_AARCH64_PAUTH_H
#define TRANSLATOR_GUEST_AARCH64_PAUTH_H

#include "translator/guest/aarch64/translate.h"

/* AddPAC() and Auth() of a pointer under a key (A64_KEY_IA …): with FEAT_PAuth2 they are one. */
IrRef a64_pac(LiftContext *ctx, IrRef pointer, IrRef modifier, unsigned key);

#endif
