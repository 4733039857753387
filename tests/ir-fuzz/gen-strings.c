/* See gen-strings.h. */
#include "tests/ir-fuzz/gen-strings.h"

#include "tests/ir-fuzz/gen.h"

enum { MAX_WORDS = 4 };

typedef enum Stores { NONE, FILL, COPY, AHEAD, MERGED, N_STORES } Stores;

typedef struct StringLoop {
    LiftContext *ctx;
    IrBuilder *b;
    uint64_t *random;
    unsigned size, words;     /* log2 of a word's bytes; of a turn */
    int64_t step;
    Stores stores;
    enum { BYTE, RANGE, MASKED_RANGE, SIGNS, SIGNS_LESS_ONES, ZEROS, N_ENDS } how; /* `stops` */
    bool stops, compares, counts, moves_last; /* at a byte; at a difference; bound; loads first */
    bool folds;               /* ends at a vector */
    unsigned vector;          /* a variable for it */
    IrRef mark, folded[2];    /* a phi; what the condition was made of: a word, a vector */
    IrType type;
    IrRef base, fill, shift, back, byte, end;
    unsigned first, most;     /* of a range */
    uint32_t head, behind;
    IrRef to, from, left, last;          /* phis */
    IrRef word[MAX_WORDS + 1];           /* loaded in this turn */
} StringLoop;

static unsigned pick(StringLoop *g, unsigned n)
{
    uint64_t z = *g->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (unsigned)((z ^ z >> 31) % n);
}

static bool chance(StringLoop *g, unsigned of) { return pick(g, of) == 0; }

static IrRef load(StringLoop *g, IrRef at, int64_t offset)
{
    return ir_emit(g->b, IR_load, g->type, 0, g->size, at, 0, 0, 0, offset);
}

static void store(StringLoop *g, IrRef v, int64_t offset)
{
    ir_emit(g->b, IR_store, g->type, 0, g->size, g->to, 0, v, 0, offset);
}

static void start(StringLoop *g, uint32_t block)
{
    g->b->block = block;
    ir_emit(g->b, IR_insn, IR_VOID, 0, 4, 0, 0, 0, 0, (int64_t)g->ctx->pc);
}

/* Goes on unless the condition holds. */
static void leave_if(StringLoop *g, IrRef c)
{
    uint32_t on = ir_block_new(g->b->unit, g->ctx->pc), out = ir_block_new(g->b->unit, g->ctx->pc);
    ir_emit(g->b, IR_brc, IR_VOID, 0, pick(g, 3), c, 0, 0, 0, (int64_t)(out | (uint64_t)on << 32));
    start(g, out);
    ir_put(g->b, 0, g->to); /* so that ways out differ */
    ir_emit(g->b, IR_br, IR_VOID, 0, 0, 0, 0, 0, 0, g->behind);
    start(g, on);
}

static void choose(StringLoop *g)
{
    g->folds = chance(g, 4);
    g->size = g->folds ? 4 : pick(g, 5);
    g->words = g->size == 4 ? 1 + pick(g, 2) : 1u << pick(g, 3);
    g->step = (int64_t)g->words << g->size;
    g->type = g->size == 4 ? IR_V128 : IR_I64;
    g->stores = g->folds ? NONE : pick(g, N_STORES);
    if (g->stores == MERGED && g->size != 3)
        g->stores = COPY;
    if (g->stores == AHEAD && g->size < 3)
        g->stores = COPY;
    bool bytes = g->size == 0 && g->words == 1, words = g->size == 2 || g->size == 3;
    g->stops = g->stores != FILL && g->stores != MERGED && chance(g, 2) &&
               (bytes || (words && g->stores == NONE));
    g->how = g->stores != NONE ? BYTE : bytes ? pick(g, 3)
             : g->size == 3 ? SIGNS + pick(g, 3) : BYTE;
    g->compares = g->type == IR_I64 && g->stores == NONE && !g->stops;
    g->counts = chance(g, 2);
    g->moves_last = chance(g, 2);
}

