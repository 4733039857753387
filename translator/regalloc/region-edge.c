/* data plane */
/* Between the blocks of a region: what a block begins with, moves on edges. See region.h. */
#include "translator/regalloc/region.h"

#include <string.h>

#include "translator/guest/isa.h"
#include "translator/ir/arena.h"

/* -- at a block's start ------------------------------------------------------------------------ */

bool ra_block_reached(const Ra *ra, uint32_t b) { return b == 0 || ra->region->block[b].fixed; }

static void forget_places(Ra *ra)
{
    RaRegion *rg = ra->region;
    for (uint32_t g = 1; g <= rg->n_globals; g++) {
        RaValue *v = &ra->value[rg->value_of[g]];
        v->reg = REG_NONE;
        v->mem = RA_MEM_NONE;
        v->special = false;
        v->n_vars = 0;
    }
    memset(ra->owner, 0, sizeof ra->owner);
    memset(ra->state_holds, 0, ra->n_vars * sizeof *ra->state_holds);
}

/* Slots of values that no later block knows are free again; those for moves never are. */
static void reclaim_slots(Ra *ra, uint32_t b)
{
    RaRegion *rg = ra->region;
    memcpy(ra->spill_used, rg->kept, sizeof ra->spill_used);
    ra->spill_used[RA_MAX_SPILLS / 64 - 1] |= 3ull << 62;
    for (uint32_t g = 1; g <= rg->n_globals; g++) {
        int16_t s = rg->slot[g];
        if (s == RA_MEM_NONE)
            continue;
        if (rg->last_block[g] < b)
            rg->slot[g] = RA_MEM_NONE;
        else
            ra->spill_used[s / 64] |= 1ull << s % 64;
    }
}

static void take_places(Ra *ra, const RaBlock *x)
{
    for (unsigned k = 0; k < x->n_places; k++) {
        const RaPlace *p = &x->place[k];
        RaValue *v = &ra->value[p->value];
        v->reg = p->reg;
        v->mem = p->mem;
        v->special = p->special;
        if (p->reg != REG_NONE)
            ra->owner[p->reg] = p->value;
        if (p->mem != RA_MEM_NONE && p->mem & RA_MEM_VAR)
            ra->state_holds[p->mem & ~RA_MEM_VAR] = p->value;
    }
}

static void bind_vars(Ra *ra, const RaBlock *x)
{
    memset(ra->touched, 0, sizeof ra->touched);
    for (unsigned var = 0; var < ra->n_vars; var++) {
        uint32_t value = ra->binding[var] = x->in[var];
        ra->form[var] = x->in_form[var];
        RaValue *v = &ra->value[value];
        Reg home = ra->home[var];
        bool canonical = home != REG_NONE ? v->reg == home
                                          : v->mem == (RA_MEM_VAR | (int)var);
        v->n_vars++;
        /* regalloc.c notes when a variable's own value at an entry leaves its place, of others only
         * the put. */
        bool own = !v->insn && (value - ra->unit->n_insns) % ra->n_vars == var;
        if (!canonical || !own || ra->form[var])
            ra->touched[var / 64] |= 1ull << var % 64;
    }
}

static void seen(RaValue *v, uint32_t pos)
{
    if (v->observed < pos)
        v->observed = pos;
}

