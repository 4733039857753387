/* data plane */
/*
 * Environment calls, breakpoints, and the control and status registers of user level.
 *
 * fflags is the host's: read and written by fpgetflags and fpsetflags. frm is a variable and in the
 * host's control word. Code is translated for a mode (RV_MODE_…) that depends on frm: an
 * instruction that changes the mode leaves the unit.
 */
#include "translator/guest/riscv64/lift.h"
#include "translator/guest/riscv64/rv-decode.h"

enum { CSR_FFLAGS = 1, CSR_FRM, CSR_FCSR, CSR_CYCLE = 0xc00, CSR_TIME, CSR_INSTRET };

bool rv_lift_ECALL(LiftContext *ctx, const ArgECALL *a)
{
    return rv_trap(ctx, VCPU_EXIT_SYSCALL, rv_next_pc(ctx), IR_NONE);
}

/* The outside's own code calls out (guest/isa.h). */
bool rv_lift_CALLOUT(LiftContext *ctx, const ArgCALLOUT *a)
{
    if (!ctx->callouts)
        return false;
    IrRef number = ir_const(&ctx->b, IR_I32, (uint32_t)a->imm);
    return rv_put(ctx, a->rd, ir_emit(&ctx->b, IR_call, IR_I64, 0, 0, number,
                                      rv_get(ctx, a->rs1), 0, 0, RV_HELPER_CALLOUT));
}

bool rv_lift_EBREAK(LiftContext *ctx, const ArgEBREAK *a)
{
    return rv_trap(ctx, VCPU_EXIT_BREAK, ctx->pc, rv_const(ctx, 0));
}

bool rv_lift_ILLEGAL(LiftContext *ctx, const ArgILLEGAL *a) { return false; }

/* Waiting may end at any time (Zawrs). */
bool rv_lift_WRS(LiftContext *ctx, const ArgWRS *a) { return true; }

/* IR_FPX_* from INVALID to INEXACT are bits 0 to 4, the architecture has NV … NX in bits 4 to 0. */
static IrRef read_fflags(LiftContext *ctx)
{
    IrBuilder *b = &ctx->b;
    IrRef sticky = ir_emit(b, IR_fpgetflags, IR_I32, 0, 0, 0, 0, 0, 0, 0);
    return ir_op2i(b, IR_shr, ir_op1(b, IR_bitrev, IR_I32, sticky), 27);
}

static void write_fflags(LiftContext *ctx, IrRef value)
{
    IrBuilder *b = &ctx->b;
    IrRef sticky = ir_op1(b, IR_bitrev, IR_I32, ir_op2i(b, IR_shl, value, 27));
    ir_emit(b, IR_fpsetflags, IR_VOID, 0, 0, sticky, 0, 0, 0, 0);
}

/* frm's low three bits to the host; leaves the unit if the code's assumption about frm ends. */
static void write_frm(LiftContext *ctx, IrRef value)
{
    IrBuilder *b = &ctx->b;
    IrRef frm = ir_op2i(b, IR_and, value, 7);
    ir_put(b, RV_VAR_FRM, frm);
    /* IrRound of frm 0 to 7, four bits each; those that the host doesn't have are to nearest */
    const uint32_t rounds = 0x11110000 | IR_ROUND_UP << 12 | IR_ROUND_DOWN << 8 |
                            IR_ROUND_ZERO << 4 | IR_ROUND_NEAREST;
    IrRef nibble = ir_op2(b, IR_shr, ir_const(b, IR_I32, rounds), ir_op2i(b, IR_shl, frm, 2));
    IrRef control = ir_op2i(b, IR_and, nibble, 7);
    ir_emit(b, IR_fpsetctl, IR_VOID, 0, 0, control, 0, 0, 0, 0);

    IrRef four = ir_const(b, IR_I32, 4);
    IrRef changed;
    if (ctx->mode == 0)
        changed = ir_cmp(b, IR_CMP_NE, frm, ir_const(b, IR_I32, 0));
    else if (ctx->mode == RV_MODE_FRM_DIRECTED)
        changed = ir_cmp(b, IR_CMP_UGE, ir_op2i(b, IR_sub, frm, 1), ir_const(b, IR_I32, 3));
    else if (ctx->mode == RV_MODE_FRM_RMM)
        changed = ir_cmp(b, IR_CMP_NE, frm, four);
    else
        changed = ir_cmp(b, IR_CMP_ULE, frm, four);
    ir_emit(b, IR_trap_if, IR_VOID, 0, VCPU_EXIT_ICACHE, changed, rv_const(ctx, 0), 0, 0,
            (int64_t)rv_next_pc(ctx));
}

