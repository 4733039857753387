/* data plane */
/*
 * AArch64: exclusive, ordered and atomic accesses (atomic.decode).
 *
 * A load-exclusive notes its address and what it read; the store-exclusive is a compare and swap
 * against that, guarded by the same address. Another thread that wrote the same value again in
 * between isn't noticed, which only programs that count failures can tell.
 *
 * FEAT_LSE2 isn't there: all of these accesses must be aligned to their size (B2.2.1).
 */
#include "translator/guest/aarch64/translate.h"

static unsigned ordering(bool acquire, bool release)
{
    return (acquire ? (unsigned)IR_MEM_ACQUIRE : 0) | (release ? (unsigned)IR_MEM_RELEASE : 0);
}

/* -- exclusives -------------------------------------------------------------------------------- */
bool a64_lift_LDXR(LiftContext *ctx, const ArgLDXR *a)
{
    IrRef addr = a64_get_xsp(ctx, a->rn);
    IrRef value = ir_load(&ctx->b, IR_I64,
                          (unsigned)a->size | IR_MEM_ALIGN | ordering(a->acq, false), addr, 0);
    ir_put(&ctx->b, A64_VAR_EXCL_ADDR, addr);
    ir_put(&ctx->b, A64_VAR_EXCL_LO, value);
    a64_put_x(ctx, a->rt, value);
    return true;
}

/* A pair of W registers is one access of 64 bits, a pair of X registers one of 128. */
bool a64_lift_LDXP(LiftContext *ctx, const ArgLDXP *a)
{
    IrBuilder *b = &ctx->b;
    IrRef addr = a64_get_xsp(ctx, a->rn), low, high;
    unsigned mem = IR_MEM_ALIGN | IR_MEM_ATOMIC | ordering(a->acq, false);
    if (a->size == 3) {
        IrRef both = ir_load(b, IR_I128, 4 | mem, addr, 0);
        low = ir_op1(b, IR_lo128, IR_I64, both);
        high = ir_op1(b, IR_hi128, IR_I64, both);
        ir_put(b, A64_VAR_EXCL_LO, low);
        ir_put(b, A64_VAR_EXCL_HI, high);
    } else {
        IrRef both = ir_load(b, IR_I64, 3 | mem, addr, 0);
        ir_put(b, A64_VAR_EXCL_LO, both);
        low = a64_zext(ctx, a64_trunc(ctx, both));
        high = ir_op2i(b, IR_shr, both, 32);
    }
    ir_put(b, A64_VAR_EXCL_ADDR, addr);
    a64_put_x(ctx, a->rt, low);
    a64_put_x(ctx, a->rt2, high);
    return true;
}

/* The store against the monitor; the monitor is open afterwards, whatever came of it. */
static void store_exclusive(LiftContext *ctx, const ArgStxr *a, unsigned log2, IrRef expected,
                            IrRef new)
{
    IrBuilder *b = &ctx->b;
    IrRef addr = a64_get_xsp(ctx, a->rn);
    IrRef same = ir_cmp(b, IR_CMP_EQ, addr, ir_get(b, A64_VAR_EXCL_ADDR));
    unsigned mem = log2 | IR_MEM_ALIGN | ordering(false, a->rel);
    IrRef stored = ir_emit(b, IR_condcas, IR_I1, 0, mem, addr, expected, new, same, 0);
    ir_put(b, A64_VAR_EXCL_ADDR, a64_i64(ctx, A64_NO_MONITOR));
    IrRef status = ir_op1(b, IR_b2i, IR_I32, ir_op1(b, IR_bnot, IR_I1, stored));
    a64_put_w(ctx, a->rs, status);
}

bool a64_lift_STXR(LiftContext *ctx, const ArgSTXR *a)
{
    bool sf = a->size == 3;
    IrRef expected = ir_get(&ctx->b, A64_VAR_EXCL_LO);
    store_exclusive(ctx, a, (unsigned)a->size, sf ? expected : a64_trunc(ctx, expected),
                    a64_get_r(ctx, sf, a->rt));
    return true;
}