/* Something about what was loaded, for which the loop ends. */
static IrRef end_of(StringLoop *g, IrRef v)
{
    IrBuilder *b = g->b;
    uint64_t less = g->how == SIGNS_LESS_ONES ? 0x0101010101010101 : g->first;
    IrRef zero = ir_const(b, IR_I64, 0), x = v;
    if (less)
        x = ir_op2(b, IR_sub, v, ir_const(b, IR_I64, less));
    switch (g->how) {
    case BYTE:
        return ir_cmp(b, IR_CMP_EQ, v, g->byte);
    case MASKED_RANGE: case RANGE:
        if (g->how == MASKED_RANGE)
            x = ir_op2(b, IR_and, x, ir_const(b, IR_I64, 255));
        return ir_cmp(b, IR_CMP_UGT, x, ir_const(b, IR_I64, g->most));
    case SIGNS: case SIGNS_LESS_ONES:
        x = ir_op2(b, IR_and, x, ir_const(b, IR_I64, 0x8080808080808080));
        return ir_cmp(b, IR_CMP_NE, x, zero);
    default:
        return ir_cmp(b, IR_CMP_NE, v, zero);
    }
}

static IrRef vop(StringLoop *g, IrOp op, unsigned lane, IrRef x, IrRef y)
{
    return ir_vop2(g->b, op, lane, 0, x, y);
}

static IrRef vzero(StringLoop *g) { return ir_vconst(g->b, 0, 0); }

/* Halves of neighbours (UMAXP and the like), or of what lies apart (UMAXV). */
static IrRef fold_once(StringLoop *g, IrRef x, IrRef y)
{
    static const IrOp ops[] = { IR_vmin, IR_vmax, IR_vor, IR_vadd };
    IrOp op = ops[pick(g, 4)];
    unsigned lane = chance(g, 2) ? 0 : pick(g, op == IR_vmin || op == IR_vmax ? 3 : 4);
    unsigned other = chance(g, 8) ? pick(g, 3) : lane;
    if (chance(g, 4))
        return vop(g, op, lane, x, ir_emit(g->b, IR_vext, IR_V128, 0, 0, x, x, 0, 0,
                                           1 << (chance(g, 2) ? 3 : pick(g, 4))));
    IrRef even = vop(g, IR_vuzp1, other, x, y);
    return vop(g, op, lane, even, vop(g, IR_vuzp2, other, x, y));
}

/* What a turn loaded, as one vector that is folded onto itself; its lane 0, compared with 0. */
static IrRef fold(StringLoop *g)
{
    IrBuilder *b = g->b;
    IrRef v[2];
    for (unsigned k = 0; k < 2; k++) {
        v[k] = g->word[g->words > 1 ? k : 0];
        unsigned how = pick(g, 4);
        if (how)
            v[k] = vop(g, how == 1 ? IR_vcmpgt : IR_vcmpeq, pick(g, 4), v[k],
                       how == 2 ? g->fill : vzero(g));
    }
    IrRef x = v[0];
    if (chance(g, 3))
        x = vop(g, chance(g, 2) ? IR_vor : IR_vmin, 0, v[0], v[1]);
    else if (chance(g, 2))
        x = fold_once(g, v[0], v[1]);
    for (unsigned n = 1 + pick(g, 4); n > 0; n--)
        x = fold_once(g, x, x);
    if (chance(g, 3))
        x = ir_vop1(b, IR_vnarrow, IR_LANE_I16, 0,
                    ir_vop1(b, IR_vshru, IR_LANE_I16, 0, v[0], chance(g, 4) ? pick(g, 8) : 4), 0);
    if (chance(g, 3))
        x = vop(g, IR_vcmpeq, pick(g, 2), x, vzero(g));
    if (chance(g, 2))
        x = ir_vop1(b, IR_vlow, 0, 0, x, 0);
    IrType t = chance(g, 2) ? IR_I64 : IR_I32;
    unsigned lane = t == IR_I64 ? IR_LANE_I64 : pick(g, 3);
    IrRef word = ir_emit(b, IR_vget, t, lane, 0, x, 0, 0, 0, 0);
    if (chance(g, 2))
        ir_put(b, g->vector, x);
    g->folded[0] = t == IR_I64 ? word : ir_emit(b, IR_zext, IR_I64, 0, 0, word, 0, 0, 0, 0);
    g->folded[1] = x;
    return ir_cmp(b, IR_CMP_EQ + pick(g, 2), word, ir_const(b, t, 0));
}

