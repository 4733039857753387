/* data plane */
/* Vector selection: the table, and helpers of its files. */
#include "translator/host/x86_64/select-vector.h"

static void op3(Emit *e, IrInsn *i, Vop op, IrRef a, IrRef b, int imm)
{
    Reg ra, d;
    Operand rb = operand_reg(REG_NONE);
    if (e->cpu->avx) {
        ra = ra_use(e->ra, a);
        rb = ra_use_rm(e->ra, b);
        d = ra_def_late(e->ra, i);
    } else {
        rb = ra_use_rm(e->ra, b);
        ra = d = ra_def_over(e->ra, i, a);
    }
    if (imm < 0)
        emit_vop3(e, op, d, ra, rb);
    else
        emit_vop3i(e, op, d, ra, rb, (unsigned)imm);
}

void vec_op3(Emit *e, IrInsn *i, Vop op, IrRef a, IrRef b) { op3(e, i, op, a, b, -1); }

void vec_op3i(Emit *e, IrInsn *i, Vop op, IrRef a, IrRef b, unsigned imm)
{
    op3(e, i, op, a, b, (int)imm);
}

void vec_op2(Emit *e, IrInsn *i, Vop op, IrRef a)
{
    Reg r = ra_use(e->ra, a), d = ra_def_late(e->ra, i);
    emit_vop2(e, op, d, operand_reg(r));
}

Mem vec_pool_dup64(Emit *e, uint64_t v) { return enc_pool128(e, v, v); }
Mem vec_pool_dup32(Emit *e, uint32_t v) { return vec_pool_dup64(e, v * 0x100000001ull); }
Mem vec_pool_dup16(Emit *e, uint16_t v) { return vec_pool_dup64(e, v * 0x1000100010001ull); }
Mem vec_pool_dup8(Emit *e, uint8_t v) { return vec_pool_dup64(e, v * 0x101010101010101ull); }

Mem vec_pool_dup(Emit *e, unsigned lane, uint64_t v)
{
    switch (lane) {
    case IR_LANE_I8: return vec_pool_dup8(e, (uint8_t)v);
    case IR_LANE_I16: case IR_LANE_F16: return vec_pool_dup16(e, (uint16_t)v);
    case IR_LANE_I32: case IR_LANE_F32: return vec_pool_dup32(e, (uint32_t)v);
    default: return vec_pool_dup64(e, v);
    }
}

void vec_blendv(Emit *e, unsigned lane_bytes, Reg dst, Reg f, Reg t, Reg mask)
{
    enc_vex(e, 0x66, 3, false, 0, lane_bytes == 8 ? 0x4b : 0x4a, dst, f, operand_reg(t), 1);
    emit8(e, (mask & 15) << 4);
}

/* Row n of the matrix, for result bit n, is byte 7 - n (Intel SDM, GF2P8AFFINEQB). */
uint64_t vec_bit_matrix(const uint8_t from[8])
{
    uint64_t m = 0;
    for (unsigned n = 0; n < 8; n++)
        if (from[n] < 8)
            m |= 1ull << from[n] << 8 * (7 - n);
    return m;
}

#define ROW(op, fn) { IR_##op, SEL_KEEPS_FLAGS, fn }
const SelectRow select_vector_rows[] = {
    ROW(vlow, sel_vlow), ROW(vfroms, sel_vfroms), ROW(vtos, sel_vtos), ROW(vget, sel_vget),
    ROW(vmask, sel_vmask),
    ROW(vset, sel_vset), ROW(vsetl, sel_vsetl), ROW(vdup, sel_vdup), ROW(vdupl, sel_vdupl),
    ROW(vadd, sel_vaddsub), ROW(vsub, sel_vaddsub), ROW(vmul, sel_vmul), ROW(vneg, sel_vneg),
    ROW(vabs, sel_vabs), ROW(vand, sel_vlogic), ROW(vor, sel_vlogic), ROW(vxor, sel_vlogic),
    ROW(vandn, sel_vlogic), ROW(vorn, sel_vorn), ROW(vnot, sel_vnot), ROW(vbsl, sel_vbsl),
    ROW(vshl, sel_vshift), ROW(vshru, sel_vshift), ROW(vshrs, sel_vshift), ROW(vshlv, sel_vshlv),
    ROW(vaddsat, sel_vaddsat), ROW(vsubsat, sel_vsubsat), ROW(vhadd, sel_vhadd),
    ROW(vhsub, sel_vhsub), ROW(vabd, sel_vabd), ROW(vmin, sel_vminmax), ROW(vmax, sel_vminmax),
    ROW(vcmpeq, sel_vcmpeq), ROW(vcmpgt, sel_vcmpgt), ROW(vcmpge, sel_vcmpge),
    ROW(vwiden, sel_vwiden), ROW(vnarrow, sel_vnarrow), ROW(vnarrowsat, sel_vnarrowsat),
    ROW(vmull, sel_vmull), ROW(vpmull, sel_vpmull), ROW(vpmul, sel_vpmul), ROW(vpaddl, sel_vpaddl),
    ROW(vqdmulh, sel_vqdmulh), ROW(vdot, sel_vdot),
    ROW(vzip1, sel_vzip), ROW(vzip2, sel_vzip), ROW(vuzp1, sel_vuzp), ROW(vuzp2, sel_vuzp),
    ROW(vtrn1, sel_vtrn), ROW(vtrn2, sel_vtrn), ROW(vext, sel_vext), ROW(vrev, sel_vrev),
    ROW(vtbl, sel_vtbl), ROW(vpopcnt, sel_vpopcnt), ROW(vclz, sel_vclz), ROW(vrbit, sel_vrbit),
    ROW(vsha1, sel_vsha1), ROW(vsha1su1, sel_vsha1su1), ROW(vsha256h, sel_vsha256h),
    ROW(vsha256h2, sel_vsha256h), ROW(vsha256su0, sel_vsha256su), ROW(vsha256su1, sel_vsha256su),
    ROW(vaese, sel_vaese), ROW(vaesd, sel_vaese), ROW(vaesmc, sel_vaesmc),
    ROW(vaesimc, sel_vaesimc),
    ROW(vfadd, sel_vfbinary), ROW(vfsub, sel_vfbinary), ROW(vfmul, sel_vfbinary),
    ROW(vfdiv, sel_vfbinary), ROW(vfsqrt, sel_vfsqrt), ROW(vfma, sel_vfma),
    ROW(vfabs, sel_vfabs_neg), ROW(vfneg, sel_vfabs_neg), ROW(vfmin, sel_vfminmax),
    ROW(vfmax, sel_vfminmax), ROW(vfminnm, sel_vfminmax), ROW(vfmaxnm, sel_vfminmax),
    ROW(vfcmpeq, sel_vfcmp), ROW(vfcmpgt, sel_vfcmp), ROW(vfcmpge, sel_vfcmp),
    ROW(vfround, sel_vfround), ROW(vf2i, sel_vf2i), ROW(vi2f, sel_vi2f),
    ROW(vfcvtl, sel_vfcvtl), ROW(vfcvtn, sel_vfcvtn),
    { 0, 0, NULL },
};
