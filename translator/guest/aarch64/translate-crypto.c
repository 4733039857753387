/* data plane */
/*
 * Cryptographic instructions: AES, SHA-1, SHA-2, SHA-3 (Arm ARM DDI 0487 K.a, C7.2). PMULL is in
 * translate-simd-three-diff.c.
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

bool a64_lift_AESE(LiftContext *ctx, const ArgAESE *a)
{
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_v(ctx, a->rn);
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vaese, 0, 0, d, n));
    return true;
}

bool a64_lift_AESD(LiftContext *ctx, const ArgAESD *a)
{
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_v(ctx, a->rn);
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vaesd, 0, 0, d, n));
    return true;
}

bool a64_lift_AESMC(LiftContext *ctx, const ArgAESMC *a)
{
    a64_put_v(ctx, a->rd, v_op1(ctx, IR_vaesmc, 0, 0, a64_get_v(ctx, a->rn), 0));
    return true;
}

bool a64_lift_AESIMC(LiftContext *ctx, const ArgAESIMC *a)
{
    a64_put_v(ctx, a->rd, v_op1(ctx, IR_vaesimc, 0, 0, a64_get_v(ctx, a->rn), 0));
    return true;
}

static IrRef sha3(LiftContext *ctx, IrOp op, IrRef x, IrRef y, IrRef z, unsigned imm)
{
    return ir_emit(&ctx->b, op, IR_V128, IR_LANE_I32, 0, x, y, z, 0, imm);
}

/* SHA1C SHA1P SHA1M: kind is the function */
bool a64_lift_sha1(LiftContext *ctx, const Argsha1 *a)
{
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    a64_put_v(ctx, a->rd, sha3(ctx, IR_vsha1, d, n, m, (unsigned)a->kind));
    return true;
}

bool a64_lift_SHA1SU1(LiftContext *ctx, const ArgSHA1SU1 *a)
{
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_v(ctx, a->rn);
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vsha1su1, IR_LANE_I32, 0, d, n));
    return true;
}

bool a64_lift_SHA256H(LiftContext *ctx, const ArgSHA256H *a)
{
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    a64_put_v(ctx, a->rd, sha3(ctx, IR_vsha256h, d, n, m, 0));
    return true;
}

/* The destination is e f g h here, the first source a b c d. */
bool a64_lift_SHA256H2(LiftContext *ctx, const ArgSHA256H2 *a)
{
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    a64_put_v(ctx, a->rd, sha3(ctx, IR_vsha256h2, n, d, m, 0));
    return true;
}

bool a64_lift_SHA256SU0(LiftContext *ctx, const ArgSHA256SU0 *a)
{
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_v(ctx, a->rn);
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vsha256su0, IR_LANE_I32, 0, d, n));
    return true;
}

bool a64_lift_SHA256SU1(LiftContext *ctx, const ArgSHA256SU1 *a)
{
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    a64_put_v(ctx, a->rd, sha3(ctx, IR_vsha256su1, d, n, m, 0));
    return true;
}

/* -- SHA-512 (the functions are FIPS 180-4's): a round needs the one before, so in scalars ----- */
typedef struct { IrRef lo, hi; } Halves;

static Halves halves(LiftContext *ctx, unsigned r)
{
    return (Halves){ a64_get_half(ctx, r, 0), a64_get_half(ctx, r, 1) };
}

static void put_halves(LiftContext *ctx, unsigned r, IrRef lo, IrRef hi)
{
    IrRef v = ir_emit(&ctx->b, IR_vfroms, IR_V128, IR_LANE_I64, IR_I64, lo, 0, 0, 0, 0);
    a64_put_v(ctx, r, ir_emit(&ctx->b, IR_vset, IR_V128, IR_LANE_I64, 0, v, hi, 0, 0, 1));
}

static IrRef big_sigma(IrBuilder *b, IrRef x, unsigned i, unsigned j, unsigned k)
{
    return ir_op2(b, IR_xor, ir_op2(b, IR_xor, ir_op2i(b, IR_ror, x, i), ir_op2i(b, IR_ror, x, j)),
                  ir_op2i(b, IR_ror, x, k));
}

static IrRef sum3(IrBuilder *b, IrRef x, IrRef y, IrRef z)
{
    return ir_op2(b, IR_add, ir_op2(b, IR_add, x, y), z);
}

bool a64_lift_SHA512H(LiftContext *ctx, const ArgSHA512H *a)
{
    IrBuilder *b = &ctx->b;
    Halves d = halves(ctx, a->rd), n = halves(ctx, a->rn), m = halves(ctx, a->rm);
    IrRef hi = sum3(b, d.hi, big_sigma(b, m.hi, 14, 18, 41), hash_choose(b, m.hi, n.lo, n.hi));
    IrRef t = ir_op2(b, IR_add, hi, m.lo);
    IrRef lo = sum3(b, d.lo, big_sigma(b, t, 14, 18, 41), hash_choose(b, t, m.hi, n.lo));
    put_halves(ctx, a->rd, lo, hi);
    return true;
}

