/* data plane */
/*
 * The allocator's state, for regalloc.c and for the backend's driver (emit-unit.c, flags.c,
 * exits.c).
 *
 * Values are numbered like instructions; behind them come the variables' values at unit entry, and
 * one further set of them for each helper call that writes variables. A value is alive while it has
 * uses ahead or a variable is bound to it. It may be in a register, in memory (a spill slot, or the
 * state's place of some variable), both, or be a constant, or be held in host flags ("special").
 *
 * In a region a variable may be bound to a form of a value (IrForm), which is made where somebody
 * looks. A form holds all that the value does, so it can be made in the value's own register.
 *
 * A variable's value is canonical when it is in the home register, or in the state for variables
 * without one. ra_snapshot() lists those that are not: side exits write them back, the fault
 * handler restores from them.
 */
#ifndef TRANSLATOR_REGALLOC_STATE_H
#define TRANSLATOR_REGALLOC_STATE_H

#include "translator/regalloc/regalloc.h"

enum { RA_MAX_VARS = 256, RA_MAX_SPILLS = 256 };
enum { RA_MAX_TANGLED = 6 };            /* in a snapshot for an exit: values that are only in the
                                           place of another variable */
enum { RA_TEMP = UINT32_MAX };          /* owner of a temporary */
enum { RA_MEM_NONE = -1, RA_MEM_VAR = 0x4000 /* | variable; below: spill slot */ };

typedef struct RaUse { uint32_t pos, next; } RaUse;

typedef struct RaValue { /* half a cache line, as there are many in each unit */
    IrRef insn;        /* that makes it; 0: an entry value */
    uint8_t type;
    Reg reg;
    Reg hint;          /* home of the variable that it will be put into, or what is made of it;
                          REG_NONE */
    bool special : 1;
    bool put : 1;      /* some variable gets it */
    bool wanted : 1;   /* in `hint`, by a phi: worth a move. A home is not, in a region */
    bool hint_legal : 1; /* nothing observes the variables between the definition and the put */
    bool constant : 1; /* const, codeaddr or vconst: rematerialised instead of spilled */
    bool has_var : 1;
    uint16_t hint_var; /* the variable it is put into, has_var; or what is made of it */
    uint16_t hint_observed; /* last position before that put where the variables are observed */
    uint16_t n_vars;   /* variables bound to it */
    int16_t mem;
    uint32_t def_pos;
    uint32_t observed; /* last position where an observer sees its variable; UINT32_MAX: the end */
    uint32_t use, last_use;     /* list of uses in order: the first not before the current one */
} RaValue;
_Static_assert(sizeof(RaValue) == 32, "it takes half a cache line");

/* What every unit begins with: the variables' canonical values. */
typedef struct RaEntry {
    RaValue value[RA_MAX_VARS];
    uint32_t in_state[RA_MAX_VARS];      /* ~0: not in a register */
    uint32_t homes;                      /* registers that are homes in this guest */
    uint8_t var_at[RA_N_REGS];           /* the variable whose home it is */
    uint64_t lazy[RA_MAX_VARS / 64];     /* variables marked so */
} RaEntry;

typedef struct RaTarget {
    bool scalar_vars;                    /* the guest has f32 or f64 variables */
    uint32_t gprs, xmms;
    const Reg *gpr_home, *xmm_home;
    unsigned n_gpr_homes, n_xmm_homes;
    const Reg *home;                     /* of each variable, by ra_homes() */
    RaEntry entry;                       /* by ra_entry_init() */
    uint32_t spill_offset, cpu_offset;   /* in the Vcpu; of slot 0, the others are below */
    Reg jump_reg;                        /* where indirect jumps and calls want their target */
    Reg state_reg;
    int32_t state_bias;                  /* state_reg points so far into the Vcpu */
    void (*move)(void *host, Reg to, Reg from);
    void (*swap)(void *host, Reg a, Reg b);
    void (*load)(void *host, Reg to, uint32_t offset, unsigned bytes);
    void (*store)(void *host, uint32_t offset, Reg from, unsigned bytes);
    void (*constant)(void *host, Reg to, const IrInsn *i);
    void (*form)(void *host, Reg to, Reg from, IrForm form); /* without touching EFLAGS */
    void (*fetch)(void *host, IrRef value);  /* makes a special value an ordinary one */
} RaTarget;

