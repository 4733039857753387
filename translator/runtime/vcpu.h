/*
 * A vcpu as translated code, backends and helpers see it. The state pointer of translated code is
 * the Vcpu itself; emitted code uses only offsets into it and recorded relocations.
 */
#ifndef TRANSLATOR_RUNTIME_VCPU_H
#define TRANSLATOR_RUNTIME_VCPU_H

#include <setjmp.h>
#include <stdatomic.h>
#include <stddef.h>

#include "translator/ir/ir.h"
#include "translator/translator.h"

enum { VCPU_JUMP_CACHE_SIZE = 4096 }; /* entries; a power of two */
typedef struct JumpCacheEntry { GuestAddr pc; const void *host; } JumpCacheEntry;

/* Entries of units are counted in steps that overflow when a unit is hot. Units may share a
 * counter: then one of them is hot early. */
enum { VCPU_PROFILE_SIZE = 4096 };
static inline unsigned vcpu_profile_index(GuestAddr pc)
{
    return (unsigned)((pc >> 1) * 0x9e3779b1u >> 18) & (VCPU_PROFILE_SIZE - 1);
}

/* Where indirect calls and jumps have gone, as far as counted units made them: some targets of each
 * instruction, by hashes. The site's is one of the address within its page, so that code from the
 * translation store fits wherever it is mapped; then sites may share a row. */
enum { VCPU_TARGET_SITES = 256, VCPU_TARGETS_LOG2 = 3, VCPU_TARGETS = 1 << VCPU_TARGETS_LOG2,
       VCPU_TARGET_HASH = (int)0x9e3779b1 };
static inline unsigned vcpu_target_site(GuestAddr pc)
{
    return ((unsigned)pc & 0xfff) * 0x9e3779b1u >> 24;
}
static inline unsigned vcpu_target_slot(GuestAddr target)
{
    return (uint32_t)target * (uint32_t)VCPU_TARGET_HASH >> (32 - VCPU_TARGETS_LOG2);
}

/* Where a pc is in the cache: emitted code takes (pc & 0x3ffc) * 4 as the entry's offset. A free
 * entry has a pc that isn't looked for there: fresh memory is free but for the first entry. With a
 * quarter of the entries a start of Python missed 6,800 times, with these 2,700. */
static inline unsigned jump_cache_index(GuestAddr pc)
{
    return (unsigned)(pc >> 2) & (VCPU_JUMP_CACHE_SIZE - 1);
}
static inline GuestAddr jump_cache_free(unsigned index) { return index ? 0 : ~(GuestAddr)0; }

/* The larger table behind it (jump-cache.h): common code of the backend computes the same index. A
 * free entry is as above. */
enum { VCPU_JUMP_TABLE_SIZE = 1 << 15, JUMP_TABLE_FACTOR = 0x61c88647, JUMP_TABLE_SHIFT = 16 };
static inline unsigned jump_table_index(GuestAddr pc)
{
    pc = pc * JUMP_TABLE_FACTOR >> (JUMP_TABLE_SHIFT + 4);
    return (unsigned)pc & (VCPU_JUMP_TABLE_SIZE - 1);
}

enum {
    VCPU_KICK_USER = 1,    /* vcpu_kick() */
    VCPU_KICK_RUNTIME = 2, /* the runtime wants every vcpu out of translated code for a moment */
};

/* Values that found no register. The first places are next to the state. */
enum { VCPU_SPILLS = 256 };

/* Where a region guessed wrongly, and how often (dispatch.c). */
typedef struct VcpuGuess { GuestAddr pc; unsigned misses; } VcpuGuess;
enum { VCPU_GUESSES = 16, VCPU_PATIENCE = 64 };
enum { VCPU_ASKED = 16 };
typedef struct BranchProfile BranchProfile;

/* How emitted code's accesses lie matters. The host guesses by the low 10 bits of a displacement
 * that a load reads what a store of another place wrote (seen on Zen 5), and starts over where it
 * was wrong. So what emitted code uses most fits into 1 KB: the first spill slots, the words from
 * jump_cache on, and `cpu`. */
