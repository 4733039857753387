/* data plane */
/*
 * Loops that look for something in memory get ahead by many turns at once: strlen, memchr, memcmp
 * and what else reads forward until a byte is, or two bytes aren't, what the loop goes on for; and
 * so do those that copy or fill memory.
 *
 * Such a loop has a way round on which it loads at addresses that grow by a constant, leaves by
 * conditions that skip-match.c understands, and stores nothing or what skip-store.c can tell. Not
 * at once, since short strings shouldn't pay, but after a few turns, and then again every now and
 * then, it asks `scan` how many bytes are such that the loop would go on, makes its phis what they
 * are after as many turns, and goes on there. So the turn that ends the loop, or faults, is the
 * loop's own, with all registers as the code made them; and the order in which memory is looked at
 * stays that of the addresses.
 *
 * Phis that step are computed. The others hold what the last turn left (nearly always in registers
 * that nobody will read); that turn's values are made anew from memory. Another thread may have
 * changed it meanwhile, so its conditions are looked at again: if they don't hold, nothing is
 * skipped. For the turns before it what `scan` saw is what they would have loaded.
 *
 * `move` stores as many turns as it can, and stops before one that would fault, or write where
 * translated code comes from. What a phi brings from the turn before it reads again, if that must
 * be what is in memory: where there is one way round alone it is, since no loop asks at once.
 *
 *   head:  phis, puts, poll                       guards: is it what the tests assume? (And the
 *                                                         poll, if no other way leads round.)
 *          brc by the pointer ─────────────────►  scan:   how many turns?
 *   rest:  phis of both, puts, the turn  ◄──────  turn:   the last one's values, if as before
 */
#include "translator/opt/skip.h"

#include <stdlib.h>
#include <string.h>

#include "translator/ir/arena.h"
#include "translator/opt/opt.h"

enum {
    MOST = 1 << 18,     /* bytes a time: a kick must not wait for long */
    MAX_SCANS = 2,      /* more are dearer than the turns of loops that look at so many places */
    MOST_EACH = 512,    /* with several scans, which may differ by much in how far they get */
    AGAIN = 256, AGAIN_TURNS = 8, /* asks again after so many bytes or turns, whichever are more */
    FEW = 10,            /* turns that aren't worth to ask */
    MAX_HEAD_PHIS = 40, MAX_GUARDED = 3,
};

/* -- the way round ----------------------------------------------------------------------------- */
/* May this be skipped, or be done again for the last turn? */
static bool harmless(const IrUnit *u, const IrInsn *i)
{
    switch (i->op) {
    case IR_nop: case IR_insn: case IR_put: case IR_poll: case IR_phi: case IR_copy:
    case IR_exit_if: case IR_br: case IR_brc: case IR_prefetch:
        return true;
    case IR_load:
    case IR_store: /* skip_see_stores() will look */
        return !(i->attr & ~(unsigned)(IR_MEM_SIZE | IR_MEM_SIGNED | IR_MEM_SCALE));
    case IR_get: case IR_call:
        return false;
    default:
        return opt_removable(u, i);
    }
}

/* Sees one block of the way; 0: no, else the next block + 1. */
static uint32_t see_block(Skip *s, uint32_t b)
{
    const IrUnit *u = s->u;
    for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if (!harmless(u, i) || (i->op == IR_exit_if && !skip_match(s, i->arg[0], false)))
            return 0;
    }
    const IrInsn *last = &u->insn[u->block[b].last];
    if (last->op == IR_br)
        return (uint32_t)last->imm + 1;
    if (last->op != IR_brc || last->attr & IR_BRC_MIXED) /* the loop is short */
        return 0;
    for (unsigned k = 0; k < 2; k++) {
        uint32_t to = (uint32_t)((uint64_t)last->imm >> 32 * k);
        if (cfg_in_loop(u, to, s->head) && skip_match(s, last->arg[0], k == 0))
            return to + 1;
    }
    return 0;
}

/* The loop has no blocks beside those of the way, and ends nowhere else. */
static bool is_only_way(const Skip *s)
{
    const Cfg *c = s->c;
    unsigned n = 0, latches = 0;
    for (uint32_t b = 0; b < s->u->n_blocks; b++)
        n += c->rpo_index[b] != CFG_NONE && cfg_in_loop(s->u, b, s->head);
    for (uint32_t p = c->pred_start[s->head]; p < c->pred_start[s->head + 1]; p++)
        latches += c->rpo_index[c->pred[p]] >= c->rpo_index[s->head];
    return n == s->n_path && latches == 1;
}

static bool find_way(Skip *s)
{
    /* which latch it will be decides what steps, and so what conditions mean: try each */
    const Cfg *c = s->c;
    for (uint32_t p = c->pred_start[s->head]; p < c->pred_start[s->head + 1]; p++) {
        if (c->rpo_index[c->pred[p]] < c->rpo_index[s->head])
            continue;
        s->latch = c->pred[p];
        s->n_path = s->n_tests = s->n_bounds = s->n_guards = s->n_conds = 0;
        uint32_t b = s->head;
        do {
            if (s->n_path == SKIP_MAX_PATH || s->u->block[b].loop_head != s->head + 1)
                break;
            s->path[s->n_path++] = b;
            b = see_block(s, b) - 1;
        } while (b != CFG_NONE && b != s->head);
        if (b == s->head && s->path[s->n_path - 1] == s->latch) {
            s->only = is_only_way(s);
            return true;
        }
    }
    return false;
}

