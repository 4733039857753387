/* data plane */
/* Vector shifts, by immediates and by lanes. */
#include "translator/host/x86_64/select-vector.h"

/* Bytes: one bit-matrix instruction with GFNI, else a shift of words and a mask. */
static void shift_bytes(Emit *e, IrInsn *i, bool left, bool arith, unsigned n)
{
    Reg a = ra_use(e->ra, i->arg[0]);
    if (e->cpu->gfni && e->cpu->avx) {
        uint8_t from[8];
        for (int k = 0; k < 8; k++) {
            int src = left ? k - (int)n : k + (int)n;
            from[k] = src < 0 ? 8 : src < 8 ? src : arith ? 7 : 8;
        }
        Reg d = ra_def_late(e->ra, i);
        emit_vop3i(e, VGF2P8AFFINE | VOP_W, d, a,
                   operand_mem(vec_pool_dup64(e, vec_bit_matrix(from))), 0);
        return;
    }
    Reg d = ra_def(e->ra, i);
    unsigned k = n > 8 ? 8 : n;
    if (arith && k == 8)
        k = 7;
    emit_vshift_i(e, 2, left, false, d, a, k);
    vec_mem(e, VPAND, d, d, vec_pool_dup8(e, left ? 0xff << k : 0xff >> k));
    if (arith) { /* (x ^ m) - m with m at the place of the sign */
        Mem m = vec_pool_dup8(e, 0x80 >> k);
        vec_mem(e, VPXOR, d, d, m);
        vec_mem(e, VPSUBB, d, d, m);
    }
}

/* Without an arithmetic shift of 64 bits: the sign's spread shifted in from above. */
static void sar_quads_sse(Emit *e, IrInsn *i, unsigned n)
{
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vzero(e, t);
    emit_vrrr(e, VPCMPGTQ, t, t, a);
    emit_vshift_i(e, 8, true, false, t, t, 64 - n);
    emit_vshift_i(e, 8, false, false, d, a, n);
    emit_vrrr(e, VPOR, d, d, t);
}

void sel_vshift(Emit *e, IrInsn *i)
{
    bool left = i->op == IR_vshl, arith = i->op == IR_vshrs;
    unsigned n = (unsigned)i->imm, bytes = 1u << i->cc;
    if (n == 0) {
        ra_def_over(e->ra, i, i->arg[0]);
        return;
    }
    if (i->cc == IR_LANE_I8) {
        shift_bytes(e, i, left, arith, n);
    } else if (bytes == 8 && arith && !e->cpu->avx512vl) {
        sar_quads_sse(e, i, n > 63 ? 63 : n);
    } else {
        if (arith && n > 8 * bytes - 1)
            n = 8 * bytes - 1;
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
        emit_vshift_i(e, bytes, left, arith, d, a, n);
    }
    if (fp_upper_zero(e, i->arg[0], false))
        i->attr |= FP_UPPER64_ZERO;
}

/* -- by lanes -------------------------------------------------------------------------------------
 * The host's counts are unsigned and whole lanes, any count over the width giving 0 (or the sign).
 * With b's low byte s: the left count is s & ff, the right one -s & ff; whichever isn't wanted is
 * over 128. So the logical ones can be or-ed (s = 0 gives a twice), the others are blended by s's
 * sign. Rounding adds the last bit shifted out. */
typedef struct Shlv {
    Emit *e;
    unsigned lane;
    bool sign, round, sat;
    Reg t, u, v;   /* temporaries */
} Shlv;

static Vop var_op(unsigned lane, unsigned kind) /* 0 left, 1 right, 2 right arithmetic */
{
    static const Vop ops[3][3] = { { EPSLLVW, EPSRLVW, EPSRAVW }, { VPSLLVD, VPSRLVD, VPSRAVD },
                                   { VPSLLVQ, VPSRLVQ, EPSRAVQ } };
    return ops[lane - IR_LANE_I16][kind];
}

/* d = s's top bits set ? x : y, lane-wise; s is b shifted up so that bit 7 is the top.
 * m is free. */
static void choose(Shlv *s, Reg d, Reg x, Reg y, Reg b, Reg m)
{
    unsigned bytes = 1u << s->lane;
    emit_vshift_i(s->e, bytes, true, false, m, b, 8 * bytes - 8);
    if (bytes == 2) {
        emit_vshift_i(s->e, 2, false, true, m, m, 15);
        enc_vex(s->e, 0x66, 3, false, 0, 0x4c, d, y, operand_reg(x), 1); /* vpblendvb */
        emit8(s->e, (m & 15) << 4);
    } else {
        vec_blendv(s->e, bytes, d, y, x, m);
    }
}

