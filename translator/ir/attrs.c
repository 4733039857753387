/* See attrs.h. */
#include "translator/ir/attrs.h"

#include <string.h>

IrAttrKind ir_attr_kind(IrOp op)
{
    switch (op) {
    case IR_load: case IR_store: case IR_armw: case IR_acas: case IR_condcas: case IR_prefetch:
        return IR_ATTR_MEM;
    case IR_ubfx: case IR_sbfx: case IR_bfi:
        return IR_ATTR_FIELD;
    case IR_fladd: case IR_flsub: case IR_flogic: case IR_fladc: case IR_flsbc: case IR_vfroms:
        return IR_ATTR_TYPE;
    case IR_crc32: case IR_crc32c: case IR_index: case IR_insn: case IR_trap: case IR_trap_if:
    case IR_scan: case IR_move:
        return IR_ATTR_NUMBER;
    case IR_fence:
        return IR_ATTR_FENCE;
    case IR_brc:
        return IR_ATTR_BRC;
    case IR_put:
        return IR_ATTR_FORM;
    default:
        break;
    }
    if (op >= IR_fadd && op <= IR_funbox)
        return IR_ATTR_FP;
    if (op >= IR_vfadd && op <= IR_vfcvtn)
        return IR_ATTR_FP;
    if (op >= IR_vlow && op <= IR_vaesimc)
        return IR_ATTR_VEC;
    return IR_ATTR_NONE;
}

IrCcKind ir_cc_kind(IrOp op)
{
    if (op == IR_cmp || op == IR_cond || op == IR_fcmp)
        return IR_CCK_COND;
    if (op == IR_armw)
        return IR_CCK_RMW;
    if (op >= IR_vlow && op <= IR_vfcvtn)
        return IR_CCK_LANE;
    return IR_CCK_NONE;
}

static const IrAttrName mem_names[] = {
    { IR_MEM_SIZE, 0, "m8" },          { IR_MEM_SIZE, 1, "m16" },
    { IR_MEM_SIZE, 2, "m32" },         { IR_MEM_SIZE, 3, "m64" },
    { IR_MEM_SIZE, 4, "m128" },        { IR_MEM_SIGNED, IR_MEM_SIGNED, "signed" },
    { IR_MEM_BE, IR_MEM_BE, "be" },    { IR_MEM_ALIGN, IR_MEM_ALIGN, "align" },
    { IR_MEM_SCALE, 1 << 6, "x2" },    { IR_MEM_SCALE, 2 << 6, "x4" },
    { IR_MEM_SCALE, 3 << 6, "x8" },    { IR_MEM_ACQUIRE, IR_MEM_ACQUIRE, "acq" },
    { IR_MEM_RELEASE, IR_MEM_RELEASE, "rel" },
    { IR_MEM_ATOMIC, IR_MEM_ATOMIC, "atomic" },
    { IR_MEM_MERGED, IR_MEM_MERGED, "merged" },
    { 0, 0, NULL },
};

#define BIT(flag, name) { flag, flag, name }
static const IrAttrName fp_names[] = {
    { IR_FP_ROUND, IR_ROUND_NEAREST, "rn" }, { IR_FP_ROUND, IR_ROUND_UP, "ru" },
    { IR_FP_ROUND, IR_ROUND_DOWN, "rd" },    { IR_FP_ROUND, IR_ROUND_ZERO, "rz" },
    { IR_FP_ROUND, IR_ROUND_AWAY, "ra" },    { IR_FP_ROUND, IR_ROUND_ODD, "ro" },
    { IR_FP_NAN, IR_FP_NAN_DEFAULT, "nandef" },
    BIT(IR_FP_NEG_PRODUCT, "negp"),   BIT(IR_FP_NEG_ADDEND, "nega"),
    BIT(IR_FP_EXACT, "exact"),        BIT(IR_FP_UNSIGNED, "unsigned"),
    BIT(IR_FP_SIGNALING, "sig"),      BIT(IR_FP_LOW64, "low64"),
    BIT(IR_FP_HIGH, "high"),          BIT(IR_FP_FLUSH, "flush"),
    BIT(IR_FP_NAN2INT_MAX, "nan2max"), BIT(IR_FP_MINMAX_RISCV, "rvminmax"),
    BIT(IR_FP_AHP, "ahp"),            BIT(IR_FP_TINY_AFTER, "tinyafter"),
    BIT(IR_FP_WRAP, "wrap"),
    BIT(IR_FP_SILENT, "silent"),      BIT(IR_FP_NAN_LOOSE, "loose"),
    BIT(IR_FP_BOXED, "boxed"),
    { 0, 0, NULL },
};
static const IrAttrName vec_names[] = {
    BIT(IR_V_SIGNED, "signed"), BIT(IR_V_ROUND, "round"), BIT(IR_V_SAT, "sat"),
    BIT(IR_V_HIGH, "high"), BIT(IR_V_SRESULT, "sresult"),
    { 0, 0, NULL },
};
static const IrAttrName brc_names[] = {
    BIT(IR_BRC_LIKELY_TRUE, "likely"), BIT(IR_BRC_LIKELY_FALSE, "unlikely"),
    BIT(IR_BRC_MIXED, "mixed"),
    { 0, 0, NULL },
};
static const IrAttrName form_names[] = {
    { 7, IR_FORM_SEXT, "sext" },   { 7, IR_FORM_ZEXT, "zext" }, { 7, IR_FORM_BOX, "box" },
    { 7, IR_FORM_CANON, "canon" }, { 7, IR_FORM_CANON_BOX, "canonbox" },
    { 0, 0, NULL },
};
static const IrAttrName fence_names[] = {
    BIT(IR_FENCE_RR, "rr"), BIT(IR_FENCE_RW, "rw"), BIT(IR_FENCE_WR, "wr"), BIT(IR_FENCE_WW, "ww"),
    { 0, 0, NULL },
};
#undef BIT

