/*
 * The translator's own state, as the runtime, the backends and the code cache share it.
 *
 * Locks: `lock` is the translation lock. It covers the arena, compiling, the unit table's writers,
 * the page index, links, the list of vcpus and the statistics. A thread in translated code
 * (Vcpu.in_code) must never wait for it: it leaves the code first, because a flush holds the lock
 * while it waits for every vcpu to be out. Behind translator_lock() there may have been a flush:
 * units that were found before are to be told by `generation`.
 *
 * Memory of units: an invalidated unit stays readable and runnable until the next flush, so that a
 * thread that is just in it, or holds a pointer to it while in_code, is safe.
 */
#ifndef TRANSLATOR_RUNTIME_STATE_H
#define TRANSLATOR_RUNTIME_STATE_H

#include <stdatomic.h>

#include "translator/guest/isa.h"
#include "translator/host/backend.h"
#include "translator/ir/arena.h"
#include "translator/memory/shared-lock.h"
#include "translator/translator.h"

struct CodeBuffer;
typedef struct ForkNotes ForkNotes;
struct UnitTable;

/* A guest instruction whose site trapped: units that hold it are made with these
 * IR_UNIT_* flags. */
typedef struct UnitHint { GuestAddr pc; uint32_t flags; } UnitHint;

struct Translator {
    const GuestIsa *isa;
    const void *cpu_model;         /* isa->model()'s */
    const Backend *backend;
    TranslatorCallbacks callbacks;
    void *opaque;
    GuestAddr callouts_start;      /* translator_set_callouts() */
    uint64_t callouts_bytes;
    const char *host_cpu;          /* as in TranslatorConfig, until the backend is made */
    size_t code_bytes;             /* size of the code buffer */
    atomic_bool aliased;           /* translator_set_aliased() */
    bool one_insn, verify, stats_time;
    const char *cpu_name;          /* the -cpu model as it was asked for; "": the default */
    struct Stored *stored;         /* stored.h: the translation store, or NULL */
    bool warming;                  /* what is translated isn't run */
    bool no_opt;                   /* tests: units as they were lifted */
    TranslatorTier tier;
    uint32_t tier_step;            /* of Vcpu.profile's counters */
    bool tier_at_once;             /* who has been entered so often is hot, whatever that cost */

    SharedLock lock;               /* translator_lock() */
    Arena *arena;                  /* of the unit being translated; reset for each */
    Arena *unit_arena;             /* what the runtime keeps of units; reset with a flush */
    struct CodeBuffer *code;       /* cache/code-buffer.h; the x86-64 backend's */
    void *backend_data;            /* the backend's own */
    struct UnitTable *units;       /* unit-table.h */
    Vcpu *vcpus;
    bool shared;                   /* there have been two of them */
    Vcpu *idle;                    /* freed ones, kept for the next threads: n_idle of them */
    unsigned n_idle;
    TranslatorStats stats;
    const void *const *helper_fns; /* [isa->n_helpers], what Vcpu.helpers points to */
    UnitHint *hints;               /* open hash of cap_hints (a power of two), pc 0 = free */
    unsigned n_hints, cap_hints;
    TranslatorCritical *critical;  /* critical.c: n_critical of them, or NULL */
    unsigned n_critical;
    int perf_fd;                   /* perf map, or -1 */

    ForkNotes *noted;              /* fork-notes.h: by this process's children, or NULL */
    ForkNotes *noting;             /* in the parent's memory, by this one; or NULL */
    const uint8_t *noting_end;     /* code below it the parent has too */
    unsigned noting_generation, forks;

    /* A flush in progress: vcpus that leave code count, and wake it. */
    atomic_uint quiesce_wanted, quiesce_left;
    atomic_uint generation;        /* counts flushes: pointers to units of an older one are dead */
};

/* invalidate.c: what was in the middle of being changed, by a process that was killed there, goes:
 * a flush. */
void translator_mend(Translator *t);

static inline void translator_lock(Translator *t)
{
    if (__builtin_expect(shared_lock(&t->lock), 0))
        translator_mend(t);
}
static inline void translator_unlock(Translator *t) { shared_unlock(&t->lock); }

/* The user's or the environment's error; always gives false. */
bool translator_error(struct _GError **error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The host can't go on (no memory): one line on standard error, exit status 126.
 * Not for guests'. */
_Noreturn void translator_fatal(const char *what);

#endif
