/* data plane */
/*
 * What a loop's conditions ask of memory, for skip.c: the forms that compilers and the C libraries'
 * authors write. "Clean" bytes are those for which every test holds; each function here tells what
 * follows for a value from clean bytes, and adds the tests that it needs. On failure they leave
 * tests behind, which skip_match() takes away.
 */
#include "translator/opt/skip.h"

#include "translator/opt/opt.h"

#define SPLAT 0x0101010101010101ull

static const IrInsn *insn(const Skip *s, IrRef v) { return &s->u->insn[v]; }

/* -- values over turns ------------------------------------------------------------------------- */
bool skip_is_invariant(const Skip *s, IrRef v)
{
    const IrInsn *i = insn(s, v);
    return i->op == IR_const || i->op == IR_vconst || i->op == IR_codeaddr ||
           !cfg_in_loop(s->u, s->block_of[v], s->head);
}

bool skip_is_head_phi(const Skip *s, IrRef v)
{
    return insn(s, v)->op == IR_phi && s->block_of[v] == s->head;
}

IrRef skip_resolve(const Skip *s, IrRef v)
{
    for (;;) {
        const IrInsn *i = insn(s, v);
        if (i->op == IR_copy) {
            v = i->arg[0];
            continue;
        }
        if (i->op != IR_phi)
            return v;
        unsigned k = 1;
        while (k < s->n_path && s->path[k] != s->block_of[v])
            k++;
        if (k >= s->n_path)
            return v;
        v = s->u->phi_arg[i->imm + ir_pred_index(s->u, s->path[k - 1], s->path[k])];
    }
}

IrRef skip_latch_value(const Skip *s, IrRef phi)
{
    unsigned n = ir_pred_index(s->u, s->latch, s->head);
    return skip_resolve(s, s->u->phi_arg[insn(s, phi)->imm + n]);
}

static bool add_term(SkipSum *sum, IrRef ref, int64_t times)
{
    unsigned k = 0;
    while (k < sum->n && sum->ref[k] < ref)
        k++;
    if (k < sum->n && sum->ref[k] == ref) {
        sum->times[k] += times;
        if (sum->times[k])
            return true;
        sum->n--;
        for (; k < sum->n; k++) {
            sum->ref[k] = sum->ref[k + 1];
            sum->times[k] = sum->times[k + 1];
        }
        return true;
    }
    if (sum->n == SKIP_MAX_TERMS)
        return false;
    for (unsigned m = sum->n++; m > k; m--) {
        sum->ref[m] = sum->ref[m - 1];
        sum->times[m] = sum->times[m - 1];
    }
    sum->ref[k] = ref;
    sum->times[k] = times;
    return true;
}

/* v is a phi of the head and a constant. */
static bool is_phi_and_constant(const Skip *s, IrRef v, IrRef *ret_phi, int64_t *ret)
{
    *ret = 0;
    for (unsigned n = 0; n < 8; n++) {
        v = skip_resolve(s, v);
        const IrInsn *i = insn(s, v), *c = insn(s, i->arg[1]);
        if (skip_is_head_phi(s, v)) {
            *ret_phi = v;
            return true;
        }
        if (i->op != IR_add || c->op != IR_const)
            return false;
        *ret = (int64_t)((uint64_t)*ret + (uint64_t)c->imm);
        v = i->arg[0];
    }
    return false;
}

/* A pointer beside another one: from the second turn on they are so far apart as the way round
 * makes them. So the other one stands for it, with a guard. */
static bool follows(Skip *s, IrRef phi, IrRef *ret_phi, int64_t *ret)
{
    IrRef self;
    int64_t step;
    if (!is_phi_and_constant(s, skip_latch_value(s, phi), ret_phi, ret) || *ret_phi == phi ||
        !is_phi_and_constant(s, skip_latch_value(s, *ret_phi), &self, &step) || self != *ret_phi)
        return false;
    *ret = (int64_t)((uint64_t)*ret - (uint64_t)step);
    return skip_guard(s, (SkipGuard){ SKIP_APART, phi, *ret_phi, (uint64_t)*ret });
}