struct Ra {
    const RaTarget *target;
    void *host;
    IrUnit *unit;
    const IrVar *vars;
    unsigned n_vars;
    RaValue *value;
    uint32_t n_values;
    uint32_t *alias;           /* [n_insns] */
    RaUse *uses;
    uint32_t n_uses;
    size_t cap_uses;
    uint32_t n_var_calls;      /* so far */
    uint32_t pos;              /* of the current instruction */
    uint32_t last_pos;         /* in a region: of the current block; else no position's */
    IrInsn *current;
    uint32_t owner[RA_N_REGS]; /* value or RA_TEMP; 0: free */
    uint32_t locked;           /* registers of the current instruction */
    int16_t operand[4];        /* where in memory arguments of the current instruction are used */
    unsigned n_operands;
    uint32_t homes;            /* registers that are homes in this guest */
    uint32_t avoided;          /* registers that are taken last in this block */
    uint32_t hintable;         /* registers in which results are made that are wanted there */
    uint32_t deferred[8];      /* values whose register the result takes over at the end */
    unsigned n_deferred;
    const Reg *home;           /* [n_vars] */
    uint64_t changed[RA_MAX_VARS / 64]; /* in ra_new(): variables with another value than first */
    uint64_t touched[RA_MAX_VARS / 64]; /* variables that may not be canonical */
    uint64_t spill_used[RA_MAX_SPILLS / 64];
    bool no_state_places;      /* from ra_sync_vars() until the helper has returned */
    bool tangled;              /* no region: a value may be in the place of another variable */
    bool skip_lazy;            /* the exit at hand needs no lazy variables (IR_EXIT_LAZY_DEAD) */
    struct RaRegion *region;   /* region.h; NULL: the unit is one block */
    bool failed;               /* out of spill slots or snapshot space */

    UnitSnap *snap;            /* of the unit; the last list is last_snap … n_snaps */
    uint32_t n_snaps, last_snap;
    size_t cap_snaps;
    uint64_t *constants;
    uint32_t n_constants;
    size_t cap_constants;

    /* Filled in as far as there are variables, not zeroed before. */
    uint32_t binding[RA_MAX_VARS];
    uint8_t form[RA_MAX_VARS];         /* IrForm of the binding; only in regions */
    uint32_t state_holds[RA_MAX_VARS]; /* value in the state's place of the variable; 0: stale */
};

/* Home registers of a guest's variables: home[var], REG_NONE where there is none. */
void ra_homes(const RaTarget *target, const IrVar *vars, unsigned n_vars, Reg *ret_home);
/* The rest of `target`, when it has its homes. */
void ra_entry_init(RaTarget *target, const IrVar *vars, unsigned n_vars);
/* Numbers the block's instructions, finds uses. An instruction with mark != 0 is computed where
 * pair[it] stands. */
Ra *ra_new(const RaTarget *target, void *host, IrUnit *unit, const IrRef *pair);
/* Before each block: what does its end want? */
void ra_prepare_end(Ra *ra, uint32_t block);
/* An instruction that makes nothing of its own. */
static inline void ra_skip(Ra *ra) { ra->pos++; }
/* The one of these free registers that matters least. */
static inline Reg ra_pick(const Ra *ra, uint32_t f)
{
    uint32_t others = f & ~ra->homes;
    if (others & ~ra->avoided)
        others &= ~ra->avoided;
    return __builtin_ctz(others ? others : f);
}
bool ra_begin(Ra *ra, IrInsn *i);
void ra_end(Ra *ra);
void ra_put(Ra *ra, unsigned var, IrRef v, IrForm form);
/* Twice: ra_def_same() gives a value another's name. */
static inline uint32_t ra_root(const Ra *ra, IrRef v)
{
    if (v < ra->unit->n_insns)
        v = ra->alias[v];
    return v < ra->unit->n_insns ? ra->alias[v] : v;
}
bool ra_alive(Ra *ra, uint32_t value);       /* uses from the current instruction on, or bound */
bool ra_alive_after(Ra *ra, uint32_t value); /* uses behind the current instruction, or bound */
bool ra_live_out(Ra *ra, uint32_t value);   /* in a region: used in other blocks */
bool ra_used_at_all(Ra *ra, uint32_t value);
/* Would ra_def_over(i, v) need no move? */
bool ra_over_is_free(Ra *ra, IrInsn *i, IrRef v);
void ra_set_special(Ra *ra, uint32_t value, bool special);
void ra_set_reg(Ra *ra, uint32_t value, Reg own);
/* Does the exit's target overwrite the lazy variables unread? */
static inline bool ra_lazy_dead(const IrInsn *i)
{
    return (i->op == IR_exit_if || i->op == IR_exit_jump || i->op == IR_exit_call ||
            i->op == IR_poll || i->op == IR_gcall) && i->attr & IR_EXIT_LAZY_DEAD;
}
/* Lists what isn't canonical; returns the index in ra->snap and the number of entries. Moves values
 * first that live in another variable's place. */
uint32_t ra_snapshot(Ra *ra, bool for_exit, unsigned *ret_n);
void ra_sync_vars(Ra *ra);     /* stores every variable to the state */
void ra_leave_state(Ra *ra);   /* nothing used after this instruction is only in the state */
void ra_reload_vars(Ra *ra);   /* every variable's value is what the state holds now */
void ra_return_vars(Ra *ra);   /* the same behind a guest's call: they are canonical */
static inline unsigned ra_type_bytes(IrType t)
{
    return t == IR_V128 || t == IR_I128 ? 16 : 8;
}

#endif
