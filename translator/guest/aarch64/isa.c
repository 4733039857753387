/*
 * The AArch64 guest's descriptor: variables and their homes, helpers, reset, access to FPCR and
 * FPSR.
 */
#include <string.h>
#include <sys/random.h>

#include "translator/guest/aarch64/helpers.h"
#include "translator/guest/aarch64/translate.h"
#include "translator/runtime/vcpu.h"

#define OFFSET(field) offsetof(Aarch64Cpu, field)
#define X(n, home) { "x" #n, IR_I64, 0, home, OFFSET(x[n]) }
#define V(n, home) { "v" #n, IR_V128, 0, home, OFFSET(v[n]) }
#define KEY(name, k)                                                                               \
    { name "_lo", IR_I64, 0, -1, OFFSET(key[k][0]) },                                              \
    { name "_hi", IR_I64, 0, -1, OFFSET(key[k][1]) }

/* The second figure of X and V is the wish for a host register, 0 first: what compiled code reads
 * and writes most, arguments and the first callee-saved ones. A backend takes as many as it can. */
static const IrVar vars[A64_N_VARS] = {
    X(0, 0), X(1, 1), X(2, 2), X(3, 3), X(4, 6), X(5, 12), X(6, 13), X(7, 15),
    X(8, 14), X(9, -1), X(10, -1), X(11, -1), X(12, -1), X(13, -1), X(14, -1), X(15, -1),
    X(16, -1), X(17, -1), X(18, -1), X(19, 5), X(20, 7), X(21, 10), X(22, 9), X(23, -1),
    X(24, -1), X(25, -1), X(26, -1), X(27, -1), X(28, -1), X(29, 11),
    [A64_VAR_X30] = { "x30", IR_I64, IR_VAR_RETURN, 8, OFFSET(x[30]) },
    [A64_VAR_SP] = { "sp", IR_I64, 0, 4, OFFSET(sp) },
    [A64_VAR_NZCV] = { "nzcv", IR_FLAGS, IR_VAR_LAZY, -1, OFFSET(nzcv) },
    [A64_VAR_V0] = V(0, 0), V(1, 1), V(2, 2), V(3, 3), V(4, 4), V(5, 5), V(6, 6), V(7, 7),
    V(8, 12), V(9, 13), V(10, -1), V(11, -1), V(12, -1), V(13, -1), V(14, -1), V(15, -1),
    V(16, 8), V(17, 9), V(18, 10), V(19, 11), V(20, 14), V(21, 15), V(22, -1), V(23, -1),
    V(24, -1), V(25, -1), V(26, -1), V(27, -1), V(28, -1), V(29, -1), V(30, -1), V(31, -1),
    [A64_VAR_QC] = { "qc", IR_V128, 0, -1, OFFSET(qc) },
    [A64_VAR_FPCR] = { "fpcr", IR_I32, 0, -1, OFFSET(fpcr) },
    [A64_VAR_TPIDR] = { "tpidr_el0", IR_I64, 0, -1, OFFSET(tpidr) },
    [A64_VAR_TPIDRRO] = { "tpidrro_el0", IR_I64, 0, -1, OFFSET(tpidrro) },
    [A64_VAR_EXCL_ADDR] = { "excl_addr", IR_I64, 0, -1, OFFSET(excl_addr) },
    [A64_VAR_EXCL_LO] = { "excl_lo", IR_I64, 0, -1, OFFSET(excl_lo) },
    [A64_VAR_EXCL_HI] = { "excl_hi", IR_I64, 0, -1, OFFSET(excl_hi) },
    [A64_VAR_PSTATE] = { "pstate", IR_I32, 0, -1, OFFSET(pstate) },
    [A64_VAR_KEYS] = KEY("apia", A64_KEY_IA), KEY("apib", A64_KEY_IB), KEY("apda", A64_KEY_DA),
    KEY("apdb", A64_KEY_DB), KEY("apga", A64_KEY_GA),
    [A64_VAR_PC] = { "pc", IR_I64, IR_VAR_PC, -1, OFFSET(pc) },
};

static const IrHelper helpers[] = {
#define HELPER(name, sig, flags) { #name, (void (*)(void))a64_helper_##name, sig, flags },
#include "translator/guest/aarch64/helpers.def"
#undef HELPER
};

/* op0 (bits 28 to 25, C4.1): x111 is floating point and SIMD, x1x0 loads and stores, whose bit 26
 * tells those of the SIMD registers. The rest is one decoder. */
