/* data plane */
/*
 * Stores of bytes side by side become one store of a word. Compilers for guests that needn't have
 * misaligned accesses copy whatever may be misaligned so, a byte at a time, and load the word from
 * the copy; no host forwards many stores to one load, so it waited for all of them, while a word's
 * store is what opt/reload.c takes the value of.
 *
 * Four or eight stores in a row, in any order among themselves, with nothing between them that
 * could see one. The word is stored where the first of them stands. The bytes come from registers,
 * as they would; it is made of them unless they are parts of one value anyway.
 *
 * If the word's store faults, the first bytes could have been stored, and the guest sees which one
 * fails. So they are stored again one by one, by another translation: the state at the fault is
 * that of the first byte's store (IR_MEM_MERGED, IR_UNIT_NO_GUESS).
 */
#include "translator/ir/arena.h"
#include "translator/opt/opt.h"

enum { MAX_RUN = 16, MOST = 8, LEAST = 4, MAX_HOIST = 32 };

typedef struct Bytes {
    IrUnit *u;
    uint32_t block;
    uint32_t *place, n; /* of the block's instructions; of new ones none, they are before */
    IrRef run[MAX_RUN]; /* stores to one base */
    unsigned n_run;
} Bytes;

static IrRef make(Bytes *b, IrRef at, IrOp op, IrType type, unsigned attr, IrRef x, IrRef y)
{
    IrInsn i = { .op = op, .type = type, .attr = attr, .arg = { x, y } };
    return ir_insert_in(b->u, b->block, at, &i);
}

static IrRef constant(Bytes *b, IrRef at, IrType type, uint64_t bits)
{
    IrInsn i = { .op = IR_const, .type = type, .imm = (int64_t)bits };
    return ir_insert_in(b->u, b->block, at, &i);
}

/* -- values before the first store ------------------------------------------------------------- */

static bool is_before(const Bytes *b, IrRef v, IrRef at)
{
    return v >= b->n || !b->place[v] || b->place[v] < b->place[at];
}

/* What computes v, from behind `at` to before it; false: it can't be there. */
static bool hoist(Bytes *b, IrRef v, IrRef at, unsigned *budget)
{
    if (is_before(b, v, at))
        return true;
    const IrInsn i = b->u->insn[v];
    if (!(ir_op_info[i.op].flags & IR_OPF_P) || !*budget)
        return false;
    --*budget;
    for (unsigned a = 0; a < ir_op_info[i.op].n_args; a++)
        if (i.arg[a] && !hoist(b, i.arg[a], at, budget))
            return false;
    ir_move(b->u, b->block, v, b->block, at);
    b->place[v] = 0;
    return true;
}

/* -- what the bytes are of --------------------------------------------------------------------- */

typedef struct Part { IrRef of; unsigned shift; } Part; /* bits shift … shift + 7 of the value */

static unsigned width(const IrUnit *u, IrRef v) { return u->insn[v].type == IR_I64 ? 64 : 32; }

/* One step to what these bits are taken from; false: they are v's own. */
static bool step(const IrUnit *u, Part *p)
{
    const IrInsn *i = &u->insn[p->of], *c = i->arg[1] ? &u->insn[i->arg[1]] : NULL;
    unsigned lsb = i->attr & 0xff, len = i->attr >> 8 & 0xff, shift = p->shift;
    switch (i->op) {
    case IR_copy: case IR_trunc:
        break;
    case IR_zext: case IR_sext:
        if (shift + 8 > 32)
            return false;
        break;
    case IR_shr: case IR_sar:
        if (c->op != IR_const)
            return false;
        shift += c->imm & (width(u, p->of) - 1);
        if (shift + 8 > width(u, p->of))
            return false;
        break;
    case IR_ubfx: case IR_sbfx:
        if (shift + 8 > len)
            return false;
        shift += lsb;
        break;
    default:
        return false;
    }
    p->of = i->arg[0];
    p->shift = shift;
    return true;
}

/* The value whose part v's lowest byte is, so that it is at `want`; false: there is none. */
static bool part_of(const IrUnit *u, IrRef v, unsigned want, Part *ret)
{
    enum { MAX_STEPS = 6 };
    *ret = (Part){ v, 0 };
    for (unsigned n = 0; ret->shift != want; n++)
        if (n == MAX_STEPS || !step(u, ret))
            return false;
    return true;
}

/* The value that has all the bytes, lowest first, or highest (swapped); 0: none. */
static IrRef common_value(Bytes *b, const IrRef *byte, unsigned n, bool swapped)
{
    IrRef whole = byte[swapped ? n - 1 : 0];
    for (unsigned more = 0; more < 3; more++) {
        bool all = width(b->u, whole) >= 8 * n;
        for (unsigned k = 0; k < n && all; k++) {
            Part p;
            all = part_of(b->u, byte[k], 8 * (swapped ? n - 1 - k : k), &p);
            /* the same bits by other names: extensions of it */
            for (unsigned s = 0; all && p.of != whole && s < 4; s++)
                all = step(b->u, &p) && p.shift == 8 * (swapped ? n - 1 - k : k);
            all = all && p.of == whole;
        }
        if (all)
            return whole;
        Part p = { whole, 0 };
        if (!step(b->u, &p) || p.shift)
            return 0;
        whole = p.of;
    }
    return 0;
}

/* -- making the word --------------------------------------------------------------------------- */

