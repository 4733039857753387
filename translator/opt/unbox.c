/* data plane */
/*
 * Single-precision values that go round loops in registers of double width (RISC-V's, whose upper
 * half is all ones then): a phi of boxed values becomes the box of a phi. So adding up in a
 * register costs the addition alone, and what nobody but a fault or a poll looks at needn't be
 * boxed each time round.
 *
 * What a loop is entered with may be something else: it is guessed to be a single, and looked at
 * before, at the unit's start, where all variables are what they were. Where that proved wrong
 * (IR_UNIT_NO_BOXES) only what is computed with as a single is guessed to be one: anything else
 * would be a NaN there.
 */
#include "translator/guest/isa.h"
#include "translator/ir/arena.h"
#include "translator/opt/alias.h"
#include "translator/opt/opt.h"
#include "translator/translator.h"

/* IrInsn.mark; WANTED: of phis whose single is computed with */
enum { ENTRY = 1, BOXED = 2, USEFUL = 4, GUESSED = 8, WANTED = 16 };
typedef enum Guess { GUESS_NONE, GUESS_WANTED, GUESS_ALL } Guess;
enum { MAX_GUESSES = 32 };

typedef struct Unbox {
    IrUnit *u;
    OptAlias alias;
    IrRef *single;     /* [n]: of boxed phis and gets: as f32 */
    uint32_t n;
    IrRef guess[MAX_GUESSES];
    unsigned n_guesses;
} Unbox;

static bool is_double_phi(const IrInsn *i) { return i->op == IR_phi && i->type == IR_F64; }

static bool is_box(const IrUnit *u, IrRef v)
{
    return u->insn[v].op == IR_fbox && u->insn[u->insn[v].arg[0]].type == IR_F32;
}

/* Variables at entry; phis that may hold singles. */
static bool mark(IrUnit *u)
{
    bool any = false;
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark = 0;
    for (IrRef r = u->block[0].first; r; r = u->insn[r].next) {
        if (u->insn[r].op == IR_call || ir_is_gcall(u->insn[r].op))
            break;
        if (u->insn[r].op == IR_get && u->insn[r].type == IR_F64)
            u->insn[r].mark = ENTRY;
    }
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next)
            if (is_double_phi(&u->insn[r])) {
                u->insn[r].mark = BOXED;
                any = true;
            }
    return any;
}

/* What singles are taken of, and what goes into that. */
static void mark_wanted(IrUnit *u)
{
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            if (u->insn[r].op == IR_funbox && is_double_phi(&u->insn[u->insn[r].arg[0]]))
                u->insn[u->insn[r].arg[0]].mark |= WANTED;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 0; b < u->n_blocks; b++)
            for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next) {
                unsigned n;
                const IrRef *arg = ir_args(u, r, &n);
                for (unsigned a = 0; a < n && u->insn[r].mark & WANTED; a++)
                    if (is_double_phi(&u->insn[arg[a]]) && !(u->insn[arg[a]].mark & WANTED)) {
                        u->insn[arg[a]].mark |= WANTED;
                        changed = true;
                    }
            }
    }
}

static bool all_boxed(const IrUnit *u, IrRef phi, Guess guess)
{
    bool may = guess == GUESS_ALL || (guess == GUESS_WANTED && u->insn[phi].mark & WANTED);
    unsigned n;
    const IrRef *arg = ir_args(u, phi, &n);
    for (unsigned a = 0; a < n; a++) {
        const IrInsn *i = &u->insn[arg[a]];
        bool boxed = is_double_phi(i) ? i->mark & BOXED
                     : i->mark & ENTRY ? may : is_box(u, arg[a]);
        if (!boxed)
            return false;
    }
    return true;
}

/* Those that aren't lose their mark. */
static void find(IrUnit *u, Guess guess)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 0; b < u->n_blocks; b++)
            for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next)
                if (u->insn[r].mark & BOXED && !all_boxed(u, r, guess)) {
                    u->insn[r].mark &= (uint8_t)~BOXED;
                    changed = true;
                }
    }
}

/* A phi that merges something boxed, those it goes into and those that go into it. */
static bool spread(IrUnit *u, IrRef phi)
{
    unsigned n;
    const IrRef *arg = ir_args(u, phi, &n);
    bool useful = u->insn[phi].mark & USEFUL, changed = false;
    for (unsigned a = 0; a < n && !useful; a++)
        useful = is_box(u, arg[a]) || u->insn[arg[a]].mark & USEFUL;
    if (!useful)
        return false;
    changed = !(u->insn[phi].mark & USEFUL);
    u->insn[phi].mark |= USEFUL;
    for (unsigned a = 0; a < n; a++)
        if (is_double_phi(&u->insn[arg[a]]) && !(u->insn[arg[a]].mark & USEFUL)) {
            u->insn[arg[a]].mark |= USEFUL;
            changed = true;
        }
    return changed;
}

/* Only those that are of use stay marked. False: there are none. */
static bool choose(IrUnit *u)
{
    bool any = false;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 0; b < u->n_blocks; b++)
            for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next)
                changed |= u->insn[r].mark & BOXED && spread(u, r);
    }
    for (uint32_t r = 0; r < u->n_insns; r++) {
        IrInsn *i = &u->insn[r];
        if (i->mark & BOXED && !(i->mark & USEFUL))
            i->mark &= (uint8_t)~BOXED;
        any |= i->mark & BOXED;
    }
    return any;
}

