/* Every floating-point and vector operation with its lane types and attributes. */
#include "tests/x86_64/ops-test.h"

static OpCaseFn *call; /* a test program: one thread */
static void *data;

static void emit(OpCase c) { call(&c, data); }

#define N(a) (sizeof(a) / sizeof *(a))
static const IrType float_types[] = { IR_F32, IR_F64 };
static const uint32_t nan_attrs[] = { IR_FP_NAN_ARM, IR_FP_NAN_DEFAULT | IR_FP_TINY_AFTER,
                                      IR_FP_NAN_ARM | IR_FP_FLUSH };

static IrLane lane_of(IrType t) { return t == IR_F32 ? IR_LANE_F32 : IR_LANE_F64; }

static void scalar_arith(void)
{
    static const IrOp two[] = { IR_fadd, IR_fsub, IR_fmul, IR_fdiv, IR_fmin, IR_fmax, IR_fminnm,
                                IR_fmaxnm };
    for (unsigned t = 0; t < 2; t++) {
        IrType f = float_types[t];
        IrLane l = lane_of(f);
        for (unsigned n = 0; n < N(nan_attrs); n++) {
            uint32_t a = nan_attrs[n];
            for (unsigned o = 0; o < N(two); o++)
                emit((OpCase) { two[o], f, { f, f }, 0, a, 0, l });
            emit((OpCase) { IR_fsqrt, f, { f }, 0, a, 0, l });
            for (unsigned neg = 0; neg < 4; neg++)
                emit((OpCase) { IR_fma, f, { f, f, f }, 0, a | neg * IR_FP_NEG_PRODUCT, 0, l });
            for (unsigned r = 0; r <= IR_ROUND_ODD - 1; r++)
                for (unsigned x = 0; x < 2; x++)
                    emit((OpCase) { IR_fround, f, { f }, 0, a | r | x * IR_FP_EXACT, 0, l });
            for (unsigned cc = IR_FCMP_EQ; cc <= IR_FCMP_UN; cc++)
                for (unsigned s = 0; s < 2; s++)
                    emit((OpCase) { IR_fcmp, IR_I1, { f, f }, cc, a | s * IR_FP_SIGNALING, 0, l });
            for (unsigned s = 0; s < 2; s++)
                emit((OpCase) { IR_flfcmp, IR_FLAGS, { f, f }, 0, a | s * IR_FP_SIGNALING, 0, l });
        }
        emit((OpCase) { IR_fminnm, f, { f, f }, 0, IR_FP_NAN_DEFAULT | IR_FP_MINMAX_RISCV, 0, l });
        emit((OpCase) { IR_fmaxnm, f, { f, f }, 0, IR_FP_NAN_DEFAULT | IR_FP_MINMAX_RISCV, 0, l });
        emit((OpCase) { IR_fabs, f, { f }, 0, 0, 0, l });
        emit((OpCase) { IR_fneg, f, { f }, 0, 0, 0, l });
        emit((OpCase) { IR_fadd, f, { f, f }, 0, IR_ROUND_ZERO, 0, l });
        emit((OpCase) { IR_f2bits, t ? IR_I64 : IR_I32, { f }, 0, 0, 0, l });
        emit((OpCase) { IR_bits2f, f, { t ? IR_I64 : IR_I32 }, 0, 0, 0, l });
    }
    emit((OpCase) { IR_fbox, IR_F64, { IR_F32 }, 0, 0, 0, IR_LANE_F32 });
    emit((OpCase) { IR_funbox, IR_F32, { IR_F64 }, 0, 0, 0, IR_LANE_F32 });
}