static IrRef pack(LiftContext *ctx, IrRef low, IrRef high)
{
    return ir_emit(&ctx->b, IR_pack128, IR_I128, 0, 0, low, high, 0, 0, 0);
}

/* Two W registers in one value, the first in the low half. */
static IrRef pack_words(LiftContext *ctx, unsigned first, unsigned second)
{
    IrRef high = ir_op2i(&ctx->b, IR_shl, a64_get_x(ctx, second), 32);
    return ir_op2(&ctx->b, IR_or, a64_zext(ctx, a64_get_w(ctx, first)), high);
}

bool a64_lift_STXP(LiftContext *ctx, const ArgSTXP *a)
{
    IrRef low = ir_get(&ctx->b, A64_VAR_EXCL_LO);
    if (a->size == 3)
        store_exclusive(ctx, a, 4, pack(ctx, low, ir_get(&ctx->b, A64_VAR_EXCL_HI)),
                        pack(ctx, a64_get_x(ctx, a->rt), a64_get_x(ctx, a->rt2)));
    else
        store_exclusive(ctx, a, 3, low, pack_words(ctx, (unsigned)a->rt, (unsigned)a->rt2));
    return true;
}

/* -- ordered loads and stores ------------------------------------------------------------------ */
static void load_ordered(LiftContext *ctx, unsigned mem, unsigned rt, unsigned rn, int64_t disp)
{
    a64_put_x(ctx, rt, ir_load(&ctx->b, IR_I64, mem | IR_MEM_ALIGN, a64_get_xsp(ctx, rn), disp));
}

static void store_ordered(LiftContext *ctx, unsigned size, unsigned rt, unsigned rn, int64_t disp)
{
    IrRef value = a64_get_x(ctx, rt);
    /* LDAR stays behind it (RCsc); whether the next load is one can't be known. */
    ir_store(&ctx->b, size | IR_MEM_ALIGN | IR_MEM_SEQ_CST, a64_get_xsp(ctx, rn), disp, value);
}

bool a64_lift_STLR(LiftContext *ctx, const ArgSTLR *a)
{
    if (!a->order && !a64_has(ctx, A64_FEAT_LSE)) /* STLLR: FEAT_LOR, Armv8.1 */
        return false;
    store_ordered(ctx, (unsigned)a->size, (unsigned)a->rt, (unsigned)a->rn, 0);
    return true;
}

bool a64_lift_LDAR(LiftContext *ctx, const ArgLDAR *a)
{
    if (!a->order && !a64_has(ctx, A64_FEAT_LSE))
        return false;
    load_ordered(ctx, (unsigned)a->size | IR_MEM_ACQUIRE, (unsigned)a->rt, (unsigned)a->rn, 0);
    return true;
}

bool a64_lift_LDAPR(LiftContext *ctx, const ArgLDAPR *a)
{
    load_ordered(ctx, (unsigned)a->size | IR_MEM_ACQUIRE, (unsigned)a->rt, (unsigned)a->rn, 0);
    return true;
}

bool a64_lift_LDAPUR(LiftContext *ctx, const ArgLDAPUR *a)
{
    load_ordered(ctx, (unsigned)a->size | IR_MEM_ACQUIRE, (unsigned)a->rt, (unsigned)a->rn, a->imm);
    return true;
}

bool a64_lift_LDAPURS(LiftContext *ctx, const ArgLDAPURS *a)
{
    unsigned mem = (unsigned)a->size | IR_MEM_SIGNED | IR_MEM_ACQUIRE;
    if (a->size == 3 || (a->w && a->size == 2))
        return false;
    if (a->w)
        a64_put_w(ctx, a->rt, ir_load(&ctx->b, IR_I32, mem | IR_MEM_ALIGN, a64_get_xsp(ctx, a->rn),
                                      a->imm));
    else
        load_ordered(ctx, mem, (unsigned)a->rt, (unsigned)a->rn, a->imm);
    return true;
}

