/* data plane */
/* Integer arithmetic, conditions as values, selection, 128-bit pairs. */
#include "translator/host/x86_64/emit-state.h"
#include "translator/host/x86_64/select-vector.h"

static bool is64(const IrInsn *i) { return i->type == IR_I64; }
static unsigned width(const IrInsn *i) { return i->type == IR_I64 ? 64 : 32; }

static Mem mem_bi(Reg base, Reg index, unsigned scale, int32_t disp)
{
    return (Mem) { base, index, scale, 0, disp };
}

/* -- add, sub, logic --------------------------------------------------------------------------- */

static void arith_with_flags(Emit *e, IrInsn *i)
{
    /* the other half of a pair: let the flags' code do it */
    IrInsn *arith, *flags;
    flags_pair(e, i, &arith, &flags);
    e->table[flags->op]->fn(e, flags);
}

static bool paired(Emit *e, IrInsn *i) { return e->s->pair[i - e->unit->insn] != 0; }

/* a + imm, with the cheaper of add and lea. */
static void add_imm(Emit *e, IrInsn *i, IrRef a, int32_t imm)
{
    bool w = is64(i);
    if (!flags_live(e) && ra_over_is_free(e->ra, i, a)) {
        Reg d = ra_def_over(e->ra, i, a);
        if (imm == 1 || imm == -1)
            enc_rr(e, 0, 0, w, 0xff, imm == 1 ? 0 : 1, d);
        else if (imm == 128)
            enc_alu_i(e, ALU_SUB, w, operand_reg(d), -128);
        else
            enc_alu_i(e, ALU_ADD, w, operand_reg(d), imm);
        if (imm == 1 || imm == -1 || imm == 128)
            flags_zero_result(e, i); /* their CF is another one */
        else
            flags_sum_result(e, i);
        return;
    }
    Reg ra = ra_use(e->ra, a);
    Reg d = ra_def_late(e->ra, i);
    enc_lea(e, w, d, mem_bi(ra, REG_NONE, 0, imm));
}

/* x + 0 or 1 that comes of CF: adc, or sbb of -1 for its complement. */
static bool add_carry(Emit *e, IrInsn *i)
{
    for (unsigned k = 0; k < 2; k++) {
        const IrInsn *number = ra_insn(e->ra, i->arg[k]);
        HostCc cc;
        uint64_t c;
        if (!number || number->op != IR_b2i || number->type != i->type ||
            !flags_have_cond(e, number->arg[0], &cc) || (cc != CC_B && cc != CC_AE) ||
            flags_live(e) || ra_same(e->ra, i->arg[0], i->arg[1]) ||
            ra_is_const(e->ra, i->arg[!k], &c))
            continue;
        Reg d = ra_def_over(e->ra, i, i->arg[!k]);
        enc_alu_i(e, cc == CC_B ? ALU_ADC : ALU_SBB, is64(i), operand_reg(d), cc == CC_B ? 0 : -1);
        flags_forget(e);
        return true;
    }
    return false;
}

/* Does a comparison follow that wants the carry (opt/carry.c)? */
static bool carry_follows(Emit *e, const IrInsn *i)
{
    IrRef r = (IrRef)(i - e->unit->insn);
    const IrInsn *n = i->next ? &e->unit->insn[i->next] : NULL;
    return n && n->op == IR_cmp && n->arg[0] == r && (n->cc == IR_CMP_ULT || n->cc == IR_CMP_UGE) &&
           (n->arg[1] == i->arg[0] || n->arg[1] == i->arg[1]);
}

static void select_add(Emit *e, IrInsn *i)
{
    bool w = is64(i);
    int32_t imm;
    IrRef a = i->arg[0], b = i->arg[1];
    if (paired(e, i)) {
        arith_with_flags(e, i);
        return;
    }
    if (add_carry(e, i))
        return;
    if (carry_follows(e, i)) {
        bool fits = ra_fits_i32(e->ra, b, &imm);
        if (!fits && !ra_over_is_free(e->ra, i, a) && ra_over_is_free(e->ra, i, b)) {
            IrRef t = a;
            a = b;
            b = t;
        }
        flags_clobber(e);
        Operand o = fits ? operand_reg(0) : ra_use_rm(e->ra, b);
        Reg d = ra_def_over(e->ra, i, a);
        if (fits)
            enc_alu_i(e, ALU_ADD, w, operand_reg(d), imm);
        else
            enc_alu(e, ALU_ADD, w, d, o);
        flags_sum_result(e, i);
        return;
    }
    if (ra_fits_i32(e->ra, a, &imm)) {
        IrRef t = a;
        a = b;
        b = t;
    }
    if (ra_fits_i32(e->ra, b, &imm)) {
        add_imm(e, i, a, imm);
        return;
    }
    if (!flags_live(e)) {
        if (!ra_over_is_free(e->ra, i, a) && ra_over_is_free(e->ra, i, b)) {
            IrRef t = a;
            a = b;
            b = t;
        }
        if (ra_over_is_free(e->ra, i, a)) {
            Operand o = ra_use_rm(e->ra, b);
            Reg d = ra_def_over(e->ra, i, a);
            enc_alu(e, ALU_ADD, w, d, o);
            flags_sum_result(e, i);
            return;
        }
    }
    Reg ra = ra_use(e->ra, a), rb = ra_use(e->ra, b);
    Reg d = ra_def_late(e->ra, i);
    if ((ra & 7) == 5) { /* rbp, r13 as base cost a displacement byte */
        Reg t = ra;
        ra = rb;
        rb = t;
    }
    enc_lea(e, w, d, mem_bi(ra, rb, 0, 0));
}

