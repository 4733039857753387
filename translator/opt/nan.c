/* data plane */
/*
 * Default NaNs (RISC-V's) made where they can be seen. An operation that shall give the default NaN
 * may give any quiet one (IR_FP_NAN_LOOSE) if nothing but operations of the same kind, comparisons
 * and puts take its value: the puts get a form that makes it the default one. So may phis of such
 * values. And where no operand can be another NaN, none comes out.
 *
 * Runs behind opt_forms(), not in units whose NaNs proved frequent (IR_UNIT_NAN_CHECK).
 */
#include "translator/opt/opt.h"

enum { LOOSE = 1, FOREIGN = 2 }; /* IrInsn.mark: may be; is perhaps a NaN that isn't the default */

/* Gives the default NaN for any NaN, whatever its payload. */
static bool is_arithmetic(const IrInsn *i)
{
    switch (i->op) {
    case IR_fadd: case IR_fsub: case IR_fmul: case IR_fdiv: case IR_fsqrt: case IR_fma:
    case IR_fmin: case IR_fmax: case IR_fminnm: case IR_fmaxnm: case IR_fround: case IR_fcvt:
        return (i->attr & IR_FP_NAN) == IR_FP_NAN_DEFAULT;
    default:
        return false;
    }
}

/* Of what such a value may go into: fminnm and fmaxnm pass a payload on, if not this one's. */
static bool hides_payload(const IrInsn *i)
{
    return (is_arithmetic(i) && i->op != IR_fminnm && i->op != IR_fmaxnm) || i->op == IR_fcmp ||
           i->op == IR_flfcmp || i->op == IR_f2i;
}

static bool is_float_phi(const IrInsn *i)
{
    return i->op == IR_phi && (i->type == IR_F32 || i->type == IR_F64);
}

static bool is_number(const IrUnit *u, IrRef v)
{
    const IrInsn *i = &u->insn[v];
    if (i->op == IR_i2f)
        return true;
    if (i->op == IR_bits2f)
        i = &u->insn[i->arg[0]];
    if (i->op != IR_const)
        return false;
    uint64_t bits = (uint64_t)i->imm;
    bool single = i->type == IR_F32 || i->type == IR_I32;
    return single ? (uint32_t)(bits << 1) <= 0xffu << 24 : bits << 1 <= 0x7ffull << 53;
}

static bool takes_loose(const IrInsn *user, const IrInsn *value)
{
    if (user->op == IR_put)
        return value->type == IR_F64 ? !user->attr : user->attr == IR_FORM_BOX;
    return hides_payload(user) || (is_float_phi(user) && user->mark & LOOSE);
}

static bool drop(IrUnit *u, IrRef v)
{
    if (!(u->insn[v].mark & LOOSE))
        return false;
    u->insn[v].mark &= (uint8_t)~LOOSE;
    return true;
}

/* A phi may be loose only if all it merges would be the default NaN otherwise. */
static bool phi_fits(const IrUnit *u, const IrRef *arg, unsigned n)
{
    for (unsigned a = 0; a < n; a++) {
        const IrInsn *i = &u->insn[arg[a]];
        if (!is_arithmetic(i) && !is_number(u, arg[a]) &&
            !(is_float_phi(i) && i->mark & LOOSE))
            return false;
    }
    return true;
}

static void find_loose(IrUnit *u)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 0; b < u->n_blocks; b++)
            for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
                unsigned n;
                const IrRef *arg = ir_args(u, r, &n);
                if (is_float_phi(&u->insn[r]) && u->insn[r].mark & LOOSE && !phi_fits(u, arg, n))
                    changed |= drop(u, r);
                for (unsigned a = 0; a < n; a++)
                    if (arg[a] && u->insn[arg[a]].mark & LOOSE &&
                        !takes_loose(&u->insn[r], &u->insn[arg[a]]))
                        changed |= drop(u, arg[a]);
            }
    }
}

/* From operands to results, through what stays loose. */
static void find_foreign(IrUnit *u)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 0; b < u->n_blocks; b++)
            for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
                IrInsn *i = &u->insn[r];
                if (i->mark & FOREIGN || !(is_arithmetic(i) || is_float_phi(i)))
                    continue;
                unsigned n;
                const IrRef *arg = ir_args(u, r, &n);
                bool foreign = false;
                for (unsigned a = 0; a < n; a++) {
                    if (!arg[a])
                        continue;
                    const IrInsn *x = &u->insn[arg[a]];
                    /* what isn't loose is made the default NaN at once */
                    bool known = is_arithmetic(x) ? !(x->mark & LOOSE) || !(x->mark & FOREIGN)
                                 : is_float_phi(x) ? !(x->mark & FOREIGN)
                                                   : is_number(u, arg[a]);
                    foreign |= !known;
                }
                if (foreign) {
                    i->mark |= FOREIGN;
                    changed = true;
                }
            }
    }
}

static void rewrite(IrUnit *u, IrInsn *i)
{
    if (is_arithmetic(i) && (i->mark & LOOSE || !(i->mark & FOREIGN)))
        i->attr |= IR_FP_NAN_LOOSE;
    if (i->op != IR_put)
        return;
    const IrInsn *v = &u->insn[i->arg[0]];
    if (v->mark & LOOSE && v->mark & FOREIGN)
        i->attr = i->attr == IR_FORM_BOX ? IR_FORM_CANON_BOX : IR_FORM_CANON;
}

void opt_nan(IrUnit *u)
{
    bool any = false;
    for (uint32_t r = 0; r < u->n_insns; r++) {
        IrInsn *i = &u->insn[r];
        i->mark = is_arithmetic(i) || is_float_phi(i) ? LOOSE : 0;
        any |= is_arithmetic(i);
    }
    if (!any || u->flags & IR_UNIT_NAN_CHECK)
        goto done;
    find_loose(u);
    find_foreign(u);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            rewrite(u, &u->insn[r]);
done:
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark = 0;
}
