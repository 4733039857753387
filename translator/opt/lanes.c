/* data plane */
/*
 * Loops that end at a vector: AArch64 code asks whether a lane of a vector is (not) 0 by folding
 * the vector onto itself (UMAXP, UMINP, ADDP, SHRN, UMAXV …) until it fits in a register, which it
 * compares with 0. Here the condition becomes one on a bit for each byte, `vmask`: a comparison
 * with 0 and a move instead of up to a dozen shuffles and minima.
 *
 * What was folded may be wanted still: behind the loop, for the position, and by the variables that
 * it was put in. On the way round it is known to be 0; behind the loop it is made when the loop has
 * ended (values and puts sink there). If neither is possible it is made on each turn as before.
 */
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"
#include "translator/opt/vars.h"

#include "translator/ir/arena.h"

enum { MAX_LEAVES = 4, MAX_DEPTH = 8 };

/* Of some vectors together: is any bit of them 1, or (`all`) no lane of them 0? */
typedef struct Fold {
    const IrUnit *u;
    IrRef leaf[MAX_LEAVES];
    unsigned n;
    bool all;
    unsigned lane; /* of `all` */
} Fold;

static const IrInsn *insn(const IrUnit *u, IrRef v) { return &u->insn[v]; }

static IrRef resolve(const IrUnit *u, IrRef v)
{
    while (insn(u, v)->op == IR_copy)
        v = insn(u, v)->arg[0];
    return v;
}

static unsigned lane_bytes(unsigned lane) { return 1u << (lane & 3); }

static bool is_vzero(const IrUnit *u, IrRef v)
{
    const IrInsn *i = insn(u, resolve(u, v));
    return i->op == IR_vconst && !u->vconst[i->imm].lo && !u->vconst[i->imm].hi;
}

/* Of a vector each lane of which is all ones or 0: the lane's bytes; else 0. */
static unsigned mask_bytes(const IrUnit *u, IrRef v, unsigned depth)
{
    v = resolve(u, v);
    const IrInsn *i = insn(u, v);
    unsigned a, b;
    switch (i->op) {
    case IR_vcmpeq: case IR_vcmpgt: case IR_vcmpge:
        return lane_bytes(i->cc);
    case IR_vfcmpeq: case IR_vfcmpgt: case IR_vfcmpge:
        return i->cc == IR_LANE_F32 ? 4 : i->cc == IR_LANE_F64 ? 8 : 0;
    case IR_vand: case IR_vor: case IR_vxor: case IR_vandn: case IR_vorn:
        a = depth ? mask_bytes(u, i->arg[0], depth - 1) : 0;
        b = a ? mask_bytes(u, i->arg[1], depth - 1) : 0;
        return a < b ? a : b;
    case IR_vnot: case IR_vlow:
        return depth ? mask_bytes(u, i->arg[0], depth - 1) : 0;
    default:
        return 0;
    }
}

static bool add_leaf(Fold *f, IrRef v)
{
    for (unsigned k = 0; k < f->n; k++)
        if (f->leaf[k] == v)
            return true;
    if (f->n == MAX_LEAVES)
        return false;
    f->leaf[f->n++] = v;
    return true;
}

/* Even and odd lanes of the same two vectors, in either order. */
static bool is_pairwise(const IrUnit *u, const IrInsn *i, IrRef ret[2], unsigned *ret_lane)
{
    const IrInsn *a = insn(u, resolve(u, i->arg[0])), *b = insn(u, resolve(u, i->arg[1]));
    if (a->op + b->op != IR_vuzp1 + IR_vuzp2 || (a->op != IR_vuzp1 && a->op != IR_vuzp2) ||
        a->cc != b->cc)
        return false;
    for (unsigned k = 0; k < 2; k++) {
        ret[k] = resolve(u, a->arg[k]);
        if (resolve(u, b->arg[k]) != ret[k])
            return false;
    }
    *ret_lane = a->cc & 3;
    return true;
}

