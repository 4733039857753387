/* data plane */
/*
 * The guest's mappings as a core file has them.
 */
#ifndef LINUX_USER_CORE_MEMORY_H
#define LINUX_USER_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux-user/process.h"

typedef struct CoreRange {
    GuestAddr start, end;
    uint64_t file_offset;
    const char *name;      /* of the file, or NULL; name_bytes long */
    uint32_t name_bytes;
    uint32_t flags;        /* PF_* */
    bool shared;
    uint64_t bytes;        /* from start on that are dumped */
} CoreRange;

typedef struct CoreMemory {
    CoreRange *ranges;
    size_t n;
    char *text;            /* the mappings as /proc shows them, which names point into */
    size_t text_bytes, range_bytes;
} CoreMemory;

/* By coredump_filter. False: no memory, or no /proc. */
bool core_memory_read(Process *p, CoreMemory *ret);
void core_memory_free(CoreMemory *m);
/* Writes the range at the descriptor's place, with holes for pages that were never touched. False:
 * it can't be written. */
bool core_memory_write(const CoreRange *r, int fd, uint64_t at, uint64_t limit);

#endif
