/* data plane */
/*
 * AArch64: data processing, immediate (dp-imm.decode). Pseudocode names are the Arm ARM's.
 */
#include "translator/guest/aarch64/translate.h"

bool a64_lift_ADR(LiftContext *ctx, const ArgADR *a)
{
    a64_put_x(ctx, a->rd, a64_codeaddr(ctx, ctx->pc + (int64_t)a->imm));
    return true;
}

bool a64_lift_ADRP(LiftContext *ctx, const ArgADRP *a)
{
    GuestAddr page = ctx->pc & ~UINT64_C(0xfff);
    a64_put_x(ctx, a->rd, a64_codeaddr(ctx, page + (int64_t)a->imm * 4096));
    return true;
}

/* -- add and subtract -------------------------------------------------------------------------- */
static bool lift_addsub_imm(LiftContext *ctx, const ArgAddsub_imm *a, IrOp op)
{
    IrRef x = a64_get_rsp(ctx, a->sf, a->rn);
    uint32_t imm = (uint32_t)a->imm << (a->sh ? 12 : 0);
    a64_put_rsp(ctx, a->rd, imm ? ir_op2i(&ctx->b, op, x, imm) : x);
    return true;
}

static bool lift_addsubs_imm(LiftContext *ctx, const ArgAddsub_imm *a, IrOp op, IrOp flag_op)
{
    IrRef x = a64_get_rsp(ctx, a->sf, a->rn);
    IrRef y = a64_int(ctx, a->sf, (uint32_t)a->imm << (a->sh ? 12 : 0));
    IrRef flags = a64_flags2(ctx, flag_op, x, y);
    if (a->rd != 31)
        a64_put_r(ctx, a->rd, ir_op2(&ctx->b, op, x, y));
    a64_put_flags(ctx, flags);
    return true;
}

bool a64_lift_ADD_imm(LiftContext *ctx, const ArgADD_imm *a)
{
    return lift_addsub_imm(ctx, a, IR_add);
}

bool a64_lift_SUB_imm(LiftContext *ctx, const ArgSUB_imm *a)
{
    return lift_addsub_imm(ctx, a, IR_sub);
}

bool a64_lift_ADDS_imm(LiftContext *ctx, const ArgADDS_imm *a)
{
    return lift_addsubs_imm(ctx, a, IR_add, IR_fladd);
}

bool a64_lift_SUBS_imm(LiftContext *ctx, const ArgSUBS_imm *a)
{
    return lift_addsubs_imm(ctx, a, IR_sub, IR_flsub);
}

/* Minima and maxima: Rn when Rn cc imm, else imm. */
bool a64_lift_PICK_imm(LiftContext *ctx, const ArgPICK_imm *a)
{
    IrRef x = a64_get_r(ctx, a->sf, a->rn), y = a64_int(ctx, a->sf, (uint64_t)a->imm);
    a64_put_r(ctx, a->rd, ir_select(&ctx->b, ir_cmp(&ctx->b, (IrCc)a->cc, x, y), x, y));
    return true;
}

/* -- logical ----------------------------------------------------------------------------------- */
/* DecodeBitMasks(): the immediate of N:immr:imms; false: reserved. */
static bool decode_bit_mask(const ArgLogic_imm *a, uint64_t *ret_mask)
{
    if (!a->sf && a->n)
        return false;
    unsigned levels = (unsigned)a->n << 6 | (~(unsigned)a->imms & 63);
    if (levels < 2)
        return false;
    unsigned size = 1u << (31 - __builtin_clz(levels)); /* of the repeated element */
    unsigned ones = (a->imms & (size - 1)) + 1, turn = a->immr & (size - 1);
    if (ones == size)
        return false;
    uint64_t element = UINT64_MAX >> (64 - ones), mask = UINT64_MAX >> (64 - size);
    if (turn)
        element = (element >> turn | element << (size - turn)) & mask;
    for (; size < 64; size *= 2)
        element |= element << size;
    *ret_mask = a->sf ? element : (uint32_t)element;
    return true;
}

static bool lift_logic_imm(LiftContext *ctx, const ArgLogic_imm *a, IrOp op)
{
    uint64_t mask;
    if (!decode_bit_mask(a, &mask))
        return false;
    IrRef value;
    if (a->rn == 31) /* MOV (bitmask immediate) */
        value = a64_int(ctx, a->sf, op == IR_and ? 0 : mask);
    else
        value = ir_op2i(&ctx->b, op, a64_get_r(ctx, a->sf, a->rn), mask);
    a64_put_rsp(ctx, a->rd, value);
    return true;
}

bool a64_lift_AND_imm(LiftContext *ctx, const ArgAND_imm *a)
{
    return lift_logic_imm(ctx, a, IR_and);
}

bool a64_lift_ORR_imm(LiftContext *ctx, const ArgORR_imm *a)
{
    return lift_logic_imm(ctx, a, IR_or);
}

bool a64_lift_EOR_imm(LiftContext *ctx, const ArgEOR_imm *a)
{
    return lift_logic_imm(ctx, a, IR_xor);
}

