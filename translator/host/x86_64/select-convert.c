/* data plane */
/* Conversions between floating-point formats, integers and bits: see fp-site.h for exactness. */
#include "translator/host/x86_64/select-float.h"

static UnitFpSite *site1(Emit *e, IrInsn *i, Reg dst, Reg src)
{
    UnitFpSite *s = fp_site_begin(e, i);
    s->dst = fp_in(dst);
    s->src[0] = fp_in(src);
    s->src[1] = s->src[2] = fp_in(REG_NONE);
    return s;
}

static IrType arg_type(Emit *e, const IrInsn *i) { return e->unit->insn[i->arg[0]].type; }

/* d = a's low 32 bits, the rest 0 */
static void clear_above32(Emit *e, Reg d, Reg a)
{
    emit_vop3i(e, VINSERTPS, d, a, operand_reg(a), 0x0e);
}

/* Does a vector get the result, above which is nothing then? A result of something unknown in the
 * half above would be cleared there, and so would all that is computed of it. */
static bool goes_to_vector(Emit *e, const IrInsn *i)
{
    const IrInsn *next = i->next ? &e->unit->insn[i->next] : NULL;
    return e->cpu->avx && next && next->op == IR_vfroms && e->unit->insn + next->arg[0] == i;
}

void sel_fcvt(Emit *e, IrInsn *i)
{
    bool to_dbl = i->type == IR_F64;
    if (fp_needs_slow(e, i, !to_dbl)) {
        fp_slow(e, i);
        return;
    }
    bool canonical = fp_canonical_wanted(e, i);
    if (canonical && fp_checks(e))
        flags_clobber(e);
    bool zero = fp_upper_zero(e, i->arg[0], false), tiny = !to_dbl && i->attr & IR_FP_FLUSH;
    Reg a = ra_use(e->ra, i->arg[0]), t = tiny ? ra_temp_xmm(e->ra) : REG_NONE;
    bool clear = !zero && to_dbl && goes_to_vector(e, i);
    Reg ct = fp_canonical_temp(e, canonical), d = ra_def(e->ra, i);
    if (clear)
        emit_vzero(e, d);
    site1(e, i, d, a);
    if (!to_dbl && zero) { /* the packed form converts a zero above: the result's rest is 0 */
        emit_vop2(e, VCVTPD2PS, d, operand_reg(a));
        i->attr |= FP_UPPER96_ZERO;
    } else {
        if (clear)
            emit_vop3(e, VCVTSS2SD, d, d, operand_reg(a));
        else
            emit_vscalar2(e, to_dbl ? VCVTSS2SD : VCVTSD2SS, d, a);
        if (zero || clear)
            i->attr |= FP_UPPER64_ZERO;
    }
    if (tiny)
        fp_probe_tiny(e, fp_scalar_vop(VFMUL, false), false, t, d);
    fp_site_end(e);
    if (canonical)
        fp_canonical(e, i, d, ct);
}

void sel_h2f(Emit *e, IrInsn *i)
{
    if (!e->cpu->f16c || i->attr & IR_FP_AHP || fp_needs_slow(e, i, false)) {
        fp_slow(e, i);
        return;
    }
    bool canonical = fp_canonical_wanted(e, i);
    if (canonical && fp_checks(e))
        flags_clobber(e);
    Reg a = ra_use(e->ra, i->arg[0]), g = ra_temp_gpr(e->ra);
    Reg ct = fp_canonical_temp(e, canonical), d = ra_def(e->ra, i);
    site1(e, i, d, a);
    enc_movzx(e, 2, g, operand_reg(a));
    emit_vfrom_gpr(e, false, d, g);
    emit_vop2(e, VCVTPH2PS, d, operand_reg(d));
    if (i->type == IR_F64)
        emit_vscalar2(e, VCVTSS2SD, d, d);
    fp_site_end(e);
    i->attr |= i->type == IR_F64 ? FP_UPPER64_ZERO : FP_UPPER96_ZERO;
    if (canonical)
        fp_canonical(e, i, d, ct);
}

