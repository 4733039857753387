/*
 * The feature table and the -cpu models of AArch64.
 */
#include <glib.h>

#include "translator/guest/aarch64/features.h"

/* Where a program finds a feature: a field of an identification register (Arm ARM DDI 0487 K.a,
 * D23.2), and Linux's capability bit (64 and up: AT_HWCAP2) with its name in /proc/cpuinfo. A
 * feature may have several rows; a field's value is the largest that applies. */
enum { NO_CAP = -1, NO_FIELD = 0xff, HWCAP2 = 64 };
typedef struct FeatureRow {
    uint8_t feature;
    uint8_t crm, op2, shift, value;
    int8_t cap;
    const char *cap_name;
} FeatureRow;

#define PFR0 4, 0
#define PFR1 4, 1
#define ISAR0 6, 0
#define ISAR1 6, 1
#define ISAR2 6, 2
#define MMFR0 7, 0
#define NONE NO_FIELD, 0, 0, 0
#define F(name) A64_FEAT_##name
static const FeatureRow feature_rows[] = {
    { F(FP),       NONE,          0, "fp" }, /* the field is 15 without it: fixed_bits() */
    { F(ASIMD),    NONE,          1, "asimd" },
    { F(ASIMD),    NONE,          2, "evtstrm" }, /* WFE never waits */
    { F(AES),      ISAR0, 4, 1,   3, "aes" },
    { F(PMULL),    ISAR0, 4, 2,   4, "pmull" },
    { F(SHA1),     ISAR0, 8, 1,   5, "sha1" },
    { F(SHA256),   ISAR0, 12, 1,  6, "sha2" },
    { F(CRC32),    ISAR0, 16, 1,  7, "crc32" },
    { F(LSE),      ISAR0, 20, 2,  8, "atomics" },
    { F(FP16),     PFR0, 16, 1,   9, "fphp" },
    { F(FP16),     PFR0, 20, 1,   10, "asimdhp" },
    { F(FP),       NONE,          11, "cpuid" },
    { F(RDM),      ISAR0, 28, 1,  12, "asimdrdm" },
    { F(JSCVT),    ISAR1, 12, 1,  13, "jscvt" },
    { F(FCMA),     ISAR1, 16, 1,  14, "fcma" },
    { F(LRCPC),    ISAR1, 20, 1,  15, "lrcpc" },
    { F(DPB),      ISAR1, 0, 1,   16, "dcpop" },
    { F(SHA3),     ISAR0, 32, 1,  17, "sha3" },
    { F(SM3),      ISAR0, 36, 1,  18, "sm3" },
    { F(SM4),      ISAR0, 40, 1,  19, "sm4" },
    { F(DOTPROD),  ISAR0, 44, 1,  20, "asimddp" },
    { F(SHA512),   ISAR0, 12, 2,  21, "sha512" },
    { F(FHM),      ISAR0, 48, 1,  23, "asimdfhm" },
    { F(DIT),      PFR0, 48, 1,   24, "dit" },
    { F(LRCPC2),   ISAR1, 20, 2,  26, "ilrcpc" },
    { F(FLAGM),    ISAR0, 52, 1,  27, "flagm" },
    { F(SSBS),     PFR1, 4, 2,    28, "ssbs" },
    { F(SB),       ISAR1, 36, 1,  29, "sb" },
    { F(PAUTH),    ISAR1, 8, 3,   30, "paca" }, /* API: our algorithm, FEAT_PAuth2 */
    { F(PAUTH),    ISAR1, 28, 1,  31, "pacg" }, /* GPI */
    { F(DPB2),     ISAR1, 0, 2,   HWCAP2 + 0, "dcpodp" },
    { F(FLAGM2),   ISAR0, 52, 2,  HWCAP2 + 7, "flagm2" },
    { F(FRINTTS),  ISAR1, 32, 1,  HWCAP2 + 8, "frint" },
    { F(I8MM),     ISAR1, 52, 1,  HWCAP2 + 13, "i8mm" },
    { F(BF16),     ISAR1, 44, 1,  HWCAP2 + 14, "bf16" },
    { F(RNG),      ISAR0, 60, 1,  HWCAP2 + 16, "rng" },
    { F(BTI),      PFR1, 0, 1,    HWCAP2 + 17, "bti" },
    { F(ECV),      MMFR0, 60, 1,  HWCAP2 + 19, "ecv" },
    { F(CSSC),     ISAR2, 52, 1,  HWCAP2 + 34, "cssc" },
};
#undef PFR0
#undef PFR1
#undef ISAR0
#undef ISAR1
#undef ISAR2
#undef MMFR0
#undef NONE
#undef F