static bool find_guesses(Unbox *x)
{
    IrUnit *u = x->u;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next) {
            unsigned n;
            const IrRef *arg = ir_args(u, r, &n);
            for (unsigned a = 0; a < n && u->insn[r].mark & BOXED; a++) {
                IrInsn *i = &u->insn[arg[a]];
                if (!(i->mark & ENTRY) || i->mark & GUESSED)
                    continue;
                if (x->n_guesses == MAX_GUESSES)
                    return false;
                i->mark |= GUESSED;
                x->guess[x->n_guesses++] = arg[a];
            }
        }
    return true;
}

static IrRef add(IrUnit *u, uint32_t block, IrRef at, IrInsn i)
{
    return ir_insert_in(u, block, at, &i);
}

/* At the unit's start: are their upper halves all ones? */
static void check_guesses(Unbox *x)
{
    IrUnit *u = x->u;
    IrRef at = u->block[0].first, all = IR_NONE;
    for (unsigned k = 0; k < x->n_guesses; k++) {
        IrInsn get = u->insn[x->guess[k]];
        get.mark = 0;
        IrRef bits = add(u, 0, at, (IrInsn){ .op = IR_f2bits, .type = IR_I64,
                                             .arg = { add(u, 0, at, get) } });
        all = !all ? bits : add(u, 0, at, (IrInsn){ .op = IR_and, .type = IR_I64,
                                                    .arg = { all, bits } });
    }
    if (!all)
        return;
    IrRef n = add(u, 0, at, (IrInsn){ .op = IR_const, .type = IR_I64, .imm = 32 });
    IrRef ones = add(u, 0, at, (IrInsn){ .op = IR_const, .type = IR_I64, .imm = -1 });
    IrRef high = add(u, 0, at, (IrInsn){ .op = IR_sar, .type = IR_I64, .arg = { all, n } });
    IrRef c = add(u, 0, at, (IrInsn){ .op = IR_cmp, .type = IR_I1, .cc = IR_CMP_NE,
                                      .arg = { high, ones } });
    bool again = u->flags & IR_UNIT_NO_BOXES;
    add(u, 0, at, (IrInsn){ .op = IR_trap_if, .arg = { c }, .imm = (int64_t)u->pc,
                            .attr = again ? VCPU_EXIT_GUESS : VCPU_EXIT_GUESS_BOXED });
}

/* A phi of singles in front of the phi, and its box behind all phis. */
static void replace(Unbox *x, uint32_t block, IrRef r)
{
    IrUnit *u = x->u;
    unsigned n = u->insn[r].attr;
    uint32_t first = ir_phi_args_new(u, n);
    memcpy(u->phi_arg + first, u->phi_arg + u->insn[r].imm, n * sizeof *u->phi_arg);
    x->single[r] = add(u, block, r, (IrInsn){ .op = IR_phi, .type = IR_F32, .attr = n,
                                              .imm = first });
    IrRef at = r;
    while (u->insn[at].op == IR_phi)
        at = u->insn[at].next;
    opt_set_alias(&x->alias, r, add(u, block, at, (IrInsn){ .op = IR_fbox, .type = IR_F64,
                                                            .arg = { x->single[r] } }));
}

/* What goes into the new phis; what took a single of the old ones takes the new ones'. */
static void connect(Unbox *x)
{
    IrUnit *u = x->u;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first, next; r; r = next) {
            next = u->insn[r].next;
            IrInsn *i = &u->insn[r];
            if (i->op == IR_phi && i->type == IR_F32 && r >= x->n) {
                for (unsigned a = 0; a < i->attr; a++) {
                    IrRef *arg = &u->phi_arg[i->imm + a];
                    *arg = *arg < x->n && x->single[*arg] ? x->single[*arg] : u->insn[*arg].arg[0];
                }
            } else if (i->op == IR_funbox && i->arg[0] < x->n && x->single[i->arg[0]] && r < x->n) {
                opt_set_alias(&x->alias, r, x->single[i->arg[0]]);
                ir_remove(u, b, r);
            } else if (is_double_phi(i) && r < x->n && x->single[r]) {
                ir_remove(u, b, r);
            }
        }
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            opt_resolve_args(&x->alias, r);
}

void opt_unbox(IrUnit *u)
{
    if (!mark(u))
        goto done;
    mark_wanted(u);
    find(u, !opt_may_guess(u) ? GUESS_NONE
            : u->flags & IR_UNIT_NO_BOXES ? GUESS_WANTED : GUESS_ALL);
    if (!choose(u))
        goto done;
    Unbox x = { .u = u, .alias = opt_alias_new(u), .n = u->n_insns };
    x.single = arena_alloc(u->arena, x.n * sizeof *x.single);
    if (!find_guesses(&x))
        goto done;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first, next; r; r = next) {
            next = u->insn[r].next;
            if (u->insn[r].mark & BOXED)
                replace(&x, b, r);
        }
    for (unsigned k = 0; k < x.n_guesses; k++) {
        IrRef get = x.guess[k];
        x.single[get] = add(u, 0, u->insn[get].next, (IrInsn){ .op = IR_funbox, .type = IR_F32,
                                                               .attr = IR_FP_BOXED,
                                                               .arg = { get } });
    }
    check_guesses(&x);
    connect(&x);
    u->uses_known = false;
done:
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark = 0;
}
