/*
 * Random fragments of guest code run on the translator's backends and on Unicorn, all state
 * compared. fuzz.c is the engine; a guest is a FuzzGuest in fuzz-<isa>.c.
 */
#ifndef TESTS_ISA_FUZZ_H
#define TESTS_ISA_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "translator/decodegen/rows.h"
#include "translator/translator.h"

enum { FUZZ_MAX_WORDS = 160 };
#define FUZZ_CODE UINT64_C(0x10000000)
#define FUZZ_DATA UINT64_C(0x20000000)
enum { FUZZ_CODE_BYTES = 1 << 16, FUZZ_DATA_BYTES = 1 << 14 };

/* A generator of its own, so that a seed means the same everywhere. */
uint64_t fuzz_random(void);
static inline uint64_t fuzz_below(uint64_t n) { return fuzz_random() % n; }
/* A number that tends to be interesting: a corner, small, a bit pattern, or random. */
uint64_t fuzz_number(void);
/* The same as the bits of floats: two f32 or an f64, with NaNs, infinities, denormals. */
uint64_t fuzz_float(void);

/* A field of a row by its name: reads "name=lsb:len". False: the row has none. */
bool fuzz_field(const DecodeRow *row, const char *name, unsigned *ret_lsb, unsigned *ret_len);
uint32_t fuzz_set_field(const DecodeRow *row, uint32_t insn, const char *name, uint32_t value);

struct uc_struct;
typedef struct FuzzGuest {
    const char *name;
    const DecodeRow *const *tables; /* NULL-terminated */
    const unsigned *const *n_rows;
    unsigned n_words;               /* of the state */
    unsigned pc_word;
    unsigned lazy_word;             /* IR_VAR_LAZY: stale at an undefined instruction; 0: none */
    const char *(*word_name)(unsigned word);
    /* Makes an encoding of the row fit to be run: keeps registers that hold addresses, avoids what
     * is UNPREDICTABLE or not comparable. False: not this one. *ret_bytes: 2 or 4. */
    bool (*adapt)(const DecodeRow *row, uint32_t *insn, unsigned *ret_bytes);
    uint32_t first;                 /* an instruction before each fragment; 0: none */
    uint32_t stop;                  /* a breakpoint instruction */
    unsigned stop_bytes;
    /* Is `other` what it is by a gap that the backends state, and the difference no more than that?
     * At a fragment's end; NULL: there are none. */
    bool (*gap)(const uint64_t *right, const uint64_t *other);
    void (*randomise)(uint64_t *words);
    void (*get)(const Vcpu *v, uint64_t *words);
    void (*set)(Vcpu *v, const uint64_t *words);
    /* Unicorn, NULL functions without it. */
    struct uc_struct *(*uc_new)(void);
    void (*uc_get)(struct uc_struct *uc, uint64_t *words);
    void (*uc_set)(struct uc_struct *uc, const uint64_t *words);
    /* What Unicorn has, and has right. */
    bool (*uc_knows)(const DecodeRow *row, uint32_t insn);
    uint64_t (*uc_mask)(unsigned word);     /* bits that can be compared */
} FuzzGuest;

extern const FuzzGuest fuzz_aarch64;

#endif
