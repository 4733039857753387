/*
 * The features of the AArch64 guest: which there are, and what tells a program of them. features.c
 * has the one table from which decode conditions, ID registers, HWCAP bits and /proc/cpuinfo come.
 */
#ifndef TRANSLATOR_GUEST_AARCH64_FEATURES_H
#define TRANSLATOR_GUEST_AARCH64_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One bit each in A64Model.features; names as in Arm ARM A2.2. */
typedef enum A64Feature {
    A64_FEAT_FP, A64_FEAT_ASIMD, A64_FEAT_AES, A64_FEAT_PMULL, A64_FEAT_SHA1, A64_FEAT_SHA256,
    A64_FEAT_CRC32, A64_FEAT_LSE, A64_FEAT_FP16, A64_FEAT_RDM, A64_FEAT_JSCVT, A64_FEAT_FCMA,
    A64_FEAT_LRCPC, A64_FEAT_LRCPC2, A64_FEAT_DPB, A64_FEAT_DPB2, A64_FEAT_SHA3, A64_FEAT_SHA512,
    A64_FEAT_SM3, A64_FEAT_SM4, A64_FEAT_DOTPROD, A64_FEAT_FHM, A64_FEAT_DIT, A64_FEAT_FLAGM,
    A64_FEAT_FLAGM2, A64_FEAT_SSBS, A64_FEAT_SB, A64_FEAT_PAUTH, A64_FEAT_FRINTTS, A64_FEAT_I8MM,
    A64_FEAT_BF16, A64_FEAT_RNG, A64_FEAT_BTI, A64_FEAT_ECV, A64_FEAT_CSSC,
    A64_N_FEATURES
} A64Feature;

typedef struct A64Model {
    const char *name;
    uint64_t features; /* bits by A64Feature */
    uint32_t midr;
} A64Model;

static inline bool a64_model_has(const A64Model *m, A64Feature f) { return m->features >> f & 1; }

struct _GError;
const void *a64_model_find(const char *name, struct _GError **error);
const char *const *a64_model_names(void);

/* Linux's AT_HWCAP (word 0) and AT_HWCAP2 (word 1) for a model; NULL: the default model. */
uint64_t a64_hwcap(const void *model, unsigned word);
/* The name that /proc/cpuinfo's Features line gives the n-th capability the model has, in Linux's
 * order; NULL at the end. */
const char *a64_hwcap_name(const void *model, unsigned n);
uint32_t a64_midr(const void *model);
/* An identification register (op0 = 3, op1 = 0, CRn = 0) as Linux shows it to EL0; false: it is
 * undefined there. */
bool a64_id_register(const void *model, unsigned crm, unsigned op2, uint64_t *ret_value);

#endif