/* From f64 in two steps would round twice. */
void sel_f2h(Emit *e, IrInsn *i)
{
    if (!e->cpu->f16c || arg_type(e, i) != IR_F32 || i->attr & IR_FP_AHP
        || (i->attr & IR_FP_NAN) != IR_FP_NAN_ARM || fp_needs_slow(e, i, true)) {
        fp_slow(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    site1(e, i, d, a);
    clear_above32(e, t, a); /* its other lanes must raise nothing */
    enc_vex(e, 0x66, 3, false, 0, 0x1d, t, REG_NONE, operand_reg(t), 1);
    emit8(e, 4); /* rounding from MXCSR */
    emit_vto_gpr(e, false, d, t);
    fp_site_end(e);
}

/* x times 2^fraction, clamped so that the product doesn't overflow to infinity with flags of its
 * own: it is out of the integers' range anyway. */
static void scale_up(Emit *e, bool dbl, Reg t, Reg x, unsigned fraction)
{
    uint64_t big = dbl ? (1023ull + 1000 - fraction) << 52 : (127u + 100 - fraction) << 23;
    uint64_t sign = dbl ? 1ull << 63 : 1u << 31;
    emit_vop3(e, fp_scalar_vop(VFMIN, dbl), t, x, operand_mem(enc_pool128(e, big, 0)));
    emit_vop3(e, fp_scalar_vop(VFMAX, dbl), t, t, operand_mem(enc_pool128(e, big | sign, 0)));
    uint64_t factor = dbl ? (1023ull + fraction) << 52 : (127ull + fraction) << 23;
    emit_vop3(e, fp_scalar_vop(VFMUL, dbl), t, t, operand_mem(enc_pool128(e, factor, 0)));
}

static void cvt_int(Emit *e, IrInsn *i, bool dbl, bool trunc, bool uns, Reg d, Reg x)
{
    bool w = i->type == IR_I64;
    if (uns) {
        Vop op = dbl ? (trunc ? ECVTTSD2USI : ECVTSD2USI) : trunc ? ECVTTSS2USI : ECVTSS2USI;
        emit_vop2(e, op | (w ? VOP_W : 0), d, operand_reg(x));
    } else {
        emit_cvt_f2i(e, dbl, trunc, w, d, operand_reg(x));
    }
}

static void cold_f2i(Emit *e, Cold *c)
{
    emit_vstore_scalar(e, true, MEM_STATE(scratch[0]), c->r[1]);
    emit_call_fn(e, FP_FN_SCALAR, c->v[0]);
    enc_load(e, true, c->r[0], MEM_STATE(scratch[0]));
    enc_jmp(e, &c->back);
}

/* Values from 0 to below 2^limit have bit patterns below 2^limit's: all others (NaNs too) go the
 * slow way, which comes back to the label the caller binds. */
static Cold *range_check(Emit *e, IrInsn *i, bool dbl, unsigned limit, Reg d, Reg x, Reg g, Reg h)
{
    Cold *c = emit_cold(e, cold_f2i, i);
    c->r[0] = d;
    c->r[1] = x;
    c->v[0] = fp_fn_word(i, dbl ? IR_F64 : IR_F32);
    emit_vto_gpr(e, dbl, g, x);
    if (dbl) {
        enc_mov_ri(e, h, (1023ull + limit) << 52);
        enc_alu(e, ALU_CMP, true, g, operand_reg(h));
    } else {
        enc_alu_i(e, ALU_CMP, false, operand_reg(g), (int32_t)((127u + limit) << 23));
    }
    enc_jcc(e, CC_AE, &c->enter);
    return c;
}

/* Without AVX-512 the host converts to signed integers only. */
static void f2i_unsigned_sse(Emit *e, IrInsn *i)
{
    bool dbl = arg_type(e, i) == IR_F64;
    if ((i->attr & IR_FP_ROUND) != IR_ROUND_ZERO || i->imm || i->attr & IR_FP_FLUSH) {
        fp_slow(e, i);
        return;
    }
    flags_clobber(e);
    Reg x = ra_use(e->ra, i->arg[0]);
    Reg g = ra_temp_gpr(e->ra), h = ra_temp_gpr(e->ra), d = ra_def(e->ra, i);
    Cold *c = range_check(e, i, dbl, i->type == IR_I32 ? 32 : 63, d, x, g, h);
    emit_cvt_f2i(e, dbl, true, true, d, operand_reg(x));
    enc_bind(e, &c->back);
}

/* Rounding to integral first: where that could raise inexact although the conversion turns out to
 * be invalid, it is done silently and a truncating conversion of the operand raises inexact. */
static void f2i_rounded(Emit *e, IrInsn *i, bool dbl, bool uns, Reg d, Reg x, Reg t, Reg f, Reg g)
{
    unsigned round = i->attr & IR_FP_ROUND;
    bool silent = g != REG_NONE;
    if (round == IR_ROUND_AWAY)
        fp_round_away(e, dbl, t, f, x);
    else
        emit_vscalar2i(e, dbl ? VROUNDSD : VROUNDSS, t, x,
                       (unsigned)fp_round_imm(round | IR_FP_EXACT) | (silent ? 8 : 0));
    cvt_int(e, i, dbl, true, uns, d, t);
    if (silent)
        cvt_int(e, i, dbl, true, uns, g, x);
}

/* To `out` for NaNs and what is surely or nearly out of range. */
static void range_test(Emit *e, const IrInsn *i, bool dbl, bool uns, Reg x, Label *out)
{
    int bits = (i->type == IR_I64 ? 64 : 32) - !uns - (int)i->imm;
    uint64_t limit = dbl ? (uint64_t)(1023 + bits) << 52 : (uint64_t)(127 + bits) << 23;
    uint64_t low = uns ? 0 : limit | (dbl ? 1ull << 63 : 1ull << 31);
    fp_ucomis(e, dbl, false, x, operand_mem(enc_pool128(e, low, 0)));
    enc_jcc(e, CC_B, out);
    fp_ucomis(e, dbl, false, x, operand_mem(enc_pool128(e, limit, 0)));
    enc_jcc(e, CC_AE, out);
}

/* d = x truncated, modulo 2^32, where its magnitude is from 2^31 on (c->r: d, x, temporaries). */
static void cold_f2i_wrap(Emit *e, Cold *c)
{
    Reg d = c->r[0], x = c->r[1], t = c->r[2], g = c->r[3], h = c->r[4];
    Label slow = LABEL_INIT;
    enc_mov_ri(e, h, (1023ull + 63) << 53);
    enc_alu(e, ALU_CMP, true, g, operand_reg(h));
    enc_jcc(e, CC_AE, &slow);
    emit_vscalar2i(e, VROUNDSD, t, x, 3 | 8);
    emit_cvt_f2i(e, true, true, true, g, operand_reg(t));
    enc_movsx(e, 4, true, h, operand_reg(g));
    enc_alu(e, ALU_CMP, true, g, operand_reg(h));
    enc_jcc(e, CC_E, &slow); /* -2^31 and a fraction */
    enc_mov_rr(e, false, d, g);
    enc_alu_i(e, ALU_OR, false, operand_mem(MEM_STATE(fp_sticky)), IR_FPX_INVALID);
    enc_jmp(e, &c->back);
    enc_bind(e, &slow);
    cold_f2i(e, c);
}

/* Arm's FPToFixedJS. Sums that JavaScript takes as integers stay within 32 bits mostly, and within
 * 64 nearly always. The bound is looked at in the bits (twice the operand: without its sign), so
 * that nothing is raised but what the conversion itself raises. */
static void f2i_wrap(Emit *e, IrInsn *i)
{
    flags_clobber(e);
    Reg x = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra);
    Reg g = ra_temp_gpr(e->ra), h = ra_temp_gpr(e->ra), d = ra_def(e->ra, i);
    Cold *c = emit_cold(e, cold_f2i_wrap, i);
    const Reg regs[5] = { d, x, t, g, h };
    memcpy(c->r, regs, sizeof regs);
    c->v[0] = fp_fn_word(i, IR_F64);
    emit_vto_gpr(e, true, g, x);
    enc_mov_ri(e, h, (1023ull + 31) << 53);
    enc_alu(e, ALU_ADD, true, g, operand_reg(g));
    enc_alu(e, ALU_CMP, true, g, operand_reg(h));
    enc_jcc(e, CC_AE, &c->enter);
    site1(e, i, d, x); /* inexact may trap */
    emit_cvt_f2i(e, true, true, false, d, operand_reg(x));
    fp_site_end(e);
    enc_bind(e, &c->back);
}

/* What is in range is rounded first, which raises nothing, as the conversion then. */
static void f2i_silent(Emit *e, IrInsn *i, bool dbl, bool uns)
{
    flags_clobber(e);
    Reg x = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    Cold *c = emit_cold(e, cold_f2i, i);
    c->r[0] = d;
    c->r[1] = x;
    c->v[0] = fp_fn_word(i, dbl ? IR_F64 : IR_F32);
    site1(e, i, d, x); /* a signalling NaN traps */
    range_test(e, i, dbl, uns, x, &c->enter);
    emit_vscalar2i(e, dbl ? VROUNDSD : VROUNDSS, t, x, 3 | 8);
    cvt_int(e, i, dbl, true, uns, d, t);
    fp_site_end(e);
    enc_bind(e, &c->back);
}

/* Out of range operands and NaNs are invalid on the host as well, and the repair gives the guest's
 * result for them. */
void sel_f2i(Emit *e, IrInsn *i)
{
    bool dbl = arg_type(e, i) == IR_F64, uns = i->attr & IR_FP_UNSIGNED;
    unsigned round = i->attr & IR_FP_ROUND;
    bool sse_silent = i->attr & IR_FP_SILENT && uns && !e->cpu->avx512vl;
    if (fp_needs_slow(e, i, false) || round == IR_ROUND_ODD || sse_silent) {
        fp_slow(e, i);
        return;
    }
    if (i->attr & IR_FP_WRAP) {
        if (i->attr & IR_FP_FLUSH)
            fp_slow(e, i);
        else
            f2i_wrap(e, i);
        return;
    }
    if (uns && !e->cpu->avx512vl) {
        f2i_unsigned_sse(e, i);
        return;
    }
    if (i->attr & IR_FP_SILENT) {
        f2i_silent(e, i, dbl, uns);
        return;
    }
    bool away = round == IR_ROUND_AWAY, direct = round == IR_ROUND_ZERO || round == IR_ROUND_DYN;
    bool silent = !direct && (uns || (dbl && i->type == IR_I32) || away);
    if (fp_checks(e))
        flags_clobber(e);
    Reg x = ra_use(e->ra, i->arg[0]);
    Reg from = i->imm ? ra_temp_xmm(e->ra) : x;
    bool probe = i->attr & IR_FP_FLUSH && !i->imm, check = fp_checks(e);
    Reg t = direct && !probe ? REG_NONE : ra_temp_xmm(e->ra),
        f = away ? ra_temp_xmm(e->ra) : REG_NONE;
    Reg g = silent ? ra_temp_gpr(e->ra) : REG_NONE;
    Reg d = ra_def(e->ra, i);
    site1(e, i, d, x);
    Cold *c = check ? fp_site_cold(e, i) : NULL;
    if (check)
        range_test(e, i, dbl, uns, x, &c->enter);
    if (i->imm)
        scale_up(e, dbl, from, x, (unsigned)i->imm);
    if (probe)
        fp_probe(e, i, fp_scalar_vop(VFMIN, dbl), t, x, operand_reg(x));
    if (direct)
        cvt_int(e, i, dbl, round == IR_ROUND_ZERO, uns, d, from);
    else
        f2i_rounded(e, i, dbl, uns, d, from, t, f, g);
    fp_site_end(e);
    if (check)
        enc_bind(e, &c->back);
}

/* Fixed-point: exact, since no integer is so small that this underflows. */
static void scale_down(Emit *e, const IrInsn *i, Reg d)
{
    bool dbl = i->type == IR_F64;
    uint64_t factor = dbl ? (1023ull - i->imm) << 52 : (127ull - i->imm) << 23;
    if (i->imm)
        emit_vop3(e, fp_scalar_vop(VFMUL, dbl), d, d, operand_mem(enc_pool128(e, factor, 0)));
}

/* An unsigned operand from 2^63 on (c->r: d, a, temporaries), halved with what was lost kept in the
 * lowest bit, which rounds as the whole does. */
static void cold_i2f_high(Emit *e, Cold *c)
{
    Reg d = c->r[0], a = c->r[1], g = c->r[2], h = c->r[3];
    bool dbl = c->insn->type == IR_F64;
    enc_mov_rr(e, true, g, a);
    enc_mov_rr(e, true, h, a);
    enc_shift_i(e, SH_SHR, true, g, 1);
    enc_alu_i(e, ALU_AND, false, operand_reg(h), 1);
    enc_alu(e, ALU_OR, true, g, operand_reg(h));
    site1(e, c->insn, d, a);
    emit_cvt_i2f(e, dbl, true, d, operand_reg(g));
    emit_vrrr(e, fp_scalar_vop(VFADD, dbl), d, d, d);
    scale_down(e, c->insn, d);
    fp_site_end(e);
    enc_jmp(e, &c->back);
}

/* Not by MXCSR's rounding mode: what is exact in the result's format, the same in every mode, is
 * converted in line. */
static Cold *exact_check(Emit *e, IrInsn *i, bool uns, Reg a, Reg g)
{
    Cold *c = fp_site_cold(e, i);
    bool w = arg_type(e, i) == IR_I64;
    enc_mov_rr(e, w, g, a);
    enc_shift_i(e, uns ? SH_SHR : SH_SAR, w, g, i->type == IR_F64 ? 53 : 24);
    if (!uns)
        enc_alu_i(e, ALU_ADD, w, operand_reg(g), 1);
    enc_alu_i(e, ALU_CMP, w, operand_reg(g), !uns);
    enc_jcc(e, CC_A, &c->enter);
    return c;
}

void sel_i2f(Emit *e, IrInsn *i)
{
    bool dbl = i->type == IR_F64, uns = i->attr & IR_FP_UNSIGNED;
    bool from32 = arg_type(e, i) == IR_I32;
    bool asks = !(dbl && from32) && (i->attr & IR_FP_ROUND) != IR_ROUND_DYN;
    bool high = uns && !from32 && !e->cpu->avx512vl && !asks;
    if (asks || high)
        flags_clobber(e);
    Reg a = ra_use(e->ra, i->arg[0]);
    Reg g = asks || high || (uns && from32) ? ra_temp_gpr(e->ra) : REG_NONE;
    Reg h = high ? ra_temp_gpr(e->ra) : REG_NONE;
    Reg d = ra_def(e->ra, i);
    Cold *c = NULL;
    site1(e, i, d, a); /* inexact may trap */
    if (asks) {
        c = exact_check(e, i, uns, a, g);
    } else if (high) {
        c = emit_cold(e, cold_i2f_high, i);
        const Reg regs[4] = { d, a, g, h };
        memcpy(c->r, regs, sizeof regs);
        enc_test(e, true, a, a);
        enc_jcc(e, CC_S, &c->enter);
    }
    if (uns && !from32 && !high && !asks) {
        emit_vzero(e, d);
        emit_vop3(e, (dbl ? ECVTUSI2SD : ECVTUSI2SS) | VOP_W, d, d, operand_reg(a));
    } else if (uns && from32) {
        enc_mov_rr(e, false, g, a);
        emit_cvt_i2f(e, dbl, true, d, operand_reg(g));
    } else {
        emit_cvt_i2f(e, dbl, !from32, d, operand_reg(a));
    }
    scale_down(e, i, d);
    fp_site_end(e);
    if (c)
        enc_bind(e, &c->back);
    i->attr |= dbl ? FP_UPPER64_ZERO : FP_UPPER96_ZERO;
}

void sel_f2bits(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
    emit_vto_gpr(e, i->type == IR_I64, d, a);
}

void sel_bits2f(Emit *e, IrInsn *i)
{
    bool dbl = i->type == IR_F64;
    uint64_t bits;
    if (ra_is_const(e->ra, i->arg[0], &bits)) {
        Reg d = ra_def(e->ra, i);
        if (!dbl)
            bits = (uint32_t)bits;
        if (bits)
            emit_vload_scalar(e, dbl, d, enc_pool128(e, bits, 0));
        else
            emit_vzero(e, d);
    } else {
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
        emit_vfrom_gpr(e, dbl, d, a);
    }
    i->attr |= dbl ? FP_UPPER64_ZERO : FP_UPPER96_ZERO;
}

#define BOX (0xffffffffull << 32)

void sel_fbox(Emit *e, IrInsn *i)
{
    if (fp_upper_zero(e, i->arg[0], false))
        i->attr |= FP_UPPER64_ZERO;
    Mem ones = enc_pool128(e, BOX, 0);
    Reg a, d;
    if (e->cpu->avx) {
        a = ra_use(e->ra, i->arg[0]);
        d = ra_def_late(e->ra, i);
    } else {
        a = d = ra_def_over(e->ra, i, i->arg[0]);
    }
    emit_vop3(e, VPOR, d, a, operand_mem(ones));
}

static void cold_unbox(Emit *e, Cold *c)
{
    emit_vload_scalar(e, false, c->r[0], enc_pool128(e, 0x7fc00000, 0));
    enc_jmp(e, &c->back);
}

/* VPTEST sets carry when every bit of the mask is set in the value. */
void sel_funbox(Emit *e, IrInsn *i)
{
    enum { VPTEST = VOP(0x66, 2, 0x17) };
    const IrInsn *from = ra_insn(e->ra, i->arg[0]);
    if (i->attr & IR_FP_BOXED || (from && from->op == IR_fbox)) {
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
        emit_vmov(e, d, a);
        return;
    }
    flags_clobber(e);
    Cold *c = emit_cold(e, cold_unbox, i);
    Reg d = ra_def_over(e->ra, i, i->arg[0]);
    c->r[0] = d;
    emit_vop2(e, VPTEST, d, operand_mem(enc_pool128(e, BOX, 0)));
    enc_jcc(e, CC_AE, &c->enter);
    enc_bind(e, &c->back);
}
