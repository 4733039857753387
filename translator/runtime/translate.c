/* data plane */
/*
 * From guest bytes to a compiled unit: fetch, lift, optimize, compile, enter into the table. A
 * baseline unit is a run of instructions from its entry to the first that ends it, within one page
 * (the last instruction may reach into the next).
 */
#include <string.h>
#include <time.h>

#include "translator/debug/perf-map.h"
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"
#include "translator/runtime/critical.h"
#include "translator/runtime/runtime.h"
#include "translator/runtime/stored.h"

enum {
    MAX_INSNS = 64,
    MAX_IR = 4000, /* IR instructions: a run of very rich guest instructions ends early */
    PAGE_BYTES = 1 << UNIT_PAGE_SHIFT,
    CODE_BYTES = 1024, /* the most, and a margin for the last instruction */
    PIECE_BYTES = 128, /* fetched at once: most units need no more */
};

typedef struct Fetched {
    uint8_t code[CODE_BYTES + 16];
    size_t bytes;
    bool beyond; /* the next page has been asked for */
} Fetched;

static bool copy_guarded(Vcpu *v, uint8_t *to, const uint8_t *from, size_t n)
{
    sigjmp_buf recover;
    if (sigsetjmp(recover, 0))
        return false;
    v->recover = &recover;
    memcpy(to, from, n);
    __asm__ volatile("" ::: "memory"); /* the copy stays inside */
    v->recover = NULL;
    return true;
}

size_t translate_copy_code(Vcpu *v, uint8_t *to, GuestAddr pc, size_t want)
{
    Translator *t = v->translator;
    const uint8_t *from;
    unit_table_see(t->units, pc, want);
    size_t n = t->callbacks.fetch(t->opaque, pc, want, &from);
    if (n > want)
        n = want;
    if (!n || copy_guarded(v, to, from, n))
        return n;
    /* If it faults, then perhaps behind the first page only (the file ends there). */
    size_t first = PAGE_BYTES - (pc & (PAGE_BYTES - 1));
    return first < n && copy_guarded(v, to, from, first) ? first : 0;
}

/* The next piece of the code from pc on, or the rest of an instruction that lies across the end of
 * the page. False: there is no more. */
static bool fetch_more(Vcpu *v, GuestAddr pc, Fetched *f)
{
    size_t max = v->translator->isa->max_insn_bytes, want = max < 16 ? max : 16;
    size_t end = PAGE_BYTES - (pc & (PAGE_BYTES - 1));
    if (end > CODE_BYTES)
        end = CODE_BYTES;
    if (f->bytes < end) {
        want = end - f->bytes < PIECE_BYTES ? end - f->bytes : PIECE_BYTES;
    } else if (f->beyond) {
        return false;
    } else {
        f->beyond = true;
    }
    size_t n = translate_copy_code(v, f->code + f->bytes, pc + f->bytes, want);
    f->bytes += n;
    return n != 0;
}

/* The guest code that a unit depends on, as it was when it was looked at. */
typedef struct Seen {
    GuestAddr start, end;
    uint64_t hash; /* 0: it changed meanwhile */
} Seen;

static uint64_t hash_seen(const IrUnit *u, const Fetched *f, const CodeWindow *w)
{
    uint8_t all[PAGE_BYTES + sizeof f->code];
    size_t before = u->pc - w->seen_start, end = w->seen_end - w->seen_start;
    size_t unit_end = before + u->code_bytes, in_page = u->code_bytes;
    if (!w->bytes)
        return store_hash(f->code, u->code_bytes, 0);
    size_t at = w->seen_start - w->start;
    if (in_page > w->bytes - at - before)
        in_page = w->bytes - at - before; /* the last instruction reaches beyond */
    if (memcmp(w->code + at + before, f->code, in_page))
        return 0;
    memcpy(all, w->code + at, before);
    memcpy(all + before, f->code, u->code_bytes);
    if (end > unit_end)
        memcpy(all + unit_end, w->code + at + unit_end, end - unit_end);
    return store_hash(all, end, 0);
}

/* Marks the direct exits whose targets don't care for lazy variables (flags). Looks at the unit's
 * own page only, so that the page index finds the unit when that code changes; and not far away,
 * for the unit depends on all that lies between. */
