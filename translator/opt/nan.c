/* data plane */
/*
 * Default NaNs (RISC-V's) made where they can be seen. An operation that shall give the default NaN
 * may give any quiet one (IR_FP_NAN_LOOSE) if nothing but operations of the same kind, comparisons
 * and puts take its value: the puts get a form that makes it the default one. So may phis of such
 * values. And where no operand can be another NaN, none comes out.
 *
 * What a loop is entered with may be any NaN, which its phis would have to keep. It is guessed to
 * be a number, and looked at before (IR_UNIT_NO_GUESS).
 *
 * Runs behind opt_forms(), not in units whose NaNs proved frequent (IR_UNIT_NAN_CHECK).
 */
#include "translator/guest/isa.h"
#include "translator/opt/opt.h"
#include "translator/translator.h"

/* IrInsn.mark: may be; is perhaps a NaN that isn't the default; is what a variable was at entry, or
 * made of that; guessed to be a number */
enum { LOOSE = 1, FOREIGN = 2, ENTRY = 4, NUMBER = 8 };
enum { MAX_GUESSES = 12 };

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
    if (i->op == IR_i2f || i->mark & NUMBER)
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

/* A phi may be loose only if all it merges would be the default NaN otherwise; a guess must be of
 * use. */
static bool phi_fits(const IrUnit *u, const IrRef *arg, unsigned n, bool guess)
{
    bool guessed = false, loose = false;
    for (unsigned a = 0; a < n; a++) {
        const IrInsn *i = &u->insn[arg[a]];
        guessed |= guess && i->mark & ENTRY;
        loose |= i->mark & LOOSE;
        if (!is_arithmetic(i) && !is_number(u, arg[a]) && !(guess && i->mark & ENTRY) &&
            !(is_float_phi(i) && i->mark & LOOSE))
            return false;
    }
    return loose || !guessed;
}

static void find_loose(IrUnit *u, bool guess)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 0; b < u->n_blocks; b++)
            for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
                unsigned n;
                const IrRef *arg = ir_args(u, r, &n);
                if (is_float_phi(&u->insn[r]) && u->insn[r].mark & LOOSE &&
                    !phi_fits(u, arg, n, guess))
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

/* -- guesses ----------------------------------------------------------------------------------- */

static void mark_entry(IrUnit *u)
{
    for (IrRef r = u->block[0].first; r; r = u->insn[r].next) {
        IrInsn *i = &u->insn[r];
        if (i->op == IR_call || i->op == IR_gcall || i->op == IR_gcallind)
            return;
        if ((i->op == IR_get && i->type == IR_F64) ||
            (i->op == IR_funbox && u->insn[i->arg[0]].mark & ENTRY))
            i->mark |= ENTRY;
    }
}

static unsigned count_loose(const IrUnit *u)
{
    unsigned n = 0;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r && u->block[b].loop_depth; r = u->insn[r].next)
            n += is_arithmetic(&u->insn[r]) && u->insn[r].mark & LOOSE;
    return n;
}

static void all_loose(IrUnit *u)
{
    for (uint32_t r = 0; r < u->n_insns; r++)
        if (is_arithmetic(&u->insn[r]) || is_float_phi(&u->insn[r]))
            u->insn[r].mark |= LOOSE;
}

static IrRef add_first(IrUnit *u, IrRef at, IrInsn i) { return ir_insert_in(u, 0, at, &i); }

/* The value, at the unit's very start. */
static IrRef entry_value(IrUnit *u, IrRef at, IrRef v)
{
    IrInsn i = u->insn[v];
    i.mark = 0;
    if (i.op == IR_funbox)
        i.arg[0] = entry_value(u, at, i.arg[0]);
    return add_first(u, at, i);
}

static void trap_if_nan(IrUnit *u, IrRef at, IrRef x, IrRef y)
{
    IrRef is = add_first(u, at, (IrInsn){ .op = IR_fcmp, .type = IR_I1, .cc = IR_FCMP_UN,
                                          .attr = IR_FP_SILENT, .arg = { x, y } });
    add_first(u, at, (IrInsn){ .op = IR_trap_if, .attr = VCPU_EXIT_GUESS, .arg = { is },
                               .imm = (int64_t)u->pc });
}

/* Two at a time: a comparison is unordered if either is a NaN. */
static void check_guesses(IrUnit *u, const IrRef *guess, unsigned n)
{
    IrRef at = u->block[0].first, waiting = 0;
    for (unsigned k = 0; k < n; k++) {
        IrRef x = entry_value(u, at, guess[k]);
        if (!waiting) {
            waiting = x;
            continue;
        }
        bool pair = u->insn[waiting].type == u->insn[x].type;
        trap_if_nan(u, at, x, pair ? waiting : x);
        waiting = pair ? 0 : waiting;
    }
    if (waiting)
        trap_if_nan(u, at, waiting, waiting);
}

/* What phis that can be loose then are entered with; false: too many. */
static bool find_guesses(IrUnit *u, IrRef *guess, unsigned *ret_n)
{
    *ret_n = 0;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next) {
            unsigned n;
            const IrRef *arg = ir_args(u, r, &n);
            if (!is_float_phi(&u->insn[r]) || !(u->insn[r].mark & LOOSE))
                continue;
            for (unsigned a = 0; a < n; a++) {
                IrInsn *i = &u->insn[arg[a]];
                if (!(i->mark & ENTRY) || i->mark & NUMBER)
                    continue;
                if (*ret_n == MAX_GUESSES)
                    return false;
                i->mark |= NUMBER;
                guess[(*ret_n)++] = arg[a];
            }
        }
    return true;
}

static void guess_numbers(IrUnit *u)
{
    IrRef guess[MAX_GUESSES];
    unsigned n = 0, without = count_loose(u);
    mark_entry(u);
    all_loose(u);
    find_loose(u, true);
    bool more = count_loose(u) > without && find_guesses(u, guess, &n);
    if (more) {
        check_guesses(u, guess, n);
        return;
    }
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark &= (uint8_t)~NUMBER;
    all_loose(u);
    find_loose(u, false);
}

void opt_nan(IrUnit *u)
{
    bool any = false;
    for (uint32_t r = 0; r < u->n_insns; r++) {
        IrInsn *i = &u->insn[r];
        i->mark = 0;
        any |= is_arithmetic(i);
    }
    if (!any || u->flags & IR_UNIT_NAN_CHECK)
        goto done;
    all_loose(u);
    find_loose(u, false);
    if (opt_may_guess(u))
        guess_numbers(u);
    find_foreign(u);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            rewrite(u, &u->insn[r]);
done:
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark = 0;
}
