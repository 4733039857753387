/* data plane */
/* Vector logic, addition, multiplication, saturation, averages, minimum, maximum, comparison. */
#include "translator/host/x86_64/select-vector.h"

static const Vop add_ops[4] = { VPADDB, VPADDW, VPADDD, VPADDQ };
static const Vop sub_ops[4] = { VPSUBB, VPSUBW, VPSUBD, VPSUBQ };
static const Vop eq_ops[4] = { VPCMPEQB, VPCMPEQW, VPCMPEQD, VPCMPEQQ };
static const Vop gt_ops[4] = { VPCMPGTB, VPCMPGTW, VPCMPGTD, VPCMPGTQ };
/* [max][signed][lane] */
static const Vop minmax_ops[2][2][4] = {
    { { VPMINUB, VPMINUW, VPMINUD, EPMINUQ }, { VPMINSB, VPMINSW, VPMINSD, EPMINSQ } },
    { { VPMAXUB, VPMAXUW, VPMAXUD, EPMAXUQ }, { VPMAXSB, VPMAXSW, VPMAXSD, EPMAXSQ } },
};

static uint64_t sign_of(unsigned lane) { return 0x80ull << (8 * ((1u << lane) - 1)); }

void sel_vlogic(Emit *e, IrInsn *i)
{
    switch (i->op) {
    case IR_vand: vec_op3(e, i, VPAND, i->arg[0], i->arg[1]); break;
    case IR_vor: vec_op3(e, i, VPOR, i->arg[0], i->arg[1]); break;
    case IR_vxor: vec_op3(e, i, VPXOR, i->arg[0], i->arg[1]); break;
    default: vec_op3(e, i, VPANDN, i->arg[1], i->arg[0]); break;
    }
    bool zero = fp_upper_zero(e, i->arg[0], false), also = fp_upper_zero(e, i->arg[1], false);
    if (i->op == IR_vand ? zero || also : i->op == IR_vandn ? zero : zero && also)
        i->attr |= FP_UPPER64_ZERO;
}

void sel_vnot(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
    emit_vones(e, d);
    emit_vrrr(e, VPXOR, d, d, a);
}

void sel_vorn(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]), d = ra_def(e->ra, i);
    emit_vones(e, d);
    emit_vrrr(e, VPXOR, d, d, b);
    emit_vrrr(e, VPOR, d, d, a);
}

void sel_vbsl(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[1]), b = ra_use(e->ra, i->arg[2]);
    if (e->cpu->avx512vl) {
        Reg d = ra_def_over(e->ra, i, i->arg[0]);
        emit_vop3i(e, EPTERNLOGD, d, a, operand_reg(b), 0xca);
        return;
    }
    Reg m = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
    emit_vrrr(e, VPXOR, d, a, b);
    emit_vrrr(e, VPAND, d, d, m);
    emit_vrrr(e, VPXOR, d, d, b);
}

void sel_vaddsub(Emit *e, IrInsn *i)
{
    vec_op3(e, i, (i->op == IR_vadd ? add_ops : sub_ops)[i->cc & 3], i->arg[0], i->arg[1]);
}

/* Odd bytes: (a >> 8) * (b & ff00) has their product in its upper byte. */
static void mul_bytes(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), u = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vshift_i(e, 2, false, false, t, a, 8);
    vec_mem(e, VPAND, u, b, vec_pool_dup16(e, 0xff00));
    emit_vrrr(e, VPMULLW, t, t, u);
    emit_vrrr(e, VPMULLW, d, a, b);
    vec_mem(e, VPAND, d, d, vec_pool_dup16(e, 0xff));
    emit_vrrr(e, VPOR, d, d, t);
}

static void mul_quads(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), u = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vop2i(e, VPSHUFD, t, operand_reg(b), 0xb1);
    emit_vrrr(e, VPMULLD, t, t, a);
    emit_vshift_i(e, 8, false, false, u, t, 32);
    emit_vrrr(e, VPADDD, t, t, u);
    emit_vshift_i(e, 8, true, false, t, t, 32);
    emit_vrrr(e, VPMULUDQ, d, a, b);
    emit_vrrr(e, VPADDQ, d, d, t);
}

void sel_vmul(Emit *e, IrInsn *i)
{
    switch (i->cc) {
    case IR_LANE_I8: mul_bytes(e, i); break;
    case IR_LANE_I16: vec_op3(e, i, VPMULLW, i->arg[0], i->arg[1]); break;
    case IR_LANE_I32: vec_op3(e, i, VPMULLD, i->arg[0], i->arg[1]); break;
    default:
        if (e->cpu->avx512vl)
            vec_op3(e, i, EPMULLQ, i->arg[0], i->arg[1]);
        else
            mul_quads(e, i);
        break;
    }
}