static bool add_to_sum(Skip *s, IrRef v, int64_t times, SkipSum *sum, unsigned depth)
{
    v = skip_resolve(s, v);
    const IrInsn *i = insn(s, v);
    if (i->type != IR_I64 || !depth)
        return false;
    if (i->op == IR_const) {
        sum->c = (int64_t)((uint64_t)sum->c + (uint64_t)times * (uint64_t)i->imm);
        return true;
    }
    IrRef other;
    int64_t apart;
    if (skip_is_head_phi(s, v) && follows(s, v, &other, &apart)) {
        sum->c = (int64_t)((uint64_t)sum->c + (uint64_t)times * (uint64_t)apart);
        return add_term(sum, other, times);
    }
    if (skip_is_invariant(s, v) || skip_is_head_phi(s, v))
        return add_term(sum, v, times);
    const IrInsn *b = insn(s, i->arg[1]);
    switch (i->op) {
    case IR_add:
        return add_to_sum(s, i->arg[0], times, sum, depth - 1) &&
               add_to_sum(s, i->arg[1], times, sum, depth - 1);
    case IR_sub:
        return add_to_sum(s, i->arg[0], times, sum, depth - 1) &&
               add_to_sum(s, i->arg[1], -times, sum, depth - 1);
    case IR_shl:
        return b->op == IR_const && (uint64_t)b->imm < 8 &&
               add_to_sum(s, i->arg[0], times << b->imm, sum, depth - 1);
    default:
        return false;
    }
}

enum { SUM_DEPTH = 8 };

bool skip_sum(Skip *s, IrRef v, SkipSum *ret)
{
    *ret = (SkipSum){ 0 };
    return add_to_sum(s, v, 1, ret, SUM_DEPTH);
}

bool skip_phi_step(Skip *s, IrRef phi, int64_t *ret)
{
    SkipSum next;
    if (insn(s, phi)->type != IR_I64 || !skip_sum(s, skip_latch_value(s, phi), &next) ||
        next.n != 1 || next.ref[0] != phi || next.times[0] != 1)
        return false;
    *ret = next.c;
    return next.c != 0;
}

bool skip_step(Skip *s, const SkipSum *sum, int64_t *ret)
{
    *ret = 0;
    for (unsigned k = 0; k < sum->n; k++) {
        int64_t step;
        if (!skip_is_head_phi(s, sum->ref[k]))
            continue;
        if (!skip_phi_step(s, sum->ref[k], &step))
            return false;
        *ret += sum->times[k] * step;
    }
    return true;
}

bool skip_same_terms(const SkipSum *a, const SkipSum *b)
{
    if (a->n != b->n)
        return false;
    for (unsigned k = 0; k < a->n; k++)
        if (a->ref[k] != b->ref[k] || a->times[k] != b->times[k])
            return false;
    return true;
}

/* -- what is read ------------------------------------------------------------------------------ */
const IrInsn *skip_data(const Skip *s, IrRef v, bool *ret_old)
{
    *ret_old = false;
    for (unsigned n = 0; n < 8; n++) {
        v = skip_resolve(s, v);
        const IrInsn *i = insn(s, v);
        if (i->op == IR_load)
            return skip_is_invariant(s, v) ||
                   i->attr & ~(unsigned)(IR_MEM_SIZE | IR_MEM_SIGNED | IR_MEM_SCALE) ? NULL : i;
        if (i->op == IR_trunc || i->op == IR_zext || i->op == IR_sext) {
            v = i->arg[0];
        } else if (skip_is_head_phi(s, v) && !*ret_old) {
            *ret_old = true;
            v = skip_latch_value(s, v);
        } else {
            return NULL;
        }
    }
    return NULL;
}

static const IrInsn *data(Skip *s, IrRef v)
{
    bool old;
    const IrInsn *i = skip_data(s, v, &old);
    s->old |= i && old;
    return i;
}

bool skip_address(Skip *s, const IrInsn *load, SkipSum *ret)
{
    unsigned scale = (load->attr & IR_MEM_SCALE) >> IR_MEM_SCALE_SHIFT;
    *ret = (SkipSum){ .c = load->imm };
    return add_to_sum(s, load->arg[0], 1, ret, SUM_DEPTH) &&
           (!load->arg[1] || add_to_sum(s, load->arg[1], 1 << scale, ret, SUM_DEPTH));
}

