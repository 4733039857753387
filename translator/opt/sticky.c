/* data plane */
/*
 * The sticky floating-point flags saved and restored around comparisons: what compilers make of
 * quiet comparisons where the guest (RISC-V) has but signalling ones. To read the host's flags
 * waits for every operation before, and takes longer than what the loops around do.
 *
 *  1. fpgetflags, comparisons, fpsetflags of what was read: the comparisons become silent
 *     (IR_FP_SILENT), and nothing is restored. Likewise truncation.c's windows.
 *  2. What was read stays in a guest register. Like flags (lazy variables) it needn't be right at
 *     faults once the code overwrites it unread. Exits want it, and there the flags are read
 *     instead, if nothing has changed them since; else all stays as it is.
 */
#include "translator/guest/isa.h"
#include "translator/ir/arena.h"
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"

enum { MAX_PUTS = 4, MAX_SINKS = 8, MAX_BLOCKS = 16, MAX_CHAIN = 16 };

typedef struct Sink { uint32_t block; IrRef exit; } Sink; /* an exit that wants the variable */

typedef struct Sticky {
    IrUnit *u;
    const Cfg *c;
    uint8_t *of;      /* [n_insns]: made of the flags that are looked at */
    uint32_t n_of;
    uint8_t *wanted;  /* [n_blocks]: an exit sees the variable before it is put */
    Sink sink[MAX_SINKS];
    unsigned n_sinks;
} Sticky;

/* -- windows ----------------------------------------------------------------------------------- */

/* What was written is what `from` read, but for bits that the flags don't have. */
static bool is_flags(const IrUnit *u, IrRef v, IrRef from)
{
    for (unsigned n = 0; n < MAX_CHAIN; n++) {
        const IrInsn *i = &u->insn[v];
        bool through = i->op == IR_copy || i->op == IR_trunc || i->op == IR_zext ||
                       (i->op == IR_and && u->insn[i->arg[1]].op == IR_const &&
                        (u->insn[i->arg[1]].imm & 0x1f) == 0x1f);
        if (v == from || !through)
            return v == from;
        v = i->arg[0];
    }
    return false;
}

static bool raises(const IrUnit *u, const IrInsn *i)
{
    if (i->op == IR_fpsetflags || i->op == IR_fpsetctl)
        return true;
    if (i->op == IR_call)
        return !(u->isa->helpers[i->imm].flags & IR_HELPER_PURE);
    return ir_op_info[i->op].flags & IR_OPF_P && !opt_removable(u, i) && !(i->attr & IR_FP_SILENT);
}

/* The fpsetflags that ends the window, or 0. */
static IrRef find_window(const IrUnit *u, IrRef get)
{
    for (IrRef r = u->insn[get].next; r; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if (i->op == IR_fpsetflags)
            return is_flags(u, i->arg[0], get) ? r : 0;
        if (i->op != IR_fcmp && i->op != IR_put && i->op != IR_insn &&
            (!(ir_op_info[i->op].flags & IR_OPF_P) || raises(u, i)))
            return 0;
    }
    return 0;
}

static void silence(IrUnit *u, uint32_t block, IrRef get, IrRef set)
{
    for (IrRef r = u->insn[get].next; r != set; r = u->insn[r].next)
        if (u->insn[r].op == IR_fcmp) {
            u->insn[r].attr &= ~(uint32_t)IR_FP_SIGNALING;
            u->insn[r].attr |= IR_FP_SILENT;
        }
    ir_remove(u, block, set);
}

/* -- what was read ----------------------------------------------------------------------------- */

static bool uses_marked(const Sticky *s, IrRef r)
{
    unsigned n;
    const IrRef *arg = ir_args(s->u, r, &n);
    for (unsigned a = 0; a < n; a++)
        if (arg[a] && arg[a] < s->n_of && s->of[arg[a]])
            return true;
    return false;
}

