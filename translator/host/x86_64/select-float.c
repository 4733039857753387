/* data plane */
/*
 * Scalar floating point: arithmetic, minimum and maximum, comparison, rounding to integral. The
 * conversions are in select-convert.c, exactness is explained in fp-site.h.
 */
#include "translator/host/x86_64/select-float.h"

#include "translator/guest/isa.h"

Vop fp_scalar_vop(Vop packed, bool dbl) { return vop_pfx(packed, dbl ? 0xf2 : 0xf3); }

Mem fp_sign_mask(Emit *e, bool dbl)
{
    return dbl ? enc_pool128(e, 1ull << 63, 0) : enc_pool128(e, 1ull << 31, 0);
}

void fp_ucomis(Emit *e, bool dbl, bool signalling, Reg a, Operand b)
{
    emit_vop2(e, vop_pfx(signalling ? VCOMIS : VUCOMIS, dbl ? 0x66 : 0), a, b);
}

bool fp_needs_slow(Emit *e, const IrInsn *i, bool rounds)
{
    unsigned round = i->attr & IR_FP_ROUND;
    /* a site that traps often while flushing gives denormal results */
    return (rounds && round != IR_ROUND_DYN) || (fp_checks(e) && i->attr & IR_FP_FLUSH);
}

/* An operation that gives the default NaN for any NaN operand, so that the payload of its own
 * operands can't be seen. */
static bool hides_payload(const IrInsn *u)
{
    switch (u->op) {
    case IR_fadd: case IR_fsub: case IR_fmul: case IR_fdiv: case IR_fsqrt: case IR_fma:
    case IR_fmin: case IR_fmax: case IR_fround: case IR_fcvt:
        return (u->attr & IR_FP_NAN) == IR_FP_NAN_DEFAULT;
    case IR_fcmp: case IR_flfcmp: case IR_f2i:
        return true;
    default:
        return false;
    }
}

/* Looks at every use of i's value in the block. */
static bool payload_visible(Emit *e, const IrInsn *i)
{
    enum { FAR = 256 };
    const IrInsn *insn = e->unit->insn;
    IrRef self = i - insn;
    uint32_t found = 0, n = 0;
    for (IrRef r = i->next; r && n < FAR && found < i->uses; r = insn[r].next, n++) {
        for (unsigned k = 0; k < 4; k++) {
            if (insn[r].arg[k] != self)
                continue;
            if (!hides_payload(&insn[r]))
                return true;
            found++;
        }
    }
    return found < i->uses || !i->uses;
}

bool fp_canonical_wanted(Emit *e, const IrInsn *i)
{
    return (i->attr & IR_FP_NAN) == IR_FP_NAN_DEFAULT && !(i->attr & IR_FP_NAN_LOOSE) &&
           payload_visible(e, i);
}

static void load_default_nan(Emit *e, bool dbl, Reg d)
{
    emit_vload_scalar(e, dbl, d, enc_pool128(e, dbl ? 0x7ff8ull << 48 : 0x7fc00000, 0));
}

static void cold_canonical(Emit *e, Cold *c)
{
    load_default_nan(e, c->insn->type == IR_F64, c->r[0]);
    enc_jmp(e, &c->back);
}

Reg fp_canonical_temp(Emit *e, bool wanted)
{
    return wanted && !fp_checks(e) ? ra_temp_xmm(e->ra) : REG_NONE;
}

/* A minimum, whose result isn't used, traps for a NaN; the repair adds the value to itself, which
 * makes the NaN the default one. */
void fp_canonical(Emit *e, IrInsn *i, Reg r, Reg t)
{
    if (t != REG_NONE) {
        UnitFpSite *s = fp_site_begin(e, i);
        s->op = IR_fadd;
        s->arg_type = i->type;
        s->attr = IR_FP_NAN_DEFAULT;
        s->imm = 0;
        s->dst = s->src[0] = s->src[1] = fp_in(r);
        s->src[2] = fp_in(REG_NONE);
        emit_vrrr(e, fp_scalar_vop(VFMIN, i->type == IR_F64), t, r, r);
        fp_site_end(e);
        return;
    }
    Cold *c = emit_cold(e, cold_canonical, i);
    c->r[0] = r;
    fp_ucomis(e, i->type == IR_F64, false, r, operand_reg(r));
    enc_jcc(e, CC_P, &c->enter);
    enc_bind(e, &c->back);
}

static void keep_upper(Emit *e, IrInsn *i, IrRef from)
{
    if (fp_upper_zero(e, from, true))
        i->attr |= FP_UPPER96_ZERO;
    else if (fp_upper_zero(e, from, false))
        i->attr |= FP_UPPER64_ZERO;
}

/* Before an operation that doesn't raise the denormal operand exception itself in every case. */
void fp_probe(Emit *e, const IrInsn *i, Vop min, Reg t, Reg x, Operand y)
{
    if (i->attr & IR_FP_FLUSH)
        emit_vop3(e, min, t, x, y);
}

/* IR_FP_FLUSH, after an operation whose result may have been rounded up to the smallest normal
 * number: half of it underflows, which traps. The result's register must be no operand's. */
void fp_probe_tiny(Emit *e, Vop mul, bool dbl, Reg t, Reg d)
{
    uint64_t half = dbl ? 1022ull << 52 : 0x3f0000003f000000u;
    emit_vop3(e, mul, t, d, operand_mem(enc_pool128(e, half, half)));
}

