/* data plane */
/*
 * What a loop stores, for skip.c: memcpy's, memmove's and memset's loops, in the forms that
 * compilers and the C libraries' authors write. They load words a turn ahead, and put words
 * together of two where source and destination aren't aligned alike.
 *
 * skip.c sees to it that source and destination are so far from each other that the skipped turns
 * load nothing that they have stored.
 */
#include "translator/opt/opt.h"
#include "translator/opt/skip.h"

enum { MAX_STORES = 16, MAX_AHEAD = 256 };

/* -- where a value comes from ------------------------------------------------------------------ */
typedef struct Source {
    SkipSum at;   /* as of the turn at hand */
    IrRef shift;
    unsigned bytes;
} Source;

static const IrInsn *insn(const Skip *s, IrRef v) { return &s->u->insn[v]; }

static bool add_old(Skip *s, IrRef phi, const SkipSum *at)
{
    SkipStores *t = &s->stores;
    for (unsigned k = 0; k < t->n_old; k++)
        if (t->old[k].phi == phi)
            return true;
    if (t->n_old == SKIP_MAX_OLD)
        return false;
    t->old[t->n_old++] = (SkipOld){ phi, *at };
    return true;
}

/* A load of this turn; or a phi that has the word which the turn before loaded. */
static bool find_load(Skip *s, IrRef v, Source *ret)
{
    bool old;
    const IrInsn *load = skip_data(s, v, &old);
    if (!load || !skip_address(s, load, &ret->at))
        return false;
    ret->shift = IR_NONE;
    ret->bytes = 1u << (load->attr & IR_MEM_SIZE);
    if (!old)
        return true;
    v = skip_resolve(s, v);
    int64_t step;
    if (!skip_is_head_phi(s, v) || insn(s, skip_latch_value(s, v)) != load || ret->bytes < 8 ||
        (load->type != IR_I64 && load->type != IR_V128) || !skip_step(s, &ret->at, &step))
        return false;
    ret->at.c -= step;
    return add_old(s, v, &ret->at);
}

static bool find_source(Skip *s, IrRef v, Source *ret)
{
    v = skip_resolve(s, v);
    const IrInsn *i = insn(s, v);
    if (i->op != IR_or || i->type != IR_I64)
        return find_load(s, v, ret);
    for (unsigned k = 0; k < 2; k++) {
        const IrInsn *low = insn(s, skip_resolve(s, i->arg[k]));
        const IrInsn *high = insn(s, skip_resolve(s, i->arg[!k]));
        Source a, b;
        if (low->op != IR_shr || high->op != IR_shl)
            continue;
        IrRef right = skip_resolve(s, low->arg[1]), left = skip_resolve(s, high->arg[1]);
        if (!skip_is_invariant(s, right) || !skip_is_invariant(s, left) ||
            insn(s, right)->type != IR_I64 || insn(s, left)->type != IR_I64 ||
            !find_load(s, low->arg[0], &a) || !find_load(s, high->arg[0], &b) || a.bytes != 8 ||
            b.bytes != 8 || b.at.c != a.at.c + 8 || !skip_same_terms(&a.at, &b.at) ||
            !skip_guard(s, (SkipGuard){ SKIP_SHIFTS, right, left, 0 }))
            return false;
        *ret = a;
        ret->shift = right;
        return true;
    }
    return false;
}

/* -- the stores -------------------------------------------------------------------------------- */
typedef struct Walk {
    Skip *s;
    int64_t at[MAX_STORES]; /* relative to `to` */
    unsigned bytes[MAX_STORES];
    int64_t distance;       /* of source and destination, of their constants */
} Walk;

static bool see_fill(Skip *s, IrRef v, unsigned bytes)
{
    SkipStores *t = &s->stores;
    const IrInsn *i = insn(s, v);
    if (t->n && (!t->fill || t->value != v || t->value_bytes != bytes))
        return false;
    t->fill = true;
    t->value = v;
    t->value_bytes = bytes;
    if (i->type == IR_V128)
        return bytes == 16 && skip_guard(s, (SkipGuard){ SKIP_VSPLAT, v, 0, 0 });
    return i->type == IR_I64 || i->type == IR_I32;
}

