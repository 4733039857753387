/* data plane */
/* Loads, stores, fences. On x86 every load acquires and every store releases; only a store followed
 * by a load may be seen out of order (Intel SDM vol. 3, 9.2.2). */
#include "translator/host/x86_64/emit-state.h"

static bool in_register(Emit *e, IrRef v)
{
    return e->ra->value[ra_root(e->ra, v)].reg != REG_NONE;
}

/* Data beside code, at an address known but for where the file is mapped: low enough for a
 * displacement? */
static bool code_data(Emit *e, const IrInsn *i, int32_t *ret)
{
    const IrInsn *base = ra_insn(e->ra, i->arg[0]);
    if (i->arg[1] || !base || base->op != IR_codeaddr || in_register(e, i->arg[0]))
        return false;
    uint64_t at = (uint64_t)base->imm + (uint64_t)i->imm;
    *ret = (int32_t)at;
    return at <= INT32_MAX && !(e->unit->flags & IR_UNIT_TAGGED);
}

/*
 * The address. In user mode a guest address is a host address. System mode's TLB look-up
 * (IR_UNIT_SOFT_TLB) belongs here: it turns the guest address into a host address in a register,
 * with its miss path in cold code.
 */
Mem memory_address(Emit *e, IrInsn *i)
{
    Mem m = { REG_NONE, REG_NONE, 0, 0, 0 };
    uint64_t c = 0;
    int64_t disp = i->imm;
    int32_t at;
    bool base_const = ra_is_const(e->ra, i->arg[0], &c);
    if (base_const && (int64_t)(c + disp) == (int32_t)(c + disp) &&
        (i->arg[1] || !in_register(e, i->arg[0]))) {
        disp += c;
    } else if (code_data(e, i, &at)) {
        return (Mem) { BASE_GUEST, REG_NONE, 0, 0, at };
    } else {
        m.base = ra_use(e->ra, i->arg[0]);
    }
    if (i->arg[1]) {
        m.index = ra_use(e->ra, i->arg[1]);
        m.scale = (i->attr & IR_MEM_SCALE) >> IR_MEM_SCALE_SHIFT;
    }
    if (disp != (int32_t)disp) {
        Reg t = ra_temp_gpr(e->ra);
        enc_mov_ri(e, t, disp);
        if (m.base != REG_NONE)
            enc_lea(e, true, t, (Mem) { t, m.base, 0, 0, 0 });
        m.base = t;
        disp = 0;
    }
    m.disp = disp;
    if (e->unit->flags & IR_UNIT_TAGGED && e->unit->isa->ignores_top_byte) {
        Reg t = ra_temp_gpr(e->ra);
        flags_clobber(e);
        enc_lea(e, true, t, m);
        enc_shift_i(e, SH_SHL, true, t, 8);
        enc_shift_i(e, SH_SAR, true, t, 8); /* bit 55 decides */
        m = (Mem) { t, REG_NONE, 0, 0, 0 };
    }
    return m;
}

/* r[0]: the address; v[0], v[1]: snapshot. */
static void cold_misaligned(Emit *e, Cold *c)
{
    enc_store(e, true, MEM_STATE(exit_addr), c->r[0]);
    exit_write_back(e, c->v[0], c->v[1] & 0xffff, c->v[1] >> 16);
    exit_store_pc(e, c->v[2], RAX);
    enc_store_i(e, false, MEM_STATE(exit_reason), VCPU_EXIT_ALIGN);
    emit_jmp_stub(e, STUB_LEAVE_DONE);
}

Cold *memory_align_begin(Emit *e, IrInsn *i, Mem m)
{
    Ra *ra = e->ra;
    flags_clobber(e);
    Reg t = m.base;
    if (m.index != REG_NONE || m.disp || m.base >= BASE_POOL) {
        t = ra_temp_gpr(ra);
        enc_lea(e, true, t, m);
    }
    Cold *c = emit_cold(e, cold_misaligned, i);
    unsigned n;
    c->r[0] = t;
    c->v[0] = ra_snapshot(ra, true, &n);
    c->v[1] = n;
    c->v[2] = e->guest_pc;
    return c;
}

void memory_align_test(Emit *e, Cold *c, unsigned log2)
{
    enc_test_i(e, false, operand_reg(c->r[0]), (1 << log2) - 1);
    enc_jcc(e, CC_NE, &c->enter);
}

void memory_check_align(Emit *e, IrInsn *i, Mem m, unsigned log2)
{
    if (log2)
        memory_align_test(e, memory_align_begin(e, i, m), log2);
}