const IrAttrName *ir_attr_names(IrAttrKind kind)
{
    switch (kind) {
    case IR_ATTR_MEM:
        return mem_names;
    case IR_ATTR_FP:
        return fp_names;
    case IR_ATTR_VEC:
        return vec_names;
    case IR_ATTR_FENCE:
        return fence_names;
    case IR_ATTR_BRC:
        return brc_names;
    case IR_ATTR_FORM:
        return form_names;
    default:
        return NULL;
    }
}

typedef struct CcName { uint8_t kind, cc; const char *name; } CcName;
static const CcName cc_names[] = {
#define C(cc, name) { IR_CCK_COND, cc, name }
    C(IR_CC_EQ, "EQ"), C(IR_CC_NE, "NE"), C(IR_CC_CS, "CS"), C(IR_CC_CC, "CC"),
    C(IR_CC_MI, "MI"), C(IR_CC_PL, "PL"), C(IR_CC_VS, "VS"), C(IR_CC_VC, "VC"),
    C(IR_CC_HI, "HI"), C(IR_CC_LS, "LS"), C(IR_CC_GE, "GE"), C(IR_CC_LT, "LT"),
    C(IR_CC_GT, "GT"), C(IR_CC_LE, "LE"),
    C(IR_CMP_EQ, "eq"), C(IR_CMP_NE, "ne"), C(IR_CMP_ULT, "ult"), C(IR_CMP_UGE, "uge"),
    C(IR_CMP_ULE, "ule"), C(IR_CMP_UGT, "ugt"), C(IR_CMP_SLT, "slt"), C(IR_CMP_SGE, "sge"),
    C(IR_CMP_SLE, "sle"), C(IR_CMP_SGT, "sgt"),
    C(IR_FCMP_EQ, "feq"), C(IR_FCMP_LT, "flt"), C(IR_FCMP_LE, "fle"), C(IR_FCMP_UN, "fun"),
#undef C
#define L(lane, name) { IR_CCK_LANE, lane, name }
    L(IR_LANE_I8, "b"), L(IR_LANE_I16, "h"), L(IR_LANE_I32, "s"), L(IR_LANE_I64, "d"),
    L(IR_LANE_F16, "f16"), L(IR_LANE_F32, "f32"), L(IR_LANE_F64, "f64"),
#undef L
#define R(rmw, name) { IR_CCK_RMW, rmw, name }
    R(IR_RMW_XCHG, "xchg"), R(IR_RMW_ADD, "add"), R(IR_RMW_AND, "and"), R(IR_RMW_ANDN, "andn"),
    R(IR_RMW_OR, "or"), R(IR_RMW_XOR, "xor"), R(IR_RMW_SMAX, "smax"), R(IR_RMW_SMIN, "smin"),
    R(IR_RMW_UMAX, "umax"), R(IR_RMW_UMIN, "umin"),
#undef R
};

const char *ir_cc_name(IrCcKind kind, unsigned cc)
{
    for (size_t i = 0; i < sizeof cc_names / sizeof *cc_names; i++)
        if (cc_names[i].kind == kind && cc_names[i].cc == cc)
            return cc_names[i].name;
    return NULL;
}

int ir_cc_value(IrCcKind kind, const char *name)
{
    for (size_t i = 0; i < sizeof cc_names / sizeof *cc_names; i++)
        if (cc_names[i].kind == kind && !strcmp(cc_names[i].name, name))
            return cc_names[i].cc;
    return -1;
}

bool ir_op_has_imm(IrOp op)
{
    switch (op) {
    case IR_const: case IR_codeaddr: case IR_insn: case IR_param: case IR_extr: case IR_load:
    case IR_index: case IR_store: case IR_prefetch: case IR_armw: case IR_acas:
    case IR_condcas: case IR_move: case IR_call:
    case IR_f2i: case IR_i2f: case IR_vtos: case IR_vget: case IR_vset: case IR_vsetl:
    case IR_vdupl: case IR_vshl: case IR_vshru: case IR_vshrs: case IR_vext: case IR_vrev:
    case IR_vf2i: case IR_vi2f: case IR_br: case IR_brc: case IR_poll: case IR_exit_if:
    case IR_trap_if: case IR_exit_jump: case IR_exit_call: case IR_gcall: case IR_trap:
        return true;
    default:
        return false;
    }
}
