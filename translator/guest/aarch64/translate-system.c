/* data plane */
/*
 * AArch64: hints, barriers, PSTATE, cache maintenance, system registers (branch.decode).
 */
#include "translator/guest/aarch64/translate.h"

/* -- hints and barriers ------------------------------------------------------------------------ */
bool a64_lift_HINT(LiftContext *ctx, const ArgHINT *a)
{
    return true;
}

bool a64_lift_CLREX(LiftContext *ctx, const ArgCLREX *a)
{
    ir_put(&ctx->b, A64_VAR_EXCL_ADDR, a64_i64(ctx, A64_NO_MONITOR));
    return true;
}

/* DMB and DSB. The option's low two bits: 1 loads before everything, 2 stores before stores; the
 * shareability domain doesn't matter to a host that has one. */
bool a64_lift_DMB(LiftContext *ctx, const ArgDMB *a)
{
    unsigned kind = a->crm & 3;
    unsigned order = kind == 1 ? IR_FENCE_RR | IR_FENCE_RW : kind == 2 ? IR_FENCE_WW : IR_FENCE_ALL;
    ir_emit(&ctx->b, IR_fence, IR_VOID, 0, order, 0, 0, 0, 0, 0);
    return true;
}

/* Changed code was invalidated by IC IVAU; the next unit is looked up anew. */
bool a64_lift_ISB(LiftContext *ctx, const ArgISB *a)
{
    a64_end_unit(ctx);
    return true;
}

/* A barrier to speculation: hosts execute no translated access before its exit. */
bool a64_lift_SB(LiftContext *ctx, const ArgSB *a)
{
    ir_emit(&ctx->b, IR_fence, IR_VOID, 0, IR_FENCE_ALL, 0, 0, 0, 0, 0);
    return true;
}

/* -- PSTATE ------------------------------------------------------------------------------------ */
static void put_nzcv(LiftContext *ctx, IrRef bits)
{
    a64_put_flags(ctx, ir_op1(&ctx->b, IR_flpack, IR_FLAGS, bits));
}

bool a64_lift_CFINV(LiftContext *ctx, const ArgCFINV *a)
{
    put_nzcv(ctx, ir_op2i(&ctx->b, IR_xor, a64_unpack_flags(ctx), 1u << 29));
    return true;
}

/* XAFLAG: N = !C & !Z, Z = Z & C, C = C | Z, V = !C & Z. */
bool a64_lift_XAFLAG(LiftContext *ctx, const ArgXAFLAG *a)
{
    IrBuilder *b = &ctx->b;
    IrRef old = a64_unpack_flags(ctx);
    IrRef z = a64_field(ctx, IR_ubfx, old, 0, 30, 1), c = a64_field(ctx, IR_ubfx, old, 0, 29, 1);
    IrRef either = ir_op2(b, IR_or, z, c);
    IrRef n = ir_op2i(b, IR_xor, either, 1);
    IrRef bits = ir_op2i(b, IR_shl, n, 31);
    bits = ir_op2(b, IR_or, bits, ir_op2i(b, IR_shl, ir_op2(b, IR_and, z, c), 30));
    bits = ir_op2(b, IR_or, bits, ir_op2i(b, IR_shl, either, 29));
    bits = ir_op2(b, IR_or, bits, ir_op2i(b, IR_shl, ir_op2(b, IR_andn, z, c), 28));
    put_nzcv(ctx, bits);
    return true;
}

/* AXFLAG: N = 0, Z = Z | V, C = C & !V, V = 0. */
bool a64_lift_AXFLAG(LiftContext *ctx, const ArgAXFLAG *a)
{
    IrBuilder *b = &ctx->b;
    IrRef old = a64_unpack_flags(ctx);
    IrRef z = ir_op2(b, IR_or, old, ir_op2i(b, IR_shl, old, 2));
    IrRef c = ir_op2(b, IR_andn, old, ir_op2i(b, IR_shl, old, 1));
    put_nzcv(ctx,
             ir_op2(b, IR_or, ir_op2i(b, IR_and, z, 1u << 30), ir_op2i(b, IR_and, c, 1u << 29)));
    return true;
}

static bool lift_pstate_imm(LiftContext *ctx, uint32_t bit, bool set)
{
    IrRef old = ir_get(&ctx->b, A64_VAR_PSTATE);
    ir_put(&ctx->b, A64_VAR_PSTATE,
           set ? ir_op2i(&ctx->b, IR_or, old, bit) : ir_op2i(&ctx->b, IR_and, old, (uint32_t)~bit));
    return true;
}

