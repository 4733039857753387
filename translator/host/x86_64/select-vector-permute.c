/* data plane */
/* Vectors from and to scalars, permutations, bit counts within lanes. */
#include "translator/host/x86_64/select-vector.h"

static IrType arg_type(Emit *e, IrRef r) { return e->unit->insn[r].type; }
static unsigned lane_bytes(unsigned lane)
{
    return lane <= IR_LANE_I64 ? 1u << lane : 1u << (lane - IR_LANE_F16 + 1);
}

void sel_vlow(Emit *e, IrInsn *i)
{
    i->attr |= FP_UPPER64_ZERO;
    if (fp_upper_zero(e, i->arg[0], false)) {
        ra_def_over(e->ra, i, i->arg[0]);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
    emit_vmovq(e, d, operand_reg(a));
}

void sel_vfroms(Emit *e, IrInsn *i)
{
    IrType t = arg_type(e, i->arg[0]);
    bool wide = t == IR_F64 || t == IR_I64;
    uint64_t bits;
    if (ra_is_const(e->ra, i->arg[0], &bits)) {
        Reg d = ra_def(e->ra, i);
        bits = wide ? bits : (uint32_t)bits;
        if (bits)
            emit_vload_scalar(e, wide, d, enc_pool128(e, bits, 0));
        else
            emit_vzero(e, d);
    } else if (t == IR_I32 || t == IR_I64) {
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
        emit_vfrom_gpr(e, wide, d, a);
    } else if (fp_upper_zero(e, i->arg[0], !wide)) {
        ra_def_same(e->ra, i, i->arg[0]);
    } else {
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
        if (wide)
            emit_vmovq(e, d, operand_reg(a));
        else
            emit_vop3i(e, VINSERTPS, d, a, operand_reg(a), 0x0e);
    }
    i->attr |= wide ? FP_UPPER64_ZERO : FP_UPPER96_ZERO;
}

void sel_vtos(Emit *e, IrInsn *i)
{
    if (!i->imm) {
        ra_def_alias(e->ra, i, i->arg[0]);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
    if (i->type == IR_F64) {
        emit_vshift_i(e, 16, false, false, d, a, 8);
        i->attr |= FP_UPPER64_ZERO;
    } else {
        emit_vop3i(e, VINSERTPS, d, a, operand_reg(a), (unsigned)i->imm << 6 | 0x0e);
        i->attr |= FP_UPPER96_ZERO;
    }
}

void sel_vget(Emit *e, IrInsn *i)
{
    unsigned bytes = lane_bytes(i->cc), n = (unsigned)i->imm;
    bool sign = i->attr & IR_V_SIGNED, w = i->type == IR_I64;
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
    if (n == 0 && bytes >= 4)
        emit_vto_gpr(e, bytes == 8, d, a);
    else if (bytes == 2)
        emit_vop2i(e, VOP(0x66, 1, 0xc5), d, operand_reg(a), n); /* pextrw */
    else
        emit_vpextr(e, bytes, operand_reg(d), a, n);
    if (sign && (bytes < 4 || (bytes == 4 && w)))
        enc_movsx(e, bytes, w, d, operand_reg(d));
}

void sel_vmask(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
    emit_vop2(e, VOP(0x66, 1, 0xd7), d, operand_reg(a)); /* pmovmskb */
}

void sel_vset(Emit *e, IrInsn *i)
{
    unsigned bytes = lane_bytes(i->cc), n = (unsigned)i->imm;
    IrType t = arg_type(e, i->arg[1]);
    if (t == IR_I32 || t == IR_I64) {
        Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
        Reg d = ra_def_late(e->ra, i);
        emit_vpinsr(e, bytes, d, a, operand_reg(b), n);
    } else if (t == IR_F32) {
        vec_op3i(e, i, VINSERTPS, i->arg[0], i->arg[1], n << 4);
    } else if (n) {
        vec_op3(e, i, VPUNPCKLQDQ, i->arg[0], i->arg[1]);
    } else {
        Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]), d = ra_def(e->ra, i);
        emit_vop3i(e, VBLENDPS, d, a, operand_reg(b), 3);
    }
}

