/* data plane */
/* Encoders of integer instructions. Intel SDM vol. 2 (2023-09), chapter 2 for the formats. */
#include "translator/host/x86_64/encode.h"

#include "translator/host/x86_64/emit-state.h"

static void modrm(Emit *e, unsigned mod, unsigned reg, unsigned rm)
{
    emit8(e, mod << 6 | (reg & 7) << 3 | (rm & 7));
}

/* The displacement of a pool operand is relative to the end of the instruction and the pool's place
 * isn't known yet: noted for emit_finish(). */
static void pool_ref(Emit *e, int32_t offset, unsigned imm_bytes)
{
    struct EmitState *s = e->s;
    if (s->n_pool_fixes == POOL_FIXES_MAX) {
        e->failed = true;
        emit32(e, 0);
        return;
    }
    s->pool_fix[s->n_pool_fixes++] = (PoolFix) { e->p - e->code, offset, imm_bytes };
    emit32(e, 0);
}

void enc_modrm(Emit *e, unsigned reg, Operand rm, unsigned imm_bytes, bool disp32)
{
    e->n_ops++;
    if (rm.reg != REG_NONE) {
        modrm(e, 3, reg, rm.reg);
        return;
    }
    Mem m = rm.mem;
    if (m.base == BASE_POOL) {
        modrm(e, 0, reg, 5);
        pool_ref(e, m.disp, imm_bytes);
        return;
    }
    bool d8 = m.disp >= -128 && m.disp < 128 && !disp32;
    if (m.base >= BASE_POOL) {
        modrm(e, 0, reg, 4);
        emit8(e, m.scale << 6 | (m.index == REG_NONE ? 4 : m.index & 7) << 3 | 5);
        if (m.base == BASE_GUEST)
            emit_reloc(e, e->p - e->code, UNIT_RELOC_GUEST32, 0);
        emit32(e, m.disp);
        return;
    }
    /* rbp and r13 as base have no form without a displacement */
    unsigned mod = m.disp == 0 && (m.base & 7) != 5 ? 0 : d8 ? 1 : 2;
    if (m.index != REG_NONE || (m.base & 7) == 4) {
        modrm(e, mod, reg, 4);
        emit8(e, m.scale << 6 | (m.index == REG_NONE ? 4 : m.index & 7) << 3 | (m.base & 7));
    } else {
        modrm(e, mod, reg, m.base);
    }
    if (mod == 1)
        emit8(e, m.disp);
    else if (mod == 2)
        emit32(e, m.disp);
}

static unsigned rex_xb(Operand rm)
{
    if (rm.reg != REG_NONE)
        return rm.reg >> 3 & 1;
    unsigned b = rm.mem.base < BASE_POOL ? rm.mem.base >> 3 & 1 : 0;
    unsigned x = rm.mem.index != REG_NONE ? rm.mem.index >> 3 & 1 : 0;
    return x << 1 | b;
}

void enc_op(Emit *e, unsigned pfx, unsigned map, unsigned flags, unsigned opcode, Reg reg,
            Operand rm, unsigned imm_bytes)
{
    if (rm.reg == REG_NONE && rm.mem.seg)
        emit8(e, rm.mem.seg);
    if (pfx)
        emit8(e, pfx);
    unsigned rex = (flags & ENC_W) << 3 | (reg >> 3 & 1) << 2 | rex_xb(rm);
    /* spl, bpl, sil, dil need a REX prefix to be named at all */
    bool low =
        flags & ENC_BYTE && (((reg & 15) >= 4) || (rm.reg != REG_NONE && (rm.reg & 15) >= 4));
    if (rex || low)
        emit8(e, 0x40 | rex);
    if (map) {
        emit8(e, 0x0f);
        if (map > 1)
            emit8(e, map == 2 ? 0x38 : 0x3a);
    }
    emit8(e, opcode);
    enc_modrm(e, reg, rm, imm_bytes, false);
}

