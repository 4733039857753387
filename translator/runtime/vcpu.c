/* data plane */
/* Vcpus: making and freeing, kicks, host signals, fork. The order of kicks is in dispatch.c. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "translator/memory/own-pages.h"
#include "translator/runtime/branch-profile.h"
#include "translator/runtime/fork-notes.h"
#include "translator/runtime/jump-cache.h"
#include "translator/runtime/runtime.h"
#include "translator/runtime/stored.h"

/* The vcpu that this thread ran last: fork keeps it, vcpu_current() gives it while it runs. */
static __thread Vcpu *thread_vcpu;

enum { MAX_IDLE = 128 };

static size_t vcpu_bytes(const Translator *t)
{
    size_t bytes = sizeof(Vcpu) + t->isa->cpu_bytes;
    return (bytes + 4095) & ~(size_t)4095;
}

/* Gives back what vcpu_new() got; the vcpu is in no list. */
static void vcpu_release(Vcpu *v)
{
    Translator *t = v->translator;
    t->backend->vcpu_free(v);
    own_pages_unmap(v->watches, VCPU_WATCHES * sizeof *v->watches);
    jump_cache_delete(v);
    branch_profile_delete(v);
    own_pages_unmap(v, vcpu_bytes(t));
}

static Vcpu *vcpu_map(Translator *t)
{
    /* Every thread looks all over the jump cache and its counters, first in vain: two faults a
     * page, and the second asks all processors to forget the page of zeros. */
    Vcpu *v = own_pages_map_populated(vcpu_bytes(t));
    if (!v)
        return NULL;
    v->translator = t;
    v->helpers = t->helper_fns;
    if (!jump_cache_new(v) || !t->backend->vcpu_init(v)) {
        vcpu_release(v);
        return NULL;
    }
    return v;
}

/* An idle one, as if new; NULL: there is none. Mapping its memory anew would be most of what a
 * short-lived thread costs. */
static Vcpu *vcpu_take_idle(Translator *t)
{
    translator_lock(t);
    Vcpu *v = t->idle;
    if (v) {
        t->idle = v->next;
        t->n_idle--;
    }
    translator_unlock(t);
    if (!v)
        return NULL;
    v->jump_cache = v->own_jump_cache;
    atomic_store_explicit(&v->kicked, 0, memory_order_relaxed);
    atomic_store_explicit(&v->in_code, false, memory_order_relaxed);
    v->in_guest = v->step = v->evade = false;
    memset(v->guess, 0, sizeof v->guess);
    v->profiling = 0; /* what was seen may well serve another thread */
    vcpu_set_watches(v, NULL, 0);
    v->retry_flags = v->hot = v->fp_sticky = 0;
    v->fp_tracked = v->fp_tracking_cost = 0;
    v->exit_stub = NULL;
    v->recover = NULL;
    v->alive = NULL;
    jump_cache_clear(v);
    t->backend->vcpu_init(v);
    return v;
}

Vcpu *vcpu_new(Translator *t, const Vcpu *from)
{
    Vcpu *v = vcpu_take_idle(t);
    if (!v)
        v = vcpu_map(t);
    if (!v)
        return NULL;
    v->patience = VCPU_PATIENCE;
    if (from) {
        memcpy(v->cpu, from->cpu, t->isa->cpu_bytes);
        vcpu_fp_set_control(v, vcpu_fp_control(from));
        vcpu_fp_set_flags(v, vcpu_fp_flags(from));
    } else {
        vcpu_fp_set_control(v, IR_ROUND_NEAREST);
        t->isa->reset(v->cpu, t->cpu_model);
    }
    translator_lock(t);
    t->shared |= t->vcpus != NULL; /* before there is anybody else who could see in_code */
    v->next = t->vcpus;
    t->vcpus = v;
    translator_unlock(t);
    return v;
}

void vcpu_free(Vcpu *v)
{
    if (!v)
        return;
    Translator *t = v->translator;
    translator_lock(t);
    for (Vcpu **at = &t->vcpus; *at; at = &(*at)->next)
        if (*at == v) {
            *at = v->next;
            break;
        }
    bool keep = t->n_idle < MAX_IDLE;
    if (keep) {
        v->next = t->idle;
        t->idle = v;
        t->n_idle++;
    }
    translator_unlock(t);
    if (thread_vcpu == v)
        thread_vcpu = NULL;
    if (!keep)
        vcpu_release(v);
}

