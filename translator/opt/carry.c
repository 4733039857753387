/* data plane */
/*
 * Carries of additions, where the guest has no flags: `sltu` of a sum with one of its terms. Behind
 * the addition the host's flags have it already, so the comparison moves there, with the number
 * made of it and a sum that takes that number, if its other term is there too. A chain of such
 * additions is as short as the host's own then. Likewise for the borrows of subtractions.
 */
#include "translator/ir/arena.h"
#include "translator/opt/opt.h"

typedef struct Carry {
    IrUnit *u;
    uint32_t *place; /* per value: of its instruction in the block at hand; 0: not there (yet) */
    uint32_t n;      /* values that have one */
    uint32_t block;
} Carry;

/* Does the comparison give the carry or borrow of `sum`? */
static bool is_carry(const IrInsn *cmp, IrRef sum, const IrInsn *s)
{
    if (cmp->cc != IR_CMP_ULT && cmp->cc != IR_CMP_UGE)
        return false;
    if (s->op == IR_add)
        return cmp->arg[0] == sum && (cmp->arg[1] == s->arg[0] || cmp->arg[1] == s->arg[1]);
    return s->op == IR_sub && cmp->arg[0] == s->arg[0] && cmp->arg[1] == s->arg[1];
}

/* Is the value there before the instruction `at` of the block? */
static bool is_there(const Carry *c, IrRef v, IrRef at)
{
    return v >= c->n || !c->place[v] || c->place[v] < c->place[at];
}

/* The next instruction of the block that uses v, if it is of this kind; 0: none within reach. */
static IrRef next_use(const IrUnit *u, IrRef v, IrOp op)
{
    enum { REACH = 16 };
    IrRef r = u->insn[v].next;
    for (unsigned n = 0; r && n < REACH; r = u->insn[r].next, n++)
        if (u->insn[r].op == op && (u->insn[r].arg[0] == v || u->insn[r].arg[1] == v))
            return r;
    return 0;
}

/* Moves r up to behind `to`, which has the place that r takes. */
static IrRef move_behind(Carry *c, IrRef r, IrRef to)
{
    if (c->u->insn[to].next != r)
        ir_move(c->u, c->block, r, c->block, c->u->insn[to].next);
    c->place[r] = c->place[to];
    return r;
}

static void pull_up(Carry *c, IrRef sum, IrRef cmp)
{
    IrUnit *u = c->u;
    IrRef number = next_use(u, cmp, IR_b2i);
    if (!number || u->insn[cmp].uses != 1) /* a branch, perhaps, which wants EFLAGS there */
        return;
    IrRef last = move_behind(c, number, move_behind(c, cmp, sum));
    IrRef next = next_use(u, number, IR_add);
    if (!next)
        return;
    const IrInsn *i = &u->insn[next];
    IrRef other = i->arg[i->arg[0] == number];
    if (other != number && i->type == u->insn[number].type && u->insn[other].op != IR_const &&
        is_there(c, other, sum))
        move_behind(c, next, last);
}

static IrRef carry_of(const IrUnit *u, IrRef sum)
{
    enum { REACH = 12 };
    IrRef r = u->insn[sum].next;
    for (unsigned n = 0; r && n < REACH; r = u->insn[r].next, n++)
        if (u->insn[r].op == IR_cmp && is_carry(&u->insn[r], sum, &u->insn[sum]))
            return r;
    return 0;
}

void opt_carry(IrUnit *u)
{
    Carry c = { .u = u, .n = u->n_insns };
    opt_count_uses(u);
    c.place = arena_alloc(u->arena, c.n * sizeof *c.place);
    for (c.block = 0; c.block < u->n_blocks; c.block++) {
        uint32_t at = 0;
        for (IrRef r = u->block[c.block].first; r; r = u->insn[r].next)
            c.place[r] = ++at;
        for (IrRef r = u->block[c.block].first; r; r = u->insn[r].next) {
            IrRef cmp = u->insn[r].op == IR_add || u->insn[r].op == IR_sub ? carry_of(u, r) : 0;
            if (cmp)
                pull_up(&c, r, cmp);
        }
        for (IrRef r = u->block[c.block].first; r; r = u->insn[r].next)
            c.place[r] = 0;
    }
}
