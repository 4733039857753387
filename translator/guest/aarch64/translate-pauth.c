/* data plane */
/*
 * AArch64: pointer authentication (rows in dp-reg.decode and branch.decode).
 *
 * The address space is Linux's usual one: 48 bits, top byte ignored for data and instructions. So
 * the code is bits 54..48, beside the untouched tag and bit 55, which tells the half of the address
 * space. The function that makes it is ours (ID_AA64ISAR1_EL1.API and GPI, "IMPLEMENTATION DEFINED
 * algorithm"): a keyed multiply-xor hash, short enough to stand inline; it keeps a corrupted or
 * replayed pointer from passing by accident, and is no cryptographic promise. A pointer that fails
 * is corrupted (FEAT_PAuth as of Armv8.3), it doesn't trap.
 */
#include "translator/guest/aarch64/pauth.h"

enum { PAC_LSB = 48, PAC_BITS = 7 };
static const uint64_t pac_mask = UINT64_C(0x7f) << PAC_LSB;

/* 64 bits of hash; its top is the best mixed. */
static IrRef hash(LiftContext *ctx, IrRef data, IrRef modifier, unsigned key)
{
    IrBuilder *b = &ctx->b;
    IrRef low = ir_get(b, A64_VAR_KEYS + 2 * key), high = ir_get(b, A64_VAR_KEYS + 2 * key + 1);
    IrRef h = ir_op2i(b, IR_mul, ir_op2(b, IR_xor, data, low), UINT64_C(0x9e3779b97f4a7c15));
    h = ir_op2(b, IR_xor, h, ir_op2i(b, IR_ror, h, 32));
    h = ir_op2(b, IR_add, ir_op2(b, IR_xor, h, high), modifier);
    h = ir_op2i(b, IR_mul, h, UINT64_C(0xc2b2ae3d27d4eb4f));
    h = ir_op2(b, IR_xor, h, ir_op2i(b, IR_ror, h, 29));
    return ir_op2i(b, IR_mul, h, UINT64_C(0x165667b19e3779f9));
}

/* The code of a canonical pointer, in bits 6..0. */
static IrRef compute_pac(LiftContext *ctx, IrRef canonical, IrRef modifier, unsigned key)
{
    return ir_op2i(&ctx->b, IR_shr, hash(ctx, canonical, modifier, key), 64 - PAC_BITS);
}

/* The pointer with bits 54..48 as copies of bit 55. */
static IrRef canonical(LiftContext *ctx, IrRef pointer)
{
    IrRef bit55 = a64_field(ctx, IR_sbfx, pointer, 0, 55, 1);
    return a64_field(ctx, IR_bfi, pointer, bit55, PAC_LSB, PAC_BITS);
}

IrRef a64_add_pac(LiftContext *ctx, IrRef pointer, IrRef modifier, unsigned key)
{
    IrBuilder *b = &ctx->b;
    IrRef good = canonical(ctx, pointer);
    IrRef pac = compute_pac(ctx, good, modifier, key);
    /* A pointer whose bits 54..48 are neither all 0 nor all 1 gets a code with its
     * top bit wrong. */
    IrRef field = ir_op2i(b, IR_and, pointer, pac_mask);
    IrRef any = ir_cmp(b, IR_CMP_NE, field, a64_i64(ctx, 0));
    IrRef not_all = ir_cmp(b, IR_CMP_NE, field, a64_i64(ctx, pac_mask));
    IrRef bad = ir_op1(b, IR_b2i, IR_I64, ir_op2(b, IR_band, any, not_all));
    pac = ir_op2(b, IR_xor, pac, ir_op2i(b, IR_shl, bad, PAC_BITS - 1));
    return a64_field(ctx, IR_bfi, pointer, pac, PAC_LSB, PAC_BITS);
}

IrRef a64_authenticate(LiftContext *ctx, IrRef pointer, IrRef modifier, unsigned key)
{
    IrBuilder *b = &ctx->b;
    IrRef good = canonical(ctx, pointer);
    IrRef pac = compute_pac(ctx, good, modifier, key);
    IrRef ok = ir_cmp(b, IR_CMP_EQ, pac, a64_field(ctx, IR_ubfx, pointer, 0, PAC_LSB, PAC_BITS));
    /* Bits 54..53 tell the key: 1 for A, 2 for B. */
    IrRef code = a64_i64(ctx, key == A64_KEY_IA || key == A64_KEY_DA ? 1 : 2);
    return ir_select(b, ok, good, a64_field(ctx, IR_bfi, good, code, 53, 2));
}

bool a64_lift_PAC(LiftContext *ctx, const ArgPAC *a)
{
    IrRef modifier = a->z ? a64_i64(ctx, 0) : a64_get_xsp(ctx, a->rn);
    a64_put_x(ctx, a->rd, a64_add_pac(ctx, a64_get_x(ctx, a->rd), modifier, a->key));
    return true;
}

bool a64_lift_AUT(LiftContext *ctx, const ArgAUT *a)
{
    IrRef modifier = a->z ? a64_i64(ctx, 0) : a64_get_xsp(ctx, a->rn);
    a64_put_x(ctx, a->rd, a64_authenticate(ctx, a64_get_x(ctx, a->rd), modifier, a->key));
    return true;
}

bool a64_lift_XPAC(LiftContext *ctx, const ArgXPAC *a)
{
    a64_put_x(ctx, a->rd, canonical(ctx, a64_get_x(ctx, a->rd)));
    return true;
}

/* The upper half of a code over Xn with Xm as the modifier. */
bool a64_lift_PACGA(LiftContext *ctx, const ArgPACGA *a)
{
    IrRef h = hash(ctx, a64_get_x(ctx, a->rn), a64_get_xsp(ctx, a->rm), A64_KEY_GA);
    a64_put_x(ctx, a->rd, ir_op2i(&ctx->b, IR_and, h, UINT64_C(0xffffffff00000000)));
    return true;
}

/* -- the forms among the hints ----------------------------------------------------------------- */
static void put_hint_form(LiftContext *ctx, unsigned rd, IrRef modifier, bool aut, unsigned key)
{
    IrRef x = a64_get_x(ctx, rd);
    a64_put_x(ctx, rd, (aut ? a64_authenticate : a64_add_pac)(ctx, x, modifier, key));
}

bool a64_lift_XPACLRI(LiftContext *ctx, const ArgXPACLRI *a)
{
    a64_put_x(ctx, 30, canonical(ctx, a64_get_x(ctx, 30)));
    return true;
}

bool a64_lift_AUTH1716(LiftContext *ctx, const ArgAUTH1716 *a)
{
    put_hint_form(ctx, 17, a64_get_x(ctx, 16), a->aut, A64_KEY_IA + (unsigned)a->m);
    return true;
}

bool a64_lift_AUTHSP(LiftContext *ctx, const ArgAUTHSP *a)
{
    IrRef modifier = a->sp ? a64_get_xsp(ctx, 31) : a64_i64(ctx, 0);
    put_hint_form(ctx, 30, modifier, a->aut, A64_KEY_IA + (unsigned)a->m);
    return true;
}
