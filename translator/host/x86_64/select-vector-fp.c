/* data plane */
/*
 * Vector floating point. With IR_FP_LOW64 the upper lanes must neither raise anything nor be other
 * than 0 in the result: operands are given upper halves with which the operation gives a silent 0,
 * unless theirs are known to be 0 and that will do.
 */
#include "translator/host/x86_64/select-vector.h"

static bool is_dbl(const IrInsn *i) { return i->cc == IR_LANE_F64; }
static Vop packed(Vop op, bool dbl) { return vop_pfx(op, dbl ? 0x66 : 0); }

static Mem sign_mask(Emit *e, const IrInsn *i, bool inverted)
{
    uint64_t m = is_dbl(i) ? 1ull << 63 : 0x8000000080000000u;
    if (inverted)
        m = ~m;
    return enc_pool128(e, m, i->attr & IR_FP_LOW64 ? 0 : m);
}

static bool slow(Emit *e, IrInsn *i, bool rounds)
{
    /* default NaNs (Arm's FPCR.DN) would have to be looked for in every lane */
    if (!fp_needs_slow(e, i, rounds) && (i->attr & IR_FP_NAN) == IR_FP_NAN_ARM)
        return false;
    fp_slow(e, i);
    return true;
}

/* An operand under IR_FP_LOW64. */
typedef enum Fill { FILL_ZERO, FILL_ONE, FILL_MINUS_ZERO } Fill;
typedef struct Arg {
    Reg reg;   /* as it is */
    Reg low;   /* to compute with */
    Fill fill;
} Arg;

static Arg arg_use(Emit *e, IrInsn *i, unsigned n, Fill fill)
{
    Arg a = { ra_use(e->ra, i->arg[n]), REG_NONE, fill };
    if (!(i->attr & IR_FP_LOW64) || (fill == FILL_ZERO && fp_upper_zero(e, i->arg[n], false)))
        a.low = a.reg;
    return a;
}

/* After every ra_use, before ra_def. */
static void arg_temp(Emit *e, Arg *a)
{
    if (a->low == REG_NONE)
        a->low = ra_temp_xmm(e->ra);
}

static void arg_fill(Emit *e, bool dbl, const Arg *a)
{
    if (a->low == a->reg)
        return;
    if (a->fill == FILL_ZERO) {
        emit_vmovq(e, a->low, operand_reg(a->reg));
        return;
    }
    uint64_t v = a->fill == FILL_ONE ? (dbl ? 0x3ffull << 52 : 0x3f8000003f800000u)
                                     : dbl ? 1ull << 63 : 0x8000000080000000u;
    vec_mem(e, VPUNPCKLQDQ, a->low, a->reg, enc_pool128(e, v, v));
}

static void site(Emit *e, IrInsn *i, Reg d, Reg a, Reg b, Reg c)
{
    UnitFpSite *s = fp_site_begin(e, i);
    s->dst = fp_in(d);
    s->src[0] = fp_in(a);
    s->src[1] = fp_in(b);
    s->src[2] = fp_in(c);
}

static void low_result(IrInsn *i)
{
    if (i->attr & IR_FP_LOW64)
        i->attr |= FP_UPPER64_ZERO;
}

/* Operands and result register of a two-operand instruction; the fills are emitted. SSE forms get
 * a result register that is no operand's. */
static Reg two(Emit *e, IrInsn *i, Arg *a, Arg *b, Reg *ret_temp, Fill fill_b)
{
    *a = arg_use(e, i, 0, FILL_ZERO);
    *b = arg_use(e, i, 1, fill_b);
    arg_temp(e, a);
    arg_temp(e, b);
    if (ret_temp)
        *ret_temp = ra_temp_xmm(e->ra);
    Reg d = e->cpu->avx && !ret_temp ? ra_def_late(e->ra, i) : ra_def(e->ra, i);
    arg_fill(e, is_dbl(i), a);
    arg_fill(e, is_dbl(i), b);
    low_result(i);
    return d;
}