static bool lift_word(LiftContext *ctx, uint32_t word)
{
    switch (word >> 25 & 7) {
    case 7: return a64_lift_simd_fp(ctx, word);
    case 6: return a64_lift_ldst_simd(ctx, word);
    default: return a64_decode(ctx, word);
    }
}

static void lift(LiftContext *ctx)
{
    uint32_t word = a64_fetch(ctx->code);
    ctx->bytes = 4;
    if (!lift_word(ctx, word))
        a64_trap(ctx, VCPU_EXIT_UNDEF, ctx->pc, a64_i64(ctx, word));
}

static uint64_t mode(const void *cpu)
{
    return ((const Aarch64Cpu *)cpu)->fpcr & A64_MODE_FPCR;
}

/* AArch64.BranchAddr() at EL0 with TCR_ELx.TBI0 set and TBID0 clear, as Linux has them. */
static GuestAddr branch_target(GuestAddr target)
{
    return (GuestAddr)((int64_t)(target << 8) >> 8);
}

static void reset(void *state, const void *model)
{
    Aarch64Cpu *cpu = state;
    memset(cpu, 0, sizeof(*cpu));
    cpu->model = model;
    a64_monitor_clear(cpu);
    a64_keys_reset(cpu, (1u << A64_N_KEYS) - 1);
}

void a64_keys_reset(Aarch64Cpu *cpu, unsigned which)
{
    /* Without entropy this early the old keys stay, which the architecture allows. */
    uint64_t fresh[A64_N_KEYS][2];
    if (getrandom(fresh, sizeof(fresh), GRND_NONBLOCK) != sizeof(fresh))
        return;
    for (unsigned k = 0; k < A64_N_KEYS; k++)
        if (which >> k & 1)
            memcpy(cpu->key[k], fresh[k], sizeof(fresh[k]));
}

uint32_t a64_fpcr_writable(const A64Model *model)
{
    return A64_FPCR_WRITABLE & ~(a64_model_has(model, A64_FEAT_FP16) ? 0u : A64_FPCR_FZ16);
}

uint32_t a64_fpcr_read(const Vcpu *v)
{
    return ((const Aarch64Cpu *)v->cpu)->fpcr;
}

void a64_fpcr_write(Vcpu *v, uint32_t value)
{
    Aarch64Cpu *cpu = (Aarch64Cpu *)v->cpu;
    cpu->fpcr = value & a64_fpcr_writable(cpu->model);
    vcpu_fp_set_control(v, a64_fpcr_control(cpu->fpcr));
}

uint32_t a64_fpsr_read(const Vcpu *v)
{
    const Aarch64Cpu *cpu = (const Aarch64Cpu *)v->cpu;
    uint32_t flags = vcpu_fp_flags(v);
    return (flags & A64_FPSR_LOW) | (flags & IR_FPX_DENORMAL ? A64_FPSR_IDC : 0)
         | (cpu->qc.lo | cpu->qc.hi ? A64_FPSR_QC : 0);
}

void a64_fpsr_write(Vcpu *v, uint32_t value)
{
    Aarch64Cpu *cpu = (Aarch64Cpu *)v->cpu;
    vcpu_fp_set_flags(v, (value & A64_FPSR_LOW) | (value & A64_FPSR_IDC ? IR_FPX_DENORMAL : 0));
    cpu->qc = (V128){ .lo = value & A64_FPSR_QC ? UINT64_MAX : 0 };
}

const GuestIsa guest_aarch64 = {
    .name = "aarch64",
    .capstone = "aarch64",
    .min_insn_bytes = 4,
    .max_insn_bytes = 4,
    .pc_align = 4,
    .cpu_bytes = sizeof(Aarch64Cpu),
    .pc_offset = OFFSET(pc),
    .vars = vars,
    .n_vars = A64_N_VARS,
    .helpers = helpers,
    .n_helpers = A64_N_HELPERS,
    .watch_helper = A64_HELPER_watched,
    .critical_helper = A64_HELPER_critical,
    .model = a64_model_find,
    .models = a64_model_names,
    .reset = reset,
    .lift = lift,
    .mode = mode,
    .branch_target = branch_target,
    .lazy_dead = a64_flags_dead,
    .ignores_top_byte = true,
};

_Static_assert(sizeof(Aarch64Cpu) % 16 == 0, "GuestIsa.cpu_bytes");
_Static_assert(A64_VAR_SP == A64_VAR_X30 + 1, "a64_get_xsp");
