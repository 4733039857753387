/* data plane */
/*
 * Extensions, masks and wide comparisons that the values' bits (bits.h) make needless, and loops'
 * words kept as words: a phi of sign-extended words becomes the extension of a phi of words, so
 * that the extension is off the path that goes round (RISC-V extends what W instructions give).
 *
 * What comes into a loop from outside may be anything, but by the calling conventions words are
 * extended there too. So where that alone stands between a loop's phi and a word it is assumed, and
 * looked at before the loop: if it isn't so, the region isn't entered (VCPU_EXIT_GUESS).
 * This pass therefore runs before dead puts go: it makes observers. Likewise the bounds that loops
 * compare extended words with.
 *
 * Bits are found optimistically: phis start as if they needed none and grow until nothing changes;
 * one that grows more than a few times gets its whole width at once, so the walk is short. From
 * there it shrinks again to what its operands leave of it; but where phis hand a value round, one's
 * whole width would go round, too, each shrinking behind it. So later they only grow.
 */
#include "translator/guest/isa.h"
#include "translator/opt/alias.h"
#include "translator/opt/bits.h"
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"
#include "translator/translator.h"

enum { MAX_ROUNDS = 4, SETTLED_ROUNDS = 24 };
enum { NARROW = 1, GUESSED = 2 }; /* IrInsn.mark of phis */
enum { ENTRY = 4, WORD = 8 };     /* of gets in block 0; WORD: taken to be an extended word */

typedef struct Extend {
    IrUnit *u;
    const Cfg *c;
    OptAlias alias;
    OptBits *bits;
    uint32_t cap_bits;
} Extend;

static bool is_int(unsigned t) { return t == IR_I32 || t == IR_I64 || t == IR_I1; }

/* Is that edge to a loop's head no way round? */
static bool enters(const Extend *x, uint32_t head, uint32_t from)
{
    return x->c->rpo_index[from] < x->c->rpo_index[head];
}

static OptBits phi_bits(const Extend *x, uint32_t block, IrRef r, unsigned round)
{
    unsigned n, w = x->u->insn[r].type == IR_I64 ? 64 : 32;
    const IrRef *arg = ir_args(x->u, r, &n);
    OptBits all = { 0, 1 };
    for (unsigned k = 0; k < n; k++) {
        OptBits a = x->bits[arg[k]];
        if (x->u->insn[r].mark & GUESSED && a.s > 32 &&
            enters(x, block, x->c->pred[x->c->pred_start[block] + k]))
            a = (OptBits){ 64, 32 };
        all.u = a.u > all.u ? a.u : all.u;
        all.s = a.s > all.s ? a.s : all.s;
    }
    bool widen = round >= MAX_ROUNDS;
    OptBits was = x->bits[r];
    if (round >= SETTLED_ROUNDS) {
        all.u = all.u > was.u ? all.u : was.u;
        all.s = all.s > was.s ? all.s : was.s;
    }
    if (widen && all.u > was.u)
        all.u = (uint8_t)w;
    if (widen && all.s > was.s)
        all.s = (uint8_t)(w == 64 && all.s <= 32 ? 32 : w);
    return all;
}

static void find_bits(Extend *x)
{
    IrUnit *u = x->u;
    for (uint32_t r = 0; r < u->n_insns; r++)
        x->bits[r] = (OptBits){ 0, 1 };
    bool changed = true;
    for (unsigned round = 0; changed; round++) {
        changed = false;
        for (uint32_t k = 0; k < x->c->n_rpo; k++)
            for (IrRef r = u->block[x->c->rpo[k]].first; r; r = u->insn[r].next) {
                if (!is_int(u->insn[r].type))
                    continue;
                OptBits was = x->bits[r];
                if (u->insn[r].op == IR_phi)
                    x->bits[r] = phi_bits(x, x->c->rpo[k], r, round);
                else if (u->insn[r].mark & WORD)
                    x->bits[r] = (OptBits){ 64, 32 };
                else
                    x->bits[r] = opt_bits_of(u, x->bits, r);
                changed |= was.u != x->bits[r].u || was.s != x->bits[r].s;
            }
    }
}