/* In units with IR_UNIT_NAN_CHECK: the site's slow path when a lane of a or b is a NaN. Asks for
 * the temporary before ra_def; the caller has called flags_clobber(). */
static Cold *nan_check(Emit *e, IrInsn *i, Reg t, Reg a, Reg b)
{
    enum { UNORD_Q = 3, VPTEST = VOP(0x66, 2, 0x17) };
    Cold *c = fp_site_cold(e, i);
    emit_vop3i(e, packed(VFCMP, is_dbl(i)), t, a, operand_reg(b), UNORD_Q);
    emit_vop2(e, VPTEST, t, operand_reg(t));
    enc_jcc(e, CC_NE, &c->enter);
    return c;
}

/* To `out` if a lane of x, without its sign, equals `bits`. */
static void branch_any(Emit *e, const IrInsn *i, Reg t, Reg x, uint64_t bits, Label *out)
{
    enum { EQ_OQ = 0, VPTEST = VOP(0x66, 2, 0x17) };
    uint64_t abs = is_dbl(i) ? ~0ull >> 1 : 0x7fffffff7fffffffu;
    emit_vop3(e, VPAND, t, x, operand_mem(enc_pool128(e, abs, abs)));
    emit_vop3i(e, packed(VFCMP, is_dbl(i)), t, t, operand_mem(enc_pool128(e, bits, bits)), EQ_OQ);
    emit_vop2(e, VPTEST, t, operand_reg(t));
    enc_jcc(e, CC_NE, out);
}

/* As check_invalid() of select-float.c, in any lane. */
static Cold *invalid_check(Emit *e, IrInsn *i, Reg t, Reg a, Reg b)
{
    uint64_t infinity = is_dbl(i) ? 0x7ffull << 52 : 0x7f8000007f800000u;
    Cold *c = fp_site_cold(e, i);
    branch_any(e, i, t, a, infinity, &c->enter);
    if (i->op == IR_vfmul)
        branch_any(e, i, t, b, infinity, &c->enter);
    if (i->op == IR_vfdiv)
        branch_any(e, i, t, b, 0, &c->enter);
    return c;
}

/* 0 - 0 is -0 when rounding down, hence the fill of subtractions. */
void sel_vfbinary(Emit *e, IrInsn *i)
{
    if (slow(e, i, true))
        return;
    Vop op = i->op == IR_vfadd   ? VFADD
             : i->op == IR_vfsub ? VFSUB
             : i->op == IR_vfmul ? VFMUL
                                 : VFDIV;
    bool probe = i->attr & IR_FP_FLUSH, check = fp_checks(e); /* as sel_binary() */
    if (check)
        flags_clobber(e);
    if (!(i->attr & IR_FP_LOW64) && e->cpu->avx && !probe && !check) {
        Reg a = ra_use(e->ra, i->arg[0]);
        Operand b = ra_use_rm(e->ra, i->arg[1]);
        Reg d = ra_def_late(e->ra, i);
        site(e, i, d, a, REG_NONE, REG_NONE);
        e->fp_sites[e->n_fp_sites - 1].src[1] = fp_at(b);
        emit_vop3(e, packed(op, is_dbl(i)), d, a, b);
        fp_site_end(e);
        return;
    }
    Arg a, b;
    Reg t;
    Reg d = two(e, i, &a, &b, probe || check ? &t : NULL,
                i->op == IR_vfdiv   ? FILL_ONE
                : i->op == IR_vfsub ? FILL_MINUS_ZERO
                                    : FILL_ZERO);
    site(e, i, d, a.reg, b.reg, REG_NONE);
    if (probe)
        fp_probe(e, i, packed(VFMIN, is_dbl(i)), t, a.low, operand_reg(b.low));
    Cold *c = check ? invalid_check(e, i, t, a.low, b.low) : NULL;
    emit_vrrr(e, packed(op, is_dbl(i)), d, a.low, b.low);
    if (probe && (i->op == IR_vfmul || i->op == IR_vfdiv))
        fp_probe_tiny(e, packed(VFMUL, is_dbl(i)), is_dbl(i), t, d);
    fp_site_end(e);
    if (check)
        enc_bind(e, &c->back);
}