void vcpu_free_idle(Translator *t)
{
    for (Vcpu *v; (v = t->idle);) {
        t->idle = v->next;
        vcpu_release(v);
    }
    t->n_idle = 0;
}

void *vcpu_cpu(Vcpu *v)
{
    return v->cpu;
}

GuestAddr vcpu_pc(const Vcpu *v)
{
    GuestAddr pc;
    memcpy(&pc, v->cpu + v->translator->isa->pc_offset, sizeof pc);
    return pc;
}

void vcpu_set_pc(Vcpu *v, GuestAddr pc)
{
    memcpy(v->cpu + v->translator->isa->pc_offset, &pc, sizeof pc);
}

void vcpu_set_alive(Vcpu *v, const atomic_int *alive)
{
    v->alive = alive;
}

void vcpu_set_step(Vcpu *v, bool on)
{
    v->step = on;
}

void vcpu_set_watches(Vcpu *v, const VcpuWatch *watches, unsigned n)
{
    v->n_watches = 0;
    v->watch_flags = 0;
    if (n && !v->watches)
        v->watches = own_pages_map(VCPU_WATCHES * sizeof *v->watches);
    for (unsigned i = 0; i < n && i < VCPU_WATCHES && v->watches; i++) {
        v->watches[v->n_watches++] = watches[i];
        if (watches[i].access & (VCPU_WATCH_READ | VCPU_WATCH_WRITE))
            v->watch_flags |= IR_UNIT_WATCH;
        if (watches[i].access & VCPU_WATCH_EXECUTE)
            v->watch_flags |= IR_UNIT_BREAK;
    }
}

uint32_t vcpu_watched(Vcpu *v, uint64_t addr, uint32_t what)
{
    uint32_t bytes = what >> 8;
    /* Tagged or not, it is the same memory. */
    if (v->translator->isa->ignores_top_byte && !(addr >> 55 & 1))
        addr &= ~UINT64_C(0) >> 8;
    for (unsigned i = 0; i < v->n_watches; i++) {
        const VcpuWatch *w = &v->watches[i];
        if (w->access & what && addr < w->start + w->bytes && w->start < addr + bytes)
            return 1;
    }
    return 0;
}

uint32_t vcpu_critical_store(Vcpu *v, uint64_t addr, uint64_t value, uint32_t bytes, uint64_t key)
{
    const Translator *t = v->translator;
    if (t->isa->ignores_top_byte && !(addr >> 55 & 1))
        addr &= ~UINT64_C(0) >> 8;
    return t->callbacks.critical_store(t->opaque, addr, value, bytes, key);
}

Vcpu *vcpu_current(void)
{
    return thread_vcpu && thread_vcpu->in_guest ? thread_vcpu : NULL;
}

void vcpu_set_current(Vcpu *v)
{
    thread_vcpu = v;
}

static void kick(Vcpu *v, unsigned how)
{
    /* First the request, then what brings the vcpu here: the dispatcher puts its jump cache back
     * only before it looks at the request. */
    atomic_fetch_or_explicit(&v->kicked, how, memory_order_seq_cst);
    __atomic_store_n(&v->jump_cache, (JumpCacheEntry *)(uintptr_t)jump_cache_empty,
                     __ATOMIC_SEQ_CST);
    v->translator->backend->kick(v);
}

void vcpu_kick(Vcpu *v)
{
    kick(v, VCPU_KICK_USER);
}

void vcpu_kick_runtime(Vcpu *v)
{
    kick(v, VCPU_KICK_RUNTIME);
}

