/* data plane */
/* RV64I computational instructions and M. */
#include "translator/guest/riscv64/lift.h"
#include "translator/guest/riscv64/rv-decode.h"

/* rd = rs1 op rs2, in 64 bits and in words. */
static bool binary(LiftContext *ctx, IrOp op, const ArgR *a)
{
    return rv_put(ctx, a->rd, ir_op2(&ctx->b, op, rv_get(ctx, a->rs1), rv_get(ctx, a->rs2)));
}

static bool binary_w(LiftContext *ctx, IrOp op, const ArgR *a)
{
    return rv_put_w(ctx, a->rd, ir_op2(&ctx->b, op, rv_get_w(ctx, a->rs1), rv_get_w(ctx, a->rs2)));
}

static bool immediate(LiftContext *ctx, IrOp op, const ArgI *a)
{
    return rv_put(ctx, a->rd,
                  ir_op2i(&ctx->b, op, rv_get(ctx, a->rs1), (uint64_t)(int64_t)a->imm));
}

static bool shift(LiftContext *ctx, IrOp op, const ArgSh *a)
{
    return rv_put(ctx, a->rd, ir_op2i(&ctx->b, op, rv_get(ctx, a->rs1), (uint64_t)a->shamt));
}

static bool shift_w(LiftContext *ctx, IrOp op, const ArgSh *a)
{
    return rv_put_w(ctx, a->rd, ir_op2i(&ctx->b, op, rv_get_w(ctx, a->rs1), (uint64_t)a->shamt));
}

bool rv_lift_LUI(LiftContext *ctx, const ArgLUI *a)
{
    return rv_put(ctx, a->rd, rv_const(ctx, a->imm));
}

bool rv_lift_AUIPC(LiftContext *ctx, const ArgAUIPC *a)
{
    return rv_put(ctx, a->rd, rv_codeaddr(ctx, ctx->pc + (uint64_t)(int64_t)a->imm));
}

/* Also li, mv, nop, and the second half of a pc-relative address. */
bool rv_lift_ADDI(LiftContext *ctx, const ArgADDI *a)
{
    GuestAddr addr;
    if (a->rs1 == 0)
        return rv_put(ctx, a->rd, rv_const(ctx, a->imm));
    if (rv_known_codeaddr(ctx, a->rs1, &addr))
        return rv_put(ctx, a->rd, rv_codeaddr(ctx, addr + (uint64_t)(int64_t)a->imm));
    if (a->imm == 0)
        return rv_put(ctx, a->rd, rv_get(ctx, a->rs1));
    return immediate(ctx, IR_add, a);
}

bool rv_lift_SLTI(LiftContext *ctx, const ArgSLTI *a)
{
    return rv_put_bool(ctx, a->rd, ir_cmp(&ctx->b, IR_CMP_SLT, rv_get(ctx, a->rs1),
                                          rv_const(ctx, a->imm)));
}

bool rv_lift_SLTIU(LiftContext *ctx, const ArgSLTIU *a)
{
    if (a->imm == 1) /* seqz */
        return rv_put_bool(ctx, a->rd, ir_cmp(&ctx->b, IR_CMP_EQ, rv_get(ctx, a->rs1),
                                              rv_const(ctx, 0)));
    return rv_put_bool(ctx, a->rd, ir_cmp(&ctx->b, IR_CMP_ULT, rv_get(ctx, a->rs1),
                                          rv_const(ctx, a->imm)));
}

/* With rd = x0 also the prefetch hints of Zicbop, the low bits of whose offset tell which: 1 for
 * prefetch.r, 3 for prefetch.w. */
bool rv_lift_ORI(LiftContext *ctx, const ArgORI *a)
{
    if (a->rd)
        return immediate(ctx, IR_or, a);
    unsigned kind = (unsigned)a->imm & 31;
    if (kind == 1 || kind == 3)
        ir_emit(&ctx->b, IR_prefetch, IR_VOID, 0, 0, rv_get(ctx, a->rs1), IR_NONE, 0, 0,
                a->imm & ~31);
    return true;
}

bool rv_lift_XORI(LiftContext *ctx, const ArgXORI *a)
{
    if (a->imm == -1)
        return rv_put(ctx, a->rd, ir_op1(&ctx->b, IR_not, IR_I64, rv_get(ctx, a->rs1)));
    return immediate(ctx, IR_xor, a);
}

bool rv_lift_ANDI(LiftContext *ctx, const ArgANDI *a) { return immediate(ctx, IR_and, a); }
bool rv_lift_SLLI(LiftContext *ctx, const ArgSLLI *a) { return shift(ctx, IR_shl, a); }
bool rv_lift_SRLI(LiftContext *ctx, const ArgSRLI *a) { return shift(ctx, IR_shr, a); }
bool rv_lift_SRAI(LiftContext *ctx, const ArgSRAI *a) { return shift(ctx, IR_sar, a); }
bool rv_lift_SLLIW(LiftContext *ctx, const ArgSLLIW *a) { return shift_w(ctx, IR_shl, a); }
bool rv_lift_SRLIW(LiftContext *ctx, const ArgSRLIW *a) { return shift_w(ctx, IR_shr, a); }
bool rv_lift_SRAIW(LiftContext *ctx, const ArgSRAIW *a) { return shift_w(ctx, IR_sar, a); }

bool rv_lift_ADDIW(LiftContext *ctx, const ArgADDIW *a)
{
    IrRef word = rv_get_w(ctx, a->rs1);
    if (a->imm)
        word = ir_op2i(&ctx->b, IR_add, word, (uint32_t)a->imm);
    return rv_put_w(ctx, a->rd, word);
}

bool rv_lift_ADD(LiftContext *ctx, const ArgADD *a) { return binary(ctx, IR_add, a); }