/* One operand, with an immediate unless it is negative. */
static void one(Emit *e, IrInsn *i, Vop op, int imm)
{
    Arg a = arg_use(e, i, 0, FILL_ZERO);
    arg_temp(e, &a);
    bool probe = i->op == IR_vfround && i->attr & IR_FP_FLUSH;
    Reg t = probe ? ra_temp_xmm(e->ra) : REG_NONE;
    Reg d = e->cpu->avx ? ra_def_late(e->ra, i) : ra_def(e->ra, i);
    arg_fill(e, is_dbl(i), &a);
    low_result(i);
    site(e, i, d, a.reg, REG_NONE, REG_NONE);
    if (probe)
        fp_probe(e, i, packed(VFMIN, is_dbl(i)), t, a.low, operand_reg(a.low));
    if (imm < 0)
        emit_vop2(e, op, d, operand_reg(a.low));
    else
        emit_vop2i(e, op, d, operand_reg(a.low), (unsigned)imm);
    fp_site_end(e);
}

void sel_vfsqrt(Emit *e, IrInsn *i)
{
    if (!slow(e, i, true))
        one(e, i, packed(VSQRT, is_dbl(i)), -1);
}

void sel_vfma(Emit *e, IrInsn *i)
{
    if (!e->cpu->fma) {
        fp_slow(e, i);
        return;
    }
    if (slow(e, i, true))
        return;
    bool check = fp_checks(e);
    if (check)
        flags_clobber(e);
    bool np = i->attr & IR_FP_NEG_PRODUCT, na = i->attr & IR_FP_NEG_ADDEND;
    bool low = i->attr & IR_FP_LOW64;
    Arg a = arg_use(e, i, 0, FILL_ZERO), b = arg_use(e, i, 1, FILL_ZERO);
    bool flush = i->attr & IR_FP_FLUSH;
    bool copy = na || flush || (low && !fp_upper_zero(e, i->arg[2], false));
    Reg c = copy ? ra_use(e->ra, i->arg[2]) : REG_NONE;
    arg_temp(e, &a);
    arg_temp(e, &b);
    Reg t = ra_temp_xmm(e->ra);
    Reg d = copy ? ra_def(e->ra, i) : ra_def_over(e->ra, i, i->arg[2]);
    arg_fill(e, is_dbl(i), &a);
    arg_fill(e, is_dbl(i), &b);
    Reg factor = a.low, addend = copy && !low ? c : d;
    if (copy && low)
        emit_vmovq(e, d, operand_reg(c));
    else if (copy && !na)
        emit_vmov(e, d, c);
    low_result(i);
    site(e, i, d, a.reg, b.reg, copy ? c : d);
    Cold *cold = check ? nan_check(e, i, t, addend, addend) : NULL;
    if (!check)
        emit_vrrr(e, packed(VFMIN, is_dbl(i)), t, addend, addend); /* traps for NaNs: sel_fma() */
    fp_probe(e, i, packed(VFMIN, is_dbl(i)), t, a.low, operand_reg(b.low));
    if (np)
        emit_vop3(e, VPXOR, factor = t, a.low, operand_mem(sign_mask(e, i, false)));
    if (na)
        emit_vop3(e, VPXOR, d, addend, operand_mem(sign_mask(e, i, false)));
    emit_vrrr(e, VFMADD231P | (is_dbl(i) ? VOP_W : 0), d, factor, b.low);
    if (flush)
        fp_probe_tiny(e, packed(VFMUL, is_dbl(i)), is_dbl(i), t, d);
    fp_site_end(e);
    if (check)
        enc_bind(e, &cold->back);
}