static Vop binary_vop(IrOp op)
{
    switch (op) {
    case IR_fadd: return VFADD;
    case IR_fsub: return VFSUB;
    case IR_fmul: return VFMUL;
    default: return VFDIV;
    }
}

/* Goes to `inf` if x is an infinity. */
static void branch_infinite(Emit *e, bool dbl, Reg t, Reg x, Label *inf)
{
    emit_vop3(e, VPAND, t, x, operand_mem(enc_pool128(e, dbl ? ~0ull >> 1 : INT32_MAX, 0)));
    fp_ucomis(e, dbl, false, t, operand_mem(enc_pool128(e, dbl ? 0x7ffull << 52 : 0xffu << 23, 0)));
    enc_jcc(e, CC_E_AND_NP, inf);
}

static void branch_zero(Emit *e, bool dbl, Reg x, Label *zero)
{
    fp_ucomis(e, dbl, false, x, operand_mem(enc_pool128(e, 0, 0)));
    enc_jcc(e, CC_E_AND_NP, zero);
}

/* In units whose sites trapped often: to where what makes a NaN of numbers, or nearly, is told from
 * the rest. What quiet NaNs give is the host's result. */
static void check_invalid(Emit *e, const IrInsn *i, Reg t, Reg a, Reg b, Label *nearly)
{
    bool dbl = i->type == IR_F64;
    branch_infinite(e, dbl, t, a, nearly);
    if (i->op == IR_fmul)
        branch_infinite(e, dbl, t, b, nearly);
    if (i->op == IR_fdiv)
        branch_zero(e, dbl, b, nearly);
}

/* r[0]: a temporary; v[0]: number of the site. */
static void cold_binary(Emit *e, Cold *c)
{
    IrInsn *i = c->insn;
    bool dbl = i->type == IR_F64;
    UnitFpSite *s = fp_site_begin(e, i);
    const UnitFpSite *first = &e->fp_sites[c->v[0]];
    memcpy(s->src, first->src, sizeof s->src);
    s->dst = first->dst;
    Reg a = s->src[0].reg, b = s->src[1].reg, d = s->dst.reg;
    Label invalid = LABEL_INIT;
    if (i->op == IR_fmul) { /* one of them is infinite */
        branch_zero(e, dbl, a, &invalid);
        branch_zero(e, dbl, b, &invalid);
    } else { /* the first is infinite or, of a division, the second is 0 */
        branch_infinite(e, dbl, c->r[0], b, &invalid);
        if (i->op == IR_fdiv)
            branch_zero(e, dbl, a, &invalid);
    }
    emit_vop3(e, fp_scalar_vop(binary_vop(i->op), dbl), d, a, operand_reg(b));
    fp_site_end(e);
    enc_jmp(e, &c->back);
    enc_bind(e, &invalid);
    fp_site_slow(e, c);
}

static void sel_binary(Emit *e, IrInsn *i)
{
    if (fp_needs_slow(e, i, true)) {
        fp_slow(e, i);
        return;
    }
    bool canonical = fp_canonical_wanted(e, i), check = fp_checks(e), dbl = i->type == IR_F64;
    if (check)
        flags_clobber(e);
    keep_upper(e, i, i->arg[0]);
    /* beside a NaN, or divided by zero, a denormal isn't raised: a minimum traps for NaNs too */
    bool probe = i->attr & IR_FP_FLUSH;
    bool tiny = probe && (i->op == IR_fmul || i->op == IR_fdiv);
    Reg a, d, t = REG_NONE, ct;
    Operand b = operand_reg(REG_NONE);
    if (e->cpu->avx) {
        a = ra_use(e->ra, i->arg[0]);
        b = check ? operand_reg(ra_use(e->ra, i->arg[1])) : ra_use_rm(e->ra, i->arg[1]);
        if (probe || check)
            t = ra_temp_xmm(e->ra);
        ct = fp_canonical_temp(e, canonical);
        d = tiny ? ra_def(e->ra, i) : ra_def_late(e->ra, i);
    } else if (tiny) {
        a = ra_use(e->ra, i->arg[0]);
        b = operand_reg(ra_use(e->ra, i->arg[1]));
        t = ra_temp_xmm(e->ra);
        ct = fp_canonical_temp(e, canonical);
        d = ra_def(e->ra, i);
    } else {
        b = check ? operand_reg(ra_use(e->ra, i->arg[1])) : ra_use_rm(e->ra, i->arg[1]);
        if (probe || check)
            t = ra_temp_xmm(e->ra);
        ct = fp_canonical_temp(e, canonical);
        a = d = ra_def_over(e->ra, i, i->arg[0]);
    }
    UnitFpSite *s = fp_site_begin(e, i);
    s->dst = fp_in(d);
    s->src[0] = fp_in(a);
    s->src[1] = fp_at(b);
    s->src[2] = fp_in(REG_NONE);
    if (probe)
        fp_probe(e, i, fp_scalar_vop(VFMIN, dbl), t, a, b);
    Cold *c = check ? emit_cold(e, cold_binary, i) : NULL;
    if (check) {
        c->v[0] = e->n_fp_sites - 1;
        c->r[0] = t;
        check_invalid(e, i, t, a, b.reg, &c->enter);
    }
    emit_vop3(e, fp_scalar_vop(binary_vop(i->op), dbl), d, a, b);
    if (tiny)
        fp_probe_tiny(e, fp_scalar_vop(VFMUL, dbl), dbl, t, d);
    fp_site_end(e);
    if (check)
        enc_bind(e, &c->back);
    if (canonical)
        fp_canonical(e, i, d, ct);
}