bool skip_same_byte(const SkipByte *x, const SkipByte *y)
{
    return x->kind == y->kind && x->of == y->of && x->flip == y->flip && x->most == y->most;
}

static bool same_test(const SkipTest *x, const SkipTest *y)
{
    if (x->equal != y->equal || x->bytes != y->bytes || x->a.c != y->a.c ||
        !skip_same_terms(&x->a, &y->a))
        return false;
    return x->equal ? x->b.c == y->b.c && skip_same_terms(&x->b, &y->b)
                    : skip_same_byte(&x->byte, &y->byte);
}

static bool add_test(Skip *s, SkipTest t)
{
    for (unsigned k = 0; k < s->n_tests; k++)
        if (same_test(&s->test[k], &t))
            return true;
    if (s->n_tests == SKIP_MAX)
        return false;
    s->test[s->n_tests++] = t;
    return true;
}

static bool differs(Skip *s, const IrInsn *load, SkipByte byte)
{
    SkipTest t = { .byte = byte, .bytes = 1u << (load->attr & IR_MEM_SIZE) };
    return skip_address(s, load, &t.a) && add_test(s, t);
}

static bool are_equal(Skip *s, IrRef a, IrRef b)
{
    bool old_x, old_y;
    const IrInsn *x = skip_data(s, a, &old_x), *y = skip_data(s, b, &old_y);
    if (!x || !y || old_x != old_y || (x->attr ^ y->attr) & (IR_MEM_SIZE | IR_MEM_SIGNED))
        return false;
    s->old |= old_x;
    SkipTest t = { .equal = true, .bytes = 1u << (x->attr & IR_MEM_SIZE) };
    return skip_address(s, x, &t.a) && skip_address(s, y, &t.b) && add_test(s, t);
}

bool skip_guard(Skip *s, SkipGuard g)
{
    for (unsigned k = 0; k < s->n_guards; k++)
        if (s->guard[k].kind == g.kind && s->guard[k].value == g.value &&
            s->guard[k].other == g.other && s->guard[k].is == g.is)
            return true;
    if (s->n_guards == SKIP_MAX)
        return false;
    s->guard[s->n_guards++] = g;
    return true;
}

/* The constant, or what doesn't change in the loop and is guessed to be it. */
static bool is_const(Skip *s, IrRef v, uint64_t c)
{
    v = skip_resolve(s, v);
    const IrInsn *i = insn(s, v);
    if (i->op == IR_const)
        return (uint64_t)i->imm == c;
    return i->type == IR_I64 && skip_is_invariant(s, v) &&
           skip_guard(s, (SkipGuard){ SKIP_IS, v, 0, c });
}

static bool is_vzero(const Skip *s, IrRef v)
{
    const IrInsn *i = insn(s, skip_resolve(s, v));
    return i->op == IR_vconst && !s->u->vconst[i->imm].lo && !s->u->vconst[i->imm].hi;
}

/* -- words ------------------------------------------------------------------------------------- */
/* No byte of the value is `flip`. */
static bool no_byte(Skip *s, IrRef v, uint8_t flip)
{
    const IrInsn *load = data(s, v);
    if (load)
        return differs(s, load, (SkipByte){ .flip = flip });
    const IrInsn *i = insn(s, skip_resolve(s, v));
    if (i->op != IR_xor)
        return false;
    for (unsigned k = 0; k < 2; k++) {
        IrRef other = skip_resolve(s, i->arg[!k]);
        if (skip_is_invariant(s, other) && insn(s, other)->type == IR_I64 &&
            (load = data(s, i->arg[k])))
            return skip_guard(s, (SkipGuard){ SKIP_SPLAT, other, 0, 0 }) &&
                   differs(s, load, (SkipByte){ .of = other, .flip = flip });
    }
    return false;
}

enum { MAX_FACTORS = 8 };
typedef struct Factors { IrRef yes[MAX_FACTORS], no[MAX_FACTORS]; unsigned n_yes, n_no; } Factors;