void sel_vfabs_neg(Emit *e, IrInsn *i)
{
    bool neg = i->op == IR_vfneg;
    Mem m = sign_mask(e, i, !neg);
    bool clear = neg && i->attr & IR_FP_LOW64 && !fp_upper_zero(e, i->arg[0], false);
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
    if (clear) {
        emit_vmovq(e, d, operand_reg(a));
        a = d;
    }
    emit_vop3(e, neg ? VPXOR : VPAND, d, a, operand_mem(m));
    low_result(i);
}

/* As in select-float.c. */
void sel_vfminmax(Emit *e, IrInsn *i)
{
    if (slow(e, i, false))
        return;
    bool max = i->op == IR_vfmax || i->op == IR_vfmaxnm, dbl = is_dbl(i);
    bool range = e->cpu->avx512vl && !(i->attr & IR_FP_FLUSH)
              && (i->op == IR_vfminnm || i->op == IR_vfmaxnm);
    Vop op = packed(max ? VFMAX : VFMIN, dbl);
    bool check = fp_checks(e) && !range;
    if (check)
        flags_clobber(e);
    Arg a = arg_use(e, i, 0, FILL_ZERO), b = arg_use(e, i, 1, FILL_ZERO);
    arg_temp(e, &a);
    arg_temp(e, &b);
    Reg t = range ? REG_NONE : ra_temp_xmm(e->ra);
    Reg d = ra_def(e->ra, i);
    arg_fill(e, dbl, &a);
    arg_fill(e, dbl, &b);
    low_result(i);
    site(e, i, d, a.reg, b.reg, REG_NONE);
    Cold *c = check ? nan_check(e, i, t, a.low, b.low) : NULL;
    if (range) {
        emit_vop3i(e, dbl ? ERANGEPD : ERANGEPS, d, a.low, operand_reg(b.low), max ? 5 : 4);
    } else {
        emit_vrrr(e, op, t, a.low, b.low);
        emit_vrrr(e, op, d, b.low, a.low);
        emit_vrrr(e, max ? VPAND : VPOR, d, d, t);
    }
    fp_site_end(e);
    if (check)
        enc_bind(e, &c->back);
}

/* Arm's greater is the host's less with exchanged operands. The fill makes upper lanes false: 0
 * against 1, and for greater 0 > 1. */
void sel_vfcmp(Emit *e, IrInsn *i)
{
    enum { EQ_OQ = 0, LT_OS = 1, LE_OS = 2 };
    if (fp_needs_slow(e, i, false)) {
        fp_slow(e, i);
        return;
    }
    bool check = fp_checks(e) && i->op != IR_vfcmpeq;
    if (check)
        flags_clobber(e);
    Arg a, b;
    Reg t;
    bool probe = i->attr & IR_FP_FLUSH;
    Reg d = two(e, i, &a, &b, check || probe ? &t : NULL, FILL_ONE);
    site(e, i, d, a.reg, b.reg, REG_NONE);
    Cold *c = check ? nan_check(e, i, t, a.low, b.low) : NULL;
    if (probe)
        fp_probe(e, i, packed(VFMIN, is_dbl(i)), t, a.low, operand_reg(b.low));
    Vop op = packed(VFCMP, is_dbl(i));
    if (i->op == IR_vfcmpeq)
        emit_vop3i(e, op, d, a.low, operand_reg(b.low), EQ_OQ);
    else
        emit_vop3i(e, op, d, b.low, operand_reg(a.low), i->op == IR_vfcmpgt ? LT_OS : LE_OS);
    fp_site_end(e);
    if (check)
        enc_bind(e, &c->back);
}

/* t = x rounded, ties away, silently: as fp_round_away(). */
static void round_away(Emit *e, bool dbl, Reg t, Reg f, Reg x)
{
    Vop round = dbl ? VROUNDPD : VROUNDPS;
    emit_vop2i(e, round, t, operand_reg(x), 3 | 8);
    emit_vrrr(e, packed(VFSUB, dbl), f, x, t);
    emit_vrrr(e, packed(VFADD, dbl), f, f, f);
    emit_vop2i(e, round, f, operand_reg(f), 3 | 8);
    emit_vrrr(e, packed(VFADD, dbl), t, t, f);
}