static void select_index(Emit *e, IrInsn *i)
{
    Reg a = i->arg[0] ? ra_use(e->ra, i->arg[0]) : REG_NONE, b = ra_use(e->ra, i->arg[1]);
    Reg d = ra_def_late(e->ra, i);
    enc_lea(e, is64(i), d, mem_bi(a, b, i->attr, (int32_t)i->imm));
}

static void select_sub(Emit *e, IrInsn *i)
{
    bool w = is64(i);
    int32_t imm;
    uint64_t c;
    if (paired(e, i)) {
        arith_with_flags(e, i);
        return;
    }
    if (ra_fits_i32(e->ra, i->arg[1], &imm) && imm != INT32_MIN) {
        add_imm(e, i, i->arg[0], -imm);
        return;
    }
    flags_clobber(e);
    if (ra_is_const(e->ra, i->arg[0], &c) && c == 0) {
        Reg d = ra_def_over(e->ra, i, i->arg[1]);
        enc_rr(e, 0, 0, w, 0xf7, 3, d);
        return;
    }
    Operand b = ra_use_rm(e->ra, i->arg[1]);
    Reg d = ra_def_over(e->ra, i, i->arg[0]);
    enc_alu(e, ALU_SUB, w, d, b);
    flags_sum_result(e, i);
}

static void select_logic(Emit *e, IrInsn *i)
{
    bool w = is64(i);
    Alu op = i->op == IR_and ? ALU_AND : i->op == IR_or ? ALU_OR : ALU_XOR;
    IrRef a = i->arg[0], b = i->arg[1];
    int32_t imm;
    uint64_t c;
    if (ra_is_const(e->ra, a, &c) ||
        (!ra_over_is_free(e->ra, i, a) && ra_over_is_free(e->ra, i, b))) {
        IrRef t = a;
        a = b;
        b = t;
    }
    flags_clobber(e);
    if (op == ALU_AND && ra_is_const(e->ra, b, &c) &&
        (c == 0xff || c == 0xffff || (c == 0xffffffff && w))) {
        Reg ra = ra_use(e->ra, a);
        Reg d = ra_def_late(e->ra, i);
        if (c == 0xffffffff)
            enc_mov_rr(e, false, d, ra);
        else
            enc_movzx(e, c == 0xff ? 1 : 2, d, operand_reg(ra));
        return;
    }
    /* a 64-bit and with a mask that fits 32 bits unsigned: the 32-bit form clears the rest */
    if (op == ALU_AND && w && ra_is_const(e->ra, b, &c) && c <= UINT32_MAX) {
        Reg d = ra_def_over(e->ra, i, a);
        enc_alu_i(e, ALU_AND, false, operand_reg(d), (int32_t)c);
        if (c <= INT32_MAX) /* neither form sets SF then */
            flags_logic_result(e, i);
        return;
    }
    if (ra_fits_i32(e->ra, b, &imm)) {
        Reg d = ra_def_over(e->ra, i, a);
        enc_alu_i(e, op, w, operand_reg(d), imm);
    } else {
        Operand o = ra_use_rm(e->ra, b);
        Reg d = ra_def_over(e->ra, i, a);
        enc_alu(e, op, w, d, o);
    }
    flags_logic_result(e, i);
}

static void select_andn(Emit *e, IrInsn *i)
{
    bool w = is64(i);
    int32_t imm;
    if (ra_fits_i32(e->ra, i->arg[1], &imm)) {
        Reg d = ra_def_over(e->ra, i, i->arg[0]);
        enc_alu_i(e, ALU_AND, w, operand_reg(d), ~imm);
        flags_logic_result(e, i);
        return;
    }
    if (e->cpu->bmi1) {
        Operand a = ra_use_rm(e->ra, i->arg[0]);
        Reg b = ra_use(e->ra, i->arg[1]);
        Reg d = ra_def_late(e->ra, i);
        enc_vex(e, 0, 2, w, 0, 0xf2, d, b, a, 0); /* andn d, b, a = ~b & a */
        flags_logic_result(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]);
    Reg t = ra_use_scratch(e->ra, i->arg[1]);
    enc_rr(e, 0, 0, w, 0xf7, 2, t);
    enc_alu(e, ALU_AND, w, t, operand_reg(a));
    ra_def_is(e->ra, i, t);
    flags_logic_result(e, i);
}

static void select_not(Emit *e, IrInsn *i)
{
    Reg d = ra_def_over(e->ra, i, i->arg[0]);
    enc_rr(e, 0, 0, is64(i), 0xf7, 2, d);
}

static void select_neg(Emit *e, IrInsn *i)
{
    bool keep = flags_live(e);
    Reg d = ra_def_over(e->ra, i, i->arg[0]);
    if (keep) { /* ~x + 1, by not and lea */
        enc_rr(e, 0, 0, is64(i), 0xf7, 2, d);
        enc_lea(e, is64(i), d, mem_bi(d, REG_NONE, 0, 1));
        return;
    }
    flags_clobber(e);
    enc_rr(e, 0, 0, is64(i), 0xf7, 3, d);
    flags_zero_result(e, i);
}