static void scalar_convert(void)
{
    for (unsigned n = 0; n < N(nan_attrs); n++) {
        uint32_t a = nan_attrs[n];
        emit((OpCase) { IR_fcvt, IR_F64, { IR_F32 }, 0, a, 0, IR_LANE_F32 });
        emit((OpCase) { IR_fcvt, IR_F32, { IR_F64 }, 0, a, 0, IR_LANE_F64 });
        emit((OpCase) { IR_fcvt, IR_F32, { IR_F64 }, 0, a | IR_ROUND_ODD, 0, IR_LANE_F64 });
        for (unsigned t = 0; t < 2; t++) {
            IrType f = float_types[t];
            emit((OpCase) { IR_h2f, f, { IR_I32 }, 0, a, 0, IR_LANE_F16 });
            emit((OpCase) { IR_f2h, IR_I32, { f }, 0, a, 0, lane_of(f) });
            emit((OpCase) { IR_h2f, f, { IR_I32 }, 0, a | IR_FP_AHP, 0, IR_LANE_F16 });
            emit((OpCase) { IR_f2h, IR_I32, { f }, 0, a | IR_FP_AHP, 0, lane_of(f) });
        }
    }
    emit((OpCase) { IR_f2i, IR_I32, { IR_F64 }, 0, IR_ROUND_ZERO | IR_FP_WRAP, 0, IR_LANE_F64 });
    emit((OpCase) { IR_f2i, IR_I32, { IR_F64 }, 0, IR_ROUND_ZERO | IR_FP_WRAP | IR_FP_FLUSH, 0,
                    IR_LANE_F64 });
    static const int8_t fractions[] = { 0, 1, 13, 32, 64 };
    for (unsigned t = 0; t < 2; t++)
        for (unsigned w = 0; w < 2; w++)
            for (unsigned u = 0; u < 2; u++)
                for (unsigned k = 0; k < N(fractions); k++) {
                    IrType f = float_types[t], i = w ? IR_I64 : IR_I32;
                    if (!w && fractions[k] > 32)
                        continue;
                    uint32_t a = u * IR_FP_UNSIGNED;
                    for (unsigned r = 0; r < IR_ROUND_ODD; r++) {
                        emit((OpCase) { IR_i2f, f, { i }, 0, a | r, fractions[k], IR_LANE_I8 });
                        emit((OpCase) { IR_f2i, i, { f }, 0, a | r, fractions[k], lane_of(f) });
                        emit((OpCase) { IR_f2i, i, { f }, 0, a | r | IR_FP_FLUSH, fractions[k],
                                        lane_of(f) });
                        if (!fractions[k])
                            emit((OpCase) { IR_f2i, i, { f }, 0, a | r | IR_FP_NAN2INT_MAX, 0,
                                            lane_of(f) });
                    }
                }
}

