/* data plane */
/* Vector widening and narrowing, long multiplies, pairwise sums, doubling multiplies,
 * dot products. */
#include "translator/host/x86_64/select-vector.h"

enum { SHUF_HIGH = 0xee /* pshufd: the upper half into both */ };

static const Vop widen_ops[2][3] = { { VPMOVZXBW, VPMOVZXWD, VPMOVZXDQ },
                                     { VPMOVSXBW, VPMOVSXWD, VPMOVSXDQ } };

/* d = the half of a, each lane twice as wide. */
static void widen(Emit *e, unsigned lane, unsigned attr, Reg d, Reg a)
{
    if (attr & IR_V_HIGH) {
        emit_vop2i(e, VPSHUFD, d, operand_reg(a), SHUF_HIGH);
        a = d;
    }
    emit_vop2(e, widen_ops[attr & IR_V_SIGNED ? 1 : 0][lane], d, operand_reg(a));
}

void sel_vwiden(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
    widen(e, i->cc, i->attr, d, a);
}

/* The low half of each lane together, by one byte shuffle. */
void sel_vnarrow(Emit *e, IrInsn *i)
{
    uint64_t pick = 0;
    unsigned to = (1u << i->cc) / 2;
    for (unsigned n = 0; n < 8; n++)
        pick |= (uint64_t)(n / to * 2 * to + n % to) << 8 * n;
    i->attr |= FP_UPPER64_ZERO;
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
    vec_mem(e, VPSHUFB, d, a, enc_pool128(e, pick, 0x8080808080808080u));
}

/* Packing with zeros. Unsigned sources are limited first. */
static void narrowsat_pack(Emit *e, IrInsn *i, bool from_signed, bool to_signed)
{
    bool word = i->cc == IR_LANE_I16;
    Vop pack = to_signed ? (word ? VPACKSSWB : VPACKSSDW) : word ? VPACKUSWB : VPACKUSDW;
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    if (!from_signed) {
        uint64_t max = word ? (to_signed ? 0x7f : 0xff) : to_signed ? 0x7fff : 0xffff;
        vec_mem(e, word ? VPMINUW : VPMINUD, d, a, vec_pool_dup(e, i->cc, max));
        a = d;
    }
    emit_vzero(e, t);
    emit_vrrr(e, pack, d, a, t);
}

