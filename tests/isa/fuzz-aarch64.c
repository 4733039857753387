/*
 * AArch64 for the instruction fuzzer.
 *
 * x28 and sp are bases of any alignment's accesses, x26 (16-byte aligned, never written) of those
 * that must be aligned, x27 is a small index; no generated instruction writes x26 and x27, and x28
 * and sp only by writeback.
 */
#include <glib.h>
#include <string.h>
#ifdef HAVE_UNICORN
#include <unicorn/unicorn.h>
#endif

#include "tests/isa/fuzz.h"
#include "translator/guest/aarch64/cpu.h"

enum { BASE = 28, ALIGNED = 26, INDEX = 27, FPSR_UFC = 1 << 3 };
enum { W_SP = 31, W_PC, W_NZCV, W_FPCR, W_FPSR, W_TPIDR, W_V, N_WORDS = W_V + 64 };
_Static_assert(N_WORDS <= (int)FUZZ_MAX_WORDS, "words");

extern const DecodeRow a64_rows[], a64_fp_rows[], a64_simd_rows[], a64_simd_imm_rows[],
    a64_ldst_simd_rows[];
extern const unsigned a64_n_rows, a64_fp_n_rows, a64_simd_n_rows, a64_simd_imm_n_rows,
    a64_ldst_simd_n_rows;

static const char *word_name(unsigned w)
{
    static char text[8];
    static const char *const names[] = { "sp", "pc", "nzcv", "fpcr", "fpsr", "tpidr" };
    if (w >= W_SP && w < W_V)
        return names[w - W_SP];
    if (w < W_SP)
        g_snprintf(text, sizeof(text), "x%u", w);
    else
        g_snprintf(text, sizeof(text), "v%u%s", (w - W_V) / 2, (w - W_V) % 2 ? ".hi" : ".lo");
    return text;
}

static void randomise(uint64_t *words)
{
    for (unsigned i = 0; i < 31; i++)
        words[i] = fuzz_number();
    words[ALIGNED] = FUZZ_DATA + FUZZ_DATA_BYTES / 2 + 16 * fuzz_below(16);
    words[INDEX] = fuzz_below(16);
    words[BASE] = FUZZ_DATA + FUZZ_DATA_BYTES / 2 + fuzz_below(64);
    words[W_SP] = FUZZ_DATA + FUZZ_DATA_BYTES / 2 - 16 * fuzz_below(16);
    words[W_NZCV] = fuzz_below(16) << 28;
    words[W_FPCR] = fuzz_below(2) ? 0 : fuzz_random() & A64_FPCR_WRITABLE;
    words[W_TPIDR] = fuzz_random();
    words[W_FPSR] = fuzz_below(2) ? 0 : fuzz_random() & (A64_FPSR_LOW | A64_FPSR_IDC | A64_FPSR_QC);
    for (unsigned i = W_V; i < N_WORDS; i++)
        words[i] = fuzz_below(3) ? fuzz_float() : fuzz_number();
}

static void get(const Vcpu *v, uint64_t *words)
{
    const Aarch64Cpu *cpu = vcpu_cpu((Vcpu *)v);
    memcpy(words, cpu->x, sizeof(cpu->x));
    words[W_SP] = cpu->sp;
    words[W_PC] = cpu->pc;
    words[W_TPIDR] = cpu->tpidr;
    words[W_NZCV] = cpu->nzcv;
    words[W_FPCR] = a64_fpcr_read(v);
    words[W_FPSR] = a64_fpsr_read(v);
    memcpy(&words[W_V], cpu->v, sizeof(cpu->v));
}