/* One operand, the upper bits of the result from the operand's register. */
static void unary(Emit *e, IrInsn *i, Vop op, int imm)
{
    bool probe = i->op == IR_fround && i->attr & IR_FP_FLUSH;
    bool canonical = fp_canonical_wanted(e, i), check = i->op == IR_fsqrt && fp_checks(e);
    /* Rounding silently by the dynamic mode doesn't trap when that is one the host hasn't. */
    bool away = i->op == IR_fround && imm == (4 | 8) && i->attr & IR_FP_TINY_AFTER;
    if ((canonical && fp_checks(e)) || check || away)
        flags_clobber(e);
    keep_upper(e, i, i->arg[0]);
    Reg a, d, t, ct;
    if (e->cpu->avx) {
        a = ra_use(e->ra, i->arg[0]);
        t = probe ? ra_temp_xmm(e->ra) : REG_NONE;
        ct = fp_canonical_temp(e, canonical);
        d = ra_def_late(e->ra, i);
    } else {
        t = probe ? ra_temp_xmm(e->ra) : REG_NONE;
        ct = fp_canonical_temp(e, canonical);
        a = d = ra_def_over(e->ra, i, i->arg[0]);
    }
    UnitFpSite *s = fp_site_begin(e, i);
    s->dst = fp_in(d);
    s->src[0] = fp_in(a);
    s->src[1] = s->src[2] = fp_in(REG_NONE);
    if (probe)
        fp_probe(e, i, fp_scalar_vop(VFMIN, i->type == IR_F64), t, a, operand_reg(a));
    Cold *c = check || away ? fp_site_cold(e, i) : NULL;
    if (away) {
        enc_alu_i(e, ALU_CMP, false, operand_mem(MEM_STATE(fp_control)), IR_ROUND_AWAY);
        enc_jcc(e, CC_E, &c->enter);
    }
    if (check) { /* below zero, and no NaN */
        Label by = LABEL_INIT;
        fp_ucomis(e, i->type == IR_F64, false, a, operand_mem(enc_pool128(e, 0, 0)));
        enc_jcc(e, CC_P, &by);
        enc_jcc(e, CC_B, &c->enter);
        enc_bind(e, &by);
    }
    if (imm < 0)
        emit_vscalar2(e, op, d, a);
    else
        emit_vscalar2i(e, op, d, a, imm);
    fp_site_end(e);
    if (c)
        enc_bind(e, &c->back);
    if (canonical)
        fp_canonical(e, i, d, ct);
}

static void sel_fsqrt(Emit *e, IrInsn *i)
{
    if (fp_needs_slow(e, i, true))
        fp_slow(e, i);
    else
        unary(e, i, fp_scalar_vop(VSQRT, i->type == IR_F64), -1);
}

int fp_round_imm(unsigned attr)
{
    static const int8_t mode[8] = { [IR_ROUND_DYN] = 4, [IR_ROUND_NEAREST] = 0, [IR_ROUND_UP] = 2,
                                    [IR_ROUND_DOWN] = 1, [IR_ROUND_ZERO] = 3, [IR_ROUND_AWAY] = -1,
                                    [IR_ROUND_ODD] = -1, [7] = -1 };
    int m = mode[attr & IR_FP_ROUND];
    return m < 0 ? m : m | (attr & IR_FP_EXACT ? 0 : 8);
}

/* t = x rounded to integral, ties away, without inexact. x stays; t and f are temporaries. With t0
 * = trunc(x) and the exact rest f = x - t0, trunc(f + f) is what is to be added. The sign is wrong
 * only for zeros. */
void fp_round_away(Emit *e, bool dbl, Reg t, Reg f, Reg x)
{
    Vop round = dbl ? VROUNDSD : VROUNDSS;
    emit_vscalar2i(e, round, t, x, 3 | 8);
    emit_vrrr(e, fp_scalar_vop(VFSUB, dbl), f, x, t);
    emit_vrrr(e, fp_scalar_vop(VFADD, dbl), f, f, f);
    emit_vscalar2i(e, round, f, f, 3 | 8);
    emit_vrrr(e, fp_scalar_vop(VFADD, dbl), t, t, f);
}

static void fround_away(Emit *e, IrInsn *i)
{
    bool dbl = i->type == IR_F64, canonical = fp_canonical_wanted(e, i);
    if (canonical && fp_checks(e))
        flags_clobber(e);
    Reg x = ra_use(e->ra, i->arg[0]);
    Reg t = ra_temp_xmm(e->ra), f = ra_temp_xmm(e->ra), ct = fp_canonical_temp(e, canonical);
    Reg d = ra_def(e->ra, i);
    UnitFpSite *s = fp_site_begin(e, i);
    s->dst = fp_in(d);
    s->src[0] = fp_in(x);
    s->src[1] = s->src[2] = fp_in(REG_NONE);
    fp_probe(e, i, fp_scalar_vop(VFMIN, dbl), t, x, operand_reg(x));
    fp_round_away(e, dbl, t, f, x);
    /* the sign of x; infinities make x - t invalid and are repaired */
    emit_vop3(e, VPAND, f, x, operand_mem(fp_sign_mask(e, dbl)));
    emit_vop3(e, VPAND, t, t, operand_mem(enc_pool128(e, dbl ? ~0ull >> 1 : INT32_MAX, 0)));
    emit_vrrr(e, VPOR, d, t, f);
    fp_site_end(e);
    i->attr |= dbl ? FP_UPPER64_ZERO : FP_UPPER96_ZERO;
    if (canonical)
        fp_canonical(e, i, d, ct);
}

