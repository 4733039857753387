/* See gen.h. */
#include "tests/ir-fuzz/gen.h"
#include "tests/ir-fuzz/values.h"

#include <stdlib.h>
#include <string.h>

#include "tests/ir-fuzz/gen-bytes.h"
#include "tests/ir-fuzz/gen-crowd.h"
#include "tests/ir-fuzz/gen-strings.h"
#include "translator/runtime/vcpu.h"

GenConfig gen_config = { 1, ~0u, GEN_ALL, false };

/* A program plays one of these guests' parts in floating point. */
typedef struct Profile { unsigned attr; bool riscv; } Profile;
static Profile profile_of(uint64_t seed)
{
    unsigned tiny = gen_config.tiny_after ? IR_FP_TINY_AFTER : 0;
    switch (seed % 4) {
    case 0: return (Profile){ IR_FP_NAN_ARM | tiny, false };
    case 1: return (Profile){ IR_FP_NAN_DEFAULT | tiny, false };
    case 2: return (Profile){ IR_FP_NAN_ARM | IR_FP_FLUSH | tiny, false }; /* to F16, unflushed */
    default: return (Profile){ IR_FP_NAN_DEFAULT | IR_FP_TINY_AFTER, true };
    }
}

uint32_t gen_fp_control(uint64_t seed)
{
    uint64_t s = seed ^ 0x5555;
    Profile p = profile_of(seed);
    unsigned modes = p.riscv ? 5 : 4; /* RISC-V has "to nearest, ties away" */
    return (uint32_t)(1 + next(&s) % modes) | (p.attr & IR_FP_FLUSH ? IR_FPC_FLUSH : 0);
}

GuestAddr gen_pc(uint64_t number)
{
    return 0x10000 + number % 4096 * (GEN_INSNS * 4 + 64);
}

/* -- lifting ----------------------------------------------------------------------------------- */
enum { POOL = 16 };
typedef struct Gen {
    LiftContext *ctx;
    IrBuilder *b;
    const IrUnit *unit;
    uint64_t s;
    Profile profile;
    IrRef pool[IR_N_TYPES][POOL];
    unsigned n_pool[IR_N_TYPES];
} Gen;
static Gen gen; /* of the unit being lifted: under the translation lock */

static unsigned pick(unsigned n) { return (unsigned)(next(&gen.s) % n); }
static bool chance(unsigned of) { return pick(of) == 0; }

static void keep(IrRef r)
{
    IrType t = ir_type(gen.b, r);
    gen.pool[t][gen.n_pool[t]++ % POOL] = r;
}

static IrRef emit(IrOp op, IrType t, unsigned cc, unsigned attr, IrRef a, IrRef b, IrRef c, IrRef d,
                  int64_t imm)
{
    IrRef r = ir_emit(gen.b, op, t, cc, attr, a, b, c, d, imm);
    if (t != IR_VOID && op != IR_store && op != IR_put)
        keep(r);
    return r;
}

static IrRef constant(IrType t)
{
    V128 v;
    switch (t) {
    case IR_F32: return ir_const(gen.b, t, float_bits(&gen.s, 32));
    case IR_F64: return ir_const(gen.b, t, float_bits(&gen.s, 64));
    case IR_V128:
        v = vec_value(&gen.s);
        return ir_vconst(gen.b, v.lo, v.hi);
    default: return ir_const(gen.b, t, int_value(&gen.s));
    }
}

static unsigned int_var(void) { return chance(2) ? VAR_R + pick(8) : VAR_M + pick(12); }

static IrRef variable(IrType t)
{
    switch (t) {
    case IR_I64: return ir_get(gen.b, int_var());
    case IR_I32: return ir_get(gen.b, VAR_W + pick(4));
    case IR_F64: return ir_get(gen.b, VAR_D + pick(4));
    case IR_F32: return ir_get(gen.b, VAR_S + pick(4));
    case IR_V128: return ir_get(gen.b, VAR_V + pick(6));
    default: return ir_get(gen.b, VAR_F + pick(2));
    }
}

static IrRef any(IrType t);

/* Are values of the type wanted? Without the classes that compute on it there are none at all. */
static bool wanted(IrType t)
{
    if (t == IR_F32 || t == IR_F64)
        return gen_config.classes & GEN_FP;
    return t != IR_V128 || (gen_config.classes & (GEN_VEC | GEN_VFP));
}

/* A value of a type: one that is there, a variable, a constant. */
static IrRef any(IrType t)
{
    unsigned have = gen.n_pool[t] < POOL ? gen.n_pool[t] : POOL;
    if (have && !chance(3))
        return gen.pool[t][pick(have)];
    if (t == IR_I1)
        return ir_cmp(gen.b, IR_CMP_EQ + pick(10), any(IR_I64), any(IR_I64));
    if (t == IR_I128)
        return ir_emit(gen.b, IR_pack128, t, 0, 0, any(IR_I64), any(IR_I64), 0, 0, 0);
    return t != IR_FLAGS && chance(3) ? constant(t) : variable(t);
}

static void put(IrRef r)
{
    switch (ir_type(gen.b, r)) {
    case IR_I64: ir_put(gen.b, int_var(), r); break;
    case IR_I32: ir_put(gen.b, VAR_W + pick(4), r); break;
    case IR_F64: ir_put(gen.b, VAR_D + pick(4), r); break;
    case IR_F32: ir_put(gen.b, VAR_S + pick(4), r); break;
    case IR_V128: ir_put(gen.b, VAR_V + pick(6), r); break;
    case IR_FLAGS: ir_put(gen.b, VAR_F + pick(2), r); break;
    case IR_I1: ir_put(gen.b, VAR_W + pick(4), ir_op1(gen.b, IR_b2i, IR_I32, r)); break;
    case IR_I128: ir_put(gen.b, VAR_R + pick(8), ir_op1(gen.b, IR_hi128, IR_I64, r)); break;
    default: break;
    }
}

static IrType word(void) { return chance(2) ? IR_I32 : IR_I64; }
static IrType real(void) { return chance(2) ? IR_F32 : IR_F64; }
static unsigned bits_of(IrType t) { return t == IR_I32 || t == IR_F32 ? 32 : 64; }