/* -- what must be so --------------------------------------------------------------------------- */
typedef struct Plan {
    Skip s;
    int64_t step;            /* bytes a turn */
    IrRef phi[MAX_HEAD_PHIS]; /* of the head */
    int64_t phi_step[MAX_HEAD_PHIS]; /* 0: it has what the last turn made */
    IrRef value[MAX_HEAD_PHIS];      /* behind the skipped turns */
    unsigned n_phis;
    IrRef pointer;           /* a phi of the head that steps, as the addresses do if there is one */
    int64_t pointer_step;
    IrRef ask, again;        /* a phi of the head: asks where the pointer is this, and then this */
    IrRef full;              /* got as far as allowed, so that it pays to ask on at once; or none */
    IrRef first;             /* of the head, behind phis, puts and the poll */
    IrRef *clone;            /* per value: in the last turn skipped */
    uint32_t n_clone;
    IrBuilder b;             /* where code is made */
    uint32_t rest;
} Plan;

/* May the value be computed for one turn, from phis that step and what doesn't change? `old`: from
 * any phi of the head, but without loads. */
static bool can_clone(Skip *s, IrRef v, bool old, unsigned depth)
{
    v = skip_resolve(s, v);
    if (skip_is_invariant(s, v))
        return true;
    const IrInsn *i = &s->u->insn[v];
    if (skip_is_head_phi(s, v)) {
        int64_t step;
        return old || skip_phi_step(s, v, &step);
    }
    if (!depth || i->op == IR_phi || (old && i->op == IR_load))
        return false;
    for (unsigned k = 0; k < ir_op_info[i->op].n_args; k++)
        if (i->arg[k] && !can_clone(s, i->arg[k], old, depth - 1))
            return false;
    return true;
}

enum { CLONE_DEPTH = 24 };

static bool see_phis(Plan *p)
{
    Skip *s = &p->s;
    const IrUnit *u = s->u;
    p->n_phis = 0;
    for (IrRef r = u->block[s->head].first; r; r = u->insn[r].next) {
        if (u->insn[r].op != IR_phi)
            continue;
        if (p->n_phis == MAX_HEAD_PHIS - 1) /* and one that asks */
            return false;
        int64_t step = 0;
        if (!skip_phi_step(s, r, &step)) {
            step = 0;
            IrRef v = skip_latch_value(s, r);
            if (u->insn[r].type == IR_I1 || (v != r && !can_clone(s, v, false, CLONE_DEPTH)))
                return false;
        }
        p->phi[p->n_phis] = r;
        p->phi_step[p->n_phis++] = step;
    }
    return true;
}

static bool is_power(int64_t v) { return v > 0 && !(v & (v - 1)); }

/* Of the loop's first store; 0 if it has none, or doesn't step. */
static int64_t store_step(Skip *s)
{
    for (unsigned k = 0; k < s->n_path; k++)
        for (IrRef r = s->u->block[s->path[k]].first; r; r = s->u->insn[r].next) {
            SkipSum to;
            int64_t step;
            if (s->u->insn[r].op == IR_store)
                return skip_address(s, &s->u->insn[r], &to) && skip_step(s, &to, &step) ? step : 0;
        }
    return 0;
}

static void choose_pointer(Plan *p)
{
    const Skip *s = &p->s;
    unsigned best = 0;
    p->pointer = IR_NONE;
    for (unsigned k = 0; k < p->n_phis; k++) {
        unsigned fits = !p->phi_step[k]              ? 0
                        : p->phi_step[k] != p->step  ? 1
                        : s->n_tests && p->phi[k] == s->test[0].a.ref[0] ? 3 : 2;
        if (fits <= best)
            continue;
        best = fits;
        p->pointer = p->phi[k];
        p->pointer_step = p->phi_step[k];
    }
}

static bool see_steps(Plan *p)
{
    Skip *s = &p->s;
    p->step = s->n_tests ? 0 : store_step(s);
    if (!s->n_tests && !is_power(p->step))
        return false;
    for (unsigned k = 0; k < s->n_tests; k++)
        for (unsigned side = 0; side <= s->test[k].equal; side++) {
            int64_t step;
            if (!skip_step(s, side ? &s->test[k].b : &s->test[k].a, &step) || !is_power(step) ||
                (p->step && step != p->step) ||
                (s->test[k].byte.kind == SKIP_WORD && step & 3)) /* words that overlap */
                return false;
            p->step = step;
        }
    for (unsigned k = 0; k < s->n_bounds; k++)
        if (!is_power(llabs(s->bound[k].step)))
            return false;
    for (unsigned k = 0; k < s->n_conds; k++)
        if (!can_clone(s, s->cond[k], s->cond_old[k], CLONE_DEPTH))
            return false;
    choose_pointer(p);
    return p->pointer && p->step <= 256;
}

