/*
 * Registers as the protocol has them: their description, and between the kernel's sets and the
 * order of a g packet.
 */
#ifndef LINUX_USER_GDBSTUB_TARGET_H
#define LINUX_USER_GDBSTUB_TARGET_H

#include <stddef.h>
#include <stdint.h>

enum { TARGET_SET_BYTES = 1024, TARGET_MASK_BYTES = 16 };

/* Contents of NT_PRSTATUS and NT_PRFPREG, and of TargetArch.mask_set. */
typedef struct TargetSets {
    uint8_t general[TARGET_SET_BYTES], floats[TARGET_SET_BYTES];
    uint8_t masks[TARGET_MASK_BYTES]; /* 0: the processor has no such thing */
    size_t general_bytes, float_bytes;
} TargetSets;

typedef struct TargetArch {
    const char *abi;      /* GuestAbi.name */
    uint8_t breakpoint[4];
    size_t breakpoint_bytes;
    /* The description into buf: its length. */
    size_t (*describe)(char *buf, size_t size);
    /* The registers of a g packet: their bytes. */
    size_t (*gather)(const TargetSets *s, uint8_t *to);
    void (*scatter)(TargetSets *s, const uint8_t *from);
    size_t packet_bytes;
    size_t pc_at;         /* in NT_PRSTATUS */
    unsigned mask_set;    /* NT_ARM_PAC_MASK, which is only read; 0: none */
    unsigned debug_sets[2]; /* of breakpoints and watchpoints: arch/debug.h */
} TargetArch;

const TargetArch *target_find(const char *abi); /* NULL: not there */

#endif