/* A vector and the same from its byte `bytes` on: that one, or IR_NONE. */
static IrRef halved(const IrUnit *u, const IrInsn *i, unsigned bytes)
{
    for (unsigned k = 0; k < 2 && bytes <= 8; k++) {
        IrRef y = resolve(u, i->arg[k]);
        const IrInsn *e = insn(u, resolve(u, i->arg[!k]));
        if (e->op == IR_vext && e->imm == bytes && resolve(u, e->arg[0]) == y &&
            resolve(u, e->arg[1]) == y)
            return y;
    }
    return IR_NONE;
}

/* Sees in which vectors no lane is 0 if none is in the low bytes of v. */
static bool see_all(Fold *f, IrRef v, unsigned bytes, unsigned depth)
{
    v = resolve(f->u, v);
    const IrInsn *i = insn(f->u, v);
    IrRef part[2];
    unsigned lane;
    if (depth && i->op == IR_vmin && i->cc == f->lane && !(i->attr & IR_V_SIGNED)) {
        if (bytes >= 8 && is_pairwise(f->u, i, part, &lane) && lane == f->lane)
            return see_all(f, part[0], 16, depth - 1) &&
                   (bytes == 8 || see_all(f, part[1], 16, depth - 1));
        IrRef y = bytes >= lane_bytes(f->lane) ? halved(f->u, i, bytes) : IR_NONE;
        if (y)
            return see_all(f, y, 2 * bytes, depth - 1);
    }
    return bytes == 16 && add_leaf(f, v);
}

/* Sees which vectors have a bit that is 1 if the low bytes of v have one. */
static bool see_any(Fold *f, IrRef v, unsigned bytes, unsigned depth)
{
    v = resolve(f->u, v);
    const IrInsn *i = insn(f->u, v), *from;
    IrRef part[2];
    unsigned lane;
    bool join = false;
    if (!depth)
        return bytes == 16 && add_leaf(f, v);
    switch (i->op) {
    case IR_vlow:
        return see_any(f, i->arg[0], bytes < 8 ? bytes : 8, depth - 1);
    case IR_vnarrow:
        /* what is dropped of a mask isn't missed, if a part of it stays */
        from = insn(f->u, resolve(f->u, i->arg[0]));
        if (bytes == 8 && mask_bytes(f->u, i->arg[0], MAX_DEPTH) >= lane_bytes(i->cc))
            return see_any(f, i->arg[0], 16, depth - 1);
        return bytes == 8 && i->cc == IR_LANE_I16 && from->op == IR_vshru &&
               from->cc == IR_LANE_I16 && from->imm == 4 &&
               mask_bytes(f->u, from->arg[0], MAX_DEPTH) &&
               see_any(f, from->arg[0], 16, depth - 1);
    case IR_vmax:
        join = !(i->attr & IR_V_SIGNED);
        break;
    case IR_vor:
        join = true;
        break;
    case IR_vadd: /* the lowest byte that is 0xff in one gives 0xff or 0xfe */
        join = mask_bytes(f->u, i->arg[0], MAX_DEPTH) && mask_bytes(f->u, i->arg[1], MAX_DEPTH);
        join |= is_pairwise(f->u, i, part, &lane) && mask_bytes(f->u, part[0], MAX_DEPTH) &&
                mask_bytes(f->u, part[1], MAX_DEPTH);
        break;
    default:
        break;
    }
    if (join && bytes >= 8 && is_pairwise(f->u, i, part, &lane))
        return see_any(f, part[0], 16, depth - 1) &&
               (bytes == 8 || see_any(f, part[1], 16, depth - 1));
    IrRef y = join && bytes >= lane_bytes(i->cc) ? halved(f->u, i, bytes) : IR_NONE;
    if (y)
        return see_any(f, y, 2 * bytes, depth - 1);
    return bytes == 16 && add_leaf(f, v);
}