/* Behind phis, puts and the poll. */
static IrRef turn_start(const IrUnit *u, uint32_t head)
{
    IrRef r = u->block[head].first;
    for (; r; r = u->insn[r].next)
        switch (u->insn[r].op) {
        case IR_phi: case IR_put: case IR_poll: case IR_nop: break;
        default: return u->insn[r].op == IR_insn ? r : IR_NONE;
        }
    return IR_NONE;
}

static void merge_tests(Skip *s);
static unsigned n_scans(Skip *s);

/* Stores nothing, or what `move` can do; with one test alone, of the bytes that it copies. */
static bool see_stores(Plan *p)
{
    Skip *s = &p->s;
    const SkipStores *t = &s->stores;
    if (!skip_see_stores(s, p->step))
        return false;
    if (!s->only && t->n_old > MAX_GUARDED)
        return false;
    merge_tests(s);
    if (!t->n || !s->n_tests)
        return t->n || (s->n_tests && n_scans(s) <= MAX_SCANS);
    for (unsigned k = 0; k < s->n_conds; k++)
        if (s->cond_old[k])
            return false;
    const SkipTest *x = &s->test[0];
    return s->n_tests == 1 && !t->fill && !t->shift && (!t->ahead || t->ahead == p->step) &&
           !x->equal && x->byte.kind == SKIP_BYTE && x->a.c == t->from.c + t->ahead &&
           skip_same_terms(&x->a, &t->from) &&
           x->bytes == p->step;
}

/* -- making code ------------------------------------------------------------------------------- */
static IrRef number(Plan *p, uint64_t c) { return ir_const(&p->b, IR_I64, c); }

static bool is_number(const Plan *p, IrRef v, uint64_t *ret)
{
    const IrInsn *i = &p->s.u->insn[v];
    *ret = (uint64_t)i->imm;
    return i->op == IR_const;
}

/* No pass folds what is made here. */
static IrRef op2(Plan *p, IrOp op, IrRef x, IrRef y)
{
    uint64_t a, b;
    bool left = is_number(p, x, &a), right = is_number(p, y, &b);
    if (left && right && op == IR_add)
        return number(p, a + b);
    if (left && right && op == IR_shl)
        return number(p, a << (b & 63));
    if (right && !b && (op == IR_add || op == IR_or))
        return x;
    if (right && op == IR_and && b == UINT64_MAX)
        return x;
    if (right && op == IR_mul && b && !(b & (b - 1)))
        return op2(p, IR_shl, x, number(p, (uint64_t)__builtin_ctzll(b)));
    if (right && op == IR_shl && !(b & 63))
        return x;
    return ir_emit(&p->b, op, IR_I64, 0, 0, x, y, 0, 0, 0);
}

/* A value from outside the loop; constants have no place there. */
static IrRef outside(Plan *p, IrRef v)
{
    const IrInsn *i = &p->s.u->insn[v];
    if (i->op == IR_const || i->op == IR_vconst || i->op == IR_codeaddr)
        return ir_emit(&p->b, i->op, i->type, 0, i->attr, 0, 0, 0, 0, i->imm);
    return v;
}

static IrRef make_sum(Plan *p, const SkipSum *sum)
{
    IrRef r = IR_NONE;
    for (unsigned k = 0; k < sum->n; k++) {
        IrRef x = outside(p, sum->ref[k]);
        if (sum->times[k] != 1)
            x = op2(p, IR_mul, x, number(p, (uint64_t)sum->times[k]));
        r = r ? op2(p, IR_add, r, x) : x;
    }
    if (!r || sum->c) {
        IrRef c = number(p, (uint64_t)sum->c);
        r = r ? op2(p, IR_add, r, c) : c;
    }
    return r;
}

/* By how many bytes the shift is. */
static IrRef make_shift(Plan *p, IrRef shift)
{
    return op2(p, IR_and, op2(p, IR_shr, outside(p, shift), number(p, 3)), number(p, 7));
}

static IrRef smaller(Plan *p, IrRef x, IrRef y)
{
    return ir_select(&p->b, ir_cmp(&p->b, IR_CMP_ULT, x, y), x, y);
}

/* x - y, or 0 if y is more by that order. */
static IrRef above(Plan *p, IrCc order, IrRef x, IrRef y)
{
    IrRef c = ir_cmp(&p->b, order, x, y);
    return ir_select(&p->b, c, op2(p, IR_sub, x, y), number(p, 0));
}

static void branch(Plan *p, IrRef cond, uint32_t yes, uint32_t no, unsigned attr)
{
    ir_emit(&p->b, IR_brc, IR_VOID, 0, attr, cond, 0, 0, 0, (int64_t)(yes | (uint64_t)no << 32));
}

/* -- the clone of a turn ----------------------------------------------------------------------- */
static void set_clone(Plan *p, IrRef v, IrRef c)
{
    if (v < p->n_clone)
        p->clone[v] = c;
}

static void forget_clones(Plan *p)
{
    memset(p->clone, 0, p->n_clone * sizeof *p->clone);
}

