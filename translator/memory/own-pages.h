/* data plane */
/*
 * Pages of the emulator's own. The guest's mappings are the host's, so memory that the emulator
 * took from the kernel in between would lie among them: in a hole that the guest has just made, it
 * is in the way of the guest's next fixed mapping, and is what the guest's stale pointers lead to.
 * So one area is reserved before there is a guest, and what is needed later comes out of it.
 *
 * Units: bytes, rounded up to pages of 4 KiB; addresses are aligned to them. What one gets reads as
 * zeros and is readable and writable; protection that was changed must be changed back before it is
 * given back. When the area is full, or there is none (RLIMIT_AS), the kernel chooses the place.
 *
 * Any thread may call these, with signals blocked or not, but no signal handler that may have
 * interrupted them. The lock is a leaf: fork() must be called between the two calls for it.
 *
 * The state is the process's, as that of mmap() is.
 */
#ifndef TRANSLATOR_MEMORY_OWN_PAGES_H
#define TRANSLATOR_MEMORY_OWN_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL: no memory. */
void *own_pages_map(size_t bytes);
/* As much as will be touched at once: without a fault for each page. */
void *own_pages_map_populated(size_t bytes);
/* They are about to be written, and not all are there or the process's own: after a fork. */
void own_pages_populate(void *p, size_t bytes);
/* Shared with processes that are forked later; never given back. */
void *own_pages_map_shared(size_t bytes);
/* `bytes` are those of the mapping. NULL is allowed. */
void own_pages_unmap(void *p, size_t bytes);
/* The first old_bytes stay, the address may change; p may be NULL with 0. NULL: no memory, and p is
 * as it was. */
void *own_pages_grow(void *p, size_t old_bytes, size_t new_bytes);

/* A file's first `bytes` shared and readable; NULL with errno. */
const void *own_pages_map_file(size_t bytes, int fd);
void own_pages_unmap_file(const void *p, size_t bytes);

/* The area: its end, 0: there is none. */
uintptr_t own_pages_end(void);

void own_pages_fork_prepare(void);
/* In the parent and in the child. */
void own_pages_fork_done(void);

#endif
