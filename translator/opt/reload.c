/* data plane */
/*
 * A load of what the same thread has stored before takes the value that was stored: registers that
 * an inlined function saves and restores, arguments on the stack. The store stays.
 *
 * What is known to lie in memory is kept by addresses that are the same value plus constants. A
 * store to another value's address may overwrite all of it, since nothing is known of how two
 * values lie to each other. So do calls, fences, atomic operations and accesses with an order, and
 * what leaves the unit to come back. Where paths join, what all of them know stays; at a loop's
 * head, nothing, so that no loop waits for a value in memory for ever. Loads make nothing known:
 * the order between two loads of one place is kept as the guest has it.
 */
#include "translator/guest/isa.h"
#include "translator/opt/alias.h"
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"

enum { MAX_KNOWN = 16, MAX_CHAIN = 16, PAGE_BYTES = 4096 };

/* Memory at base + (index << scale) + disp holds the value's low bytes. */
typedef struct Known {
    IrRef base, index, value;
    int64_t disp;
    uint32_t attr; /* of the store */
} Known;

typedef struct Memory {
    unsigned n;
    Known known[MAX_KNOWN];
} Memory;

typedef struct Out { /* what is known at a block's end, once that has been walked */
    const Known *known;
    unsigned n;
    bool reached;
} Out;

typedef struct Reload {
    IrUnit *u;
    const Cfg *c;
    OptAlias alias;
    Out *out; /* [n_blocks] */
} Reload;

enum { ORDERED = IR_MEM_BE | IR_MEM_ACQUIRE | IR_MEM_RELEASE | IR_MEM_ATOMIC };

static int64_t bytes_of(uint32_t attr) { return (int64_t)1 << (attr & IR_MEM_SIZE); }

/* The place of an access; constants of its base are in disp. */
static Known place(const IrUnit *u, const IrInsn *i)
{
    Known k = { i->arg[0], i->arg[1], 0, i->imm, i->attr };
    for (unsigned n = 0; n < MAX_CHAIN; n++) {
        const IrInsn *x = &u->insn[k.base];
        bool sum = (x->op == IR_add || x->op == IR_sub) && u->insn[x->arg[1]].op == IR_const;
        if (!sum)
            break;
        uint64_t c = (uint64_t)u->insn[x->arg[1]].imm;
        k.disp = (int64_t)((uint64_t)k.disp + (x->op == IR_add ? c : -c));
        k.base = x->arg[0];
    }
    return k;
}

static bool same_base(const Known *a, const Known *b)
{
    return a->base == b->base && a->index == b->index &&
           (!a->index || (a->attr & IR_MEM_SCALE) == (b->attr & IR_MEM_SCALE));
}

/* Different addresses, and different in their pages: programs map a buffer twice in a row. */
static bool apart(const Known *a, const Known *b)
{
    int64_t d = (int64_t)((uint64_t)b->disp - (uint64_t)a->disp) & (PAGE_BYTES - 1);
    return same_base(a, b) && d >= bytes_of(a->attr) && PAGE_BYTES - d >= bytes_of(b->attr);
}

static bool equal(const Known *a, const Known *b)
{
    return same_base(a, b) && a->disp == b->disp && a->attr == b->attr && a->value == b->value;
}

static void store(Memory *m, Known s)
{
    unsigned n = 0;
    for (unsigned k = 0; k < m->n; k++)
        if (apart(&m->known[k], &s))
            m->known[n++] = m->known[k];
    m->n = n;
    if (s.attr & ORDERED)
        return;
    if (m->n == MAX_KNOWN) { /* the oldest goes */
        memmove(m->known, m->known + 1, (MAX_KNOWN - 1) * sizeof *m->known);
        m->n--;
    }
    m->known[m->n++] = s;
}

/* -- the value as the load's ------------------------------------------------------------------- */
static IrRef make(Reload *r, uint32_t block, IrRef at, IrOp op, IrType type, unsigned attr, IrRef a)
{
    IrInsn i = { .op = op, .type = type, .attr = attr, .arg = { a } };
    return ir_insert_in(r->u, block, at, &i);
}

static bool is_int(IrType t) { return t == IR_I32 || t == IR_I64; }

static IrRef integer(Reload *r, uint32_t block, IrRef at, IrRef v, const IrInsn *load)
{
    unsigned size = load->attr & IR_MEM_SIZE;
    bool sign = load->attr & IR_MEM_SIGNED;
    if (size == 3)
        return v;
    if (r->u->insn[v].type == IR_I64)
        v = make(r, block, at, IR_trunc, IR_I32, 0, v);
    if (size < 2)
        v = make(r, block, at, sign ? IR_sbfx : IR_ubfx, IR_I32, 8u << size << 8, v);
    return load->type == IR_I32 ? v : make(r, block, at, sign ? IR_sext : IR_zext, IR_I64, 0, v);
}

