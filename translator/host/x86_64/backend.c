/* data plane */
/* The x86-64 backend's entry points: see host/backend.h. */
#include <stdlib.h>
#include <sys/mman.h>

#include "translator/cache/stored-chunk.h"
#include "translator/host/backend.h"
#include "translator/host/x86_64/compile.h"
#include "translator/host/x86_64/emit-state.h"
#include "translator/host/x86_64/fault.h"
#include "translator/host/x86_64/fp-control.h"
#include "translator/host/x86_64/fp-site.h"
#include "translator/memory/own-pages.h"

enum { RETURN_STACK_BYTES = 1 << 20, SENTINEL_FRAMES = 32 };

static void fill_table(X86Backend *b)
{
    static const SelectRow *const lists[] = {
        select_integer_rows, select_crc_rows, select_memory_rows, select_atomic_rows,
        select_control_rows, select_call_rows, select_region_rows, select_flags_rows,
        select_float_rows, select_vector_rows,
    };
    for (unsigned n = 0; n < sizeof lists / sizeof *lists; n++)
        for (const SelectRow *r = lists[n]; r->fn; r++)
            b->table[r->op] = r;
}

static bool x86_init(Translator *t, struct _GError **error)
{
    X86Backend *b = own_pages_map(sizeof *b);
    if (!b)
        return false;
    if (!cache_init(&b->buffer, t->code_bytes)) {
        own_pages_unmap(b, sizeof *b);
        return false;
    }
    host_features_detect(&b->features);
    if (t->host_cpu && !host_features_limit(&b->features, t->host_cpu)) {
        translator_error(error, "there is no host processor '%s'; it is x86-64-v2 or x86-64-v3",
                         t->host_cpu);
        cache_free(&b->buffer);
        own_pages_unmap(b, sizeof *b);
        return false;
    }
    fill_table(b);
    compile_target_init(b);
    ra_homes(&b->target, t->isa->vars, t->isa->n_vars, b->home);
    b->target.home = b->home;
    ra_entry_init(&b->target, t->isa->vars, t->isa->n_vars);
    for (unsigned v = 0; v < t->isa->n_vars; v++)
        b->target.scalar_vars |= t->isa->vars[v].type == IR_F32 || t->isa->vars[v].type == IR_F64;
    for (unsigned v = 0; v < t->isa->n_vars; v++)
        if (t->isa->vars[v].type == IR_FLAGS && b->n_flags_vars < 4)
            b->flags_offset[b->n_flags_vars++] = t->isa->vars[v].offset;
    b->return_home = REG_NONE;
    for (unsigned v = 0; v < t->isa->n_vars; v++)
        if (t->isa->vars[v].flags & IR_VAR_RETURN)
            b->return_home = b->home[v];
    compile_stubs(b, t->isa);
    t->backend_data = b;
    t->code = &b->buffer;
    return true;
}

static void x86_free(Translator *t)
{
    X86Backend *b = t->backend_data;
    if (!b)
        return;
    cache_free(&b->buffer);
    own_pages_unmap(b, sizeof *b);
    t->backend_data = NULL;
    t->code = NULL;
}

static void empty_return_stack(Vcpu *v) { v->return_stack = v->return_stack_top; }

/* guard | frames | sentinels: frames whose returns lead to STUB_SENTINEL,
 * should they match at all */
static bool x86_vcpu_init(Vcpu *v)
{
    X86Backend *b = v->translator->backend_data;
    if (v->return_stack_base) { /* again */
        empty_return_stack(v);
        return true;
    }
    uint8_t *p = own_pages_map(RETURN_STACK_BYTES);
    if (!p)
        return false;
    mprotect(p, RETURN_STACK_GUARD, PROT_NONE);
    v->return_stack_base = p;
    v->return_stack_bytes = RETURN_STACK_BYTES;
    v->return_stack_top = p + RETURN_STACK_BYTES - 16 * SENTINEL_FRAMES;
    for (uint64_t *f = v->return_stack_top; (uint8_t *)f < p + RETURN_STACK_BYTES; f += 2) {
        f[0] = (uint64_t)(uintptr_t)b->stub[STUB_SENTINEL];
        f[1] = 1; /* no guest's instruction is there */
    }
    empty_return_stack(v);
    return true;
}

static void x86_vcpu_free(Vcpu *v)
{
    if (v->return_stack_base) {
        mprotect(v->return_stack_base, RETURN_STACK_GUARD, PROT_READ | PROT_WRITE);
        own_pages_unmap(v->return_stack_base, v->return_stack_bytes);
    }
    v->return_stack_base = NULL;
}

static UnitLink *find_link(const CompiledUnit *u, uint32_t stub)
{
    for (uint32_t n = 0; n < u->n_links; n++)
        if (link_stub(unit_link_at(u, n)) == stub)
            return unit_link_at(u, n);
    return NULL;
}