static void sel_fround(Emit *e, IrInsn *i)
{
    int imm = fp_round_imm(i->attr);
    if (fp_needs_slow(e, i, false) || (imm < 0 && ((i->attr & IR_FP_ROUND) != IR_ROUND_AWAY
                                                   || i->attr & IR_FP_EXACT)))
        fp_slow(e, i);
    else if (imm < 0)
        fround_away(e, i);
    else
        unary(e, i, i->type == IR_F64 ? VROUNDSD : VROUNDSS, imm);
}

/* Can this value be no NaN? */
static bool never_nan(Emit *e, IrRef v, bool dbl)
{
    uint64_t bits;
    if (ra_is_const(e->ra, v, &bits))
        return dbl ? bits << 1 <= 0x7ffull << 53 : (uint32_t)bits << 1 <= 0xffu << 24;
    const IrInsn *i = ra_insn(e->ra, v);
    return i && i->op == IR_i2f;
}

/* The addend is a quiet NaN: so is the result, and nothing is raised but for factors that are
 * signalling (which traps) or infinity and zero. v[0]: number of the site. */
static void cold_fma(Emit *e, Cold *c)
{
    IrInsn *i = c->insn;
    bool dbl = i->type == IR_F64, arm = (i->attr & IR_FP_NAN) == IR_FP_NAN_ARM;
    UnitFpSite *s = fp_site_begin(e, i);
    const UnitFpSite *first = &e->fp_sites[c->v[0]];
    memcpy(s->src, first->src, sizeof s->src);
    s->dst = first->dst;
    Reg a = s->src[0].reg, b = s->src[1].reg, addend = s->src[2].reg, d = s->dst.reg;
    Label nan = LABEL_INIT, infinite = LABEL_INIT;
    fp_ucomis(e, dbl, false, a, operand_reg(b));
    enc_jcc(e, CC_P, &nan);
    branch_infinite(e, dbl, c->r[0], a, &infinite);
    branch_infinite(e, dbl, c->r[0], b, &infinite);
    enc_bind(e, &nan);
    if (!arm)
        load_default_nan(e, dbl, d);
    else if (i->attr & IR_FP_NEG_ADDEND)
        emit_vop3(e, VPXOR, d, addend, operand_mem(fp_sign_mask(e, dbl)));
    else if (d != addend)
        emit_vmov(e, d, addend);
    fp_site_end(e);
    enc_jmp(e, &c->back);
    enc_bind(e, &infinite);
    fp_site_slow(e, c);
}

/* Processors differ in which of several quiet NaNs a fused multiply-add gives, and most give the
 * addend's for an invalid product without raising anything. Arm wants the addend first, and an
 * invalid product to give the default NaN; RISC-V wants it raised: so with a NaN as the addend the
 * whole operation is the repair's work. A minimum, whose result isn't used, traps for it. Arm's
 * negations also flip the sign of a NaN, which the host's negating forms don't. */
static void sel_fma(Emit *e, IrInsn *i)
{
    if (!e->cpu->fma || fp_needs_slow(e, i, true)) {
        fp_slow(e, i);
        return;
    }
    bool dbl = i->type == IR_F64, canonical = fp_canonical_wanted(e, i);
    bool arm = (i->attr & IR_FP_NAN) == IR_FP_NAN_ARM;
    bool np = i->attr & IR_FP_NEG_PRODUCT, na = i->attr & IR_FP_NEG_ADDEND;
    bool probe = !never_nan(e, i->arg[2], dbl), check = probe && fp_checks(e);
    if ((canonical && fp_checks(e)) || check)
        flags_clobber(e);
    keep_upper(e, i, i->arg[2]);
    Reg a = ra_use(e->ra, i->arg[0]), factor = a;
    Operand b = check ? operand_reg(ra_use(e->ra, i->arg[1])) : ra_use_rm(e->ra, i->arg[1]);
    bool flush = i->attr & IR_FP_FLUSH, keep = flush || (arm && na);
    Reg c = keep ? ra_use(e->ra, i->arg[2]) : REG_NONE;
    Reg t = probe || (arm && np) || flush ? ra_temp_xmm(e->ra) : REG_NONE;
    Reg ct = fp_canonical_temp(e, canonical);
    Reg d = keep ? ra_def(e->ra, i) : ra_def_over(e->ra, i, i->arg[2]);
    UnitFpSite *s = fp_site_begin(e, i);
    s->dst = fp_in(d);
    s->src[0] = fp_in(a);
    s->src[1] = fp_at(b);
    s->src[2] = fp_in(keep ? c : d);
    Vop op = VFMADD231S;
    Reg addend = keep ? c : d;
    Cold *cold = NULL, *slow = NULL;
    if (check) {
        slow = fp_site_cold(e, i);
        cold = emit_cold(e, cold_fma, i);
        cold->v[0] = e->n_fp_sites - 1;
        cold->r[0] = t;
        fp_ucomis(e, dbl, false, addend, operand_reg(addend));
        enc_jcc(e, CC_P, &cold->enter);
        branch_infinite(e, dbl, t, a, &slow->enter);
        branch_infinite(e, dbl, t, b.reg, &slow->enter);
    } else if (probe) {
        emit_vrrr(e, fp_scalar_vop(VFMIN, dbl), t, addend, addend);
    }
    if (flush)
        fp_probe(e, i, fp_scalar_vop(VFMIN, dbl), t, a, b);
    if (arm) {
        if (np)
            emit_vop3(e, VPXOR, factor = t, a, operand_mem(fp_sign_mask(e, dbl)));
        if (na)
            emit_vop3(e, VPXOR, d, c, operand_mem(fp_sign_mask(e, dbl)));
        else if (keep)
            emit_vmov(e, d, c);
    } else {
        if (keep)
            emit_vmov(e, d, c);
        op = np ? (na ? VFNMSUB231S : VFNMADD231S) : na ? VFMSUB231S : VFMADD231S;
    }
    emit_vop3(e, op | (dbl ? VOP_W : 0), d, factor, b);
    if (flush)
        fp_probe_tiny(e, fp_scalar_vop(VFMUL, dbl), dbl, t, d);
    fp_site_end(e);
    if (check) {
        enc_bind(e, &cold->back);
        enc_bind(e, &slow->back);
    }
    if (canonical)
        fp_canonical(e, i, d, ct);
}