/* Is the lane 0 of v something other than 0? *ret_not: see it as the contrary. */
static bool see_fold(Fold *f, IrRef v, unsigned bytes, bool *ret_not)
{
    *ret_not = false;
    v = resolve(f->u, v);
    const IrInsn *i = insn(f->u, v);
    while (i->op == IR_vlow) {
        bytes = bytes < 8 ? bytes : 8;
        v = resolve(f->u, i->arg[0]);
        i = insn(f->u, v);
    }
    if (i->op == IR_vcmpeq && bytes >= lane_bytes(i->cc))
        for (unsigned k = 0; k < 2; k++)
            if (is_vzero(f->u, i->arg[!k])) {
                f->all = *ret_not = true;
                f->lane = i->cc & 3;
                return see_all(f, i->arg[k], bytes, MAX_DEPTH);
            }
    if (i->op == IR_vmin && bytes == lane_bytes(i->cc)) {
        f->all = true;
        f->lane = i->cc & 3;
        return see_all(f, v, bytes, MAX_DEPTH);
    }
    return see_any(f, v, bytes, MAX_DEPTH);
}

/* -- making the condition ---------------------------------------------------------------------- */
typedef struct Make { IrUnit *u; uint32_t block; IrRef at; } Make;

static IrRef make(Make *m, IrInsn i) { return ir_insert_in(m->u, m->block, m->at, &i); }

static IrRef make_vzero(Make *m)
{
    return make(m, (IrInsn){ .op = IR_vconst, .type = IR_V128,
                             .imm = ir_vconst_index(m->u, 0, 0) });
}

/* The comparison, which asks whether the fold's lane is (`is`) something other than 0. */
static void rewrite(IrUnit *u, uint32_t block, IrRef cmp, const Fold *f, bool is)
{
    Make m = { u, block, cmp };
    IrRef v = f->leaf[0];
    for (unsigned k = 1; k < f->n; k++)
        v = make(&m, (IrInsn){ .op = f->all ? IR_vmin : IR_vor, .type = IR_V128, .cc = f->lane,
                               .arg = { v, f->leaf[k] } });
    unsigned mask = mask_bytes(u, v, MAX_DEPTH);
    bool zeros = !mask || (f->all && mask < lane_bytes(f->lane)); /* bits tell which lanes are 0 */
    if (zeros)
        v = make(&m, (IrInsn){ .op = IR_vcmpeq, .type = IR_V128, .cc = f->all ? f->lane : 0,
                               .arg = { v, make_vzero(&m) } });
    IrRef bits = make(&m, (IrInsn){ .op = IR_vmask, .type = IR_I32, .arg = { v } });
    /* all: no 0, or ones everywhere; any: not 0 everywhere, or a 1 */
    bool full = f->all != zeros;
    IrRef c = make(&m, (IrInsn){ .op = IR_const, .type = IR_I32, .imm = full ? 0xffff : 0 });
    bool equal = f->all;
    u->insn[cmp].arg[0] = bits;
    u->insn[cmp].arg[1] = c;
    u->insn[cmp].cc = equal == is ? IR_CMP_EQ : IR_CMP_NE;
}

/* -- where the loop goes on -------------------------------------------------------------------- */
typedef struct Way {
    uint32_t block, on, out; /* a block of the loop, its successors in the loop and behind it */
    bool on_if;              /* goes on if the condition is that */
} Way;

/* Does the block end with a branch of which one way leaves the innermost loop? */
static bool find_way(const IrUnit *u, uint32_t block, Way *ret)
{
    const IrInsn *last = insn(u, u->block[block].last);
    uint32_t head = u->block[block].loop_head;
    if (last->op != IR_brc || !head)
        return false;
    uint32_t yes = (uint32_t)last->imm, no = (uint32_t)((uint64_t)last->imm >> 32);
    bool on = cfg_in_loop(u, yes, head - 1);
    *ret = (Way){ block, on ? yes : no, on ? no : yes, on };
    return on != cfg_in_loop(u, no, head - 1);
}

/* A vector that is 0 if its low half is. */
static bool is_zero_by_half(const IrUnit *u, IrRef v)
{
    const IrInsn *i = insn(u, v);
    IrRef part[2];
    unsigned lane;
    return i->op == IR_vlow || ((i->op == IR_vmax || i->op == IR_vor || i->op == IR_vadd) &&
                                is_pairwise(u, i, part, &lane) && part[0] == part[1]);
}