bool a64_lift_SHA512H2(LiftContext *ctx, const ArgSHA512H2 *a)
{
    IrBuilder *b = &ctx->b;
    Halves d = halves(ctx, a->rd), n = halves(ctx, a->rn), m = halves(ctx, a->rm);
    IrRef hi = sum3(b, d.hi, big_sigma(b, m.lo, 28, 34, 39), hash_majority(b, n.lo, m.hi, m.lo));
    IrRef lo = sum3(b, d.lo, big_sigma(b, hi, 28, 34, 39), hash_majority(b, hi, m.lo, m.hi));
    put_halves(ctx, a->rd, lo, hi);
    return true;
}

static IrRef rotate_left(LiftContext *ctx, IrRef x, unsigned n)
{
    if (!n)
        return x;
    return v_op2(ctx, IR_vor, 0, 0, v_op1(ctx, IR_vshl, IR_LANE_I64, 0, x, n),
                 v_op1(ctx, IR_vshru, IR_LANE_I64, 0, x, 64 - n));
}

/* Two words of the message schedule at a time: rotated right by i and j, shifted by k. */
static IrRef small_sigma(LiftContext *ctx, IrRef x, unsigned i, unsigned j, unsigned k)
{
    IrRef r = v_op2(ctx, IR_vxor, 0, 0, rotate_left(ctx, x, 64 - i), rotate_left(ctx, x, 64 - j));
    return v_op2(ctx, IR_vxor, 0, 0, r, v_op1(ctx, IR_vshru, IR_LANE_I64, 0, x, k));
}

bool a64_lift_SHA512SU0(LiftContext *ctx, const ArgSHA512SU0 *a)
{
    IrRef d = a64_get_v(ctx, a->rd);
    IrRef s = small_sigma(ctx, v_ext(ctx, d, a64_get_v(ctx, a->rn), 8), 1, 8, 7);
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vadd, IR_LANE_I64, 0, d, s));
    return true;
}

bool a64_lift_SHA512SU1(LiftContext *ctx, const ArgSHA512SU1 *a)
{
    IrRef d = a64_get_v(ctx, a->rd), s = small_sigma(ctx, a64_get_v(ctx, a->rn), 19, 61, 6);
    d = v_op2(ctx, IR_vadd, IR_LANE_I64, 0, d, s);
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vadd, IR_LANE_I64, 0, d, a64_get_v(ctx, a->rm)));
    return true;
}

/* d<127:64> in the low half, n<63:0> in the high one, xor d xor m */
bool a64_lift_SHA1SU0(LiftContext *ctx, const ArgSHA1SU0 *a)
{
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    IrRef r = v_op2(ctx, IR_vxor, 0, 0, v_ext(ctx, d, n, 8), d);
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vxor, 0, 0, r, m));
    return true;
}

bool a64_lift_SHA1H(LiftContext *ctx, const ArgSHA1H *a)
{
    IrRef n = ir_emit(&ctx->b, IR_vget, IR_I32, IR_LANE_I32, 0, a64_get_v(ctx, a->rn), 0, 0, 0, 0);
    a64_put_scalar(ctx, a->rd, ir_op2i(&ctx->b, IR_ror, n, 2));
    return true;
}

bool a64_lift_EOR3(LiftContext *ctx, const ArgEOR3 *a)
{
    IrRef r = v_op2(ctx, IR_vxor, 0, 0, a64_get_v(ctx, a->rn), a64_get_v(ctx, a->rm));
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vxor, 0, 0, r, a64_get_v(ctx, a->ra)));
    return true;
}

bool a64_lift_BCAX(LiftContext *ctx, const ArgBCAX *a)
{
    IrRef r = v_op2(ctx, IR_vandn, 0, 0, a64_get_v(ctx, a->rm), a64_get_v(ctx, a->ra));
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vxor, 0, 0, a64_get_v(ctx, a->rn), r));
    return true;
}

bool a64_lift_RAX1(LiftContext *ctx, const ArgRAX1 *a)
{
    IrRef n = a64_get_v(ctx, a->rn), m = rotate_left(ctx, a64_get_v(ctx, a->rm), 1);
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vxor, 0, 0, n, m));
    return true;
}

bool a64_lift_XAR(LiftContext *ctx, const ArgXAR *a)
{
    IrRef x = v_op2(ctx, IR_vxor, 0, 0, a64_get_v(ctx, a->rn), a64_get_v(ctx, a->rm));
    a64_put_v(ctx, a->rd, rotate_left(ctx, x, -a->imm6 & 63));
    return true;
}