static void sel_fabs_fneg(Emit *e, IrInsn *i)
{
    bool dbl = i->type == IR_F64;
    Reg a, d;
    if (e->cpu->avx) {
        a = ra_use(e->ra, i->arg[0]);
        d = ra_def_late(e->ra, i);
    } else {
        a = d = ra_def_over(e->ra, i, i->arg[0]);
    }
    if (i->op == IR_fabs) {
        emit_vop3(e, VPAND, d, a, operand_mem(enc_pool128(e, dbl ? ~0ull >> 1 : INT32_MAX, 0)));
        i->attr |= dbl ? FP_UPPER64_ZERO : FP_UPPER96_ZERO;
    } else {
        emit_vop3(e, VPXOR, d, a, operand_mem(fp_sign_mask(e, dbl)));
        keep_upper(e, i, i->arg[0]);
    }
}

/* One operand is a quiet NaN, the other a number or such too (signalling ones trapped before):
 * fmin and fmax give the first NaN, fminnm and fmaxnm the number. */
static void cold_min_max(Emit *e, Cold *c)
{
    const UnitFpSite *s = &e->fp_sites[c->v[0]];
    IrInsn *i = c->insn;
    Reg a = s->src[0].reg, b = s->src[1].reg, d = s->dst.reg;
    bool dbl = i->type == IR_F64, number = i->op == IR_fminnm || i->op == IR_fmaxnm;
    bool replace = (i->attr & IR_FP_NAN) == IR_FP_NAN_DEFAULT;
    Reg first = number ? b : a, second = number ? a : b;
    if (number || !replace) {
        fp_ucomis(e, dbl, false, first, operand_reg(first));
        emit_vmov(e, d, number ? first : second);
        enc_jcc(e, CC_NP, &c->back);
        emit_vmov(e, d, a);
    }
    if (number && replace) {
        fp_ucomis(e, dbl, false, a, operand_reg(a));
        enc_jcc(e, CC_NP, &c->back);
    }
    if (replace)
        load_default_nan(e, dbl, d);
    enc_jmp(e, &c->back);
}

/* The host's minimum gives its second operand for NaNs (which it raises invalid for, so they are
 * repaired) and for two zeros: both orders combined bitwise give the right zero. */
static void min_max_both(Emit *e, IrInsn *i, bool max)
{
    bool dbl = i->type == IR_F64;
    Vop op = fp_scalar_vop(max ? VFMAX : VFMIN, dbl);
    bool check = fp_checks(e);
    if (check)
        flags_clobber(e);
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra);
    Reg d = ra_def(e->ra, i);
    UnitFpSite *s = fp_site_begin(e, i);
    s->dst = fp_in(d);
    s->src[0] = fp_in(a);
    s->src[1] = fp_in(b);
    s->src[2] = fp_in(REG_NONE);
    Cold *c = NULL;
    if (check) {
        c = emit_cold(e, cold_min_max, i);
        c->v[0] = e->n_fp_sites - 1;
        fp_ucomis(e, dbl, false, a, operand_reg(b));
        enc_jcc(e, CC_P, &c->enter);
    }
    emit_vrrr(e, op, t, a, b);
    emit_vrrr(e, op, d, b, a);
    emit_vrrr(e, max ? VPAND : VPOR, d, d, t);
    fp_site_end(e);
    if (check)
        enc_bind(e, &c->back);
    if (fp_upper_zero(e, i->arg[0], true) && fp_upper_zero(e, i->arg[1], true))
        i->attr |= FP_UPPER96_ZERO;
    else if (fp_upper_zero(e, i->arg[0], false) && fp_upper_zero(e, i->arg[1], false))
        i->attr |= FP_UPPER64_ZERO;
}

/* VRANGE is IEEE 754-2008's minNum and maxNum, with ordered zeros. */
static void min_max_range(Emit *e, IrInsn *i, bool max)
{
    bool dbl = i->type == IR_F64;
    bool canonical = fp_canonical_wanted(e, i);
    if (canonical && fp_checks(e))
        flags_clobber(e);
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg ct = fp_canonical_temp(e, canonical), d = ra_def_late(e->ra, i);
    UnitFpSite *s = fp_site_begin(e, i);
    s->dst = fp_in(d);
    s->src[0] = fp_in(a);
    s->src[1] = fp_in(b);
    s->src[2] = fp_in(REG_NONE);
    emit_vop3i(e, dbl ? ERANGESD : ERANGESS, d, a, operand_reg(b), max ? 5 : 4);
    fp_site_end(e);
    keep_upper(e, i, i->arg[0]);
    if (canonical)
        fp_canonical(e, i, d, ct);
}

