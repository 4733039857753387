/*
 * Prototypes of the C functions in helpers.def.
 */
#ifndef TRANSLATOR_GUEST_AARCH64_HELPERS_H
#define TRANSLATOR_GUEST_AARCH64_HELPERS_H

#include "translator/ir/ir.h"
#include "translator/translator.h"

/* helper-system.c */
uint64_t a64_helper_counter(Vcpu *v);
uint64_t a64_helper_random(Vcpu *v);

#endif