void sel_vnarrowsat(Emit *e, IrInsn *i)
{
    bool from_signed = i->attr & IR_V_SIGNED, to_signed = i->attr & IR_V_SRESULT;
    i->attr |= FP_UPPER64_ZERO;
    if (i->cc != IR_LANE_I64) {
        narrowsat_pack(e, i, from_signed, to_signed);
        return;
    }
    if (!e->cpu->avx512vl || (!from_signed && to_signed)) {
        vec_slow(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
    if (from_signed && !to_signed) {
        emit_vzero(e, d);
        emit_vrrr(e, EPMAXSQ, d, d, a);
        a = d;
    }
    /* the destination is in ModRM.rm */
    emit_vop2(e, to_signed ? EPMOVSQD : EPMOVUSQD, a, operand_reg(d));
}

void sel_vmull(Emit *e, IrInsn *i)
{
    bool sign = i->attr & IR_V_SIGNED, high = i->attr & IR_V_HIGH;
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    switch (i->cc) {
    case IR_LANE_I8:
        widen(e, IR_LANE_I8, i->attr, t, a);
        widen(e, IR_LANE_I8, i->attr, d, b);
        emit_vrrr(e, VPMULLW, d, d, t);
        break;
    case IR_LANE_I16:
        emit_vrrr(e, VPMULLW, t, a, b);
        emit_vrrr(e, sign ? VPMULHW : VPMULHUW, d, a, b);
        emit_vrrr(e, high ? VPUNPCKHWD : VPUNPCKLWD, d, t, d);
        break;
    default:
        emit_vop2i(e, VPSHUFD, t, operand_reg(a), high ? 0xfa : 0x50);
        emit_vop2i(e, VPSHUFD, d, operand_reg(b), high ? 0xfa : 0x50);
        emit_vrrr(e, sign ? VPMULDQ : VPMULUDQ, d, d, t);
        break;
    }
}

/* Bytes: partial products by bits. Eight rounds of: mask of a's bit n, b shifted by n, in words. */
static void pmull_words(Emit *e, Reg d, Reg a, Reg b, Reg t)
{
    /* a and b hold bytes as words and are overwritten */
    emit_vzero(e, d);
    for (unsigned n = 0; n < 8; n++) {
        emit_vshift_i(e, 2, true, false, t, a, 15 - n);
        emit_vshift_i(e, 2, false, true, t, t, 15);
        emit_vrrr(e, VPAND, t, t, b);
        emit_vrrr(e, VPXOR, d, d, t);
        if (n < 7)
            emit_vrrr(e, VPADDW, b, b, b);
    }
}

void sel_vpmull(Emit *e, IrInsn *i)
{
    bool high = i->attr & IR_V_HIGH;
    if (i->cc == IR_LANE_I64) {
        if (e->cpu->pclmul)
            vec_op3i(e, i, VPCLMULQDQ, i->arg[0], i->arg[1], high ? 0x11 : 0);
        else
            vec_slow(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg x = ra_temp_xmm(e->ra), y = ra_temp_xmm(e->ra), t = ra_temp_xmm(e->ra);
    Reg d = ra_def(e->ra, i);
    widen(e, IR_LANE_I8, high ? IR_V_HIGH : 0, x, a);
    widen(e, IR_LANE_I8, high ? IR_V_HIGH : 0, y, b);
    pmull_words(e, d, x, y, t);
}

void sel_vpmul(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg x = ra_temp_xmm(e->ra), y = ra_temp_xmm(e->ra), t = ra_temp_xmm(e->ra);
    Reg odd = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vshift_i(e, 2, false, false, x, a, 8);
    emit_vshift_i(e, 2, false, false, y, b, 8);
    pmull_words(e, odd, x, y, t);
    emit_vshift_i(e, 2, true, false, odd, odd, 8);
    emit_vmov(e, y, b);
    pmull_words(e, d, a, y, t);
    vec_mem(e, VPAND, d, d, vec_pool_dup16(e, 0xff));
    emit_vrrr(e, VPOR, d, d, odd);
}

void sel_vpaddl(Emit *e, IrInsn *i)
{
    bool sign = i->attr & IR_V_SIGNED;
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    switch (i->cc) {
    case IR_LANE_I8: /* PMADDUBSW: unsigned by signed */
        if (sign) {
            emit_vload(e, t, vec_pool_dup8(e, 1));
            emit_vrrr(e, VPMADDUBSW, d, t, a);
        } else {
            vec_mem(e, VPMADDUBSW, d, a, vec_pool_dup8(e, 1));
        }
        break;
    case IR_LANE_I16:
        if (sign) {
            vec_mem(e, VPMADDWD, d, a, vec_pool_dup16(e, 1));
        } else {
            emit_vshift_i(e, 4, false, false, t, a, 16);
            vec_mem(e, VPAND, d, a, vec_pool_dup32(e, 0xffff));
            emit_vrrr(e, VPADDD, d, d, t);
        }
        break;
    default:
        if (sign) { /* multiplication by one extends the even lanes */
            Mem one = vec_pool_dup64(e, 1);
            emit_vop2i(e, VPSHUFD, t, operand_reg(a), 0xf5);
            vec_mem(e, VPMULDQ, t, t, one);
            vec_mem(e, VPMULDQ, d, a, one);
        } else {
            emit_vshift_i(e, 8, false, false, t, a, 32);
            vec_mem(e, VPAND, d, a, vec_pool_dup64(e, UINT32_MAX));
        }
        emit_vrrr(e, VPADDQ, d, d, t);
        break;
    }
}

/* (2 a b [+ half]) >> width: the smallest number comes out only where the true result is one more
 * than the largest. */
static void qdmulh_words(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    if (i->attr & IR_V_ROUND) {
        emit_vrrr(e, VPMULHRSW, d, a, b);
    } else {
        emit_vrrr(e, VPMULLW, t, a, b);
        emit_vrrr(e, VPMULHW, d, a, b);
        emit_vshift_i(e, 2, false, false, t, t, 15);
        emit_vrrr(e, VPADDW, d, d, d);
        emit_vrrr(e, VPOR, d, d, t);
    }
    vec_mem(e, VPCMPEQW, t, d, vec_pool_dup16(e, 0x8000));
    emit_vrrr(e, VPXOR, d, d, t);
}

static void qdmulh_dwords(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vop2i(e, VPSHUFD, t, operand_reg(a), 0xf5);
    emit_vop2i(e, VPSHUFD, d, operand_reg(b), 0xf5);
    emit_vrrr(e, VPMULDQ, t, t, d);
    emit_vrrr(e, VPMULDQ, d, a, b);
    if (i->attr & IR_V_ROUND) {
        Mem half = vec_pool_dup64(e, 1ull << 30);
        vec_mem(e, VPADDQ, t, t, half);
        vec_mem(e, VPADDQ, d, d, half);
    }
    emit_vshift_i(e, 8, true, false, t, t, 1);
    emit_vshift_i(e, 8, false, false, d, d, 31);
    emit_vop3i(e, VPBLENDW, d, d, operand_reg(t), 0xcc);
    vec_mem(e, VPCMPEQD, t, d, vec_pool_dup32(e, 1u << 31));
    emit_vrrr(e, VPXOR, d, d, t);
}

void sel_vqdmulh(Emit *e, IrInsn *i)
{
    if (i->cc == IR_LANE_I16)
        qdmulh_words(e, i);
    else
        qdmulh_dwords(e, i);
}

/* VPDPBUSD multiplies unsigned by signed bytes: both signed takes a + 128 and subtracts 128 times
 * the sum of b; both unsigned takes b - 128 and adds 128 times the sum of a, in two steps. */
static void dot_vnni(Emit *e, IrInsn *i, bool sa, bool sb)
{
    Vop dp = VOP(0x66, 2, 0x50) | (e->cpu->avx_vnni ? 0 : VOP_EVEX);
    Reg a = ra_use(e->ra, i->arg[1]), b = ra_use(e->ra, i->arg[2]);
    Reg t = ra_temp_xmm(e->ra), u = ra_temp_xmm(e->ra);
    Reg d = ra_def_over(e->ra, i, i->arg[0]);
    if (sa && sb) {
        emit_vload(e, t, vec_pool_dup8(e, 0x80));
        emit_vzero(e, u);
        emit_vrrr(e, dp, u, t, b);
        emit_vrrr(e, VPXOR, t, t, a);
        emit_vrrr(e, dp, d, t, b);
        emit_vrrr(e, VPSUBD, d, d, u);
    } else if (!sa && !sb) {
        Mem m = vec_pool_dup8(e, 64);
        vec_mem(e, VPXOR, t, b, vec_pool_dup8(e, 0x80));
        emit_vzero(e, u); /* apart from d, which may be a's register */
        vec_mem(e, dp, u, a, m);
        vec_mem(e, dp, u, a, m);
        emit_vrrr(e, dp, d, a, t);
        emit_vrrr(e, VPADDD, d, d, u);
    } else {
        emit_vrrr(e, dp, d, sa ? b : a, sa ? a : b);
    }
}

static void extend_in_words(Emit *e, Reg d, Reg a, bool odd, bool sign)
{
    if (!odd) {
        emit_vshift_i(e, 2, true, false, d, a, 8);
        a = d;
    }
    emit_vshift_i(e, 2, false, sign, d, a, 8);
}

void sel_vdot(Emit *e, IrInsn *i)
{
    bool sa = i->attr & IR_V_SIGNED, sb = i->attr & IR_V_SRESULT;
    if (e->cpu->avx_vnni || (e->cpu->avx512_vnni && e->cpu->avx512vl)) {
        dot_vnni(e, i, sa, sb);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[1]), b = ra_use(e->ra, i->arg[2]), c = ra_use(e->ra, i->arg[0]);
    Reg t = ra_temp_xmm(e->ra), u = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    extend_in_words(e, t, a, false, sa);
    extend_in_words(e, u, b, false, sb);
    emit_vrrr(e, VPMADDWD, d, t, u);
    extend_in_words(e, t, a, true, sa);
    extend_in_words(e, u, b, true, sb);
    emit_vrrr(e, VPMADDWD, t, t, u);
    emit_vrrr(e, VPADDD, d, d, t);
    emit_vrrr(e, VPADDD, d, d, c);
}