/* How long variables' values can be seen in the block: RaValue.observed. */
static void find_observed(Ra *ra, uint32_t b)
{
    const IrUnit *u = ra->unit;
    RaBlock *x = &ra->region->block[b];
    uint32_t now[RA_MAX_VARS], pos = x->first_pos, last = 0, last_exit = 0;
    memcpy(now, x->in, ra->n_vars * sizeof *now);
    for (unsigned var = 0; var < ra->n_vars; var++)
        ra->value[now[var]].observed = 0;
    for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
        if (u->insn[r].op == IR_put)
            ra->value[ra->alias[u->insn[r].arg[0]]].observed = 0;
    uint32_t set = x->n_sets;
    for (IrRef r = u->block[b].first; r; r = u->insn[r].next, pos++) {
        const IrInsn *i = &u->insn[r];
        if (ra_prepare_observes(ra, i)) {
            last = pos;
            if (!(ir_op_info[i->op].flags & IR_OPF_M) && !ra_lazy_dead(i))
                last_exit = pos;
        }
        bool all = ra_prepare_writes_vars(ra, i);
        set += all;
        for (unsigned var = all ? 0 : i->op == IR_put ? i->imm : ra->n_vars; var < ra->n_vars;
             var++) {
            seen(&ra->value[now[var]], ra->vars[var].flags & IR_VAR_LAZY ? last_exit : last);
            now[var] = all ? u->n_insns + set * ra->n_vars + var : ra->alias[i->arg[0]];
            if (all)
                ra->value[now[var]].observed = 0;
            else
                break;
        }
    }
    for (unsigned var = 0; var < ra->n_vars; var++)
        seen(&ra->value[now[var]], ra_has_bit(x->live_out, var) ? UINT32_MAX
                                   : ra->vars[var].flags & IR_VAR_LAZY ? last_exit : last);
}

void ra_block_begin(Ra *ra, uint32_t b)
{
    RaRegion *rg = ra->region;
    RaBlock *x = &rg->block[b];
    rg->current = b;
    ra_prepare_end(ra, b);
    ra->last_pos = x->last_pos;
    ra->pos = x->first_pos - 1;
    ra->locked = 0;
    ra->n_deferred = 0;
    ra->n_var_calls = x->n_sets;
    ra_region_dist_out(ra, b);
    if (b) {
        forget_places(ra);
        take_places(ra, x);
        bind_vars(ra, x);
    }
    reclaim_slots(ra, b);
    find_observed(ra, b);
}

/* -- edges ------------------------------------------------------------------------------------- */

static void settle(Ra *ra, void *opaque, uint32_t value)
{
    (void)opaque;
    if (ra->value[value].special)
        ra->target->fetch(ra->host, value);
}

static void settle_phi(Ra *ra, void *opaque, uint32_t value, uint32_t arg)
{
    (void)value;
    settle(ra, opaque, arg);
}

void ra_edge_settle(Ra *ra, uint32_t to)
{
    if (ra->region->block[to].n_preds > 1)
        ra_region_each_live_in(ra, to, settle, NULL);
    ra_region_each_phi(ra, to, ra->region->current, settle_phi, NULL);
}

typedef struct Building {
    RaEdge *edge;
    const RaBlock *to;
    uint32_t busy;     /* registers that are read or written */
    size_t cap;
} Building;

static void add_move(Ra *ra, Building *b, RaMove m)
{
    b->edge->move = arena_grow(ra->unit->arena, b->edge->move, sizeof m, b->edge->n_moves, &b->cap,
                               b->edge->n_moves + 1);
    b->edge->move[b->edge->n_moves++] = m;
}

/* From where `value` is now to the place of `what`. */
static void transfer(Ra *ra, Building *b, const RaPlace *p, uint32_t value, IrForm form)
{
    const RaValue *v = &ra->value[value];
    RaMove m = { .type = ra->value[p->value].type, .to = REG_NONE, .from = v->reg,
                 .to_mem = RA_MEM_NONE, .from_mem = v->reg == REG_NONE ? v->mem : RA_MEM_NONE,
                 .form = form, .def_pos = v->def_pos };
    if (v->reg == REG_NONE && v->constant) {
        m.value = value;
        m.from_mem = RA_MEM_NONE;
    }
    if (!v->constant && v->reg == REG_NONE && v->mem == RA_MEM_NONE) {
        ra->failed = true; /* the IR isn't what it should be */
        return;
    }
    if (v->reg != REG_NONE)
        b->busy |= 1u << v->reg;
    if (p->reg != REG_NONE) {
        if (p->reg != v->reg || form) {
            m.to = p->reg;
            add_move(ra, b, m);
        }
    }
    if (p->mem != RA_MEM_NONE && (p->mem != v->mem || v->constant || form)) {
        m.to = REG_NONE;
        m.to_mem = p->mem;
        add_move(ra, b, m);
    }
}

