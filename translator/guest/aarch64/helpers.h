/*
 * Prototypes of the C functions in helpers.def.
 */
#ifndef TRANSLATOR_GUEST_AARCH64_HELPERS_H
#define TRANSLATOR_GUEST_AARCH64_HELPERS_H

#include "translator/ir/ir.h"
#include "translator/translator.h"

/* helper-system.c */
#define a64_helper_callout vcpu_callout /* guest/isa.h */
#define a64_helper_watched vcpu_watched
#define a64_helper_critical vcpu_critical_store
uint64_t a64_helper_counter(Vcpu *v);
uint32_t a64_helper_code_seen(Vcpu *v, uint64_t addr);
uint64_t a64_helper_random(Vcpu *v);

/* helper-float.c */
void a64_helper_half_vector(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b,
                            const V128 *c);
void a64_helper_half_convert(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, uint32_t b);
uint64_t a64_helper_half_scalar(Vcpu *v, uint32_t desc, uint64_t a, uint64_t b, uint64_t c);
void a64_helper_fp_step(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b);
void a64_helper_fp_estimate(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b);
void a64_helper_fmlal(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b,
                      const V128 *c);
uint32_t a64_helper_bfcvt(Vcpu *v, uint32_t desc, uint32_t a);
void a64_helper_bfcvtn(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a);
void a64_helper_bf16(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b,
                     const V128 *c);

/* helper-vector.c */
void a64_helper_rdmla(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b,
                      const V128 *c);
void a64_helper_rdmla_sat(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b,
                          const V128 *c);
void a64_helper_mixed_add(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b);
void a64_helper_sm4(Vcpu *v, V128 *ret, uint32_t expand, const V128 *state, const V128 *keys);

#endif