/* An operation whose signature says everything, of type t. */
static IrRef plain(IrOp op, IrType t, unsigned cc, unsigned attr, int64_t imm)
{
    const char *sig = ir_op_info[op].sig;
    IrRef arg[4] = { 0 };
    IrType result = t;
    for (unsigned n = 0; n <= ir_op_info[op].n_args; n++) {
        char c = sig[n ? n + 1 : 0];
        IrType at = c == 'W' ? IR_I32 : c == 'L' ? IR_I64 : c == 'X' ? IR_I128 : c == 'B' ? IR_I1
                  : c == 'V' ? IR_V128 : c == 'F' ? IR_FLAGS : t;
        if (n)
            arg[n - 1] = any(at);
        else
            result = at;
    }
    return emit(op, result, cc, attr, arg[0], arg[1], arg[2], arg[3], imm);
}

static IrRef gen_int(void)
{
    IrType t = word();
    switch (pick(13)) {
    case 0: {
        unsigned lsb = pick(bits_of(t)), len = 1 + pick(bits_of(t) - lsb);
        return plain(IR_ubfx + pick(3), t, 0, lsb | len << 8, 0);
    }
    case 1: return plain(IR_extr, t, 0, 0, pick(bits_of(t)));
    case 2: return emit(IR_cmp, IR_I1, IR_CMP_EQ + pick(10), 0, any(t), any(t), 0, 0, 0);
    case 3: return plain(IR_bnot + pick(4), IR_I1, 0, 0, 0);
    case 4: {
        static const IrType types[] = { IR_I32, IR_I64, IR_F32, IR_F64, IR_V128, IR_FLAGS, IR_I1,
                                        IR_I64 };
        do
            t = types[pick(8)];
        while (!wanted(t));
        return emit(IR_select, t, 0, 0, any(IR_I1), any(t), any(t), 0, 0);
    }
    case 5: {
        unsigned log2 = pick(4);
        return emit(IR_crc32 + pick(2), IR_I32, 0, log2, any(IR_I32),
                    any(log2 == 3 ? IR_I64 : IR_I32), 0, 0, 0);
    }
    case 6: return plain(IR_zext + pick(3), t, 0, 0, 0);
    case 7: return plain(chance(3) ? IR_pack128 : IR_lo128 + pick(2), t, 0, 0, 0);
    case 8: return plain(IR_b2i, t, 0, 0, 0);
    case 10: return plain(IR_index, t, 0, pick(4), (int32_t)(pick(1000) - 500));
    case 9: return plain(IR_clz + pick(5), t, 0, 0, 0);
    case 11: { /* quotient and remainder */
        unsigned op = IR_udiv + pick(2), first = pick(2);
        IrRef x = any(t), y = any(t);
        put(emit(op + 2 * first, t, 0, 0, x, y, 0, 0, 0));
        return emit(op + 2 * !first, t, 0, 0, x, y, 0, 0, 0);
    }
    default: return plain(IR_add + pick(IR_extr - IR_add), t, 0, 0, 0);
    }
}

static IrRef gen_flags(void)
{
    IrType t = word();
    IrRef sum, term;
    switch (pick(9)) {
    case 8: /* a carry or borrow */
        sum = emit(chance(3) ? IR_sub : IR_add, t, 0, 0, any(t), term = any(t), 0, 0, 0);
        put(sum);
        if (gen.b->unit->insn[sum].op == IR_sub)
            sum = gen.b->unit->insn[sum].arg[0];
        sum = emit(IR_cmp, IR_I1, IR_CMP_ULT + pick(2), 0, sum, term, 0, 0, 0);
        return emit(IR_add, t, 0, 0, ir_op1(gen.b, IR_b2i, t, sum), any(t), 0, 0, 0);
    case 0: return emit(IR_fladd, IR_FLAGS, 0, t, any(t), any(t), 0, 0, 0);
    case 1: case 2: return emit(IR_flsub, IR_FLAGS, 0, t, any(t), any(t), 0, 0, 0);
    case 3: return emit(IR_flogic, IR_FLAGS, 0, t, any(t), 0, 0, 0, 0);
    case 4: return emit(IR_fladc + pick(2), IR_FLAGS, 0, t, any(t), any(t), any(IR_FLAGS), 0, 0);
    case 5: return plain(IR_adc + pick(2), t, 0, 0, 0);
    case 6: return plain(IR_flpack + pick(2), t, 0, 0, 0);
    default: return emit(IR_cond, IR_I1, pick(14), 0, any(IR_FLAGS), 0, 0, 0, 0);
    }
}

/* An address in the program's memory (or, rarely, nowhere): base, index in *ret_index, *ret_imm. */
static IrRef address(bool aligned, IrRef *ret_index, int64_t *ret_imm)
{
    IrBuilder *b = gen.b;
    IrRef base = ir_get(b, VAR_BASE);
    *ret_index = IR_NONE;
    if (chance(3)) { /* one of a few places, which are met again */
        *ret_imm = 16 * (int64_t)pick(4) + (aligned ? 0 : 4 * (int64_t)pick(4));
        return base;
    }
    *ret_imm = (int64_t)pick(256) * (aligned ? 16 : 1);
    if ((gen_config.classes & GEN_FAULT) && chance(60))
        return ir_const(b, IR_I64, 0x100 + pick(256) * (aligned ? 16 : 1));
    IrRef offset = ir_op2(b, IR_and, any(IR_I64), ir_const(b, IR_I64, aligned ? 0xf0 : 0xff));
    if (!chance(2))
        return ir_op2(b, IR_add, base, offset);
    *ret_index = offset;
    return base;
}

static unsigned order_bits(void)
{
    static const unsigned orders[] = { 0, 0, IR_MEM_ACQUIRE, IR_MEM_RELEASE, IR_MEM_SEQ_CST };
    return orders[pick(5)];
}

