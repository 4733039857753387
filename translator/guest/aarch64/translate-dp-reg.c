/* data plane */
/*
 * AArch64: data processing, register (dp-reg.decode).
 */
#include "translator/guest/aarch64/translate.h"

/* -- two sources ------------------------------------------------------------------------------- */
static bool lift_rrr(LiftContext *ctx, const ArgRrr *a, IrOp op)
{
    IrRef x = a64_get_r(ctx, a->sf, a->rn), y = a64_get_r(ctx, a->sf, a->rm);
    a64_put_r(ctx, a->rd, ir_op2(&ctx->b, op, x, y));
    return true;
}

/* Division by zero gives 0 and the smallest number by -1 itself, as the IR has it. */
bool a64_lift_UDIV(LiftContext *ctx, const ArgUDIV *a)
{
    return lift_rrr(ctx, a, IR_udiv);
}

bool a64_lift_SDIV(LiftContext *ctx, const ArgSDIV *a)
{
    return lift_rrr(ctx, a, IR_sdiv);
}

bool a64_lift_LSLV(LiftContext *ctx, const ArgLSLV *a)
{
    return lift_rrr(ctx, a, IR_shl);
}

bool a64_lift_LSRV(LiftContext *ctx, const ArgLSRV *a)
{
    return lift_rrr(ctx, a, IR_shr);
}

bool a64_lift_ASRV(LiftContext *ctx, const ArgASRV *a)
{
    return lift_rrr(ctx, a, IR_sar);
}

bool a64_lift_RORV(LiftContext *ctx, const ArgRORV *a)
{
    return lift_rrr(ctx, a, IR_ror);
}

static bool lift_crc(LiftContext *ctx, const ArgCrc *a, IrOp op)
{
    if (a->sf != (a->sz == 3))
        return false;
    IrRef sum = a64_get_w(ctx, a->rn), data = a64_get_r(ctx, a->sf, a->rm);
    a64_put_w(ctx, a->rd, ir_emit(&ctx->b, op, IR_I32, 0, a->sz, sum, data, 0, 0, 0));
    return true;
}

bool a64_lift_CRC32(LiftContext *ctx, const ArgCRC32 *a)
{
    return lift_crc(ctx, a, IR_crc32);
}

bool a64_lift_CRC32C(LiftContext *ctx, const ArgCRC32C *a)
{
    return lift_crc(ctx, a, IR_crc32c);
}

/* Minima and maxima: Rn when Rn cc Rm, else Rm. */
bool a64_lift_PICK_reg(LiftContext *ctx, const ArgPICK_reg *a)
{
    IrRef x = a64_get_r(ctx, a->sf, a->rn), y = a64_get_r(ctx, a->sf, a->rm);
    a64_put_r(ctx, a->rd, ir_select(&ctx->b, ir_cmp(&ctx->b, (IrCc)a->cc, x, y), x, y));
    return true;
}

/* -- one source -------------------------------------------------------------------------------- */
static bool lift_rr(LiftContext *ctx, bool sf, unsigned rn, unsigned rd, IrOp op)
{
    IrRef x = a64_get_r(ctx, sf, rn);
    a64_put_r(ctx, rd, ir_op1(&ctx->b, op, ir_type(&ctx->b, x), x));
    return true;
}

bool a64_lift_RBIT(LiftContext *ctx, const ArgRBIT *a)
{
    return lift_rr(ctx, a->sf, a->rn, a->rd, IR_bitrev);
}

bool a64_lift_REV_32(LiftContext *ctx, const ArgREV_32 *a)
{
    return lift_rr(ctx, false, a->rn, a->rd, IR_bswap);
}

bool a64_lift_REV_64(LiftContext *ctx, const ArgREV_64 *a)
{
    return lift_rr(ctx, true, a->rn, a->rd, IR_bswap);
}

bool a64_lift_CLZ(LiftContext *ctx, const ArgCLZ *a)
{
    return lift_rr(ctx, a->sf, a->rn, a->rd, IR_clz);
}

bool a64_lift_CTZ(LiftContext *ctx, const ArgCTZ *a)
{
    return lift_rr(ctx, a->sf, a->rn, a->rd, IR_ctz);
}