void sel_vfround(Emit *e, IrInsn *i)
{
    bool dbl = is_dbl(i), away = (i->attr & IR_FP_ROUND) == IR_ROUND_AWAY;
    int imm = fp_round_imm(i->attr);
    if (imm < 0 && (!away || i->attr & IR_FP_EXACT)) {
        fp_slow(e, i);
        return;
    }
    if (slow(e, i, false))
        return;
    if (!away) {
        one(e, i, dbl ? VROUNDPD : VROUNDPS, imm);
        return;
    }
    Arg a = arg_use(e, i, 0, FILL_ZERO);
    arg_temp(e, &a);
    Reg t = ra_temp_xmm(e->ra), f = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    arg_fill(e, dbl, &a);
    low_result(i);
    site(e, i, d, a.reg, REG_NONE, REG_NONE);
    fp_probe(e, i, packed(VFMIN, dbl), t, a.low, operand_reg(a.low));
    round_away(e, dbl, t, f, a.low);
    emit_vop3(e, VPAND, f, a.low, operand_mem(sign_mask(e, i, false)));
    emit_vop3(e, VPAND, t, t, operand_mem(sign_mask(e, i, true)));
    emit_vrrr(e, VPOR, d, t, f);
    fp_site_end(e);
}

static Mem dup_fp(Emit *e, bool dbl, int exponent, bool negative)
{
    uint64_t v = dbl ? (uint64_t)(1023 + exponent) << 52 | (uint64_t)negative << 63
                     : (uint64_t)(127 + exponent) << 23 | (uint64_t)negative << 31;
    return dbl ? vec_pool_dup64(e, v) : vec_pool_dup32(e, (uint32_t)v);
}

static Vop cvt_vop(bool dbl, bool trunc, bool uns)
{
    if (dbl)
        return uns ? (trunc ? ECVTTPD2UQQ : ECVTPD2UQQ) : trunc ? ECVTTPD2QQ : ECVTPD2QQ;
    return uns ? (trunc ? ECVTTPS2UDQ : ECVTPS2UDQ) : trunc ? VCVTTPS2DQ : VCVTPS2DQ;
}

/* As sel_f2i(). Lanes as wide as the source: where rounding raises inexact, the value is in range
 * of signed results, so only unsigned ones are rounded silently. */
void sel_vf2i(Emit *e, IrInsn *i)
{
    bool dbl = is_dbl(i), uns = i->attr & IR_FP_UNSIGNED;
    unsigned round = i->attr & IR_FP_ROUND;
    if (fp_needs_slow(e, i, false) || fp_checks(e) || round == IR_ROUND_ODD ||
        ((uns || dbl) && !e->cpu->avx512vl)) {
        fp_slow(e, i);
        return;
    }
    bool away = round == IR_ROUND_AWAY, direct = round == IR_ROUND_ZERO || round == IR_ROUND_DYN;
    bool silent = !direct && (uns || away);
    Arg a = arg_use(e, i, 0, FILL_ZERO);
    arg_temp(e, &a);
    Reg x = i->imm ? ra_temp_xmm(e->ra) : a.low;
    Reg t = direct ? x : ra_temp_xmm(e->ra), f = silent ? ra_temp_xmm(e->ra) : REG_NONE;
    bool probe = i->attr & IR_FP_FLUSH && !i->imm;
    Reg p = probe ? ra_temp_xmm(e->ra) : REG_NONE;
    Reg d = ra_def(e->ra, i);
    arg_fill(e, dbl, &a);
    low_result(i);
    site(e, i, d, a.reg, REG_NONE, REG_NONE);
    if (probe)
        fp_probe(e, i, packed(VFMIN, dbl), p, a.low, operand_reg(a.low));
    if (i->imm) {
        int big = (dbl ? 1000 : 100) - (int)i->imm; /* as scale_up() */
        emit_vop3(e, packed(VFMIN, dbl), x, a.low, operand_mem(dup_fp(e, dbl, big, false)));
        emit_vop3(e, packed(VFMAX, dbl), x, x, operand_mem(dup_fp(e, dbl, big, true)));
        emit_vop3(e, packed(VFMUL, dbl), x, x, operand_mem(dup_fp(e, dbl, (int)i->imm, false)));
    }
    if (away)
        round_away(e, dbl, t, f, x);
    else if (!direct)
        emit_vop2i(e, dbl ? VROUNDPD : VROUNDPS, t, operand_reg(x),
                   (unsigned)fp_round_imm(round | IR_FP_EXACT) | (silent ? 8 : 0));
    emit_vop2(e, cvt_vop(dbl, round != IR_ROUND_DYN, uns), d, operand_reg(t));
    if (silent)
        emit_vop2(e, cvt_vop(dbl, true, uns), f, operand_reg(x));
    fp_site_end(e);
}