static IrRef gen_atomic(void)
{
    IrRef index;
    int64_t imm;
    IrType t = word();
    unsigned log2 = pick(t == IR_I64 ? 4 : 3), attr = log2 | IR_MEM_SEQ_CST;
    unsigned kind = pick(3);
    if (kind && chance(4)) {
        t = IR_I128;
        log2 = 4;
        attr = 4 | IR_MEM_ALIGN | IR_MEM_SEQ_CST;
    }
    if ((gen_config.classes & GEN_BE_ATOMIC) && chance(6))
        attr |= IR_MEM_BE;
    IrRef at;
    do
        at = address(true, &index, &imm); /* atomics take no index */
    while (index);
    if (chance(3))
        at = ir_op2(gen.b, IR_add, at, ir_const(gen.b, IR_I64, 1ull << log2));
    if (kind == 0)
        return emit(IR_armw, t, pick(10), attr, at, any(t), 0, 0, imm);
    /* The expected value, sometimes what is there. */
    IrRef expected = chance(2) ? any(t) : ir_load(gen.b, t, (attr & (7 | IR_MEM_BE)), at, imm);
    if (kind == 1)
        return emit(IR_acas, t, 0, attr, at, expected, any(t), 0, imm);
    return emit(IR_condcas, IR_I1, 0, attr, at, expected, any(t), any(IR_I1), imm);
}

static IrRef gen_mem(void)
{
    static const IrType types[] = { IR_I32, IR_I64, IR_I64, IR_F32, IR_F64, IR_V128, IR_V128,
                                    IR_I128 };
    if (chance(4))
        return gen_atomic();
    if (chance(20)) {
        emit(IR_fence, IR_VOID, 0, 1 + pick(15), 0, 0, 0, 0, 0);
        return IR_NONE;
    }
    IrType t;
    do
        t = types[pick(8)];
    while (!wanted(t));
    unsigned log2 = t == IR_I32 ? pick(3) : t == IR_I64 ? pick(4) : t == IR_F32 ? 2
                  : t == IR_F64 ? 3 : 4;
    bool aligned = chance(2) || t == IR_I128;
    unsigned attr = log2 | order_bits();
    if (t == IR_I32 || t == IR_I64)
        attr |= (chance(2) ? IR_MEM_SIGNED : 0) | (chance(6) ? IR_MEM_BE : 0);
    if (t == IR_I128)
        attr |= IR_MEM_ALIGN | IR_MEM_ATOMIC;
    else if (chance(8))
        attr |= IR_MEM_ALIGN;
    IrRef index;
    int64_t imm;
    IrRef at = address(aligned, &index, &imm);
    if (index)
        attr |= pick(4) << IR_MEM_SCALE_SHIFT;
    if (chance(2))
        return emit(IR_load, t, 0, attr, at, index, 0, 0, imm);
    emit(IR_store, t, 0, attr & ~(unsigned)IR_MEM_SIGNED, at, index, any(t), 0, imm);
    return IR_NONE;
}

static IrRef gen_call(void)
{
    unsigned n = pick(gen_isa.n_helpers);
    IrRef arg[4] = { 0 };
    IrType result = IR_VOID;
    const char *sig = gen_isa.helpers[n].sig;
    for (unsigned k = 0; k == 0 || sig[k + 1]; k++) {
        char c = sig[k ? k + 1 : 0];
        IrType t = c == 'W' ? IR_I32 : c == 'L' ? IR_I64 : c == 'S' ? IR_F32 : c == 'D' ? IR_F64
                 : c == 'V' ? IR_V128 : IR_VOID;
        if (!wanted(t) || (n == N_HELPER_FP && !(gen_config.classes & GEN_FP)))
            return IR_NONE;
        if (k)
            arg[k - 1] = any(t);
        else
            result = t;
    }
    IrRef r = emit(IR_call, result, 0, 0, arg[0], arg[1], arg[2], arg[3], n);
    return result == IR_VOID ? IR_NONE : r;
}

/* Rounding of arithmetic: RISC-V's is in the instruction or dynamic, Arm's is dynamic. */
static unsigned arith_attr(void)
{
    unsigned attr = gen.profile.attr;
    if (gen.profile.riscv && chance(3))
        attr |= 1 + pick(5);
    return attr;
}

static unsigned convert_round(void) { return 1 + pick(5); }

static IrRef gen_fp_convert(void)
{
    IrType t = real(), other = t == IR_F32 ? IR_F64 : IR_F32, i = word();
    unsigned attr = gen.profile.attr, u = chance(2) ? IR_FP_UNSIGNED : 0;
    bool riscv = gen.profile.riscv;
    unsigned fraction = !riscv && chance(4) ? 1 + pick(bits_of(i)) : 0;
    if (chance(8)) { /* both of a rounding and its integer */
        IrRef x = any(t);
        put(emit(IR_fround, t, 0, attr | IR_ROUND_AWAY, x, 0, 0, 0, 0));
        return emit(IR_f2i, i, 0, attr | IR_ROUND_AWAY, x, 0, 0, 0, 0);
    }
    switch (pick(9)) {
    case 0: return emit(IR_fcvt, t, 0, t == IR_F32 && !riscv && chance(5) ? attr | IR_ROUND_ODD
                                                                           : arith_attr(),
                        any(other), 0, 0, 0, 0);
    case 1: return emit(IR_h2f, t, 0, attr | (!riscv && chance(4) ? IR_FP_AHP : 0), any(IR_I32), 0,
                        0, 0, 0);
    case 2: return emit(IR_f2h, IR_I32, 0, arith_attr() | (!riscv && chance(4) ? IR_FP_AHP : 0),
                        any(t), 0, 0, 0, 0);
    case 3:
        if (!riscv && chance(4))
            return emit(IR_f2i, IR_I32, 0, attr | IR_ROUND_ZERO | IR_FP_WRAP, any(IR_F64), 0, 0, 0,
                        0);
        if (chance(6))
            return emit(IR_f2i, i, 0, (attr & ~(unsigned)(IR_FP_FLUSH | IR_FP_ROUND)) | u |
                        IR_ROUND_ZERO | IR_FP_SILENT | (riscv ? IR_FP_NAN2INT_MAX : 0), any(t), 0,
                        0, 0, 0);
        return emit(IR_f2i, i, 0, attr | convert_round() | u | (riscv ? IR_FP_NAN2INT_MAX : 0),
                        any(t), 0, 0, 0, fraction);
    case 4: return emit(IR_i2f, t, 0, arith_attr() | u, any(i), 0, 0, 0, fraction);
    case 5: return emit(IR_f2bits, t == IR_F32 ? IR_I32 : IR_I64, 0, 0, any(t), 0, 0, 0, 0);
    case 6: return emit(IR_bits2f, t, 0, 0, any(t == IR_F32 ? IR_I32 : IR_I64), 0, 0, 0, 0);
    case 7: return emit(IR_fbox, IR_F64, 0, 0, any(IR_F32), 0, 0, 0, 0);
    default: return emit(IR_funbox, IR_F32, 0, 0, any(IR_F64), 0, 0, 0, 0);
    }
}

