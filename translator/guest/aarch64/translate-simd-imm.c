/* data plane */
/*
 * Advanced SIMD modified immediate: MOVI MVNI ORR BIC FMOV (Arm ARM DDI 0487 K.a, C7.2; the table
 * of AdvSIMDExpandImm in J1.1).
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

static uint64_t replicate(uint64_t v, unsigned bits)
{
    for (; bits < 64; bits *= 2)
        v |= v << bits;
    return v;
}

/* Each bit to a byte of ones */
static uint64_t spread_bits(unsigned imm8)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= imm8 >> i & 1 ? 0xffull << (8 * i) : 0;
    return v;
}

/* AdvSIMDExpandImm */
static uint64_t expand_imm(bool op, unsigned cmode, unsigned imm8)
{
    unsigned shift = 8 * (cmode >> 1 & 3);
    switch (cmode >> 1) {
    case 0: case 1: case 2: case 3:
        return replicate((uint64_t)imm8 << shift, 32);
    case 4: case 5:
        return replicate((uint64_t)imm8 << (shift & 8), 16);
    case 6:
        return replicate(cmode & 1 ? (uint64_t)imm8 << 16 | 0xffff : (uint64_t)imm8 << 8 | 0xff,
                         32);
    default:
        if (!(cmode & 1))
            return op ? spread_bits(imm8) : replicate(imm8, 8);
        return op ? a64_fp_expand_imm(imm8, 3) : replicate(a64_fp_expand_imm(imm8, 2), 32);
    }
}

bool a64_lift_SIMD_imm(LiftContext *ctx, const ArgSIMD_imm *a)
{
    if (a->cmode == 15 && a->op && !a->q)
        return false;
    uint64_t imm = expand_imm(a->op, a->cmode, a->imm8);
    bool logic = a->cmode < 12 && a->cmode & 1; /* ORR and BIC */
    if (logic) {
        IrRef d = a64_get_v(ctx, a->rd), value = ir_vconst(&ctx->b, imm, imm);
        a64_put_vq(ctx, a->q, a->rd, v_op2(ctx, a->op ? IR_vandn : IR_vor, 0, 0, d, value));
        return true;
    }
    if (a->op && a->cmode < 14) /* MVNI */
        imm = ~imm;
    a64_put_v(ctx, a->rd, ir_vconst(&ctx->b, imm, a->q ? imm : 0));
    return true;
}

bool a64_lift_FMOV_vec_h(LiftContext *ctx, const ArgFMOV_vec_h *a)
{
    uint64_t imm = replicate(a64_fp_expand_imm(a->imm8, 1), 16);
    a64_put_v(ctx, a->rd, ir_vconst(&ctx->b, imm, a->q ? imm : 0));
    return true;
}