static void sel_min_max(Emit *e, IrInsn *i)
{
    bool max = i->op == IR_fmax || i->op == IR_fmaxnm;
    if (fp_needs_slow(e, i, false))
        fp_slow(e, i);
    else if (e->cpu->avx512vl && !(i->attr & IR_FP_FLUSH)
             && (i->op == IR_fminnm || i->op == IR_fmaxnm)) /* VRANGE doesn't trap for denormals */
        min_max_range(e, i, max);
    else
        min_max_both(e, i, max);
}

static void compare_site(Emit *e, IrInsn *i, bool signalling, Reg a, Operand b, Reg t)
{
    bool dbl = e->unit->insn[i->arg[0]].type == IR_F64;
    UnitFpSite *s = fp_site_begin(e, i);
    s->dst = s->src[2] = fp_in(REG_NONE);
    s->src[0] = fp_in(a);
    s->src[1] = fp_at(b);
    if (t != REG_NONE)
        fp_probe(e, i, fp_scalar_vop(VFMIN, dbl), t, a, b);
    fp_ucomis(e, dbl, signalling, a, b);
    fp_site_end(e);
}

static void cold_compare(Emit *e, Cold *c)
{
    if (c->insn->attr & IR_FP_FLUSH) { /* a denormal beside the NaN */
        IrType type = e->unit->insn[c->insn->arg[0]].type;
        emit_vstore_scalar(e, true, MEM_STATE(scratch[0]), c->r[0]);
        emit_vstore_scalar(e, true, MEM_STATE(scratch[1]), c->r[1]);
        emit_call_fn(e, FP_FN_SCALAR, fp_fn_word(c->insn, type));
    } else {
        enc_alu_i(e, ALU_OR, false, operand_mem(MEM_STATE(fp_sticky)), IR_FPX_INVALID);
    }
    /* EFLAGS again */
    compare_site(e, c->insn, false, c->r[0], operand_reg(c->r[1]), REG_NONE);
    enc_jmp(e, &c->back);
}

static void compare(Emit *e, IrInsn *i, bool swap)
{
    bool signalling = i->attr & IR_FP_SIGNALING;
    bool flush = i->attr & IR_FP_FLUSH, check = fp_checks(e) && (signalling || flush);
    IrRef first = i->arg[swap], second = i->arg[!swap];
    Reg a = ra_use(e->ra, first);
    Operand b = check ? operand_reg(ra_use(e->ra, second)) : ra_use_rm(e->ra, second);
    Reg t = flush && !check ? ra_temp_xmm(e->ra) : REG_NONE;
    compare_site(e, i, signalling && !check, a, b, t);
    if (check) {
        Cold *c = emit_cold(e, cold_compare, i);
        c->r[0] = a;
        c->r[1] = b.reg;
        enc_jcc(e, CC_P, &c->enter);
        enc_bind(e, &c->back);
    }
}

static void sel_fcmp(Emit *e, IrInsn *i)
{
    flags_clobber(e);
    switch (i->cc) {
    case IR_FCMP_EQ:
        compare(e, i, false);
        flags_def_cond(e, i, CC_E_AND_NP);
        break;
    case IR_FCMP_LT: /* second above first: false when unordered */
        compare(e, i, true);
        flags_def_cond(e, i, CC_A);
        break;
    case IR_FCMP_LE:
        compare(e, i, true);
        flags_def_cond(e, i, CC_AE);
        break;
    default:
        compare(e, i, false);
        flags_def_cond(e, i, CC_P);
        break;
    }
}

static void sel_flfcmp(Emit *e, IrInsn *i)
{
    enum {
        ONLY_SWAPPED = 1u << IR_CC_MI | 1u << IR_CC_PL | 1u << IR_CC_HI | 1u << IR_CC_LS
                     | 1u << IR_CC_CS | 1u << IR_CC_CC,
        ONLY_STRAIGHT = 1u << IR_CC_GT | 1u << IR_CC_GE | 1u << IR_CC_LT | 1u << IR_CC_LE,
    };
    uint32_t conds = flags_conds(e, i - e->unit->insn);
    bool swap = (conds & ONLY_SWAPPED) && !(conds & ONLY_STRAIGHT);
    flags_clobber(e);
    compare(e, i, swap);
    flags_def(e, i, swap ? FLAGS_FCMP_SWAPPED : FLAGS_FCMP);
}

static void read_flags(Emit *e, Reg d)
{
    Mem m = MEM_STATE(scratch[0]);
    emit_stmxcsr(e, m);
    enc_load(e, false, d, m);
    enc_shift_i(e, SH_SHR, false, d, 1);
    enc_alu_i(e, ALU_AND, false, operand_reg(d), 0x1e);
    enc_alu(e, ALU_OR, false, d, operand_mem(MEM_STATE(fp_sticky)));
}

/* Not all known: tracked from now on, unless that was given up or inexact hasn't been raised. */
static void cold_get_flags(Emit *e, Cold *c)
{
    read_flags(e, c->r[0]);
    enc_test_i(e, false, operand_reg(c->r[0]), IR_FPX_INEXACT);
    enc_jcc(e, CC_E, &c->back);
    enc_alu_i(e, ALU_CMP, false, operand_mem(MEM_STATE(fp_tracked)), FP_GIVEN_UP);
    enc_jcc(e, CC_E, &c->back);
    emit_call_fn(e, FP_FN_TRACK, 0);
    enc_jmp(e, &c->back);
}

