/*
 * Common to the lifters of floating point and Advanced SIMD.
 *
 * Shape: what part of a vector register an instruction works on. Lifters take the scalar and the
 * vector form as one row of the .decode files (bit 28), so the same few lines serve both: integer
 * operations run on the whole register and v_put() keeps what the shape covers; floating-point
 * operations, which must not touch lanes outside (sticky flags), go through f_op().
 */
#ifndef TRANSLATOR_GUEST_AARCH64_SIMD_H
#define TRANSLATOR_GUEST_AARCH64_SIMD_H

#include "translator/guest/aarch64/translate.h"

/* Attributes with names of one word, as .decode rows want them. */
enum {
    V_U = 0, V_S = IR_V_SIGNED, V_UR = IR_V_ROUND, V_SR = IR_V_SIGNED | IR_V_ROUND,
    V_SS = IR_V_SIGNED | IR_V_SRESULT, V_SU = IR_V_SIGNED, V_SSR = V_SS | IR_V_ROUND,
    A64_DOT_SS = IR_V_SIGNED | IR_V_SRESULT,
    A64_FROUND_EXACT = IR_ROUND_DYN | IR_FP_EXACT,
    A64_FMA_NEG_BOTH = IR_FP_NEG_PRODUCT | IR_FP_NEG_ADDEND,
    A64_F2U_NEAREST = IR_ROUND_NEAREST | IR_FP_UNSIGNED, A64_F2U_UP = IR_ROUND_UP | IR_FP_UNSIGNED,
    A64_F2U_DOWN = IR_ROUND_DOWN | IR_FP_UNSIGNED, A64_F2U_ZERO = IR_ROUND_ZERO | IR_FP_UNSIGNED,
    A64_F2U_AWAY = IR_ROUND_AWAY | IR_FP_UNSIGNED,
};

typedef struct Shape {
    uint8_t esize; /* log2 of a lane's bytes, 0 … 3 */
    uint8_t bytes; /* log2 of what is covered: esize for a scalar, 3 or 4 for a vector */
} Shape;

static inline bool shape_scalar(Shape s) { return s.esize == s.bytes; }
static inline unsigned shape_bits(Shape s) { return 8u << s.esize; }
static inline Shape shape_wide(Shape s) /* the double-width shape of a widening instruction */
{ return (Shape){ s.esize + 1, shape_scalar(s) ? s.bytes + 1 : 4 }; }
static inline IrLane shape_ilane(Shape s) { return (IrLane)(IR_LANE_I8 + s.esize); }
static inline IrLane shape_flane(Shape s) { return (IrLane)(IR_LANE_F16 + s.esize - 1); }

/* `sizes`: see simd-three-same.decode. False: there is no such form. A vector of one doubleword
 * isn't one (q = 0, size = 3) except as a scalar. */
bool v_shape(Shape *ret_shape, bool s, bool q, unsigned size, unsigned sizes);
/* The same for instructions that widen or narrow: size is the narrow lane; q tells the half, not
 * the length, so any q goes. */
bool v_shape_half(Shape *ret_shape, bool s, bool q, unsigned size, unsigned sizes);
/* Floating point: esize 1, 2, 3. */
bool f_shape(Shape *ret_shape, bool s, bool q, unsigned esize);

/* -- vectors ----------------------------------------------------------------------------------- */
static inline IrRef v_op2(LiftContext *ctx, IrOp op, IrLane lane, unsigned attr, IrRef x, IrRef y)
{ return ir_vop2(&ctx->b, op, lane, attr, x, y); }
static inline IrRef v_op1(LiftContext *ctx, IrOp op, IrLane lane, unsigned attr, IrRef x,
                          int64_t imm)
{ return ir_vop1(&ctx->b, op, lane, attr, x, imm); }
static inline IrRef v_zero(LiftContext *ctx) { return ir_vconst(&ctx->b, 0, 0); }
static inline IrRef v_bsl(LiftContext *ctx, IrRef mask, IrRef x, IrRef y)
{ return ir_emit(&ctx->b, IR_vbsl, IR_V128, 0, 0, mask, x, y, 0, 0); }
/* Bytes n … n + 15 of high:low. */
static inline IrRef v_ext(LiftContext *ctx, IrRef low, IrRef high, unsigned n)
{ return ir_emit(&ctx->b, IR_vext, IR_V128, IR_LANE_I8, 0, low, high, 0, 0, n); }
/* The hashes' functions of three words: x ? y : z bit by bit, and what most have. */
static inline IrRef hash_choose(IrBuilder *b, IrRef x, IrRef y, IrRef z)
{ return ir_op2(b, IR_xor, ir_op2(b, IR_and, ir_op2(b, IR_xor, y, z), x), z); }
static inline IrRef hash_majority(IrBuilder *b, IrRef x, IrRef y, IrRef z)
{ return ir_op2(b, IR_or, ir_op2(b, IR_and, x, ir_op2(b, IR_or, y, z)), ir_op2(b, IR_and, y, z)); }
/* A constant in every lane. */
IrRef v_const(LiftContext *ctx, unsigned esize, uint64_t lane);
/* What the shape covers; the rest 0. */
IrRef v_clip(LiftContext *ctx, Shape s, IrRef v);
static inline void v_put(LiftContext *ctx, Shape s, unsigned rd, IrRef v)
{ a64_put_v(ctx, rd, v_clip(ctx, s, v)); }
/* A result of 64 bits into the half that q tells: the upper one keeps the lower as it is. */
void v_put_half(LiftContext *ctx, bool q, unsigned rd, IrRef low64);
/* The source half of a widening instruction, or the scalar, as attr for vwiden, vmull. */
static inline unsigned v_high(bool s, bool q) { return q && !s ? IR_V_HIGH : 0; }
/* FPSR.QC is set if any lane of `differs` within the shape is not zero. */
void v_sticky(LiftContext *ctx, Shape s, IrRef differs);
/* Adjacent pairs of n:m as two vectors of the shape:
 * *ret_even op *ret_odd is the pairwise result. */