bool a64_lift_MSR_SSBS(LiftContext *ctx, const ArgMSR_SSBS *a)
{
    return lift_pstate_imm(ctx, A64_PSTATE_SSBS, a->crm & 1);
}

bool a64_lift_MSR_DIT(LiftContext *ctx, const ArgMSR_DIT *a)
{
    return lift_pstate_imm(ctx, A64_PSTATE_DIT, a->crm & 1);
}

/* -- cache maintenance ------------------------------------------------------------------------- */
enum {
    ZVA_LOG2_WORDS = 4,     /* DCZID_EL0.BS: 64 bytes */
    LINE_LOG2_WORDS = 4,    /* CTR_EL0.IminLine, DminLine: what VCPU_EXIT_ICACHE invalidates */
    COUNTER_HZ = 1000000000 /* see a64_helper_counter() */
};

bool a64_lift_DC_ZVA(LiftContext *ctx, const ArgDC_ZVA *a)
{
    unsigned bytes = 4u << ZVA_LOG2_WORDS;
    IrRef start = ir_op2i(&ctx->b, IR_and, a64_get_x(ctx, a->rt), ~(uint64_t)(bytes - 1));
    IrRef zero = ir_vconst(&ctx->b, 0, 0);
    for (unsigned at = 0; at < bytes; at += 16)
        ir_store(&ctx->b, 4, start, at, zero);
    return true;
}

/* Clean, clean and invalidate: the host's caches are coherent. The address must be readable. */
bool a64_lift_DC(LiftContext *ctx, const ArgDC *a)
{
    ir_load(&ctx->b, IR_I32, 0, a64_get_x(ctx, a->rt), 0);
    return true;
}

bool a64_lift_IC_IVAU(LiftContext *ctx, const ArgIC_IVAU *a)
{
    IrRef addr = a64_field(ctx, IR_sbfx, a64_get_x(ctx, a->rt), 0, 0, 56); /* without the tag */
    /* Programs flush buffers that never held code, too, a line at a time. */
    IrBuilder *b = &ctx->b;
    IrRef seen = a64_call(ctx, A64_HELPER_code_seen, IR_I32, addr, IR_NONE, IR_NONE,
                          IR_NONE);
    ir_emit(b, IR_trap_if, IR_VOID, 0, VCPU_EXIT_ICACHE,
            ir_cmp(b, IR_CMP_NE, seen, a64_i32(ctx, 0)), addr, 0, 0, (int64_t)(ctx->pc + 4));
    return true;
}

/* -- system registers -------------------------------------------------------------------------- */
typedef IrRef ReadFn(LiftContext *ctx);
typedef void WriteFn(LiftContext *ctx, IrRef value);
typedef struct SysReg {
    uint16_t key;
    int8_t feature; /* A64Feature, or ALWAYS */
    ReadFn *read;   /* NULL: write only */
    WriteFn *write; /* NULL: read only */
} SysReg;
enum { ALWAYS = -1 };
/* op0 is 3. */
#define SYSREG(op1, crn, crm, op2) (1 << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

static IrRef read_ctr(LiftContext *ctx)
{
    /* RES1, IDC (no cleaning needed for code), CWG, ERG, DminLine, L1Ip PIPT,
     * IminLine (D23.2.34). */
    uint64_t ctr = UINT64_C(1) << 31 | 1u << 28 | LINE_LOG2_WORDS << 24 | LINE_LOG2_WORDS << 20
                 | LINE_LOG2_WORDS << 16 | 3u << 14 | LINE_LOG2_WORDS;
    return a64_i64(ctx, ctr);
}

static IrRef read_dczid(LiftContext *ctx)
{
    return a64_i64(ctx, ZVA_LOG2_WORDS);
}

static IrRef read_nzcv(LiftContext *ctx)
{
    return a64_zext(ctx, a64_unpack_flags(ctx));
}

static void write_nzcv(LiftContext *ctx, IrRef value)
{
    put_nzcv(ctx, a64_trunc(ctx, value));
}

static IrRef read_pstate_bit(LiftContext *ctx, uint32_t bit)
{
    return a64_zext(ctx, ir_op2i(&ctx->b, IR_and, ir_get(&ctx->b, A64_VAR_PSTATE), bit));
}

