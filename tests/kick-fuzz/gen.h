/*
 * Random guest programs of loops that always end, for kick-fuzz.c.
 *
 * gen.c makes the structure: loops in loops, conditions, calls, switches. A KickGuest makes its
 * parts in machine code. Rules for those:
 *
 *  1. Counters of loops, the bases of memory and the registers of the trigger are reserved; other
 *     instructions may read the former two, but write none of them.
 *  2. What belongs together for the program to end, or to stay within its memory, is one item:
 *     whole items are made no-ops when a program is cut down.
 *  3. No result depends on when a kick comes.
 */
#ifndef TESTS_KICK_FUZZ_GEN_H
#define TESTS_KICK_FUZZ_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "translator/translator.h"

#define KICK_CODE UINT64_C(0x10000000)
#define KICK_DATA UINT64_C(0x20000000)
enum { KICK_CODE_BYTES = 1 << 14, KICK_DATA_BYTES = 1 << 16 };

/* Where things are, as offsets from the base of data in the middle: what random accesses reach,
 * what only the loops over strings read and write, addresses of code, and the stack's top. */
enum {
    KICK_BASE = 0x8000, KICK_REACH = 0x1000, KICK_STRINGS = 0x4000, KICK_COPIES = 0x6000,
    KICK_TABLE = -0x4000, KICK_STACK = -0x5000,
};

enum { KICK_WORDS = 128, KICK_ITEMS = 2048, KICK_LOOPS = 64, KICK_FUNCTIONS = 8, KICK_CALLS = 64 };
enum { KICK_COUNTERS = 5 }; /* of the program's three levels, a calling function's, a leaf's */

typedef struct KickItem { uint32_t start, end; } KickItem; /* offsets in the code */
typedef struct KickCall { uint32_t at; unsigned function; } KickCall; /* or an index of the table */
typedef struct KickGuest KickGuest;

/* How a loop counts and goes round. */
typedef struct KickLoop {
    unsigned form, counter, turns;
    uint32_t head, out; /* where it goes round to; the branch out of a loop that tests at its top */
} KickLoop;

typedef struct KickGen {
    uint64_t random;
    const KickGuest *guest;
    uint8_t *code;
    uint32_t n;               /* bytes so far */
    KickItem item[KICK_ITEMS];
    unsigned n_items;
    KickItem loop[KICK_LOOPS]; /* for statistics: where a kick is one in a loop */
    unsigned n_loops;
    unsigned n_leaves, n_functions; /* functions that call leaves are numbered behind them */
    KickCall call[KICK_CALLS], entry[KICK_CALLS];
    unsigned n_calls, n_entries;
    uint64_t *table;          /* of addresses, at KICK_TABLE */
    unsigned n_table;
    /* The program's character. */
    unsigned n_regs, n_fp_regs; /* of those that are free */
    unsigned weight[8];       /* of the guest's groups of instructions */
    unsigned trigger_odds;    /* one in so many places has a trigger, */
    bool traps;               /* which traps instead of storing */
    unsigned string_odds;
    /* While it is made. */
    unsigned in_function; /* 0: the program itself; 1: one that calls; 2: a leaf */
    unsigned walks_left;
    uint32_t *leave[2];   /* branches out of the innermost loop, and to its next turn: */
    unsigned n_leave[2];
} KickGen;

struct KickGuest {
    const char *name;
    unsigned n_words;
    const char *(*word_name)(unsigned word);
    bool (*compared)(unsigned word);      /* not the trigger's registers */
    void (*randomise)(uint64_t *random, uint64_t *words);
    void (*get)(Vcpu *v, uint64_t *words);
    void (*set)(Vcpu *v, const uint64_t *words);
    /* The trigger's: what it counts down, and where it stores. */
    void (*set_trigger)(Vcpu *v, uint64_t count, uint64_t address);

    unsigned n_groups;                     /* of plain instructions */
    unsigned n_free, n_fp_free;
    void (*plain)(KickGen *g, unsigned group);
    /* Counts, and kicks while the count is negative; or raises an invalid operation, which kicks by
     * its trap: no access to memory is near then, where all registers would have to be right. */
    void (*trigger)(KickGen *g);
    void (*walk_begin)(KickGen *g);        /* sets the pointers that walk */
    void (*string_loop)(KickGen *g);
    unsigned n_loop_forms;
    void (*loop_begin)(KickGen *g, KickLoop *l);
    void (*loop_end)(KickGen *g, const KickLoop *l);
    uint32_t (*branch_if)(KickGen *g);     /* on a random condition; where to patch it */
    uint32_t (*jump)(KickGen *g);
    void (*patch)(KickGen *g, uint32_t at, uint32_t target);
    uint32_t (*call)(KickGen *g);
    /* To one of n addresses, a power of two, in the table from `first` on. */
    void (*through_table)(KickGen *g, unsigned first, unsigned n, bool call);
    void (*function_begin)(KickGen *g, bool leaf);
    void (*function_end)(KickGen *g, bool leaf);
    void (*stop)(KickGen *g);
    void (*nop)(uint8_t *code, uint32_t bytes);
};

extern const KickGuest kick_aarch64, kick_riscv64;

/* Makes the program of a seed, and what is in memory before it. */
void kick_generate(KickGen *g, const KickGuest *guest, uint64_t seed, uint8_t *code,
                   uint8_t *data);

/* For the guests' files. */
static inline uint64_t kick_random(KickGen *g) /* splitmix64 */
{
    uint64_t z = g->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}
static inline unsigned kick_below(KickGen *g, unsigned n) { return kick_random(g) % n; }
void kick_emit(KickGen *g, uint32_t insn, unsigned bytes);
/* Around the instructions of an item. */
uint32_t kick_item_begin(KickGen *g);
void kick_item_end(KickGen *g, uint32_t start);

#endif