static void vector_integer(void)
{
    const IrType v = IR_V128;
    static const struct { uint16_t op; uint8_t args, lanes; uint8_t attrs; } ops[] = {
        /* lanes: bits of IrLane; attrs: bits that may be set, all combinations tried */
        { IR_vlow, 1, 1, 0 }, { IR_vand, 2, 1, 0 }, { IR_vor, 2, 1, 0 }, { IR_vxor, 2, 1, 0 },
        { IR_vandn, 2, 1, 0 }, { IR_vorn, 2, 1, 0 }, { IR_vnot, 1, 1, 0 }, { IR_vbsl, 3, 1, 0 },
        { IR_vadd, 2, 15, 0 }, { IR_vsub, 2, 15, 0 }, { IR_vmul, 2, 15, 0 }, { IR_vneg, 1, 15, 0 },
        { IR_vabs, 1, 15, 0 }, { IR_vshlv, 2, 15, 7 }, { IR_vaddsat, 2, 15, 1 },
        { IR_vsubsat, 2, 15, 1 }, { IR_vhadd, 2, 7, 3 }, { IR_vhsub, 2, 7, 1 },
        { IR_vabd, 2, 7, 1 }, { IR_vmin, 2, 15, 1 }, { IR_vmax, 2, 15, 1 },
        { IR_vcmpeq, 2, 15, 0 }, { IR_vcmpgt, 2, 15, 1 }, { IR_vcmpge, 2, 15, 1 },
        { IR_vwiden, 1, 7, 9 }, { IR_vnarrow, 1, 14, 0 }, { IR_vnarrowsat, 1, 14, 17 },
        { IR_vmull, 2, 7, 9 }, { IR_vpmull, 2, 9, 8 }, { IR_vpmul, 2, 1, 0 },
        { IR_vpaddl, 1, 7, 1 }, { IR_vqdmulh, 2, 6, 2 }, { IR_vdot, 3, 1, 17 },
        { IR_vzip1, 2, 15, 0 }, { IR_vzip2, 2, 15, 0 }, { IR_vuzp1, 2, 15, 0 },
        { IR_vuzp2, 2, 15, 0 }, { IR_vtrn1, 2, 15, 0 }, { IR_vtrn2, 2, 15, 0 },
        { IR_vtbl, 2, 1, 0 }, { IR_vpopcnt, 1, 1, 0 }, { IR_vclz, 1, 7, 0 }, { IR_vrbit, 1, 1, 0 },
        { IR_vaese, 2, 1, 0 }, { IR_vaesd, 2, 1, 0 }, { IR_vaesmc, 1, 1, 0 },
        { IR_vaesimc, 1, 1, 0 }, { IR_vsha1su1, 2, 1, 0 }, { IR_vsha256h, 3, 1, 0 },
        { IR_vsha256h2, 3, 1, 0 }, { IR_vsha256su0, 2, 1, 0 }, { IR_vsha256su1, 3, 1, 0 },
    };
    for (unsigned o = 0; o < N(ops); o++)
        for (unsigned l = 0; l < 4; l++)
            for (unsigned a = 0; a < 32; a++) {
                if (!(ops[o].lanes >> l & 1) || a & ~(unsigned)ops[o].attrs)
                    continue;
                OpCase c = { ops[o].op, v, { v, ops[o].args > 1 ? v : IR_VOID,
                                             ops[o].args > 2 ? v : IR_VOID }, l, a, 0, IR_LANE_I8 };
                emit(c);
            }
}

static void vector_immediate(void)
{
    const IrType v = IR_V128;
    for (unsigned n = 0; n < 3; n++)
        emit((OpCase) { IR_vsha1, v, { v, v, v }, 0, 0, n, IR_LANE_I8 });
    for (unsigned l = 0; l < 4; l++) {
        unsigned bits = 8u << l, lanes = 128 / bits;
        static const IrOp shifts[] = { IR_vshl, IR_vshru, IR_vshrs };
        for (unsigned o = 0; o < 3; o++)
            for (unsigned n = 0; n <= bits; n++)
                emit((OpCase) { shifts[o], v, { v }, l, 0, n, IR_LANE_I8 });
        for (unsigned n = 0; n < lanes; n++) {
            emit((OpCase) { IR_vdupl, v, { v }, l, 0, n, IR_LANE_I8 });
            emit((OpCase) { IR_vset, v, { v, l == 3 ? IR_I64 : IR_I32 }, l, 0, n, IR_LANE_I8 });
            for (unsigned k = 0; k < lanes; k++)
                emit((OpCase) { IR_vsetl, v, { v, v }, l, 0, n | k << 8, IR_LANE_I8 });
            for (unsigned s = 0; s < 2; s++)
                for (unsigned w = 0; w < 2; w++)
                    if (l < 3 || w)
                        emit((OpCase) { IR_vget, w ? IR_I64 : IR_I32, { v }, l, s * IR_V_SIGNED, n,
                                        IR_LANE_I8 });
        }
        emit((OpCase) { IR_vdup, v, { l == 3 ? IR_I64 : IR_I32 }, l, 0, 0, IR_LANE_I8 });
        for (unsigned box = 2 * bits; box <= 64; box *= 2)
            emit((OpCase) { IR_vrev, v, { v }, l, 0, box, IR_LANE_I8 });
    }
    for (unsigned n = 0; n < 16; n++)
        emit((OpCase) { IR_vext, v, { v, v }, 0, 0, n, IR_LANE_I8 });
    for (unsigned t = 0; t < 2; t++) {
        IrType f = float_types[t];
        for (unsigned n = 0; n < (t ? 2u : 4u); n++) {
            emit((OpCase) { IR_vtos, f, { v }, lane_of(f), 0, n, IR_LANE_I8 });
            emit((OpCase) { IR_vset, v, { v, f }, lane_of(f), 0, n, IR_LANE_I8 });
        }
        emit((OpCase) { IR_vfroms, v, { f }, 0, 0, 0, IR_LANE_I8 });
        emit((OpCase) { IR_vfroms, v, { t ? IR_I64 : IR_I32 }, 0, 0, 0, IR_LANE_I8 });
        emit((OpCase) { IR_vdup, v, { f }, lane_of(f), 0, 0, IR_LANE_I8 });
    }
}