bool a64_lift_STLUR(LiftContext *ctx, const ArgSTLUR *a)
{
    store_ordered(ctx, (unsigned)a->size, (unsigned)a->rt, (unsigned)a->rn, a->imm);
    return true;
}

/* -- compare and swap -------------------------------------------------------------------------- */
/* Like a narrow load the old value comes extended with zeros;
 * the comparison is of the access's size. */
bool a64_lift_CAS(LiftContext *ctx, const ArgCAS *a)
{
    bool sf = a->size == 3;
    IrRef expected = a64_get_r(ctx, sf, a->rs), new = a64_get_r(ctx, sf, a->rt);
    unsigned mem = (unsigned)a->size | IR_MEM_ALIGN | ordering(a->acq, a->rel);
    a64_put_r(ctx, a->rs, ir_emit(&ctx->b, IR_acas, ir_type(&ctx->b, new), 0, mem,
                                  a64_get_xsp(ctx, a->rn), expected, new, 0, 0));
    return true;
}

bool a64_lift_CASP(LiftContext *ctx, const ArgCASP *a)
{
    if ((a->rs | a->rt) & 1)
        return false;
    IrBuilder *b = &ctx->b;
    unsigned rs = (unsigned)a->rs, rt = (unsigned)a->rt,
             mem = IR_MEM_ALIGN | ordering(a->acq, a->rel);
    IrRef addr = a64_get_xsp(ctx, a->rn), expected, new, old;
    if (a->x64) {
        expected = pack(ctx, a64_get_x(ctx, rs), a64_get_x(ctx, rs + 1));
        new = pack(ctx, a64_get_x(ctx, rt), a64_get_x(ctx, rt + 1));
        old = ir_emit(b, IR_acas, IR_I128, 0, 4 | mem, addr, expected, new, 0, 0);
        a64_put_x(ctx, rs, ir_op1(b, IR_lo128, IR_I64, old));
        a64_put_x(ctx, rs + 1, ir_op1(b, IR_hi128, IR_I64, old));
    } else {
        expected = pack_words(ctx, rs, rs + 1);
        new = pack_words(ctx, rt, rt + 1);
        old = ir_emit(b, IR_acas, IR_I64, 0, 3 | mem, addr, expected, new, 0, 0);
        a64_put_w(ctx, rs, a64_trunc(ctx, old));
        a64_put_x(ctx, rs + 1, ir_op2i(b, IR_shr, old, 32));
    }
    return true;
}

/* -- read, modify, write ----------------------------------------------------------------------- */
static bool lift_rmw(LiftContext *ctx, const ArgRmw *a, IrRmw op)
{
    IrRef value = a64_get_r(ctx, a->size == 3, a->rs);
    unsigned mem = (unsigned)a->size | IR_MEM_ALIGN | ordering(a->acq, a->rel);
    IrRef old = ir_emit(&ctx->b, IR_armw, ir_type(&ctx->b, value), op, mem,
                        a64_get_xsp(ctx, a->rn), value, 0, 0, 0);
    a64_put_r(ctx, a->rt, old);
    return true;
}

bool a64_lift_LDOP(LiftContext *ctx, const ArgLDOP *a)
{
    static const IrRmw ops[] = { IR_RMW_ADD, IR_RMW_ANDN, IR_RMW_XOR, IR_RMW_OR,
                                 IR_RMW_SMAX, IR_RMW_SMIN, IR_RMW_UMAX, IR_RMW_UMIN };
    return lift_rmw(ctx, a, ops[a->op]);
}

bool a64_lift_SWP(LiftContext *ctx, const ArgSWP *a)
{
    return lift_rmw(ctx, a, IR_RMW_XCHG);
}