/* What a turn loads and stores; 1 of 8 loops has a slip. */
static void turn(StringLoop *g, int64_t slip)
{
    IrBuilder *b = g->b;
    bool ahead = g->stores == AHEAD || g->stores == MERGED;
    g->word[0] = g->last;
    for (unsigned k = 0; k < g->words; k++) {
        int64_t at = (int64_t)k << g->size;
        unsigned n = ahead ? k + 1 : k;
        if (g->stores != FILL)
            g->word[n] = load(g, g->from, at + (ahead ? 1 << g->size : 0) + (k ? 0 : slip));
        if (g->stores == NONE || g->moves_last)
            continue;
        IrRef v = g->stores == FILL ? g->fill : g->word[k];
        if (g->stores == MERGED)
            v = ir_op2(b, IR_or, ir_op2(b, IR_shr, g->word[k], g->shift),
                       ir_op2(b, IR_shl, g->word[k + 1], g->back));
        store(g, v, at);
    }
    if (g->compares)
        for (unsigned k = 0; k < g->words; k++)
            leave_if(g, ir_cmp(b, IR_CMP_NE, load(g, g->to, (int64_t)k << g->size), g->word[k]));
    for (unsigned k = 0; g->stops && k < g->words; k++)
        leave_if(g, end_of(g, g->word[ahead + k]));
    if (g->folds)
        leave_if(g, fold(g));
    if (g->stores == NONE || !g->moves_last)
        return;
    for (unsigned k = 0; k < g->words; k++) {
        IrRef v = g->stores == FILL ? g->fill : g->word[k];
        if (g->stores == MERGED)
            v = ir_op2(b, IR_or, ir_op2(b, IR_shr, g->word[k], g->shift),
                       ir_op2(b, IR_shl, g->word[k + 1], g->back));
        store(g, v, (int64_t)k << g->size);
    }
}

/* Two places in the memory, from 1,024 on, that are far from each other or near. */
static void choose_places(StringLoop *g, int64_t *ret_to, int64_t *ret_from)
{
    *ret_from = 1280 + (int64_t)pick(g, 2000);
    *ret_to = chance(g, 3) ? *ret_from + (int64_t)pick(g, 256) - 128
                           : 4608 + (int64_t)pick(g, 1000);
    if (!chance(g, 3)) {
        *ret_to &= -8;
        *ret_from &= -8;
    }
    if (g->compares && chance(g, 2))
        *ret_to = *ret_from; /* or it would end soon */
}

static IrRef add(StringLoop *g, IrRef x, int64_t n)
{
    return ir_op2(g->b, IR_add, x, ir_const(g->b, IR_I64, (uint64_t)n));
}