/* What the load gives if `v` is there; 0: no operation makes that. */
static IrRef as_loaded(Reload *r, uint32_t block, IrRef at, IrRef v)
{
    IrInsn load = r->u->insn[at];
    IrType from = (IrType)r->u->insn[v].type, to = (IrType)load.type;
    unsigned size = load.attr & IR_MEM_SIZE;
    if (is_int(from) && is_int(to))
        return integer(r, block, at, v, &load);
    if (from == to)
        return v;
    if ((from == IR_F64 && to == IR_I64) || (from == IR_F32 && is_int(to))) {
        IrType bits = from == IR_F64 ? IR_I64 : IR_I32;
        return integer(r, block, at, make(r, block, at, IR_f2bits, bits, 0, v), &load);
    }
    if (to == IR_F64 && from == IR_I64)
        return make(r, block, at, IR_bits2f, IR_F64, 0, v);
    if (to == IR_F32 && is_int(from) && size == 2) {
        if (from == IR_I64)
            v = make(r, block, at, IR_trunc, IR_I32, 0, v);
        return make(r, block, at, IR_bits2f, IR_F32, 0, v);
    }
    return 0;
}

static void load(Reload *r, uint32_t block, IrRef ref, const Memory *m)
{
    IrUnit *u = r->u;
    Known l = place(u, &u->insn[ref]);
    for (unsigned k = m->n; k-- > 0;) {
        const Known *s = &m->known[k];
        if (!same_base(s, &l) || s->disp != l.disp ||
            (s->attr ^ l.attr) & IR_MEM_SIZE || l.attr & ~s->attr & IR_MEM_ALIGN)
            continue;
        IrRef v = as_loaded(r, block, ref, s->value);
        if (!v)
            return;
        opt_set_alias(&r->alias, ref, v);
        ir_remove(u, block, ref);
        return;
    }
}

/* -- the walk ---------------------------------------------------------------------------------- */
static void join(Memory *m, const Out *other)
{
    unsigned n = 0;
    for (unsigned k = 0; k < m->n; k++)
        for (unsigned j = 0; j < other->n; j++)
            if (equal(&m->known[k], &other->known[j])) {
                m->known[n++] = m->known[k];
                break;
            }
    m->n = n;
}

static void enter(Reload *r, uint32_t block, Memory *m)
{
    const Cfg *c = r->c;
    uint32_t first = c->pred_start[block], end = c->pred_start[block + 1];
    m->n = 0;
    for (uint32_t p = first; p < end; p++) {
        const Out *from = &r->out[c->pred[p]];
        if (!from->reached) { /* a way back */
            m->n = 0;
            return;
        }
        if (p != first)
            join(m, from);
        else if ((m->n = from->n))
            memcpy(m->known, from->known, m->n * sizeof *m->known);
    }
}

/* Pure helpers don't touch memory; what leaves for good tells nothing here. */
static bool forgets(const IrUnit *u, const IrInsn *i)
{
    if (i->op == IR_call)
        return !(u->isa->helpers[i->imm].flags & IR_HELPER_PURE);
    if (i->op == IR_poll || ir_is_gcall(i->op))
        return true;
    return ir_op_info[i->op].flags & (IR_OPF_R | IR_OPF_W) && i->op != IR_fpgetflags &&
           i->op != IR_fpsetflags && i->op != IR_fpsetctl && i->op != IR_scan;
}

static void visit(Reload *r, uint32_t block, IrRef ref, Memory *m)
{
    IrUnit *u = r->u;
    opt_resolve_args(&r->alias, ref);
    IrInsn *i = &u->insn[ref];
    if (i->op == IR_load && !(i->attr & ORDERED)) {
        load(r, block, ref, m);
    } else if (i->op == IR_store) {
        Known s = place(u, i);
        s.value = i->arg[2];
        store(m, s);
    } else if (forgets(u, i)) {
        m->n = 0;
    }
}

static void walk(Reload *r, uint32_t block)
{
    IrUnit *u = r->u;
    Memory m;
    Out *out = &r->out[block];
    enter(r, block, &m);
    for (IrRef ref = u->block[block].first, next; ref; ref = next) {
        next = u->insn[ref].next;
        visit(r, block, ref, &m);
    }
    out->reached = true;
    out->n = m.n;
    if (!m.n)
        return;
    Known *known = arena_alloc_raw(u->arena, m.n * sizeof *known);
    memcpy(known, m.known, m.n * sizeof *known);
    out->known = known;
}

void opt_reload(IrUnit *u)
{
    if (u->flags & (IR_UNIT_SOFT_TLB | IR_UNIT_ALONE))
        return;
    Reload r = { u, opt_cfg_new(u), opt_alias_new(u), NULL };
    r.out = arena_alloc(u->arena, u->n_blocks * sizeof *r.out);
    for (uint32_t k = 0; k < r.c->n_rpo; k++)
        walk(&r, r.c->rpo[k]);
    for (uint32_t b = 0; b < u->n_blocks; b++) /* arguments that come round a loop */
        for (IrRef ref = u->block[b].first; ref; ref = u->insn[ref].next)
            opt_resolve_args(&r.alias, ref);
    u->uses_known = false;
}