/* Phis have clones already; those that don't step stand for themselves (skip_match's `old`). */
static IrRef clone_value(Plan *p, IrRef v)
{
    Skip *s = &p->s;
    v = skip_resolve(s, v);
    if (skip_is_invariant(s, v))
        return outside(p, v);
    if (v < p->n_clone && p->clone[v])
        return p->clone[v];
    if (skip_is_head_phi(s, v))
        return v;
    IrInsn i = s->u->insn[v];
    for (unsigned k = 0; k < ir_op_info[i.op].n_args; k++)
        if (i.arg[k])
            i.arg[k] = clone_value(p, i.arg[k]);
    IrRef c = ir_emit(&p->b, i.op, i.type, i.cc, i.attr, i.arg[0], i.arg[1], i.arg[2], i.arg[3],
                      i.imm);
    set_clone(p, v, c);
    return c;
}

/* 0 if all conditions that are (not) old hold. IR_NONE: there are none. */
static IrRef clone_conditions(Plan *p, bool old)
{
    IrRef wrong = IR_NONE;
    for (unsigned k = 0; k < p->s.n_conds; k++) {
        if (p->s.cond_old[k] != old)
            continue;
        IrRef c = clone_value(p, p->s.cond[k]);
        c = ir_emit(&p->b, IR_b2i, IR_I64, 0, 0, c, 0, 0, 0, 0);
        if (p->s.cond_is[k])
            c = op2(p, IR_xor, c, number(p, 1));
        wrong = wrong ? op2(p, IR_or, wrong, c) : c;
    }
    return wrong;
}

/* -- the parts --------------------------------------------------------------------------------- */
static IrRef either(Plan *p, IrRef x, IrRef y) { return x ? op2(p, IR_or, x, y) : y; }

/* Asked only where the turn before may have gone another way: at the first turn no loop asks. */
static IrRef guard_old(Plan *p, const SkipOld *old, IrRef wrong)
{
    bool vector = p->s.u->insn[old->phi].type == IR_V128;
    for (unsigned lane = 0; lane <= vector; lane++) {
        SkipSum at = old->at;
        at.c += 8 * lane;
        IrRef word = !vector ? old->phi : ir_emit(&p->b, IR_vget, IR_I64, IR_LANE_I64, 0, old->phi,
                                                  0, 0, 0, lane);
        IrRef is = ir_emit(&p->b, IR_scan, IR_I64, 0, IR_SCAN_WORD, make_sum(p, &at), word,
                           number(p, 8), 0, 0);
        wrong = either(p, wrong, op2(p, IR_xor, is, number(p, 8)));
    }
    return wrong;
}

/* Nonzero if a guard doesn't hold, or an old condition of the first turn. IR_NONE: none there. */
static IrRef make_guards(Plan *p)
{
    IrRef wrong = IR_NONE;
    for (unsigned k = 0; k < p->s.n_guards; k++) {
        const SkipGuard *g = &p->s.guard[k];
        if (g->kind == SKIP_APART && p->s.only)
            continue;
        IrRef v = outside(p, g->value), odd;
        if (g->kind == SKIP_IS) {
            odd = op2(p, IR_xor, v, number(p, g->is));
        } else if (g->kind == SKIP_APART) {
            odd = op2(p, IR_sub, op2(p, IR_sub, v, g->other), number(p, g->is));
        } else if (g->kind == SKIP_SHIFTS) {
            IrRef none = ir_cmp(&p->b, IR_CMP_EQ, make_shift(p, g->value), number(p, 0));
            odd = op2(p, IR_and, op2(p, IR_add, v, outside(p, g->other)), number(p, 63));
            odd = op2(p, IR_or, odd, op2(p, IR_and, v, number(p, 7)));
            odd = op2(p, IR_or, odd, ir_emit(&p->b, IR_b2i, IR_I64, 0, 0, none, 0, 0, 0, 0));
        } else {
            IrRef low = v;
            if (g->kind == SKIP_VSPLAT) {
                low = ir_emit(&p->b, IR_vget, IR_I64, IR_LANE_I64, 0, v, 0, 0, 0, 0);
                IrRef high = ir_emit(&p->b, IR_vget, IR_I64, IR_LANE_I64, 0, v, 0, 0, 0, 1);
                wrong = either(p, wrong, op2(p, IR_xor, low, high));
            }
            odd = op2(p, IR_xor, low,
                      op2(p, IR_ror, low, number(p, 8))); /* 0 if all bytes are the same */
        }
        wrong = either(p, wrong, odd);
    }
    for (unsigned k = 0; k < p->s.stores.n_old && !p->s.only; k++)
        wrong = guard_old(p, &p->s.stores.old[k], wrong);
    forget_clones(p);
    IrRef old = clone_conditions(p, true);
    return old ? either(p, wrong, old) : wrong;
}