void sel_vsetl(Emit *e, IrInsn *i)
{
    unsigned to = i->imm & 255, from = i->imm >> 8 & 255, bytes = lane_bytes(i->cc);
    IrRef a = i->arg[0], b = i->arg[1];
    if (bytes == 4) {
        Reg x = ra_use(e->ra, a), y = ra_use(e->ra, b), d = ra_def(e->ra, i);
        emit_vop3i(e, VINSERTPS, d, x, operand_reg(y), from << 6 | to << 4);
    } else if (bytes == 8 && to == from) {
        Reg x = ra_use(e->ra, a), y = ra_use(e->ra, b), d = ra_def(e->ra, i);
        emit_vop3i(e, VBLENDPS, d, x, operand_reg(y), to ? 0xc : 3);
    } else if (bytes == 8) {
        if (to)
            vec_op3(e, i, VPUNPCKLQDQ, a, b);
        else
            vec_op3i(e, i, VSHUFPD, b, a, 3);
    } else {
        Reg x = ra_use(e->ra, a), y = ra_use(e->ra, b), g = ra_temp_gpr(e->ra);
        Reg d = ra_def(e->ra, i);
        if (bytes == 2)
            emit_vop2i(e, VOP(0x66, 1, 0xc5), g, operand_reg(y), from);
        else
            emit_vpextr(e, 1, operand_reg(g), y, from);
        emit_vpinsr(e, bytes, d, x, operand_reg(g), to);
    }
}

static void splat(Emit *e, unsigned bytes, Reg d, Reg a)
{
    static const Vop ops[4] = { VPBROADCASTB, VPBROADCASTW, VPBROADCASTD, VPBROADCASTQ };
    if (bytes >= 4)
        emit_vop2i(e, VPSHUFD, d, operand_reg(a), bytes == 4 ? 0 : 0x44);
    else if (e->cpu->avx2)
        emit_vop2(e, ops[bytes - 1], d, operand_reg(a));
    else
        vec_mem(e, VPSHUFB, d, a, bytes == 1 ? enc_pool128(e, 0, 0) : vec_pool_dup16(e, 0x100));
}

void sel_vdup(Emit *e, IrInsn *i)
{
    unsigned bytes = lane_bytes(i->cc);
    IrType t = arg_type(e, i->arg[0]);
    uint64_t bits;
    if (ra_is_const(e->ra, i->arg[0], &bits)) {
        static const uint8_t lane_of[9] = { [1] = IR_LANE_I8, [2] = IR_LANE_I16, [4] = IR_LANE_I32,
                                            [8] = IR_LANE_I64 };
        Reg d = ra_def(e->ra, i);
        emit_vload(e, d, vec_pool_dup(e, lane_of[bytes], bits));
    } else if (t == IR_F32 || t == IR_F64) {
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
        splat(e, bytes, d, a);
    } else if (e->cpu->avx512vl) {
        static const uint8_t opcode[9] = { [1] = 0x7a, [2] = 0x7b, [4] = 0x7c, [8] = 0x7c };
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
        enc_evex(e, 0x66, 2, bytes == 8, opcode[bytes], d, REG_NONE, operand_reg(a), 0, 0, false);
    } else {
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def(e->ra, i);
        emit_vfrom_gpr(e, bytes == 8, d, a);
        splat(e, bytes, d, d);
    }
}

void sel_vdupl(Emit *e, IrInsn *i)
{
    unsigned bytes = lane_bytes(i->cc), n = (unsigned)i->imm;
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
    if (n == 0)
        splat(e, bytes, d, a);
    else if (bytes == 4)
        emit_vop2i(e, VPSHUFD, d, operand_reg(a), n * 0x55);
    else if (bytes == 8)
        emit_vop2i(e, VPSHUFD, d, operand_reg(a), 0xee);
    else
        vec_mem(e, VPSHUFB, d, a,
                bytes == 1 ? vec_pool_dup8(e, n) : vec_pool_dup16(e, (2 * n + 1) << 8 | 2 * n));
}

void sel_vzip(Emit *e, IrInsn *i)
{
    static const Vop ops[2][4] = { { VPUNPCKLBW, VPUNPCKLWD, VPUNPCKLDQ, VPUNPCKLQDQ },
                                   { VPUNPCKHBW, VPUNPCKHWD, VPUNPCKHDQ, VPUNPCKHQDQ } };
    unsigned bytes = lane_bytes(i->cc), l = bytes == 8 ? 3 : bytes >> 1;
    vec_op3(e, i, ops[i->op == IR_vzip2][l], i->arg[0], i->arg[1]);
}

