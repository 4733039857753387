/* data plane */
/*
 * Which vectors that go round loops are nothing but scalars: AArch64's scalar operations clear the
 * rest of the register, and the host's keep that of their first operand. So where a phi is known to
 * be 0 above its scalar, what is computed of it needs no clearing (fp_upper_zero()).
 *
 * What a loop is entered with may be anything. Where the loop takes a scalar of it, it is guessed
 * to be one, and looked at before (IR_UNIT_NO_GUESS). That is at the unit's start, where all
 * variables are what they were.
 *
 * At the end of a region's passes; IrUnit.upper_zero stays.
 */
#include "translator/ir/arena.h"
#include "translator/opt/opt.h"
#include "translator/translator.h"

enum { ENTRY = 1, WANTED = 2, GUESSED = 4 }; /* IrInsn.mark; WANTED: of phis */
enum { MAX_GUESSES = 12 };

static bool is_vector_phi(const IrInsn *i) { return i->op == IR_phi && i->type == IR_V128; }

/* 2: nothing above 32 bits; 1: nothing above 64; 0: maybe. */
static unsigned zero_above(const IrUnit *u, const uint8_t *known, IrRef v)
{
    const IrInsn *i = &u->insn[v];
    IrType t = IR_VOID;
    switch (i->op) {
    case IR_phi: case IR_get:
        return known[v];
    case IR_vfroms:
        t = (IrType)u->insn[i->arg[0]].type;
        return t == IR_F32 || t == IR_I32 ? 2 : 1;
    case IR_load:
        return (i->attr & IR_MEM_SIZE) <= 2 ? 2 : (i->attr & IR_MEM_SIZE) == 3;
    case IR_vlow:
        return 1;
    case IR_vconst: {
        const V128 *c = &u->vconst[i->imm];
        return c->hi ? 0 : c->lo >> 32 ? 1 : 2;
    }
    default:
        return 0;
    }
}

/* What variables were at entry, as far as block 0 begins with that; phis whose scalar is taken. */
static bool mark(IrUnit *u)
{
    bool any = false;
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark = 0;
    for (IrRef r = u->block[0].first; r; r = u->insn[r].next) {
        if (u->insn[r].op == IR_call || u->insn[r].op == IR_gcall || u->insn[r].op == IR_gcallind)
            break;
        if (u->insn[r].op == IR_get && u->insn[r].type == IR_V128)
            u->insn[r].mark = ENTRY;
    }
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            IrInsn *a = &u->insn[u->insn[r].arg[0]];
            if (u->insn[r].op == IR_vtos && !u->insn[r].imm && is_vector_phi(a)) {
                a->mark |= WANTED;
                any = true;
            }
        }
    return any;
}

/* Of phis, from all to those that are; what is guessed counts as all. */
static void find(const IrUnit *u, uint8_t *known)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 0; b < u->n_blocks; b++)
            for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next) {
                unsigned n, least = known[r];
                const IrRef *arg = ir_args(u, r, &n);
                for (unsigned a = 0; a < n && least; a++) {
                    unsigned z = zero_above(u, known, arg[a]);
                    least = z < least ? z : least;
                }
                changed |= least != known[r];
                known[r] = (uint8_t)least;
            }
    }
}

static IrRef add_first(IrUnit *u, IrRef at, IrInsn i) { return ir_insert_in(u, 0, at, &i); }

static IrRef lane(IrUnit *u, IrRef at, IrRef v, IrType t, int64_t n)
{
    return add_first(u, at, (IrInsn){ .op = IR_vget, .type = (uint8_t)t, .arg = { v }, .imm = n,
                                      .cc = t == IR_I64 ? IR_LANE_I64 : IR_LANE_I32 });
}

/* Not 0 unless the variable that get reads is zero above its scalar. */
static IrRef rest(IrUnit *u, IrRef at, IrRef get, unsigned level)
{
    IrInsn i = u->insn[get];
    i.mark = 0;
    IrRef v = add_first(u, at, i), high = lane(u, at, v, IR_I64, 1);
    if (level == 1)
        return high;
    IrRef middle = lane(u, at, v, IR_I32, 1);
    middle = add_first(u, at, (IrInsn){ .op = IR_zext, .type = IR_I64, .arg = { middle } });
    return add_first(u, at, (IrInsn){ .op = IR_or, .type = IR_I64, .arg = { high, middle } });
}