void v_pairs(LiftContext *ctx, Shape s, IrRef n, IrRef m, IrRef *ret_even, IrRef *ret_odd);
/* x >> n in each lane, 1 <= n <= lane width; attr IR_V_SIGNED, IR_V_ROUND. */
IrRef v_shift_right(LiftContext *ctx, IrLane lane, unsigned attr, IrRef x, unsigned n);

/* -- floating point ---------------------------------------------------------------------------- */
/* What FPCR adds to the attributes of an operation on lanes of esize. */
unsigned f_attr(const LiftContext *ctx, unsigned esize);
/* fadd fsub fmul fdiv fsqrt fma fabs fneg fmin fmax fminnm fmaxnm fround on v128 values, by the
 * shape; what lies outside is 0 in the result. y, z may be IR_NONE. */
IrRef f_op(LiftContext *ctx, Shape s, IrOp op, unsigned attr, IrRef x, IrRef y, IrRef z);
/* vfcmpeq vfcmpgt vfcmpge: all ones or zero. */
IrRef f_compare(LiftContext *ctx, Shape s, IrOp op, IrRef x, IrRef y);
/* f2i, i2f between lanes of the same size. */
IrRef f_convert(LiftContext *ctx, Shape s, IrOp op, unsigned attr, IrRef x, unsigned fbits);
/* A function of helper-float.c on each lane: kind A64_STEP_…, A64_EST_…. */
IrRef f_helper(LiftContext *ctx, unsigned helper, Shape s, unsigned kind, IrRef x, IrRef y);

/* Half precision on scalars: IR_fadd … as in fpref_half(). */
IrRef f_half(LiftContext *ctx, IrOp op, IrType type, unsigned cc, unsigned attr, IrRef x, IrRef y,
             IrRef z);

/* What `desc` of the helpers holds. */
enum {
    A64_DESC_OP_SHIFT = 0, A64_DESC_CC_SHIFT = 8, A64_DESC_BYTES_SHIFT = 14,
    A64_DESC_ATTR_SHIFT = 16,
    /* f_helper's: kind in bits 0 to 7, esize 8 to 9, bytes 10 to 12, attr from 16 */
    A64_DESC_ESIZE_SHIFT = 8, A64_DESC_LEN_SHIFT = 10,
};
enum { A64_STEP_MULX, A64_STEP_RECPS, A64_STEP_RSQRTS };
enum {
    A64_EST_RECPE, A64_EST_RSQRTE, A64_EST_RECPX, A64_EST_URECPE, A64_EST_URSQRTE,
    A64_EST_RINT32Z, A64_EST_RINT32X, A64_EST_RINT64Z, A64_EST_RINT64X,
};

/* -- shared between groups --------------------------------------------------------------------- */
IrRef v_qdmulh(LiftContext *ctx, Shape s, unsigned attr, IrRef n, IrRef m);
/* sat(2 * n * m) in double width, of the half that `high` tells. */
IrRef v_qdmull(LiftContext *ctx, Shape s, unsigned high, IrRef n, IrRef m);
/* sat(acc op product): op vaddsat or vsubsat, plain vadd or vsub. */
IrRef v_qdmla(LiftContext *ctx, Shape wide, IrOp op, IrOp plain, IrRef acc, IrRef product);
IrRef v_rdmla(LiftContext *ctx, Shape s, bool sub, IrRef acc, IrRef n, IrRef m);
IrRef f_complex_mla(LiftContext *ctx, Shape s, unsigned rot, IrRef acc, IrRef n, IrRef m);
/* FMLAL; m already has the wanted lanes where n has them. */
IrRef f_mlal(LiftContext *ctx, bool q, bool neg, bool high, IrRef acc, IrRef n, IrRef m);
enum { A64_BF_DOT, A64_BF_MLALB, A64_BF_MLALT, A64_BF_MMLA };
void bf_op(LiftContext *ctx, bool q, unsigned kind, unsigned rd, IrRef n, IrRef m);

/* VFPExpandImm for lanes of 2, 4 or 8 bytes (esize 1 2 3). */
uint64_t a64_fp_expand_imm(unsigned imm8, unsigned esize);

/* %fsz of the .decode files: bit 22 to log2 of the lane's bytes. */
static inline int a64_fp_esize(LiftContext *ctx, int sz) { return 2 + sz; }

#endif