static void mark_lazy_exits(Vcpu *v, IrUnit *u, const Fetched *f, Seen *ret)
{
    enum { LOOK_BYTES = 128 };
    const GuestIsa *isa = u->isa;
    uint8_t page[PAGE_BYTES];
    CodeWindow w = { .code = page, .start = u->pc & ~(GuestAddr)(PAGE_BYTES - 1),
                     .seen_start = u->pc, .seen_end = u->pc + u->code_bytes };
    bool wanted = u->lazy_put && isa->lazy_dead && !(u->flags & IR_UNIT_ALONE);
    /* In the order they were made in, which is the block's but for what critical_lift() added. */
    for (IrRef r = u->lazy_put; wanted && r < u->n_insns; r++) {
        IrInsn *i = &u->insn[r];
        if (i->op != IR_exit_if && i->op != IR_exit_jump && i->op != IR_exit_call)
            continue;
        if (!w.bytes)
            w.bytes = translate_copy_code(v, page, w.start, PAGE_BYTES);
        if (!w.bytes)
            break;
        CodeWindow looked = w;
        if (!isa->lazy_dead(&looked, (GuestAddr)i->imm) ||
            looked.seen_end - looked.seen_start > u->code_bytes + LOOK_BYTES)
            continue; /* which is never wrong, whatever stands there */
        i->attr |= IR_EXIT_LAZY_DEAD;
        w = looked;
    }
    *ret = (Seen) { .start = w.seen_start, .end = w.seen_end };
    if (v->translator->stored)
        ret->hash = hash_seen(u, f, &w);
}

typedef struct Lifter {
    LiftContext ctx;
    IrUnit *unit;
    Vcpu *v;
    Fetched *fetched;
    unsigned max_insns;
} Lifter;

/* Does an exit emitted since `from` lead back? Then the loop is the unit's likely way on. */
static bool leads_back(const IrUnit *u, IrRef from, GuestAddr pc)
{
    for (IrRef r = from; r < u->n_insns; r++)
        if (u->insn[r].op == IR_exit_if && (GuestAddr)u->insn[r].imm <= pc)
            return true;
    return false;
}

/* Lifts the instruction at ctx.pc. False: it can't be fetched wholly, and nothing was emitted. */
static bool lift_one(Lifter *l)
{
    LiftContext *c = &l->ctx;
    IrUnit *u = l->unit;
    size_t done = c->pc - u->pc;
    c->code = l->fetched->code + done;
    c->avail = l->fetched->bytes - done;
    if (c->avail < c->isa->min_insn_bytes) {
        if (!fetch_more(l->v, u->pc, l->fetched))
            return false;
        c->avail = l->fetched->bytes - done;
        if (c->avail < c->isa->min_insn_bytes)
            return false;
    }
    IrRef marker = ir_emit(&c->b, IR_insn, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)c->pc);
    c->bytes = 0;
    c->callouts = c->pc - l->v->translator->callouts_start < l->v->translator->callouts_bytes;
    c->ended = c->need_more = false;
    c->isa->lift(c);
    if (c->need_more && fetch_more(l->v, u->pc, l->fetched)) {
        c->avail = l->fetched->bytes - done;
        c->need_more = false;
        c->isa->lift(c);
    }
    if (c->need_more) {
        ir_remove(u, c->b.block, marker);
        return false;
    }
    u->insn[marker].attr = c->bytes;
    u->flags |= units_hint(l->v->translator, c->pc);
    return true;
}

static IrOp last_op(const IrUnit *u) { return u->insn[u->block[0].last].op; }

/* Lifts until something ends the unit. False: its first instruction can't be fetched. */
static bool lift_unit(Lifter *l)
{
    LiftContext *c = &l->ctx;
    IrUnit *u = l->unit;
    GuestAddr page = c->pc >> UNIT_PAGE_SHIFT;
    bool more = true;
    while (more) {
        IrRef before = u->n_insns;
        GuestAddr at = c->pc;
        if (!lift_one(l))
            break;
        u->n_guest_insns++;
        c->pc += c->bytes;
        u->code_bytes = (uint32_t)(c->pc - u->pc);
        more = !c->ended && u->n_guest_insns < l->max_insns && u->n_insns < MAX_IR &&
               u->code_bytes + c->isa->max_insn_bytes <= CODE_BYTES &&
               c->pc >> UNIT_PAGE_SHIFT == page && !leads_back(u, before, at) &&
               !(u->flags & IR_UNIT_ONE_BLOCK && last_op(u) == IR_exit_if);
    }
    if (!u->n_guest_insns)
        return false;
    if (!c->ended)
        ir_emit(&c->b, IR_exit_jump, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)c->pc);
    return true;
}