/* What of the guesses is of use: gets[] and what must be zero. */
static unsigned choose(IrUnit *u, uint8_t *known, IrRef *gets)
{
    unsigned n_gets = 0;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next) {
            unsigned n;
            const IrRef *arg = ir_args(u, r, &n);
            for (unsigned a = 0; a < n && known[r]; a++)
                if (u->insn[arg[a]].mark & ENTRY && !(u->insn[arg[a]].mark & GUESSED)) {
                    if (n_gets == MAX_GUESSES)
                        return UINT32_MAX;
                    u->insn[arg[a]].mark |= GUESSED;
                    gets[n_gets++] = arg[a];
                }
        }
    return n_gets;
}

static void check(IrUnit *u, const uint8_t *known, const IrRef *gets, unsigned n)
{
    IrRef at = u->block[0].first, wrong = IR_NONE;
    for (unsigned k = 0; k < n; k++) {
        IrRef odd = rest(u, at, gets[k], known[gets[k]]);
        wrong = !wrong ? odd : add_first(u, at, (IrInsn){ .op = IR_or, .type = IR_I64,
                                                          .arg = { wrong, odd } });
    }
    if (!wrong)
        return;
    IrRef zero = add_first(u, at, (IrInsn){ .op = IR_const, .type = IR_I64 });
    IrRef c = add_first(u, at, (IrInsn){ .op = IR_cmp, .type = IR_I1, .cc = IR_CMP_NE,
                                         .arg = { wrong, zero } });
    add_first(u, at, (IrInsn){ .op = IR_trap_if, .attr = VCPU_EXIT_GUESS, .arg = { c },
                               .imm = (int64_t)u->pc });
}

/* Phis that nobody takes a scalar of are left alone: they are often entered with rubbish. */
static void start(IrUnit *u, uint8_t *known, bool guess)
{
    for (uint32_t r = 0; r < u->n_insns; r++)
        known[r] = is_vector_phi(&u->insn[r]) ? 2 : 0;
    for (uint32_t b = 0; guess && b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next) {
            unsigned n;
            const IrRef *arg = ir_args(u, r, &n);
            for (unsigned a = 0; a < n; a++)
                if (u->insn[arg[a]].mark & ENTRY && u->insn[r].mark & WANTED)
                    known[arg[a]] = 2;
        }
}

/* A get for which 64 bits must do: the level of the least of the phis that it enters. */
static void lower(IrUnit *u, uint8_t *known)
{
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next) {
            unsigned n;
            const IrRef *arg = ir_args(u, r, &n);
            for (unsigned a = 0; a < n; a++)
                if (u->insn[arg[a]].mark & ENTRY && known[r] < known[arg[a]] && known[r])
                    known[arg[a]] = known[r];
        }
}

void opt_upper(IrUnit *u)
{
    if (!(u->flags & IR_UNIT_REGION) || !mark(u))
        return;
    IrRef gets[MAX_GUESSES];
    uint32_t n = u->n_insns;
    uint8_t *known = arena_alloc(u->arena, n);
    bool guess = !(u->flags & (IR_UNIT_NO_GUESS | IR_UNIT_ALONE));
    start(u, known, guess);
    find(u, known);
    lower(u, known);
    find(u, known);
    unsigned n_gets = choose(u, known, gets);
    if (n_gets > MAX_GUESSES) {
        n_gets = 0;
        start(u, known, false);
        find(u, known);
    }
    for (uint32_t r = 0; r < n; r++)
        if (u->insn[r].op == IR_get && !(u->insn[r].mark & GUESSED))
            known[r] = 0;
    check(u, known, gets, n_gets);
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark = 0;
    u->upper_zero = known;
    u->n_upper_zero = n;
    u->uses_known = false;
}
