/* data plane */
/*
 * SHA-1 and SHA-256 rounds on the host's SHA extensions (Intel SDM vol. 2, SHA1… and SHA256…).
 *
 * Those keep the letters in another order than Arm: SHA-256's in two registers, A B E F and C D G H
 * from the highest lane down; SHA-1's A B C D from the highest lane down, so that registers are
 * reversed on the way in and out, and the round constant is added by the instruction. They have no
 * VEX form; upper halves of YMM registers are never dirty here (target.h).
 */
#include "translator/host/x86_64/select-vector.h"

enum { SHA1MSG2 = 0xca, SHA256RNDS2 = 0xcb, SHA256MSG1 = 0xcc, SHA256MSG2 = 0xcd }; /* map 0F38 */
enum { SHA1RNDS4 = 0xcc }; /* map 0F3A, immediate */
enum { REVERSE = 0x1b, HIGH_TO_LOW = 0x0e }; /* of PSHUFD */

static void sha_op(Emit *e, unsigned opcode, Reg dst, Reg src)
{
    enc_op(e, 0, 2, 0, opcode, dst, operand_reg(src), 0);
}

static void shuffle(Emit *e, Reg dst, Reg src, unsigned order)
{
    emit_vop2i(e, VPSHUFD, dst, operand_reg(src), order);
}

/* Two rounds at a time: the new A B E F come out, and what was A B E F is C D G H then. */
void sel_vsha256h(Emit *e, IrInsn *i)
{
    if (!e->cpu->sha) {
        vec_slow(e, i);
        return;
    }
    ra_use_fixed(e->ra, i->arg[2], XMM0); /* the words: an implicit operand */
    Reg abcd = ra_use(e->ra, i->arg[0]), efgh = ra_use(e->ra, i->arg[1]);
    Reg abef = ra_temp_xmm(e->ra), cdgh = ra_def(e->ra, i);
    emit_vop3i(e, VSHUFPS, abef, efgh, operand_reg(abcd), 0x11); /* F E, B A upwards */
    emit_vop3i(e, VSHUFPS, cdgh, efgh, operand_reg(abcd), 0xbb); /* H G, D C */
    sha_op(e, SHA256RNDS2, cdgh, abef);
    shuffle(e, XMM0, XMM0, HIGH_TO_LOW);
    sha_op(e, SHA256RNDS2, abef, cdgh);
    emit_vop3i(e, VSHUFPS, cdgh, abef, operand_reg(cdgh), i->op == IR_vsha256h ? 0xbb : 0x11);
}

void sel_vsha256su(Emit *e, IrInsn *i)
{
    if (!e->cpu->sha) {
        vec_slow(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    if (i->op == IR_vsha256su0) {
        Reg d = ra_def(e->ra, i);
        emit_vmov(e, d, a);
        sha_op(e, SHA256MSG1, d, b);
        return;
    }
    Reg c = ra_use(e->ra, i->arg[2]), d = ra_def(e->ra, i);
    emit_vop3i(e, VPALIGNR, d, c, operand_reg(b), 4); /* words 9 … 12 of the sixteen */
    emit_vrrr(e, VPADDD, d, d, a);
    sha_op(e, SHA256MSG2, d, c);
}

/* imm: 0 choose, 1 parity, 2 majority, which are the host's numbers of the first
 * three rounds too. */
void sel_vsha1(Emit *e, IrInsn *i)
{
    static const uint32_t constant[] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc };
    if (!e->cpu->sha) {
        vec_slow(e, i);
        return;
    }
    Reg abcd = ra_use(e->ra, i->arg[0]), first = ra_use(e->ra, i->arg[1]);
    Reg words = ra_use(e->ra, i->arg[2]), t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    vec_mem(e, VPAND, t, first, enc_pool128(e, 0xffffffff, 0));
    emit_vrrr(e, VPADDD, t, t, words);
    vec_mem(e, VPADDD, t, t, vec_pool_dup32(e, -constant[i->imm]));
    shuffle(e, t, t, REVERSE);
    shuffle(e, d, abcd, REVERSE);
    enc_op(e, 0, 3, 0, SHA1RNDS4, d, operand_reg(t), 1);
    emit8(e, (unsigned)i->imm);
    shuffle(e, d, d, REVERSE);
}

void sel_vsha1su1(Emit *e, IrInsn *i)
{
    if (!e->cpu->sha) {
        vec_slow(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    shuffle(e, t, b, REVERSE);
    shuffle(e, d, a, REVERSE);
    sha_op(e, SHA1MSG2, d, t);
    shuffle(e, d, d, REVERSE);
}