bool a64_lift_CNT(LiftContext *ctx, const ArgCNT *a)
{
    return lift_rr(ctx, a->sf, a->rn, a->rd, IR_popcnt);
}

/* The smallest number stays, as its negation is itself. */
bool a64_lift_ABS(LiftContext *ctx, const ArgABS *a)
{
    IrRef x = a64_get_r(ctx, a->sf, a->rn);
    IrRef negative = ir_cmp(&ctx->b, IR_CMP_SLT, x, a64_int(ctx, a->sf, 0));
    IrRef negated = ir_op1(&ctx->b, IR_neg, ir_type(&ctx->b, x), x);
    a64_put_r(ctx, a->rd, ir_select(&ctx->b, negative, negated, x));
    return true;
}

bool a64_lift_REV32(LiftContext *ctx, const ArgREV32 *a)
{
    IrRef swapped = ir_op1(&ctx->b, IR_bswap, IR_I64, a64_get_x(ctx, a->rn));
    a64_put_x(ctx, a->rd, ir_op2i(&ctx->b, IR_ror, swapped, 32));
    return true;
}

bool a64_lift_REV16(LiftContext *ctx, const ArgREV16 *a)
{
    const uint64_t low_bytes = UINT64_C(0x00ff00ff00ff00ff);
    uint64_t mask = a->sf ? low_bytes : (uint32_t)low_bytes;
    IrRef x = a64_get_r(ctx, a->sf, a->rn);
    IrRef down = ir_op2i(&ctx->b, IR_and, ir_op2i(&ctx->b, IR_shr, x, 8), mask);
    IrRef up = ir_op2i(&ctx->b, IR_shl, ir_op2i(&ctx->b, IR_and, x, mask), 8);
    a64_put_r(ctx, a->rd, ir_op2(&ctx->b, IR_or, down, up));
    return true;
}

/* Each leading bit equal to its neighbour is a leading zero of x ^ (x >> 1), arithmetically. */
bool a64_lift_CLS(LiftContext *ctx, const ArgCLS *a)
{
    IrRef x = a64_get_r(ctx, a->sf, a->rn);
    IrRef edges = ir_op2(&ctx->b, IR_xor, x, ir_op2i(&ctx->b, IR_sar, x, 1));
    IrRef count = ir_op1(&ctx->b, IR_clz, ir_type(&ctx->b, x), edges);
    a64_put_r(ctx, a->rd, ir_op2i(&ctx->b, IR_sub, count, 1));
    return true;
}

/* -- logical ----------------------------------------------------------------------------------- */
static bool shifted_reserved(const ArgShifted *a)
{
    return !a->sf && a->amount & 32;
}

static IrRef shifted_operand(LiftContext *ctx, const ArgShifted *a)
{
    static const IrOp ops[] = { IR_shl, IR_shr, IR_sar, IR_ror };
    IrRef y = a64_get_r(ctx, a->sf, a->rm);
    return a->amount ? ir_op2i(&ctx->b, ops[a->shift], y, (uint64_t)a->amount) : y;
}

static IrRef lift_not(LiftContext *ctx, IrRef x)
{
    return ir_op1(&ctx->b, IR_not, ir_type(&ctx->b, x), x);
}

static bool lift_logic(LiftContext *ctx, const ArgShifted *a, IrOp op)
{
    if (shifted_reserved(a))
        return false;
    IrRef y = shifted_operand(ctx, a);
    a64_put_r(ctx, a->rd, ir_op2(&ctx->b, op, a64_get_r(ctx, a->sf, a->rn), y));
    return true;
}

bool a64_lift_AND_reg(LiftContext *ctx, const ArgAND_reg *a)
{
    return lift_logic(ctx, a, IR_and);
}

bool a64_lift_BIC_reg(LiftContext *ctx, const ArgBIC_reg *a)
{
    return lift_logic(ctx, a, IR_andn);
}

bool a64_lift_EOR_reg(LiftContext *ctx, const ArgEOR_reg *a)
{
    return lift_logic(ctx, a, IR_xor);
}

