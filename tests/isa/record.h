/*
 * What the instruction tests exchange with their oracle: a record is a fragment of guest code with
 * the state that it starts in; the answer is the state in which it stopped. Shared by the test and
 * by oracle.c, which is built for the guest; all fields are little endian and aligned.
 */
#ifndef TESTS_ISA_RECORD_H
#define TESTS_ISA_RECORD_H

#include <stdint.h>

enum { ISA_CODE_BYTES = 128, ISA_MEM_BYTES = 1024 };

/* Fragment n stands at ISA_CODE_ADDR + n * ISA_CODE_BYTES, so that code never changes. The fixed
 * addresses are the same in the test's process and in the oracle's. */
#define ISA_CODE_ADDR 0x100000000ull
#define ISA_DATA_ADDR 0x200000000ull

typedef struct IsaState {
    uint64_t x[32];
    uint64_t v[32][2];   /* floating-point or vector registers */
    uint64_t sp, pc;
    uint64_t flags;      /* condition flags, guest's layout */
    uint64_t fp_control; /* RISC-V: fcsr; AArch64: FPCR */
    uint64_t fp_status;  /* AArch64: FPSR */
    uint32_t stop;       /* signal that ended it: 4 5 7 8 11 */
    uint32_t n_code;     /* fragments in all, in the first record */
    uint8_t mem[ISA_MEM_BYTES]; /* at ISA_DATA_ADDR */
} IsaState;

typedef struct IsaRecord {
    uint8_t code[ISA_CODE_BYTES];
    IsaState state;
} IsaRecord;

#endif