/* How many bytes on the loop may be by that bound. */
static IrRef make_bound(Plan *p, const SkipBound *x)
{
    IrRef v = make_sum(p, &x->x), end = outside(p, x->bound), d;
    bool up = x->step > 0;
    IrRef far = up ? end : v, near = up ? v : end;
    switch (x->cc) {
    case IR_CMP_NE:
        d = op2(p, IR_sub, far, near);
        break;
    case IR_CMP_SLT: case IR_CMP_SGT: case IR_CMP_SLE: case IR_CMP_SGE:
        d = above(p, IR_CMP_SGT, far, near);
        break;
    default:
        d = above(p, IR_CMP_UGT, far, near);
    }
    if (x->cc == IR_CMP_NE || x->cc == IR_CMP_ULT || x->cc == IR_CMP_UGT || x->cc == IR_CMP_SLT ||
        x->cc == IR_CMP_SGT)
        d = above(p, IR_CMP_UGT, d, number(p, 1));
    int64_t step = llabs(x->step);
    if (step == p->step)
        return d;
    d = smaller(p, op2(p, IR_shr, d, number(p, (uint64_t)__builtin_ctzll((uint64_t)step))),
                number(p, MOST));
    return op2(p, IR_shl, d, number(p, (uint64_t)__builtin_ctzll((uint64_t)p->step)));
}

static IrRef make_byte(Plan *p, const SkipByte *b)
{
    if (!b->of)
        return number(p, b->flip | (unsigned)b->most << 8);
    IrRef v = outside(p, b->of);
    if (b->vector)
        v = ir_emit(&p->b, IR_vget, IR_I64, IR_LANE_I64, 0, v, 0, 0, 0, 0);
    else if (p->s.u->insn[v].type == IR_I32)
        v = ir_emit(&p->b, IR_zext, IR_I64, 0, 0, v, 0, 0, 0, 0);
    if (b->kind == SKIP_WORD)
        return v;
    v = op2(p, IR_and, v, number(p, 255));
    return b->flip ? op2(p, IR_xor, v, number(p, b->flip)) : v;
}

/* Tests of the same kind at the same place become one over all their bytes. */
static void merge_tests(Skip *s)
{
    for (unsigned k = 0; k < s->n_tests; k++)
        for (unsigned m = k + 1; m < s->n_tests;) {
            SkipTest *x = &s->test[k], *y = &s->test[m];
            int64_t start = y->a.c < x->a.c ? y->a.c : x->a.c;
            int64_t end = y->a.c + y->bytes > x->a.c + x->bytes ? y->a.c + y->bytes
                                                                : x->a.c + x->bytes;
            if (x->equal != y->equal || !skip_same_terms(&x->a, &y->a) ||
                (x->equal ? !skip_same_terms(&x->b, &y->b) || x->b.c - x->a.c != y->b.c - y->a.c
                          : !skip_same_byte(&x->byte, &y->byte)) ||
                (x->byte.kind == SKIP_WORD && (x->a.c - y->a.c) & 3) || end - start > 4096) {
                m++;
                continue;
            }
            x->b.c += start - x->a.c;
            x->a.c = start;
            x->bytes = (unsigned)(end - start);
            s->test[m] = s->test[--s->n_tests];
        }
}

static bool is_zero_byte(const SkipByte *b)
{
    return b->kind == SKIP_BYTE && !b->of && !b->flip;
}

/* Others of the same bytes, that one scan tells of too. */
static unsigned find_others(Skip *s, const SkipTest *t, SkipTest *ret[3])
{
    unsigned n = 0, most = t->byte.kind == SKIP_BYTE ? 3 : t->byte.kind == SKIP_WORD ? 1 : 0;
    for (unsigned m = 0; m < s->n_tests && n < 3; m++) {
        SkipTest *x = &s->test[m];
        if (x != t && x->bytes && !x->equal && skip_same_terms(&x->a, &t->a) &&
            x->a.c == t->a.c && x->bytes == t->bytes &&
            (t->equal ? is_zero_byte(&x->byte) : x->byte.kind == t->byte.kind && n < most))
            ret[n++] = x;
    }
    return n;
}

/* One scan for the test and others, which are taken away. */
static IrRef make_scan(Plan *p, SkipTest *t, IrRef on)
{
    SkipTest *other[3];
    unsigned n_others = find_others(&p->s, t, other), kind;
    IrRef a = make_sum(p, &t->a), with;
    if (t->equal) {
        with = make_sum(p, &t->b);
        kind = n_others ? IR_SCAN_EQUAL_NZ : IR_SCAN_EQUAL;
    } else if (t->byte.kind == SKIP_RANGE) {
        with = make_byte(p, &t->byte);
        kind = IR_SCAN_RANGE;
    } else if (t->byte.kind == SKIP_WORD) {
        IrRef x = make_byte(p, n_others ? &other[0]->byte : &t->byte);
        with = op2(p, IR_and, make_byte(p, &t->byte), number(p, UINT32_MAX));
        with = op2(p, IR_or, with, op2(p, IR_shl, x, number(p, 32)));
        kind = IR_SCAN_WORDS;
    } else {
        /* a word of as many bytes as there are tests; the first one again in what is left */
        with = make_byte(p, &t->byte);
        unsigned n = n_others == 0 ? 1 : n_others == 1 ? 2 : 4;
        kind = n == 1 ? IR_SCAN_DIFFERS : n == 2 ? IR_SCAN_DIFFERS2 : IR_SCAN_DIFFERS4;
        for (unsigned k = 1; k < n; k++) {
            IrRef x = make_byte(p, k <= n_others ? &other[k - 1]->byte : &t->byte);
            with = op2(p, IR_or, with, op2(p, IR_shl, x, number(p, 8 * k)));
        }
    }
    uint64_t span = t->bytes;
    t->bytes = 0;
    for (unsigned k = 0; k < n_others; k++)
        other[k]->bytes = 0;
    IrRef limit = op2(p, IR_add, on, number(p, span));
    IrRef n = ir_emit(&p->b, IR_scan, IR_I64, 0, kind, a, with, limit, 0, 0);
    return above(p, IR_CMP_UGT, n, number(p, span));
}