bool a64_lift_ORR_reg(LiftContext *ctx, const ArgORR_reg *a)
{
    if (a->rn != 31 || shifted_reserved(a))
        return lift_logic(ctx, a, IR_or);
    a64_put_r(ctx, a->rd, shifted_operand(ctx, a)); /* MOV (register) */
    return true;
}

bool a64_lift_ORN_reg(LiftContext *ctx, const ArgORN_reg *a)
{
    if (shifted_reserved(a))
        return false;
    IrRef y = lift_not(ctx, shifted_operand(ctx, a));
    if (a->rn != 31) /* else MVN */
        y = ir_op2(&ctx->b, IR_or, a64_get_r(ctx, a->sf, a->rn), y);
    a64_put_r(ctx, a->rd, y);
    return true;
}

bool a64_lift_EON_reg(LiftContext *ctx, const ArgEON_reg *a)
{
    if (shifted_reserved(a))
        return false;
    IrRef y = shifted_operand(ctx, a);
    y = ir_op2(&ctx->b, IR_xor, a64_get_r(ctx, a->sf, a->rn), y);
    a64_put_r(ctx, a->rd, lift_not(ctx, y));
    return true;
}

static bool lift_logic_flags(LiftContext *ctx, const ArgShifted *a, IrOp op)
{
    if (shifted_reserved(a))
        return false;
    IrRef x = a64_get_r(ctx, a->sf, a->rn), value;
    if (op == IR_and && a->rm == a->rn && !a->amount) /* TST Rn, Rn */
        value = x;
    else
        value = ir_op2(&ctx->b, op, x, shifted_operand(ctx, a));
    a64_put_r(ctx, a->rd, value);
    a64_put_flags(ctx, a64_flags1(ctx, IR_flogic, value));
    return true;
}

bool a64_lift_ANDS_reg(LiftContext *ctx, const ArgANDS_reg *a)
{
    return lift_logic_flags(ctx, a, IR_and);
}

bool a64_lift_BICS_reg(LiftContext *ctx, const ArgBICS_reg *a)
{
    return lift_logic_flags(ctx, a, IR_andn);
}

/* -- add and subtract -------------------------------------------------------------------------- */
static bool lift_addsub(LiftContext *ctx, const ArgShifted *a, IrOp op)
{
    if (shifted_reserved(a) || a->shift == 3)
        return false;
    IrRef y = shifted_operand(ctx, a), value;
    if (a->rn != 31)
        value = ir_op2(&ctx->b, op, a64_get_r(ctx, a->sf, a->rn), y);
    else
        value = op == IR_sub ? ir_op1(&ctx->b, IR_neg, ir_type(&ctx->b, y), y) : y;
    a64_put_r(ctx, a->rd, value);
    return true;
}

/* The flags, and the result unless it goes to the zero register. */
static void put_addsubs(LiftContext *ctx, unsigned rd, IrOp op, IrRef x, IrRef y)
{
    IrRef flags = a64_flags2(ctx, op == IR_add ? IR_fladd : IR_flsub, x, y);
    if (rd != 31)
        a64_put_r(ctx, rd, ir_op2(&ctx->b, op, x, y));
    a64_put_flags(ctx, flags);
}

static bool lift_addsubs(LiftContext *ctx, const ArgShifted *a, IrOp op)
{
    if (shifted_reserved(a) || a->shift == 3)
        return false;
    IrRef x = a64_get_r(ctx, a->sf, a->rn);
    put_addsubs(ctx, a->rd, op, x, shifted_operand(ctx, a));
    return true;
}

bool a64_lift_ADD_reg(LiftContext *ctx, const ArgADD_reg *a)
{
    return lift_addsub(ctx, a, IR_add);
}

bool a64_lift_SUB_reg(LiftContext *ctx, const ArgSUB_reg *a)
{
    return lift_addsub(ctx, a, IR_sub);
}

bool a64_lift_ADDS_reg(LiftContext *ctx, const ArgADDS_reg *a)
{
    return lift_addsubs(ctx, a, IR_add);
}