/* -- rewriting one instruction ----------------------------------------------------------------- */
static IrRef emit_before(Extend *x, uint32_t block, IrRef at, IrInsn i)
{
    IrRef r = ir_insert_in(x->u, block, at, &i);
    if (r >= x->cap_bits) {
        size_t cap = x->cap_bits;
        x->bits = arena_grow(x->u->arena, x->bits, sizeof *x->bits, x->cap_bits, &cap, r + 1);
        x->cap_bits = (uint32_t)cap;
    }
    x->bits[r] = opt_bits_of(x->u, x->bits, r);
    return r;
}

/* The low word of a value: what was extended, if it was, a constant, or a truncation. */
static IrRef word_of(Extend *x, uint32_t block, IrRef at, IrRef v)
{
    const IrInsn *i = &x->u->insn[v];
    if (i->op == IR_sext || i->op == IR_zext)
        return i->arg[0];
    if (i->op == IR_const)
        return emit_before(x, block, at, (IrInsn){ .op = IR_const, .type = IR_I32,
                                                   .imm = (uint32_t)i->imm });
    return emit_before(x, block, at, (IrInsn){ .op = IR_trunc, .type = IR_I32, .arg = { v } });
}

static bool is_extension(const Extend *x, IrRef v)
{
    return x->u->insn[v].op == IR_sext || x->u->insn[v].op == IR_zext;
}

static bool has_word(const Extend *x, IrRef v)
{
    return is_extension(x, v) || x->u->insn[v].op == IR_const || x->u->insn[v].mark & WORD;
}

/* Both sides extended the same way: the words compare alike. */
static void narrow_compare(Extend *x, uint32_t block, IrRef r)
{
    IrUnit *u = x->u;
    IrRef a = u->insn[r].arg[0], b = u->insn[r].arg[1];
    bool is_signed = u->insn[r].cc >= IR_CMP_SLT, equality = u->insn[r].cc <= IR_CMP_NE;
    if (u->insn[a].type != IR_I64 ||
        !(is_extension(x, a) || is_extension(x, b)) ||
        !has_word(x, a) || !has_word(x, b))
        return;
    bool as_signed = x->bits[a].s <= 32 && x->bits[b].s <= 32;
    bool as_unsigned = x->bits[a].u <= 32 && x->bits[b].u <= 32 && (!is_signed || equality);
    if (!as_signed && !as_unsigned)
        return;
    a = word_of(x, block, r, a);
    b = word_of(x, block, r, b);
    u->insn[r].arg[0] = a;
    u->insn[r].arg[1] = b;
}

static IrRef shift(Extend *x, uint32_t block, IrRef at, IrRef v, unsigned by)
{
    IrType t = (IrType)x->u->insn[at].type;
    if (!by)
        return v;
    IrRef n = emit_before(x, block, at, (IrInsn){ .op = IR_const, .type = t, .imm = by });
    return emit_before(x, block, at, (IrInsn){ .op = IR_shl, .type = t, .arg = { v, n } });
}

/* A field that is put above all there is. */
static IrRef put_above(Extend *x, uint32_t block, IrRef r)
{
    IrUnit *u = x->u;
    IrType t = (IrType)u->insn[r].type;
    IrRef below = u->insn[r].arg[0], v = u->insn[r].arg[1];
    unsigned lsb = u->insn[r].attr & 255, len = u->insn[r].attr >> 8 & 255;
    if (x->bits[below].u > lsb)
        return r;
    if (x->bits[v].u > len && lsb + len < (t == IR_I64 ? 64 : 32))
        v = emit_before(x, block, r,
                        (IrInsn){ .op = IR_ubfx, .type = t, .attr = len << 8, .arg = { v } });
    v = shift(x, block, r, v, lsb);
    if (!x->bits[below].u)
        return v;
    u->insn[r].op = IR_or;
    u->insn[r].attr = 0;
    u->insn[r].arg[1] = v;
    return r;
}