/* The flags kept around a comparison, or around a conversion whose invalid flag is looked at: what
 * opt/sticky.c and opt/truncation.c know. */
static IrRef gen_fp_window(void)
{
    IrType t = real();
    unsigned var = VAR_W + pick(4), attr = gen.profile.attr;
    bool convert = chance(2);
    IrRef r = 0, x = any(t), kept = emit(IR_fpgetflags, IR_I32, 0, 0, 0, 0, 0, 0, 0);
    ir_put(gen.b, var, kept);
    if (convert) {
        r = ir_op2(gen.b, IR_and, kept, ir_const(gen.b, IR_I32, 31 & ~IR_FPX_INVALID));
        emit(IR_fpsetflags, IR_VOID, 0, 0, r, 0, 0, 0, 0);
        r = emit(IR_f2i, word(), 0, attr | IR_ROUND_ZERO | IR_FP_NAN2INT_MAX |
                 (chance(2) ? IR_FP_UNSIGNED : 0), x, 0, 0, 0, 0);
        put(r);
        r = emit(IR_fpgetflags, IR_I32, 0, 0, 0, 0, 0, 0, 0);
        r = ir_op2(gen.b, IR_and, r, ir_const(gen.b, IR_I32, chance(8) ? 17 : IR_FPX_INVALID));
        if (chance(2))
            r = ir_cmp(gen.b, IR_CMP_EQ, r, ir_const(gen.b, IR_I32, 0));
    } else {
        r = emit(IR_fcmp, IR_I1, IR_FCMP_LT, attr | IR_FP_SIGNALING, x, any(t), 0, 0, 0);
    }
    emit(IR_fpsetflags, IR_VOID, 0, 0, ir_op2(gen.b, IR_and, kept, ir_const(gen.b, IR_I32, 31)),
         0, 0, 0, 0);
    /* At once: a fault need not show what was kept (opt/sticky.c, 2). */
    ir_put(gen.b, var, ir_const(gen.b, IR_I32, 1));
    return r;
}

static IrRef gen_fp_env(void)
{
    IrRef r;
    if (gen.profile.riscv && chance(3))
        return gen_fp_window();
    switch (pick(4)) {
    case 0: /* not what was read just before: that were a window */
        r = ir_op2(gen.b, IR_xor, any(IR_I32), ir_const(gen.b, IR_I32, 1 + pick(31)));
        r = ir_op2(gen.b, IR_and, r, ir_const(gen.b, IR_I32, gen.profile.riscv ? 31 : 63));
        emit(IR_fpsetflags, IR_VOID, 0, 0, r, 0, 0, 0, 0);
        return IR_NONE;
    case 1:
        emit(IR_fpsetctl, IR_VOID, 0, 0,
             ir_const(gen.b, IR_I32, (1 + pick(gen.profile.riscv ? 5 : 4)) |
                                     (gen.profile.attr & IR_FP_FLUSH ? IR_FPC_FLUSH : 0)),
             0, 0, 0, 0);
        return IR_NONE;
    default:
        return emit(IR_fpgetflags, IR_I32, 0, 0, 0, 0, 0, 0, 0);
    }
}

/* Singles in registers of double width, as RISC-V's instructions have them. */
static IrRef gen_boxed(void)
{
    unsigned var = VAR_D + pick(4), kind = pick(8);
    IrRef x = ir_get(gen.b, VAR_D + pick(4));
    if (kind < 2 && gen_config.classes & GEN_MEM) {
        IrRef index, bits = ir_op1(gen.b, IR_f2bits, IR_I64, x);
        int64_t imm;
        if (!kind)
            bits = ir_op1(gen.b, IR_trunc, IR_I32, bits);
        IrRef at = address(chance(2), &index, &imm);
        unsigned attr = (kind ? 3 : 2) | (index ? pick(4) << IR_MEM_SCALE_SHIFT : 0);
        emit(IR_store, kind ? IR_I64 : IR_I32, 0, attr, at, index, bits, 0, imm);
        return IR_NONE;
    }
    x = ir_op1(gen.b, IR_funbox, IR_F32, x);
    if (kind > 2) {
        IrRef y = chance(2) ? any(IR_F32)
                            : ir_op1(gen.b, IR_funbox, IR_F32, ir_get(gen.b, VAR_D + pick(4)));
        x = ir_emit(gen.b, IR_fadd + pick(4), IR_F32, 0, arith_attr(), x, y, 0, 0, 0);
    }
    ir_put(gen.b, var, ir_op1(gen.b, IR_fbox, IR_F64, x));
    return IR_NONE;
}

static IrRef gen_fp(void)
{
    IrType t = real();
    unsigned attr = gen.profile.attr;
    if (gen.profile.riscv && chance(4))
        return gen_boxed();
    switch (pick(8)) {
    case 0: return gen_fp_convert();
    case 1: return chance(2) ? gen_fp_convert() : gen_fp_env();
    case 2:
        return emit(IR_fcmp, IR_I1, IR_FCMP_EQ + pick(4),
                    attr | (chance(2) ? IR_FP_SIGNALING : chance(4) ? IR_FP_SILENT : 0), any(t),
                    any(t), 0, 0, 0);
    case 3: return emit(IR_flfcmp, IR_FLAGS, 0, attr | (chance(2) ? IR_FP_SIGNALING : 0), any(t),
                        any(t), 0, 0, 0);
    case 4: return plain(IR_fma, t, 0, arith_attr() | (chance(2) ? IR_FP_NEG_PRODUCT : 0) |
                                       (chance(2) ? IR_FP_NEG_ADDEND : 0), 0);
    case 5:
        if (chance(2))
            return plain(IR_fround, t, 0, attr | convert_round() | (chance(2) ? IR_FP_EXACT : 0),
                         0);
        if (gen.profile.riscv)
            return plain(IR_fminnm + pick(2), t, 0, attr | IR_FP_MINMAX_RISCV, 0);
        return plain(IR_fmin + pick(4), t, 0, attr, 0);
    case 6: return plain(IR_fabs + pick(2), t, 0, 0, 0);
    default: return plain(IR_fadd + pick(5), t, 0, arith_attr(), 0);
    }
}

