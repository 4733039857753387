/* data plane */
/* The interpreter backend: copies of units' IR, linking, faults. See interp.h. */
#include "translator/host/interp/interp.h"

#include <string.h>

#include "translator/memory/own-pages.h"

/* Memory of units: one mapping, filled upwards until the next flush. */
typedef struct InterpHeap {
    InterpData data;
    uint8_t *base, *next, *limit;
} InterpHeap;

static size_t calls_bytes(const Translator *t)
{
    return t->isa->n_helpers * sizeof(InterpCall);
}

static bool interp_init(Translator *t, struct _GError **error)
{
    size_t bytes = t->code_bytes ? t->code_bytes : (size_t)128 << 20;
    InterpHeap *h = own_pages_map(sizeof *h + calls_bytes(t));
    if (!h || !(h->base = own_pages_map(bytes)))
        return translator_error(error, "cannot get %zu bytes for the interpreter", bytes);
    h->next = h->base;
    h->limit = h->base + bytes;
    h->data.calls = (InterpCall *)(h + 1);
    t->backend_data = &h->data;
    if (!interp_calls_init(t))
        return translator_error(error, "libffi rejects a helper of guest %s", t->isa->name);
    return true;
}

static void interp_free(Translator *t)
{
    InterpHeap *h = t->backend_data;
    if (!h)
        return;
    own_pages_unmap(h->base, (size_t)(h->limit - h->base));
    own_pages_unmap(h, sizeof *h + calls_bytes(t));
    t->backend_data = NULL;
}

static bool interp_vcpu_init(Vcpu *v)
{
    InterpVcpu *iv = v->backend ? v->backend : own_pages_map(sizeof *iv);
    v->backend = iv;
    return iv != NULL;
}

static void interp_vcpu_free(Vcpu *v)
{
    InterpVcpu *iv = v->backend;
    if (!iv)
        return;
    own_pages_unmap(iv->value, iv->cap_values * sizeof *iv->value);
    own_pages_unmap(iv, sizeof *iv);
    v->backend = NULL;
}

static void *heap_alloc(InterpHeap *h, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes > (size_t)(h->limit - h->next))
        return NULL;
    void *p = h->next;
    h->next += bytes;
    return memset(p, 0, bytes);
}

/* Copies the unit in order of execution; values get the index of their place in the copy. */
static void copy_insns(const IrUnit *u, IrInsn *to, IrRef *phi_arg, InterpBlock *blocks,
                       uint32_t *place)
{
    uint32_t n = 1; /* index 0 stays free: the absent argument */
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        blocks[b].first = n;
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            place[r] = n;
            to[n++] = u->insn[r];
        }
        blocks[b].last = n - 1;
    }
    for (uint32_t k = 1; k < n; k++) {
        IrRef first = to[k].arg[0];
        to[k].mark = first ? u->insn[first].type : IR_VOID;
        for (unsigned a = 0; a < 4; a++)
            to[k].arg[a] = to[k].arg[a] ? place[to[k].arg[a]] : 0;
    }
    for (uint32_t k = 0; k < u->n_phi_args; k++)
        phi_arg[k] = place[u->phi_arg[k]];
}

static uint32_t count_insns(const IrUnit *u, uint32_t *ret_links)
{
    uint32_t n = 1, links = 0;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next, n++)
            links += u->insn[r].op == IR_exit_if || u->insn[r].op == IR_exit_jump ||
                     u->insn[r].op == IR_exit_call || u->insn[r].op == IR_gcall;
    *ret_links = links;
    return n;
}

static void make_links(InterpUnit *to)
{
    uint32_t links = 0;
    GuestAddr pc = to->base.pc;
    for (uint32_t n = 1; n < to->n_insns; n++) {
        const IrInsn *i = &to->insn[n];
        if (i->op == IR_insn)
            pc = (GuestAddr)i->imm;
        if (i->op == IR_exit_if || i->op == IR_exit_jump || i->op == IR_exit_call ||
            i->op == IR_gcall) {
            UnitLink *l = unit_link_at(&to->base, links++);
            bool call = i->op == IR_exit_call || i->op == IR_gcall;
            *l = (UnitLink){ .site = n, .target = (int64_t)(i->imm - to->base.pc),
                             .counts = call || (GuestAddr)i->imm <= pc ||
                                       to->base.flags & IR_UNIT_REGION,
                             .from = unit_ref(l, &to->base) };
        }
    }
}

static CompiledUnit *interp_compile(Translator *t, IrUnit *u)
{
    InterpHeap *h = t->backend_data;
    uint32_t n_links, n_insns = count_insns(u, &n_links);
    uint8_t *undo = h->next;
    InterpUnit *to = heap_alloc(h, sizeof *to);
    IrInsn *insn = heap_alloc(h, n_insns * sizeof *insn);
    InterpBlock *block = heap_alloc(h, u->n_blocks * sizeof *block);
    V128 *vconst = heap_alloc(h, u->n_vconsts * sizeof *vconst);
    UnitLink *link = heap_alloc(h, n_links * sizeof *link);
    IrRef *phi_arg = heap_alloc(h, u->n_phi_args * sizeof *phi_arg);
    if (!to || !insn || !block || !vconst || !link || !phi_arg) {
        h->next = undo;
        return NULL;
    }
    copy_insns(u, insn, phi_arg, block, arena_alloc(u->arena, u->n_insns * sizeof(uint32_t)));
    if (u->n_vconsts)
        memcpy(vconst, u->vconst, u->n_vconsts * sizeof *vconst);
    to->insn = insn;
    to->n_insns = n_insns;
    to->block = block;
    to->vconst = vconst;
    to->phi_arg = phi_arg;
    to->base = (CompiledUnit){
        .pc = u->pc, .mode = u->mode, .code_bytes = u->code_bytes,
        .n_guest_insns = u->n_guest_insns, .flags = u->flags,
        .host_bytes = (uint32_t)(h->next - undo), .link = unit_ref(to, link), .n_links = n_links,
    };
    make_links(to);
    return &to->base;
}

