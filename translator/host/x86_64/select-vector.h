/* data plane */
/* What the files of vector selection share. Each has a table of its own; select-vector.c joins them
 * into select_vector_rows. */
#ifndef TRANSLATOR_HOST_X86_64_SELECT_VECTOR_H
#define TRANSLATOR_HOST_X86_64_SELECT_VECTOR_H

#include "translator/host/x86_64/select-float.h"

/* The result of i is op(a, b). */
void vec_op3(Emit *e, IrInsn *i, Vop op, IrRef a, IrRef b);
void vec_op3i(Emit *e, IrInsn *i, Vop op, IrRef a, IrRef b, unsigned imm);
/* The result of i is op(a), an instruction with one source. */
void vec_op2(Emit *e, IrInsn *i, Vop op, IrRef a);
/* Constants: every lane the same. */
Mem vec_pool_dup8(Emit *e, uint8_t v);
Mem vec_pool_dup16(Emit *e, uint16_t v);
Mem vec_pool_dup32(Emit *e, uint32_t v);
Mem vec_pool_dup64(Emit *e, uint64_t v);
Mem vec_pool_dup(Emit *e, unsigned lane, uint64_t v);
static inline void vec_mem(Emit *e, Vop op, Reg dst, Reg a, Mem m)
{ emit_vop3(e, op, dst, a, operand_mem(m)); }
/* dst = mask's top bit of each lane (4 or 8 bytes) ? t : f. AVX. */
void vec_blendv(Emit *e, unsigned lane_bytes, Reg dst, Reg f, Reg t, Reg mask);
/* An 8 by 8 bit matrix for GF2P8AFFINEQB: result bit n is source bit from[n] (8: 0). */
uint64_t vec_bit_matrix(const uint8_t from[8]);
/* The fused second half of a pair; see vaese. */
#define VEC_FUSED (1u << 29)

SelectFn sel_vlogic, sel_vnot, sel_vorn, sel_vbsl, sel_vaddsub, sel_vmul, sel_vneg, sel_vabs,
    sel_vaddsat, sel_vsubsat, sel_vhadd, sel_vhsub, sel_vabd, sel_vminmax, sel_vcmpeq, sel_vcmpgt,
    sel_vcmpge;
SelectFn sel_vshift, sel_vshlv;
SelectFn sel_vwiden, sel_vnarrow, sel_vnarrowsat, sel_vmull, sel_vpmull, sel_vpmul, sel_vpaddl,
    sel_vqdmulh, sel_vdot;
SelectFn sel_vlow, sel_vfroms, sel_vtos, sel_vget, sel_vmask, sel_vset, sel_vsetl, sel_vdup,
    sel_vdupl, sel_vzip, sel_vuzp, sel_vtrn, sel_vext, sel_vrev, sel_vtbl, sel_vpopcnt, sel_vclz,
    sel_vrbit;
SelectFn sel_vaese, sel_vaesmc, sel_vaesimc;
SelectFn sel_vsha1, sel_vsha1su1, sel_vsha256h, sel_vsha256su;
SelectFn sel_vfbinary, sel_vfsqrt, sel_vfma, sel_vfabs_neg, sel_vfminmax, sel_vfcmp, sel_vfround,
    sel_vf2i, sel_vi2f, sel_vfcvtl, sel_vfcvtn;

#endif
