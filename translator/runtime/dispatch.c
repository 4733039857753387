/* data plane */
/*
 * The loop around translated code: vcpu_run().
 *
 * Kicks. A kick sets Vcpu.kicked and only then makes emitted code come back (an empty jump cache,
 * the backend's own means). The dispatcher takes the request by an exchange; where it puts its own
 * jump cache back it looks at the request again afterwards, so a kick at any instant either is seen
 * here or finds the vcpu in code with the request set, which comes back at its next exit.
 */
#include <string.h>

#include "translator/runtime/branch-profile.h"
#include "translator/runtime/fork-notes.h"
#include "translator/runtime/jump-cache.h"
#include "translator/runtime/runtime.h"
#include "translator/runtime/stored.h"

enum { LINK_PATIENCE = 12 };

/* The cache that emitted code may use now. */
static JumpCacheEntry *wanted_jump_cache(const Vcpu *v)
{
    bool look_up = !v->step && !v->n_watches && !v->translator->one_insn && !log_on(LOG_NOCHAIN);
    return look_up ? v->own_jump_cache : (JumpCacheEntry *)(uintptr_t)jump_cache_empty;
}

/* True: there was a kick by vcpu_kick(), which is used up now. */
static bool take_kick(Vcpu *v)
{
    unsigned taken = 0;
    for (;;) {
        if (atomic_load_explicit(&v->kicked, memory_order_seq_cst))
            taken |= atomic_exchange_explicit(&v->kicked, 0, memory_order_seq_cst);
        JumpCacheEntry *want = wanted_jump_cache(v);
        if (__atomic_load_n(&v->jump_cache, __ATOMIC_RELAXED) != want)
            __atomic_store_n(&v->jump_cache, want, __ATOMIC_SEQ_CST);
        else if (!atomic_load_explicit(&v->kicked, memory_order_seq_cst))
            break;
    }
    return taken & VCPU_KICK_USER;
}

static void set_mode(Vcpu *v)
{
    const GuestIsa *isa = v->translator->isa;
    uint64_t mode = isa->mode ? isa->mode(v->cpu) : 0;
    if (mode != v->mode) {
        v->mode = mode;
        jump_cache_clear(v); /* it knows pcs only, */
        v->return_stack = v->return_stack_top; /* and so do the frames of calls */
    }
}

static uint32_t unit_flags(const Vcpu *v)
{
    bool one = v->step || v->evade || v->translator->one_insn;
    return (one ? IR_UNIT_ONE_INSN : v->profiling ? IR_UNIT_ONE_BLOCK : 0) | v->watch_flags;
}

/* Makes the unit at pc; false: it can't be made, v->exit_reason tells. */
static bool make_unit(Vcpu *v)
{
    Translator *t = v->translator;
    VcpuExit why;
    if (t->isa->branch_target)
        vcpu_set_pc(v, t->isa->branch_target(vcpu_pc(v)));
    translator_lock(t);
    bool made = translate_unit(t, v, vcpu_pc(v), unit_flags(v) | IR_UNIT_COUNTED, &why);
    translator_unlock(t);
    if (!made)
        v->exit_reason = why;
    return made;
}

static void link_now(Translator *t, Vcpu *v, UnitLink *link, CompiledUnit *target)
{
    unit_link(t, link, target);
    fork_notes_link(t, v, link);
}

/* Where the link leads is code already, but none that counts its entries, as is wanted. To make
 * that is about as dear as to come by here so often, and most loops have ended by then. */
static bool may_wait(const Translator *t, const UnitLink *link)
{
    GuestAddr pc = link_target(link);
    uint64_t mode = link_from(link)->mode;
    if (!link->counts || t->tier_at_once || unit_table_find(t->units, pc, mode, IR_UNIT_COUNTED))
        return false;
    CompiledUnit *u = unit_table_find(t->units, pc, mode, 0);
    return u && !u->stored && u->tier_asked++ < LINK_PATIENCE;
}