void enc_vex(Emit *e, unsigned pfx, unsigned map, bool w, unsigned l, unsigned opcode, Reg reg,
             Reg vvvv, Operand rm, unsigned imm_bytes)
{
    unsigned pp = pfx == 0x66 ? 1 : pfx == 0xf3 ? 2 : pfx == 0xf2 ? 3 : 0;
    unsigned xb = rex_xb(rm), r = reg >> 3 & 1;
    unsigned v = vvvv == REG_NONE ? 15 : ~vvvv & 15;
    if (rm.reg == REG_NONE && rm.mem.seg)
        emit8(e, rm.mem.seg);
    if (xb == 0 && map == 1 && !w) {
        emit8(e, 0xc5);
        emit8(e, (r ^ 1) << 7 | v << 3 | l << 2 | pp);
    } else {
        emit8(e, 0xc4);
        emit8(e, (r ^ 1) << 7 | (xb ^ 3) << 5 | map);
        emit8(e, (unsigned)w << 7 | v << 3 | l << 2 | pp);
    }
    emit8(e, opcode);
    enc_modrm(e, reg, rm, imm_bytes, false);
}

void enc_mov_rr(Emit *e, bool w, Reg to, Reg from)
{
    if (to != from || !w)
        enc_rr(e, 0, 0, w, 0x8b, to, from);
}

void enc_mov_ri(Emit *e, Reg to, uint64_t imm)
{
    if (imm <= UINT32_MAX) {
        e->n_ops++;
        if (to & 8)
            emit8(e, 0x41);
        emit8(e, 0xb8 | (to & 7));
        emit32(e, imm);
    } else if ((int64_t)imm == (int32_t)imm) {
        enc_rr(e, 0, 0, ENC_W, 0xc7, 0, to);
        emit32(e, imm);
    } else {
        e->n_ops++;
        emit8(e, 0x48 | (to >> 3 & 1));
        emit8(e, 0xb8 | (to & 7));
        emit64(e, imm);
    }
}

void enc_load(Emit *e, bool w, Reg to, Mem m) { enc_rm(e, 0, 0, w, 0x8b, to, m); }
void enc_store(Emit *e, bool w, Mem m, Reg from) { enc_rm(e, 0, 0, w, 0x89, from, m); }

void enc_store_i(Emit *e, bool w, Mem m, int32_t imm)
{
    enc_op(e, 0, 0, w, 0xc7, 0, operand_mem(m), 4);
    emit32(e, imm);
}

void enc_lea(Emit *e, bool w, Reg to, Mem m)
{
    enc_rm(e, 0, 0, w, 0x8d, to, m);
}

void enc_alu(Emit *e, Alu op, bool w, Reg to, Operand from)
{
    enc_op(e, 0, 0, w, op << 3 | 3, to, from, 0);
}

void enc_alu_i(Emit *e, Alu op, bool w, Operand to, int32_t imm)
{
    if (imm >= -128 && imm < 128) {
        enc_op(e, 0, 0, w, 0x83, op, to, 1);
        emit8(e, imm);
    } else if (to.reg == RAX) {
        if (w)
            emit8(e, 0x48);
        emit8(e, op << 3 | 5);
        emit32(e, imm);
    } else {
        enc_op(e, 0, 0, w, 0x81, op, to, 4);
        emit32(e, imm);
    }
}

void enc_alu_mr(Emit *e, Alu op, bool w, Mem to, Reg from)
{
    enc_rm(e, 0, 0, w, op << 3 | 1, from, to);
}

void enc_test(Emit *e, bool w, Reg a, Reg b) { enc_rr(e, 0, 0, w, 0x85, a, b); }

void enc_test_i(Emit *e, bool w, Operand a, int32_t imm)
{
    if (a.reg != REG_NONE && imm >= 0 && imm < 128) {
        enc_op(e, 0, 0, ENC_BYTE, 0xf6, 0, a, 1);
        emit8(e, imm);
    } else {
        enc_op(e, 0, 0, w, 0xf7, 0, a, 4);
        emit32(e, imm);
    }
}

void enc_shift_i(Emit *e, Shift op, bool w, Reg to, unsigned n)
{
    enc_op(e, 0, 0, w, n == 1 ? 0xd1 : 0xc1, op, operand_reg(to), n != 1);
    if (n != 1)
        emit8(e, n);
}

void enc_shift_cl(Emit *e, Shift op, bool w, Reg to) { enc_rr(e, 0, 0, w, 0xd3, op, to); }