static void transfer_phi(Ra *ra, void *opaque, uint32_t value, uint32_t arg)
{
    Building *b = opaque;
    for (unsigned k = 0; k < b->to->n_places; k++)
        if (b->to->place[k].value == value) {
            transfer(ra, b, &b->to->place[k], arg, ra->region->phi_form);
            return;
        }
}

const RaEdge *ra_edge(Ra *ra, uint32_t to)
{
    RaRegion *rg = ra->region;
    const RaBlock *x = &rg->block[to];
    if (!x->fixed)
        ra_region_fix_state(ra, rg->current, to);
    Building b = { arena_alloc(ra->unit->arena, sizeof *b.edge), x, 0, 0 };
    for (unsigned k = 0; k < x->n_places; k++) {
        const RaPlace *p = &x->place[k];
        b.busy |= p->reg != REG_NONE ? 1u << p->reg : 0;
        if (x->n_preds > 1 && (rg->def_block[rg->global_of[p->value]] != to ||
                               ra->value[p->value].constant))
            transfer(ra, &b, p, p->value, IR_FORM_PLAIN);
    }
    ra_region_each_phi(ra, to, rg->current, transfer_phi, &b);
    b.edge->free = (ra->target->gprs | ra->target->xmms) & ~b.busy;
    return b.edge;
}

/* -- moves before a branch --------------------------------------------------------------------- */

static void keep_mem(RaKeep *keep, int16_t mem)
{
    if (mem == RA_MEM_NONE)
        return;
    unsigned n = mem & ~RA_MEM_VAR;
    uint64_t *set = mem & RA_MEM_VAR ? keep->vars : keep->spills;
    set[n / 64] |= 1ull << n % 64;
}

static bool keeps_mem(const RaKeep *keep, int16_t mem)
{
    return mem != RA_MEM_NONE &&
           ra_has_bit(mem & RA_MEM_VAR ? keep->vars : keep->spills, mem & ~RA_MEM_VAR);
}

static bool is_written(const RaEdge *edge, Reg reg, int16_t mem)
{
    for (unsigned k = 0; k < edge->n_moves; k++)
        if ((reg != REG_NONE && edge->move[k].to == reg) ||
            (mem != RA_MEM_NONE && edge->move[k].to_mem == mem))
            return true;
    return false;
}

void ra_keep_for_edge(const Ra *ra, uint32_t to, const RaEdge *edge, RaKeep *keep)
{
    const RaBlock *x = &ra->region->block[to];
    for (unsigned k = 0; k < x->n_places; k++) {
        const RaPlace *p = &x->place[k];
        if (p->reg != REG_NONE && !is_written(edge, p->reg, RA_MEM_NONE))
            keep->regs |= 1u << p->reg;
        if (!is_written(edge, REG_NONE, p->mem))
            keep_mem(keep, p->mem);
    }
    for (unsigned k = 0; k < edge->n_moves; k++) {
        const RaMove *m = &edge->move[k];
        if (m->from != REG_NONE)
            keep->regs |= 1u << m->from;
        keep_mem(keep, m->from_mem);
    }
}

void ra_keep_for_exit(const Ra *ra, const UnitSnap *snap, unsigned n, RaKeep *keep)
{
    uint64_t listed[RA_VAR_WORDS] = { 0 };
    for (unsigned k = 0; k < n; k++) {
        listed[snap[k].var / 64] |= 1ull << snap[k].var % 64;
        if (snap[k].kind == UNIT_SNAP_REG)
            keep->regs |= 1u << snap[k].what;
        else if (snap[k].kind == UNIT_SNAP_SPILL || snap[k].kind == UNIT_SNAP_VAR)
            keep_mem(keep, snap[k].kind == UNIT_SNAP_VAR ? snap[k].what | RA_MEM_VAR
                                                         : snap[k].what);
    }
    for (unsigned v = 0; v < ra->n_vars; v++)
        if (!ra_has_bit(listed, v)) { /* it is where it belongs */
            if (ra->home[v] != REG_NONE)
                keep->regs |= 1u << ra->home[v];
            else
                keep_mem(keep, RA_MEM_VAR | v);
        }
}