/* In the phis of the loop's head, on the n-th way there: what is known to be 0. */
static void know_zero_from(IrUnit *u, const Cfg *c, uint32_t head, unsigned n, IrRef word,
                           IrRef vector)
{
    uint32_t from = c->pred[c->pred_start[head] + n];
    bool both = insn(u, word)->cc == IR_LANE_I64 && is_zero_by_half(u, vector);
    for (IrRef r = u->block[head].first; r; r = u->insn[r].next) {
        if (u->insn[r].op != IR_phi)
            continue;
        uint32_t a = (uint32_t)u->insn[r].imm + n;
        IrRef v = resolve(u, u->phi_arg[a]);
        bool wide = both && v == vector;
        if (v != word && !wide)
            continue;
        Make m = { u, from, u->block[from].last };
        IrRef zero = wide ? make_vzero(&m)
                          : make(&m, (IrInsn){ .op = IR_const, .type = u->insn[word].type });
        u->phi_arg[a] = zero;
    }
}

static unsigned n_preds(const Cfg *c, uint32_t b)
{
    return c->pred_start[b + 1] - c->pred_start[b];
}

/* The same on all ways there that begin with this one. */
static void know_zero(IrUnit *u, const Cfg *c, const Way *w, IrRef word, IrRef vector)
{
    uint32_t head = u->block[w->block].loop_head - 1;
    for (unsigned n = 0; n < n_preds(c, head); n++) {
        uint32_t from = c->pred[c->pred_start[head] + n];
        if (w->on == head ? from == w->block
                          : n_preds(c, w->on) == 1 && cfg_dominates(c, w->on, from))
            know_zero_from(u, c, head, n, word, vector);
    }
}

/* A condition on a fold. */
typedef struct Seen {
    Fold fold;
    IrRef cmp, word, vector;
    bool is, contrary; /* asks whether the word isn't 0; whether what the fold tells isn't so */
} Seen;

static bool see_condition(const IrUnit *u, IrRef c, Seen *ret)
{
    c = resolve(u, c);
    const IrInsn *i = insn(u, c), *zero = insn(u, i->arg[1]);
    if (i->op != IR_cmp || (i->cc != IR_CMP_EQ && i->cc != IR_CMP_NE) || zero->op != IR_const ||
        zero->imm)
        return false;
    IrRef word = resolve(u, i->arg[0]);
    if (insn(u, word)->op == IR_zext)
        word = resolve(u, insn(u, word)->arg[0]);
    if (insn(u, word)->op != IR_vget || insn(u, word)->imm)
        return false;
    *ret = (Seen){ .fold = { .u = u }, .cmp = c, .word = word, .is = i->cc == IR_CMP_NE,
                   .vector = resolve(u, insn(u, word)->arg[0]) };
    return see_fold(&ret->fold, ret->vector, lane_bytes(insn(u, word)->cc), &ret->contrary);
}

/* Exits from loops by such conditions become branches. */
static void split_exits(IrUnit *u)
{
    bool any = false;
    for (uint32_t b = 0, n = u->n_blocks; b < n; b++)
        for (IrRef r = u->block[b].loop_head ? u->block[b].last : IR_NONE; r;
             r = u->insn[r].prev) {
            Seen seen;
            uint32_t out;
            if (u->insn[r].op != IR_exit_if || !see_condition(u, u->insn[r].arg[0], &seen))
                continue;
            opt_split_exit(u, b, r, &out);
            any = true;
            break; /* one of each block */
        }
    if (any)
        opt_cfg(u);
}

static bool is_in(const IrUnit *u, uint32_t block, IrRef v)
{
    IrRef r = u->block[block].last;
    while (r && r != v)
        r = insn(u, r)->prev;
    return r != IR_NONE;
}

/* Asks for bits where loops end by folds. */
static bool rewrite_conditions(IrUnit *u)
{
    const Cfg *c = NULL;
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        Way w;
        Seen seen;
        if (!find_way(u, b, &w) || !see_condition(u, insn(u, u->block[b].last)->arg[0], &seen) ||
            !is_in(u, b, seen.cmp))
            continue;
        if (!c)
            c = opt_cfg_new(u);
        if (seen.is != w.on_if)
            know_zero(u, c, &w, seen.word, seen.vector);
        rewrite(u, b, seen.cmp, &seen.fold, seen.is != seen.contrary);
    }
    return c != NULL;
}