static IrRef make_pattern(Plan *p)
{
    const SkipStores *t = &p->s.stores;
    IrRef v = outside(p, t->value);
    if (p->s.u->insn[v].type == IR_V128)
        return ir_emit(&p->b, IR_vget, IR_I64, IR_LANE_I64, 0, v, 0, 0, 0, 0);
    if (p->s.u->insn[v].type == IR_I32)
        v = ir_emit(&p->b, IR_zext, IR_I64, 0, 0, v, 0, 0, 0, 0);
    if (t->value_bytes == 8)
        return v;
    uint64_t mask = (1ull << 8 * t->value_bytes) - 1;
    return op2(p, IR_mul, op2(p, IR_and, v, number(p, mask)), number(p, UINT64_MAX / mask));
}

/* Stores that many bytes, or fewer: so many. */
static IrRef make_move(Plan *p, IrRef on)
{
    const SkipStores *t = &p->s.stores;
    IrRef to = make_sum(p, &t->to), from, byte = IR_NONE;
    unsigned kind = IR_MOVE_FILL;
    if (t->fill) {
        from = make_pattern(p);
    } else {
        from = make_sum(p, &t->from);
        if (t->shift)
            from = op2(p, IR_add, from, make_shift(p, t->shift));
        kind = p->s.n_tests ? IR_MOVE_UNTIL : IR_MOVE_COPY;
        if (p->s.n_tests)
            byte = make_byte(p, &p->s.test[0].byte);
        /* the skipped turns, and the last one made anew, mustn't load what has been stored */
        uint64_t apart = (uint64_t)p->step + t->ahead + 8;
        IrRef room = above(p, IR_CMP_UGT, op2(p, IR_sub, to, from), number(p, apart));
        on = smaller(p, on, room);
        IrRef near = ir_cmp(&p->b, IR_CMP_ULT, op2(p, IR_sub, from, to), number(p, apart));
        on = ir_select(&p->b, near, number(p, 0), on);
    }
    on = op2(p, IR_and, on, number(p, -(uint64_t)p->step));
    return ir_emit(&p->b, IR_move, IR_I64, 0, kind, to, from, on, byte,
                   (int64_t)((uint64_t)p->step | (uint64_t)t->ahead << IR_MOVE_AHEAD_SHIFT));
}

/* How many bytes the bounds leave. */
static IrRef make_bounds(Plan *p)
{
    IrRef on = number(p, MOST);
    for (unsigned k = 0; k < p->s.n_bounds; k++)
        on = smaller(p, make_bound(p, &p->s.bound[k]), on);
    return on;
}

/* How many scans will tell of all tests? */
static unsigned n_scans(Skip *s)
{
    SkipTest kept[SKIP_MAX], *other[3];
    unsigned n = 0;
    memcpy(kept, s->test, sizeof kept);
    for (unsigned equal = 2; equal-- > 0;) /* in make_distance()'s order */
        for (unsigned k = 0; k < s->n_tests; k++) {
            if (!s->test[k].bytes || s->test[k].equal != equal)
                continue;
            for (unsigned m = find_others(s, &s->test[k], other); m-- > 0;)
                other[m]->bytes = 0;
            s->test[k].bytes = 0;
            n++;
        }
    memcpy(s->test, kept, sizeof kept);
    return n;
}

/* How many bytes to go on by, a multiple of the step. */
static IrRef make_distance(Plan *p, IrRef on)
{
    Skip *s = &p->s;
    if (s->stores.n)
        return make_move(p, on);
    IrRef most = IR_NONE;
    if (n_scans(s) > 1)
        on = most = smaller(p, on, number(p, MOST_EACH));
    /* comparisons first: they take tests for 0 in */
    for (unsigned equal = 2; equal-- > 0;)
        for (unsigned k = 0; k < s->n_tests; k++)
            if (s->test[k].bytes && s->test[k].equal == equal)
                on = make_scan(p, &s->test[k], on);
    if (most)
        p->full = ir_cmp(&p->b, IR_CMP_EQ, on, most);
    return op2(p, IR_and, on, number(p, -(uint64_t)p->step));
}

static IrRef ask_again(Plan *p, IrRef pointer)
{
    int64_t turns = AGAIN > AGAIN_TURNS * p->step ? AGAIN / p->step : AGAIN_TURNS;
    return op2(p, IR_add, pointer, number(p, (uint64_t)(turns * p->pointer_step)));
}

