/* data plane */
/*
 * The runtime and the translation store: which ranges of guest code are mapped from which files,
 * units found in the store, and new ones put there. Everything needs the translation lock.
 */
#ifndef TRANSLATOR_RUNTIME_STORED_H
#define TRANSLATOR_RUNTIME_STORED_H

#include "translator/cache/store.h"
#include "translator/runtime/runtime.h"

/* The unit at pc, ready to be run and in the unit table; NULL: the store has none. */
CompiledUnit *stored_find(Translator *t, Vcpu *v, GuestAddr pc, uint32_t flags);
/* The same, but a region only, that has been made again as often (or more often) as that. */
CompiledUnit *stored_find_region(Translator *t, Vcpu *v, GuestAddr pc, unsigned rebuilt);
/* Does the process record what it runs of some file (cache/store-history.h)? */
bool stored_records(const Translator *t);
/* There is one that doesn't guess what another one there guesses wrong, or takes in more. */
void stored_found_better(Translator *t, GuestAddr pc);
/* Jumps of chunks that lead to a stored unit at the region's pc lead to the region from now on. */
void stored_prefer(Translator *t, Vcpu *v, CompiledUnit *region);
/* With -d verify: every unit of this one's chunk must be what translating it here gives. */
void stored_check(Translator *t, Vcpu *v, const CompiledUnit *u);
/* The link whose stub is at that host address; NULL: its unit is gone. */
UnitLink *stored_link(Translator *t, const uint8_t *stub);
/* Every unit that lies in the range gets into the unit table, with its links, so that it can be
 * invalidated. False: no memory, and only a flush helps. */
bool stored_expose(Translator *t, GuestAddr start, uint64_t bytes);
/* The same for one unit and the links that lead to it. */
void stored_expose_unit(Translator *t, CompiledUnit *u);
/* Is there a unit at pc in what was loaded? So it has been executed at some time. */
bool stored_knows(Translator *t, Vcpu *v, GuestAddr pc);
/* [start, start + bytes) isn't a file's code any more. */
void stored_unmap(Translator *t, GuestAddr start, uint64_t bytes);
/* After a flush of the code buffer. */
void stored_flushed(Translator *t);
/* Units translated since the last time are put into the store if they are worth it now. */
void stored_save(Translator *t, Vcpu *v);
bool stored_save_due(const Translator *t);
void stored_mend(Translator *t); /* whoever was doing something was killed; before a flush */
void stored_forked(Translator *t); /* in the child: what isn't saved yet is the parent's to save */
void stored_free(Translator *t);

#endif