/* Lanes that an operation has, and the attributes that may be set. */
typedef struct VecRule { uint8_t op, lanes; uint8_t attr; } VecRule;
enum { L8 = 1, L16 = 2, L32 = 4, L64 = 8, LANY = 15, L_TO32 = 7, LX = 16 /* no lanes */ };
static const VecRule vec_rules[] = {
    { IR_vlow, LX, 0 }, { IR_vadd, LANY, 0 }, { IR_vsub, LANY, 0 }, { IR_vmul, L_TO32, 0 },
    { IR_vneg, LANY, 0 }, { IR_vabs, LANY, 0 }, { IR_vand, LX, 0 }, { IR_vor, LX, 0 },
    { IR_vxor, LX, 0 }, { IR_vandn, LX, 0 }, { IR_vorn, LX, 0 }, { IR_vnot, LX, 0 },
    { IR_vbsl, LX, 0 }, { IR_vshlv, LANY, IR_V_SIGNED | IR_V_ROUND | IR_V_SAT },
    { IR_vaddsat, LANY, IR_V_SIGNED }, { IR_vsubsat, LANY, IR_V_SIGNED },
    { IR_vhadd, L_TO32, IR_V_SIGNED | IR_V_ROUND }, { IR_vhsub, L_TO32, IR_V_SIGNED },
    { IR_vabd, L_TO32, IR_V_SIGNED }, { IR_vmin, L_TO32, IR_V_SIGNED },
    { IR_vmax, L_TO32, IR_V_SIGNED }, { IR_vcmpeq, LANY, 0 }, { IR_vcmpgt, LANY, IR_V_SIGNED },
    { IR_vcmpge, LANY, IR_V_SIGNED }, { IR_vwiden, L_TO32, IR_V_SIGNED | IR_V_HIGH },
    { IR_vnarrow, L16 | L32 | L64, 0 },
    { IR_vnarrowsat, L16 | L32 | L64, IR_V_SIGNED | IR_V_SRESULT },
    { IR_vmull, L_TO32, IR_V_SIGNED | IR_V_HIGH }, { IR_vpmull, L8 | L64, IR_V_HIGH },
    { IR_vpmul, L8, 0 }, { IR_vpaddl, L_TO32, IR_V_SIGNED }, { IR_vqdmulh, L16 | L32, IR_V_ROUND },
    { IR_vdot, L8, IR_V_SIGNED | IR_V_SRESULT }, { IR_vzip1, LANY, 0 }, { IR_vzip2, LANY, 0 },
    { IR_vuzp1, LANY, 0 }, { IR_vuzp2, LANY, 0 }, { IR_vtrn1, LANY, 0 }, { IR_vtrn2, LANY, 0 },
    { IR_vtbl, L8, 0 }, { IR_vpopcnt, L8, 0 }, { IR_vclz, L_TO32, 0 }, { IR_vrbit, L8, 0 },
    { IR_vsha1, L32, 0 }, { IR_vsha1su1, L32, 0 }, { IR_vsha256h, L32, 0 },
    { IR_vsha256h2, L32, 0 }, { IR_vsha256su0, L32, 0 }, { IR_vsha256su1, L32, 0 },
    { IR_vaese, LX, 0 }, { IR_vaesd, LX, 0 }, { IR_vaesmc, LX, 0 }, { IR_vaesimc, LX, 0 },
};

static IrRef gen_vec_rule(const VecRule *r)
{
    unsigned lane = 0;
    while (r->lanes != LX && !(r->lanes >> (lane = pick(4)) & 1))
        continue;
    unsigned attr = pick(256) & r->attr;
    if (r->op == IR_vnarrowsat && !(attr & IR_V_SIGNED)) /* unsigned to signed: no guest has it */
        attr = 0;
    return plain(r->op, IR_V128, lane, attr, 0);
}

static IrRef gen_vec_scalar(void)
{
    static const IrType types[] = { IR_I32, IR_I64, IR_F32, IR_F64 };
    unsigned k = pick(7); /* IrLane but for f16 */
    unsigned lane = k < 4 ? k : k == 4 ? IR_LANE_F32 : k == 5 ? IR_LANE_F64 : IR_LANE_I64;
    static const uint8_t counts[] = { 16, 8, 4, 2, 8, 4, 2 };
    IrType t = lane == IR_LANE_F32 ? IR_F32 : lane == IR_LANE_F64 ? IR_F64
             : lane == IR_LANE_I64 ? IR_I64 : word();
    unsigned n = pick(counts[lane]);
    switch (pick(5)) {
    case 0:
        t = types[pick(4)];
        return emit(IR_vfroms, IR_V128, 0, t, any(t), 0, 0, 0, 0);
    case 1:
        t = real();
        return emit(IR_vtos, t, t == IR_F32 ? IR_LANE_F32 : IR_LANE_F64, 0, any(IR_V128), 0, 0, 0,
                    pick(t == IR_F32 ? 4 : 2));
    case 2:
        if (chance(4))
            return emit(IR_vmask, IR_I32, 0, 0, any(IR_V128), 0, 0, 0, 0);
        if (lane > IR_LANE_I64)
            return emit(IR_vtos, t, lane, 0, any(IR_V128), 0, 0, 0, n);
        return emit(IR_vget, t, lane, chance(2) ? IR_V_SIGNED : 0, any(IR_V128), 0, 0, 0, n);
    case 3: return emit(IR_vset, IR_V128, lane, 0, any(IR_V128), any(t), 0, 0, n);
    default: return emit(IR_vdup, IR_V128, lane, 0, any(t), 0, 0, 0, 0);
    }
}

