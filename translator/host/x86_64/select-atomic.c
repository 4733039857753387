/* data plane */
/* Atomic read-modify-write, compare-and-swap, the store of an LL/SC pair. A locked instruction is a
 * full barrier, so every ordering attribute is met. */
#include "translator/host/x86_64/emit-state.h"

enum { LOCK = 0xf0 };

/* Opcode prefix and flags of an operation of this size. */
static unsigned size_pfx(unsigned size) { return size == 1 ? 0x66 : 0; }
static unsigned size_flags(unsigned size) { return size == 3 ? ENC_W : size == 0 ? ENC_BYTE : 0; }

static void cmpxchg(Emit *e, unsigned size, Mem m, Reg desired)
{
    emit8(e, LOCK);
    enc_rm(e, size_pfx(size), 1, size_flags(size), size == 0 ? 0xb0 : 0xb1, desired, m);
}

/* The old value as the result's type wants it. `loaded`: by an instruction that cleared the upper
 * half of the register; a successful cmpxchg leaves there what was expected. */
static void extend_old(Emit *e, const IrInsn *i, unsigned size, Reg r, bool loaded)
{
    bool w = i->type == IR_I64, sgn = i->attr & IR_MEM_SIGNED;
    if (size < 2) {
        if (sgn)
            enc_movsx(e, 1 << size, w, r, operand_reg(r));
        else
            enc_movzx(e, 1 << size, r, operand_reg(r));
    } else if (size == 2) {
        if (sgn && w)
            enc_movsx(e, 4, true, r, operand_reg(r));
        else if (!loaded)
            enc_mov_rr(e, false, r, r);
    }
}

static void load_old(Emit *e, unsigned size, Reg r, Mem m)
{
    if (size < 2)
        enc_movzx(e, 1 << size, r, operand_mem(m));
    else
        enc_load(e, size == 3, r, m);
}

/* t := old (rax) op v */
static void rmw_combine(Emit *e, unsigned rmw, unsigned size, Reg t, Reg v, bool w)
{
    static const uint8_t keep_old[] = { [IR_RMW_SMAX] = CC_GE, [IR_RMW_SMIN] = CC_LE,
                                        [IR_RMW_UMAX] = CC_AE, [IR_RMW_UMIN] = CC_BE };
    enc_mov_rr(e, true, t, RAX);
    switch (rmw) {
    case IR_RMW_AND: enc_alu(e, ALU_AND, w, t, operand_reg(v)); break;
    case IR_RMW_OR: enc_alu(e, ALU_OR, w, t, operand_reg(v)); break;
    case IR_RMW_XOR: enc_alu(e, ALU_XOR, w, t, operand_reg(v)); break;
    case IR_RMW_ANDN: /* v was inverted before the loop */
        enc_alu(e, ALU_AND, w, t, operand_reg(v));
        break;
    default:
        /* compare at the access's width */
        enc_rr(e, size_pfx(size), 0, size_flags(size), size == 0 ? 0x3a : 0x3b, t, v);
        enc_cmov(e, keep_old[rmw] ^ 1, true, t, operand_reg(v));
    }
}

static void rmw_loop(Emit *e, IrInsn *i, unsigned size, Mem m)
{
    bool w = size == 3;
    Reg v = i->cc == IR_RMW_ANDN ? ra_use_scratch(e->ra, i->arg[1]) : ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_gpr(e->ra);
    Label again = LABEL_INIT;
    if (i->cc == IR_RMW_ANDN)
        enc_rr(e, 0, 0, w, 0xf7, 2, v);
    emit_point_begin(e);
    load_old(e, size, RAX, m);
    enc_bind(e, &again);
    rmw_combine(e, i->cc, size, t, v, w);
    cmpxchg(e, size, m, t);
    enc_jcc(e, CC_NE, &again);
    emit_point_end(e);
    extend_old(e, i, size, RAX, true);
    ra_def_is(e->ra, i, RAX);
}

static Mem atomic_address(Emit *e, IrInsn *i)
{
    IrInsn a = *i;
    a.arg[1] = 0;
    Mem m = memory_address(e, &a);
    if (i->attr & IR_MEM_ALIGN || (i->attr & IR_MEM_SIZE) == 4)
        memory_check_align(e, i, m, i->attr & IR_MEM_SIZE);
    return m;
}

/* xchg and xadd give the old value in the register of the operand. */
static void rmw_exchange(Emit *e, IrInsn *i, unsigned size, Mem m)
{
    Reg v = ra_use_scratch(e->ra, i->arg[1]);
    emit_point_begin(e);
    if (i->cc == IR_RMW_ADD) {
        emit8(e, LOCK);
        enc_rm(e, size_pfx(size), 1, size_flags(size), size == 0 ? 0xc0 : 0xc1, v, m);
    } else {
        enc_rm(e, size_pfx(size), 0, size_flags(size), size == 0 ? 0x86 : 0x87, v, m);
    }
    emit_point_end(e);
    extend_old(e, i, size, v, true);
    ra_def_is(e->ra, i, v);
}