void sel_vneg(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
    emit_vzero(e, d);
    emit_vrrr(e, sub_ops[i->cc & 3], d, d, a);
}

void sel_vabs(Emit *e, IrInsn *i)
{
    static const Vop ops[4] = { VPABSB, VPABSW, VPABSD, EPABSQ };
    if (i->cc != IR_LANE_I64 || e->cpu->avx512vl) {
        vec_op2(e, i, ops[i->cc & 3], i->arg[0]);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vzero(e, t);
    emit_vrrr(e, VPCMPGTQ, t, t, a);
    emit_vrrr(e, VPXOR, d, a, t);
    emit_vrrr(e, VPSUBQ, d, d, t);
}

/* Signed 32 and 64 bits: on overflow the result is the sign of a spread,
 * with a's opposite limit. */
static void signed_sat(Emit *e, IrInsn *i, bool sub)
{
    unsigned bytes = 1u << i->cc;
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg s = ra_temp_xmm(e->ra), t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vrrr(e, (sub ? sub_ops : add_ops)[i->cc], s, a, b);
    emit_vrrr(e, VPXOR, t, a, s);
    emit_vrrr(e, VPXOR, d, sub ? a : b, sub ? b : s);
    emit_vrrr(e, VPAND, t, t, d);
    if (bytes == 4 || e->cpu->avx512vl) {
        emit_vshift_i(e, bytes, false, true, d, a, 8 * bytes - 1);
    } else {
        emit_vzero(e, d);
        emit_vrrr(e, VPCMPGTQ, d, d, a);
    }
    vec_mem(e, VPXOR, d, d, vec_pool_dup(e, i->cc, sign_of(i->cc) - 1));
    vec_blendv(e, bytes, d, s, d, t);
}

void sel_vaddsat(Emit *e, IrInsn *i)
{
    static const Vop ops[2][2] = { { VPADDUSB, VPADDUSW }, { VPADDSB, VPADDSW } };
    bool sign = i->attr & IR_V_SIGNED;
    if (i->cc <= IR_LANE_I16) {
        vec_op3(e, i, ops[sign][i->cc], i->arg[0], i->arg[1]);
    } else if (sign ? !e->cpu->avx : i->cc == IR_LANE_I64 && !e->cpu->avx512vl) {
        vec_slow(e, i);
    } else if (sign) {
        signed_sat(e, i, false);
    } else { /* a + min(b, ~a) */
        Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]), d = ra_def(e->ra, i);
        emit_vones(e, d);
        emit_vrrr(e, VPXOR, d, d, a);
        emit_vrrr(e, minmax_ops[0][0][i->cc], d, d, b);
        emit_vrrr(e, add_ops[i->cc], d, d, a);
    }
}

void sel_vsubsat(Emit *e, IrInsn *i)
{
    static const Vop ops[2][2] = { { VPSUBUSB, VPSUBUSW }, { VPSUBSB, VPSUBSW } };
    bool sign = i->attr & IR_V_SIGNED;
    if (i->cc <= IR_LANE_I16) {
        vec_op3(e, i, ops[sign][i->cc], i->arg[0], i->arg[1]);
    } else if (sign ? !e->cpu->avx : i->cc == IR_LANE_I64 && !e->cpu->avx512vl) {
        vec_slow(e, i);
    } else if (sign) {
        signed_sat(e, i, true);
    } else { /* max(a, b) - b */
        Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]), d = ra_def(e->ra, i);
        emit_vrrr(e, minmax_ops[1][0][i->cc], d, a, b);
        emit_vrrr(e, sub_ops[i->cc], d, d, b);
    }
}

/* PAVG is the rounded average of unsigned values. Flipping the sign bits makes it one of signed
 * values; flipping all the others makes it round down. */
