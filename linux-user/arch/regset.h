/* data plane */
/*
 * A guest's registers in the kernel's layouts, as ptrace and core files have them, by note type.
 */
#ifndef LINUX_USER_ARCH_REGSET_H
#define LINUX_USER_ARCH_REGSET_H

#include <stdbool.h>
#include <stdint.h>

struct Thread;

typedef struct Regset {
    uint32_t type, bytes;
    uint8_t word;  /* requests are for a multiple of it */
    bool in_core; /* core files have it too */
    /* False: this CPU model has no such set. */
    bool (*get)(const struct Thread *t, void *to);
    /* NULL: can't be written. */
    void (*set)(struct Thread *t, const void *from);
} Regset;

#endif