/* A field above which there is nothing. */
static IrRef take_above(Extend *x, uint32_t block, IrRef r)
{
    IrUnit *u = x->u;
    unsigned lsb = u->insn[r].attr & 255, len = u->insn[r].attr >> 8;
    if (lsb + len < x->bits[u->insn[r].arg[0]].u)
        return r;
    if (!lsb)
        return u->insn[r].arg[0];
    IrRef by = emit_before(x, block, r, (IrInsn){ .op = IR_const, .type = u->insn[r].type,
                                                  .imm = lsb });
    u->insn[r].op = IR_shr;
    u->insn[r].attr = 0;
    u->insn[r].arg[1] = by;
    return r;
}

/* The value to use instead, or r. */
static IrRef rewrite(Extend *x, uint32_t block, IrRef r)
{
    IrUnit *u = x->u;
    IrInsn *i = &u->insn[r];
    const IrInsn *a = &u->insn[i->arg[0]], *b = &u->insn[i->arg[1]];
    OptBits ab = x->bits[i->arg[0]];
    switch (i->op) {
    case IR_sext:
        if (a->op == IR_trunc && x->bits[a->arg[0]].s <= 32)
            return a->arg[0];
        if (ab.u < 32) {
            i->op = IR_zext;
            if (a->op == IR_trunc && x->bits[a->arg[0]].u <= 32)
                return a->arg[0];
        }
        return r;
    case IR_zext:
        return a->op == IR_trunc && x->bits[a->arg[0]].u <= 32 ? a->arg[0] : r;
    case IR_and:
        if (b->op == IR_const && ab.u < 64) {
            uint64_t possible = (1ull << ab.u) - 1;
            return ((uint64_t)b->imm & possible) == possible ? i->arg[0] : r;
        }
        return r;
    case IR_ubfx:
        return take_above(x, block, r);
    case IR_bfi:
        return put_above(x, block, r);
    case IR_sbfx:
        return !(i->attr & 255) && i->attr >> 8 >= ab.s ? i->arg[0] : r;
    case IR_cmp:
        narrow_compare(x, block, r);
        return r;
    default:
        return r;
    }
}

/* -- phis of words ----------------------------------------------------------------------------- */
/* A phi of i64 that is the extension of a word whichever way control came, and on some way by a
 * sext that the word alone makes needless. */
static bool can_narrow(const Extend *x, IrRef r)
{
    unsigned n, n_sext = 0;
    const IrRef *arg = ir_args(x->u, r, &n);
    if (x->u->insn[r].type != IR_I64 || x->bits[r].s > 32)
        return false;
    for (unsigned k = 0; k < n; k++)
        n_sext += x->u->insn[arg[k]].op == IR_sext ||
                  (x->u->insn[arg[k]].op == IR_phi && x->u->insn[arg[k]].mark & NARROW);
    return n_sext;
}

static void clear_marks(IrUnit *u)
{
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark = 0;
}

/* Phis that narrow because others do: from none to as many as possible. */
static void choose_phis(Extend *x)
{
    IrUnit *u = x->u;
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark &= (uint8_t)~NARROW;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t k = 0; k < x->c->n_rpo; k++)
            for (IrRef r = u->block[x->c->rpo[k]].first; r && u->insn[r].op == IR_phi;
                 r = u->insn[r].next)
                if (!(u->insn[r].mark & NARROW) && can_narrow(x, r)) {
                    u->insn[r].mark |= NARROW;
                    changed = true;
                }
    }
}

/* -- guesses ----------------------------------------------------------------------------------- */
/* Does a poll stand at the block's head? It observes the variables, so that they are what they
 * should be also where control comes from. */
static bool polls(const IrUnit *u, uint32_t block)
{
    for (IrRef r = u->block[block].first; r; r = u->insn[r].next)
        switch (u->insn[r].op) {
        case IR_phi: case IR_put: case IR_insn: case IR_nop: break;
        default: return u->insn[r].op == IR_poll;
        }
    return false;
}

/* May something be assumed of what the ways into this loop bring? It is looked at where they come
 * from, so they must lead nowhere else. */
static bool may_guess(const Extend *x, uint32_t block)
{
    const Cfg *c = x->c;
    if (x->u->block[block].loop_head != block + 1 || !polls(x->u, block))
        return false;
    for (uint32_t p = c->pred_start[block]; p < c->pred_start[block + 1]; p++)
        if (enters(x, block, c->pred[p]) && x->u->block[c->pred[p]].succ[1])
            return false;
    return true;
}

