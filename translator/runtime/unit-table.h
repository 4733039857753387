/*
 * Which compiled units there are: by entry pc and mode for look-up, by guest page for invalidation.
 *
 * unit_table_find() may be called without a lock by a vcpu that is in_code; everything else needs
 * the translation lock. A removed unit keeps its hash_next, so that a reader that stands on it goes
 * on; its memory lasts until the next flush.
 */
#ifndef TRANSLATOR_RUNTIME_UNIT_TABLE_H
#define TRANSLATOR_RUNTIME_UNIT_TABLE_H

#include "translator/cache/unit.h"

typedef struct UnitTable UnitTable;

enum { UNIT_PAGE_SHIFT = 12 }; /* of the page index; guests' pages are this or larger */

UnitTable *unit_table_new(void); /* NULL: no memory */
void unit_table_free(UnitTable *t);
/* Of `flags` those of IR_UNIT_ALONE must be the unit's, and IR_UNIT_COUNTED wants one that counts,
 * or a region: there may be one beside that doesn't. */
CompiledUnit *unit_table_find(const UnitTable *t, GuestAddr pc, uint64_t mode, uint32_t flags);
void unit_table_add(UnitTable *t, CompiledUnit *u);
void unit_table_remove(UnitTable *t, CompiledUnit *u);
void unit_table_clear(UnitTable *t);

/* The code in [start, start + bytes) is about to be read (marked until the next clear). */
void unit_table_see(UnitTable *t, GuestAddr start, uint64_t bytes);
/* False: nothing around addr has been read for units, so there's none to forget. No lock is
 * needed. */
bool unit_table_seen(const UnitTable *t, GuestAddr addr);

/* Calls fn for each unit that has a byte in [start, start + bytes); fn may remove that unit. */
typedef void (*UnitVisitor)(void *opaque, CompiledUnit *u);
void unit_table_visit(UnitTable *t, GuestAddr start, uint64_t bytes, UnitVisitor fn, void *opaque);

#endif
