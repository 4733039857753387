/* data plane */
/* Making and editing units: see ir.h. */
#include "translator/ir/ir.h"

#include <string.h>

#include "translator/guest/isa.h"
#include "translator/ir/arena.h"

enum { FIRST_INSNS = 512 };

IrUnit *ir_unit_new(struct Arena *arena, const struct GuestIsa *isa, GuestAddr pc, uint64_t mode)
{
    IrUnit *u = arena_alloc(arena, sizeof *u);
    u->arena = arena;
    u->isa = isa;
    u->pc = pc;
    u->mode = mode;
    u->cap_insns = FIRST_INSNS;
    u->insn = arena_alloc_raw(arena, FIRST_INSNS * sizeof *u->insn);
    u->insn[0] = (IrInsn){ .op = IR_nop };
    u->n_insns = 1;
    ir_block_new(u, pc);
    return u;
}

uint32_t ir_block_new(IrUnit *u, GuestAddr pc)
{
    size_t cap = u->cap_blocks;
    u->block = arena_grow(u->arena, u->block, sizeof *u->block, u->n_blocks, &cap,
                          u->n_blocks + 1);
    u->cap_blocks = (uint32_t)cap;
    u->block[u->n_blocks] = (IrBlock){ .pc = pc };
    return u->n_blocks++;
}

static void grow_insns(IrUnit *u)
{
    size_t cap = u->cap_insns;
    u->insn = arena_grow(u->arena, u->insn, sizeof *u->insn, u->n_insns, &cap, u->n_insns + 1);
    u->cap_insns = (uint32_t)cap;
}

static inline IrRef insn_new(IrUnit *u)
{
    if (u->n_insns >= u->cap_insns)
        grow_insns(u);
    return u->n_insns++;
}

static void add_successor(IrUnit *u, uint32_t from, uint32_t to)
{
    IrBlock *b = &u->block[from];
    if (b->succ[0] == to + 1)
        return; /* both ways of a brc */
    b->succ[b->succ[0] ? 1 : 0] = to + 1;
    u->block[to].n_pred++;
}

IrRef ir_emit(IrBuilder *b, IrOp op, IrType type, unsigned cc, unsigned attr, IrRef a0, IrRef a1,
              IrRef a2, IrRef a3, int64_t imm)
{
    IrUnit *u = b->unit;
    IrRef r = insn_new(u);
    IrBlock *block = &u->block[b->block];
    u->insn[r] = (IrInsn){
        .op = (uint8_t)op,
        .type = (uint8_t)type,
        .cc = (uint8_t)cc,
        .attr = attr,
        .arg = { a0, a1, a2, a3 },
        .imm = imm,
        .prev = block->last,
    };
    if (block->last)
        u->insn[block->last].next = r;
    else
        block->first = r;
    block->last = r;
    u->calls |= op == IR_call || ir_is_gcall(op);
    if (op == IR_br) {
        add_successor(u, b->block, (uint32_t)imm);
    } else if (op == IR_brc) {
        add_successor(u, b->block, (uint32_t)imm);
        add_successor(u, b->block, (uint32_t)((uint64_t)imm >> 32));
    }
    return r;
}

IrRef ir_const(IrBuilder *b, IrType type, uint64_t bits)
{
    if (type == IR_I32 || type == IR_F32)
        bits = (uint32_t)bits;
    else if (type == IR_I1)
        bits &= 1;
    return ir_emit(b, IR_const, type, 0, 0, 0, 0, 0, 0, (int64_t)bits);
}

uint32_t ir_vconst_index(IrUnit *u, uint64_t lo, uint64_t hi)
{
    for (uint32_t i = 0; i < u->n_vconsts; i++)
        if (u->vconst[i].lo == lo && u->vconst[i].hi == hi)
            return i;
    size_t cap = u->cap_vconsts;
    u->vconst = arena_grow(u->arena, u->vconst, sizeof *u->vconst, u->n_vconsts, &cap,
                           u->n_vconsts + 1);
    u->cap_vconsts = (uint32_t)cap;
    u->vconst[u->n_vconsts] = (V128){ lo, hi };
    return u->n_vconsts++;
}