bool a64_lift_SUBS_reg(LiftContext *ctx, const ArgSUBS_reg *a)
{
    return lift_addsubs(ctx, a, IR_sub);
}

/* ExtendReg(). The shift follows the extension, so its upper bits fall off. */
static IrRef extended_operand(LiftContext *ctx, const ArgExtended *a)
{
    unsigned log2 = a->option & 3;
    bool sign = a->option & 4;
    IrRef y = a64_get_r(ctx, a->sf, a->rm);
    if (log2 < 2)
        y = a64_field(ctx, sign ? IR_sbfx : IR_ubfx, y, 0, 0, 8u << log2);
    else if (log2 == 2 && a->sf)
        y = ir_op1(&ctx->b, sign ? IR_sext : IR_zext, IR_I64, a64_get_w(ctx, a->rm));
    return a->amount ? ir_op2i(&ctx->b, IR_shl, y, (uint64_t)a->amount) : y;
}

static bool lift_addsub_ext(LiftContext *ctx, const ArgExtended *a, IrOp op)
{
    if (a->amount > 4)
        return false;
    IrRef x = a64_get_rsp(ctx, a->sf, a->rn);
    a64_put_rsp(ctx, a->rd, ir_op2(&ctx->b, op, x, extended_operand(ctx, a)));
    return true;
}

static bool lift_addsubs_ext(LiftContext *ctx, const ArgExtended *a, IrOp op)
{
    if (a->amount > 4)
        return false;
    IrRef x = a64_get_rsp(ctx, a->sf, a->rn);
    put_addsubs(ctx, a->rd, op, x, extended_operand(ctx, a));
    return true;
}

bool a64_lift_ADD_ext(LiftContext *ctx, const ArgADD_ext *a)
{
    return lift_addsub_ext(ctx, a, IR_add);
}

bool a64_lift_SUB_ext(LiftContext *ctx, const ArgSUB_ext *a)
{
    return lift_addsub_ext(ctx, a, IR_sub);
}

bool a64_lift_ADDS_ext(LiftContext *ctx, const ArgADDS_ext *a)
{
    return lift_addsubs_ext(ctx, a, IR_add);
}

bool a64_lift_SUBS_ext(LiftContext *ctx, const ArgSUBS_ext *a)
{
    return lift_addsubs_ext(ctx, a, IR_sub);
}

static bool lift_with_carry(LiftContext *ctx, const ArgRrr *a, IrOp op, IrOp flag_op)
{
    IrRef x = a64_get_r(ctx, a->sf, a->rn), y = a64_get_r(ctx, a->sf, a->rm);
    IrRef carry = a64_get_flags(ctx);
    IrType t = ir_type(&ctx->b, x);
    a64_put_r(ctx, a->rd, ir_emit(&ctx->b, op, t, 0, 0, x, y, carry, 0, 0));
    if (flag_op != IR_nop)
        a64_put_flags(ctx, ir_emit(&ctx->b, flag_op, IR_FLAGS, 0, t, x, y, carry, 0, 0));
    return true;
}

bool a64_lift_ADC(LiftContext *ctx, const ArgADC *a)
{
    return lift_with_carry(ctx, a, IR_adc, IR_nop);
}

bool a64_lift_ADCS(LiftContext *ctx, const ArgADCS *a)
{
    return lift_with_carry(ctx, a, IR_adc, IR_fladc);
}

bool a64_lift_SBC(LiftContext *ctx, const ArgSBC *a)
{
    return lift_with_carry(ctx, a, IR_sbc, IR_nop);
}

bool a64_lift_SBCS(LiftContext *ctx, const ArgSBCS *a)
{
    return lift_with_carry(ctx, a, IR_sbc, IR_flsbc);
}

/* -- flags ------------------------------------------------------------------------------------- */
bool a64_lift_RMIF(LiftContext *ctx, const ArgRMIF *a)
{
    uint32_t mask = (uint32_t)a->mask << 28;
    IrRef x = a64_get_x(ctx, a->rn);
    if (a->imm)
        x = ir_op2i(&ctx->b, IR_ror, x, (uint64_t)a->imm);
    x = ir_op2i(&ctx->b, IR_shl, a64_trunc(ctx, x), 28);
    if (a->mask != 15) {
        IrRef old = a64_unpack_flags(ctx);
        x = ir_op2(&ctx->b, IR_or, ir_op2i(&ctx->b, IR_and, x, mask),
                   ir_op2i(&ctx->b, IR_and, old, ~mask));
    }
    a64_put_flags(ctx, ir_op1(&ctx->b, IR_flpack, IR_FLAGS, x));
    return true;
}