bool ra_edge_keeps(const RaEdge *edge, const RaKeep *keep)
{
    for (unsigned k = 0; k < edge->n_moves; k++) {
        const RaMove *m = &edge->move[k];
        if ((m->to != REG_NONE && keep->regs >> m->to & 1) || keeps_mem(keep, m->to_mem))
            return false;
    }
    return true;
}

void ra_edge_emit_keeping(Ra *ra, const RaEdge *edge, const RaKeep *keep)
{
    RaEdge e = *edge;
    e.free &= ~keep->regs;
    ra_edge_emit(ra, &e);
}

/* -- moves, all at once ------------------------------------------------------------------------ */

enum { SAVE_SLOT = RA_MAX_SPILLS - 2, CYCLE_SLOT = RA_MAX_SPILLS - 1 };

static unsigned mem_bytes(const Ra *ra, int16_t mem, IrType type)
{
    return mem & RA_MEM_VAR ? ra_region_var_bytes(ra, mem & ~RA_MEM_VAR) : ra_type_bytes(type);
}

static void load(Ra *ra, Reg to, int16_t mem, IrType type)
{
    ra->target->load(ra->host, to, ra_region_mem_offset(ra, mem), mem_bytes(ra, mem, type));
}

static void store(Ra *ra, int16_t mem, Reg from, IrType type)
{
    ra->target->store(ra->host, ra_region_mem_offset(ra, mem), from, mem_bytes(ra, mem, type));
}

static Reg free_of(uint32_t regs) { return regs ? __builtin_ctz(regs) : REG_NONE; }

/* To memory from memory or a constant, by way of a register that is free or made so. Forms of
 * floats are made in vector registers, others in general ones. */
static void move_by_register(Ra *ra, const RaEdge *e, const RaMove *m)
{
    bool wide = ra_type_bytes(m->type) == 16 || m->form >= IR_FORM_BOX;
    const IrInsn *constant = m->value ? &ra->unit->insn[ra->value[m->value].insn] : NULL;
    Reg gpr = free_of(e->free & ra->target->gprs), xmm = free_of(e->free & ra->target->xmms);
    Reg t = wide || (gpr == REG_NONE && !constant && !m->form) ? xmm : gpr;
    Reg saved = REG_NONE;
    if (t == REG_NONE) {
        t = saved = __builtin_ctz(wide ? ra->target->xmms : ra->target->gprs);
        store(ra, SAVE_SLOT, t, wide ? IR_V128 : IR_I64);
    }
    if (constant)
        ra->target->constant(ra->host, t, constant);
    else
        load(ra, t, m->from_mem, m->type);
    if (m->form)
        ra->target->form(ra->host, t, t, m->form);
    store(ra, m->to_mem, t, m->type);
    if (saved != REG_NONE)
        load(ra, t, SAVE_SLOT, wide ? IR_V128 : IR_I64);
}

static void emit_move_now(Ra *ra, const RaEdge *e, const RaMove *m)
{
    if (m->to == REG_NONE) {
        if (m->from != REG_NONE) {
            if (m->form)
                ra->target->form(ra->host, m->from, m->from, m->form);
            store(ra, m->to_mem, m->from, m->type);
        } else {
            move_by_register(ra, e, m);
        }
        return;
    }
    Reg from = m->to;
    if (m->value)
        ra->target->constant(ra->host, m->to, &ra->unit->insn[ra->value[m->value].insn]);
    else if (m->from == REG_NONE)
        load(ra, m->to, m->from_mem, m->type);
    else if (m->form)
        from = m->from;
    else
        ra->target->move(ra->host, m->to, m->from);
    if (m->form)
        ra->target->form(ra->host, m->to, from, m->form);
}

static bool writes_what(const RaMove *m, const RaMove *other)
{
    return (m->to != REG_NONE && m->to == other->from) ||
           (m->to_mem != RA_MEM_NONE && m->to_mem == other->from_mem);
}

static void redirect(RaMove *m, Reg from, int16_t from_mem)
{
    m->from = from;
    m->from_mem = from_mem;
}

