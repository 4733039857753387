/* data plane */
/*
 * The sorted table of the guest's ranges. The caller holds MemMap.lock.
 */
#ifndef LINUX_USER_MEM_TABLE_H
#define LINUX_USER_MEM_TABLE_H

#include "linux-user/mem/map.h"

/* Index of the first range that ends above a (n if none). */
size_t mem_table_index(const MemMap *m, GuestAddr a);
/* [start, end) becomes `r`'s kind, protection and object (its offset is that of `start`),
 * or nobody's (r NULL). False: no memory for the table; nothing has changed. */
bool mem_table_set(MemMap *m, GuestAddr start, GuestAddr end, const MemRange *r);
/* Some of [start, end) is executable. */
bool mem_table_has_code(const MemMap *m, GuestAddr start, GuestAddr end);
/* All of it is the guest's with these bits of protection. */
bool mem_table_covers(const MemMap *m, GuestAddr start, GuestAddr end, int prot);
/* Sets the protection of the guest's ranges within [start, end). */
bool mem_table_protect(MemMap *m, GuestAddr start, GuestAddr end, int prot);

#endif