/* v, or ~v, as a conjunction. */
static void find_factors(const Skip *s, IrRef v, bool is, Factors *f)
{
    v = skip_resolve(s, v);
    const IrInsn *i = insn(s, v);
    if (f->n_yes == MAX_FACTORS || f->n_no == MAX_FACTORS)
        return;
    if (i->op == IR_not) {
        find_factors(s, i->arg[0], !is, f);
    } else if (i->op == (is ? IR_and : IR_or)) {
        find_factors(s, i->arg[0], is, f);
        find_factors(s, i->arg[1], is, f);
    } else if (is && i->op == IR_andn) {
        find_factors(s, i->arg[0], true, f);
        find_factors(s, i->arg[1], false, f);
    } else if (is) {
        f->yes[f->n_yes++] = v;
    } else {
        f->no[f->n_no++] = v;
    }
}

/* v is d less 1 in each byte. */
static bool is_less_ones(Skip *s, IrRef v, IrRef d)
{
    const IrInsn *i = insn(s, v);
    if (i->op == IR_sub)
        return skip_resolve(s, i->arg[0]) == d && is_const(s, i->arg[1], SPLAT);
    if (i->op != IR_add)
        return false;
    for (unsigned k = 0; k < 2; k++)
        if (skip_resolve(s, i->arg[k]) == d && is_const(s, i->arg[!k], -SPLAT))
            return true;
    return false;
}

static bool has_mask(Skip *s, const Factors *f)
{
    for (unsigned k = 0; k < f->n_no; k++)
        if (insn(s, f->no[k])->op == IR_const && (uint64_t)insn(s, f->no[k])->imm == 0x7f * SPLAT)
            return true;
    for (unsigned k = 0; k < f->n_yes; k++)
        if (skip_is_invariant(s, f->yes[k]))
            return is_const(s, f->yes[k], 0x80 * SPLAT);
    for (unsigned k = 0; k < f->n_no; k++)
        if (skip_is_invariant(s, f->no[k]))
            return is_const(s, f->no[k], 0x7f * SPLAT);
    return false;
}

static bool in_range(Skip *s, IrRef v, uint8_t from, uint8_t most)
{
    const IrInsn *load = data(s, v);
    return load && differs(s, load, (SkipByte){ .kind = SKIP_RANGE, .flip = from, .most = most });
}

/* d & 0x80…80, or (d - 0x01…01) & 0x80…80, with d loaded: 0 if each of its bytes is up to 0x7f, or
 * of 1 to 0x80. */
static bool is_sign_detector(Skip *s, const Factors *f)
{
    if (f->n_yes != 2 || f->n_no || !has_mask(s, f))
        return false;
    IrRef v = f->yes[skip_is_invariant(s, f->yes[0])];
    if (in_range(s, v, 0, 0x7f))
        return true;
    const IrInsn *i = insn(s, v);
    for (unsigned k = 0; k < 2 && (i->op == IR_add || i->op == IR_sub); k++) {
        IrRef d = skip_resolve(s, i->arg[k]);
        if (is_less_ones(s, v, d) && in_range(s, d, 1, 0x7f))
            return true;
    }
    return false;
}

/* (d - 0x01…01) & ~d & 0x80…80: 0 if no byte of d is 0. */
static bool is_zero_detector(Skip *s, IrRef v)
{
    Factors f = { 0 };
    find_factors(s, v, true, &f);
    unsigned before = s->n_guards;
    if (is_sign_detector(s, &f))
        return true;
    s->n_guards = before;
    for (unsigned n = 0; n < f.n_no; n++)
        for (unsigned y = 0; y < f.n_yes; y++) {
            unsigned guards = s->n_guards;
            if (is_less_ones(s, f.yes[y], f.no[n]) && has_mask(s, &f) && no_byte(s, f.no[n], 0))
                return true;
            s->n_guards = guards;
        }
    return false;
}

/* ((d + m) ^ d) | m with m = 0x7efefefefefefeff: all ones if no byte of d is 0 or 0x80. */
static bool is_carry_detector(Skip *s, IrRef v, IrRef m)
{
    v = skip_resolve(s, v);
    const IrInsn *i = insn(s, v);
    if (i->op == IR_and)
        return is_carry_detector(s, i->arg[0], m) && is_carry_detector(s, i->arg[1], m);
    if (i->op != IR_xor)
        return false;
    for (unsigned k = 0; k < 2; k++) {
        const IrInsn *sum = insn(s, skip_resolve(s, i->arg[k]));
        IrRef d = skip_resolve(s, i->arg[!k]);
        if (sum->op != IR_add)
            continue;
        for (unsigned j = 0; j < 2; j++)
            if (skip_resolve(s, sum->arg[j]) == d && skip_resolve(s, sum->arg[!j]) == m)
                return no_byte(s, d, 0) && no_byte(s, d, 0x80);
    }
    return false;
}