struct Vcpu {
    GuestAddr exit_addr;
    uint64_t exit_payload;
    uint32_t exit_reason;            /* VcpuExit */
    uint32_t hot;                    /* the unit at the pc left because its counter overflowed */
    uint64_t mode;                   /* GuestIsa.mode() of the state */
    int exit_host_signal, exit_host_code;
    unsigned fp_tracking_cost;       /* traps that tracking flags took; a wrong one counts more */
    uint32_t fp_control;             /* as fpsetctl gave it; guest_fpctl has only the rounding */

    Translator *translator;
    JumpCacheEntry *own_jump_cache;
    uint64_t jump_cache_used;        /* a bit for each 64th of it that isn't all free */
    JumpCacheEntry *idle_jump_table; /* the larger table, mapped, but maybe not in use */
    unsigned jump_fills;
    void *return_stack_base, *return_stack_top; /* its mapping; where an empty one starts */
    size_t return_stack_bytes;
    bool in_guest;                   /* in vcpu_run() */
    bool step;
    bool evade;                      /* the next instruction is executed by itself */
    unsigned patience;               /* so often guesses at a place may be wrong */
    VcpuGuess guess[VCPU_GUESSES];
    BranchProfile *branches;         /* branch-profile.h, or NULL */
    unsigned profiling;              /* so many blocks are still to be looked at */
    GuestAddr asked[VCPU_ASKED];     /* the last units that tier_up() looked at */
    unsigned n_asked;
    atomic_bool in_code;             /* in translated code, or holding pointers to units: a flush
                                        waits for it to end */
    /* Set by Backend.host_signal when the instruction at retry_pc must be translated again with
     * these IR_UNIT_* flags: the dispatcher does it and goes on at the state's pc. */
    uint32_t retry_flags;
    GuestAddr retry_pc;
    const uint8_t *exit_stub;        /* see Backend.enter */
    sigjmp_buf *recover;             /* set while C code may touch guest memory (interpreter,
                                        helpers): vcpu_host_signal() jumps there */
    GuestAddr recover_pc;
    const atomic_int *alive;         /* vcpu_set_alive(), or NULL */
    Vcpu *next;                      /* list of the translator's, under its lock */
    void *backend;                   /* the backend's own */
    VcpuWatch *watches;              /* [VCPU_WATCHES] once there were some, n_watches of them */
    unsigned n_watches;
    uint32_t watch_flags;            /* what of IR_UNIT_WATCH and IR_UNIT_BREAK they need */

    GuestAddr target[VCPU_TARGET_SITES][VCPU_TARGETS];
    uint32_t profile[VCPU_PROFILE_SIZE]; /* by vcpu_profile_index() of a unit's pc */

    uint64_t scratch[8];             /* for emitted code: reloads, parallel moves */
    V128 vec_arg[6];                 /* v128 arguments and result of helper calls */
    V128 spill[VCPU_SPILLS];         /* for emitted code; the last one comes first */
    JumpCacheEntry *jump_cache __attribute__((aligned(64))); /* own_jump_cache, or an empty one
                                        after a kick: every inline look-up misses then */
    JumpCacheEntry *jump_table;      /* the larger one, or NULL */
    const void *const *helpers;      /* C functions of the guest's table, by number */
    void *c_stack;                   /* host stack pointer to return to */
    void *return_stack;              /* saved private stack pointer while in C */
    uint32_t guest_fpctl, host_fpctl;/* control words (MXCSR) while in guest code, in C */
    uint32_t fp_sticky;              /* IR_FPX_* raised outside the host's own unit */
    uint32_t fp_tracked, fp_unknown; /* is fp_sticky all there is? fp-site.h */
    atomic_uint kicked;              /* VCPU_KICK_*: not 0 asks emitted code to come back to C; the
                                        last one, for the sake of short displacements */
    uint8_t cpu[] __attribute__((aligned(64))); /* the guest's CPU structure */
};

static inline unsigned vcpu_spill_index(unsigned n) { return VCPU_SPILLS - 1 - n; }
static inline size_t vcpu_spill_offset(unsigned n)
{
    return offsetof(Vcpu, spill) + sizeof(V128) * vcpu_spill_index(n);
}

#endif
