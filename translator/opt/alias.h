/* What to use instead of a value that a pass has replaced. */
#ifndef TRANSLATOR_OPT_ALIAS_H
#define TRANSLATOR_OPT_ALIAS_H

#include <string.h>

#include "translator/ir/arena.h"
#include "translator/ir/ir.h"

typedef struct OptAlias {
    IrUnit *u;
    IrRef *to; /* per value; 0 = itself */
    uint32_t cap;
} OptAlias;

static inline OptAlias opt_alias_new(IrUnit *u)
{
    OptAlias a = { .u = u, .cap = u->n_insns + 64 };
    a.to = arena_alloc(u->arena, a.cap * sizeof *a.to);
    return a;
}

static inline IrRef opt_resolve(const OptAlias *a, IrRef r)
{
    while (r < a->cap && a->to[r])
        r = a->to[r];
    return r;
}

static inline void opt_set_alias(OptAlias *a, IrRef r, IrRef to)
{
    if (r >= a->cap) {
        size_t cap = a->cap;
        a->to = arena_grow(a->u->arena, a->to, sizeof *a->to, a->cap, &cap, r + 1);
        memset(a->to + a->cap, 0, (cap - a->cap) * sizeof *a->to);
        a->cap = (uint32_t)cap;
    }
    a->to[r] = to;
}

/* All arguments of an instruction. */
static inline void opt_resolve_args(const OptAlias *a, IrRef r)
{
    unsigned n;
    IrRef *arg = ir_args(a->u, r, &n);
    for (unsigned k = 0; k < n; k++)
        arg[k] = opt_resolve(a, arg[k]);
}

#endif
