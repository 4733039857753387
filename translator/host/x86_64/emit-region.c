/* data plane */
/*
 * Code of a region: its blocks in layout order, and the branches between them. What an edge has to
 * move (regalloc/region.h) stands in line where the way falls through, else out of line, except for
 * the likely side of a branch, before a jump.
 */
#include "translator/host/x86_64/emit-state.h"
#include "translator/ir/arena.h"
#include "translator/regalloc/region.h"

/*
 * Where loops without a loop inside begin. Zen's op cache has entries of six instructions of one
 * line of 64 bytes, and gives two in a cycle; a third of the same line costs two cycles more. So
 * what fits into one line and two entries begins with the line, and what doesn't in its middle, so
 * that the first line has no more than two. Measured on loops of no-operations of three to six
 * bytes: 13 to 16 of four bytes took 3.0 cycles a turn from a line's start and 1.7 to 2.0 from its
 * middle, 33 of them 7.1 and 4.3; from elsewhere anything between.
 */
enum { LOOP_ALIGN = 32, LINE_BYTES = 64, LINE_OPS = 12, NO_LOOP = UINT32_MAX };
/* Most loops that are guessed to have more than so many operations don't fit. */
enum { GUESSED_OPS = 6 };

typedef struct BlockEmit {
    Label start;
    HostFlags flags;    /* of a block with one predecessor, as that left them */
} BlockEmit;

struct RegionEmit {
    BlockEmit *block;
    uint32_t current, next; /* the next one that will be emitted; n_blocks: none */
    uint32_t loop;          /* head of the inner loop that is being emitted, or NO_LOOP */
    uint32_t loop_ops;      /* Emit.n_ops and place at its start */
    const uint8_t *loop_start;
};

static Label *start_of(Emit *e, uint32_t b) { return &e->s->region->block[b].start; }

static const RaEdge *edge_to(Emit *e, uint32_t b)
{
    BlockEmit *x = &e->s->region->block[b];
    const RaEdge *edge = ra_edge(e->ra, b);
    if (e->ra->region->block[b].n_preds == 1)
        x->flags = e->s->flags;
    return edge;
}

static void go_to(Emit *e, const RaEdge *edge, uint32_t b)
{
    ra_edge_emit(e->ra, edge);
    if (b != e->s->region->next)
        enc_jmp(e, start_of(e, b));
}

static void select_br(Emit *e, IrInsn *i)
{
    uint32_t to = (uint32_t)i->imm;
    ra_edge_settle(e->ra, to);
    go_to(e, edge_to(e, to), to);
    e->s->ended = true;
}

/* v[0]: the edge; v[1]: its block */
static void cold_edge(Emit *e, Cold *c)
{
    ra_edge_emit(e->ra, (const RaEdge *)(uintptr_t)c->v[0]);
    enc_jmp(e, start_of(e, c->v[1]));
}

static void branch_to(Emit *e, HostCc cc, const RaEdge *edge, uint32_t to)
{
    if (!edge->n_moves) {
        enc_jcc(e, cc, start_of(e, to));
        return;
    }
    Cold *c = emit_cold(e, cold_edge, NULL);
    c->v[0] = (uintptr_t)edge;
    c->v[1] = to;
    enc_jcc(e, cc, &c->enter);
}

/* The likely way back or far moves something, and that does no harm on the other, which is next:
 * moves don't touch EFLAGS, so they stand before the branch. */
static bool branch_behind_moves(Emit *e, HostCc cc, const RaEdge *edge, uint32_t to,
                                const RaEdge *next_edge)
{
    RaKeep keep = { 0 };
    ra_keep_for_edge(e->ra, e->s->region->next, next_edge, &keep);
    if (!ra_edge_keeps(edge, &keep))
        return false;
    ra_edge_emit_keeping(e->ra, edge, &keep);
    enc_jcc(e, cc, start_of(e, to));
    go_to(e, next_edge, e->s->region->next);
    return true;
}