/* -- behind the loop --------------------------------------------------------------------------- */
static IrRef after_phis(const IrUnit *u, uint32_t block)
{
    IrRef at = u->block[block].first;
    while (insn(u, at)->op == IR_phi || insn(u, at)->op == IR_nop)
        at = insn(u, at)->next;
    return at;
}

static bool may_sink(const IrUnit *u, const IrInsn *i)
{
    return (i->type == IR_V128 || i->op == IR_vget) && i->op != IR_get && i->op != IR_phi &&
           i->op != IR_vconst && opt_removable(u, i);
}

/* Puts that nobody sees who goes on in the loop. */
static void sink_puts(IrUnit *u, const Cfg *c, const VarLive *live, const Way *w)
{
    if (n_preds(c, w->out) != 1)
        return;
    VarSet seen = live->in[w->on];
    for (IrRef r = u->block[w->block].last, prev; r; r = prev) {
        const IrInsn i = u->insn[r];
        prev = i.prev;
        if (i.op != IR_put || !may_sink(u, insn(u, i.arg[0])) ||
            varset_has(&seen, (unsigned)i.imm)) {
            opt_var_live_step(u, live, &i, &seen);
            continue;
        }
        ir_insert_in(u, w->out, after_phis(u, w->out), &i);
        ir_remove(u, w->block, r);
    }
}

static uint32_t common_dominator(const Cfg *c, uint32_t a, uint32_t b)
{
    while (a != CFG_NONE && !cfg_dominates(c, a, b))
        a = c->idom[a];
    return a;
}

enum { UNUSED = UINT32_MAX - 1 };

static void use_in(const Cfg *c, uint32_t *at, uint32_t block)
{
    *at = *at == UNUSED ? block : *at == CFG_NONE ? CFG_NONE : common_dominator(c, *at, block);
}

/* Values of which only the code behind the loop wants to know, users first. */
static void sink_values(IrUnit *u, const Cfg *c)
{
    uint32_t *at = arena_alloc_raw(u->arena, u->n_insns * sizeof *at); /* dominates all uses */
    for (uint32_t r = 0; r < u->n_insns; r++)
        at[r] = UNUSED;
    for (uint32_t k = 0; k < c->n_rpo; k++) {
        uint32_t b = c->rpo[k];
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            for (unsigned n = 0; u->insn[r].op == IR_phi && n < u->insn[r].attr; n++)
                use_in(c, &at[u->phi_arg[u->insn[r].imm + n]], c->pred[c->pred_start[b] + n]);
    }
    for (uint32_t k = c->n_rpo; k-- > 0;) {
        uint32_t b = c->rpo[k];
        for (IrRef r = u->block[b].last, prev; r; r = prev) {
            const IrInsn i = u->insn[r];
            uint32_t to = at[r], is = b;
            prev = i.prev;
            if (i.op == IR_phi)
                continue;
            if (may_sink(u, &i) && to < u->n_blocks && to != b && cfg_dominates(c, b, to) &&
                u->block[to].loop_depth < u->block[b].loop_depth) {
                ir_move(u, b, r, to, after_phis(u, to));
                is = to;
            }
            for (unsigned a = 0; a < ir_op_info[i.op].n_args; a++)
                if (i.arg[a])
                    use_in(c, &at[i.arg[a]], is);
        }
    }
}

void opt_lanes(IrUnit *u)
{
    split_exits(u);
    if (!rewrite_conditions(u))
        return;
    u->uses_known = false;
    opt_dce_region(u);
    const Cfg *c = opt_cfg_new(u);
    const VarLive *live = opt_var_live_new(u, c);
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        Way w;
        if (find_way(u, b, &w))
            sink_puts(u, c, live, &w);
    }
    sink_values(u, c);
    u->uses_known = false;
}