/* Does a phi take what was marked behind it, round a loop? */
static bool phi_wants(const Sticky *s)
{
    const IrUnit *u = s->u;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            if (u->insn[r].op == IR_phi && uses_marked(s, r))
                return true;
    return false;
}

/* Marks all that is made of v, and finds the puts; false if anything else wants it. */
static bool find_puts(Sticky *s, IrRef v, uint32_t *ret_block, IrRef *ret_put, unsigned *ret_n)
{
    const IrUnit *u = s->u;
    s->of[v] = 1;
    unsigned made = 1;
    *ret_n = 0;
    for (uint32_t k = 0; k < s->c->n_rpo; k++)
        for (IrRef r = u->block[s->c->rpo[k]].first; r; r = u->insn[r].next) {
            if (!uses_marked(s, r))
                continue;
            const IrInsn *i = &u->insn[r];
            if (i->op == IR_put && *ret_n < MAX_PUTS) {
                ret_block[*ret_n] = s->c->rpo[k];
                ret_put[(*ret_n)++] = r;
            } else if (ir_op_info[i->op].flags & IR_OPF_P && opt_removable(u, i) && r < s->n_of &&
                       made++ < MAX_CHAIN) {
                s->of[r] = 1;
            } else {
                return false;
            }
        }
    return !phi_wants(s);
}

static bool observes(const IrUnit *u, const IrInsn *i)
{
    return ir_op_info[i->op].flags & IR_OPF_E || i->op == IR_call;
}

static bool puts_var(const IrInsn *i, unsigned var) { return i->op == IR_put && i->imm == var; }
static bool gets_var(const IrInsn *i, unsigned var) { return i->op == IR_get && i->imm == var; }

static bool wanted_in(const Sticky *s, uint32_t block, unsigned var)
{
    const IrUnit *u = s->u;
    for (IrRef r = u->block[block].first; r; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if (puts_var(i, var))
            return false;
        if (observes(u, i) || gets_var(i, var))
            return true;
    }
    for (unsigned k = 0; k < 2; k++)
        if (u->block[block].succ[k] && s->wanted[u->block[block].succ[k] - 1])
            return true;
    return false;
}

static void find_wanted(Sticky *s, unsigned var)
{
    for (uint32_t b = 0; b < s->u->n_blocks; b++)
        s->wanted[b] = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t k = s->c->n_rpo; k-- > 0;) {
            uint32_t b = s->c->rpo[k];
            if (!s->wanted[b] && wanted_in(s, b, var)) {
                s->wanted[b] = 1;
                changed = true;
            }
        }
    }
}

typedef struct Way { uint32_t block; IrRef at; } Way;

/* On from the put: the exits that see the variable while the flags are still what was read. False
 * if anybody else wants it. */
static bool find_sinks(Sticky *s, uint32_t block, IrRef put)
{
    const IrUnit *u = s->u;
    unsigned var = (unsigned)u->insn[put].imm, n_ways = 1;
    Way way[MAX_BLOCKS] = { { block, u->insn[put].next } };
    find_wanted(s, var);
    for (unsigned w = 0; w < n_ways; w++) {
        bool overwritten = false;
        for (IrRef r = way[w].at; r && !overwritten; r = u->insn[r].next) {
            const IrInsn *i = &u->insn[r];
            overwritten = puts_var(i, var);
            if (overwritten)
                break;
            bool exit = i->op == IR_exit_if ||
                        (ir_op_info[i->op].flags & (IR_OPF_E | IR_OPF_Z)) == (IR_OPF_E | IR_OPF_Z);
            if (exit && s->n_sinks < MAX_SINKS)
                s->sink[s->n_sinks++] = (Sink){ way[w].block, r };
            else if (observes(u, i) || gets_var(i, var))
                return false;
            if (raises(u, i)) { /* from here on nobody may want it */
                for (IrRef n = u->insn[r].next; n && !overwritten; n = u->insn[n].next) {
                    overwritten = puts_var(&u->insn[n], var);
                    if (!overwritten && (observes(u, &u->insn[n]) || gets_var(&u->insn[n], var)))
                        return false;
                }
                for (unsigned k = 0; k < 2 && !overwritten; k++)
                    if (u->block[way[w].block].succ[k] &&
                        s->wanted[u->block[way[w].block].succ[k] - 1])
                        return false;
                overwritten = true;
            }
        }
        for (unsigned k = 0; k < 2 && !overwritten; k++) {
            uint32_t to = u->block[way[w].block].succ[k];
            if (!to || !s->wanted[to - 1])
                continue;
            if (s->c->pred_start[to] - s->c->pred_start[to - 1] != 1 || n_ways == MAX_BLOCKS)
                return false;
            way[n_ways++] = (Way){ to - 1, u->block[to - 1].first };
        }
    }
    return true;
}