static void set(Vcpu *v, const uint64_t *words)
{
    Aarch64Cpu *cpu = vcpu_cpu(v);
    memcpy(cpu->x, words, sizeof(cpu->x));
    cpu->sp = words[W_SP];
    cpu->pc = words[W_PC];
    cpu->tpidr = words[W_TPIDR];
    cpu->nzcv = (uint32_t)words[W_NZCV];
    memcpy(cpu->v, &words[W_V], sizeof(cpu->v));
    a64_fpcr_write(v, (uint32_t)words[W_FPCR]);
    a64_fpsr_write(v, (uint32_t)words[W_FPSR]);
    a64_monitor_clear(cpu);
    for (unsigned k = 0; k < A64_N_KEYS; k++) /* the same everywhere */
        cpu->key[k][0] = words[k] * UINT64_C(0x9e3779b97f4a7c15), cpu->key[k][1] = words[k + 8] + k;
}

/* A result that became the smallest normal number by rounding lacks the underflow
 * (host/x86_64/fp-site.h). */
static bool is_smallest_normal(uint64_t w)
{
    bool f64 = w << 1 == UINT64_C(0x0020000000000000), f32 = false;
    for (unsigned shift = 0; shift < 64; shift += 32)
        f32 |= (uint32_t)(w >> shift) << 1 == 0x01000000;
    return f64 || f32;
}

static bool gap(const uint64_t *right, const uint64_t *other)
{
    bool smallest = false;
    for (unsigned i = 0; i < N_WORDS; i++) {
        if (i != W_FPSR && right[i] != other[i])
            return false;
        smallest |= i >= W_V && is_smallest_normal(right[i]);
    }
    return smallest && right[W_FPSR] == (other[W_FPSR] | FPSR_UFC);
}

/* -- which encodings may run ------------------------------------------------------------------- */
static bool named(const DecodeRow *row, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (g_str_has_prefix(row->name, *prefixes))
            return true;
    return false;
}

static bool field_is(const DecodeRow *row, uint32_t insn, const char *name, uint32_t value)
{
    unsigned lsb, len;
    return fuzz_field(row, name, &lsb, &len) && (insn >> lsb & ((1u << len) - 1)) == value;
}

/* A register that is written, as a general or a vector one, moves out of the reserved ones. */
static uint32_t free_register(const DecodeRow *row, uint32_t insn, const char *name)
{
    unsigned lsb, len;
    if (!fuzz_field(row, name, &lsb, &len) || len != 5)
        return insn;
    unsigned r = insn >> lsb & 31;
    if (r == ALIGNED || r == INDEX || r == BASE)
        insn = fuzz_set_field(row, insn, name, r & 15);
    return insn;
}

static uint32_t shorten(const DecodeRow *row, uint32_t insn, const char *name, uint32_t below,
                        uint32_t step)
{
    return fuzz_set_field(row, insn, name, (uint32_t)fuzz_below(below) * step);
}

static bool adapt_memory(const DecodeRow *row, uint32_t *insn)
{
    static const char *const aligned[] = { "LDXR", "LDXP", "STXR", "STXP", "LDAR", "STLR", "LDAP",
                                           "STLUR", "CAS", "LDOP", "SWP", NULL };
    unsigned lsb, len;
    bool must_align = named(row, aligned);
    uint32_t i = *insn;
    i = fuzz_set_field(row, i, "rn", must_align ? ALIGNED : fuzz_below(4) ? BASE : 31);
    i = fuzz_set_field(row, i, "rm", INDEX);
    if (must_align) {
        i = shorten(row, i, "imm", 8, 16);
        if (g_str_has_prefix(row->name, "CASP")) {
            i = fuzz_set_field(row, i, "rs", 2 * (uint32_t)fuzz_below(12));
            i = fuzz_set_field(row, i, "rt", 2 * (uint32_t)fuzz_below(12));
        }
    } else if (fuzz_field(row, "imm", &lsb, &len) && len == 12) {
        i = shorten(row, i, "imm", 64, 1);
    }
    *insn = i;
    /* Two loads to one register, and of the base with writeback: UNPREDICTABLE. */
    return !fuzz_field(row, "rt2", &lsb, &len) || (i >> lsb & 31) != (i & 31);
}