static void write_pstate_bit(LiftContext *ctx, IrRef value, uint32_t bit)
{
    IrRef old = ir_op2i(&ctx->b, IR_and, ir_get(&ctx->b, A64_VAR_PSTATE), (uint32_t)~bit);
    IrRef new = ir_op2i(&ctx->b, IR_and, a64_trunc(ctx, value), bit);
    ir_put(&ctx->b, A64_VAR_PSTATE, ir_op2(&ctx->b, IR_or, old, new));
}

static IrRef read_dit(LiftContext *ctx)
{
    return read_pstate_bit(ctx, A64_PSTATE_DIT);
}

static void write_dit(LiftContext *ctx, IrRef value)
{
    write_pstate_bit(ctx, value, A64_PSTATE_DIT);
}

static IrRef read_ssbs(LiftContext *ctx)
{
    return read_pstate_bit(ctx, A64_PSTATE_SSBS);
}

static void write_ssbs(LiftContext *ctx, IrRef value)
{
    write_pstate_bit(ctx, value, A64_PSTATE_SSBS);
}

static IrRef read_fpcr(LiftContext *ctx)
{
    return a64_zext(ctx, ir_get(&ctx->b, A64_VAR_FPCR));
}

/* Ends the unit; through the runtime when the bits change that units are translated for. */
static void write_fpcr(LiftContext *ctx, IrRef value)
{
    IrBuilder *b = &ctx->b;
    IrRef old = ir_get(b, A64_VAR_FPCR);
    IrRef new = ir_op2i(b, IR_and, a64_trunc(ctx, value), a64_fpcr_writable(a64_model(ctx)));
    ir_put(b, A64_VAR_FPCR, new);
    /* a64_fpcr_control() as IR. */
    IrRef control = ir_op2i(b, IR_add, a64_field(ctx, IR_ubfx, new, 0, A64_FPCR_RMODE_SHIFT, 2),
                            IR_ROUND_NEAREST);
    IrRef flush = ir_op2i(b, IR_and, ir_op2i(b, IR_shr, new, 21), IR_FPC_FLUSH);
    ir_emit(b, IR_fpsetctl, IR_VOID, 0, 0, ir_op2(b, IR_or, control, flush), 0, 0, 0, 0);
    IrRef changed = ir_op2i(b, IR_and, ir_op2(b, IR_xor, old, new), A64_MODE_FPCR);
    ir_emit(b, IR_trap_if, IR_VOID, 0, VCPU_EXIT_ICACHE,
            ir_cmp(b, IR_CMP_NE, changed, a64_i32(ctx, 0)), a64_i64(ctx, 0), 0, 0,
            (int64_t)(ctx->pc + 4));
    a64_end_unit(ctx);
}

/* See a64_fpsr_read(). */
static IrRef read_fpsr(LiftContext *ctx)
{
    IrBuilder *b = &ctx->b;
    IrRef flags = ir_emit(b, IR_fpgetflags, IR_I32, 0, 0, 0, 0, 0, 0, 0);
    IrRef idc = ir_op2i(b, IR_shl, ir_op2i(b, IR_and, flags, IR_FPX_DENORMAL), 2);
    IrRef fpsr = ir_op2(b, IR_or, ir_op2i(b, IR_and, flags, A64_FPSR_LOW), idc);
    IrRef qc = ir_get(b, A64_VAR_QC);
    IrRef half[2];
    for (int i = 0; i < 2; i++)
        half[i] = ir_emit(b, IR_vget, IR_I64, IR_LANE_I64, 0, qc, 0, 0, 0, i);
    IrRef any = ir_cmp(b, IR_CMP_NE, ir_op2(b, IR_or, half[0], half[1]), a64_i64(ctx, 0));
    IrRef bit = ir_op2i(b, IR_shl, ir_op1(b, IR_b2i, IR_I32, any), 27);
    return a64_zext(ctx, ir_op2(b, IR_or, fpsr, bit));
}

static void write_fpsr(LiftContext *ctx, IrRef value)
{
    IrBuilder *b = &ctx->b;
    IrRef w = a64_trunc(ctx, value);
    IrRef idc = ir_op2i(b, IR_and, ir_op2i(b, IR_shr, w, 2), IR_FPX_DENORMAL);
    IrRef flags = ir_op2(b, IR_or, ir_op2i(b, IR_and, w, A64_FPSR_LOW), idc);
    ir_emit(b, IR_fpsetflags, IR_VOID, 0, 0, flags, 0, 0, 0, 0);
    IrRef qc = a64_field(ctx, IR_sbfx, value, 0, 27, 1);
    ir_put(b, A64_VAR_QC, ir_emit(b, IR_vfroms, IR_V128, IR_LANE_I64, IR_I64, qc, 0, 0, 0, 0));
}

