/*
 * Loops that look for something in memory or store there (skip.c): what they ask of the bytes that
 * they read, found by skip-match.c, and what they store, found by skip-store.c.
 */
#ifndef TRANSLATOR_OPT_SKIP_H
#define TRANSLATOR_OPT_SKIP_H

#include "translator/opt/cfg.h"

/* A sum: of values that change from turn to turn by a constant (phis of the loop's head) or not at
 * all, each times a constant, and a constant. */
enum { SKIP_MAX_TERMS = 4 };
typedef struct SkipSum {
    unsigned n;
    IrRef ref[SKIP_MAX_TERMS]; /* ascending */
    int64_t times[SKIP_MAX_TERMS];
    int64_t c;
} SkipSum;

/* What memory is compared with: a byte, `flip` ^ the low byte of a value (IR_NONE: 0); the bytes
 * from `flip` on to `most` more; a value's low 32 bits. */
typedef struct SkipByte {
    enum { SKIP_BYTE, SKIP_RANGE, SKIP_WORD } kind;
    IrRef of;
    bool vector;
    uint8_t flip, most;
} SkipByte;

/* While each byte of [a, a + bytes) differs from `byte`, is in its range, or is the one at the same
 * place of b, or each 32-bit word differs, the turn goes the loop's way as far as one condition
 * decides it. */
typedef struct SkipTest {
    bool equal;
    SkipSum a, b;
    SkipByte byte;
    unsigned bytes;
} SkipTest;

/* A condition of the loop on values that step: it goes on while x is not beyond `bound`. */
typedef struct SkipBound {
    SkipSum x;
    IrRef bound;
    IrCc cc;       /* IR_CMP_NE or an order: goes on while x cc bound */
    int64_t step;  /* of x */
} SkipBound;

/* Must be so, as the loop is entered, for the tests to mean what the loop asks. */
typedef struct SkipGuard {
    /* the constant; eight or 16 equal bytes; a shift by whole bytes, and more than none, which with
     * the other one makes a word; the other one and the constant */
    enum { SKIP_IS, SKIP_SPLAT, SKIP_VSPLAT, SKIP_SHIFTS, SKIP_APART } kind;
    IrRef value, other;
    uint64_t is;
} SkipGuard;

/* A phi of the head that must be the word in memory which the turn before has read ahead. */
typedef struct SkipOld { IrRef phi; SkipSum at; } SkipOld;

/* What a turn stores: the bytes behind `to`, as many as it steps on, each once. */
enum { SKIP_MAX_OLD = 8 };
typedef struct SkipStores {
    unsigned n;               /* stores in the loop; of none the rest isn't set */
    bool fill;                /* with the bytes of a value that doesn't change, else a copy */
    IrRef value;
    unsigned value_bytes;
    SkipSum to, from;
    IrRef shift;              /* words are put together of two: from + shift / 8 */
    unsigned ahead;           /* bytes read behind the copied ones */
    SkipOld old[SKIP_MAX_OLD];
    unsigned n_old;
} SkipStores;

enum { SKIP_MAX = 12, SKIP_MAX_PATH = 12 };
typedef struct Skip {
    IrUnit *u;
    const Cfg *c;
    const uint32_t *block_of; /* per value */
    uint32_t head, latch;     /* the latch is the way's last block */
    uint32_t path[SKIP_MAX_PATH];
    unsigned n_path;
    bool only;                /* there is no other way round */
    SkipTest test[SKIP_MAX];
    unsigned n_tests;
    SkipBound bound[SKIP_MAX];
    unsigned n_bounds;
    SkipGuard guard[SKIP_MAX];
    unsigned n_guards;
    IrRef cond[SKIP_MAX];     /* the conditions themselves, and what they are on the loop's way */
    bool cond_is[SKIP_MAX];
    bool cond_old[SKIP_MAX];  /* looks at the turn before (at a value that a phi brings) */
    unsigned n_conds;
    bool old;                 /* the condition at hand does */
    SkipStores stores;
} Skip;

/* Sees what the way, which has been found, stores in steps of so many bytes. False: another thing
 * than filling or copying. */
bool skip_see_stores(Skip *s, int64_t step);

/* Sees a condition of the loop's way that must be `is`. False: nothing of bytes or bounds. */
bool skip_match(Skip *s, IrRef cond, bool is);

bool skip_is_invariant(const Skip *s, IrRef v);
bool skip_same_byte(const SkipByte *x, const SkipByte *y);
/* Through copies, and phis inside the way. */
IrRef skip_resolve(const Skip *s, IrRef v);
/* What the way round gives a phi of the head. */
IrRef skip_latch_value(const Skip *s, IrRef phi);
bool skip_is_head_phi(const Skip *s, IrRef v);
bool skip_sum(Skip *s, IrRef v, SkipSum *ret);
/* By how much it grows in a turn; false: it isn't known. */
bool skip_step(Skip *s, const SkipSum *sum, int64_t *ret);
bool skip_phi_step(Skip *s, IrRef phi, int64_t *ret);
bool skip_guard(Skip *s, SkipGuard g);
/* A load whose bytes alone make the value; also the one that a phi brings from the turn before
 * (`old`). NULL: it isn't one. */
const IrInsn *skip_data(const Skip *s, IrRef v, bool *ret_old);
/* The address of a load or store. */
bool skip_address(Skip *s, const IrInsn *i, SkipSum *ret);
/* The same but for the constant. */
bool skip_same_terms(const SkipSum *a, const SkipSum *b);

#endif