static IrRef read_csr(LiftContext *ctx, int csr)
{
    IrBuilder *b = &ctx->b;
    switch (csr) {
    case CSR_FFLAGS:
        return ir_op1(b, IR_zext, IR_I64, read_fflags(ctx));
    case CSR_FRM:
        return ir_op1(b, IR_zext, IR_I64, ir_get(b, RV_VAR_FRM));
    case CSR_FCSR: {
        IrRef frm = ir_op2i(b, IR_shl, ir_get(b, RV_VAR_FRM), 5);
        return ir_op1(b, IR_zext, IR_I64, ir_op2(b, IR_or, frm, read_fflags(ctx)));
    }
    default:
        return ir_emit(b, IR_call, IR_I64, 0, 0, 0, 0, 0, 0, RV_HELPER_COUNTER);
    }
}

/* rd is written before: a change of frm may leave the unit. */
static void write_csr(LiftContext *ctx, int csr, int rd, IrRef old, IrRef value)
{
    IrBuilder *b = &ctx->b;
    IrRef word = ir_op1(b, IR_trunc, IR_I32, value);
    if (rd)
        rv_put(ctx, rd, old);
    if (csr != CSR_FRM)
        write_fflags(ctx, word);
    if (csr == CSR_FCSR)
        word = ir_op2i(b, IR_shr, word, 5);
    if (csr != CSR_FFLAGS)
        write_frm(ctx, word);
}

static bool csr_exists(LiftContext *ctx, int csr, bool write)
{
    if (csr >= CSR_FFLAGS && csr <= CSR_FCSR)
        return RV_HAS(ctx, f);
    return csr >= CSR_CYCLE && csr <= CSR_INSTRET && !write && RV_HAS(ctx, zicntr);
}

/* csrrw doesn't read for rd = x0; it matters only for speed. */
static bool csr_swap(LiftContext *ctx, const ArgCsr *a, bool immediate)
{
    if (!csr_exists(ctx, a->csr, true))
        return false;
    IrRef value = immediate ? rv_const(ctx, a->rs1) : rv_get(ctx, a->rs1);
    write_csr(ctx, a->csr, a->rd, a->rd ? read_csr(ctx, a->csr) : IR_NONE, value);
    return true;
}

/* csrrs and csrrc don't write for rs1 = x0. */
static bool csr_change(LiftContext *ctx, const ArgCsr *a, IrOp op, bool immediate)
{
    if (!csr_exists(ctx, a->csr, a->rs1 != 0))
        return false;
    IrRef old = read_csr(ctx, a->csr);
    if (a->rs1 == 0)
        return rv_put(ctx, a->rd, old);
    IrRef bits = immediate ? rv_const(ctx, a->rs1) : rv_get(ctx, a->rs1);
    write_csr(ctx, a->csr, a->rd, old, ir_op2(&ctx->b, op, old, bits));
    return true;
}

bool rv_lift_CSRRW(LiftContext *ctx, const ArgCSRRW *a) { return csr_swap(ctx, a, false); }
bool rv_lift_CSRRWI(LiftContext *ctx, const ArgCSRRWI *a) { return csr_swap(ctx, a, true); }

bool rv_lift_CSRRS(LiftContext *ctx, const ArgCSRRS *a)
{
    return csr_change(ctx, a, IR_or, false);
}

bool rv_lift_CSRRSI(LiftContext *ctx, const ArgCSRRSI *a)
{
    return csr_change(ctx, a, IR_or, true);
}

bool rv_lift_CSRRC(LiftContext *ctx, const ArgCSRRC *a)
{
    return csr_change(ctx, a, IR_andn, false);
}

bool rv_lift_CSRRCI(LiftContext *ctx, const ArgCSRRCI *a)
{
    return csr_change(ctx, a, IR_andn, true);
}