static void sel_fpgetflags(Emit *e, IrInsn *i)
{
    flags_clobber(e);
    Reg d = ra_def(e->ra, i);
    if (!e->unit->isa->asks_fp_flags) {
        read_flags(e, d);
        return;
    }
    Cold *c = emit_cold(e, cold_get_flags, i);
    c->r[0] = d;
    enc_alu_i(e, ALU_CMP, false, operand_mem(MEM_STATE(fp_unknown)), 0);
    enc_jcc(e, CC_NE, &c->enter);
    enc_load(e, false, d, MEM_STATE(fp_sticky));
    enc_bind(e, &c->back);
}

/* Sees through the reversal of the flags' bits to RISC-V's order and back. */
static IrRef flags_origin(Emit *e, IrRef v)
{
    static const IrOp path[] = { IR_bitrev, IR_shl, IR_shr, IR_bitrev };
    const IrInsn *insn = e->unit->insn;
    uint64_t mask;
    if (insn[v].op == IR_and && ra_is_const(e->ra, insn[v].arg[1], &mask) && mask == 0x1f)
        return insn[v].arg[0]; /* as opt/fold.rules leaves it */
    for (unsigned n = 0; n < 4; n++) {
        uint64_t shift;
        while (insn[v].op == IR_copy || insn[v].op == IR_trunc || insn[v].op == IR_zext)
            v = insn[v].arg[0];
        if (insn[v].op != path[n]
            || (insn[v].op != IR_bitrev
                && (!ra_is_const(e->ra, insn[v].arg[1], &shift) || shift != 27)))
            return n ? IR_NONE : v;
        v = insn[v].arg[0];
    }
    return v;
}

/* Are these the flags as fpgetflags read them a few instructions ago, and nothing but comparisons
 * since, which can only have raised invalid? Compilers make RISC-V's quiet comparisons so. */
static bool only_compared_since(Emit *e, const IrInsn *i)
{
    enum { FAR = 32 };
    const IrInsn *insn = e->unit->insn;
    IrRef from = flags_origin(e, i->arg[0]);
    unsigned n = 0;
    for (IrRef r = i->prev; r && n < FAR; r = insn[r].prev, n++) {
        switch (insn[r].op) {
        case IR_fpgetflags: return from && ra_same(e->ra, r, from);
        case IR_fcmp: case IR_flfcmp: case IR_insn: case IR_put: case IR_get: case IR_const:
        case IR_b2i: case IR_zext: case IR_sext: case IR_trunc: case IR_bnot: case IR_and:
        case IR_bitrev: case IR_shl: case IR_shr: case IR_nop: break;
        default: return false;
        }
    }
    return false;
}

static void cold_clear_flags(Emit *e, Cold *c)
{
    Mem m = MEM_STATE(scratch[0]);
    enc_alu_i(e, ALU_AND, false, operand_mem(m), ~0x3f);
    emit_ldmxcsr(e, m);
    enc_jmp(e, &c->back);
}

static void cold_clear_flushing(Emit *e, Cold *c)
{
    emit_call_fn(e, FP_FN_SET_FLAGS, 0);
    enc_jmp(e, &c->back);
}

/* MXCSR's flags needn't be cleared when they are among those to be set. */
static void write_flags(Emit *e, IrInsn *i)
{
    Mem m = MEM_STATE(scratch[0]);
    Cold *c = emit_cold(e, cold_clear_flags, i), *flushing = emit_cold(e, cold_clear_flushing, i);
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_gpr(e->ra);
    emit_stmxcsr(e, m);
    enc_store(e, false, MEM_STATE(fp_sticky), a);
    enc_load(e, false, t, m);
    enc_shift_i(e, SH_SHR, false, t, 1);
    enc_alu_i(e, ALU_AND, false, operand_reg(t), 0x1e);
    enc_alu(e, ALU_OR, false, t, operand_reg(a));
    enc_alu(e, ALU_CMP, false, t, operand_reg(a));
    enc_jcc(e, CC_NE, &c->enter);
    enc_bind(e, &c->back);
    enc_test_i(e, false, operand_mem(MEM_STATE(fp_control)), IR_FPC_FLUSH);
    enc_jcc(e, CC_NE, &flushing->enter);
    enc_bind(e, &flushing->back);
}

/* c->r: the flags, a temporary. What changes of inexact concerns MXCSR's flags, what changes of the
 * others also what traps (fp-site.h). */
