/* data plane */
/*
 * AArch64: pointer authentication (rows in dp-reg.decode and branch.decode).
 *
 * The address space is Linux's usual one: 48 bits, top byte ignored for data and instructions. So
 * the code is bits 54..48, beside the untouched tag and bit 55, which tells the half of the address
 * space. As of Armv8.6 (FEAT_PAuth2) it isn't put there but exclusive-ored with what is: to sign
 * and to authenticate are one operation, which gives what went in when it is done twice, and with
 * another modifier or key, but for one time in 128, a pointer that isn't canonical. Without
 * FEAT_FPAC that doesn't trap before it is used.
 *
 * What makes the code is ours (ID_AA64ISAR1_EL1.API and GPI, "IMPLEMENTATION DEFINED algorithm"):
 * most functions of a program compiled with -mbranch-protection do it twice, so it is short. It
 * keeps a corrupted or replayed pointer from passing by accident, and is no cryptographic promise.
 */
#include "translator/guest/aarch64/pauth.h"

enum { PAC_LSB = 48, PAC_BITS = 7 };

/* The pointer with bits 54..48 as copies of bit 55. */
static IrRef canonical(LiftContext *ctx, IrRef pointer)
{
    IrRef bit55 = a64_field(ctx, IR_sbfx, pointer, 0, 55, 1);
    return a64_field(ctx, IR_bfi, pointer, bit55, PAC_LSB, PAC_BITS);
}

/*
 * Of the pointer bits 47..0 count, which a code doesn't change; of the key the low half. The
 * multiplier has no long run of equal bits: wherever one bit of the sum differs, so does the top of
 * the product. The key comes first, because regions share what depends on a register, not what is
 * made of a known return address alone (opt/gvn.c), and so know that an inlined callee's returns
 * authenticate.
 */
static IrRef compute_pac(LiftContext *ctx, IrRef pointer, IrRef modifier, unsigned key)
{
    IrBuilder *b = &ctx->b;
    IrRef keyed = ir_op2(b, IR_xor, pointer, ir_get(b, A64_VAR_KEYS + 2 * key));
    IrRef sum = ir_op2(b, IR_add, ir_op2i(b, IR_shl, keyed, 64 - PAC_LSB), modifier);
    IrRef h = ir_op2i(b, IR_mul, sum, UINT64_C(0xc2b2ae3d27d4eb4f));
    return ir_op2i(b, IR_shl, ir_op2i(b, IR_shr, h, 64 - PAC_BITS), PAC_LSB);
}

IrRef a64_pac(LiftContext *ctx, IrRef pointer, IrRef modifier, unsigned key)
{
    return ir_op2(&ctx->b, IR_xor, pointer, compute_pac(ctx, pointer, modifier, key));
}

bool a64_lift_PAC(LiftContext *ctx, const ArgPAC *a)
{
    IrRef modifier = a->z ? a64_i64(ctx, 0) : a64_get_xsp(ctx, a->rn);
    a64_put_x(ctx, a->rd, a64_pac(ctx, a64_get_x(ctx, a->rd), modifier, a->key));
    return true;
}

bool a64_lift_XPAC(LiftContext *ctx, const ArgXPAC *a)
{
    a64_put_x(ctx, a->rd, canonical(ctx, a64_get_x(ctx, a->rd)));
    return true;
}

/* The upper half of a hash of Xn and Xm under all of the key. */
bool a64_lift_PACGA(LiftContext *ctx, const ArgPACGA *a)
{
    IrBuilder *b = &ctx->b;
    IrRef low = ir_get(b, A64_VAR_KEYS + 2 * A64_KEY_GA);
    IrRef high = ir_get(b, A64_VAR_KEYS + 2 * A64_KEY_GA + 1);
    IrRef h = ir_op2(b, IR_xor, a64_get_x(ctx, a->rn), low);
    h = ir_op2i(b, IR_mul, h, UINT64_C(0x9e3779b97f4a7c15));
    h = ir_op2(b, IR_xor, h, ir_op2i(b, IR_ror, h, 32));
    h = ir_op2(b, IR_add, ir_op2(b, IR_xor, h, high), a64_get_xsp(ctx, a->rm));
    h = ir_op2i(b, IR_mul, h, UINT64_C(0xc2b2ae3d27d4eb4f));
    h = ir_op2(b, IR_xor, h, ir_op2i(b, IR_ror, h, 29));
    h = ir_op2i(b, IR_mul, h, UINT64_C(0x165667b19e3779f9));
    a64_put_x(ctx, a->rd, ir_op2i(b, IR_and, h, UINT64_C(0xffffffff00000000)));
    return true;
}

/* -- the forms among the hints ----------------------------------------------------------------- */
static void put_pac(LiftContext *ctx, unsigned rd, IrRef modifier, unsigned m)
{
    a64_put_x(ctx, rd, a64_pac(ctx, a64_get_x(ctx, rd), modifier, A64_KEY_IA + m));
}

bool a64_lift_XPACLRI(LiftContext *ctx, const ArgXPACLRI *a)
{
    a64_put_x(ctx, 30, canonical(ctx, a64_get_x(ctx, 30)));
    return true;
}

bool a64_lift_AUTH1716(LiftContext *ctx, const ArgAUTH1716 *a)
{
    put_pac(ctx, 17, a64_get_x(ctx, 16), (unsigned)a->m);
    return true;
}

bool a64_lift_AUTHSP(LiftContext *ctx, const ArgAUTHSP *a)
{
    put_pac(ctx, 30, a->sp ? a64_get_xsp(ctx, 31) : a64_i64(ctx, 0), (unsigned)a->m);
    return true;
}