/* Room for the unit's values, and as many spare ones (run_phis). */
static void reserve_values(InterpVcpu *iv, uint32_t n)
{
    if (2 * (size_t)n <= iv->cap_values)
        return;
    size_t cap = iv->cap_values ? iv->cap_values : 4096;
    while (cap < 2 * (size_t)n)
        cap *= 2;
    Val *fresh = own_pages_map(cap * sizeof *fresh);
    if (!fresh)
        translator_fatal("out of memory");
    own_pages_unmap(iv->value, iv->cap_values * sizeof *iv->value);
    iv->value = fresh;
    iv->cap_values = cap;
}

static const JumpCacheEntry *jump_cache_find(const Vcpu *v, GuestAddr pc)
{
    const JumpCacheEntry *cache = __atomic_load_n(&v->jump_cache, __ATOMIC_RELAXED);
    const JumpCacheEntry *e = &cache[jump_cache_index(pc)];
    return __atomic_load_n(&e->pc, __ATOMIC_RELAXED) == pc ? e : NULL;
}

/* As emitted code does at its entry. */
static bool is_hot(Vcpu *v, const CompiledUnit *u)
{
    if (!(u->flags & IR_UNIT_COUNTED))
        return false;
    uint32_t *count = &v->profile[vcpu_profile_index(u->pc)];
    v->hot = __builtin_add_overflow(*count, v->translator->tier_step, count);
    return v->hot;
}

/* The loop over linked units, as emitted code would run it. */
static bool run_units(Vcpu *v, InterpUnit *unit, UnitLink **ret_link)
{
    InterpVcpu *iv = v->backend;
    for (;;) {
        if (is_hot(v, &unit->base)) {
            vcpu_set_pc(v, unit->base.pc);
            *ret_link = NULL;
            return false;
        }
        reserve_values(iv, unit->n_insns);
        iv->pc = unit->base.pc;
        UnitLink *link;
        if (!interp_exec(v, unit, &link))
            return true;
        *ret_link = link;
        if ((unit->base.flags & IR_UNIT_ALONE) || atomic_load(&v->kicked))
            return false;
        if (link) {
            CompiledUnit *to = unit_at(link, __atomic_load_n(&link->to, __ATOMIC_ACQUIRE));
            if (!to)
                return false;
            unit = (InterpUnit *)to;
        } else {
            const JumpCacheEntry *e = jump_cache_find(v, vcpu_pc(v));
            if (!e)
                return false;
            unit = (InterpUnit *)(uintptr_t)__atomic_load_n(&e->host, __ATOMIC_RELAXED);
        }
    }
}

static bool interp_enter(Vcpu *v, CompiledUnit *unit, UnitLink **ret_link)
{
    InterpVcpu *iv = v->backend;
    sigjmp_buf recover;
    *ret_link = NULL;
    if (sigsetjmp(recover, 0)) {
        /* vcpu_host_signal() has set v->exit_*. */
        v->recover = NULL;
        if (v->exit_host_code == SI_KERNEL)
            v->exit_addr = iv->access; /* x86-64 doesn't tell a non-canonical address */
        vcpu_set_pc(v, iv->pc);
        if (iv->merged) {
            v->retry_flags = IR_UNIT_NO_GUESS;
            v->retry_pc = iv->pc;
            return false;
        }
        return true;
    }
    v->recover = &recover;
    bool stopped = run_units(v, (InterpUnit *)unit, ret_link);
    v->recover = NULL;
    return stopped;
}

static void interp_link(Translator *t, UnitLink *link, CompiledUnit *target)
{
    /* run_units() follows link->to, which the runtime keeps. */
}

static void interp_unlink(Translator *t, UnitLink *link)
{
}

static void interp_flush(Translator *t)
{
    InterpHeap *h = t->backend_data;
    h->next = h->base;
}

static bool interp_host_signal(Vcpu *v, int sig, const siginfo_t *info, void *ucontext)
{
    return false; /* there is no code of ours: v->recover serves all */
}

static void interp_kick(Vcpu *v)
{
    /* v->kicked is looked at between units. */
}

static uint32_t interp_fp_flags(const Vcpu *v)
{
    return v->fp_sticky;
}

static void interp_fp_set_flags(Vcpu *v, uint32_t flags)
{
    v->fp_sticky = flags;
}

static void interp_fp_set_control(Vcpu *v, uint32_t control)
{
    InterpVcpu *iv = v->backend;
    iv->control = control;
}

static uint32_t interp_fp_control(const Vcpu *v)
{
    const InterpVcpu *iv = v->backend;
    return iv->control;
}

const Backend backend_interp = {
    .name = "interp",
    .regions = true,
    .init = interp_init,
    .free = interp_free,
    .vcpu_init = interp_vcpu_init,
    .vcpu_free = interp_vcpu_free,
    .compile = interp_compile,
    .enter = interp_enter,
    .link = interp_link,
    .unlink = interp_unlink,
    .flush = interp_flush,
    .host_signal = interp_host_signal,
    .kick = interp_kick,
    .fp_flags = interp_fp_flags,
    .fp_set_flags = interp_fp_set_flags,
    .fp_set_control = interp_fp_set_control,
    .fp_control = interp_fp_control,
};