/* Behind the skipped turns. */
static IrRef pointer_value(const Plan *p)
{
    unsigned k = 0;
    while (p->phi[k] != p->pointer)
        k++;
    return p->value[k];
}

/* Values behind the skipped turns; cond is whether the last one's conditions hold. */
static IrRef make_last_turn(Plan *p, IrRef distance)
{
    forget_clones(p);
    unsigned shift = (unsigned)__builtin_ctzll((uint64_t)p->step);
    for (unsigned k = 0; k < p->n_phis; k++) {
        int64_t step = p->phi_step[k];
        if (!step)
            continue;
        IrRef by = distance;
        if (step == -p->step)
            by = ir_emit(&p->b, IR_neg, IR_I64, 0, 0, distance, 0, 0, 0, 0);
        else if (step != p->step)
            by = op2(p, IR_mul, op2(p, IR_shr, distance, number(p, shift)),
                     number(p, (uint64_t)step));
        p->value[k] = op2(p, IR_add, p->phi[k], by);
        set_clone(p, p->phi[k], op2(p, IR_add, p->value[k], number(p, -(uint64_t)step)));
    }
    for (unsigned k = 0; k < p->n_phis; k++)
        if (p->phi[k] == p->ask) {
            IrRef pointer = pointer_value(p), again = ask_again(p, pointer);
            if (p->full)
                again = ir_select(&p->b, p->full, op2(p, IR_add, pointer,
                                                      number(p, (uint64_t)p->pointer_step)), again);
            p->value[k] = again;
        } else if (!p->phi_step[k]) {
            IrRef v = skip_latch_value(&p->s, p->phi[k]);
            p->value[k] = v == p->phi[k] ? v : clone_value(p, v);
        }
    IrRef wrong = clone_conditions(p, false);
    return ir_cmp(&p->b, IR_CMP_EQ, wrong ? wrong : number(p, 0), number(p, 0));
}

/* -- putting it in ----------------------------------------------------------------------------- */
static void replace_uses(Plan *p, const IrRef *by, uint32_t first_new)
{
    IrUnit *u = p->s.u;
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        bool new = b >= first_new && b != p->rest;
        if (new)
            continue;
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            /* the head's own uses stay, but what its phis get comes from behind */
            if (b == p->s.head && u->insn[r].op != IR_phi)
                continue;
            unsigned n;
            IrRef *arg = ir_args(u, r, &n);
            for (unsigned k = 0; k < n; k++)
                if (arg[k] && arg[k] < p->n_clone && by[arg[k]])
                    arg[k] = by[arg[k]];
        }
    }
}

/* Of a phi on the n-th way to the rest, not the last one. */
static IrRef way_value(const Plan *p, unsigned k, unsigned n)
{
    return n && p->phi[k] == p->ask ? p->again : p->phi[k];
}

/* The rest's phis, before what it has; ways come from the head, guards and bounds (perhaps),
 * scan, turn and done. */
static void make_rest(Plan *p, uint32_t first_new, unsigned n_ways)
{
    IrUnit *u = p->s.u;
    IrRef *by = arena_alloc(u->arena, p->n_clone * sizeof *by), joined[MAX_HEAD_PHIS];
    IrRef at = u->block[p->rest].first;
    for (unsigned k = 0; k < p->n_phis; k++) {
        uint32_t first = ir_phi_args_new(u, n_ways);
        for (unsigned n = 0; n < n_ways - 1; n++)
            u->phi_arg[first + n] = way_value(p, k, n);
        u->phi_arg[first + n_ways - 1] = p->value[k];
        joined[k] = ir_insert_in(u, p->rest, at, &(IrInsn){
            .op = IR_phi, .type = u->insn[p->phi[k]].type, .attr = n_ways, .imm = first });
        by[p->phi[k]] = joined[k];
    }
    for (IrRef r = u->block[p->s.head].first; r; r = u->insn[r].next) {
        if (u->insn[r].op != IR_put || !skip_is_head_phi(&p->s, u->insn[r].arg[0]))
            continue;
        IrInsn put = u->insn[r];
        put.arg[0] = by[put.arg[0]];
        ir_insert_in(u, p->rest, at, &put);
    }
    replace_uses(p, by, first_new);
    for (unsigned k = 0; k < p->n_phis; k++) /* its own phis name the head's on purpose */
        for (unsigned n = 0; n < n_ways; n++)
            u->phi_arg[u->insn[joined[k]].imm + n] = n < n_ways - 1 ? way_value(p, k, n)
                                                                    : p->value[k];
}

/* Where the loop asks first: behind as many turns as asking takes the time of. */
static void make_ask(Plan *p)
{
    IrUnit *u = p->s.u;
    const Cfg *c = p->s.c;
    uint32_t head = p->s.head, from = c->pred_start[head], n = c->pred_start[head + 1] - from;
    int64_t turns = p->step < 8 ? 8 : p->step < 16 ? 4 : 3;
    uint32_t first = ir_phi_args_new(u, n);
    p->ask = ir_insert_in(u, head, u->block[head].first, &(IrInsn){
        .op = IR_phi, .type = IR_I64, .attr = n, .imm = first });
    for (uint32_t k = 0; k < n; k++) {
        uint32_t pred = c->pred[from + k];
        IrRef at = p->ask;
        if (!cfg_in_loop(u, pred, head)) {
            IrRef end = u->block[pred].last;
            IrRef by = ir_insert_before(u, end, &(IrInsn){
                .op = IR_const, .type = IR_I64, .imm = turns * p->pointer_step });
            at = ir_insert_before(u, end, &(IrInsn){
                .op = IR_add, .type = IR_I64,
                .arg = { u->phi_arg[u->insn[p->pointer].imm + k], by } });
        }
        u->phi_arg[first + k] = at;
    }
    p->phi_step[p->n_phis] = 0;
    p->phi[p->n_phis++] = p->ask;
}