bool a64_lift_ANDS_imm(LiftContext *ctx, const ArgANDS_imm *a)
{
    uint64_t mask;
    if (!decode_bit_mask(a, &mask))
        return false;
    IrRef value = ir_op2i(&ctx->b, IR_and, a64_get_r(ctx, a->sf, a->rn), mask);
    a64_put_r(ctx, a->rd, value);
    a64_put_flags(ctx, a64_flags1(ctx, IR_flogic, value));
    return true;
}

/* -- move wide --------------------------------------------------------------------------------- */
static bool lift_move_wide(LiftContext *ctx, const ArgMovewide *a, bool invert)
{
    if (!a->sf && a->hw > 1)
        return false;
    uint64_t value = (uint64_t)a->imm << 16 * a->hw;
    if (invert)
        value = ~value;
    a64_put_x(ctx, a->rd, a64_i64(ctx, a->sf ? value : (uint32_t)value));
    return true;
}

bool a64_lift_MOVN(LiftContext *ctx, const ArgMOVN *a)
{
    return lift_move_wide(ctx, a, true);
}

bool a64_lift_MOVZ(LiftContext *ctx, const ArgMOVZ *a)
{
    return lift_move_wide(ctx, a, false);
}

bool a64_lift_MOVK(LiftContext *ctx, const ArgMOVK *a)
{
    if (!a->sf && a->hw > 1)
        return false;
    IrRef old = a64_get_r(ctx, a->sf, a->rd);
    a64_put_r(ctx, a->rd, a64_field(ctx, IR_bfi, old, a64_int(ctx, a->sf, (uint32_t)a->imm),
                                    16 * (unsigned)a->hw, 16));
    return true;
}

/* -- bit fields, extract ----------------------------------------------------------------------- */
static bool bitfield_reserved(const ArgLogic_imm *a)
{
    return a->n != a->sf || (!a->sf && (a->immr | a->imms) & 32);
}

/* UBFM and SBFM: extraction when imms >= immr, else insertion of the low bits into zeros. */
static bool lift_bitfield_move(LiftContext *ctx, const ArgLogic_imm *a, IrOp extract, IrOp shift)
{
    if (bitfield_reserved(a))
        return false;
    unsigned width = a->sf ? 64 : 32, immr = (unsigned)a->immr, imms = (unsigned)a->imms;
    IrRef x = a64_get_r(ctx, a->sf, a->rn), value;
    if (imms >= immr) {
        unsigned length = imms - immr + 1;
        if (length == width)
            value = x;
        else if (imms == width - 1) /* LSR, ASR */
            value = ir_op2i(&ctx->b, shift, x, immr);
        else if (length == 32 && immr == 0) /* SXTW; UXTW */
            value = ir_op1(&ctx->b, extract == IR_sbfx ? IR_sext : IR_zext, IR_I64,
                           a64_trunc(ctx, x));
        else
            value = a64_field(ctx, extract, x, 0, immr, length);
    } else {
        unsigned to = width - immr;
        if (to + imms + 1 < width) /* else LSL */
            x = a64_field(ctx, extract, x, 0, 0, imms + 1);
        value = ir_op2i(&ctx->b, IR_shl, x, to);
    }
    a64_put_r(ctx, a->rd, value);
    return true;
}

bool a64_lift_UBFM(LiftContext *ctx, const ArgUBFM *a)
{
    return lift_bitfield_move(ctx, a, IR_ubfx, IR_shr);
}

bool a64_lift_SBFM(LiftContext *ctx, const ArgSBFM *a)
{
    return lift_bitfield_move(ctx, a, IR_sbfx, IR_sar);
}

bool a64_lift_BFM(LiftContext *ctx, const ArgBFM *a)
{
    if (bitfield_reserved(a))
        return false;
    unsigned width = a->sf ? 64 : 32, immr = (unsigned)a->immr, imms = (unsigned)a->imms;
    IrRef x = a64_get_r(ctx, a->sf, a->rn), old = a64_get_r(ctx, a->sf, a->rd);
    unsigned length = imms >= immr ? imms - immr + 1 : imms + 1;
    unsigned to = imms >= immr ? 0 : width - immr;
    if (imms >= immr && immr)
        x = ir_op2i(&ctx->b, IR_shr, x, immr);
    a64_put_r(ctx, a->rd, length == width ? x : a64_field(ctx, IR_bfi, old, x, to, length));
    return true;
}

bool a64_lift_EXTR(LiftContext *ctx, const ArgEXTR *a)
{
    if (a->n != a->sf || (!a->sf && a->imms & 32))
        return false;
    IrRef low = a64_get_r(ctx, a->sf, a->rm), value;
    if (a->imms == 0)
        value = low;
    else if (a->rn == a->rm)
        value = ir_op2i(&ctx->b, IR_ror, low, (uint64_t)a->imms);
    else
        value = ir_emit(&ctx->b, IR_extr, ir_type(&ctx->b, low), 0, 0,
                        a64_get_r(ctx, a->sf, a->rn), low, 0, 0, a->imms);
    a64_put_r(ctx, a->rd, value);
    return true;
}
