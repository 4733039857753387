/* data plane */
/* Zba, Zbb, Zbs, Zbc, Zbkb, Zicond, Zimop. */
#include "translator/guest/riscv64/lift.h"
#include "translator/guest/riscv64/rv-decode.h"

static IrRef get_uw(LiftContext *ctx, int r)
{
    return ir_op1(&ctx->b, IR_zext, IR_I64, rv_get_w(ctx, r));
}

/* rd = rs2 + (x << n) */
static bool shift_add(LiftContext *ctx, const ArgR *a, IrRef x, unsigned n)
{
    IrBuilder *b = &ctx->b;
    if (n)
        x = ir_op2i(b, IR_shl, x, n);
    return rv_put(ctx, a->rd, a->rs2 ? ir_op2(b, IR_add, rv_get(ctx, a->rs2), x) : x);
}

bool rv_lift_ADD_UW(LiftContext *ctx, const ArgADD_UW *a)
{
    return shift_add(ctx, a, get_uw(ctx, a->rs1), 0);
}

bool rv_lift_SH1ADD(LiftContext *ctx, const ArgSH1ADD *a)
{
    return shift_add(ctx, a, rv_get(ctx, a->rs1), 1);
}

bool rv_lift_SH2ADD(LiftContext *ctx, const ArgSH2ADD *a)
{
    return shift_add(ctx, a, rv_get(ctx, a->rs1), 2);
}

bool rv_lift_SH3ADD(LiftContext *ctx, const ArgSH3ADD *a)
{
    return shift_add(ctx, a, rv_get(ctx, a->rs1), 3);
}

bool rv_lift_SH1ADD_UW(LiftContext *ctx, const ArgSH1ADD_UW *a)
{
    return shift_add(ctx, a, get_uw(ctx, a->rs1), 1);
}

bool rv_lift_SH2ADD_UW(LiftContext *ctx, const ArgSH2ADD_UW *a)
{
    return shift_add(ctx, a, get_uw(ctx, a->rs1), 2);
}

bool rv_lift_SH3ADD_UW(LiftContext *ctx, const ArgSH3ADD_UW *a)
{
    return shift_add(ctx, a, get_uw(ctx, a->rs1), 3);
}

bool rv_lift_SLLI_UW(LiftContext *ctx, const ArgSLLI_UW *a)
{
    return rv_put(ctx, a->rd,
                  ir_op2i(&ctx->b, IR_shl, get_uw(ctx, a->rs1), (uint64_t)a->shamt));
}

bool rv_lift_ANDN(LiftContext *ctx, const ArgANDN *a)
{
    return rv_put(ctx, a->rd,
                  ir_op2(&ctx->b, IR_andn, rv_get(ctx, a->rs1), rv_get(ctx, a->rs2)));
}

bool rv_lift_ORN(LiftContext *ctx, const ArgORN *a)
{
    IrRef y = ir_op1(&ctx->b, IR_not, IR_I64, rv_get(ctx, a->rs2));
    return rv_put(ctx, a->rd, ir_op2(&ctx->b, IR_or, rv_get(ctx, a->rs1), y));
}

bool rv_lift_XNOR(LiftContext *ctx, const ArgXNOR *a)
{
    IrRef x = ir_op2(&ctx->b, IR_xor, rv_get(ctx, a->rs1), rv_get(ctx, a->rs2));
    return rv_put(ctx, a->rd, ir_op1(&ctx->b, IR_not, IR_I64, x));
}

static bool unary(LiftContext *ctx, IrOp op, const ArgUnary *a)
{
    return rv_put(ctx, a->rd, ir_op1(&ctx->b, op, IR_I64, rv_get(ctx, a->rs1)));
}

static bool unary_w(LiftContext *ctx, IrOp op, const ArgUnary *a)
{
    return rv_put_w(ctx, a->rd, ir_op1(&ctx->b, op, IR_I32, rv_get_w(ctx, a->rs1)));
}

bool rv_lift_CLZ(LiftContext *ctx, const ArgCLZ *a) { return unary(ctx, IR_clz, a); }
bool rv_lift_CTZ(LiftContext *ctx, const ArgCTZ *a) { return unary(ctx, IR_ctz, a); }
bool rv_lift_CPOP(LiftContext *ctx, const ArgCPOP *a) { return unary(ctx, IR_popcnt, a); }
bool rv_lift_REV8(LiftContext *ctx, const ArgREV8 *a) { return unary(ctx, IR_bswap, a); }
bool rv_lift_CLZW(LiftContext *ctx, const ArgCLZW *a) { return unary_w(ctx, IR_clz, a); }
bool rv_lift_CTZW(LiftContext *ctx, const ArgCTZW *a) { return unary_w(ctx, IR_ctz, a); }
bool rv_lift_CPOPW(LiftContext *ctx, const ArgCPOPW *a) { return unary_w(ctx, IR_popcnt, a); }

/* rd = the low len bits of rs1, extended */
static bool extend(LiftContext *ctx, IrOp op, const ArgUnary *a, unsigned len)
{
    return rv_put(ctx, a->rd, ir_emit(&ctx->b, op, IR_I64, 0, len << 8, rv_get(ctx, a->rs1), 0, 0,
                                      0, 0));
}