static void mark_phis(Extend *x)
{
    IrUnit *u = x->u;
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        if (!may_guess(x, b))
            continue;
        for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next)
            if (!u->insn[r].mark && u->insn[r].type == IR_I64)
                u->insn[r].mark = GUESSED;
    }
}

/* Bounds of loops, where nothing is executed before the loop: the state there is the entry's. */
static void mark_bounds(Extend *x)
{
    IrUnit *u = x->u;
    for (IrRef r = u->block[0].first; r; r = u->insn[r].next)
        if (u->insn[r].op == IR_insn)
            return;
    for (IrRef r = u->block[0].first; r; r = u->insn[r].next)
        if (u->insn[r].op == IR_get && u->insn[r].type == IR_I64)
            u->insn[r].mark = ENTRY;
    for (uint32_t b = 1; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r && u->block[b].loop_depth; r = u->insn[r].next)
            for (unsigned k = 0; k < 2 && u->insn[r].op == IR_cmp; k++)
                if (u->insn[u->insn[r].arg[k]].mark & ENTRY &&
                    u->insn[u->insn[r].arg[!k]].op == IR_sext)
                    u->insn[u->insn[r].arg[k]].mark |= WORD;
}

/* Guesses that don't make a word of their phi. True: there were some. */
static bool drop_guesses(Extend *x)
{
    IrUnit *u = x->u;
    bool dropped = false;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next)
            if (u->insn[r].mark == GUESSED) {
                u->insn[r].mark = 0;
                dropped = true;
            }
    return dropped;
}

/* Bits and phis, with guesses for phis that are no words without. */
static void find_guesses(Extend *x)
{
    find_bits(x);
    choose_phis(x);
    mark_phis(x);
    mark_bounds(x);
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        find_bits(x);
        choose_phis(x);
        if (!drop_guesses(x))
            return;
    }
    clear_marks(x->u);
    find_bits(x);
    choose_phis(x);
}

/* Adds to `wrong` what isn't 0 unless v is the extension of a word. */
static IrRef is_wide(Extend *x, uint32_t block, IrRef at, IrRef v, IrRef wrong)
{
    IrRef low = emit_before(x, block, at, (IrInsn){ .op = IR_trunc, .type = IR_I32,
                                                    .arg = { v } });
    IrRef wide = emit_before(x, block, at, (IrInsn){ .op = IR_sext, .type = IR_I64,
                                                     .arg = { low } });
    IrRef odd = emit_before(x, block, at, (IrInsn){ .op = IR_xor, .type = IR_I64,
                                                    .arg = { wide, v } });
    return !wrong ? odd : emit_before(x, block, at, (IrInsn){ .op = IR_or, .type = IR_I64,
                                                              .arg = { wrong, odd } });
}

static void trap_unless_zero(Extend *x, uint32_t block, IrRef at, IrRef wrong, GuestAddr pc)
{
    if (!wrong)
        return;
    IrRef zero = emit_before(x, block, at, (IrInsn){ .op = IR_const, .type = IR_I64 });
    IrRef c = emit_before(x, block, at, (IrInsn){ .op = IR_cmp, .type = IR_I1, .cc = IR_CMP_NE,
                                                  .arg = { wrong, zero } });
    emit_before(x, block, at, (IrInsn){ .op = IR_trap_if, .attr = VCPU_EXIT_GUESS, .arg = { c },
                                        .imm = (int64_t)pc });
}

/* Where control goes from block `from` into the loop at `head`: all that was guessed is so. */
static void check_guesses(Extend *x, uint32_t from, uint32_t head, unsigned nth)
{
    IrUnit *u = x->u;
    IrRef at = u->block[from].last, wrong = IR_NONE;
    for (IrRef r = u->block[head].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next) {
        if (!(u->insn[r].mark & GUESSED))
            continue;
        IrRef v = opt_resolve(&x->alias, u->phi_arg[u->insn[r].imm + nth]);
        if (x->bits[v].s > 32)
            wrong = is_wide(x, from, at, v, wrong);
    }
    trap_unless_zero(x, from, at, wrong, u->block[head].pc);
}