/* Is nothing above the lowest byte? */
static bool is_byte(const IrInsn *i)
{
    return (i->op == IR_load && !(i->attr & (IR_MEM_SIZE | IR_MEM_SIGNED))) ||
           (i->op == IR_ubfx && (i->attr >> 8 & 0xff) <= 8) ||
           (i->op == IR_const && (uint64_t)i->imm < 256);
}

static IrRef word_of(Bytes *b, IrRef at, const IrRef *byte, unsigned n)
{
    IrRef part[MOST];
    for (unsigned k = 0; k < n; k++) {
        IrRef v = byte[k];
        if (k < MOST - 1 && !is_byte(&b->u->insn[v]))
            v = make(b, at, IR_ubfx, b->u->insn[v].type, 8 << 8, v, 0);
        if (b->u->insn[v].type == IR_I32)
            v = make(b, at, IR_zext, IR_I64, 0, v, 0);
        part[k] = v;
    }
    for (unsigned bytes = 1; n > 1; bytes *= 2, n /= 2)
        for (unsigned k = 0; k < n / 2; k++) {
            IrRef c = constant(b, at, IR_I64, 8 * bytes);
            IrRef high = make(b, at, IR_shl, IR_I64, 0, part[2 * k + 1], c);
            part[k] = make(b, at, IR_or, IR_I64, 0, part[2 * k], high);
        }
    return part[0];
}

static IrRef narrow(Bytes *b, IrRef at, IrRef v, unsigned n)
{
    return n == 4 && b->u->insn[v].type == IR_I64 ? make(b, at, IR_trunc, IR_I32, 0, v, 0) : v;
}

static bool is_int(const IrUnit *u, IrRef v)
{
    return u->insn[v].type == IR_I64 || u->insn[v].type == IR_I32;
}

/* The stores `ref`, in the guest's order, become one if they are n bytes side by side. */
static bool merge(Bytes *b, const IrRef *ref, unsigned n)
{
    IrUnit *u = b->u;
    IrRef at = ref[0], byte[MOST] = { 0 };
    int64_t low = u->insn[at].imm;
    for (unsigned k = 1; k < n; k++)
        low = u->insn[ref[k]].imm < low ? u->insn[ref[k]].imm : low;
    for (unsigned k = 0; k < n; k++) {
        const IrInsn *s = &u->insn[ref[k]];
        uint64_t where = (uint64_t)s->imm - (uint64_t)low;
        if (where >= n || byte[where] || !is_int(u, s->arg[2]))
            return false;
        byte[where] = s->arg[2];
    }
    unsigned budget = MAX_HOIST;
    for (unsigned k = 0; k < n; k++)
        if (!hoist(b, byte[k], at, &budget))
            return false;
    IrRef v = common_value(b, byte, n, false), back = v ? 0 : common_value(b, byte, n, true);
    IrInsn store = u->insn[at];
    if (v) {
        v = narrow(b, at, v, n);
    } else if (back) {
        back = narrow(b, at, back, n);
        v = make(b, at, IR_bswap, u->insn[back].type, 0, back, 0);
    } else {
        v = narrow(b, at, word_of(b, at, byte, n), n);
    }
    store.attr = IR_MEM_MERGED | (n == 8 ? 3 : 2);
    store.type = u->insn[v].type;
    store.arg[2] = v;
    store.imm = low;
    ir_insert_in(u, b->block, at, &store);
    for (unsigned k = 0; k < n; k++)
        ir_remove(u, b->block, ref[k]);
    u->uses_known = false;
    return true;
}

static void end_run(Bytes *b)
{
    for (unsigned k = 0; k + LEAST <= b->n_run;) {
        if (k + 8 <= b->n_run && merge(b, b->run + k, 8))
            k += 8;
        else
            k += merge(b, b->run + k, 4) ? 4 : 1;
    }
    b->n_run = 0;
}

static void visit(Bytes *b, IrRef r)
{
    const IrInsn *i = &b->u->insn[r];
    bool byte = i->op == IR_store && !i->attr && !i->arg[1];
    if (!byte) {
        if (ir_op_info[i->op].flags & (IR_OPF_R | IR_OPF_W | IR_OPF_M | IR_OPF_E | IR_OPF_Z) ||
            i->op == IR_call)
            end_run(b);
        return;
    }
    if (b->n_run == MAX_RUN || (b->n_run && b->u->insn[b->run[0]].arg[0] != i->arg[0]))
        end_run(b);
    b->run[b->n_run++] = r;
}

void opt_bytes(IrUnit *u)
{
    if (u->flags & (IR_UNIT_SOFT_TLB | IR_UNIT_ALONE | IR_UNIT_NO_GUESS | IR_UNIT_TAGGED))
        return;
    Bytes b = { .u = u, .n = u->n_insns };
    b.place = arena_alloc(u->arena, b.n * sizeof *b.place);
    for (b.block = 0; b.block < u->n_blocks; b.block++) {
        uint32_t at = 0;
        for (IrRef r = u->block[b.block].first; r; r = u->insn[r].next)
            b.place[r] = ++at;
        for (IrRef r = u->block[b.block].first, next; r; r = next) {
            next = u->insn[r].next;
            visit(&b, r);
        }
        end_run(&b);
        for (IrRef r = u->block[b.block].first; r; r = u->insn[r].next)
            if (r < b.n)
                b.place[r] = 0;
    }
}