static void bswap_gpr(Emit *e, unsigned size, Reg r)
{
    if (size == 1) {
        emit8(e, 0x66); /* rol r16, 8 */
        enc_rr(e, 0, 0, 0, 0xc1, 0, r);
        emit8(e, 8);
        return;
    }
    if (size == 3 || r & 8)
        emit8(e, 0x40 | (size == 3) << 3 | (r >> 3 & 1));
    emit8(e, 0x0f);
    emit8(e, 0xc8 | (r & 7));
}

static void load_gpr(Emit *e, IrInsn *i, Reg d, Mem m, unsigned size)
{
    bool w = i->type == IR_I64, sgn = i->attr & IR_MEM_SIGNED;
    Operand o = operand_mem(m);
    switch (size) {
    case 0: case 1:
        if (sgn)
            enc_movsx(e, 1 << size, w, d, o);
        else
            enc_movzx(e, 1 << size, d, o);
        break;
    case 2:
        if (sgn && w)
            enc_movsx(e, 4, true, d, o);
        else
            enc_load(e, false, d, m);
        break;
    default:
        enc_load(e, true, d, m);
    }
}

/* Big-endian: load without extension, swap, extend. */
static void extend_be(Emit *e, IrInsn *i, Reg d, unsigned size)
{
    bool w = i->type == IR_I64, sgn = i->attr & IR_MEM_SIGNED;
    flags_clobber(e);
    if (size == 0)
        return;
    bswap_gpr(e, size, d);
    if (size == 1) {
        if (sgn)
            enc_movsx(e, 2, w, d, operand_reg(d));
        else
            enc_movzx(e, 2, d, operand_reg(d));
    } else if (size == 2 && sgn && w) {
        enc_movsx(e, 4, true, d, operand_reg(d));
    }
}

static bool is_xmm(unsigned type)
{
    return type == IR_F32 || type == IR_F64 || type == IR_V128 || type == IR_I128;
}

/* 16 bytes in one piece: AVX promises it for aligned accesses; cmpxchg16b (with the same value)
 * does it everywhere, but writes. */
static void load_16_atomic(Emit *e, IrInsn *i, Mem m)
{
    if (e->cpu->avx) {
        Reg d = ra_def(e->ra, i);
        emit_point_begin(e);
        enc_vex(e, 0x66, 1, false, 0, 0x6f, d, REG_NONE, operand_mem(m), 0); /* vmovdqa */
        emit_point_end(e);
        return;
    }
    ra_take(e->ra, RAX);
    ra_take(e->ra, RDX);
    ra_take(e->ra, RCX);
    ra_take(e->ra, RBX);
    Reg d = ra_def(e->ra, i);
    enc_mov_ri(e, RAX, 0);
    enc_mov_ri(e, RDX, 0);
    enc_mov_ri(e, RBX, 0);
    enc_mov_ri(e, RCX, 0);
    emit_point_begin(e);
    emit8(e, 0xf0);
    enc_rm(e, 0, 1, ENC_W, 0xc7, 1, m);
    emit_point_end(e);
    enc_rr(e, 0x66, 1, ENC_W, 0x6e, d, RAX);
    enc_op(e, 0x66, 3, ENC_W, 0x22, d, operand_reg(RDX), 1);
    emit8(e, 1);
}

/* Into all caches, whichever the guest means. It faults nowhere, as the guest's doesn't. */
static void select_prefetch(Emit *e, IrInsn *i)
{
    enum { T0 = 1 };
    enc_rm(e, 0, 1, 0, 0x18, T0, memory_address(e, i));
}