/* Clean bytes make this all ones. */
static bool is_ones(Skip *s, IrRef v)
{
    const IrInsn *i = insn(s, skip_resolve(s, v));
    if (i->op != IR_or)
        return false;
    for (unsigned k = 0; k < 2; k++) {
        IrRef m = skip_resolve(s, i->arg[k]);
        if (skip_is_invariant(s, m))
            return is_const(s, m, 0x7efefefefefefeff) && is_carry_detector(s, i->arg[!k], m);
    }
    return false;
}

/* -- vectors ----------------------------------------------------------------------------------- */
static bool is_vzero_if_clean(Skip *s, IrRef v);

/* Clean bytes make no byte of it 0. */
static bool is_nonzero_if_clean(Skip *s, IrRef v)
{
    v = skip_resolve(s, v);
    const IrInsn *i = insn(s, v), *load;
    switch (i->op) {
    case IR_vmin:
        return i->cc == IR_LANE_I8 && !(i->attr & IR_V_SIGNED) &&
               is_nonzero_if_clean(s, i->arg[0]) && is_nonzero_if_clean(s, i->arg[1]);
    case IR_vuzp1: case IR_vuzp2: case IR_vzip1: case IR_vzip2: case IR_vext:
        return is_nonzero_if_clean(s, i->arg[0]) && is_nonzero_if_clean(s, i->arg[1]);
    default:
        return (load = data(s, v)) && differs(s, load, (SkipByte){ 0 });
    }
}

static bool is_compare_zero(Skip *s, const IrInsn *i)
{
    if (i->cc != IR_LANE_I8)
        return false;
    for (unsigned k = 0; k < 2; k++) {
        IrRef other = skip_resolve(s, i->arg[!k]);
        if (is_vzero(s, other))
            return is_nonzero_if_clean(s, i->arg[k]);
        const IrInsn *load = skip_is_invariant(s, other) ? data(s, i->arg[k]) : NULL;
        if (load)
            return skip_guard(s, (SkipGuard){ SKIP_VSPLAT, other, 0, 0 }) &&
                   differs(s, load, (SkipByte){ .of = other, .vector = true });
    }
    return false;
}

static bool is_vzero_if_clean(Skip *s, IrRef v)
{
    v = skip_resolve(s, v);
    const IrInsn *i = insn(s, v);
    if (i->type != IR_V128)
        return false;
    switch (i->op) {
    case IR_vcmpeq:
        return is_compare_zero(s, i);
    case IR_vcmpge: /* 0 >= d, for d that isn't 0 */
        return i->cc == IR_LANE_I8 && !(i->attr & IR_V_SIGNED) && is_vzero_if_clean(s, i->arg[0]) &&
               is_nonzero_if_clean(s, i->arg[1]);
    case IR_vxor:
        return are_equal(s, i->arg[0], i->arg[1]) ||
               (is_vzero_if_clean(s, i->arg[0]) && is_vzero_if_clean(s, i->arg[1]));
    case IR_vor: case IR_vadd: case IR_vmax: case IR_vuzp1: case IR_vuzp2: case IR_vzip1:
    case IR_vzip2: case IR_vtrn1: case IR_vtrn2: case IR_vext:
        return is_vzero_if_clean(s, i->arg[0]) &&
               (i->arg[0] == i->arg[1] || is_vzero_if_clean(s, i->arg[1]));
    case IR_vand:
        return is_vzero_if_clean(s, i->arg[skip_is_invariant(s, skip_resolve(s, i->arg[0]))]);
    case IR_vshl: case IR_vshru: case IR_vnarrow: case IR_vlow: case IR_vrev: case IR_vpaddl:
        return is_vzero_if_clean(s, i->arg[0]);
    default:
        return false;
    }
}

static bool match(Skip *s, IrRef cond, bool is);