/* Patches a direct exit that was taken for the first time. Its unit may have been flushed since. */
static void chain(Vcpu *v, UnitLink *link, unsigned generation)
{
    Translator *t = v->translator;
    VcpuExit why;
    translator_lock(t);
    if (generation == atomic_load_explicit(&t->generation, memory_order_relaxed) &&
        (link || (link = stored_link(t, v->exit_stub))) && !link->to && !link_from(link)->invalid) {
        uint32_t flags = link->counts ? IR_UNIT_COUNTED : 0;
        CompiledUnit *target = NULL;
        if (link_from(link)->mode == v->mode && !may_wait(t, link))
            target = translate_unit(t, v, link_target(link), flags, &why);
        /* Making it may have flushed the unit that the link is in. */
        if (target && generation == atomic_load_explicit(&t->generation, memory_order_relaxed))
            link_now(t, v, link, target);
    }
    translator_unlock(t);
}

static void retry(Vcpu *v)
{
    Translator *t = v->translator;
    uint32_t flags = v->retry_flags;
    v->retry_flags = 0;
    translator_lock(t);
    units_retry(t, v->retry_pc, 0, flags);
    translator_unlock(t);
}

/* A region that guessed wrongly at the pc is evaded by an instruction: a loop may be entered with
 * what an initialization left in registers, and find what it expects the next time round. Where
 * that happens often it is made again. */
static void evade(Vcpu *v, uint32_t flags)
{
    VcpuGuess *g = &v->guess[vcpu_pc(v) / 2 % VCPU_GUESSES];
    if (g->pc != vcpu_pc(v))
        *g = (VcpuGuess){ .pc = vcpu_pc(v) };
    if (g->misses++ < v->patience) {
        v->evade = true;
        return;
    }
    g->misses = 0;
    Translator *t = v->translator;
    translator_lock(t);
    units_retry(t, g->pc, v->exit_payload, flags);
    tier_make_again(t, v, v->exit_payload, flags);
    translator_unlock(t);
}

static void be_hot(Vcpu *v)
{
    Translator *t = v->translator;
    v->hot = 0;
    translator_lock(t);
    tier_up(t, v);
    translator_unlock(t);
}

/* A block has been executed by itself that ends at `next`. */
static void profiled(Vcpu *v, GuestAddr next)
{
    Translator *t = v->translator;
    if (!v->profiling || !branch_profile_note(v, next, vcpu_pc(v)))
        return;
    translator_lock(t);
    tier_profiled(t, v);
    translator_unlock(t);
}

void translator_set_aliased(Translator *t)
{
    atomic_store_explicit(&t->aliased, true, memory_order_relaxed);
}

bool vcpu_code_seen(Vcpu *v, GuestAddr addr)
{
    return atomic_load_explicit(&v->translator->aliased, memory_order_relaxed) ||
           unit_table_seen(v->translator->units, addr);
}

/* As the architecture has it: by physical address (Arm ARM, IC IVAU: the caches
 * are physically tagged). */
static void invalidate_line(Translator *t, GuestAddr line)
{
    GuestAddr other[16];
    size_t n = 0;
    units_invalidate(t, line, 64);
    if (t->callbacks.aliases && atomic_load_explicit(&t->aliased, memory_order_relaxed))
        n = t->callbacks.aliases(t->opaque, line, other, sizeof other / sizeof *other);
    while (n > 0)
        units_invalidate(t, other[--n], 64);
}

/* VCPU_EXIT_ICACHE, see translator.h. */
static void invalidate_as_asked(Vcpu *v)
{
    Translator *t = v->translator;
    uint64_t what = v->exit_payload;
    if (what) {
        translator_lock(t);
        if (what == ~0ull)
            units_invalidate(t, 0, ~0ull);
        else
            invalidate_line(t, what & ~63ull);
        translator_unlock(t);
    }
    set_mode(v);
}

/* One visit of translated code. True: v->exit_reason is for the caller of vcpu_run(). *by_link: the
 * last one ended at a direct exit, this one does. `made`: the unit wasn't there before. */