static IrRef gen_vec(void)
{
    static const uint8_t counts[] = { 16, 8, 4, 2 };
    unsigned lane = pick(4);
    switch (pick(9)) {
    case 0: case 1: return gen_vec_scalar();
    case 2: return plain(IR_vshl + pick(3), IR_V128, lane, 0, pick((8u << lane) + 1));
    case 3: return plain(IR_vsetl, IR_V128, lane, 0, pick(counts[lane]) | pick(counts[lane]) << 8);
    case 4: return chance(2) ? plain(IR_vdupl, IR_V128, lane, 0, pick(counts[lane]))
                             : plain(IR_vext, IR_V128, 0, 0, pick(16));
    case 5:
        lane = pick(3);
        return plain(IR_vrev, IR_V128, lane, 0, (8 << lane) << (1 + pick(3 - lane)));
    default: return gen_vec_rule(&vec_rules[pick(sizeof vec_rules / sizeof *vec_rules)]);
    }
}

static IrRef gen_vfp(void)
{
    unsigned lane = chance(2) ? IR_LANE_F32 : IR_LANE_F64, bits = lane == IR_LANE_F32 ? 32 : 64;
    unsigned attr = gen.profile.attr | (chance(3) ? IR_FP_LOW64 : 0);
    unsigned u = chance(2) ? IR_FP_UNSIGNED : 0, ahp = chance(4) ? IR_FP_AHP : 0;
    switch (pick(9)) {
    case 0: return plain(IR_vfma, IR_V128, lane, attr | (chance(2) ? IR_FP_NEG_PRODUCT : 0), 0);
    case 1: return plain(IR_vfcmpeq + pick(3), IR_V128, lane, attr, 0);
    case 2: return plain(IR_vfround, IR_V128, lane, attr | convert_round() |
                                                    (chance(2) ? IR_FP_EXACT : 0), 0);
    case 3: return plain(IR_vf2i, IR_V128, lane, attr | convert_round() | u,
                         chance(3) ? 1 + pick(bits) : 0);
    case 4: return plain(IR_vi2f, IR_V128, lane, attr | u, chance(3) ? 1 + pick(bits) : 0);
    case 5:
        lane = chance(2) ? IR_LANE_F16 : IR_LANE_F32;
        attr = gen.profile.attr | (chance(2) ? IR_FP_HIGH : 0);
        return plain(IR_vfcvtl, IR_V128, lane, attr | (lane == IR_LANE_F16 ? ahp : 0), 0);
    case 6:
        attr = gen.profile.attr | (lane == IR_LANE_F32 ? ahp : chance(3) ? IR_ROUND_ODD : 0);
        return plain(IR_vfcvtn, IR_V128, lane, attr, 0);
    case 7: return plain(IR_vfabs + pick(2), IR_V128, lane, attr & IR_FP_LOW64, 0);
    default: {
        static const IrOp ops[] = { IR_vfadd, IR_vfsub, IR_vfmul, IR_vfdiv, IR_vfsqrt, IR_vfmin,
                                    IR_vfmax, IR_vfminnm, IR_vfmaxnm };
        return plain(ops[pick(9)], IR_V128, lane, attr, 0);
    }
    }
}

/* A poll can't be taken inside an instruction, and a site that traps often asks for one. */
static bool polls(void)
{
    enum { OTHERS = GEN_ALL & ~(GEN_FP | GEN_VFP | GEN_EXIT | GEN_FAULT) };
    return gen_config.seed / 8 % 2 && gen_config.classes & OTHERS;
}

static IrRef gen_op(unsigned class)
{
    switch (class) {
    case GEN_INT: return gen_int();
    case GEN_FLAGS: return gen_flags();
    case GEN_MEM: return gen_mem();
    case GEN_CALL: return gen_call();
    case GEN_FP: return gen_fp();
    case GEN_VEC: return gen_vec();
    case GEN_VFP: return gen.profile.riscv ? gen_fp() : gen_vfp();
    default: return IR_NONE;
    }
}

/* -- blocks ------------------------------------------------------------------------------------ */
static void gen_ops(unsigned n_ops);

/* What is defined in a block that doesn't dominate the rest must not be used there. */
typedef struct Pools { IrRef pool[IR_N_TYPES][POOL]; unsigned n[IR_N_TYPES]; } Pools;

static Pools save_pools(void)
{
    Pools p;
    memcpy(p.pool, gen.pool, sizeof p.pool);
    memcpy(p.n, gen.n_pool, sizeof p.n);
    return p;
}

static void restore_pools(const Pools *p)
{
    memcpy(gen.pool, p->pool, sizeof p->pool);
    memcpy(gen.n_pool, p->n, sizeof p->n);
}

static uint32_t new_block(void) { return ir_block_new(gen.b->unit, gen.ctx->pc); }

static void branch(uint32_t to)
{
    ir_emit(gen.b, IR_br, IR_VOID, 0, 0, 0, 0, 0, 0, to);
}

static void branch_if(IrRef c, uint32_t yes, uint32_t no)
{
    ir_emit(gen.b, IR_brc, IR_VOID, 0, pick(3), c, 0, 0, 0, (int64_t)(yes | (uint64_t)no << 32));
}

/* Blocks may be put in another order, so each says which instruction it belongs to. */
static void start_block(uint32_t block)
{
    gen.b->block = block;
    ir_emit(gen.b, IR_insn, IR_VOID, 0, 4, 0, 0, 0, 0, (int64_t)gen.ctx->pc);
}

static const IrType phi_types[] = { IR_I32, IR_I64, IR_F32, IR_F64, IR_V128, IR_FLAGS };

/* A phi with this many arguments, the first of them so far; the others by set_phi(). */
static IrRef phi_of(IrType t, unsigned n, IrRef first)
{
    IrRef r = ir_phi(gen.b, t, n, first);
    keep(r);
    return r;
}

static void set_phi(IrRef phi, unsigned nth, IrRef value)
{
    unsigned n;
    ir_args(gen.b->unit, phi, &n)[nth] = value;
}

static void gen_body(unsigned depth);