/* Clean bytes, within bounds, make it 0. */
static bool is_zero(Skip *s, IrRef v)
{
    v = skip_resolve(s, v);
    const IrInsn *i = insn(s, v), *other;
    switch (i->op) {
    case IR_select: /* of 0 and what isn't: strncmp's difference, or all ones at its end */
        other = insn(s, i->arg[2]);
        return other->op == IR_const && other->imm && match(s, i->arg[0], true) &&
               is_zero(s, i->arg[1]);
    case IR_zext: case IR_sext: case IR_trunc:
        return is_zero(s, i->arg[0]);
    case IR_vget:
        return is_vzero_if_clean(s, i->arg[0]);
    case IR_or:
        return is_zero(s, i->arg[0]) && is_zero(s, i->arg[1]);
    case IR_xor: case IR_sub:
        return are_equal(s, i->arg[0], i->arg[1]);
    case IR_and: case IR_andn:
        return is_zero_detector(s, v);
    default:
        return false;
    }
}

/* -- conditions -------------------------------------------------------------------------------- */
static bool same(Skip *s, IrRef a, IrRef b)
{
    const IrInsn *i = insn(s, skip_resolve(s, b));
    if (i->op == IR_const && !i->imm)
        return is_zero(s, a);
    if (skip_is_invariant(s, skip_resolve(s, b)))
        return is_ones(s, a) && is_const(s, b, UINT64_MAX);
    return are_equal(s, a, b);
}

/* A byte that was read isn't what the loop looks for, or a word isn't; more of the value than that
 * doesn't matter, as stopping early does no harm. */
static bool differ(Skip *s, IrRef a, IrRef b)
{
    const IrInsn *load = data(s, a);
    b = skip_resolve(s, b);
    while (!skip_is_invariant(s, b) && (insn(s, b)->op == IR_trunc || insn(s, b)->op == IR_zext))
        b = skip_resolve(s, insn(s, b)->arg[0]);
    if (!load || !skip_is_invariant(s, b))
        return false;
    const IrInsn *i = insn(s, b);
    if ((load->attr & IR_MEM_SIZE) == 2)
        return (i->type == IR_I64 || i->type == IR_I32) &&
               differs(s, load, (SkipByte){ .kind = SKIP_WORD, .of = b });
    if (load->attr & IR_MEM_SIZE)
        return false;
    if (i->op == IR_const)
        return differs(s, load, (SkipByte){ .flip = (uint8_t)i->imm });
    return (i->type == IR_I64 || i->type == IR_I32) &&
           differs(s, load, (SkipByte){ .of = b });
}

static bool is_bound(Skip *s, IrCc cc, IrRef a, IrRef b)
{
    static const uint8_t swapped[] = { IR_CMP_EQ, IR_CMP_NE, IR_CMP_UGT, IR_CMP_ULE, IR_CMP_UGE,
                                       IR_CMP_ULT, IR_CMP_SGT, IR_CMP_SLE, IR_CMP_SGE, IR_CMP_SLT };
    if (skip_is_invariant(s, skip_resolve(s, a))) {
        IrRef t = a;
        a = b;
        b = t;
        cc = swapped[cc - IR_CMP_EQ];
    }
    b = skip_resolve(s, b);
    SkipBound x = { .bound = b, .cc = cc };
    if (insn(s, b)->type != IR_I64 || !skip_is_invariant(s, b) || !skip_sum(s, a, &x.x) ||
        !skip_step(s, &x.x, &x.step) || !x.step || s->n_bounds == SKIP_MAX)
        return false;
    bool less = cc == IR_CMP_ULT || cc == IR_CMP_ULE || cc == IR_CMP_SLT || cc == IR_CMP_SLE;
    if (cc == IR_CMP_EQ || (cc != IR_CMP_NE && less != (x.step > 0)))
        return false;
    s->bound[s->n_bounds++] = x;
    return true;
}

/* The low eight bits of something, or what is compared itself. */
static IrRef low_byte(const Skip *s, IrRef v, bool *ret_masked)
{
    *ret_masked = false;
    for (unsigned n = 0; n < 8; n++) {
        v = skip_resolve(s, v);
        const IrInsn *i = insn(s, v), *mask = insn(s, i->arg[1]);
        if ((i->op == IR_and && mask->op == IR_const && mask->imm == 255) ||
            (i->op == IR_ubfx && i->attr == 8 << 8))
            *ret_masked = true;
        else if (i->op != IR_zext && i->op != IR_trunc)
            return v;
        v = i->arg[0];
    }
    return v;
}