static bool x86_enter(Vcpu *v, CompiledUnit *unit, UnitLink **ret_link)
{
    X86Backend *b = v->translator->backend_data;
    uint64_t (*enter)(Vcpu *, const void *) =
        (uint64_t (*)(Vcpu *, const void *))(uintptr_t)b->stub[STUB_ENTER];
    unsigned generation = atomic_load_explicit(&v->translator->generation, memory_order_relaxed);
    *ret_link = NULL;
    v->exit_stub = NULL;
    flags_vars_to_host(v, b);
    uint64_t r = enter(v, unit_entry(unit));
    if (r == LEAVE_FAULT || r == LEAVE_RETRY)
        return r == LEAVE_FAULT;
    flags_vars_to_c(v, b);
    if (r == LEAVE_DONE || r == LEAVE_PC)
        return r == LEAVE_DONE;
    const uint8_t *stub = (const uint8_t *)(uintptr_t)r - UNIT_STUB_BYTES;
    if (v->hot) {
        ChunkView view;
        const CompiledUnit *hot = chunk_view(&b->buffer, stub, &view);
        if (hot)
            vcpu_set_pc(v, hot->pc);
        return false;
    }
    /* New code leaves where it was entered, most often. In a system call there may be a flush. */
    bool same = (size_t)(stub - unit_code(unit)) < unit->host_bytes && !unit->stored &&
                generation == atomic_load_explicit(&v->translator->generation,
                                                   memory_order_relaxed);
    CompiledUnit *u = same ? unit : cache_find(&b->buffer, stub);
    if (u && unit_chunk(u)) {
        GuestAddr target;
        if (chunk_link_target(unit_chunk(u), stub - unit_code(u), &target)) {
            vcpu_set_pc(v, target);
            v->exit_stub = stub;
        }
        return false;
    }
    UnitLink *link = u ? find_link(u, stub - unit_code(u)) : NULL;
    if (link)
        vcpu_set_pc(v, link_target(link));
    *ret_link = link;
    return false;
}

/* A rel32 that lies within eight aligned bytes: one store that other threads see at once. */
static void patch(uint8_t *site, const uint8_t *target)
{
    int32_t rel = (int32_t)(target - (site + 4));
    __asm__ volatile("movl %1, %0" : "=m"(*(int32_t *)(void *)site) : "r"(rel) : "memory");
}

static void x86_link(Translator *t, UnitLink *link, CompiledUnit *target)
{
    (void)t;
    patch((uint8_t *)(uintptr_t)unit_code(link_from(link)) + link->site, unit_entry(target));
}

static void x86_unlink(Translator *t, UnitLink *link)
{
    (void)t;
    const uint8_t *code = unit_code(link_from(link));
    patch((uint8_t *)(uintptr_t)code + link->site, code + link_stub(link));
}

/* lea rsp, [rsp+8], which lies within eight aligned bytes, becomes a jump to the one before the
 * link's own (exits.c). */
static void x86_close_return(Translator *t, const UnitLink *link)
{
    (void)t;
    enum { LEA_BYTES = 5, OPCODE_BYTES = 1 };
    uint8_t *at = (uint8_t *)(uintptr_t)unit_code(link_from(link)) + link->site - link->guard;
    uint64_t *eight = (uint64_t *)(void *)(at - ((uintptr_t)at & 7)), bytes = *eight;
    int32_t rel = (int32_t)link->guard - OPCODE_BYTES - LEA_BYTES - LEA_BYTES;
    ((uint8_t *)&bytes)[(uintptr_t)at & 7] = 0xe9;
    memcpy((uint8_t *)&bytes + ((uintptr_t)at & 7) + OPCODE_BYTES, &rel, sizeof rel);
    __asm__ volatile("movq %1, %0" : "=m"(*eight) : "r"(bytes) : "memory");
}

static void x86_flush(Translator *t)
{
    X86Backend *b = t->backend_data;
    cache_reset(&b->buffer);
    for (Vcpu *v = t->vcpus; v; v = v->next)
        empty_return_stack(v);
}

static const uint8_t *x86_stub(const Translator *t, unsigned number)
{
    const X86Backend *b = t->backend_data;
    return b->stub[number < N_STUBS ? number : STUB_LEAVE];
}

static void put_branch(uint8_t *at, uint8_t opcode, const uint8_t *to)
{
    int32_t rel = (int32_t)(to - (at + 5));
    at[0] = opcode;
    memcpy(at + 1, &rel, sizeof rel);
}

static void x86_put_jump(uint8_t *at, const uint8_t *to) { put_branch(at, 0xe9, to); }
static void x86_put_link_stub(uint8_t *at, const uint8_t *to) { put_branch(at, 0xe8, to); }

static uint64_t x86_code_key(const Translator *t)
{
    const X86Backend *b = t->backend_data;
    return store_hash(&b->features, sizeof b->features, N_STUBS);
}

/* The empty jump cache and Vcpu.kicked do it. */
static void x86_kick(Vcpu *v) { (void)v; }

const Backend backend_x86_64 = {
    .name = "x86_64",
    .init = x86_init,
    .free = x86_free,
    .vcpu_init = x86_vcpu_init,
    .vcpu_free = x86_vcpu_free,
    .regions = true,
    .compile = compile_unit,
    .enter = x86_enter,
    .link = x86_link,
    .unlink = x86_unlink,
    .patch = patch,
    .close_return = x86_close_return,
    .flush = x86_flush,
    .stub = x86_stub,
    .put_jump = x86_put_jump,
    .put_link_stub = x86_put_link_stub,
    .link_stub = STUB_LEAVE_LINK,
    .fp_site_bytes = sizeof(UnitFpSite),
    .code_key = x86_code_key,
    .host_signal = x86_host_signal,
    .kick = x86_kick,
    .fp_flags = x86_fp_flags,
    .fp_set_flags = x86_fp_set_flags,
    .fp_set_control = x86_fp_set_control,
    .fp_control = x86_fp_control,
};