bool rv_lift_SEXT_B(LiftContext *ctx, const ArgSEXT_B *a) { return extend(ctx, IR_sbfx, a, 8); }
bool rv_lift_SEXT_H(LiftContext *ctx, const ArgSEXT_H *a) { return extend(ctx, IR_sbfx, a, 16); }
bool rv_lift_ZEXT_H(LiftContext *ctx, const ArgZEXT_H *a) { return extend(ctx, IR_ubfx, a, 16); }

static bool choose(LiftContext *ctx, IrCc cc, const ArgR *a)
{
    IrRef x = rv_get(ctx, a->rs1), y = rv_get(ctx, a->rs2);
    return rv_put(ctx, a->rd, ir_select(&ctx->b, ir_cmp(&ctx->b, cc, x, y), x, y));
}

bool rv_lift_MIN(LiftContext *ctx, const ArgMIN *a) { return choose(ctx, IR_CMP_SLT, a); }
bool rv_lift_MINU(LiftContext *ctx, const ArgMINU *a) { return choose(ctx, IR_CMP_ULT, a); }
bool rv_lift_MAX(LiftContext *ctx, const ArgMAX *a) { return choose(ctx, IR_CMP_SGT, a); }
bool rv_lift_MAXU(LiftContext *ctx, const ArgMAXU *a) { return choose(ctx, IR_CMP_UGT, a); }

bool rv_lift_ROR(LiftContext *ctx, const ArgROR *a)
{
    return rv_put(ctx, a->rd, ir_op2(&ctx->b, IR_ror, rv_get(ctx, a->rs1), rv_get(ctx, a->rs2)));
}

bool rv_lift_ROL(LiftContext *ctx, const ArgROL *a)
{
    IrRef right = ir_op1(&ctx->b, IR_neg, IR_I64, rv_get(ctx, a->rs2));
    return rv_put(ctx, a->rd, ir_op2(&ctx->b, IR_ror, rv_get(ctx, a->rs1), right));
}

bool rv_lift_RORW(LiftContext *ctx, const ArgRORW *a)
{
    return rv_put_w(ctx, a->rd,
                    ir_op2(&ctx->b, IR_ror, rv_get_w(ctx, a->rs1), rv_get_w(ctx, a->rs2)));
}

bool rv_lift_ROLW(LiftContext *ctx, const ArgROLW *a)
{
    IrRef right = ir_op1(&ctx->b, IR_neg, IR_I32, rv_get_w(ctx, a->rs2));
    return rv_put_w(ctx, a->rd, ir_op2(&ctx->b, IR_ror, rv_get_w(ctx, a->rs1), right));
}

bool rv_lift_RORI(LiftContext *ctx, const ArgRORI *a)
{
    return rv_put(ctx, a->rd, ir_op2i(&ctx->b, IR_ror, rv_get(ctx, a->rs1), (uint64_t)a->shamt));
}

bool rv_lift_RORIW(LiftContext *ctx, const ArgRORIW *a)
{
    return rv_put_w(ctx, a->rd,
                    ir_op2i(&ctx->b, IR_ror, rv_get_w(ctx, a->rs1), (uint64_t)a->shamt));
}

/* Each byte: 0 stays, any other becomes 255. t has the top bit of every byte that isn't 0; the
 * difference of t shifted left by 1 and right by 7 fills those bytes. */
bool rv_lift_ORC_B(LiftContext *ctx, const ArgORC_B *a)
{
    IrBuilder *b = &ctx->b;
    const uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
    IrRef x = rv_get(ctx, a->rs1);
    IrRef carry = ir_op2i(b, IR_add, ir_op2i(b, IR_and, x, low7), low7);
    IrRef t = ir_op2i(b, IR_and, ir_op2(b, IR_or, carry, x), ~low7);
    return rv_put(ctx, a->rd, ir_op2(b, IR_sub, ir_op2i(b, IR_shl, t, 1),
                                     ir_op2i(b, IR_shr, t, 7)));
}

/* Bits reversed within each byte: of the whole, then the bytes back in order. */
bool rv_lift_BREV8(LiftContext *ctx, const ArgBREV8 *a)
{
    IrRef x = ir_op1(&ctx->b, IR_bitrev, IR_I64, rv_get(ctx, a->rs1));
    return rv_put(ctx, a->rd, ir_op1(&ctx->b, IR_bswap, IR_I64, x));
}

/* The low half of rs1 below the low half of rs2. */
bool rv_lift_PACK(LiftContext *ctx, const ArgPACK *a)
{
    return rv_put(ctx, a->rd, ir_emit(&ctx->b, IR_bfi, IR_I64, 0, 32 | 32 << 8,
                                      rv_get(ctx, a->rs1), rv_get(ctx, a->rs2), 0, 0, 0));
}

bool rv_lift_PACKW(LiftContext *ctx, const ArgPACKW *a)
{
    return rv_put_w(ctx, a->rd, ir_emit(&ctx->b, IR_bfi, IR_I32, 0, 16 | 16 << 8,
                                        rv_get_w(ctx, a->rs1), rv_get_w(ctx, a->rs2), 0, 0, 0));
}