static void select_load(Emit *e, IrInsn *i)
{
    unsigned size = i->attr & IR_MEM_SIZE;
    bool be = i->attr & IR_MEM_BE && size > 0;
    bool atomic16 = size == 4 && i->attr & IR_MEM_ATOMIC;
    if (be || (atomic16 && !e->cpu->avx))
        flags_clobber(e);
    Mem m = memory_address(e, i);
    if (i->attr & IR_MEM_ALIGN || atomic16)
        memory_check_align(e, i, m, size);
    if (atomic16) {
        load_16_atomic(e, i, m);
        return;
    }
    if (is_xmm(i->type)) {
        bool by_gpr = (be && size < 4) || size < 2;
        Reg t = by_gpr ? ra_temp_gpr(e->ra) : REG_NONE;
        Reg d = ra_def(e->ra, i);
        if (by_gpr) {
            emit_point_begin(e);
            if (size > 1)
                enc_load(e, size == 3, t, m);
            else
                enc_movzx(e, 1 << size, t, operand_mem(m));
            emit_point_end(e);
            if (be)
                bswap_gpr(e, size, t);
            if (be && size == 1)
                enc_movzx(e, 2, t, operand_reg(t));
            emit_move(e, d, t);
            return;
        }
        emit_point_begin(e);
        emit_load(e, d, m, 1 << size);
        emit_point_end(e);
        if (be) {
            enc_rm(e, 0x66, 2, 0, 0x00, d, /* pshufb */
                   enc_pool128(e, 0x08090a0b0c0d0e0full, 0x0001020304050607ull));
        }
        return;
    }
    if (be) {
        Reg d = ra_def(e->ra, i);
        emit_point_begin(e);
        if (size == 1)
            enc_movzx(e, 2, d, operand_mem(m));
        else
            enc_load(e, size == 3, d, m);
        emit_point_end(e);
        extend_be(e, i, d, size);
        return;
    }
    /* one instruction: the address registers may be the result's */
    Reg d = ra_def_late(e->ra, i);
    emit_point_begin(e);
    load_gpr(e, i, d, m, size);
    emit_point_end(e);
}

/* -- stores ------------------------------------------------------------------------------------ */

static void store_xmm(Emit *e, Reg v, Mem m, unsigned size)
{
    if (size == 1 || size == 0) {
        enc_op(e, 0x66, 3, 0, size ? 0x15 : 0x14, v, operand_mem(m), 1); /* pextrw, pextrb */
        emit8(e, 0);
    } else {
        emit_store(e, m, v, 1 << size);
    }
}

static void store_gpr(Emit *e, Reg v, Mem m, unsigned size)
{
    switch (size) {
    case 0: enc_rm(e, 0, 0, ENC_BYTE, 0x88, v, m); break;
    case 1: enc_rm(e, 0x66, 0, 0, 0x89, v, m); break;
    default: enc_store(e, size == 3, m, v);
    }
}

static void store_imm(Emit *e, int32_t imm, Mem m, unsigned size)
{
    switch (size) {
    case 0:
        enc_op(e, 0, 0, 0, 0xc6, 0, operand_mem(m), 1);
        emit8(e, imm);
        break;
    case 1:
        enc_op(e, 0x66, 0, 0, 0xc7, 0, operand_mem(m), 2);
        emit8(e, imm);
        emit8(e, imm >> 8);
        break;
    default:
        enc_store_i(e, size == 3, m, imm);
    }
}

static void full_barrier(Emit *e)
{
    flags_clobber(e);
    emit8(e, 0xf0); /* lock or dword [rsp], 0: cheaper than mfence */
    enc_op(e, 0, 0, 0, 0x83, 1, operand_mem((Mem) { RSP, REG_NONE, 0, 0, 0 }), 1);
    emit8(e, 0);
}

static void store_16_atomic(Emit *e, IrInsn *i, Mem m, Reg v)
{
    if (e->cpu->avx) {
        emit_point_begin(e);
        enc_vex(e, 0x66, 1, false, 0, 0x7f, v, REG_NONE, operand_mem(m), 0);
        emit_point_end(e);
        return;
    }
    enc_rr(e, 0x66, 1, ENC_W, 0x7e, v, RBX);
    enc_op(e, 0x66, 3, ENC_W, 0x16, v, operand_reg(RCX), 1);
    emit8(e, 1);
    emit_point_begin(e);
    Mem hi = m;
    hi.disp += 8;
    enc_load(e, true, RAX, m);
    enc_load(e, true, RDX, hi);
    Label again = LABEL_INIT;
    enc_bind(e, &again);
    emit8(e, 0xf0);
    enc_rm(e, 0, 1, ENC_W, 0xc7, 1, m);
    enc_jcc(e, CC_NE, &again);
    emit_point_end(e);
}