void sel_vi2f(Emit *e, IrInsn *i)
{
    bool dbl = is_dbl(i), uns = i->attr & IR_FP_UNSIGNED;
    if ((i->attr & IR_FP_ROUND) != IR_ROUND_DYN || ((dbl || uns) && !e->cpu->avx512vl)) {
        fp_slow(e, i);
        return;
    }
    Arg a = arg_use(e, i, 0, FILL_ZERO);
    arg_temp(e, &a);
    Reg d = ra_def_late(e->ra, i);
    arg_fill(e, dbl, &a);
    low_result(i);
    site(e, i, d, a.reg, REG_NONE, REG_NONE);
    emit_vop2(e, dbl ? (uns ? ECVTUQQ2PD : ECVTQQ2PD) : uns ? ECVTUDQ2PS : VCVTDQ2PS, d,
              operand_reg(a.low));
    if (i->imm)
        emit_vop3(e, packed(VFMUL, dbl), d, d, operand_mem(dup_fp(e, dbl, -(int)i->imm, false)));
    fp_site_end(e);
}

void sel_vfcvtl(Emit *e, IrInsn *i)
{
    bool half = i->cc == IR_LANE_F16;
    if ((half && (!e->cpu->f16c || i->attr & IR_FP_AHP))) {
        fp_slow(e, i);
        return;
    }
    if (slow(e, i, false))
        return;
    bool high = i->attr & IR_FP_HIGH;
    Reg a = ra_use(e->ra, i->arg[0]), t = high ? ra_temp_xmm(e->ra) : a, d = ra_def_late(e->ra, i);
    if (high)
        emit_vop2i(e, VPSHUFD, t, operand_reg(a), 0xee);
    site(e, i, d, a, REG_NONE, REG_NONE);
    emit_vop2(e, half ? VCVTPH2PS : VCVTPS2PD, d, operand_reg(t));
    fp_site_end(e);
}

void sel_vfcvtn(Emit *e, IrInsn *i)
{
    bool to_half = i->cc == IR_LANE_F32;
    if (to_half && (!e->cpu->f16c || i->attr & IR_FP_AHP)) {
        fp_slow(e, i);
        return;
    }
    if (slow(e, i, true))
        return;
    bool tiny = !to_half && i->attr & IR_FP_FLUSH;
    Reg a = ra_use(e->ra, i->arg[0]), t = tiny ? ra_temp_xmm(e->ra) : REG_NONE;
    Reg d = tiny ? ra_def(e->ra, i) : ra_def_late(e->ra, i);
    i->attr |= FP_UPPER64_ZERO;
    site(e, i, d, a, REG_NONE, REG_NONE);
    if (to_half) { /* the destination is in ModRM.rm */
        enc_vex(e, 0x66, 3, false, 0, 0x1d, a, REG_NONE, operand_reg(d), 1);
        emit8(e, 4);
    } else {
        emit_vop2(e, VCVTPD2PS, d, operand_reg(a));
    }
    if (tiny)
        fp_probe_tiny(e, packed(VFMUL, false), false, t, d);
    fp_site_end(e);
}