#define BIT(name) (UINT64_C(1) << A64_FEAT_##name)
#define V8_0 (BIT(FP) | BIT(ASIMD))
#define CRYPTO (BIT(AES) | BIT(PMULL) | BIT(SHA1) | BIT(SHA256))
#define V8_2_CORES (V8_0 | CRYPTO | BIT(CRC32) | BIT(LSE) | BIT(FP16) | BIT(RDM) | BIT(LRCPC) \
                    | BIT(DPB) | BIT(DOTPROD))
#define ALL ((UINT64_C(1) << A64_N_FEATURES) - 1)
/* `max` calls itself a Neoverse N2 (MIDR), whose features it has but SVE: the C library up to 2.36
 * goes by that, not by features, to choose the memcpy of newer cores, which takes half the time of
 * the one for those that it doesn't know, at 100 bytes and at 300. */
static const A64Model models[] = {
    { "max", ALL, 0x410fd490 },
    { "cortex-a53", V8_0 | CRYPTO | BIT(CRC32), 0x410fd034 },
    { "cortex-a57", V8_0 | CRYPTO | BIT(CRC32), 0x411fd070 },
    { "cortex-a72", V8_0 | CRYPTO | BIT(CRC32), 0x410fd083 },
    { "cortex-a55", V8_2_CORES, 0x412fd050 },
    { "cortex-a76", V8_2_CORES | BIT(SSBS), 0x414fd0b1 },
    { "neoverse-n1", V8_2_CORES | BIT(SSBS), 0x414fd0c1 },
};
static const char *const model_names[] = {
    "max",        "cortex-a53", "cortex-a57",  "cortex-a72",
    "cortex-a55", "cortex-a76", "neoverse-n1", NULL,
};
_Static_assert(G_N_ELEMENTS(model_names) == G_N_ELEMENTS(models) + 1, "a name for each model");

const void *a64_model_find(const char *name, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
        if (!name || g_str_equal(name, models[i].name)) {
            A64Model *copy = g_new(A64Model, 1);
            *copy = models[i];
            return copy;
        }
    g_set_error(error, g_quark_from_static_string("calque-cpu"), 0,
                "aarch64 has no CPU model '%s' (-cpu help lists them)", name);
    return NULL;
}

const char *const *a64_model_names(void)
{
    return model_names;
}

static const A64Model *model_or_default(const void *model)
{
    return model ? model : &models[0];
}

uint64_t a64_hwcap(const void *model, unsigned word)
{
    uint64_t caps = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(feature_rows); i++) {
        const FeatureRow *row = &feature_rows[i];
        if (row->cap >= 0 && (unsigned)row->cap / 64 == word
            && a64_model_has(model_or_default(model), row->feature))
            caps |= UINT64_C(1) << row->cap % 64;
    }
    return caps;
}

const char *a64_hwcap_name(const void *model, unsigned n)
{
    for (size_t i = 0; i < G_N_ELEMENTS(feature_rows); i++)
        if (a64_model_has(model_or_default(model), feature_rows[i].feature) && n-- == 0)
            return feature_rows[i].cap_name;
    return NULL;
}

uint32_t a64_midr(const void *model)
{
    return model_or_default(model)->midr;
}

/* The fields that no feature of ours sets, as Linux gives them to EL0: AArch64 alone at EL0 and
 * EL1, FP and SIMD present, no debug watchpoints told, no granule told. */
static uint64_t fixed_bits(const A64Model *model, unsigned crm, unsigned op2)
{
    switch (crm << 3 | op2) {
    case 4 << 3 | 0:
        return 0x11 | (a64_model_has(model, A64_FEAT_FP) ? 0 : 0xf0000)
             | (a64_model_has(model, A64_FEAT_ASIMD) ? 0 : 0xf00000);
    case 5 << 3 | 0:
        return 6;
    case 7 << 3 | 0:
        return 0xff000000;
    default:
        return 0;
    }
}

/* Linux, Documentation/arch/arm64/cpu-feature-registers.rst: CRm 0 and 2 to 7 are emulated. */
bool a64_id_register(const void *model, unsigned crm, unsigned op2, uint64_t *ret_value)
{
    const A64Model *m = model_or_default(model);
    if (crm == 0) {
        if (op2 != 0 && op2 != 5 && op2 != 6)
            return false;
        *ret_value = op2 == 0 ? m->midr : op2 == 5 ? UINT64_C(1) << 31 : 0; /* MPIDR, REVIDR */
        return true;
    }
    if (crm == 1 || crm > 7)
        return false;
    uint64_t value = fixed_bits(m, crm, op2);
    for (size_t i = 0; i < G_N_ELEMENTS(feature_rows); i++) {
        const FeatureRow *row = &feature_rows[i];
        if (row->crm != crm || row->op2 != op2 || !a64_model_has(m, row->feature))
            continue;
        if ((value >> row->shift & 15) < row->value)
            value = (value & ~(UINT64_C(15) << row->shift)) | (uint64_t)row->value << row->shift;
    }
    *ret_value = value;
    return true;
}