static void vector_float(void)
{
    const IrType v = IR_V128;
    static const IrOp two[] = { IR_vfadd, IR_vfsub, IR_vfmul, IR_vfdiv, IR_vfmin, IR_vfmax,
                                IR_vfminnm, IR_vfmaxnm, IR_vfcmpeq, IR_vfcmpgt, IR_vfcmpge };
    static const uint32_t attrs[] = {0, IR_FP_LOW64, IR_FP_NAN_DEFAULT, IR_FP_LOW64 | IR_FP_FLUSH};
    for (unsigned n = 0; n < N(attrs); n++)
        for (unsigned l = IR_LANE_F32; l <= IR_LANE_F64; l++) {
            uint32_t a = attrs[n];
            for (unsigned o = 0; o < N(two); o++)
                emit((OpCase) { two[o], v, { v, v }, l, a, 0, l });
            emit((OpCase) { IR_vfsqrt, v, { v }, l, a, 0, l });
            for (unsigned neg = 0; neg < 4; neg++)
                emit((OpCase) { IR_vfma, v, { v, v, v }, l, a | neg * IR_FP_NEG_PRODUCT, 0, l });
            emit((OpCase) { IR_vfabs, v, { v }, l, a & IR_FP_LOW64, 0, l });
            emit((OpCase) { IR_vfneg, v, { v }, l, a & IR_FP_LOW64, 0, l });
            for (unsigned r = 0; r < IR_ROUND_ODD; r++)
                for (unsigned k = 0; k < 2; k++) {
                    emit((OpCase) { IR_vfround, v, { v }, l, a | r | k * IR_FP_EXACT, 0, l });
                    emit((OpCase) { IR_vf2i, v, { v }, l, a | r | k * IR_FP_UNSIGNED, 0, l });
                    emit((OpCase) { IR_vf2i, v, { v }, l, a | r | k * IR_FP_UNSIGNED, 7, l });
                }
            for (unsigned k = 0; k < 2; k++) {
                emit((OpCase) { IR_vi2f, v, { v }, l, a | k * IR_FP_UNSIGNED, 0, IR_LANE_I8 });
                emit((OpCase) { IR_vi2f, v, { v }, l, a | k * IR_FP_UNSIGNED, 9, IR_LANE_I8 });
            }
            a &= ~(uint32_t)IR_FP_LOW64;
            emit((OpCase) { IR_vfcvtn, v, { v }, l, a, 0, l });
            for (unsigned h = 0; h < 2; h++) {
                IrLane from = l == IR_LANE_F64 ? IR_LANE_F32 : IR_LANE_F16;
                emit((OpCase) { IR_vfcvtl, v, { v }, from, a | h * IR_FP_HIGH, 0, from });
            }
        }
}

void ops_cases(OpCaseFn *fn, void *opaque)
{
    call = fn;
    data = opaque;
    scalar_arith();
    scalar_convert();
    vector_integer();
    vector_immediate();
    vector_float();
}