/* NZCV, TPIDR_EL0, FPCR, FPSR; the last two get numbers that fit, for Unicorn keeps RES0 bits. */
static bool adapt_sysreg(const DecodeRow *row, uint32_t *insn)
{
    enum { KEY = 1 << 14 | 3 << 11 }; /* op0 3, op1 3; then CRn, CRm, op2 */
    static const uint16_t regs[] = {KEY | 4 << 7 | 2 << 3, KEY | 13 << 7 | 2, KEY | 4 << 7 | 4 << 3,
                                    KEY | 4 << 7 | 4 << 3 | 1};
    unsigned which = (unsigned)fuzz_below(G_N_ELEMENTS(regs));
    *insn = (*insn & ~(0x7fffu << 5)) | (uint32_t)regs[which] << 5;
    if (which >= 2 && !strcmp(row->name, "MSR_reg"))
        *insn = fuzz_set_field(row, *insn, "rt", fuzz_below(2) ? INDEX : 31);
    return true;
}

static bool adapt(const DecodeRow *row, uint32_t *insn, unsigned *ret_bytes)
{
    static const char *const never[] = { "SVC", "BRK", "BR", "BLR", "RET", "LDRAA", "IC_", NULL };
    static const char *const memory[] = { "LD", "ST", "CAS", "SWP", "PRF", NULL };
    static const char *const sp_result[] = { "ADD_imm", "SUB_imm", "AND_imm", "ORR_imm", "EOR_imm",
                                             "ADD_ext", "SUB_ext", NULL };
    static const char *const branches[] = { "B", "BL", "B_cond", "CBZ", "TBZ", NULL };
    static const char *const written[] = { "rd", "rt", "rt2", "rs", NULL };
    *ret_bytes = 4;
    if (named(row, never) && strcmp(row->name, "B") != 0 && !g_str_has_prefix(row->name, "B_")
        && strcmp(row->name, "BL") != 0)
        return false;
    for (unsigned i = 0; branches[i]; i++)
        if (!strcmp(row->name, branches[i]))
            *insn = fuzz_set_field(row, *insn, "imm", 1 + (uint32_t)fuzz_below(2));
    for (unsigned i = 0; written[i]; i++)
        *insn = free_register(row, *insn, written[i]);
    if (named(row, sp_result) && field_is(row, *insn, "rd", 31))
        return false;
    if (g_str_has_suffix(row->name, "_lit"))
        *insn = shorten(row, *insn, "imm", 2, 1);
    else if (named(row, memory))
        return adapt_memory(row, insn);
    if (g_str_has_prefix(row->name, "DC_"))
        *insn = fuzz_set_field(row, *insn, "rt", BASE);
    if (!strcmp(row->name, "MRS") || !strcmp(row->name, "MSR_reg"))
        return adapt_sysreg(row, insn);
    return true;
}

/* -- Unicorn 2.0.1 (QEMU 5.0.1) ---------------------------------------------------------------- */
#ifdef HAVE_UNICORN
static uc_engine *uc_new_aarch64(void)
{
    uc_engine *uc;
    if (uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &uc) != UC_ERR_OK)
        g_error("fuzz-test: no Unicorn for aarch64");
    uc_ctl_set_cpu_model(uc, UC_CPU_ARM64_MAX);
    uint64_t fpen = 3 << 20;
    uc_reg_write(uc, UC_ARM64_REG_CPACR_EL1, &fpen);
    return uc;
}

static int uc_x(unsigned i)
{
    return i < 29 ? UC_ARM64_REG_X0 + (int)i : i == 29 ? UC_ARM64_REG_X29 : UC_ARM64_REG_X30;
}

static const int uc_special[] = { UC_ARM64_REG_SP, UC_ARM64_REG_PC, UC_ARM64_REG_NZCV,
                                  UC_ARM64_REG_FPCR, UC_ARM64_REG_FPSR,
                                  UC_ARM64_REG_TPIDR_EL0 };