/* N and Z of the low 8 or 16 bits; V: bit 8 or 16 differs from the sign; C stays. */
bool a64_lift_SETF(LiftContext *ctx, const ArgSETF *a)
{
    unsigned bits = a->sz ? 16 : 8;
    IrRef w = a64_get_w(ctx, a->rn), old = a64_unpack_flags(ctx);
    IrRef top = ir_op2i(&ctx->b, IR_shl, w, 32 - bits);
    IrRef n = ir_op2i(&ctx->b, IR_and, top, 1u << 31);
    IrRef zero = ir_cmp(&ctx->b, IR_CMP_EQ, top, a64_i32(ctx, 0));
    IrRef z = ir_op2i(&ctx->b, IR_shl, ir_op1(&ctx->b, IR_b2i, IR_I32, zero), 30);
    IrRef differ = ir_op2(&ctx->b, IR_xor, w, ir_op2i(&ctx->b, IR_shr, w, 1));
    IrRef v = ir_op2i(&ctx->b, IR_shl, a64_field(ctx, IR_ubfx, differ, 0, bits - 1, 1), 28);
    IrRef c = ir_op2i(&ctx->b, IR_and, old, 1u << 29);
    IrRef all = ir_op2(&ctx->b, IR_or, ir_op2(&ctx->b, IR_or, n, z), ir_op2(&ctx->b, IR_or, c, v));
    a64_put_flags(ctx, ir_op1(&ctx->b, IR_flpack, IR_FLAGS, all));
    return true;
}

static bool lift_ccmp(LiftContext *ctx, const ArgCcmp *a, IrOp flag_op, bool immediate)
{
    IrRef x = a64_get_r(ctx, a->sf, a->rn);
    IrRef y = immediate ? a64_int(ctx, a->sf, (uint64_t)a->y) : a64_get_r(ctx, a->sf, a->y);
    IrRef compared = a64_flags2(ctx, flag_op, x, y);
    if (a->cond < 14) {
        IrRef holds = a64_cond(ctx, a->cond);
        IrRef given = ir_op1(&ctx->b, IR_flpack, IR_FLAGS, a64_i32(ctx, (uint32_t)a->nzcv << 28));
        compared = ir_select(&ctx->b, holds, compared, given);
    }
    a64_put_flags(ctx, compared);
    return true;
}

bool a64_lift_CCMN_reg(LiftContext *ctx, const ArgCCMN_reg *a)
{
    return lift_ccmp(ctx, a, IR_fladd, false);
}

bool a64_lift_CCMP_reg(LiftContext *ctx, const ArgCCMP_reg *a)
{
    return lift_ccmp(ctx, a, IR_flsub, false);
}

bool a64_lift_CCMN_imm(LiftContext *ctx, const ArgCCMN_imm *a)
{
    return lift_ccmp(ctx, a, IR_fladd, true);
}

bool a64_lift_CCMP_imm(LiftContext *ctx, const ArgCCMP_imm *a)
{
    return lift_ccmp(ctx, a, IR_flsub, true);
}

/* -- conditional select ------------------------------------------------------------------------ */
bool a64_lift_CSEL(LiftContext *ctx, const ArgCSEL *a)
{
    IrRef x = a64_get_r(ctx, a->sf, a->rn);
    if (a->cond < 14)
        x = ir_select(&ctx->b, a64_cond(ctx, a->cond), x, a64_get_r(ctx, a->sf, a->rm));
    a64_put_r(ctx, a->rd, x);
    return true;
}