/* A byte, from which a constant has been taken perhaps, is up to another one; a byte is a constant;
 * something is 0. */
static bool is_range(Skip *s, IrCc cc, IrRef a, IrRef b)
{
    const IrInsn *k = insn(s, skip_resolve(s, b)), *load;
    if (k->op != IR_const || (cc != IR_CMP_ULT && cc != IR_CMP_ULE && cc != IR_CMP_EQ))
        return false;
    uint64_t most = k->type == IR_I32 ? (uint32_t)k->imm : (uint64_t)k->imm;
    if (cc == IR_CMP_EQ && !most)
        return in_range(s, a, 0, 0);
    most -= cc == IR_CMP_ULT;
    if (most > 255)
        return false;
    bool masked;
    uint64_t from = 0;
    IrRef v = low_byte(s, a, &masked);
    const IrInsn *i = insn(s, v), *c = insn(s, i->arg[1]);
    if ((i->op == IR_add || i->op == IR_sub) && c->op == IR_const) {
        from = i->op == IR_sub ? (uint64_t)c->imm : -(uint64_t)c->imm;
        if (i->type == IR_I32)
            from = (uint32_t)from;
        v = i->arg[0];
    }
    if (!masked && (from > 255 || from + most > 255))
        return false;
    if (!(load = data(s, v)) || load->attr & IR_MEM_SIZE ||
        (!masked && load->attr & IR_MEM_SIGNED))
        return false;
    if (cc == IR_CMP_EQ) {
        from += most;
        most = 0;
    }
    return in_range(s, v, (uint8_t)from, (uint8_t)most);
}

static bool is_compared(Skip *s, IrCc cc, IrRef a, IrRef b)
{
    if (cc == IR_CMP_EQ && (same(s, a, b) || same(s, b, a)))
        return true;
    if (cc == IR_CMP_NE && (differ(s, a, b) || differ(s, b, a)))
        return true;
    if (is_range(s, cc, a, b))
        return true;
    if (cc == IR_CMP_EQ)
        return false;
    return is_bound(s, cc, a, b);
}

static bool is_flag_condition(Skip *s, IrCc cc, IrRef flags)
{
    static const uint8_t cmp[] = { IR_CMP_EQ, IR_CMP_NE, IR_CMP_UGE, IR_CMP_ULT, 0, 0, 0, 0,
                                   IR_CMP_UGT, IR_CMP_ULE, IR_CMP_SGE, IR_CMP_SLT, IR_CMP_SGT,
                                   IR_CMP_SLE };
    flags = skip_resolve(s, flags);
    const IrInsn *i = insn(s, flags);
    if (i->op == IR_flsub && cmp[cc])
        return is_compared(s, cmp[cc], i->arg[0], i->arg[1]);
    return i->op == IR_flogic && cc == IR_CC_EQ && is_zero(s, i->arg[0]);
}

static bool match(Skip *s, IrRef cond, bool is)
{
    cond = skip_resolve(s, cond);
    const IrInsn *i = insn(s, cond);
    switch (i->op) {
    case IR_bnot:
        return match(s, i->arg[0], !is);
    case IR_bor:
        return !is && match(s, i->arg[0], false) && match(s, i->arg[1], false);
    case IR_band:
        return is && match(s, i->arg[0], true) && match(s, i->arg[1], true);
    case IR_cmp:
        return is_compared(s, i->cc ^ !is, i->arg[0], i->arg[1]);
    case IR_cond:
        return is_flag_condition(s, i->cc ^ !is, i->arg[0]);
    default:
        return false;
    }
}

bool skip_match(Skip *s, IrRef cond, bool is)
{
    unsigned tests = s->n_tests, bounds = s->n_bounds, guards = s->n_guards;
    s->old = false;
    if (s->n_conds < SKIP_MAX && match(s, cond, is)) {
        s->cond[s->n_conds] = cond;
        s->cond_is[s->n_conds] = is;
        s->cond_old[s->n_conds++] = s->old;
        return true;
    }
    s->n_tests = tests;
    s->n_bounds = bounds;
    s->n_guards = guards;
    return false;
}