/* -- shifts ------------------------------------------------------------------------------------ */

static void shift_const(Emit *e, IrInsn *i, unsigned n)
{
    bool w = is64(i);
    static const uint8_t shift[] = { [IR_shl - IR_shl] = SH_SHL, [IR_shr - IR_shl] = SH_SHR,
                                     [IR_sar - IR_shl] = SH_SAR, [IR_ror - IR_shl] = SH_ROR };
    if (i->op == IR_shl && n >= 1 && n <= 3 &&
        (flags_live(e) || !ra_over_is_free(e->ra, i, i->arg[0]))) {
        Reg a = ra_use(e->ra, i->arg[0]);
        Reg d = ra_def_late(e->ra, i);
        if (n == 1)
            enc_lea(e, w, d, mem_bi(a, a, 0, 0));
        else
            enc_lea(e, w, d, mem_bi(REG_NONE, a, n, 0));
        return;
    }
    if (i->op == IR_ror && e->cpu->bmi2) {
        Operand a = ra_use_rm(e->ra, i->arg[0]);
        Reg d = ra_def_late(e->ra, i);
        enc_vex(e, 0xf2, 3, w, 0, 0xf0, d, REG_NONE, a, 1); /* rorx */
        emit8(e, n);
        return;
    }
    flags_clobber(e);
    Reg d = ra_def_over(e->ra, i, i->arg[0]);
    if (n)
        enc_shift_i(e, shift[i->op - IR_shl], w, d, n);
    else if (!w)
        enc_mov_rr(e, false, d, d);
    if (n && i->op != IR_ror)
        flags_zero_result(e, i);
}

static void select_shift(Emit *e, IrInsn *i)
{
    bool w = is64(i);
    uint64_t c;
    if (ra_is_const(e->ra, i->arg[1], &c)) {
        shift_const(e, i, c & (width(i) - 1));
        return;
    }
    if (e->cpu->bmi2 && i->op != IR_ror) {
        Operand a = ra_use_rm(e->ra, i->arg[0]);
        Reg n = ra_use(e->ra, i->arg[1]);
        Reg d = ra_def_late(e->ra, i);
        unsigned pfx = i->op == IR_shl ? 0x66 : i->op == IR_shr ? 0xf2 : 0xf3;
        enc_vex(e, pfx, 2, w, 0, 0xf7, d, n, a, 0);
        return;
    }
    flags_clobber(e);
    ra_use_fixed(e->ra, i->arg[1], RCX);
    Reg d = ra_use_scratch(e->ra, i->arg[0]);
    enc_shift_cl(e, i->op == IR_shl ? SH_SHL : i->op == IR_shr ? SH_SHR
                    : i->op == IR_sar ? SH_SAR : SH_ROR, w, d);
    ra_def_is(e->ra, i, d);
}

static void select_extr(Emit *e, IrInsn *i)
{
    bool w = is64(i);
    Reg a = ra_use(e->ra, i->arg[0]);
    if (ra_same(e->ra, i->arg[0], i->arg[1])) {
        Reg d = ra_def_over(e->ra, i, i->arg[0]);
        if (i->imm)
            enc_shift_i(e, SH_ROR, w, d, i->imm);
        else if (!w)
            enc_mov_rr(e, false, d, d);
        return;
    }
    Reg d = ra_def_over(e->ra, i, i->arg[1]);
    if (i->imm) {
        enc_rr(e, 0, 1, w, 0xac, a, d); /* shrd d, a, imm */
        emit8(e, i->imm);
    } else if (!w) {
        enc_mov_rr(e, false, d, d);
    }
}

/* -- multiplication and division --------------------------------------------------------------- */

/* Both halves of a product at once (emit-unit.c finds such pairs). */
static void mul_wide(Emit *e, IrInsn *i)
{
    IrInsn *other = &e->unit->insn[e->s->pair[i - e->unit->insn]];
    IrInsn *low = i->op == IR_mul ? i : other, *high = low == i ? other : i;
    if (high->op == IR_mulhu && e->cpu->bmi2) {
        ra_use_fixed(e->ra, i->arg[0], RDX);
        Operand b = ra_use_rm(e->ra, i->arg[1]);
        Reg hi = ra_def(e->ra, high), lo = ra_def(e->ra, low);
        enc_vex(e, 0xf2, 2, true, 0, 0xf6, hi, lo, b, 0); /* mulx; writes the low half first */
        return;
    }
    flags_clobber(e);
    ra_use_fixed(e->ra, i->arg[0], RAX);
    ra_take(e->ra, RDX);
    Reg b = ra_use(e->ra, i->arg[1]);
    enc_rr(e, 0, 0, ENC_W, 0xf7, high->op == IR_mulhs ? 5 : 4, b);
    ra_def_is(e->ra, low, RAX);
    ra_def_is(e->ra, high, RDX);
}

