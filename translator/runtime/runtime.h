/*
 * The runtime's own functions, for its files only (and tests): making units, forgetting them, the
 * order in which a vcpu enters and leaves translated code. state.h says what the lock covers.
 */
#ifndef TRANSLATOR_RUNTIME_RUNTIME_H
#define TRANSLATOR_RUNTIME_RUNTIME_H

#include <time.h>

#include "translator/cache/unit.h"
#include "translator/runtime/state.h"
#include "translator/runtime/unit-table.h"

/* translator.c: a translator for a guest that need not be in the table (tests). */
Translator *translator_new_for(const TranslatorConfig *config, const GuestIsa *isa,
                               struct _GError **error);

/* guests.c */
const GuestIsa *guest_find(const char *name);
const Backend *backend_find(const char *name); /* NULL: the host's best */

/* translate.c, with the lock: the unit at pc, made now if there is none. IR_UNIT_COUNTED wants one
 * that counts its entries, if the tier is such, others may give one too. NULL: there is no code
 * there; *ret_exit tells why and v->exit_addr where. */
CompiledUnit *translate_unit(Translator *t, Vcpu *v, GuestAddr pc, uint32_t flags,
                             VcpuExit *ret_exit);

/* As much as can be had of guest code; another thread may unmap it meanwhile, which then counts as
 * unfetchable. */
size_t translate_copy_code(Vcpu *v, uint8_t *to, GuestAddr pc, size_t want);
/* CPU time in ns; `clock` says whose. */
uint64_t translate_cpu_ns(clockid_t clock);
/* The thread's, for the statistics; 0 unless they are asked for. */
uint64_t translate_clock(const Translator *t);
/* Into the tables, the logs and the statistics. */
void translate_publish(Translator *t, CompiledUnit *c);

/* tier.c: the optimizing tier, with the lock. */
void tier_init(Translator *t, const TranslatorConfig *config); /* without; the backend is known */
/* Makes the region at pc, in place of the unit that is there; NULL: none can be made. */
CompiledUnit *tier_translate(Translator *t, Vcpu *v, GuestAddr pc);
/* The unit at the vcpu's pc is hot. */
void tier_up(Translator *t, Vcpu *v);
/* The blocks that it wanted to see have run (branch-profile.h). */
void tier_profiled(Translator *t, Vcpu *v);
/* A region there is gone because it wasn't translated with the flags. */
void tier_make_again(Translator *t, Vcpu *v, GuestAddr pc, uint32_t flags);

/* With -d verify: a unit of the store must be what translating it here gives. */
void translate_check(Translator *t, Vcpu *v, const CompiledUnit *stored);

/* invalidate.c, with the lock */
/* Links to `old` lead to `fresh` now, and old is gone. */
void unit_replace(Translator *t, CompiledUnit *old, CompiledUnit *fresh);
void unit_link(Translator *t, UnitLink *link, CompiledUnit *target);
void unit_invalidate(Translator *t, CompiledUnit *u);
void units_invalidate(Translator *t, GuestAddr start, uint64_t bytes);
void units_flush(Translator *t); /* the caller's vcpu is not in_code */
/* For good: no vcpu gets into translated code any more, and units aren't found. False: a vcpu can't
 * be stopped at once, or another process has this memory; then nothing has changed. */
bool units_stop(Translator *t);
/* See Vcpu.retry_flags. 0: of all that has seen the pc, else of the region that begins there. */
void units_retry(Translator *t, GuestAddr pc, GuestAddr region, uint32_t flags);
uint32_t units_hint(const Translator *t, GuestAddr pc);

/* vcpu.c */
extern const JumpCacheEntry jump_cache_empty[VCPU_JUMP_CACHE_SIZE]; /* jump-cache.c */
void vcpu_set_current(Vcpu *v);
void vcpu_free_idle(Translator *t);
void vcpu_kick_runtime(Vcpu *v);
/* False: a flush is under way; it has been waited for, look again. Between the two calls pointers
 * to units are good. */
bool vcpu_code_begin(Vcpu *v);
void vcpu_code_end(Vcpu *v);
/* dispatch.c, for backends: what translated code does before and behind a call of
 * TranslatorCallbacks.syscall, which it makes itself. */
typedef struct VcpuCallback { bool (*call)(void *opaque, Vcpu *v); void *opaque; } VcpuCallback;
VcpuCallback vcpu_syscall_begin(Vcpu *v);
void vcpu_syscall_end(Vcpu *v);

/* dump.c: what -d shows */
void dump_guest_code(const Translator *t, const IrUnit *u, const uint8_t *code, size_t bytes);
void dump_ir(const IrUnit *u, const char *title);
void dump_verify(const IrUnit *u, const char *after); /* a unit that is wrong is our own bug */
void dump_host_code(const Translator *t, const CompiledUnit *unit);
void dump_enter(Vcpu *v, const CompiledUnit *unit);

#endif
