/* The models' part of the guest's descriptor (isa.c). */
#ifndef TRANSLATOR_GUEST_RISCV64_MODEL_H
#define TRANSLATOR_GUEST_RISCV64_MODEL_H

struct _GError;
const char *const *riscv_models(void);
const void *riscv_model(const char *name, struct _GError **error);

#endif
