/*
 * Where an indirect branch goes: two tables of a vcpu's own, from guest pcs to host code.
 *
 * The first is small, and emitted code looks into it inline (Vcpu.jump_cache). Big programs have
 * more targets than it has room for, and going to the dispatcher costs some 100 ns. So a vcpu that
 * came to the dispatcher often for want of an entry gets the second, larger one (Vcpu.jump_table;
 * short programs never touch its pages). Common code of the backend looks there and copies what it
 * finds into the first.
 *
 * Only the vcpu's thread makes entries. Any thread purges them: the second table first, then the
 * first. Who copies looks at the second once more after a fence and takes its copy back if the
 * entry has gone, so either sees the other.
 */
#ifndef TRANSLATOR_RUNTIME_JUMP_CACHE_H
#define TRANSLATOR_RUNTIME_JUMP_CACHE_H

#include "translator/cache/unit.h"
#include "translator/runtime/vcpu.h"

bool jump_cache_new(Vcpu *v); /* false: no memory */
void jump_cache_delete(Vcpu *v);
/* All entries go. By the vcpu's own thread, or while it isn't in_code. */
void jump_cache_clear(Vcpu *v);
/* The unit becomes what look-ups find; false: it was, or it isn't to be found. Called in_code, or
 * with the translator's lock. */
bool jump_cache_fill(Vcpu *v, CompiledUnit *u);
/* The same with what the store knows to be looked up. With the translator's lock. */
void jump_cache_expect(Vcpu *v, GuestAddr pc, const uint8_t *host);
/* No look-up finds pc any more: it mustn't be filled in again meanwhile (CompiledUnit.invalid). */
void jump_cache_purge(Vcpu *v, GuestAddr pc);

#endif