static IrRef initial_values(StringLoop *g, IrRef *ret_from, IrRef *ret_left, IrRef *ret_last)
{
    static const uint64_t values[] = { 0, 0x0101010101010101, 0x7878787878787878, 1, 0x1234 };
    IrBuilder *b = g->b;
    int64_t at, to;
    choose_places(g, &to, &at);
    int64_t bytes = (int64_t)pick(g, 1800) & -g->step;
    bytes += g->step;
    IrRef start = add(g, g->base, to), from = add(g, g->base, at);
    *ret_from = from;
    *ret_left = ir_const(b, IR_I64, (uint64_t)(bytes / g->step * (int64_t)g->words));
    *ret_last = g->stores == AHEAD || g->stores == MERGED || chance(g, 2)
                    ? load(g, from, 0)
                    : g->type == IR_V128 ? ir_vconst(b, 1, 2) : ir_const(b, IR_I64, 7);
    uint64_t fill = values[pick(g, 5)];
    g->fill = g->type == IR_V128 ? ir_vconst(b, fill, chance(g, 4) ? ~fill : fill)
                                 : ir_const(b, IR_I64, fill);
    if (chance(g, 3) && g->type == IR_I64)
        g->fill = ir_get(b, 0);
    unsigned right = 8 * pick(g, 8);
    g->shift = ir_const(b, IR_I64, right);
    g->back = ir_const(b, IR_I64, chance(g, 8) ? right : 64 - right);
    g->byte = ir_const(b, IR_I64, chance(g, 2) ? 0 : pick(g, 256));
    if (g->size == 2)
        g->byte = chance(g, 2) ? ir_const(b, IR_I64, 0) : load(g, from, 64);
    g->first = g->how == RANGE || g->how == MASKED_RANGE ? pick(g, 3) * pick(g, 90) : 0;
    g->most = chance(g, 4) ? pick(g, 300) : 127 - g->first % 128;
    g->end = add(g, start, bytes);
    return start;
}

IrRef gen_string_loop(LiftContext *ctx, uint64_t *random, IrRef base, unsigned vars,
                      unsigned vector)
{
    StringLoop g = { .ctx = ctx, .b = &ctx->b, .random = random, .base = base,
                     .vector = vector };
    IrBuilder *b = g.b;
    choose(&g);
    IrRef from, left, last, to = initial_values(&g, &from, &left, &last);
    g.head = ir_block_new(b->unit, ctx->pc);
    g.behind = ir_block_new(b->unit, ctx->pc);
    ir_emit(b, IR_br, IR_VOID, 0, 0, 0, 0, 0, 0, g.head);
    b->block = g.head;
    g.to = ir_phi(b, IR_I64, 2, to);
    g.from = ir_phi(b, IR_I64, 2, from);
    g.left = ir_phi(b, IR_I64, 2, left);
    g.last = ir_phi(b, g.type, 2, last);
    bool word = g.folds && chance(&g, 2), put = g.folds && chance(&g, 2);
    g.mark = word ? ir_phi(b, IR_I64, 2, left) : g.last;
    ir_put(b, vars, g.to);
    ir_put(b, vars + 1, g.from);
    ir_put(b, vars + 2, g.left);
    if (g.type == IR_I64 || word)
        ir_put(b, vars + 3, g.mark);
    if (put)
        ir_put(b, g.vector, g.last);
    start(&g, g.head);
    turn(&g, chance(&g, 8) && g.stores != FILL ? 1 << g.size : 0);
    IrRef next_to = add(&g, g.to, g.step), less = add(&g, g.left, -(int64_t)g.words);
    IrRef next_from = add(&g, g.from, chance(&g, 12) ? 1 : g.step);
    IrRef done = g.counts ? ir_cmp(b, chance(&g, 2) ? IR_CMP_EQ : IR_CMP_SLE, less,
                                   ir_const(b, IR_I64, 0))
                          : ir_cmp(b, chance(&g, 2) ? IR_CMP_EQ : IR_CMP_UGE, next_to, g.end);
    leave_if(&g, done);
    bool ahead = g.stores == AHEAD || g.stores == MERGED;
    const IrRef next[] = { next_to, next_from, less,
                           g.stores == FILL ? g.last : g.word[ahead ? g.words : g.words - 1] };
    const IrRef phi[] = { g.to, g.from, g.left, g.last };
    unsigned n;
    for (unsigned k = 0; k < 4; k++)
        ir_args(b->unit, phi[k], &n)[1] = k == 3 && put ? g.folded[1] : next[k];
    if (word)
        ir_args(b->unit, g.mark, &n)[1] = g.folded[0];
    ir_emit(b, IR_br, IR_VOID, 0, 0, 0, 0, 0, 0, g.head);
    start(&g, g.behind);
    return ir_op2(b, IR_xor, g.to, g.left);
}