static void gen_diamond(unsigned depth)
{
    IrType t = phi_types[pick(6)];
    uint32_t side[2] = { new_block(), new_block() }, join = new_block(), end[2];
    IrRef value[2];
    branch_if(any(IR_I1), side[0], side[1]);
    Pools before = save_pools();
    for (unsigned n = 0; n < 2; n++) {
        start_block(side[n]);
        gen_body(depth);
        value[n] = any(t);
        end[n] = gen.b->block;
        branch(join);
        restore_pools(&before);
    }
    gen.b->block = join;
    bool turned = end[1] < end[0];
    IrRef joined = phi_of(t, 2, value[turned]);
    set_phi(joined, 1, value[!turned]);
    start_block(join);
    put(joined);
}

static unsigned index_of(GuestAddr pc)
{
    return (unsigned)(pc - gen_pc(gen_config.seed)) / 4;
}

/* Some instructions of the lazy guest begin by overwriting the flags. */
static bool sets_flags(unsigned index)
{
    uint64_t s = gen_config.seed * 31 + index;
    return gen_is_lazy(gen_config.seed) && index < GEN_INSNS && next(&s) % 4 == 0;
}

static unsigned dead_flags(GuestAddr to)
{
    return sets_flags(index_of(to)) ? IR_EXIT_LAZY_DEAD : 0;
}

/* Back to the loop's head; its phis get values that are there. */
static void gen_latch(uint32_t head, const IrRef phi[2], const IrType t[2], unsigned nth)
{
    for (unsigned n = 0; n < 2; n++)
        set_phi(phi[n], nth, t[0] == t[1] && chance(2) ? phi[1 - n] : any(t[n]));
    if (polls())
        ir_emit(gen.b, IR_poll, IR_VOID, 0, dead_flags(gen.ctx->pc), 0, 0, 0, 0,
                (int64_t)gen.ctx->pc);
    branch(head);
}

/* Accesses before and behind the addition for the next time round. */
static IrRef gen_walk(IrRef at)
{
    IrBuilder *b = gen.b;
    keep(ir_load(b, IR_I64, 3, at, 8 * pick(8)));
    IrRef next = ir_op2i(b, IR_add, at, 8 * (1 + pick(2)));
    ir_store(b, 3, at, 8 * pick(8), any(IR_I64));
    keep(ir_load(b, IR_I64, 3, chance(2) ? at : next, 8 * pick(8)));
    return next;
}

/* Goes round a few times, perhaps by two ways; two values go with it, and may change places. */
static void gen_loop(unsigned depth)
{
    IrBuilder *b = gen.b;
    IrType t[2] = { phi_types[pick(6)], phi_types[pick(6)] };
    unsigned ways = 1 + pick(2);
    IrRef count = ir_const(b, IR_I64, 1 + pick(4)), start[2] = { any(t[0]), any(t[1]) }, phi[2];
    IrRef base = ir_get(b, VAR_BASE);
    uint32_t head = new_block();
    branch(head);
    b->block = head;
    IrRef left = ir_phi(b, IR_I64, 1 + ways, count), at = ir_phi(b, IR_I64, 1 + ways, base);
    for (unsigned n = 0; n < 2; n++)
        phi[n] = phi_of(t[n], 1 + ways, start[n]);
    start_block(head);
    IrRef less = ir_op2i(b, IR_sub, left, 1);
    IrRef again = ir_cmp(b, IR_CMP_NE, less, ir_const(b, IR_I64, 0));
    IrRef next = gen_config.classes & GEN_MEM ? gen_walk(at) : at;
    for (unsigned w = 0; w < ways; w++) {
        gen_body(depth);
        set_phi(left, 1 + w, less);
        set_phi(at, 1 + w, next);
        uint32_t latch = new_block(), on = new_block();
        bool last = w + 1 == ways;
        branch_if(last ? again : ir_op2(b, IR_band, again, any(IR_I1)), latch, on);
        b->block = latch;
        gen_latch(head, phi, t, 1 + w);
        start_block(on);
    }
    put(phi[0]);
    put(phi[1]);
}

static GuestAddr some_later_insn(void);

static void exit_if(GuestAddr to)
{
    ir_emit(gen.b, IR_exit_if, IR_VOID, 0, dead_flags(to), any(IR_I1), 0, 0, 0, (int64_t)to);
}

/* Straight code, side exits, inner loops and diamonds. */
static void gen_body(unsigned depth)
{
    for (unsigned n = 1 + pick(2); n > 0; n--) {
        gen_ops(1 + pick(3));
        if (chance(8) && gen_config.classes & GEN_EXIT)
            exit_if(some_later_insn());
        if (gen_config.classes & GEN_MEM && chance(12)) {
            keep(gen_string_loop(gen.ctx, &gen.s, ir_get(gen.b, VAR_BASE), VAR_R + pick(5),
                                 VAR_V + pick(6)));
            continue;
        }
        if (gen_config.classes & GEN_MEM && chance(8))
            keep(gen_bytes(gen.ctx, &gen.s, ir_get(gen.b, VAR_BASE), any(IR_I64), VAR_R + pick(5)));
        if (depth == 0 || !chance(4))
            continue;
        if (chance(2))
            gen_diamond(depth - 1);
        else
            gen_loop(depth - 1);
    }
}

static bool is_float_op(IrOp op)
{
    return (op >= IR_fadd && op <= IR_bits2f) || (op >= IR_vfadd && op <= IR_vfcvtn);
}

static void gen_ops(unsigned n_ops)
{
    for (unsigned n = 0; n < n_ops; n++) {
        unsigned class;
        do
            class = 1u << pick(7);
        while (!(class & gen_config.classes) || (polls() && class & (GEN_FP | GEN_VFP)));
        IrRef r = gen_op(class);
        /* Lifters put every floating-point result. */
        if (r && (!chance(3) || is_float_op(gen.b->unit->insn[r].op)))
            put(r);
    }
}

static GuestAddr later_insn(unsigned index)
{
    return gen.ctx->pc + 4 * (uint64_t)(1 + pick(GEN_INSNS - index));
}

static GuestAddr some_later_insn(void)
{
    return later_insn(index_of(gen.ctx->pc));
}