static void select_store(Emit *e, IrInsn *i)
{
    unsigned size = i->attr & IR_MEM_SIZE;
    IrRef value = i->arg[2];
    bool be = i->attr & IR_MEM_BE && size > 0;
    bool sc = (i->attr & IR_MEM_SEQ_CST) == IR_MEM_SEQ_CST;
    bool atomic16 = size == 4 && i->attr & IR_MEM_ATOMIC;
    bool xmm = is_xmm(e->unit->insn[value].type);
    if (atomic16 && !e->cpu->avx) {
        flags_clobber(e);
        ra_take(e->ra, RAX);
        ra_take(e->ra, RDX);
        ra_take(e->ra, RCX);
        ra_take(e->ra, RBX);
    }
    Mem m = memory_address(e, i);
    if (i->attr & IR_MEM_ALIGN || atomic16)
        memory_check_align(e, i, m, size);
    int32_t imm;
    if (xmm) {
        Reg v = ra_use(e->ra, value);
        if (be && size < 4) {
            Reg t = ra_temp_gpr(e->ra);
            flags_clobber(e);
            emit_move(e, t, v);
            bswap_gpr(e, size, t);
            emit_point_begin(e);
            store_gpr(e, t, m, size);
            emit_point_end(e);
        } else {
            if (be) {
                v = ra_use_scratch(e->ra, value);
                enc_rm(e, 0x66, 2, 0, 0x00, v,
                       enc_pool128(e, 0x08090a0b0c0d0e0full, 0x0001020304050607ull));
            }
            if (atomic16) {
                store_16_atomic(e, i, m, v);
            } else {
                emit_point_begin(e);
                store_xmm(e, v, m, size);
                emit_point_end(e);
            }
        }
        if (sc)
            full_barrier(e);
        return;
    }
    if (!be && !sc && ra_fits_i32(e->ra, value, &imm) &&
        e->ra->value[ra_root(e->ra, value)].reg == REG_NONE) {
        emit_point_begin(e);
        store_imm(e, imm, m, size);
        emit_point_end(e);
        return;
    }
    if (be || sc) {
        Reg v = ra_use_scratch(e->ra, value);
        if (be) {
            flags_clobber(e);
            bswap_gpr(e, size, v);
        }
        emit_point_begin(e);
        if (sc) /* xchg: its implied lock orders it before later loads */
            enc_rm(e, size == 1 ? 0x66 : 0, 0, size == 3 ? ENC_W : size == 0 ? ENC_BYTE : 0,
                   size == 0 ? 0x86 : 0x87, v, m);
        else
            store_gpr(e, v, m, size);
        emit_point_end(e);
        return;
    }
    Reg v = ra_use(e->ra, value);
    emit_point_begin(e);
    store_gpr(e, v, m, size);
    emit_point_end(e);
}

static void select_fence(Emit *e, IrInsn *i)
{
    if (i->attr & IR_FENCE_WR)
        full_barrier(e);
}

/* By scan.S; it changes what is taken here. */
static void select_scan(Emit *e, IrInsn *i)
{
    Ra *ra = e->ra;
    ra_use_fixed(ra, i->arg[0], RDI);
    ra_use_fixed(ra, i->arg[1], RSI);
    ra_use_fixed(ra, i->arg[2], RDX);
    ra_take(ra, RAX);
    ra_take(ra, RCX);
    ra_take(ra, R8);
    ra_take(ra, R9);
    if (!e->cpu->avx512vl)
        ra_clobber(ra, 0x7fu << XMM0);
    flags_clobber(e);
    emit_call_stub(e, STUB_SCAN + i->attr);
    ra_def_is(ra, i, RAX);
}

/* By move.S, likewise. */
static void select_move(Emit *e, IrInsn *i)
{
    Ra *ra = e->ra;
    ra_use_fixed(ra, i->arg[0], RDI);
    ra_use_fixed(ra, i->arg[1], RSI);
    ra_use_fixed(ra, i->arg[2], RDX);
    if (i->arg[3])
        ra_use_fixed(ra, i->arg[3], RCX);
    else
        ra_take(ra, RCX);
    ra_take(ra, RAX);
    ra_take(ra, R8);
    ra_take(ra, R9);
    ra_take(ra, R10);
    ra_take(ra, R11);
    if (!e->cpu->avx512vl)
        ra_clobber(ra, 0xfu << XMM0);
    flags_clobber(e);
    enc_mov_ri(e, R10, -(uint64_t)(uint32_t)i->imm);
    enc_mov_ri(e, R11, (uint64_t)i->imm >> IR_MOVE_AHEAD_SHIFT);
    emit_call_stub(e, STUB_MOVE + i->attr);
    ra_def_is(ra, i, RAX);
}

const SelectRow select_memory_rows[] = {
    { IR_move, 0, select_move },
    { IR_scan, 0, select_scan },
    { IR_load, SEL_KEEPS_FLAGS, select_load },
    { IR_prefetch, SEL_KEEPS_FLAGS, select_prefetch },
    { IR_store, SEL_KEEPS_FLAGS, select_store },
    { IR_fence, SEL_KEEPS_FLAGS, select_fence },
    { 0 },
};