static bool see_copy(Walk *w, IrRef v, unsigned bytes, int64_t to)
{
    SkipStores *t = &w->s->stores;
    Source from;
    if ((t->n && t->fill) || !find_source(w->s, v, &from) || from.bytes < bytes)
        return false;
    if (t->n)
        return skip_same_terms(&t->from, &from.at) && t->shift == from.shift &&
               from.at.c - to == w->distance;
    t->from = from.at;
    t->shift = from.shift;
    w->distance = from.at.c - to;
    return true;
}

static bool see_store(Walk *w, const IrInsn *i)
{
    SkipStores *t = &w->s->stores;
    unsigned bytes = 1u << (i->attr & IR_MEM_SIZE);
    SkipSum to;
    if (t->n == MAX_STORES || !skip_address(w->s, i, &to) ||
        (t->n && !skip_same_terms(&to, &t->to)))
        return false;
    if (!t->n)
        t->to = to;
    IrRef v = skip_resolve(w->s, i->arg[2]);
    if (skip_is_invariant(w->s, v) ? !see_fill(w->s, v, bytes) : !see_copy(w, v, bytes, to.c))
        return false;
    w->at[t->n] = to.c;
    w->bytes[t->n++] = bytes;
    return true;
}

/* Each byte of a turn once. */
static bool is_whole(Walk *w, int64_t step)
{
    SkipStores *t = &w->s->stores;
    int64_t low = w->at[0], sum = 0;
    for (unsigned k = 0; k < t->n; k++) {
        low = w->at[k] < low ? w->at[k] : low;
        sum += w->bytes[k];
        for (unsigned m = 0; m < k; m++)
            if (w->at[k] < w->at[m] + w->bytes[m] && w->at[m] < w->at[k] + w->bytes[k])
                return false;
    }
    for (unsigned k = 0; k < t->n; k++)
        if (w->at[k] + w->bytes[k] > low + step)
            return false;
    t->to.c = low;
    t->from.c = low + w->distance;
    return sum == step;
}

/* Loads only what is stored, now or later. */
static bool sees_source_only(Skip *s, int64_t step)
{
    SkipStores *t = &s->stores;
    int64_t read = step;
    for (unsigned k = 0; k < s->n_path; k++)
        for (IrRef r = s->u->block[s->path[k]].first; r; r = s->u->insn[r].next) {
            const IrInsn *i = insn(s, r);
            SkipSum at;
            if (i->op != IR_load)
                continue;
            if (t->fill || !skip_address(s, i, &at) || !skip_same_terms(&at, &t->from) ||
                at.c < t->from.c)
                return false;
            int64_t end = at.c - t->from.c + (1 << (i->attr & IR_MEM_SIZE));
            read = end > read ? end : read;
        }
    t->ahead = (unsigned)(read - step);
    return read - step <= MAX_AHEAD;
}

bool skip_see_stores(Skip *s, int64_t step)
{
    Walk w = { .s = s };
    s->stores = (SkipStores){ 0 };
    for (unsigned k = 0; k < s->n_path; k++)
        for (IrRef r = s->u->block[s->path[k]].first; r; r = s->u->insn[r].next)
            if (insn(s, r)->op == IR_store && !see_store(&w, insn(s, r)))
                return false;
    if (!s->stores.n)
        return true;
    int64_t to_step, from_step;
    return step > 0 && step <= IR_MOVE_MAX_TURN && !(step & (step - 1)) &&
           skip_step(s, &s->stores.to, &to_step) && to_step == step &&
           (s->stores.fill ||
            (skip_step(s, &s->stores.from, &from_step) && from_step == step)) &&
           is_whole(&w, step) && sees_source_only(s, step);
}