/* Where there is no other way round the loop asks every now and then for sure: often enough. */
static void move_poll(Plan *p)
{
    IrUnit *u = p->s.u;
    uint32_t head = p->s.head;
    for (IrRef r = u->block[head].first; r; r = u->insn[r].next)
        if (u->insn[r].op == IR_poll) {
            IrInsn poll = u->insn[r];
            ir_remove(u, head, r);
            ir_emit(&p->b, IR_poll, IR_VOID, 0, poll.attr, 0, 0, 0, 0, poll.imm);
            return;
        }
}

static void rewrite(Plan *p)
{
    IrUnit *u = p->s.u;
    make_ask(p);
    GuestAddr pc = u->block[p->s.head].pc;
    IrInsn mark = u->insn[p->first];
    p->n_clone = u->n_insns;
    p->clone = arena_alloc(u->arena, p->n_clone * sizeof *p->clone);
    uint32_t rest = p->rest = ir_block_new(u, pc);
    opt_split_block(u, p->s.head, p->first, rest);
    p->s.path[0] = rest; /* whence phis on the way are reached now */
    if (p->s.latch == p->s.head)
        p->s.latch = rest;
    uint32_t guards = ir_block_new(u, pc), scan = ir_block_new(u, pc);
    unsigned n_ways = 4;

    p->b = (IrBuilder){ u, p->s.head };
    branch(p, ir_cmp(&p->b, IR_CMP_EQ, p->pointer, p->ask), guards, rest, IR_BRC_LIKELY_FALSE);

    p->b.block = guards;
    if (p->s.only)
        move_poll(p);
    p->again = ask_again(p, p->pointer);
    IrRef wrong = make_guards(p);
    if (wrong) {
        branch(p, ir_cmp(&p->b, IR_CMP_NE, wrong, number(p, 0)), rest, scan, IR_BRC_LIKELY_FALSE);
        n_ways++;
    } else {
        ir_emit(&p->b, IR_br, IR_VOID, 0, 0, 0, 0, 0, 0, scan);
    }

    p->b.block = scan;
    IrRef on = make_bounds(p);
    if (p->s.n_bounds) {
        IrRef few = ir_cmp(&p->b, IR_CMP_ULT, on, number(p, (uint64_t)(FEW * p->step)));
        uint32_t more = ir_block_new(u, pc);
        branch(p, few, rest, more, 0);
        p->b.block = more;
        n_ways++;
    }
    IrRef distance = make_distance(p, on);
    uint32_t turn = ir_block_new(u, pc), done = ir_block_new(u, pc);
    branch(p, ir_cmp(&p->b, IR_CMP_EQ, distance, number(p, 0)), rest, turn, 0);

    p->b.block = turn;
    ir_emit(&p->b, IR_insn, IR_VOID, 0, mark.attr, 0, 0, 0, 0, mark.imm);
    IrRef holds = make_last_turn(p, distance);
    branch(p, holds, done, rest, IR_BRC_LIKELY_TRUE);

    p->b.block = done;
    ir_emit(&p->b, IR_br, IR_VOID, 0, 0, 0, 0, 0, 0, rest);
    make_rest(p, rest, n_ways);
    u->uses_known = false;
}

static bool try_loop(IrUnit *u, const Cfg *c, const uint32_t *block_of, uint32_t head)
{
    Plan p = { .s = { .u = u, .c = c, .block_of = block_of, .head = head } };
    p.first = turn_start(u, head);
    if (!p.first || !find_way(&p.s) || !see_phis(&p) || !see_steps(&p) || !see_stores(&p))
        return false;
    rewrite(&p);
    return true;
}

static uint32_t *find_blocks(IrUnit *u)
{
    uint32_t *block_of = arena_alloc(u->arena, u->n_insns * sizeof *block_of);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            block_of[r] = b;
    return block_of;
}

void opt_skip(IrUnit *u)
{
    if (u->flags & (IR_UNIT_SOFT_TLB | IR_UNIT_TAGGED))
        return;
    uint32_t n = u->n_blocks;
    const Cfg *c = opt_cfg_new(u);
    const uint32_t *block_of = find_blocks(u);
    bool changed = false;
    for (uint32_t b = 0; b < n; b++) {
        if (u->block[b].loop_head != b + 1 || !try_loop(u, c, block_of, b))
            continue;
        changed = true;
        c = opt_cfg_new(u);
        block_of = find_blocks(u);
    }
    if (changed)
        opt_cfg(u);
}
