/* data plane */
/* Behind a guest's call: nothing is left in registers but what the variables are there. */
#include "translator/regalloc/region.h"

static void drop(Ra *ra, Reg r)
{
    RaValue *v = &ra->value[ra->owner[r]];
    if (v->reg == r)
        v->reg = REG_NONE;
    ra->owner[r] = 0;
}

/* The bindings of before the call go; then only uses keep a value alive. */
static void unbind_all(Ra *ra, uint32_t base)
{
    for (unsigned var = 0; var < ra->n_vars; var++) {
        uint32_t held = ra->state_holds[var];
        if (held && ra->value[held].mem == (RA_MEM_VAR | (int)var))
            ra->value[held].mem = RA_MEM_NONE;
        ra->value[ra->binding[var]].n_vars--;
        ra->binding[var] = base + var;
        ra->form[var] = IR_FORM_PLAIN;
    }
}

/* No value but a constant may be alive here (ir.h): else the unit is given up. */
static void must_be_dead(Ra *ra)
{
    const IrUnit *u = ra->unit;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            const RaValue *v = &ra->value[r];
            bool somewhere = v->reg != REG_NONE || v->mem != RA_MEM_NONE || v->special;
            if (ra->alias[r] == r && somewhere && !v->constant && v->def_pos < ra->pos &&
                ra_alive_after(ra, r))
                ra->failed = true;
        }
}

void ra_return_vars(Ra *ra)
{
    uint32_t base = ra->unit->n_insns + ++ra->n_var_calls * ra->n_vars;
    unbind_all(ra, base);
    must_be_dead(ra);
    for (Reg r = 0; r < RA_N_REGS; r++)
        if (ra->owner[r] && ra->owner[r] != RA_TEMP)
            drop(ra, r);
    for (unsigned var = 0; var < ra->n_vars; var++) {
        RaValue *v = &ra->value[base + var];
        Reg home = ra->home[var];
        v->n_vars = 1;
        v->reg = home;
        v->mem = home == REG_NONE ? (int)(RA_MEM_VAR | var) : RA_MEM_NONE;
        ra->state_holds[var] = home == REG_NONE ? base + var : 0;
        if (home != REG_NONE)
            ra->owner[home] = base + var;
        ra->touched[var / 64] |= 1ull << (var % 64);
    }
}
