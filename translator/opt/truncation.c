/* data plane */
/*
 * "Did this conversion to an integer raise invalid?", asked by way of the sticky flags:
 * JavaScript's conversions as V8 makes them of RISC-V's.
 *
 *     a = fpgetflags; fpsetflags a & ~invalid; f2i; b = fpgetflags; .. b & invalid ..; fpsetflags a
 *
 * Each access to the host's flags waits for every operation before. So the conversion becomes
 * silent (IR_FP_SILENT), what is made of b's invalid flag is made of two silent comparisons, and
 * nothing is read at `b` or set. What else of b is put into variables that are put again before
 * anybody looks stays as it is, without a meaning.
 *
 * What a chain of operations on the flags amounts to is found by trying all 32 values.
 */
#include "translator/guest/isa.h"
#include "translator/opt/opt.h"

enum { VALUES = 32, MAX_CHAIN = 8, MAX_MADE = 12 };

/* The value of v when that of `from` is `in`; false: it is made of something else too. */
static bool evaluate(const IrUnit *u, IrRef v, IrRef from, uint64_t in, unsigned depth,
                     uint64_t *ret)
{
    const IrInsn *i = &u->insn[v];
    uint64_t a = 0, b = 0;
    if (v == from || i->op == IR_const) {
        *ret = v == from ? in : (uint64_t)i->imm;
        return true;
    }
    if (depth == MAX_CHAIN || !i->arg[0] || i->arg[2] ||
        !evaluate(u, i->arg[0], from, in, depth + 1, &a) ||
        (i->arg[1] && !evaluate(u, i->arg[1], from, in, depth + 1, &b)))
        return false;
    return opt_eval(i, (IrType)u->insn[i->arg[0]].type, a, b, ret);
}

/* Is v what `from` is, but for the flags in `without`? */
static bool is_flags(const IrUnit *u, IrRef v, IrRef from, unsigned without)
{
    for (unsigned in = 0; in < VALUES; in++) {
        uint64_t out;
        if (!evaluate(u, v, from, in, 0, &out) || out != (in & ~without))
            return false;
    }
    return true;
}

/* False if more than the invalid flag decides. */
static bool of_invalid_only(const IrUnit *u, IrRef v, IrRef flags, uint64_t ret[2])
{
    for (unsigned in = 0; in < VALUES; in++) {
        uint64_t out;
        if (!evaluate(u, v, flags, in, 0, &out))
            return false;
        if (in < 2)
            ret[in] = out;
        else if (out != ret[in & 1])
            return false;
    }
    return true;
}

/* Is the variable put again in this block before anybody sees it? */
static bool put_unseen(const IrUnit *u, IrRef put)
{
    for (IrRef r = u->insn[put].next; r; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if ((i->op == IR_put || i->op == IR_get) && i->imm == u->insn[put].imm)
            return i->op == IR_put;
        if (ir_op_info[i->op].flags & (IR_OPF_E | IR_OPF_M) || i->op == IR_call)
            return false;
    }
    return false;
}

typedef struct Window {
    IrUnit *u;
    uint32_t block;
    IrRef get, clear, convert, look, restore;
    IrRef decided[MAX_MADE]; /* made of nothing but the invalid flag at `look` */
    uint64_t value[MAX_MADE][2];
    unsigned n_decided;
} Window;

static bool may_be_silent(const IrInsn *i)
{
    return i->op == IR_f2i && (i->attr & IR_FP_ROUND) == IR_ROUND_ZERO && !i->imm &&
           !(i->attr & (IR_FP_WRAP | IR_FP_FLUSH | IR_FP_SILENT));
}

/* Nothing between may see or change the flags. */
static bool passes(const IrUnit *u, const IrInsn *i)
{
    return i->op == IR_put || i->op == IR_insn ||
           (ir_op_info[i->op].flags & IR_OPF_P &&
            (opt_removable(u, i) || i->attr & IR_FP_SILENT));
}

static bool find(Window *w)
{
    const IrUnit *u = w->u;
    for (IrRef r = u->insn[w->get].next; r; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if (i->op == IR_fpsetflags && !w->clear) {
            w->clear = r;
            if (!is_flags(u, i->arg[0], w->get, IR_FPX_INVALID))
                return false;
        } else if (i->op == IR_fpsetflags) {
            w->restore = r;
            return w->look && is_flags(u, i->arg[0], w->get, 0);
        } else if (may_be_silent(i) && w->clear && !w->convert) {
            w->convert = r;
        } else if (i->op == IR_fpgetflags && w->convert && !w->look) {
            w->look = r;
        } else if (!passes(u, i)) {
            return false;
        }
    }
    return false;
}

static bool uses_any(const IrUnit *u, IrRef r, const IrRef *of, unsigned n_of)
{
    unsigned n;
    const IrRef *arg = ir_args(u, r, &n);
    for (unsigned a = 0; a < n; a++)
        for (unsigned k = 0; k < n_of; k++)
            if (arg[a] == of[k])
                return true;
    return false;
}