/* Of a call. */
static unsigned expected_back(void)
{
    return sets_flags(index_of(gen.ctx->pc) + 1) && chance(2) ? IR_EXIT_EXPECTED : 0;
}

/* To later instructions, which return once: `ra` then leads to the end. Regions go on behind it,
 * without the values of before. */
static bool gen_guest_call(GuestAddr to)
{
    IrBuilder *b = gen.b;
    IrRef back = ir_emit(b, IR_codeaddr, IR_I64, 0, 0, 0, 0, 0, 0, (int64_t)(gen.ctx->pc + 4));
    bool goes_on = gen_is_region(gen_config.seed), indirect = chance(3);
    ir_put(b, VAR_RA, back);
    b->unit->flags |= goes_on ? IR_UNIT_REGION : 0;
    if (indirect)
        ir_emit(b, goes_on ? IR_gcallind : IR_exit_callind, IR_VOID, 0, 0,
                ir_const(b, IR_I64, to), back, 0, 0, 0);
    else
        ir_emit(b, goes_on ? IR_gcall : IR_exit_call, IR_VOID, 0, dead_flags(to) | expected_back(),
                back, 0, 0, 0, (int64_t)to);
    memset(gen.n_pool, 0, sizeof gen.n_pool);
    return !goes_on;
}

/* It may count on a call that expects it, and must come right if there was none. */
static bool gen_return_to(IrRef to)
{
    unsigned attr = gen_is_lazy(gen_config.seed) && chance(2) ? IR_EXIT_EXPECTED : 0;
    return ir_emit(gen.b, IR_exit_ret, IR_VOID, 0, attr, to, 0, 0, 0, 0);
}

/* To where `ra` says, which is left in another variable; often with a comparison just before. */
static bool gen_return(GuestAddr end)
{
    IrBuilder *b = gen.b;
    IrRef to = ir_get(b, VAR_RA);
    ir_put(b, VAR_RA, ir_const(b, IR_I64, end));
    if (chance(2))
        ir_put(b, VAR_R + pick(8), to);
    if (gen_config.classes & GEN_FLAGS && chance(2))
        ir_put(b, VAR_F, ir_emit(b, IR_flsub, IR_FLAGS, 0, IR_I64, ir_get(b, VAR_R + pick(8)),
                                 ir_const(b, IR_I64, int_value(&gen.s)), 0, 0, 0));
    return gen_return_to(to);
}

/* A way out of the unit at the end of instruction `index`, or no way. True: the unit has ended. */
static bool gen_exit(unsigned index)
{
    IrBuilder *b = gen.b;
    GuestAddr to = later_insn(index);
    IrRef code = ir_const(b, IR_I64, to);
    IrRef back = ir_emit(b, IR_codeaddr, IR_I64, 0, 0, 0, 0, 0, 0, (int64_t)(gen.ctx->pc + 4));
    switch (pick(17)) {
    case 0: case 1: case 2: case 3:
        exit_if(to);
        return false;
    case 4:
        ir_emit(b, IR_trap_if, IR_VOID, 0, VCPU_EXIT_BREAK, any(IR_I1), any(IR_I64), 0, 0,
                (int64_t)gen.ctx->pc);
        return false;
    case 5:
        ir_emit(b, IR_exit_jump, IR_VOID, 0, dead_flags(to), 0, 0, 0, 0, (int64_t)to);
        return true;
    case 6: ir_emit(b, IR_exit_ind, IR_VOID, 0, 0, code, 0, 0, 0, 0); return true;
    case 7:
        ir_emit(b, IR_exit_call, IR_VOID, 0, dead_flags(to) | expected_back(), back, 0, 0, 0,
                (int64_t)to);
        return true;
    case 8: ir_emit(b, IR_exit_callind, IR_VOID, 0, 0, code, back, 0, 0, 0); return true;
    case 9: return gen_return_to(code);
    case 10: case 11: return gen_guest_call(to);
    case 12: return gen_return(gen_pc(gen_config.seed) + GEN_INSNS * 4);
    default: return false;
    }
}

/* Blocks in the middle of an instruction. True: the unit is to end behind them. */
static bool gen_region(bool exits)
{
    gen.b->unit->flags |= IR_UNIT_REGION;
    if (gen_is_crowded(gen_config.seed) && gen_config.classes & GEN_INT && chance(2)) {
        gen_crowd(gen.ctx, &gen.s, ir_get(gen.b, VAR_BASE), exits ? some_later_insn() : 0,
                  polls());
        return exits && chance(2);
    }
    if (chance(2))
        gen_diamond(2);
    else
        gen_loop(2);
    return false;
}

void gen_lift(LiftContext *ctx)
{
    unsigned index = index_of(ctx->pc);
    ctx->bytes = 4;
    if (gen.unit != ctx->b.unit || ctx->pc == ctx->b.unit->pc) {
        memset(gen.n_pool, 0, sizeof gen.n_pool);
        gen.unit = ctx->b.unit;
    }
    gen.ctx = ctx;
    gen.b = &ctx->b;
    gen.profile = profile_of(gen_config.seed);
    gen.s = gen_config.seed * 1000003 + index;
    if (index >= GEN_INSNS) {
        ir_emit(&ctx->b, IR_trap, IR_VOID, 0, VCPU_EXIT_SYSCALL, any(IR_I64), 0, 0, 0,
                (int64_t)ctx->pc + 4);
        ctx->ended = true;
        return;
    }
    if (sets_flags(index))
        ir_put(gen.b, VAR_F, emit(IR_flsub, IR_FLAGS, 0, IR_I64, any(IR_I64), any(IR_I64), 0, 0,
                                  0));
    unsigned n_ops = 1 + pick(6);
    unsigned left = gen_config.max_ops > index * 6 ? gen_config.max_ops - index * 6 : 0;
    gen_ops(n_ops < left ? n_ops : left);
    bool exits = gen_config.classes & GEN_EXIT;
    if (left && gen_is_region(gen_config.seed) && chance(3) && gen_region(exits)) {
        /* Much of what the loop has left is nobody's but the exit's. */
        ir_emit(gen.b, IR_exit_jump, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)ctx->pc + 4);
        ctx->ended = true;
    } else {
        ctx->ended = exits && gen_exit(index);
    }
}