static void select_brc(Emit *e, IrInsn *i)
{
    uint32_t yes = (uint32_t)i->imm, no = (uint64_t)i->imm >> 32, next = e->s->region->next;
    if (yes == no) {
        select_br(e, i);
        return;
    }
    ra_edge_settle(e->ra, yes);
    ra_edge_settle(e->ra, no);
    HostCc cc = flags_use_cond(e, i->arg[0]);
    /* The state of a block that comes next is fixed first: then its edge is for nothing. */
    bool yes_first = yes == next || (no != next && i->attr & IR_BRC_LIKELY_TRUE);
    const RaEdge *first = edge_to(e, yes_first ? yes : no);
    const RaEdge *second = edge_to(e, yes_first ? no : yes);
    const RaEdge *yes_edge = yes_first ? first : second, *no_edge = yes_first ? second : first;
    bool yes_likely = i->attr & IR_BRC_LIKELY_TRUE || (yes != next && yes <= e->s->region->current);
    e->s->ended = true;
    bool no_likely = i->attr & IR_BRC_LIKELY_FALSE || (no != next && no <= e->s->region->current);
    if (no == next && yes_likely && yes_edge->n_moves &&
        branch_behind_moves(e, cc, yes_edge, yes, no_edge))
        return;
    if (yes == next && no_likely && no_edge->n_moves &&
        branch_behind_moves(e, cc ^ 1, no_edge, no, yes_edge))
        return;
    if (yes == next && !(no <= e->s->region->current && no_edge->n_moves)) {
        branch_to(e, cc ^ 1, no_edge, no);
        go_to(e, yes_edge, yes);
    } else if (no == next && yes_likely && yes_edge->n_moves && !no_edge->n_moves) {
        enc_jcc(e, cc ^ 1, start_of(e, no));
        go_to(e, yes_edge, yes);
    } else if (yes == next && !yes_edge->n_moves) {
        enc_jcc(e, cc, start_of(e, yes));
        go_to(e, no_edge, no);
    } else if (no == next || yes_likely) {
        branch_to(e, cc, yes_edge, yes);
        go_to(e, no_edge, no);
    } else {
        branch_to(e, cc ^ 1, no_edge, no);
        go_to(e, yes_edge, yes);
    }
}

uint32_t region_settle_back(Emit *e, const IrInsn *exit)
{
    const IrInsn *i = exit;
    do
        i = i->next ? &e->unit->insn[i->next] : NULL;
    while (i && (i->op == IR_insn || i->op == IR_nop));
    uint32_t to = i && i->op == IR_br ? (uint32_t)i->imm : UINT32_MAX;
    if (to > e->s->region->current)
        return UINT32_MAX;
    ra_edge_settle(e->ra, to);
    return to;
}

bool region_goes_back(Emit *e, uint32_t to, HostCc leaves, uint32_t snap, unsigned n_snap)
{
    if (to == UINT32_MAX)
        return false;
    const RaEdge *edge = ra_edge(e->ra, to);
    if (edge->n_moves) {
        RaKeep keep = { 0 };
        ra_keep_for_exit(e->ra, &e->ra->snap[snap], n_snap, &keep);
        if (!ra_edge_keeps(edge, &keep))
            return false;
        ra_edge_emit_keeping(e->ra, edge, &keep);
    }
    enc_jcc(e, leaves ^ 1, start_of(e, to));
    e->s->ended = true;
    return true;
}

/* Long no-operations (Intel SDM vol. 2, NOP), to a place `at` bytes behind a multiple of `to`. The
 * store keeps a region's address modulo 64. */
static void align_code(Emit *e, unsigned to, unsigned at, unsigned most)
{
    static const uint8_t nop[11][11] = {
        { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 }, { 0x0f, 0x1f, 0x40, 0 },
        { 0x0f, 0x1f, 0x44, 0, 0 }, { 0x66, 0x0f, 0x1f, 0x44, 0, 0 },
        { 0x0f, 0x1f, 0x80, 0, 0, 0, 0 }, { 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 },
        { 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 }, { 0x66, 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 },
        { 0x66, 0x66, 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 },
    };
    unsigned n = (at - (unsigned)(uintptr_t)e->p) & (to - 1);
    if (n > most)
        return;
    while (n) {
        unsigned k = n > 11 ? 11 : n;
        memcpy(e->p, nop[k - 1], k);
        e->p += k;
        n -= k;
    }
}