static void check_bounds(Extend *x)
{
    IrUnit *u = x->u;
    IrRef at = u->block[0].last, wrong = IR_NONE;
    for (IrRef r = u->block[0].first; r != at; r = u->insn[r].next)
        if (u->insn[r].mark & WORD)
            wrong = is_wide(x, 0, at, r, wrong);
    trap_unless_zero(x, 0, at, wrong, u->pc);
}

/* -- the walk ---------------------------------------------------------------------------------- */
/* The wide value is made of the word behind the phis, whose arguments come in finish_phis(). */
static void narrow_phi(Extend *x, uint32_t block, IrRef r)
{
    IrUnit *u = x->u;
    unsigned n = u->insn[r].attr;
    uint32_t first = ir_phi_args_new(u, n);
    memcpy(u->phi_arg + first, u->phi_arg + u->insn[r].imm, n * sizeof *u->phi_arg);
    OptBits b = x->bits[r];
    IrRef word = emit_before(x, block, r, (IrInsn){ .op = IR_phi, .type = IR_I32, .attr = n,
                                                    .imm = first, .mark = NARROW });
    x->bits[word] = (OptBits){ b.u < 32 ? b.u : 32, b.s };
    IrRef at = u->insn[r].next;
    while (u->insn[at].op == IR_phi)
        at = u->insn[at].next;
    IrRef wide = emit_before(x, block, at, (IrInsn){ .op = IR_sext, .type = IR_I64,
                                                     .arg = { word } });
    x->bits[wide] = b;
    opt_set_alias(&x->alias, r, wide);
    ir_remove(u, block, r);
}

static void finish_phis(Extend *x, uint32_t block)
{
    IrUnit *u = x->u;
    for (IrRef r = u->block[block].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next) {
        opt_resolve_args(&x->alias, r);
        if (u->insn[r].type != IR_I32 || u->insn[r].mark != NARROW)
            continue;
        for (unsigned k = 0; k < u->insn[r].attr; k++) {
            uint32_t from = x->c->pred[x->c->pred_start[block] + k];
            IrRef word = word_of(x, from, u->block[from].last, u->phi_arg[u->insn[r].imm + k]);
            u->phi_arg[u->insn[r].imm + k] = word;
        }
        u->insn[r].mark = 0;
    }
}

void opt_extend(IrUnit *u)
{
    Extend x = { .u = u, .c = opt_cfg_new(u), .alias = opt_alias_new(u),
                 .cap_bits = u->n_insns + 64 };
    x.bits = arena_alloc_raw(u->arena, x.cap_bits * sizeof *x.bits);
    u->uses_known = false;
    clear_marks(u);
    if (opt_may_guess(u)) {
        find_guesses(&x);
    } else {
        find_bits(&x);
        choose_phis(&x);
    }
    for (uint32_t k = 0; k < x.c->n_rpo; k++) {
        uint32_t b = x.c->rpo[k];
        for (uint32_t p = x.c->pred_start[b]; p < x.c->pred_start[b + 1]; p++)
            if (enters(&x, b, x.c->pred[p]))
                check_guesses(&x, x.c->pred[p], b, p - x.c->pred_start[b]);
        for (IrRef r = u->block[b].first, next; r; r = next) {
            next = u->insn[r].next;
            if (u->insn[r].op == IR_phi) {
                if (u->insn[r].mark & NARROW && u->insn[r].type == IR_I64)
                    narrow_phi(&x, b, r);
                continue;
            }
            opt_resolve_args(&x.alias, r);
            IrRef to = is_int(u->insn[r].type) ? rewrite(&x, b, r) : r;
            if (to != r) {
                opt_set_alias(&x.alias, r, to);
                ir_remove(u, b, r);
            }
        }
    }
    for (uint32_t k = 0; k < x.c->n_rpo; k++)
        finish_phis(&x, x.c->rpo[k]);
    check_bounds(&x); /* which the walk would take for needless */
    clear_marks(u);
}
