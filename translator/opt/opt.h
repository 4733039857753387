/*
 * The passes. Each takes a verified unit and leaves a verified unit; each is linear in the unit's
 * size (regions included) unless its file says otherwise.
 *
 *   forward   guest variables become values; copies, constants and fold.rules applied   [forward.c]
 *   address   address arithmetic goes into memory operations                            [address.c]
 *   dce       overwritten puts, dead flags and unused values go                          [dce.c]
 *
 * In regions:
 *   cfg       blocks: unreachable ones go, chains merge, the rest in layout order     [layout.c]
 *   split     loops with two entries get one                                           [split.c]
 *   ssa       guest variables become values, with phis                                   [ssa.c]
 *   gvn       folding and value numbering over the dominator tree                        [gvn.c]
 *   extend    extensions and masks that change nothing; words stay words in loops     [extend.c]
 *   bytes     stores of bytes side by side become one of a word                         [bytes.c]
 *   reload    loads of what was stored before take the value                          [reload.c]
 *   compare   conditions beside others become comparisons                           [compare.c]
 *   licm      what doesn't change in a loop is computed before it                       [licm.c]
 *   polls     one for each way round                                                   [polls.c]
 *   skip      loops that look for something in memory get ahead by many turns           [skip.c]
 *   lanes     loops that end at a vector ask for a bit of each byte                   [lanes.c]
 *   carry     carries are taken where the host's flags have them                     [carry.c]
 *   sticky    sticky flags saved and restored around comparisons                      [sticky.c]
 *   putoff    flags that only some ways out see are made there                       [putoff.c]
 *   shortcut  branches on two conditions become two                                [shortcut.c]
 *   index     sums of three, or with a small shift, become one operation              [index.c]
 *   unbox     singles go round loops without their boxes                               [unbox.c]
 *   forms     extensions that only puts want are made when somebody looks             [forms.c]
 *   nan       default NaNs are made where they can be seen                              [nan.c]
 *   upper     vectors round loops that are nothing but scalars                        [upper.c]
 *   dead      puts nobody observes and values without use, over all blocks        [dce-region.c]
 */
#ifndef TRANSLATOR_OPT_OPT_H
#define TRANSLATOR_OPT_OPT_H

#include "translator/ir/ir.h"

void opt_forward(IrUnit *u);
void opt_address(IrUnit *u);
void opt_index(IrUnit *u);
void opt_carry(IrUnit *u);
void opt_bytes(IrUnit *u);
void opt_compare(IrUnit *u);
void opt_dce(IrUnit *u);
void opt_split(IrUnit *u);
void opt_ssa(IrUnit *u);
void opt_gvn(IrUnit *u);
void opt_extend(IrUnit *u);
void opt_reload(IrUnit *u);
void opt_licm(IrUnit *u);
void opt_polls(IrUnit *u);
void opt_reads(IrUnit *u);
void opt_unread(IrUnit *u);
void opt_skip(IrUnit *u);
void opt_sticky(IrUnit *u);
void opt_lanes(IrUnit *u);
void opt_shortcut(IrUnit *u);
void opt_putoff(IrUnit *u);
void opt_unbox(IrUnit *u);
void opt_forms(IrUnit *u);
void opt_nan(IrUnit *u);
void opt_upper(IrUnit *u);
void opt_dce_region(IrUnit *u);
/* watch.c, of units with IR_UNIT_WATCH or IR_UNIT_BREAK, before the passes: accesses, and
 * instructions, ask whether somebody watches for them (GuestIsa.watch_helper). */
void opt_watch(IrUnit *u);
/* critical.c, before the passes too: stores of instructions in [start, end) are made by
 * GuestIsa.critical_helper, or else control goes to `abort`. */
void opt_critical(IrUnit *u, GuestAddr start, GuestAddr end, GuestAddr abort, GuestAddr key);
/* truncation.c, for sticky.c: silences a conversion to an integer between the reading of the flags
 * at `get` and their restoring; false: there is none. */
bool opt_truncation(IrUnit *u, uint32_t block, IrRef get);
/* watch.c: the address of an access, computed before `at`. */
IrRef opt_access_address(IrUnit *u, IrRef at, const IrInsn *access);

/* May the region assume what its code lets expect? (A check would observe lazy variables, which a
 * poll needn't.) */
bool opt_may_guess(const IrUnit *u);
/* Has the guest any (IR_VAR_LAZY)? */
bool opt_has_lazy(const IrUnit *u);

typedef struct OptPass {
    const char *name;
    void (*run)(IrUnit *u);
} OptPass;
extern const OptPass opt_passes[]; /* ends with a NULL name */

extern const OptPass opt_region_passes[]; /* in the optimizing tier's order */

/* Each tier's list; prints the unit after each pass under LOG_OPT, and then shows it to `check`
 * (NULL: nobody). */
typedef void OptCheck(const IrUnit *u, const char *pass);
void opt_run_baseline(IrUnit *u, OptCheck *check);
void opt_run_region(IrUnit *u, OptCheck *check);

void opt_count_uses(IrUnit *u); /* fills in IrInsn.uses, unless they are known */
bool opt_removable(const IrUnit *u, const IrInsn *i); /* if its value is unused */

/* fold.c: simplifies one instruction whose arguments are final. Returns the value to use instead
 * (ref itself when it stays, perhaps rewritten in place). New instructions go before ref. */
IrRef opt_fold(IrUnit *u, uint32_t block, IrRef ref);
uint64_t opt_reverse_bits(uint64_t v);
/* eval.c: the value of an integer operation on constants; false when it isn't one. */
bool opt_eval(const IrInsn *i, IrType arg_type, uint64_t a, uint64_t b, uint64_t *ret_value);

#endif