static void select_mul(Emit *e, IrInsn *i)
{
    bool w = is64(i);
    if (paired(e, i)) {
        mul_wide(e, i);
        return;
    }
    int32_t imm;
    IrRef a = i->arg[0], b = i->arg[1];
    if (ra_fits_i32(e->ra, a, &imm)) {
        a = i->arg[1];
        b = i->arg[0];
    }
    if (ra_fits_i32(e->ra, b, &imm)) {
        Operand o = ra_use_rm(e->ra, a);
        Reg d = ra_def_late(e->ra, i);
        bool byte = imm >= -128 && imm < 128;
        enc_op(e, 0, 0, w, byte ? 0x6b : 0x69, d, o, byte ? 1 : 4);
        if (byte)
            emit8(e, imm);
        else
            emit32(e, imm);
        return;
    }
    if (!ra_over_is_free(e->ra, i, a) && ra_over_is_free(e->ra, i, b)) {
        IrRef t = a;
        a = b;
        b = t;
    }
    Operand o = ra_use_rm(e->ra, b);
    Reg d = ra_def_over(e->ra, i, a);
    enc_op(e, 0, 1, w, 0xaf, d, o, 0);
}

/* 32 bits: by a 64-bit product. */
static void mul_high32(Emit *e, IrInsn *i)
{
    bool sa = i->op != IR_mulhu, sb = i->op == IR_mulhs;
    Reg b = ra_use(e->ra, i->arg[1]);
    Reg a = ra_use_scratch(e->ra, i->arg[0]);
    Reg t = ra_temp_gpr(e->ra);
    if (sb)
        enc_movsx(e, 4, true, t, operand_reg(b));
    else
        enc_mov_rr(e, false, t, b);
    if (sa)
        enc_movsx(e, 4, true, a, operand_reg(a));
    else
        enc_mov_rr(e, false, a, a);
    enc_rr(e, 0, 1, ENC_W, 0xaf, a, t);
    enc_shift_i(e, SH_SHR, true, a, 32);
    ra_def_is(e->ra, i, a);
}

static void select_mulh(Emit *e, IrInsn *i)
{
    if (!is64(i)) {
        mul_high32(e, i);
        return;
    }
    if (paired(e, i)) {
        mul_wide(e, i);
        return;
    }
    if (i->op == IR_mulhu && e->cpu->bmi2) {
        ra_use_fixed(e->ra, i->arg[0], RDX);
        Operand b = ra_use_rm(e->ra, i->arg[1]);
        Reg d = ra_def(e->ra, i);
        enc_vex(e, 0xf2, 2, true, 0, 0xf6, d, d, b, 0); /* mulx, one destination: high half */
        return;
    }
    ra_use_fixed(e->ra, i->arg[0], RAX);
    ra_take(e->ra, RDX);
    Reg b = ra_use(e->ra, i->arg[1]);
    Reg t = REG_NONE;
    if (i->op == IR_mulhsu) {
        /* signed a times unsigned b: the unsigned product less b where a is negative */
        t = ra_temp_gpr(e->ra);
        enc_mov_rr(e, true, t, RAX);
        enc_shift_i(e, SH_SAR, true, t, 63);
        enc_alu(e, ALU_AND, true, t, operand_reg(b));
    }
    enc_rr(e, 0, 0, ENC_W, 0xf7, i->op == IR_mulhs ? 5 : 4, b);
    if (t != REG_NONE)
        enc_alu(e, ALU_SUB, true, RDX, operand_reg(t));
    ra_def_is(e->ra, i, RDX);
}

/* Divisors 0 and, signed, -1: the quotient in rax, the remainder in rdx. r[0]: the divisor. */
static void cold_division(Emit *e, Cold *c)
{
    IrInsn *i = c->insn;
    bool w = is64(i), is_signed = i->op == IR_sdiv || i->op == IR_srem;
    Label zero = LABEL_INIT;
    if (is_signed) {
        enc_test(e, w, c->r[0], c->r[0]);
        enc_jcc(e, CC_E, &zero);
        enc_mov_ri(e, RDX, 0);
        enc_rr(e, 0, 0, w, 0xf7, 3, RAX);
        enc_jmp(e, &c->back);
        enc_bind(e, &zero);
    }
    enc_mov_rr(e, w, RDX, RAX);
    enc_mov_ri(e, RAX, 0);
    enc_jmp(e, &c->back);
}

static void select_div(Emit *e, IrInsn *i)
{
    bool w = is64(i), rem = i->op == IR_urem || i->op == IR_srem;
    bool is_signed = i->op == IR_sdiv || i->op == IR_srem;
    uint64_t c;
    bool plain = ra_is_const(e->ra, i->arg[1], &c) &&
                 (w ? c != 0 && c + 1 != 0 : (uint32_t)c != 0 && (uint32_t)c + 1 != 0);
    ra_use_fixed(e->ra, i->arg[0], RAX);
    ra_take(e->ra, RDX);
    Reg b = ra_use(e->ra, i->arg[1]);
    Cold *cold = NULL;
    if (!plain) {
        cold = emit_cold(e, cold_division, i);
        cold->r[0] = b;
        if (is_signed) {
            Reg t = ra_temp_gpr(e->ra);
            enc_lea(e, w, t, mem_bi(b, REG_NONE, 0, 1));
            enc_alu_i(e, ALU_CMP, w, operand_reg(t), 1);
            enc_jcc(e, CC_BE, &cold->enter);
        } else {
            enc_test(e, w, b, b);
            enc_jcc(e, CC_E, &cold->enter);
        }
    }
    if (is_signed) {
        if (w)
            emit8(e, 0x48);
        emit8(e, 0x99); /* cdq, cqo */
    } else {
        enc_rr(e, 0, 0, 0, 0x31, RDX, RDX);
    }
    enc_rr(e, 0, 0, w, 0xf7, is_signed ? 7 : 6, b);
    if (cold)
        enc_bind(e, &cold->back);
    ra_def_is(e->ra, i, rem ? RDX : RAX);
    if (paired(e, i)) /* quotient and remainder at once (emit-unit.c finds such pairs) */
        ra_def_is(e->ra, &e->unit->insn[e->s->pair[i - e->unit->insn]], rem ? RAX : RDX);
}