void enc_setcc(Emit *e, HostCc cc, Reg to)
{
    enc_rr(e, 0, 1, ENC_BYTE, 0x90 | cc, 0, to);
}

void enc_cmov(Emit *e, HostCc cc, bool w, Reg to, Operand from)
{
    enc_op(e, 0, 1, w, 0x40 | cc, to, from, 0);
}

void enc_movzx(Emit *e, unsigned from_bytes, Reg to, Operand from)
{
    enc_op(e, 0, 1, from_bytes == 1 ? ENC_BYTE : 0, from_bytes == 1 ? 0xb6 : 0xb7, to, from, 0);
}

void enc_movsx(Emit *e, unsigned from_bytes, bool w, Reg to, Operand from)
{
    if (from_bytes == 4)
        enc_op(e, 0, 0, w, 0x63, to, from, 0);
    else
        enc_op(e, 0, 1, w | (from_bytes == 1 ? ENC_BYTE : 0), from_bytes == 1 ? 0xbe : 0xbf, to,
               from, 0);
}

void enc_push(Emit *e, Reg r)
{
    if (r & 8)
        emit8(e, 0x41);
    emit8(e, 0x50 | (r & 7));
}

void enc_pop(Emit *e, Reg r)
{
    if (r & 8)
        emit8(e, 0x41);
    emit8(e, 0x58 | (r & 7));
}

/* A label that isn't bound yet chains its uses through their rel32 fields. */
static void label_ref(Emit *e, Label *l)
{
    int32_t at = e->p - e->code;
    if (l->at >= 0) {
        emit32(e, l->at - (at + 4));
    } else {
        emit32(e, l->fix);
        l->fix = at;
    }
}

/* The short form of a jump back that is near enough. */
static bool jump_short(Emit *e, unsigned opcode, const Label *l)
{
    int32_t rel = l->at - (int32_t)(e->p + 2 - e->code);
    if (l->at < 0 || rel < -128)
        return false;
    emit8(e, opcode);
    emit8(e, (uint8_t)rel);
    return true;
}

void enc_jmp(Emit *e, Label *l)
{
    e->n_ops++;
    if (jump_short(e, 0xeb, l))
        return;
    emit8(e, 0xe9);
    label_ref(e, l);
}

void enc_jcc(Emit *e, HostCc cc, Label *l)
{
    if (cc == CC_NE_OR_P) {
        enc_jcc(e, CC_NE, l);
        enc_jcc(e, CC_P, l);
    } else if (cc == CC_E_AND_NP) {
        emit8(e, 0x75); /* jne over the next */
        uint8_t *by = e->p++;
        enc_jcc(e, CC_NP, l);
        *by = (uint8_t)(e->p - (by + 1));
    } else if (!jump_short(e, 0x70 | cc, l)) {
        emit8(e, 0x0f);
        emit8(e, 0x80 | cc);
        label_ref(e, l);
    }
}

void enc_bind(Emit *e, Label *l)
{
    l->at = e->p - e->code;
    for (int32_t at = l->fix; at >= 0;) {
        int32_t next;
        memcpy(&next, e->code + at, 4);
        int32_t rel = l->at - (at + 4);
        memcpy(e->code + at, &rel, 4);
        at = next;
    }
    l->fix = -1;
}

static int pool_find(Emit *e, uint64_t lo, uint64_t hi, bool wide)
{
    struct EmitState *s = e->s;
    for (unsigned n = 0; n < s->n_pool; n++)
        if (s->pool[n].lo == lo && (!wide || s->pool[n].hi == hi))
            return n;
    if (s->n_pool == POOL_MAX) {
        e->failed = true;
        return 0;
    }
    s->pool[s->n_pool] = (V128) { lo, hi };
    return s->n_pool++;
}

Mem enc_pool128(Emit *e, uint64_t lo, uint64_t hi)
{
    return (Mem) { BASE_POOL, REG_NONE, 0, 0, 16 * pool_find(e, lo, hi, true) };
}

Mem enc_pool64(Emit *e, uint64_t v)
{
    return (Mem) { BASE_POOL, REG_NONE, 0, 0, 16 * pool_find(e, v, 0, false) };
}