IrRef ir_vconst(IrBuilder *b, uint64_t lo, uint64_t hi)
{
    return ir_emit(b, IR_vconst, IR_V128, 0, 0, 0, 0, 0, 0, ir_vconst_index(b->unit, lo, hi));
}

IrRef ir_get(IrBuilder *b, unsigned var)
{
    return ir_emit(b, IR_get, b->unit->isa->vars[var].type, 0, 0, 0, 0, 0, 0, var);
}

void ir_put(IrBuilder *b, unsigned var, IrRef value)
{
    IrUnit *u = b->unit;
    IrRef r = ir_emit(b, IR_put, ir_type(b, value), 0, 0, value, 0, 0, 0, var);
    if (u->isa->vars[var].flags & IR_VAR_LAZY && !u->lazy_put)
        u->lazy_put = r;
}

uint32_t ir_phi_args_new(IrUnit *u, unsigned n)
{
    size_t cap = u->cap_phi_args;
    u->phi_arg = arena_grow(u->arena, u->phi_arg, sizeof *u->phi_arg, u->n_phi_args, &cap,
                            u->n_phi_args + n);
    u->cap_phi_args = (uint32_t)cap;
    u->n_phi_args += n;
    return u->n_phi_args - n;
}

IrRef ir_phi(IrBuilder *b, IrType type, unsigned n, IrRef arg)
{
    uint32_t first = ir_phi_args_new(b->unit, n);
    for (unsigned k = 0; k < n; k++)
        b->unit->phi_arg[first + k] = arg;
    return ir_emit(b, IR_phi, type, 0, n, 0, 0, 0, 0, first);
}

IrRef ir_insert_in(IrUnit *u, uint32_t block, IrRef at, const IrInsn *what)
{
    IrRef r = insn_new(u);
    IrInsn *n = &u->insn[r];
    IrBlock *b = &u->block[block];
    *n = *what;
    u->calls |= n->op == IR_call || ir_is_gcall(n->op);
    n->prev = at ? u->insn[at].prev : b->last;
    n->next = at;
    if (n->prev)
        u->insn[n->prev].next = r;
    else
        b->first = r;
    if (at)
        u->insn[at].prev = r;
    else
        b->last = r;
    return r;
}

IrRef ir_insert_before(IrUnit *u, IrRef at, const IrInsn *what)
{
    uint32_t b = 0;
    if (!u->insn[at].prev)
        while (b < u->n_blocks - 1 && u->block[b].first != at)
            b++;
    return ir_insert_in(u, b, at, what);
}

static void unlink_insn(IrUnit *u, uint32_t block, IrRef ref)
{
    IrInsn *i = &u->insn[ref];
    if (i->prev)
        u->insn[i->prev].next = i->next;
    else
        u->block[block].first = i->next;
    if (i->next)
        u->insn[i->next].prev = i->prev;
    else
        u->block[block].last = i->prev;
}

void ir_move(IrUnit *u, uint32_t from, IrRef ref, uint32_t to, IrRef at)
{
    IrInsn *i = &u->insn[ref];
    if (ref == at || i->next == at)
        return;
    unlink_insn(u, from, ref);
    i->next = at;
    i->prev = u->insn[at].prev;
    u->insn[at].prev = ref;
    if (i->prev)
        u->insn[i->prev].next = ref;
    else
        u->block[to].first = ref;
}

void ir_remove(IrUnit *u, uint32_t block, IrRef ref)
{
    IrInsn *i = &u->insn[ref];
    unlink_insn(u, block, ref);
    i->op = IR_nop;
    i->type = IR_VOID;
    i->attr = 0;
    memset(i->arg, 0, sizeof i->arg);
}