bool a64_lift_CSINC(LiftContext *ctx, const ArgCSINC *a)
{
    if (a->cond >= 14) {
        a64_put_r(ctx, a->rd, a64_get_r(ctx, a->sf, a->rn));
    } else if (a->rn == 31 && a->rm == 31) { /* CSET */
        IrRef set = a64_cond(ctx, a->cond ^ 1);
        a64_put_r(ctx, a->rd, ir_op1(&ctx->b, IR_b2i, a->sf ? IR_I64 : IR_I32, set));
    } else {
        IrRef x = a64_get_r(ctx, a->sf, a->rn);
        IrRef y = ir_op2i(&ctx->b, IR_add, a64_get_r(ctx, a->sf, a->rm), 1);
        a64_put_r(ctx, a->rd, ir_select(&ctx->b, a64_cond(ctx, a->cond), x, y));
    }
    return true;
}

static bool lift_csel_op1(LiftContext *ctx, const ArgCsel *a, IrOp op)
{
    IrRef x = a64_get_r(ctx, a->sf, a->rn);
    if (a->cond < 14) {
        IrRef y = a64_get_r(ctx, a->sf, a->rm);
        y = ir_op1(&ctx->b, op, ir_type(&ctx->b, y), y);
        x = ir_select(&ctx->b, a64_cond(ctx, a->cond), x, y);
    }
    a64_put_r(ctx, a->rd, x);
    return true;
}

bool a64_lift_CSINV(LiftContext *ctx, const ArgCSINV *a)
{
    if (a->cond >= 14 || a->rn != 31 || a->rm != 31)
        return lift_csel_op1(ctx, a, IR_not);
    IrType t = a->sf ? IR_I64 : IR_I32; /* CSETM */
    IrRef set = ir_op1(&ctx->b, IR_b2i, t, a64_cond(ctx, a->cond ^ 1));
    a64_put_r(ctx, a->rd, ir_op1(&ctx->b, IR_neg, t, set));
    return true;
}

bool a64_lift_CSNEG(LiftContext *ctx, const ArgCSNEG *a)
{
    return lift_csel_op1(ctx, a, IR_neg);
}

/* -- three sources ----------------------------------------------------------------------------- */
static void put_multiply_add(LiftContext *ctx, unsigned rd, IrOp op, unsigned ra, IrRef product)
{
    IrType t = ir_type(&ctx->b, product);
    if (ra != 31)
        product = ir_op2(&ctx->b, op, a64_get_r(ctx, t == IR_I64, ra), product);
    else if (op == IR_sub)
        product = ir_op1(&ctx->b, IR_neg, t, product);
    a64_put_r(ctx, rd, product);
}

static bool lift_multiply_add(LiftContext *ctx, const ArgRrrr *a, IrOp op)
{
    IrRef x = a64_get_r(ctx, a->sf, a->rn), y = a64_get_r(ctx, a->sf, a->rm);
    put_multiply_add(ctx, a->rd, op, a->ra, ir_op2(&ctx->b, IR_mul, x, y));
    return true;
}

bool a64_lift_MADD(LiftContext *ctx, const ArgMADD *a)
{
    return lift_multiply_add(ctx, a, IR_add);
}

bool a64_lift_MSUB(LiftContext *ctx, const ArgMSUB *a)
{
    return lift_multiply_add(ctx, a, IR_sub);
}

bool a64_lift_MADDL(LiftContext *ctx, const ArgMADDL *a)
{
    IrOp widen = a->u ? IR_zext : IR_sext;
    IrRef x = ir_op1(&ctx->b, widen, IR_I64, a64_get_w(ctx, a->rn));
    IrRef y = ir_op1(&ctx->b, widen, IR_I64, a64_get_w(ctx, a->rm));
    put_multiply_add(ctx, a->rd, a->sub ? IR_sub : IR_add, a->ra, ir_op2(&ctx->b, IR_mul, x, y));
    return true;
}

bool a64_lift_MULH(LiftContext *ctx, const ArgMULH *a)
{
    IrRef x = a64_get_x(ctx, a->rn), y = a64_get_x(ctx, a->rm);
    a64_put_x(ctx, a->rd, ir_op2(&ctx->b, a->u ? IR_mulhu : IR_mulhs, x, y));
    return true;
}