/* -- bits -------------------------------------------------------------------------------------- */

static void select_clz(Emit *e, IrInsn *i)
{
    bool w = is64(i), clz = i->op == IR_clz;
    Operand a = ra_use_rm(e->ra, i->arg[0]);
    if (clz ? e->cpu->lzcnt : e->cpu->bmi1) {
        Reg d = ra_def_late(e->ra, i);
        enc_op(e, 0xf3, 1, w, clz ? 0xbd : 0xbc, d, a, 0);
        return;
    }
    /* bsr, bsf leave the destination alone (or undefined) for 0: cmov gives the width */
    Reg t = ra_temp_gpr(e->ra), d = ra_def(e->ra, i);
    enc_mov_ri(e, t, clz ? 2 * width(i) - 1 : width(i));
    enc_op(e, 0, 1, w, clz ? 0xbd : 0xbc, d, a, 0);
    enc_cmov(e, CC_E, w, d, operand_reg(t));
    if (clz)
        enc_alu_i(e, ALU_XOR, w, operand_reg(d), width(i) - 1);
}

static void select_popcnt(Emit *e, IrInsn *i)
{
    Operand a = ra_use_rm(e->ra, i->arg[0]);
    enc_op(e, 0xf3, 1, is64(i), 0xb8, ra_def_late(e->ra, i), a, 0);
}

static void bswap_reg(Emit *e, bool w, Reg r)
{
    if (w || r & 8)
        emit8(e, 0x40 | w << 3 | (r >> 3 & 1));
    emit8(e, 0x0f);
    emit8(e, 0xc8 | (r & 7));
}

static void select_bswap(Emit *e, IrInsn *i)
{
    bswap_reg(e, is64(i), ra_def_over(e->ra, i, i->arg[0]));
}

/* The bits of each byte by one bit-matrix instruction, then the bytes. */
static void bitrev_gfni(Emit *e, IrInsn *i)
{
    static const uint8_t from[8] = { 7, 6, 5, 4, 3, 2, 1, 0 };
    bool w = is64(i);
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), d = ra_def_late(e->ra, i);
    emit_vfrom_gpr(e, w, t, a);
    emit_vop3i(e, VGF2P8AFFINE | VOP_W, t, t,
               operand_mem(vec_pool_dup64(e, vec_bit_matrix(from))), 0);
    emit_vto_gpr(e, w, d, t);
    bswap_reg(e, w, d);
}

/* Bytes reversed, then within bytes nibbles, pairs, bits. */
static void select_bitrev(Emit *e, IrInsn *i)
{
    if (e->cpu->gfni && e->cpu->avx) {
        bitrev_gfni(e, i);
        return;
    }
    static const uint64_t mask[3] = { 0x0f0f0f0f0f0f0f0f, 0x3333333333333333, 0x5555555555555555 };
    bool w = is64(i);
    Reg d = ra_use_scratch(e->ra, i->arg[0]), t = ra_temp_gpr(e->ra), m = ra_temp_gpr(e->ra);
    bswap_reg(e, w, d);
    for (unsigned k = 0; k < 3; k++) {
        unsigned n = 4 >> k;
        enc_mov_ri(e, m, w ? mask[k] : (uint32_t)mask[k]);
        enc_mov_rr(e, true, t, d);
        enc_shift_i(e, SH_SHR, w, t, n);
        enc_alu(e, ALU_AND, w, t, operand_reg(m));
        enc_alu(e, ALU_AND, w, d, operand_reg(m));
        enc_shift_i(e, SH_SHL, w, d, n);
        enc_alu(e, ALU_OR, w, d, operand_reg(t));
    }
    ra_def_is(e->ra, i, d);
}

static void select_ubfx(Emit *e, IrInsn *i)
{
    bool w = is64(i);
    unsigned lsb = i->attr & 255, len = i->attr >> 8 & 255;
    if (lsb == 0 && len < width(i) && (len == 8 || len == 16 || len == 32)) {
        Reg a = ra_use(e->ra, i->arg[0]);
        Reg d = ra_def_late(e->ra, i);
        if (len == 32)
            enc_mov_rr(e, false, d, a);
        else
            enc_movzx(e, len / 8, d, operand_reg(a));
        return;
    }
    flags_clobber(e);
    Reg d = ra_def_over(e->ra, i, i->arg[0]);
    if (lsb + len == width(i)) {
        if (lsb)
            enc_shift_i(e, SH_SHR, w, d, lsb);
        else if (!w)
            enc_mov_rr(e, false, d, d);
    } else if (len < 32) {
        if (lsb)
            enc_shift_i(e, SH_SHR, w && lsb + len > 32, d, lsb);
        if (len == 8 || len == 16)
            enc_movzx(e, len / 8, d, operand_reg(d));
        else
            enc_alu_i(e, ALU_AND, false, operand_reg(d), (int32_t)((1u << len) - 1));
    } else if (len == 32) {
        enc_shift_i(e, SH_SHR, w, d, lsb);
        enc_mov_rr(e, false, d, d);
    } else {
        if (width(i) - lsb - len)
            enc_shift_i(e, SH_SHL, w, d, width(i) - lsb - len);
        enc_shift_i(e, SH_SHR, w, d, width(i) - len);
    }
}