void sel_vuzp(Emit *e, IrInsn *i)
{
    bool odd = i->op == IR_vuzp2;
    unsigned bytes = lane_bytes(i->cc);
    if (bytes == 8) {
        vec_op3(e, i, odd ? VPUNPCKHQDQ : VPUNPCKLQDQ, i->arg[0], i->arg[1]);
        return;
    }
    if (bytes == 4) {
        vec_op3i(e, i, VSHUFPS, i->arg[0], i->arg[1], odd ? 0xdd : 0x88);
        return;
    }
    if (ra_same(e->ra, i->arg[0], i->arg[1])) { /* for both halves of a pairwise reduction */
        uint8_t pick[8];
        for (unsigned n = 0; n < 8; n++)
            pick[n] = (uint8_t)((n / bytes * 2 + odd) * bytes + n % bytes);
        uint64_t m;
        memcpy(&m, pick, 8);
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
        vec_mem(e, VPSHUFB, d, a, enc_pool128(e, m, m));
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    if (odd) {
        emit_vshift_i(e, 2 * bytes, false, false, t, a, 8 * bytes);
        emit_vshift_i(e, 2 * bytes, false, false, d, b, 8 * bytes);
    } else {
        Mem m = bytes == 1 ? vec_pool_dup16(e, 0xff) : vec_pool_dup32(e, 0xffff);
        vec_mem(e, VPAND, t, a, m);
        vec_mem(e, VPAND, d, b, m);
    }
    emit_vrrr(e, bytes == 1 ? VPACKUSWB : VPACKUSDW, d, t, d);
}

void sel_vtrn(Emit *e, IrInsn *i)
{
    bool odd = i->op == IR_vtrn2;
    unsigned bytes = lane_bytes(i->cc);
    if (bytes == 8) {
        vec_op3(e, i, odd ? VPUNPCKHQDQ : VPUNPCKLQDQ, i->arg[0], i->arg[1]);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    /* one of them moves by a lane; it takes its places in the other */
    emit_vshift_i(e, 2 * bytes, !odd, false, t, odd ? a : b, 8 * bytes);
    Reg low = odd ? t : a, high = odd ? b : t;
    if (bytes == 1) {
        vec_mem(e, VPAND, d, odd ? b : a, vec_pool_dup16(e, odd ? 0xff00 : 0xff));
        emit_vrrr(e, VPOR, d, d, t);
    } else {
        emit_vop3i(e, VPBLENDW, d, low, operand_reg(high), bytes == 2 ? 0xaa : 0xcc);
    }
}

void sel_vext(Emit *e, IrInsn *i)
{
    if (!i->imm)
        ra_def_over(e->ra, i, i->arg[0]);
    else
        vec_op3i(e, i, VPALIGNR, i->arg[1], i->arg[0], (unsigned)i->imm);
}

void sel_vrev(Emit *e, IrInsn *i)
{
    unsigned bytes = lane_bytes(i->cc), box = (unsigned)i->imm / 8;
    uint8_t pick[16];
    for (unsigned n = 0; n < 16; n++) {
        unsigned lane = n % box / bytes;
        pick[n] = n / box * box + (box / bytes - 1 - lane) * bytes + n % bytes;
    }
    V128 m;
    memcpy(&m, pick, 16);
    Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
    vec_mem(e, VPSHUFB, d, a, enc_pool128(e, m.lo, m.hi));
}

/* PSHUFB gives 0 where bit 7 of the index is set: adding 70 with saturation sets it from 16 on and
 * leaves the low four bits of the others. */
void sel_vtbl(Emit *e, IrInsn *i)
{
    V128 c;
    if (ra_is_vconst(e->ra, i->arg[1], &c)) {
        uint8_t pick[16];
        memcpy(pick, &c, 16);
        for (unsigned n = 0; n < 16; n++)
            pick[n] = pick[n] > 15 ? 0x80 : pick[n];
        memcpy(&c, pick, 16);
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
        vec_mem(e, VPSHUFB, d, a, enc_pool128(e, c.lo, c.hi));
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]), d = ra_def(e->ra, i);
    vec_mem(e, VPADDUSB, d, b, vec_pool_dup8(e, 0x70));
    emit_vrrr(e, VPSHUFB, d, a, d);
}

/* d = low_table[low nibble] op high_table[high nibble] for each byte */
static void by_nibbles(Emit *e, Reg d, Reg a, Reg t, Reg u, Vop op, const uint8_t low[16],
                       const uint8_t high[16])
{
    V128 l, h;
    memcpy(&l, low, 16);
    memcpy(&h, high, 16);
    Mem nibble = vec_pool_dup8(e, 15);
    emit_vshift_i(e, 2, false, false, t, a, 4);
    vec_mem(e, VPAND, t, t, nibble);
    emit_vload(e, u, enc_pool128(e, h.lo, h.hi));
    emit_vrrr(e, VPSHUFB, u, u, t);
    vec_mem(e, VPAND, t, a, nibble);
    emit_vload(e, d, enc_pool128(e, l.lo, l.hi));
    emit_vrrr(e, VPSHUFB, d, d, t);
    emit_vrrr(e, op, d, d, u);
}

void sel_vpopcnt(Emit *e, IrInsn *i)
{
    static const uint8_t bits[16] = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };
    if (e->cpu->avx512_bitalg && e->cpu->avx512vl) {
        vec_op2(e, i, EPOPCNTB, i->arg[0]);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), u = ra_temp_xmm(e->ra);
    Reg d = ra_def(e->ra, i);
    by_nibbles(e, d, a, t, u, VPADDB, bits, bits);
}