bool vcpu_code_begin(Vcpu *v)
{
    Translator *t = v->translator;
    if (!t->shared) {
        atomic_store_explicit(&v->in_code, true, memory_order_relaxed);
        return true;
    }
    /* Sequentially consistent against quiesce(): it sets the request, then looks at in_code. */
    atomic_store_explicit(&v->in_code, true, memory_order_seq_cst);
    if (__builtin_expect(!atomic_load_explicit(&t->quiesce_wanted, memory_order_seq_cst), 1))
        return true;
    vcpu_code_end(v);
    translator_lock(t); /* the flush holds it until it is done */
    translator_unlock(t);
    return false;
}

void vcpu_code_end(Vcpu *v)
{
    Translator *t = v->translator;
    if (!t->shared) {
        atomic_store_explicit(&v->in_code, false, memory_order_relaxed);
        return;
    }
    atomic_store_explicit(&v->in_code, false, memory_order_seq_cst);
    if (__builtin_expect(atomic_load_explicit(&t->quiesce_wanted, memory_order_seq_cst), 0)) {
        atomic_fetch_add_explicit(&t->quiesce_left, 1, memory_order_seq_cst);
        shared_wake(&t->quiesce_left, INT_MAX);
    }
}

/* C code that touches guest memory on purpose has set v->recover. */
static bool recover_from(Vcpu *v, int sig, const siginfo_t *info, void *ucontext)
{
    if (sig != SIGSEGV && sig != SIGBUS)
        return false;
    v->exit_reason = VCPU_EXIT_FAULT;
    v->exit_addr = (GuestAddr)(uintptr_t)info->si_addr;
    v->exit_host_signal = sig;
    v->exit_host_code = info->si_code;
    sigjmp_buf *to = v->recover;
    v->recover = NULL;
    /* As returning from the handler would: the signals blocked before it. */
    sigset_t mask = ((ucontext_t *)ucontext)->uc_sigmask;
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    siglongjmp(*to, 1);
}

bool vcpu_host_signal(Vcpu *v, int sig, const siginfo_t *info, void *ucontext)
{
    if (info->si_code <= 0) /* sent by a process, not by an instruction */
        return false;
    if (v->recover)
        return recover_from(v, sig, info, ucontext);
    return v->in_guest && v->translator->backend->host_signal(v, sig, info, ucontext);
}

uint32_t vcpu_fp_flags(const Vcpu *v)
{
    return v->translator->backend->fp_flags(v);
}

void vcpu_fp_set_flags(Vcpu *v, uint32_t flags)
{
    v->translator->backend->fp_set_flags(v, flags);
}

uint32_t vcpu_fp_control(const Vcpu *v)
{
    return v->translator->backend->fp_control(v);
}

void vcpu_fp_set_control(Vcpu *v, uint32_t control)
{
    v->translator->backend->fp_set_control(v, control);
}

/* -- fork -------------------------------------------------------------------------------------- */

/* Emitted code counts all over it: ten pages, each of which would be copied after a fault, on both
 * sides. */
static void copy_vcpu(const Translator *t)
{
    if (thread_vcpu)
        own_pages_populate(thread_vcpu, vcpu_bytes(t));
}

void translator_fork_prepare(Translator *t)
{
    translator_lock(t);
    fork_notes_prepare(t, thread_vcpu);
    own_pages_fork_prepare();
}

void translator_fork_parent(Translator *t)
{
    own_pages_fork_done();
    copy_vcpu(t);
    translator_unlock(t);
}

void translator_fork_child(Translator *t)
{
    own_pages_fork_done();
    stored_forked(t);
    t->stats.region_ns = 0; /* as the process's clock (tier.c) */
    fork_notes_child(t);
    copy_vcpu(t);
    Vcpu *others = t->vcpus;
    t->vcpus = NULL;
    while (others) {
        Vcpu *v = others;
        others = v->next;
        if (v == thread_vcpu) {
            v->next = NULL;
            t->vcpus = v;
        } else {
            vcpu_release(v);
        }
    }
    translator_unlock(t);
}

void translator_set_callouts(Translator *t, GuestAddr start, uint64_t bytes)
{
    t->callouts_start = start;
    t->callouts_bytes = bytes;
}

uint64_t vcpu_callout(Vcpu *v, uint32_t number, uint64_t arg)
{
    const Translator *t = v->translator;
    return t->callbacks.callout(t->opaque, v, number, arg);
}