static bool visit(Vcpu *v, CompiledUnit *unit, bool *by_link, bool made)
{
    Translator *t = v->translator;
    UnitLink *link = NULL;
    GuestAddr start = unit->pc, next = start + unit->code_bytes;
    bool one = unit->flags & IR_UNIT_ONE_INSN, block = unit->flags & IR_UNIT_ONE_BLOCK;
    unsigned generation = atomic_load_explicit(&t->generation, memory_order_relaxed);
    if (log_on(LOG_EXEC | LOG_CPU))
        dump_enter(v, unit);
    /* Who came here by a direct exit will not come here by it again. A chunk that was loaded for
     * the unit may have filled the cache. */
    if (!*by_link && (jump_cache_fill(v, unit) || (made && unit->stored)))
        fork_notes_entry(t, v, start);
    *by_link = false;
    bool stopped = t->backend->enter(v, unit, &link);
    vcpu_code_end(v);
    v->evade = false;
    if (v->hot)
        be_hot(v);
    if (v->retry_flags) {
        /* a site that trapped often asks for later;
         * others have left to do their instruction again */
        bool later = v->retry_flags == IR_UNIT_NAN_CHECK;
        retry(v);
        if (!later)
            return false;
    }
    if (stopped && (v->exit_reason == VCPU_EXIT_GUESS ||
                    v->exit_reason == VCPU_EXIT_GUESS_BOXED)) {
        evade(v, v->exit_reason == VCPU_EXIT_GUESS ? IR_UNIT_NO_GUESS : IR_UNIT_NO_BOXES);
        return false;
    }
    if (stopped) {
        if (v->exit_reason != VCPU_EXIT_ICACHE)
            return true;
        invalidate_as_asked(v);
    } else if (one || block) {
        /* A kick may have come before the instruction: then it is still to be run. */
        if (vcpu_pc(v) == start && atomic_load_explicit(&v->kicked, memory_order_relaxed))
            return false;
        if (block)
            profiled(v, next);
    } else if ((link || v->exit_stub) && !log_on(LOG_NOCHAIN)) {
        chain(v, link, generation);
        *by_link = true;
    }
    if (v->step)
        v->exit_reason = VCPU_EXIT_STEP;
    return v->step;
}

static VcpuExit dispatch(Vcpu *v)
{
    Translator *t = v->translator;
    bool by_link = false, made = false;
    set_mode(v);
    for (;;) {
        if (take_kick(v))
            return VCPU_EXIT_KICK;
        if (!vcpu_code_begin(v))
            continue;
        /* Where indirect branches lead may be the only place that a loop comes by. */
        bool count = !by_link && t->tier == TIER_AUTO && !unit_flags(v);
        CompiledUnit *unit = unit_table_find(t->units, vcpu_pc(v), v->mode,
                                             unit_flags(v) | (count ? IR_UNIT_COUNTED : 0));
        if (!unit) {
            vcpu_code_end(v);
            if (!make_unit(v))
                return v->exit_reason;
            made = true;
        } else {
            if (visit(v, unit, &by_link, made))
                return v->exit_reason;
            made = false;
        }
    }
}

VcpuCallback vcpu_syscall_begin(Vcpu *v)
{
    const Translator *t = v->translator;
    vcpu_code_end(v);
    v->in_guest = false;
    return (VcpuCallback){ t->callbacks.syscall, t->opaque };
}

void vcpu_syscall_end(Vcpu *v)
{
    v->in_guest = true;
    while (!vcpu_code_begin(v)) {}
}

VcpuExit vcpu_run(Vcpu *v, VcpuExitInfo *ret_info)
{
    vcpu_set_current(v);
    v->in_guest = true;
    VcpuExit e = dispatch(v);
    v->in_guest = false;
    *ret_info = (VcpuExitInfo){
        .addr = v->exit_addr,
        .payload = v->exit_payload,
        .host_signal = v->exit_host_signal,
        .host_code = v->exit_host_code,
    };
    return e;
}