bool rv_lift_PACKH(LiftContext *ctx, const ArgPACKH *a)
{
    IrBuilder *b = &ctx->b;
    IrRef low = ir_op2i(b, IR_and, rv_get(ctx, a->rs1), 0xff);
    return rv_put(ctx, a->rd, ir_emit(b, IR_bfi, IR_I64, 0, 8 | 8 << 8, low,
                                      rv_get(ctx, a->rs2), 0, 0, 0));
}

/* The 127-bit carry-less product as a vector. */
static IrRef carryless(LiftContext *ctx, const ArgR *a)
{
    return ir_vop2(&ctx->b, IR_vpmull, IR_LANE_I64, 0, rv_get_vector(ctx, a->rs1),
                   rv_get_vector(ctx, a->rs2));
}

bool rv_lift_CLMUL(LiftContext *ctx, const ArgCLMUL *a)
{
    return rv_put(ctx, a->rd, rv_half(ctx, carryless(ctx, a), 0));
}

bool rv_lift_CLMULH(LiftContext *ctx, const ArgCLMULH *a)
{
    return rv_put(ctx, a->rd, rv_half(ctx, carryless(ctx, a), 1));
}

/* Bits 126..63 of the product. */
bool rv_lift_CLMULR(LiftContext *ctx, const ArgCLMULR *a)
{
    IrRef product = carryless(ctx, a);
    return rv_put(ctx, a->rd, ir_emit(&ctx->b, IR_extr, IR_I64, 0, 0, rv_half(ctx, product, 1),
                                      rv_half(ctx, product, 0), 0, 0, 63));
}

static IrRef one_bit(LiftContext *ctx, int r)
{
    return ir_op2(&ctx->b, IR_shl, rv_const(ctx, 1), rv_get(ctx, r));
}

static bool bit_op(LiftContext *ctx, IrOp op, const ArgR *a)
{
    return rv_put(ctx, a->rd, ir_op2(&ctx->b, op, rv_get(ctx, a->rs1), one_bit(ctx, a->rs2)));
}

static bool bit_op_imm(LiftContext *ctx, IrOp op, const ArgSh *a)
{
    return rv_put(ctx, a->rd, ir_op2i(&ctx->b, op, rv_get(ctx, a->rs1), 1ull << a->shamt));
}

bool rv_lift_BCLR(LiftContext *ctx, const ArgBCLR *a) { return bit_op(ctx, IR_andn, a); }
bool rv_lift_BINV(LiftContext *ctx, const ArgBINV *a) { return bit_op(ctx, IR_xor, a); }
bool rv_lift_BSET(LiftContext *ctx, const ArgBSET *a) { return bit_op(ctx, IR_or, a); }
bool rv_lift_BINVI(LiftContext *ctx, const ArgBINVI *a) { return bit_op_imm(ctx, IR_xor, a); }
bool rv_lift_BSETI(LiftContext *ctx, const ArgBSETI *a) { return bit_op_imm(ctx, IR_or, a); }

bool rv_lift_BCLRI(LiftContext *ctx, const ArgBCLRI *a)
{
    return rv_put(ctx, a->rd,
                  ir_op2i(&ctx->b, IR_and, rv_get(ctx, a->rs1), ~(1ull << a->shamt)));
}

bool rv_lift_BEXT(LiftContext *ctx, const ArgBEXT *a)
{
    IrRef x = ir_op2(&ctx->b, IR_shr, rv_get(ctx, a->rs1), rv_get(ctx, a->rs2));
    return rv_put(ctx, a->rd, ir_op2i(&ctx->b, IR_and, x, 1));
}

bool rv_lift_BEXTI(LiftContext *ctx, const ArgBEXTI *a)
{
    return rv_put(ctx, a->rd, ir_emit(&ctx->b, IR_ubfx, IR_I64, 0, (unsigned)a->shamt | 1 << 8,
                                      rv_get(ctx, a->rs1), 0, 0, 0, 0));
}

/* rd = condition of rs2 ? 0 : rs1 */
static bool zero_if(LiftContext *ctx, IrCc cc, const ArgR *a)
{
    IrRef zero = rv_const(ctx, 0);
    IrRef clears = ir_cmp(&ctx->b, cc, rv_get(ctx, a->rs2), zero);
    return rv_put(ctx, a->rd, ir_select(&ctx->b, clears, zero, rv_get(ctx, a->rs1)));
}

bool rv_lift_CZERO_EQZ(LiftContext *ctx, const ArgCZERO_EQZ *a)
{
    return zero_if(ctx, IR_CMP_EQ, a);
}

bool rv_lift_CZERO_NEZ(LiftContext *ctx, const ArgCZERO_NEZ *a)
{
    return zero_if(ctx, IR_CMP_NE, a);
}

bool rv_lift_MOP(LiftContext *ctx, const ArgMOP *a)
{
    return rv_put(ctx, a->rd, rv_const(ctx, 0));
}

bool rv_lift_C_MOP(LiftContext *ctx, const ArgC_MOP *a) { return true; }