static void cold_set_tracked(Emit *e, Cold *c)
{
    Reg a = c->r[0], t = c->r[1];
    Mem m = MEM_STATE(scratch[0]);
    Label call = LABEL_INIT, clear = LABEL_INIT;
    enc_load(e, false, t, MEM_STATE(fp_sticky));
    enc_alu(e, ALU_XOR, false, t, operand_reg(a));
    enc_test_i(e, false, operand_reg(t), IR_FPX_DIVZERO | IR_FPX_OVERFLOW | IR_FPX_UNDERFLOW);
    enc_store(e, false, MEM_STATE(fp_sticky), a);
    enc_jcc(e, CC_NE, &call);
    enc_alu_i(e, ALU_CMP, false, operand_mem(MEM_STATE(fp_control)), IR_ROUND_AWAY);
    enc_jcc(e, CC_AE, &call);
    emit_stmxcsr(e, m);
    enc_load(e, false, t, m);
    enc_shift_i(e, SH_SHR, false, t, 1);
    enc_alu_i(e, ALU_AND, false, operand_reg(t), 0x1e);
    enc_alu(e, ALU_OR, false, t, operand_reg(a));
    enc_alu(e, ALU_CMP, false, t, operand_reg(a));
    enc_jcc(e, CC_E, &clear);
    enc_alu_i(e, ALU_AND, false, operand_mem(m), ~0x3f);
    emit_ldmxcsr(e, m);
    enc_bind(e, &clear);
    enc_alu_i(e, ALU_CMP, false, operand_mem(MEM_STATE(fp_tracked)), FP_TRACKED);
    enc_jcc(e, CC_NE, &c->back);
    enc_mov_rr(e, false, t, a);
    enc_alu_i(e, ALU_AND, false, operand_reg(t), IR_FPX_INEXACT);
    enc_alu_i(e, ALU_CMP, false, operand_reg(t), 1);
    enc_alu(e, ALU_SBB, false, t, operand_reg(t)); /* -1 without inexact */
    enc_store(e, false, MEM_STATE(fp_unknown), t);
    enc_jmp(e, &c->back);
    enc_bind(e, &call);
    emit_call_fn(e, FP_FN_SET_FLAGS, 0);
    enc_jmp(e, &c->back);
}

static void sel_fpsetflags(Emit *e, IrInsn *i)
{
    if (only_compared_since(e, i)) {
        Reg a = ra_use(e->ra, i->arg[0]);
        enc_store(e, false, MEM_STATE(fp_sticky), a);
        return;
    }
    flags_clobber(e);
    if (!e->unit->isa->asks_fp_flags) {
        write_flags(e, i);
        return;
    }
    Cold *c = emit_cold(e, cold_set_tracked, i);
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_gpr(e->ra);
    c->r[0] = a;
    c->r[1] = t;
    enc_load(e, false, t, MEM_STATE(fp_sticky));
    enc_alu(e, ALU_XOR, false, t, operand_reg(a));
    enc_alu_i(e, ALU_AND, false, operand_reg(t), ~IR_FPX_INVALID);
    enc_alu(e, ALU_OR, false, t, operand_mem(MEM_STATE(fp_unknown)));
    enc_jcc(e, CC_NE, &c->enter);
    enc_store(e, false, MEM_STATE(fp_sticky), a);
    enc_bind(e, &c->back);
}

static void cold_set_control(Emit *e, Cold *c)
{
    enc_store(e, false, MEM_STATE(scratch[0]), c->r[0]);
    emit_call_fn(e, FP_FN_SET_CONTROL, 0);
    enc_jmp(e, &c->back);
}

static void sel_fpsetctl(Emit *e, IrInsn *i)
{
    flags_clobber(e);
    Cold *c = emit_cold(e, cold_set_control, i);
    c->r[0] = ra_use(e->ra, i->arg[0]);
    enc_alu(e, ALU_CMP, false, c->r[0], operand_mem(MEM_STATE(fp_control)));
    enc_jcc(e, CC_NE, &c->enter);
    enc_bind(e, &c->back);
}

const SelectRow select_float_rows[] = {
    { IR_fadd, SEL_KEEPS_FLAGS, sel_binary }, { IR_fsub, SEL_KEEPS_FLAGS, sel_binary },
    { IR_fmul, SEL_KEEPS_FLAGS, sel_binary }, { IR_fdiv, SEL_KEEPS_FLAGS, sel_binary },
    { IR_fsqrt, SEL_KEEPS_FLAGS, sel_fsqrt }, { IR_fma, SEL_KEEPS_FLAGS, sel_fma },
    { IR_fabs, SEL_KEEPS_FLAGS, sel_fabs_fneg }, { IR_fneg, SEL_KEEPS_FLAGS, sel_fabs_fneg },
    { IR_fmin, SEL_KEEPS_FLAGS, sel_min_max }, { IR_fmax, SEL_KEEPS_FLAGS, sel_min_max },
    { IR_fminnm, SEL_KEEPS_FLAGS, sel_min_max }, { IR_fmaxnm, SEL_KEEPS_FLAGS, sel_min_max },
    { IR_fround, SEL_KEEPS_FLAGS, sel_fround },
    { IR_fcmp, SEL_KEEPS_FLAGS, sel_fcmp }, { IR_flfcmp, SEL_KEEPS_FLAGS, sel_flfcmp },
    { IR_fpgetflags, SEL_KEEPS_FLAGS, sel_fpgetflags },
    { IR_fpsetflags, SEL_KEEPS_FLAGS, sel_fpsetflags },
    { IR_fpsetctl, SEL_KEEPS_FLAGS, sel_fpsetctl },
    { IR_fcvt, SEL_KEEPS_FLAGS, sel_fcvt }, { IR_h2f, SEL_KEEPS_FLAGS, sel_h2f },
    { IR_f2h, SEL_KEEPS_FLAGS, sel_f2h }, { IR_f2i, SEL_KEEPS_FLAGS, sel_f2i },
    { IR_i2f, SEL_KEEPS_FLAGS, sel_i2f }, { IR_f2bits, SEL_KEEPS_FLAGS, sel_f2bits },
    { IR_bits2f, SEL_KEEPS_FLAGS, sel_bits2f }, { IR_fbox, SEL_KEEPS_FLAGS, sel_fbox },
    { IR_funbox, SEL_KEEPS_FLAGS, sel_funbox },
    { 0, 0, NULL },
};