/* -- putting it off ---------------------------------------------------------------------------- */

/* The value made anew, of the flags as they are at `at`. */
static IrRef copy_chain(Sticky *s, uint32_t block, IrRef at, IrRef v)
{
    if (v >= s->n_of || !s->of[v])
        return v;
    IrInsn i = s->u->insn[v];
    for (unsigned a = 0; a < 4; a++)
        if (i.arg[a])
            i.arg[a] = copy_chain(s, block, at, i.arg[a]);
    return ir_insert_in(s->u, block, at, &i);
}

/* The exits of a block from the last to the first, so that splitting leaves the others where they
 * are. True: the blocks are others now. */
static bool put_off(Sticky *s, IrRef v)
{
    IrUnit *u = s->u;
    uint32_t block[MAX_PUTS];
    IrRef put[MAX_PUTS];
    unsigned n;
    s->n_sinks = 0;
    if (!find_puts(s, v, block, put, &n) || n != 1 || !find_sinks(s, block[0], put[0]))
        return false;
    IrInsn what = u->insn[put[0]];
    bool split = false;
    for (unsigned k = s->n_sinks; k-- > 0;) {
        Sink at = s->sink[k];
        if (u->insn[at.exit].op == IR_exit_if) {
            at.exit = opt_split_exit(u, at.block, at.exit, &at.block);
            split = true;
        }
        IrInsn again = what;
        again.arg[0] = copy_chain(s, at.block, at.exit, what.arg[0]);
        ir_insert_in(u, at.block, at.exit, &again);
    }
    ir_remove(u, block[0], put[0]);
    /* Nobody wants it any more. */
    u->insn[v].op = IR_const;
    u->insn[v].imm = 0;
    return split;
}

/* Windows, and the first value that can be put off; true: there may be more. */
static bool run(IrUnit *u)
{
    Sticky s = { .u = u, .c = opt_cfg_new(u), .n_of = u->n_insns };
    s.wanted = arena_alloc(u->arena, u->n_blocks);
    for (uint32_t k = 0; k < s.c->n_rpo; k++) {
        uint32_t b = s.c->rpo[k];
        for (IrRef r = u->block[b].first, next; r; r = next) {
            next = u->insn[r].next;
            if (u->insn[r].op != IR_fpgetflags)
                continue;
            IrRef set = find_window(u, r);
            if (set)
                silence(u, b, r, set);
            else if (!opt_truncation(u, b, r))
                continue;
            next = u->insn[r].next;
            s.of = arena_alloc(u->arena, s.n_of);
            if (r < s.n_of && put_off(&s, r))
                return true;
        }
    }
    return false;
}

void opt_sticky(IrUnit *u)
{
    bool any = false;
    for (uint32_t b = 0; b < u->n_blocks && !any; b++)
        for (IrRef r = u->block[b].first; r && !any; r = u->insn[r].next)
            any = u->insn[r].op == IR_fpgetflags;
    if (!any)
        return;
    u->uses_known = false;
    while (run(u))
        continue;
}