/* Fetches and lifts; NULL: *ret_exit. */
static IrUnit *make_ir(Translator *t, Vcpu *v, GuestAddr pc, uint32_t flags, unsigned max_insns,
                       Fetched *fetched, VcpuExit *ret_exit)
{
    if (pc & (t->isa->pc_align - 1)) {
        *ret_exit = VCPU_EXIT_PCALIGN;
        v->exit_addr = pc;
        return NULL;
    }
    arena_reset(t->arena);
    IrUnit *u = ir_unit_new(t->arena, t->isa, pc, v->mode);
    u->flags = flags;
    fetched->bytes = 0;
    fetched->beyond = false;
    fetch_more(v, pc, fetched);
    Lifter l = {
        .ctx = { .b = { .unit = u }, .isa = t->isa, .cpu_model = t->cpu_model, .mode = v->mode,
                 .pc = pc },
        .unit = u,
        .v = v,
        .fetched = fetched,
        .max_insns = flags & IR_UNIT_ONE_INSN ? 1 : max_insns,
    };
    if (!lift_unit(&l)) {
        *ret_exit = VCPU_EXIT_FETCH;
        v->exit_addr = pc + fetched->bytes;
        return NULL;
    }
    if (log_on(LOG_DECODE))
        dump_guest_code(t, u, fetched->code, u->code_bytes);
    if (t->n_critical)
        critical_lift(t, u);
    if (flags & (IR_UNIT_WATCH | IR_UNIT_BREAK))
        opt_watch(u);
    return u;
}

static void optimize(Translator *t, IrUnit *u)
{
    if (log_on(LOG_IR))
        dump_ir(u, "OP");
    if (t->verify)
        dump_verify(u, "the lifter");
    OptCheck *check = t->verify ? dump_verify : NULL;
    bool region = u->n_blocks > 1 || u->flags & IR_UNIT_REGION;
    if (region && t->no_opt)
        opt_cfg(u); /* backends want the blocks in order */
    else if (region)
        opt_run_region(u, check);
    else if (!t->no_opt && !(u->flags & IR_UNIT_ONE_BLOCK)) /* (these run a few times) */
        opt_run_baseline(u, check);
    if (log_on(LOG_IR_OPT))
        dump_ir(u, "OP after optimization");
}