static void select_sbfx(Emit *e, IrInsn *i)
{
    bool w = is64(i);
    unsigned lsb = i->attr & 255, len = i->attr >> 8 & 255;
    if (lsb == 0 && len < width(i) && (len == 8 || len == 16 || len == 32)) {
        Reg a = ra_use(e->ra, i->arg[0]);
        Reg d = ra_def_late(e->ra, i);
        enc_movsx(e, len / 8, w, d, operand_reg(a));
        return;
    }
    flags_clobber(e);
    Reg d = ra_def_over(e->ra, i, i->arg[0]);
    if (width(i) - lsb - len)
        enc_shift_i(e, SH_SHL, w, d, width(i) - lsb - len);
    if (width(i) - len)
        enc_shift_i(e, SH_SAR, w, d, width(i) - len);
    else if (!w)
        enc_mov_rr(e, false, d, d);
}

static void select_bfi(Emit *e, IrInsn *i)
{
    bool w = is64(i);
    unsigned lsb = i->attr & 255, len = i->attr >> 8 & 255;
    if (len >= width(i)) {
        Reg d = ra_def_over(e->ra, i, i->arg[1]);
        if (!w)
            enc_mov_rr(e, false, d, d);
        return;
    }
    Reg b = ra_use(e->ra, i->arg[1]);
    uint64_t mask = ((1ull << len) - 1) << lsb;
    uint64_t c;
    bool keep_fits = w ? (int64_t)~mask == (int32_t)~mask : true;
    if (ra_is_const(e->ra, i->arg[1], &c) && keep_fits) {
        uint64_t bits = c << lsb & mask;
        if (!w || bits <= INT32_MAX) {
            Reg d = ra_def_over(e->ra, i, i->arg[0]);
            enc_alu_i(e, ALU_AND, w, operand_reg(d), (int32_t)~mask);
            if (bits)
                enc_alu_i(e, ALU_OR, w, operand_reg(d), (int32_t)bits);
            return;
        }
    }
    Reg t = ra_temp_gpr(e->ra);
    Reg d = ra_def_over(e->ra, i, i->arg[0]);
    if (keep_fits) {
        if (lsb + len == width(i) || len > 32)
            enc_mov_rr(e, true, t, b);
        if (lsb + len == width(i)) {
            /* the shift drops the rest */
        } else if (len == 8 || len == 16) {
            enc_movzx(e, len / 8, t, operand_reg(b));
        } else if (len <= 32) {
            enc_mov_rr(e, false, t, b);
            if (len < 32)
                enc_alu_i(e, ALU_AND, false, operand_reg(t), (int32_t)((1u << len) - 1));
        } else {
            enc_shift_i(e, SH_SHL, true, t, 64 - len);
            enc_shift_i(e, SH_SHR, true, t, 64 - len);
        }
        if (lsb)
            enc_shift_i(e, SH_SHL, w, t, lsb);
        enc_alu_i(e, ALU_AND, w, operand_reg(d), (int32_t)~mask);
        enc_alu(e, ALU_OR, w, d, operand_reg(t));
        return;
    }
    /* Turn the field to the bottom, shift it out while b comes in on top, turn back. */
    enc_mov_rr(e, true, t, b); /* d may be the same register */
    if (lsb)
        enc_shift_i(e, SH_ROR, w, d, lsb);
    enc_rr(e, 0, 1, w, 0xac, t, d); /* shrd d, t, len */
    emit8(e, len);
    enc_shift_i(e, SH_ROL, w, d, (lsb + len) & (width(i) - 1));
}

static void select_ext(Emit *e, IrInsn *i)
{
    Operand a = ra_use_rm(e->ra, i->arg[0]);
    Reg d = ra_def_late(e->ra, i);
    if (i->op == IR_sext)
        enc_movsx(e, 4, true, d, a);
    else
        enc_op(e, 0, 0, 0, 0x8b, d, a, 0);
}

/* -- truth values ------------------------------------------------------------------------------ */

static HostCc cmp_cc(unsigned cc)
{
    static const uint8_t map[] = {CC_E, CC_NE, CC_B, CC_AE, CC_BE, CC_A, CC_L, CC_GE, CC_LE, CC_G};
    return map[cc - IR_CMP_EQ];
}

static HostCc swapped_cc(HostCc cc)
{
    switch (cc) {
    case CC_B: return CC_A;
    case CC_A: return CC_B;
    case CC_AE: return CC_BE;
    case CC_BE: return CC_AE;
    case CC_L: return CC_G;
    case CC_G: return CC_L;
    case CC_LE: return CC_GE;
    case CC_GE: return CC_LE;
    default: return cc;
    }
}