/* Twice the width: the upper half's count, plus the lower one's where the upper half is 0. */
static void clz_join(Emit *e, unsigned bytes, Reg d, Reg t, Reg u)
{
    unsigned half = 4 * bytes;
    uint64_t low = (1ull << half) - 1;
    emit_vshift_i(e, bytes, false, false, t, d, half);
    vec_mem(e, bytes == 2 ? VPCMPEQW : VPCMPEQD, u, t,
            bytes == 2 ? vec_pool_dup16(e, half) : vec_pool_dup32(e, half));
    vec_mem(e, VPAND, d, d, bytes == 2 ? vec_pool_dup16(e, low) : vec_pool_dup32(e, low));
    emit_vrrr(e, VPAND, d, d, u);
    emit_vrrr(e, VPADDD, d, d, t);
}

void sel_vclz(Emit *e, IrInsn *i)
{
    static const uint8_t low[16] = { 8, 7, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4 };
    static const uint8_t high[16] = { 8, 3, 2, 2, 1, 1, 1, 1 };
    if (i->cc >= IR_LANE_I32 && e->cpu->avx512vl) { /* AVX512CD, which all of these have */
        vec_op2(e, i, i->cc == IR_LANE_I32 ? EPLZCNTD : EPLZCNTQ, i->arg[0]);
        return;
    }
    if (i->cc == IR_LANE_I64) {
        vec_slow(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), u = ra_temp_xmm(e->ra);
    Reg d = ra_def(e->ra, i);
    by_nibbles(e, d, a, t, u, VPMINUB, low, high);
    if (i->cc >= IR_LANE_I16)
        clz_join(e, 2, d, t, u);
    if (i->cc == IR_LANE_I32)
        clz_join(e, 4, d, t, u);
}

void sel_vrbit(Emit *e, IrInsn *i)
{
    static const uint8_t from[8] = { 7, 6, 5, 4, 3, 2, 1, 0 };
    static const uint8_t low[16] = { 0x00, 0x80, 0x40, 0xc0, 0x20, 0xa0, 0x60, 0xe0,
                                     0x10, 0x90, 0x50, 0xd0, 0x30, 0xb0, 0x70, 0xf0 };
    static const uint8_t high[16] = { 0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15 };
    if (e->cpu->gfni && e->cpu->avx) {
        Reg a = ra_use(e->ra, i->arg[0]), d = ra_def_late(e->ra, i);
        emit_vop3i(e, VGF2P8AFFINE | VOP_W, d, a,
                   operand_mem(vec_pool_dup64(e, vec_bit_matrix(from))), 0);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), u = ra_temp_xmm(e->ra);
    Reg d = ra_def(e->ra, i);
    by_nibbles(e, d, a, t, u, VPOR, low, high);
}