static bool is_gpr(const Ra *ra, Reg r) { return ra->target->gprs >> r & 1; }

static RaMove *reader_of(RaMove *move, unsigned n, const RaMove *m)
{
    for (unsigned k = 0; k < n; k++)
        if (&move[k] != m && writes_what(m, &move[k]))
            return &move[k];
    return NULL;
}

/* The move of a cycle to begin with, and the cycle's length: what goes aside for it, which takes
 * some cycles more, shall be the value that has been there longest. */
static RaMove *cycle_start(RaMove *move, unsigned n, unsigned *ret_length)
{
    RaMove *m = &move[0], *best = NULL;
    for (unsigned k = 0; k < n; k++) /* into the cycle, which others may only read */
        m = reader_of(move, n, m);
    RaMove *at = m;
    uint32_t oldest = UINT32_MAX;
    *ret_length = 0;
    do {
        RaMove *reader = reader_of(move, n, at);
        if (reader->def_pos < oldest) {
            oldest = reader->def_pos;
            best = at;
        }
        at = reader;
        ++*ret_length;
    } while (at != m && *ret_length <= n);
    return best;
}

/* Every pending move's destination is read by another, whose content therefore goes aside. Without
 * a register for it two registers of a class change places, in a short cycle: an exchange costs two
 * moves or three, of which none vanishes at renaming. */
static void break_cycle(Ra *ra, RaEdge *e, RaMove *move, unsigned *n_moves)
{
    unsigned n = *n_moves, length;
    RaMove *m = cycle_start(move, n, &length);
    /* What goes aside may be wider than what comes. */
    RaMove aside = { .type = IR_V128, .to = REG_NONE, .from = m->to, .to_mem = RA_MEM_NONE,
                     .from_mem = m->to_mem };
    if (m->to != REG_NONE) {
        bool gpr = is_gpr(ra, m->to);
        uint32_t cls = gpr ? ra->target->gprs : ra->target->xmms;
        bool swap = m->from != REG_NONE && is_gpr(ra, m->from) == gpr;
        Reg t = free_of(e->free & cls);
        if (t == REG_NONE && gpr && (!swap || length > 2))
            t = free_of(e->free & ra->target->xmms);
        if (t == REG_NONE && swap) {
            Reg a = m->to, b = m->from;
            ra->target->swap(ra->host, a, b);
            for (unsigned k = 0; k < n; k++)
                if (&move[k] != m && (move[k].from == a || move[k].from == b))
                    move[k].from = move[k].from == a ? b : a;
            if (m->form)
                ra->target->form(ra->host, a, a, m->form);
            *m = move[--*n_moves];
            return;
        }
        aside.to = t;
    }
    if (m->to != REG_NONE && is_gpr(ra, m->to))
        aside.type = IR_I64;
    if (aside.to == REG_NONE)
        aside.to_mem = CYCLE_SLOT;
    else
        e->free &= ~(1u << aside.to);
    emit_move_now(ra, e, &aside);
    for (unsigned k = 0; k < n; k++)
        if (&move[k] != m && writes_what(m, &move[k]))
            redirect(&move[k], aside.to, aside.to_mem);
}

void ra_edge_emit(Ra *ra, const RaEdge *edge)
{
    unsigned n = edge->n_moves;
    if (!n)
        return;
    RaMove *move = arena_alloc_raw(ra->unit->arena, (n + 1) * sizeof *move);
    memcpy(move, edge->move, n * sizeof *move);
    RaEdge local = *edge, *e = &local; /* temporaries are used up */
    while (n) {
        bool any = false;
        for (unsigned k = 0; k < n; k++) {
            bool blocked = false;
            for (unsigned o = 0; o < n && !blocked; o++)
                blocked = o != k && writes_what(&move[k], &move[o]);
            if (blocked)
                continue;
            /* A swap may have put it in its place. */
            if (move[k].to == REG_NONE || move[k].to != move[k].from || move[k].form)
                emit_move_now(ra, e, &move[k]);
            move[k--] = move[--n];
            any = true;
        }
        if (!any && n)
            break_cycle(ra, e, move, &n);
    }
}