/* The old value isn't wanted: lock add/and/or/xor. */
static void rmw_plain(Emit *e, IrInsn *i, unsigned size, Mem m)
{
    static const uint8_t alu[] = { [IR_RMW_ADD] = ALU_ADD, [IR_RMW_AND] = ALU_AND,
                                   [IR_RMW_ANDN] = ALU_AND, [IR_RMW_OR] = ALU_OR,
                                   [IR_RMW_XOR] = ALU_XOR };
    Reg v = i->cc == IR_RMW_ANDN ? ra_use_scratch(e->ra, i->arg[1]) : ra_use(e->ra, i->arg[1]);
    if (i->cc == IR_RMW_ANDN)
        enc_rr(e, 0, 0, size == 3, 0xf7, 2, v);
    emit_point_begin(e);
    emit8(e, LOCK);
    enc_rm(e, size_pfx(size), 0, size_flags(size), alu[i->cc] << 3 | (size != 0), v, m);
    emit_point_end(e);
}

static void select_armw(Emit *e, IrInsn *i)
{
    unsigned size = i->attr & IR_MEM_SIZE;
    bool exchange = i->cc == IR_RMW_XCHG || i->cc == IR_RMW_ADD;
    bool wanted = ra_alive_after(e->ra, i - e->unit->insn) ||
                  ra_used_at_all(e->ra, i - e->unit->insn) ||
                  e->ra->value[i - e->unit->insn].put;
    bool plain = !wanted && i->cc >= IR_RMW_ADD && i->cc <= IR_RMW_XOR;
    if (size > 3 || i->attr & IR_MEM_BE) {
        e->failed = true;
        return;
    }
    if (!exchange && !plain)
        ra_take(e->ra, RAX);
    Mem m = atomic_address(e, i);
    if (plain)
        rmw_plain(e, i, size, m);
    else if (exchange)
        rmw_exchange(e, i, size, m);
    else
        rmw_loop(e, i, size, m);
}

/* -- compare and swap -------------------------------------------------------------------------- */

/* x128 into two registers that are ours. */
static void split128(Emit *e, IrRef v, Reg lo, Reg hi)
{
    Reg x = ra_use(e->ra, v);
    enc_rr(e, 0x66, 1, ENC_W, 0x7e, x, lo);
    enc_op(e, 0x66, 3, ENC_W, 0x16, x, operand_reg(hi), 1);
    emit8(e, 1);
}

static void take_16b_regs(Emit *e)
{
    ra_take(e->ra, RAX);
    ra_take(e->ra, RDX);
    ra_take(e->ra, RCX);
    ra_take(e->ra, RBX);
}

static void cmpxchg16b(Emit *e, Mem m)
{
    emit8(e, LOCK);
    enc_rm(e, 0, 1, ENC_W, 0xc7, 1, m);
}

static void select_acas(Emit *e, IrInsn *i)
{
    unsigned size = i->attr & IR_MEM_SIZE;
    if (i->attr & IR_MEM_BE) {
        e->failed = true;
        return;
    }
    if (size == 4) {
        take_16b_regs(e);
        Mem m = atomic_address(e, i);
        split128(e, i->arg[1], RAX, RDX);
        split128(e, i->arg[2], RBX, RCX);
        Reg d = ra_def(e->ra, i);
        emit_point_begin(e);
        cmpxchg16b(e, m);
        emit_point_end(e);
        enc_rr(e, 0x66, 1, ENC_W, 0x6e, d, RAX);
        enc_op(e, 0x66, 3, ENC_W, 0x22, d, operand_reg(RDX), 1);
        emit8(e, 1);
        return;
    }
    ra_use_fixed(e->ra, i->arg[1], RAX);
    Mem m = atomic_address(e, i);
    Reg n = ra_use(e->ra, i->arg[2]);
    emit_point_begin(e);
    cmpxchg(e, size, m, n);
    emit_point_end(e);
    extend_old(e, i, size, RAX, false);
    ra_def_is(e->ra, i, RAX);
}

static void select_condcas(Emit *e, IrInsn *i)
{
    unsigned size = i->attr & IR_MEM_SIZE;
    Label over = LABEL_INIT;
    if (i->attr & IR_MEM_BE) {
        e->failed = true;
        return;
    }
    if (size == 4)
        take_16b_regs(e);
    else
        ra_use_fixed(e->ra, i->arg[1], RAX);
    /* Right behind the load that it belongs to the guard is known. */
    const IrInsn *guard = ra_insn(e->ra, i->arg[3]);
    bool always = guard && guard->op == IR_const && guard->imm & 1;
    Reg g = always ? REG_NONE : ra_use(e->ra, i->arg[3]);
    IrInsn plain = *i;
    plain.arg[1] = 0;
    Mem m = memory_address(e, &plain);
    Reg n = REG_NONE;
    if (size == 4) {
        split128(e, i->arg[1], RAX, RDX);
        split128(e, i->arg[2], RBX, RCX);
    } else {
        n = ra_use(e->ra, i->arg[2]);
    }
    Reg d = ra_temp_gpr(e->ra);
    bool check = size > 0 && (i->attr & IR_MEM_ALIGN || size == 4);
    Cold *misaligned = check ? memory_align_begin(e, i, m) : NULL;
    enc_mov_ri(e, d, 0);
    if (!always) {
        enc_test(e, false, g, g);
        enc_jcc(e, CC_E, &over);
    }
    if (check)
        memory_align_test(e, misaligned, size);
    emit_point_begin(e);
    if (size == 4)
        cmpxchg16b(e, m);
    else
        cmpxchg(e, size, m, n);
    emit_point_end(e);
    enc_setcc(e, CC_E, d);
    if (!always)
        enc_bind(e, &over);
    ra_def_is(e->ra, i, d);
}

const SelectRow select_atomic_rows[] = {
    { IR_armw, 0, select_armw },
    { IR_acas, 0, select_acas },
    { IR_condcas, 0, select_condcas },
    { 0 },
};