/* Does a phi take something of that, round a loop? */
static bool phi_wants(const IrUnit *u, const IrRef *made, unsigned n_made)
{
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            if (u->insn[r].op == IR_phi && uses_any(u, r, made, n_made))
                return true;
    return false;
}

/* What is made of `look`, directly and through what more than the invalid flag decides. False if
 * anybody wants that. */
static bool find_decided(Window *w)
{
    const IrUnit *u = w->u;
    IrRef made[MAX_MADE] = { w->look };
    unsigned n_made = 1;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            const IrInsn *i = &u->insn[r];
            bool undecided = uses_any(u, r, made, n_made);
            if ((!undecided && !uses_any(u, r, w->decided, w->n_decided)) ||
                (i->op == IR_put && put_unseen(u, r)))
                continue;
            bool pure = b == w->block && ir_op_info[i->op].flags & IR_OPF_P && opt_removable(u, i);
            if (pure && w->n_decided < MAX_MADE &&
                of_invalid_only(u, r, w->look, w->value[w->n_decided]))
                w->decided[w->n_decided++] = r;
            else if (undecided && pure && n_made < MAX_MADE)
                made[n_made++] = r;
            else if (undecided)
                return false;
        }
    return !phi_wants(u, made, n_made);
}

static IrRef insert(const Window *w, IrRef at, IrInsn i)
{
    return ir_insert_in(w->u, w->block, at, &i);
}

static IrRef constant(const Window *w, IrRef at, IrType t, uint64_t v)
{
    return insert(w, at, (IrInsn){ .op = IR_const, .type = (uint8_t)t, .imm = (int64_t)v });
}

/* x compared with a bound that is a power of two, or minus that and one more. */
static IrRef compare(const Window *w, IrRef x, bool upper, bool negative, int bits, bool one_more)
{
    IrRef at = w->look;
    IrType t = (IrType)w->u->insn[x].type;
    uint64_t pattern;
    if (t == IR_F64)
        pattern = (uint64_t)(1023 + bits) << 52 | (uint64_t)negative << 63;
    else
        pattern = (uint64_t)(127 + bits) << 23 | (uint64_t)negative << 31;
    if (one_more) /* in f64, the unit behind 2^bits */
        pattern |= 1ull << (52 - bits);
    IrRef bound = insert(w, at, (IrInsn){
        .op = IR_bits2f, .type = (uint8_t)t,
        .arg = { constant(w, at, t == IR_F64 ? IR_I64 : IR_I32, pattern) } });
    IrInsn cmp = { .op = IR_fcmp, .type = IR_I1, .attr = IR_FP_SILENT, .arg = { bound, x } };
    bool equal_too = !upper && negative && !one_more && bits; /* all but -1, which is out */
    cmp.cc = equal_too ? IR_FCMP_LE : IR_FCMP_LT;
    if (upper) {
        cmp.arg[0] = x;
        cmp.arg[1] = bound;
    }
    return insert(w, at, cmp);
}

/* Is the operand in the integer's range, once truncated? */
static IrRef in_range(const Window *w)
{
    const IrInsn *i = &w->u->insn[w->convert];
    IrRef x = i->arg[0];
    bool uns = i->attr & IR_FP_UNSIGNED;
    int bits = (i->type == IR_I64 ? 64 : 32) - !uns;
    bool one_more = !uns && bits == 31 && w->u->insn[x].type == IR_F64;
    IrRef low = compare(w, x, false, true, uns ? 0 : bits, one_more);
    IrRef high = compare(w, x, true, false, bits, false);
    return insert(w, w->look, (IrInsn){ .op = IR_band, .type = IR_I1, .arg = { low, high } });
}

static void rewrite(Window *w)
{
    IrUnit *u = w->u;
    IrRef ok = in_range(w);
    u->insn[w->convert].attr |= IR_FP_SILENT;
    for (unsigned k = 0; k < w->n_decided; k++) {
        IrRef r = w->decided[k];
        IrType t = (IrType)u->insn[r].type;
        const uint64_t *v = w->value[k];
        IrInsn i = { .type = (uint8_t)t, .arg = { ok }, .prev = u->insn[r].prev,
                     .next = u->insn[r].next };
        if (v[0] == v[1]) {
            i.op = IR_const;
            i.arg[0] = 0;
            i.imm = (int64_t)v[0];
        } else if (t == IR_I1) {
            i.op = v[0] ? IR_copy : IR_bnot;
        } else {
            i.op = IR_select;
            i.arg[1] = constant(w, w->look, t, v[0]);
            i.arg[2] = constant(w, w->look, t, v[1]);
        }
        u->insn[r] = i;
    }
    u->insn[w->look].op = IR_const;
    u->insn[w->look].imm = 0;
    ir_remove(u, w->block, w->clear);
    ir_remove(u, w->block, w->restore);
}

bool opt_truncation(IrUnit *u, uint32_t block, IrRef get)
{
    Window w = { .u = u, .block = block, .get = get };
    if (!find(&w) || !find_decided(&w))
        return false;
    rewrite(&w);
    return true;
}
