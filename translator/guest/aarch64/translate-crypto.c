/* data plane */
/*
 * Cryptographic instructions: AES, SHA-1, SHA-2, SHA-3 (Arm ARM DDI 0487 K.a, C7.2). PMULL is in
 * translate-simd-three-diff.c. SHA-512's are helpers (helper-crypto.c).
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

/* SHA512H SHA512H2 SHA512SU1: kind is the helper */
bool a64_lift_sha3op(LiftContext *ctx, const Argsha3op *a)
{
    a64_put_v(ctx, a->rd, a64_call(ctx, a->kind, IR_V128, a64_get_v(ctx, a->rd),
                                   a64_get_v(ctx, a->rn), a64_get_v(ctx, a->rm), 0));
    return true;
}

bool a64_lift_sha2op(LiftContext *ctx, const Argsha2op *a)
{
    a64_put_v(ctx, a->rd, a64_call(ctx, a->kind, IR_V128, a64_get_v(ctx, a->rd),
                                   a64_get_v(ctx, a->rn), 0, 0));
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

static IrRef rotate_left(LiftContext *ctx, IrRef x, unsigned n)
{
    if (!n)
        return x;
    return v_op2(ctx, IR_vor, 0, 0, v_op1(ctx, IR_vshl, IR_LANE_I64, 0, x, n),
                 v_op1(ctx, IR_vshru, IR_LANE_I64, 0, x, 64 - n));
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