static void uc_get(uc_engine *uc, uint64_t *words)
{
    for (unsigned i = 0; i < 31; i++)
        uc_reg_read(uc, uc_x(i), &words[i]);
    for (unsigned i = W_SP; i < W_V; i++) {
        words[i] = 0;
        uc_reg_read(uc, uc_special[i - W_SP], &words[i]);
    }
    for (unsigned i = 0; i < 32; i++)
        uc_reg_read(uc, UC_ARM64_REG_Q0 + (int)i, &words[W_V + 2 * i]);
}

static void uc_set(uc_engine *uc, const uint64_t *words)
{
    for (unsigned i = 0; i < 31; i++)
        uc_reg_write(uc, uc_x(i), &words[i]);
    for (unsigned i = W_SP; i < W_V; i++)
        uc_reg_write(uc, uc_special[i - W_SP], &words[i]);
    for (unsigned i = 0; i < 32; i++)
        uc_reg_write(uc, UC_ARM64_REG_Q0 + (int)i, &words[W_V + 2 * i]);
}

static bool uc_knows(const DecodeRow *row, uint32_t insn)
{
    static const char *const lacking[] = { "PAUTH", "I8MM", "BF16", "SSBS", "DIT", "ECV", "CSSC",
                                           NULL };
    for (unsigned i = 0; lacking[i]; i++)
        if (strstr(row->features, lacking[i]))
            return false;
    if ((insn & 0xfffffc00) == 0x1e634000) /* BFCVT, in the place of FCVT's reserved format */
        return false;
    if ((insn & 0xbff8fc00) == 0x2f00fc00) /* FMOV with o2 = 1 is unallocated, not here */
        return false;
    if ((insn & 0xfff0fc00) == 0x5f10fc00)
        return false; /* FCVTZS Hd, Hn, #fbits leaves the sign in bits 16 to 31 */
    if (!strcmp(row->name, "FJCVTZS")) /* says that a flushed denormal was exact */
        return false;
    if (!strcmp(row->name, "FCMLA_elt")) /* raises flags for the upper half when Q = 0 */
        return insn >> 30 & 1;
    if (!strcmp(row->name, "HINT")) /* WFE and WFI stop; pointer authentication is off at its EL1 */
        return (insn >> 8 & 15) > 3;
    if ((insn & 0xfb200c00) == 0xf8200800 && (insn & 31) >= 24) /* FEAT_RPRFM */
        return false;
    if (!strcmp(row->name, "LDOP")) /* minima and maxima don't truncate their operands */
        return insn >> 30 == 3 || !(insn >> 14 & 1);
    if (g_str_has_prefix(row->name, "STX")) /* exclusives of different sizes: UNPREDICTABLE */
        return insn >> 30 == 3 && !strcmp(row->name, "STXR");
    return true;
}

static uint64_t uc_mask(unsigned word)
{
    return word == W_NZCV ? UINT64_C(0xf0000000) : UINT64_MAX;
}
#endif

static const DecodeRow *const tables[] = { a64_rows, a64_fp_rows, a64_simd_rows, a64_simd_imm_rows,
                                           a64_ldst_simd_rows, NULL };
static const unsigned *const n_rows[] = { &a64_n_rows, &a64_fp_n_rows, &a64_simd_n_rows,
                                          &a64_simd_imm_n_rows, &a64_ldst_simd_n_rows };

const FuzzGuest fuzz_aarch64 = {
    .name = "aarch64",
    .tables = tables,
    .n_rows = n_rows,
    .n_words = N_WORDS,
    .pc_word = W_PC,
    .lazy_word = W_NZCV,
    .word_name = word_name,
    .adapt = adapt,
    .first = 0xd5033f5f, /* CLREX: Unicorn keeps its monitor from run to run */
    .stop = 0xd4200000, /* BRK #0 */
    .stop_bytes = 4,
    .gap = gap,
    .randomise = randomise,
    .get = get,
    .set = set,
#ifdef HAVE_UNICORN
    .uc_new = uc_new_aarch64,
    .uc_get = uc_get,
    .uc_set = uc_set,
    .uc_knows = uc_knows,
    .uc_mask = uc_mask,
#endif
};