static IrRef read_tpidr(LiftContext *ctx)
{
    return ir_get(&ctx->b, A64_VAR_TPIDR);
}

static void write_tpidr(LiftContext *ctx, IrRef value)
{
    ir_put(&ctx->b, A64_VAR_TPIDR, value);
}

static IrRef read_tpidrro(LiftContext *ctx)
{
    return ir_get(&ctx->b, A64_VAR_TPIDRRO);
}

static IrRef read_cntfrq(LiftContext *ctx)
{
    return a64_i64(ctx, COUNTER_HZ);
}

static IrRef read_counter(LiftContext *ctx)
{
    return a64_call(ctx, A64_HELPER_counter, IR_I64, 0, 0, 0, 0);
}

/* RNDR, RNDRRS: always a number, so NZCV is 0. */
static IrRef read_random(LiftContext *ctx)
{
    IrRef value = a64_call(ctx, A64_HELPER_random, IR_I64, 0, 0, 0, 0);
    put_nzcv(ctx, a64_i32(ctx, 0));
    return value;
}

static const SysReg sysregs[] = {
    { SYSREG(3, 0, 0, 1), ALWAYS, read_ctr, NULL },
    { SYSREG(3, 0, 0, 7), ALWAYS, read_dczid, NULL },
    { SYSREG(3, 2, 4, 0), A64_FEAT_RNG, read_random, NULL },
    { SYSREG(3, 2, 4, 1), A64_FEAT_RNG, read_random, NULL },
    { SYSREG(3, 4, 2, 0), ALWAYS, read_nzcv, write_nzcv },
    { SYSREG(3, 4, 2, 5), A64_FEAT_DIT, read_dit, write_dit },
    { SYSREG(3, 4, 2, 6), A64_FEAT_SSBS, read_ssbs, write_ssbs },
    { SYSREG(3, 4, 4, 0), A64_FEAT_FP, read_fpcr, write_fpcr },
    { SYSREG(3, 4, 4, 1), A64_FEAT_FP, read_fpsr, write_fpsr },
    { SYSREG(3, 13, 0, 2), ALWAYS, read_tpidr, write_tpidr },
    { SYSREG(3, 13, 0, 3), ALWAYS, read_tpidrro, NULL },
    { SYSREG(3, 14, 0, 0), ALWAYS, read_cntfrq, NULL },
    { SYSREG(3, 14, 0, 2), ALWAYS, read_counter, NULL },
    { SYSREG(3, 14, 0, 6), A64_FEAT_ECV, read_counter, NULL }, /* CNTVCTSS_EL0 */
};

static const SysReg *find_sysreg(LiftContext *ctx, unsigned key)
{
    for (size_t i = 0; i < sizeof(sysregs) / sizeof(sysregs[0]); i++)
        if (sysregs[i].key == key)
            return sysregs[i].feature == ALWAYS || a64_has(ctx, sysregs[i].feature) ? &sysregs[i]
                                                                                    : NULL;
    return NULL;
}

/* The rest is undefined at EL0, or traps to a kernel which says so. */
bool a64_lift_MRS(LiftContext *ctx, const ArgMRS *a)
{
    unsigned key = (unsigned)a->reg;
    const SysReg *reg = find_sysreg(ctx, key);
    uint64_t id;
    if (reg && reg->read)
        a64_put_x(ctx, a->rt, reg->read(ctx));
    else if (key >> 7 == SYSREG(0, 0, 0, 0) >> 7
             && a64_id_register(ctx->cpu_model, key >> 3 & 15, key & 7, &id))
        a64_put_x(ctx, a->rt, a64_i64(ctx, id));
    else
        return false;
    return true;
}

bool a64_lift_MSR_reg(LiftContext *ctx, const ArgMSR_reg *a)
{
    const SysReg *reg = find_sysreg(ctx, (unsigned)a->reg);
    if (!reg || !reg->write)
        return false;
    reg->write(ctx, a64_get_x(ctx, a->rt));
    return true;
}
