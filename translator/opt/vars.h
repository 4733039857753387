/*
 * Which guest variables are observed where, over a unit of many blocks: shared by ssa.c and dce.c.
 * An observer sees every variable, but lazy ones not at faults (ir.h, rule 2), nor at exits whose
 * targets overwrite them.
 */
#ifndef TRANSLATOR_OPT_VARS_H
#define TRANSLATOR_OPT_VARS_H

#include "translator/opt/cfg.h"

enum { VARS_WORDS = 4 }; /* up to 256 variables */
typedef struct VarSet { uint64_t bits[VARS_WORDS]; } VarSet;

static inline bool varset_has(const VarSet *s, unsigned v) { return s->bits[v / 64] >> v % 64 & 1; }
static inline void varset_add(VarSet *s, unsigned v) { s->bits[v / 64] |= 1ull << v % 64; }
static inline void varset_drop(VarSet *s, unsigned v) { s->bits[v / 64] &= ~(1ull << v % 64); }

typedef struct VarLive {
    VarSet all, lazy; /* the pc, which exits set, isn't among them */
    bool reads_only;  /* nobody observes: what counts is what the unit itself reads */
    VarSet *in; /* [n_blocks]: observed or read before they are written */
} VarLive;

VarLive *opt_var_live_new(IrUnit *u, const Cfg *c);
/* What is read before it is written, whoever looks on. Only before SSA construction (ssa.c) do all
 * reads stand there as such. */
VarLive *opt_var_read_new(IrUnit *u, const Cfg *c);

/* One step backwards over an instruction: `live` behind it becomes `live` before it. */
void opt_var_live_step(const IrUnit *u, const VarLive *l, const IrInsn *i, VarSet *live);
/* What is live at the end of a block, before its terminator's own effect is undone. */
VarSet opt_var_live_out(const IrUnit *u, const VarLive *l, uint32_t block);

#endif