/* Do EFLAGS tell already, as those of a sum with one of its terms, or of the same difference? */
static bool cmp_is_there(Emit *e, const IrInsn *i, bool w)
{
    uint32_t value = e->s->sum_of;
    if (!value || value >= e->unit->n_insns)
        return false;
    const IrInsn *s = &e->unit->insn[value];
    if (is64(s) != w)
        return false;
    if (s->op == IR_sub)
        return ra_same(e->ra, i->arg[0], s->arg[0]) && ra_same(e->ra, i->arg[1], s->arg[1]);
    return s->op == IR_add && (i->cc == IR_CMP_ULT || i->cc == IR_CMP_UGE) &&
           ra_root(e->ra, i->arg[0]) == value &&
           (ra_same(e->ra, i->arg[1], s->arg[0]) || ra_same(e->ra, i->arg[1], s->arg[1]));
}

/* Are EFLAGS those of the comparison of a with zero, since a was computed last? */
static bool zero_cmp_is_there(Emit *e, IrRef a, unsigned cc, bool w)
{
    uint32_t value = ra_root(e->ra, a);
    if (value >= e->unit->n_insns || is64(&e->unit->insn[value]) != w)
        return false;
    return e->s->logic_of == value || ((e->s->sum_of == value || e->s->zero_of == value) &&
                                       (cc == IR_CMP_EQ || cc == IR_CMP_NE));
}

static void select_cmp(Emit *e, IrInsn *i)
{
    bool w = e->unit->insn[i->arg[0]].type == IR_I64;
    IrRef a = i->arg[0], b = i->arg[1];
    HostCc cc = cmp_cc(i->cc);
    int32_t imm;
    if (cmp_is_there(e, i, w)) {
        flags_def_cond(e, i, cc);
        return;
    }
    if (ra_fits_i32(e->ra, a, &imm)) {
        a = i->arg[1];
        b = i->arg[0];
        cc = swapped_cc(cc);
    }
    if (ra_fits_i32(e->ra, b, &imm)) {
        if (imm == 0 && zero_cmp_is_there(e, a, i->cc, w)) {
            flags_def_cond(e, i, cc);
            return;
        }
        Operand o = ra_use_rm(e->ra, a);
        flags_clobber(e);
        e->s->cmp_at = e->p - e->code;
        if (imm == 0 && o.reg != REG_NONE)
            enc_test(e, w, o.reg, o.reg);
        else
            enc_alu_i(e, ALU_CMP, w, o, imm);
    } else {
        Reg ra = ra_use(e->ra, a);
        Operand o = ra_use_rm(e->ra, b);
        flags_clobber(e);
        e->s->cmp_at = e->p - e->code;
        enc_alu(e, ALU_CMP, w, ra, o);
    }
    e->s->cmp_end = e->p - e->code;
    flags_def_cond(e, i, cc);
}

static void select_b2i(Emit *e, IrInsn *i)
{
    HostCc cc;
    if (e->ra->value[ra_root(e->ra, i->arg[0])].special &&
        (cc = flags_use_cond(e, i->arg[0])) < 16) {
        Reg d = ra_def(e->ra, i);
        enc_setcc(e, cc, d);
        enc_movzx(e, 1, d, operand_reg(d));
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]);
    Reg d = ra_def_late(e->ra, i);
    enc_mov_rr(e, false, d, a);
}

static void select_bnot(Emit *e, IrInsn *i)
{
    if (e->ra->value[ra_root(e->ra, i->arg[0])].special) {
        HostCc cc = flags_use_cond(e, i->arg[0]);
        flags_def_cond(e, i, cc ^ 1);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]);
    flags_clobber(e);
    enc_test(e, false, a, a);
    flags_def_cond(e, i, CC_E);
}

static void select_blogic(Emit *e, IrInsn *i)
{
    Alu op = i->op == IR_band ? ALU_AND : i->op == IR_bor ? ALU_OR : ALU_XOR;
    Reg b = ra_use(e->ra, i->arg[1]);
    Reg d = ra_def_over(e->ra, i, i->arg[0]);
    flags_clobber(e);
    enc_alu(e, op, false, d, operand_reg(b));
}

static void select_gpr(Emit *e, IrInsn *i)
{
    bool w = i->type != IR_I32 && i->type != IR_I1;
    bool special = e->ra->value[ra_root(e->ra, i->arg[0])].special;
    Reg c = special ? REG_NONE : ra_use(e->ra, i->arg[0]);
    IrRef yes = i->arg[1], no = i->arg[2];
    HostCc cc = special ? flags_use_cond(e, i->arg[0]) : CC_NE;
    /* a constant can't be cmov's source: better as what is there already */
    uint64_t k;
    if (cc < 16 && (ra_is_const(e->ra, yes, &k) ||
                    (!ra_over_is_free(e->ra, i, no) && ra_over_is_free(e->ra, i, yes)))) {
        yes = i->arg[2];
        no = i->arg[1];
        cc ^= 1;
    }
    Operand y = i->type == IR_FLAGS ? operand_reg(ra_use(e->ra, yes)) : ra_use_rm(e->ra, yes);
    Reg d = ra_def_over(e->ra, i, no);
    if (!special) {
        flags_clobber(e);
        enc_test(e, false, c, c);
    }
    if (cc == CC_NE_OR_P) {
        enc_cmov(e, CC_NE, w, d, y);
        enc_cmov(e, CC_P, w, d, y);
    } else if (cc == CC_E_AND_NP) {
        Label over = LABEL_INIT;
        enc_jcc(e, CC_NE_OR_P, &over);
        emit_move(e, d, y.reg != REG_NONE ? y.reg : d);
        if (y.reg == REG_NONE)
            enc_load(e, w, d, y.mem);
        enc_bind(e, &over);
        if (!w)
            enc_mov_rr(e, false, d, d);
    } else {
        enc_cmov(e, cc, w, d, y);
    }
}