bool rv_lift_SUB(LiftContext *ctx, const ArgSUB *a)
{
    if (a->rs1 == 0)
        return rv_put(ctx, a->rd, ir_op1(&ctx->b, IR_neg, IR_I64, rv_get(ctx, a->rs2)));
    return binary(ctx, IR_sub, a);
}

bool rv_lift_SLL(LiftContext *ctx, const ArgSLL *a) { return binary(ctx, IR_shl, a); }
bool rv_lift_SRL(LiftContext *ctx, const ArgSRL *a) { return binary(ctx, IR_shr, a); }
bool rv_lift_SRA(LiftContext *ctx, const ArgSRA *a) { return binary(ctx, IR_sar, a); }
bool rv_lift_XOR(LiftContext *ctx, const ArgXOR *a) { return binary(ctx, IR_xor, a); }
bool rv_lift_OR(LiftContext *ctx, const ArgOR *a) { return binary(ctx, IR_or, a); }
bool rv_lift_AND(LiftContext *ctx, const ArgAND *a) { return binary(ctx, IR_and, a); }
bool rv_lift_ADDW(LiftContext *ctx, const ArgADDW *a) { return binary_w(ctx, IR_add, a); }
bool rv_lift_SLLW(LiftContext *ctx, const ArgSLLW *a) { return binary_w(ctx, IR_shl, a); }
bool rv_lift_SRLW(LiftContext *ctx, const ArgSRLW *a) { return binary_w(ctx, IR_shr, a); }
bool rv_lift_SRAW(LiftContext *ctx, const ArgSRAW *a) { return binary_w(ctx, IR_sar, a); }

bool rv_lift_SUBW(LiftContext *ctx, const ArgSUBW *a)
{
    if (a->rs1 == 0)
        return rv_put_w(ctx, a->rd, ir_op1(&ctx->b, IR_neg, IR_I32, rv_get_w(ctx, a->rs2)));
    return binary_w(ctx, IR_sub, a);
}

bool rv_lift_SLT(LiftContext *ctx, const ArgSLT *a)
{
    return rv_put_bool(ctx, a->rd, ir_cmp(&ctx->b, IR_CMP_SLT, rv_get(ctx, a->rs1),
                                          rv_get(ctx, a->rs2)));
}

bool rv_lift_SLTU(LiftContext *ctx, const ArgSLTU *a)
{
    if (a->rs1 == 0) /* snez */
        return rv_put_bool(ctx, a->rd, ir_cmp(&ctx->b, IR_CMP_NE, rv_get(ctx, a->rs2),
                                              rv_const(ctx, 0)));
    return rv_put_bool(ctx, a->rd, ir_cmp(&ctx->b, IR_CMP_ULT, rv_get(ctx, a->rs1),
                                          rv_get(ctx, a->rs2)));
}

bool rv_lift_MUL(LiftContext *ctx, const ArgMUL *a) { return binary(ctx, IR_mul, a); }
bool rv_lift_MULH(LiftContext *ctx, const ArgMULH *a) { return binary(ctx, IR_mulhs, a); }
bool rv_lift_MULHSU(LiftContext *ctx, const ArgMULHSU *a) { return binary(ctx, IR_mulhsu, a); }
bool rv_lift_MULHU(LiftContext *ctx, const ArgMULHU *a) { return binary(ctx, IR_mulhu, a); }
bool rv_lift_MULW(LiftContext *ctx, const ArgMULW *a) { return binary_w(ctx, IR_mul, a); }

/* x / 0 is all ones in both divisions (M, table "semantics for division by zero"); the IR's gives
 * 0. Remainders agree, and so do both overflows. */
static IrRef divide(LiftContext *ctx, IrOp op, IrRef x, IrRef y)
{
    IrBuilder *b = &ctx->b;
    IrType t = ir_type(b, x);
    IrRef by_zero = ir_cmp(b, IR_CMP_EQ, y, ir_const(b, t, 0));
    return ir_select(b, by_zero, ir_const(b, t, t == IR_I32 ? UINT32_MAX : UINT64_MAX),
                     ir_op2(b, op, x, y));
}

bool rv_lift_DIV(LiftContext *ctx, const ArgDIV *a)
{
    return rv_put(ctx, a->rd, divide(ctx, IR_sdiv, rv_get(ctx, a->rs1), rv_get(ctx, a->rs2)));
}

bool rv_lift_DIVU(LiftContext *ctx, const ArgDIVU *a)
{
    return rv_put(ctx, a->rd, divide(ctx, IR_udiv, rv_get(ctx, a->rs1), rv_get(ctx, a->rs2)));
}

bool rv_lift_DIVW(LiftContext *ctx, const ArgDIVW *a)
{
    return rv_put_w(ctx, a->rd,
                    divide(ctx, IR_sdiv, rv_get_w(ctx, a->rs1), rv_get_w(ctx, a->rs2)));
}

bool rv_lift_DIVUW(LiftContext *ctx, const ArgDIVUW *a)
{
    return rv_put_w(ctx, a->rd,
                    divide(ctx, IR_udiv, rv_get_w(ctx, a->rs1), rv_get_w(ctx, a->rs2)));
}

bool rv_lift_REM(LiftContext *ctx, const ArgREM *a) { return binary(ctx, IR_srem, a); }
bool rv_lift_REMU(LiftContext *ctx, const ArgREMU *a) { return binary(ctx, IR_urem, a); }
bool rv_lift_REMW(LiftContext *ctx, const ArgREMW *a) { return binary_w(ctx, IR_srem, a); }
bool rv_lift_REMUW(LiftContext *ctx, const ArgREMUW *a) { return binary_w(ctx, IR_urem, a); }