uint64_t translate_cpu_ns(clockid_t clock)
{
    struct timespec now = { 0 };
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t translate_clock(const Translator *t)
{
    return t->stats_time ? translate_cpu_ns(CLOCK_THREAD_CPUTIME_ID) : 0;
}

static void count_unit(Translator *t, const CompiledUnit *c)
{
    bool region = c->flags & IR_UNIT_REGION;
    *(region ? &t->stats.regions : &t->stats.units) += 1;
    *(region ? &t->stats.region_insns : &t->stats.guest_insns) += c->n_guest_insns;
    *(region ? &t->stats.region_bytes : &t->stats.host_bytes) += c->host_bytes;
}

void translate_publish(Translator *t, CompiledUnit *c)
{
    unit_table_add(t->units, c);
    count_unit(t, c);
    if (log_on(LOG_OUT))
        dump_host_code(t, c);
    if (t->perf_fd >= 0)
        perf_map_add(t, c, unit_code(c));
}

CompiledUnit *translate_unit(Translator *t, Vcpu *v, GuestAddr pc, uint32_t flags,
                             VcpuExit *ret_exit)
{
    if (t->tier != TIER_AUTO || flags & IR_UNIT_ALONE)
        flags &= ~(uint32_t)IR_UNIT_COUNTED;
    CompiledUnit *c = unit_table_find(t->units, pc, v->mode, flags);
    if (!c && t->stored) {
        c = stored_find(t, v, pc, flags);
        if (c && t->verify)
            stored_check(t, v, c);
    }
    if (c)
        return c;
    if (t->tier == TIER_OPTIMIZE && !(flags & IR_UNIT_ALONE) && (c = tier_translate(t, v, pc)))
        return c;
    Seen seen;
    Fetched fetched;
    uint64_t start = translate_clock(t);
    /* A full buffer is emptied; a unit that doesn't fit an empty one is made shorter. */
    static const uint8_t max_insns[] = { MAX_INSNS, MAX_INSNS, 8, 1 };
    CriticalAnswer critical = CRITICAL_NONE;
    for (unsigned attempt = 0; !c; attempt++) {
        if (attempt == sizeof max_insns)
            translator_fatal("an instruction can't be compiled: the backend lacks it, or the code "
                             "buffer is too small");
        if (attempt)
            units_flush(t);
        IrUnit *u;
        do {
            u = make_ir(t, v, pc, flags, max_insns[attempt], &fetched, ret_exit);
            if (!u)
                return NULL;
            mark_lazy_exits(v, u, &fetched, &seen);
            optimize(t, u);
            critical = critical_look(t, u);
        } while (critical == CRITICAL_FOUND);
        c = t->backend->compile(t, u);
    }
    unit_set_seen(c, seen.start, seen.end);
    if (unit_side(c))
        unit_side(c)->seen_hash = critical == CRITICAL_NONE ? seen.hash : 0; /* 0: not stored */
    translate_publish(t, c);
    if (stored_save_due(t))
        stored_save(t, v);
    t->stats.baseline_ns += translate_clock(t) - start;
    return c;
}

/* -- -d verify --------------------------------------------------------------------------------- */

static void mask(uint8_t *code, uint32_t at) { memset(code + at, 0, 4); }

/* Takes out what differs with the place of the code: links, common stubs, the entry's counter (`add
 * dword [rbp + disp32], imm32`, chosen by a hash of the pc). */
static void mask_unit(uint8_t *code, uint32_t bytes, const CompiledUnit *links,
                      const CompiledUnit *relocs)
{
    for (uint32_t n = 0; n < links->n_links; n++)
        mask(code, unit_link_at(links, n)->site);
    UnitTables t;
    unit_tables(relocs, &t);
    for (UnitReloc r; unit_next_reloc(&t.relocs, &r) && r.at < bytes;)
        if (r.kind == UNIT_RELOC_STUB)
            mask(code, r.at);
    if (relocs->flags & IR_UNIT_COUNTED)
        mask(code, relocs->entry + 2);
}

static bool same_code(const CompiledUnit *stored, const CompiledUnit *fresh)
{
    uint8_t a[1 << 16], b[1 << 16];
    uint32_t n = unit_own_bytes(fresh);
    if (stored->host_bytes != n || stored->n_links != fresh->n_links || n > sizeof a)
        return false;
    memcpy(a, unit_code(stored), n);
    memcpy(b, unit_code(fresh), n);
    mask_unit(a, n, stored, fresh);
    mask_unit(b, n, fresh, fresh);
    return !memcmp(a, b, n);
}

void translate_check(Translator *t, Vcpu *v, const CompiledUnit *stored)
{
    VcpuExit why;
    Seen seen;
    Fetched fetched;
    if (stored->flags & IR_UNIT_REGION) /* made by a profile that isn't kept */
        return;
    uint8_t *next = t->code->next;
    uint32_t flags = stored->flags & ~(uint32_t)UNIT_ALIGNED;
    IrUnit *u = make_ir(t, v, stored->pc, flags, MAX_INSNS, &fetched, &why);
    if (!u)
        translator_fatal("a unit of the store has no code");
    mark_lazy_exits(v, u, &fetched, &seen);
    optimize(t, u);
    CompiledUnit *fresh = t->backend->compile(t, u);
    if (!fresh)
        return; /* the buffer is full */
    if (!same_code(stored, fresh)) {
        dump_host_code(t, stored);
        dump_host_code(t, fresh);
        translator_fatal("a unit of the store isn't what it is when it is translated here");
    }
    t->code->next = next;
    atomic_fetch_sub_explicit(&t->code->n_units, 1, memory_order_release);
}