static void select_select(Emit *e, IrInsn *i)
{
    if (i->type != IR_F32 && i->type != IR_F64 && i->type != IR_V128 && i->type != IR_I128) {
        select_gpr(e, i);
        return;
    }
    bool special = e->ra->value[ra_root(e->ra, i->arg[0])].special;
    Reg c = special ? REG_NONE : ra_use(e->ra, i->arg[0]);
    Reg y = ra_use(e->ra, i->arg[1]);
    Reg d = ra_def_over(e->ra, i, i->arg[2]);
    HostCc cc = CC_NE;
    Label over = LABEL_INIT;
    if (special) {
        cc = flags_use_cond(e, i->arg[0]);
    } else {
        flags_clobber(e);
        enc_test(e, false, c, c);
    }
    enc_jcc(e, cc ^ 1, &over);
    emit_move(e, d, y);
    enc_bind(e, &over);
}

/* -- pairs ------------------------------------------------------------------------------------- */

static void select_pack128(Emit *e, IrInsn *i)
{
    Reg lo = ra_use(e->ra, i->arg[0]), hi = ra_use(e->ra, i->arg[1]);
    Reg d = ra_def(e->ra, i);
    enc_rr(e, 0x66, 1, ENC_W, 0x6e, d, lo);                       /* movq d, lo */
    enc_op(e, 0x66, 3, ENC_W, 0x22, d, operand_reg(hi), 1);       /* pinsrq d, hi, 1 */
    emit8(e, 1);
}

static void select_half128(Emit *e, IrInsn *i)
{
    Reg x = ra_use(e->ra, i->arg[0]);
    Reg d = ra_def(e->ra, i);
    if (i->op == IR_lo128) {
        enc_rr(e, 0x66, 1, ENC_W, 0x7e, x, d); /* movq d, x */
        return;
    }
    enc_op(e, 0x66, 3, ENC_W, 0x16, x, operand_reg(d), 1); /* pextrq d, x, 1 */
    emit8(e, 1);
}

const SelectRow select_integer_rows[] = {
    { IR_add, SEL_KEEPS_FLAGS, select_add },
    { IR_sub, SEL_KEEPS_FLAGS, select_sub },
    { IR_and, SEL_KEEPS_FLAGS, select_logic },
    { IR_or, SEL_KEEPS_FLAGS, select_logic },
    { IR_xor, SEL_KEEPS_FLAGS, select_logic },
    { IR_andn, 0, select_andn },
    { IR_not, SEL_KEEPS_FLAGS, select_not },
    { IR_neg, SEL_KEEPS_FLAGS, select_neg },
    { IR_shl, SEL_KEEPS_FLAGS, select_shift },
    { IR_shr, SEL_KEEPS_FLAGS, select_shift },
    { IR_sar, SEL_KEEPS_FLAGS, select_shift },
    { IR_ror, SEL_KEEPS_FLAGS, select_shift },
    { IR_index, SEL_KEEPS_FLAGS, select_index },
    { IR_extr, 0, select_extr },
    { IR_mul, 0, select_mul },
    { IR_mulhu, 0, select_mulh },
    { IR_mulhs, 0, select_mulh },
    { IR_mulhsu, 0, select_mulh },
    { IR_udiv, 0, select_div },
    { IR_sdiv, 0, select_div },
    { IR_urem, 0, select_div },
    { IR_srem, 0, select_div },
    { IR_clz, 0, select_clz },
    { IR_ctz, 0, select_clz },
    { IR_popcnt, 0, select_popcnt },
    { IR_bswap, SEL_KEEPS_FLAGS, select_bswap },
    { IR_bitrev, 0, select_bitrev },
    { IR_ubfx, SEL_KEEPS_FLAGS, select_ubfx },
    { IR_sbfx, SEL_KEEPS_FLAGS, select_sbfx },
    { IR_bfi, 0, select_bfi },
    { IR_zext, SEL_KEEPS_FLAGS, select_ext },
    { IR_sext, SEL_KEEPS_FLAGS, select_ext },
    { IR_cmp, SEL_KEEPS_FLAGS, select_cmp },
    { IR_b2i, SEL_KEEPS_FLAGS, select_b2i },
    { IR_bnot, SEL_KEEPS_FLAGS, select_bnot },
    { IR_band, SEL_KEEPS_FLAGS, select_blogic },
    { IR_bor, SEL_KEEPS_FLAGS, select_blogic },
    { IR_bxor, SEL_KEEPS_FLAGS, select_blogic },
    { IR_select, SEL_KEEPS_FLAGS, select_select },
    { IR_pack128, SEL_KEEPS_FLAGS, select_pack128 },
    { IR_lo128, SEL_KEEPS_FLAGS, select_half128 },
    { IR_hi128, SEL_KEEPS_FLAGS, select_half128 },
    { 0 },
};