/* d, t, u, v differ from each other and from a and b. */
static void shlv_lane(Shlv *s, Reg d, Reg a, Reg b)
{
    static const Vop sub_ops[4] = { VPSUBB, VPSUBW, VPSUBD, VPSUBQ };
    static const Vop add_ops[4] = { VPADDB, VPADDW, VPADDD, VPADDQ };
    static const Vop eq_ops[4] = { VPCMPEQB, VPCMPEQW, VPCMPEQD, VPCMPEQQ };
    Emit *e = s->e;
    unsigned lane = s->lane, right = s->sign ? 2 : 1;
    Mem ff = vec_pool_dup(e, lane, 0xff);
    vec_mem(e, VPAND, s->t, b, ff);
    emit_vrrr(e, var_op(lane, 0), d, a, s->t);            /* d: left */
    if (s->sat) {
        unsigned bits = 8u << lane;
        emit_vrrr(e, var_op(lane, right), s->u, d, s->t);
        emit_vrrr(e, eq_ops[lane], s->u, s->u, a);        /* u: nothing lost */
        if (s->sign) {
            emit_vshift_i(e, 1u << lane, false, true, s->t, a, bits - 1);
            vec_mem(e, VPXOR, s->t, s->t, vec_pool_dup(e, lane, (1ull << (bits - 1)) - 1));
        } else {
            emit_vones(e, s->t);
        }
        emit_vrrr(e, VPAND, d, d, s->u);
        emit_vrrr(e, VPANDN, s->t, s->u, s->t);
        emit_vrrr(e, VPOR, d, d, s->t);
    }
    emit_vzero(e, s->t);
    emit_vrrr(e, sub_ops[lane], s->t, s->t, b);
    vec_mem(e, VPAND, s->t, s->t, ff);
    emit_vrrr(e, var_op(lane, right), s->u, a, s->t);     /* u: right */
    if (s->round) {
        emit_vones(e, s->t);
        emit_vrrr(e, VPXOR, s->t, s->t, b);
        vec_mem(e, VPAND, s->t, s->t, ff);                /* one less */
        emit_vrrr(e, var_op(lane, right), s->t, a, s->t);
        vec_mem(e, VPAND, s->t, s->t, vec_pool_dup(e, lane, 1));
        emit_vrrr(e, add_ops[lane], s->u, s->u, s->t);
    }
    if (!s->sign && !s->round && !s->sat)
        emit_vrrr(e, VPOR, d, d, s->u);
    else
        choose(s, d, s->u, d, b, s->t);
}

/* Bytes as words, the even and the odd ones: none but saturating. */
static void shlv_bytes(Shlv *s, Reg d, Reg a, Reg b, Reg even, Reg x, Reg y)
{
    Emit *e = s->e;
    s->lane = IR_LANE_I16;
    emit_vshift_i(e, 2, true, false, x, a, 8);
    emit_vshift_i(e, 2, false, s->sign, x, x, 8);
    shlv_lane(s, even, x, b);
    emit_vshift_i(e, 2, false, s->sign, x, a, 8);
    emit_vshift_i(e, 2, false, false, y, b, 8);
    shlv_lane(s, d, x, y);
    emit_vshift_i(e, 2, true, false, d, d, 8);
    vec_mem(e, VPAND, even, even, vec_pool_dup16(e, 0xff));
    emit_vrrr(e, VPOR, d, d, even);
}

/* In C: saturating bytes; before AVX-512 also bytes, words and signed or saturating quads; before
 * AVX2 all of them. */
void sel_vshlv(Emit *e, IrInsn *i)
{
    Shlv s = { .e = e, .lane = i->cc, .sign = i->attr & IR_V_SIGNED,
               .round = i->attr & IR_V_ROUND, .sat = i->attr & IR_V_SAT };
    bool wide = i->cc == IR_LANE_I32 || (i->cc == IR_LANE_I64 && !s.sign);
    if (!e->cpu->avx2 || (!wide && !e->cpu->avx512vl) || (i->cc == IR_LANE_I8 && s.sat)) {
        vec_slow(e, i);
        return;
    }
    bool bytes = i->cc == IR_LANE_I8;
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    s.t = ra_temp_xmm(e->ra);
    s.u = ra_temp_xmm(e->ra);
    Reg even = bytes ? ra_temp_xmm(e->ra) : REG_NONE, x = bytes ? ra_temp_xmm(e->ra) : REG_NONE;
    Reg y = bytes ? ra_temp_xmm(e->ra) : REG_NONE;
    Reg d = ra_def(e->ra, i);
    if (bytes)
        shlv_bytes(&s, d, a, b, even, x, y);
    else
        shlv_lane(&s, d, a, b);
}