static void average_small(Emit *e, IrInsn *i)
{
    bool sign = i->attr & IR_V_SIGNED, round = i->attr & IR_V_ROUND;
    uint64_t flip = (sign ? sign_of(i->cc) : 0) ^ (round ? 0 : UINT64_MAX);
    Vop avg = i->cc == IR_LANE_I8 ? VPAVGB : VPAVGW;
    if (!flip) {
        vec_op3(e, i, avg, i->arg[0], i->arg[1]);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    Mem m = vec_pool_dup(e, i->cc, flip);
    vec_mem(e, VPXOR, t, a, m);
    vec_mem(e, VPXOR, d, b, m);
    emit_vrrr(e, avg, d, d, t);
    vec_mem(e, VPXOR, d, d, m);
}

void sel_vhadd(Emit *e, IrInsn *i)
{
    if (i->cc <= IR_LANE_I16) {
        average_small(e, i);
        return;
    }
    /* (a & b) + ((a ^ b) >> 1), or rounded up (a | b) - ((a ^ b) >> 1) */
    bool sign = i->attr & IR_V_SIGNED, round = i->attr & IR_V_ROUND;
    if (i->cc == IR_LANE_I64 && sign && !e->cpu->avx512vl) {
        vec_slow(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vrrr(e, VPXOR, t, a, b);
    emit_vshift_i(e, 1u << i->cc, false, sign, t, t, 1);
    emit_vrrr(e, round ? VPOR : VPAND, d, a, b);
    emit_vrrr(e, (round ? sub_ops : add_ops)[i->cc], d, d, t);
}

void sel_vhsub(Emit *e, IrInsn *i)
{
    bool sign = i->attr & IR_V_SIGNED;
    if (i->cc == IR_LANE_I64 && sign && !e->cpu->avx512vl) {
        vec_slow(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    if (i->cc <= IR_LANE_I16) { /* a - avg(a, b), both with flipped signs when signed */
        Vop avg = i->cc == IR_LANE_I8 ? VPAVGB : VPAVGW;
        if (sign) {
            Mem m = vec_pool_dup(e, i->cc, sign_of(i->cc));
            vec_mem(e, VPXOR, t, a, m);
            vec_mem(e, VPXOR, d, b, m);
            emit_vrrr(e, avg, d, d, t);
            emit_vrrr(e, sub_ops[i->cc], d, t, d);
        } else {
            emit_vrrr(e, avg, t, a, b);
            emit_vrrr(e, sub_ops[i->cc], d, a, t);
        }
        return;
    }
    /* ((a ^ b) >> 1) - (~a & b) */
    emit_vrrr(e, VPXOR, t, a, b);
    emit_vshift_i(e, 1u << i->cc, false, sign, t, t, 1);
    emit_vrrr(e, VPANDN, d, a, b);
    emit_vrrr(e, sub_ops[i->cc], d, t, d);
}

void sel_vabd(Emit *e, IrInsn *i)
{
    bool sign = i->attr & IR_V_SIGNED;
    if (i->cc == IR_LANE_I64 && !e->cpu->avx512vl) {
        vec_slow(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vrrr(e, minmax_ops[0][sign][i->cc & 3], t, a, b);
    emit_vrrr(e, minmax_ops[1][sign][i->cc & 3], d, a, b);
    emit_vrrr(e, sub_ops[i->cc & 3], d, d, t);
}

void sel_vminmax(Emit *e, IrInsn *i)
{
    if (i->cc == IR_LANE_I64 && !e->cpu->avx512vl)
        vec_slow(e, i);
    else
        vec_op3(e, i, minmax_ops[i->op == IR_vmax][(i->attr & IR_V_SIGNED) != 0][i->cc & 3],
                i->arg[0], i->arg[1]);
}

void sel_vcmpeq(Emit *e, IrInsn *i)
{
    vec_op3(e, i, eq_ops[i->cc & 3], i->arg[0], i->arg[1]);
}

void sel_vcmpgt(Emit *e, IrInsn *i)
{
    if (i->attr & IR_V_SIGNED) {
        vec_op3(e, i, gt_ops[i->cc & 3], i->arg[0], i->arg[1]);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    Mem m = vec_pool_dup(e, i->cc, sign_of(i->cc));
    vec_mem(e, VPXOR, t, a, m);
    vec_mem(e, VPXOR, d, b, m);
    emit_vrrr(e, gt_ops[i->cc & 3], d, t, d);
}

void sel_vcmpge(Emit *e, IrInsn *i)
{
    bool sign = i->attr & IR_V_SIGNED;
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    if (i->cc != IR_LANE_I64 || e->cpu->avx512vl) { /* max(a, b) == a */
        emit_vrrr(e, minmax_ops[1][sign][i->cc & 3], d, a, b);
        emit_vrrr(e, eq_ops[i->cc & 3], d, d, a);
        return;
    }
    if (sign) {
        emit_vrrr(e, VPCMPGTQ, d, b, a);
    } else {
        Mem m = vec_pool_dup64(e, 1ull << 63);
        vec_mem(e, VPXOR, t, a, m);
        vec_mem(e, VPXOR, d, b, m);
        emit_vrrr(e, VPCMPGTQ, d, d, t);
    }
    emit_vones(e, t);
    emit_vrrr(e, VPXOR, d, d, t);
}