static void begin_loop(Emit *e, uint32_t head)
{
    struct RegionEmit *r = e->s->region;
    align_code(e, LINE_BYTES, e->s->halved[head] ? LINE_BYTES / 2 : 0, LINE_BYTES);
    r->loop = head;
    r->loop_ops = e->n_ops;
    r->loop_start = e->p;
}

static void end_loop(Emit *e)
{
    struct RegionEmit *r = e->s->region;
    if (r->loop == NO_LOOP)
        return;
    bool halve = e->n_ops - r->loop_ops > LINE_OPS || e->p - r->loop_start > LINE_BYTES;
    e->s->misplaced |= e->s->halved[r->loop] != halve;
    e->s->halved[r->loop] = halve;
    r->loop = NO_LOOP;
}

/* About how many instructions become of the block. */
static unsigned guess_ops(const IrUnit *u, uint32_t b)
{
    unsigned ops = 0;
    for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
        switch (u->insn[r].op) {
        case IR_insn: case IR_nop: case IR_put: case IR_get: case IR_phi: case IR_const:
        case IR_br: case IR_cmp: case IR_cond: case IR_copy: case IR_trunc: case IR_vfroms:
        case IR_vtos:
            break;
        default:
            ops++;
        }
    return ops;
}

void region_guess_places(Emit *e)
{
    const RaRegion *rg = e->ra->region;
    e->s->halved = arena_alloc(e->unit->arena, rg->n_blocks);
    for (uint32_t head = 0; head < rg->n_blocks; head++) {
        unsigned ops = 0;
        for (uint32_t b = head; rg->block[head].inner && b < rg->n_blocks; b++)
            ops += rg->block[b].loop == head + 1 ? guess_ops(e->unit, b) : 0;
        e->s->halved[head] = ops > GUESSED_OPS;
    }
}

static bool emit_one(Emit *e, uint32_t b)
{
    struct EmitState *s = e->s;
    const RaBlock *x = &e->ra->region->block[b];
    if (e->limit - e->p < EMIT_RESERVE)
        return false;
    if (x->loop != s->region->loop + 1)
        end_loop(e);
    if (x->inner)
        begin_loop(e, b);
    else if (x->head)
        align_code(e, LOOP_ALIGN, 0, LOOP_ALIGN / 2);
    s->ended = false;
    s->region->current = b;
    enc_bind(e, start_of(e, b));
    ra_block_begin(e->ra, b);
    flags_forget(e);
    if (x->n_preds == 1)
        s->flags = s->region->block[b].flags;
    return emit_block(e, b);
}

bool emit_region(Emit *e)
{
    uint32_t n = e->unit->n_blocks;
    struct RegionEmit *r = arena_alloc(e->unit->arena, sizeof *r);
    e->s->region = r;
    r->loop = NO_LOOP;
    r->block = arena_alloc(e->unit->arena, n * sizeof *r->block);
    for (uint32_t b = 0; b < n; b++)
        r->block[b].start = LABEL_INIT;
    for (uint32_t b = 0; b < n; b++) {
        if (!ra_block_reached(e->ra, b))
            continue;
        /* The next one that is reached: perhaps only by this block. */
        r->next = b + 1;
        if (!emit_one(e, b))
            return false;
    }
    end_loop(e);
    for (uint32_t b = 0; b < n; b++)
        if (ra_block_reached(e->ra, b) && r->block[b].start.at < 0)
            return false; /* only later blocks lead to it: not the layout that ir.h asks for */
    return true;
}

const SelectRow select_region_rows[] = {
    { IR_br, SEL_KEEPS_FLAGS, select_br },
    { IR_brc, SEL_KEEPS_FLAGS, select_brc },
    { 0 },
};
