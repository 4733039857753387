/*
 * A guest whose instructions are random IR: lift() makes, from the seed and the pc alone, a few
 * operations of any class on the guest's variables. So whole programs go through the translate
 * loop, the optimizer and any backend, and all must leave the same state.
 */
#ifndef TESTS_IR_FUZZ_GEN_H
#define TESTS_IR_FUZZ_GEN_H

#include "translator/guest/isa.h"

enum { GEN_MEM_BYTES = 8192, GEN_INSNS = 24 /* of a program */ };

typedef struct GenCpu {
    V128 v[6], x[12];  /* x, m, e: without homes, as most registers of real guests */
    uint64_t r[9];     /* r[8]: address of the memory that programs use */
    uint64_t pc;
    uint64_t ra;       /* where calls return to; nothing else writes it */
    uint64_t m[12], e[12];
    uint64_t d[4];
    uint32_t w[4], s[4], flags, more_flags;
} GenCpu;

/* What a program may hold; set before it is lifted, the same for every backend. */
typedef struct GenConfig {
    uint64_t seed;
    unsigned max_ops;   /* operations of the program in all; less to find the guilty one */
    unsigned classes;   /* GEN_* */
    bool tiny_after;    /* all programs detect tininess after rounding */
} GenConfig;
enum { GEN_INT = 1, GEN_FLAGS = 2, GEN_MEM = 4, GEN_CALL = 8, GEN_FP = 16, GEN_VEC = 32,
       GEN_VFP = 64, GEN_EXIT = 128, GEN_FAULT = 256, GEN_ALL = 511,
       GEN_BE_ATOMIC = 512 /* not in the x86-64 backend: no guest has them yet */ };
extern GenConfig gen_config;
/* Some programs are regions: units of many blocks, with loops and phis. */
static inline bool gen_is_region(uint64_t seed) { return seed % 8 == 7; }

/* Half of those have loops of gen-crowd.c. */
static inline bool gen_is_crowded(uint64_t seed) { return seed / 32 % 2; }

/* Some programs are of a guest whose variable `fl` is lazy: faults needn't show it. Its exits say
 * where nobody wants it. */
static inline bool gen_is_lazy(uint64_t seed) { return seed / 16 % 2; }

extern const GuestIsa gen_isa, gen_lazy_isa;
/* Their variables, of each type the first, and the helper that looks at the sticky flags. */
enum { VAR_R = 0, VAR_BASE = 8, VAR_W = 9, VAR_D = 13, VAR_S = 17, VAR_V = 21, VAR_F = 27,
       VAR_RA = 30, VAR_M = 31, VAR_X = 43, VAR_E = 55 };
enum { N_HELPER_FP = 8 };
void gen_lift(LiftContext *ctx);

/* The program's start; programs of different numbers don't share code. */
GuestAddr gen_pc(uint64_t number);
void gen_state(uint64_t seed, GenCpu *cpu, uint8_t *memory); /* random, of interesting values */
uint32_t gen_fp_control(uint64_t seed);

#endif
