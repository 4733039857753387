/* See gen-crowd.h. Nothing but variables leads from block to block: the phis are opt/ssa.c's. */
#include "tests/ir-fuzz/gen-crowd.h"

#include "tests/ir-fuzz/gen.h"
#include "tests/ir-fuzz/values.h"

enum { MAX_VARS = 20, WORDS = 4, VECTORS = 18, FLOATS = 16, DEPTH = 2 };

typedef struct Crowd {
    LiftContext *ctx;
    IrBuilder *b;
    uint64_t *random;
    IrRef base;
    GuestAddr leave;
    unsigned var[MAX_VARS], n; /* the first n are read, too; the others only exits see */
    bool vectors, floats, particular;
} Crowd;

static unsigned pick(Crowd *c, unsigned n) { return (unsigned)(next(c->random) % n); }
static bool chance(Crowd *c, unsigned of) { return pick(c, of) == 0; }

static IrRef get(Crowd *c) { return ir_get(c->b, c->var[pick(c, c->n)]); }
static void put(Crowd *c, IrRef v)
{
    ir_put(c->b, c->var[chance(c, 3) ? c->n + pick(c, MAX_VARS - c->n) : pick(c, c->n)], v);
}

static void choose_vars(Crowd *c)
{
    unsigned first = pick(c, MAX_VARS);
    c->n = 6 + pick(c, MAX_VARS - 6);
    for (unsigned k = 0; k < MAX_VARS; k++) {
        unsigned v = (first + k) % MAX_VARS;
        c->var[k] = v < 8 ? VAR_R + v : VAR_M + v - 8;
    }
}

static uint32_t new_block(Crowd *c) { return ir_block_new(c->b->unit, c->ctx->pc); }

static void start(Crowd *c, uint32_t block)
{
    c->b->block = block;
    ir_emit(c->b, IR_insn, IR_VOID, 0, 4, 0, 0, 0, 0, (int64_t)c->ctx->pc);
}

static void go(Crowd *c, uint32_t to) { ir_emit(c->b, IR_br, IR_VOID, 0, 0, 0, 0, 0, 0, to); }

static void go_if(Crowd *c, IrRef condition, uint32_t yes, uint32_t no)
{
    ir_emit(c->b, IR_brc, IR_VOID, 0, pick(c, 3), condition, 0, 0, 0,
            (int64_t)(yes | (uint64_t)no << 32));
}

/* As wide as x: half of all shifts by constants, as compilers have them. */
static IrRef compute(Crowd *c, IrRef x, IrRef y)
{
    static const IrOp ops[] = { IR_add, IR_sub, IR_xor, IR_and, IR_or, IR_add, IR_mul, IR_andn };
    static const IrOp shifts[] = { IR_shl, IR_shr, IR_sar, IR_ror };
    if (!chance(c, 3))
        return ir_op2(c->b, ops[pick(c, 8)], x, y);
    return chance(c, 2) ? ir_op2(c->b, shifts[pick(c, 4)], x, y)
                        : ir_op2i(c->b, shifts[pick(c, 4)], x, pick(c, 32));
}

static IrRef half(Crowd *c)
{
    return chance(c, 4) ? ir_get(c->b, VAR_W + pick(c, WORDS))
                        : ir_op1(c->b, IR_trunc, IR_I32, get(c));
}

static unsigned choice(void) { return VAR_W + WORDS - 1; }

static IrRef condition(Crowd *c)
{
    if (chance(c, 3)) /* that some ways know: opt/shortcut.c */
        return ir_cmp(c->b, chance(c, 2) ? IR_CMP_EQ : IR_CMP_NE, ir_get(c->b, choice()),
                      ir_const(c->b, IR_I32, pick(c, 3)));
    if (gen_config.classes & GEN_FLAGS && chance(c, 4))
        return ir_emit(c->b, IR_cond, IR_I1, pick(c, 14), 0, ir_get(c->b, VAR_F + pick(c, 2)), 0, 0,
                       0, 0);
    IrRef x = chance(c, 2) ? half(c) : get(c);
    IrRef y = chance(c, 2) ? ir_const(c->b, ir_type(c->b, x), int_value(c->random))
              : ir_type(c->b, x) == IR_I32 ? half(c) : get(c);
    return ir_cmp(c->b, IR_CMP_EQ + pick(c, 10), x, y);
}

/* Each variable gets its neighbour's value, the last one a new one. */
static void rotate(Crowd *c)
{
    unsigned from = pick(c, c->n), most = 2 + pick(c, c->n - 1);
    IrRef new = compute(c, get(c), get(c));
    for (unsigned k = 0; k + 1 < most; k++)
        ir_put(c->b, c->var[(from + k) % c->n], ir_get(c->b, c->var[(from + k + 1) % c->n]));
    ir_put(c->b, c->var[(from + most - 1) % c->n], new);
}

static void set_flags(Crowd *c)
{
    static const IrOp ops[] = { IR_fladd, IR_flsub, IR_flogic };
    unsigned k = pick(c, 3);
    IrRef x = chance(c, 2) ? half(c) : get(c), y = ir_type(c->b, x) == IR_I32 ? half(c) : get(c);
    ir_put(c->b, VAR_F + pick(c, 2),
           ir_emit(c->b, ops[k], IR_FLAGS, 0, ir_type(c->b, x), x, k == 2 ? 0 : y, 0, 0, 0));
}

static void call(Crowd *c)
{
    enum { MIX = 0, READS = 6, WRITES = 7 };
    switch (pick(c, 3)) {
    case 0: put(c, ir_emit(c->b, IR_call, IR_I64, 0, 0, get(c), half(c), 0, 0, MIX)); break;
    case 1: put(c, ir_emit(c->b, IR_call, IR_I64, 0, 0, get(c), 0, 0, 0, READS)); break;
    default: ir_emit(c->b, IR_call, IR_VOID, 0, 0, get(c), 0, 0, 0, WRITES); break;
    }
}

/* What wants values in certain registers of the host, or takes all of them. */
static void particular_step(Crowd *c)
{
    IrBuilder *b = c->b;
    unsigned classes = gen_config.classes, seq = 3 | IR_MEM_SEQ_CST;
    int64_t at = 8 * pick(c, 64);
    IrRef r;
    switch (pick(c, 9)) {
    case 0: put(c, ir_op2(b, IR_udiv + pick(c, 4), get(c), get(c))); break;
    case 1:
        r = ir_op2(b, IR_udiv + pick(c, 4), half(c), half(c));
        put(c, ir_op1(b, IR_sext, IR_I64, r));
        break;
    case 2: put(c, ir_op2(b, IR_mulhu + pick(c, 3), get(c), get(c))); break;
    case 3: put(c, ir_select(b, condition(c), get(c), get(c))); break;
    case 4:
        if (classes & GEN_CALL)
            call(c);
        break;
    case 5: case 6:
        if (!(classes & GEN_MEM))
            break;
        if (chance(c, 2))
            r = ir_emit(b, IR_armw, IR_I64, pick(c, 10), seq, c->base, get(c), 0, 0, at);
        else
            r = ir_emit(b, IR_acas, IR_I64, 0, seq, c->base,
                        chance(c, 2) ? get(c) : ir_load(b, IR_I64, 3, c->base, at), get(c), 0, at);
        put(c, r);
        break;
    case 7:
        if (classes & GEN_FLAGS)
            set_flags(c);
        break;
    default:
        if (classes & GEN_FLAGS)
            put(c, ir_emit(b, IR_adc + pick(c, 2), IR_I64, 0, 0, get(c), get(c),
                           ir_get(b, VAR_F + pick(c, 2)), 0, 0));
        break;
    }
}

static unsigned vector(unsigned n) { return n < 6 ? VAR_V + n : VAR_X + n - 6; }
static IrRef get_vector(Crowd *c) { return ir_get(c->b, vector(pick(c, VECTORS))); }
static void put_vector(Crowd *c, IrRef v) { ir_put(c->b, vector(pick(c, VECTORS)), v); }

static IrRef compute_vector(Crowd *c)
{
    static const IrOp ops[] = { IR_vadd, IR_vsub, IR_vxor, IR_vand, IR_vor, IR_vandn, IR_vzip1 };
    static const IrLane lanes[] = { IR_LANE_I8, IR_LANE_I16, IR_LANE_I32, IR_LANE_I64 };
    return ir_vop2(c->b, ops[pick(c, 7)], lanes[pick(c, 4)], 0, get_vector(c), get_vector(c));
}

static void rotate_vectors(Crowd *c)
{
    unsigned from = pick(c, VECTORS), most = 2 + pick(c, VECTORS - 1);
    IrRef new = compute_vector(c);
    for (unsigned k = 0; k + 1 < most; k++)
        ir_put(c->b, vector((from + k) % VECTORS),
               ir_get(c->b, vector((from + k + 1) % VECTORS)));
    ir_put(c->b, vector((from + most - 1) % VECTORS), new);
}

static void vector_step(Crowd *c)
{
    switch (pick(c, 6)) {
    case 0: rotate_vectors(c); break;
    case 1: put_vector(c, get_vector(c)); break;
    case 2: put_vector(c, ir_load(c->b, IR_V128, 4, c->base, 16 * pick(c, 32))); break;
    case 3: ir_store(c->b, 4, c->base, 16 * pick(c, 32), get_vector(c)); break;
    default: put_vector(c, compute_vector(c)); break;
    }
}

static unsigned number(unsigned n) { return n < 4 ? VAR_D + n : VAR_E + n - 4; }
static IrRef get_float(Crowd *c) { return ir_get(c->b, number(pick(c, FLOATS))); }
static void put_float(Crowd *c, IrRef v) { ir_put(c->b, number(pick(c, FLOATS)), v); }

/* Nothing that may trap: these loops poll. F32 are in boxes, as RISC-V has them. */
static void float_step(Crowd *c)
{
    IrBuilder *b = c->b;
    IrRef r;
    switch (pick(c, 7)) {
    case 0: put_float(c, get_float(c)); break;
    case 1: put_float(c, ir_load(b, IR_F64, 3, c->base, 8 * pick(c, 64))); break;
    case 2: ir_store(b, 3, c->base, 8 * pick(c, 64), get_float(c)); break;
    case 3: put_float(c, ir_op1(b, pick(c, 2) ? IR_fneg : IR_fabs, IR_F64, get_float(c))); break;
    case 4:
        r = ir_op1(b, IR_funbox, IR_F32, get_float(c));
        put_float(c, ir_op1(b, IR_fbox, IR_F64, ir_op1(b, IR_fneg, IR_F32, r)));
        break;
    case 5:
        r = ir_load(b, IR_F32, 2, c->base, 4 * pick(c, 64));
        put_float(c, ir_op1(b, IR_fbox, IR_F64, r));
        if (chance(c, 2))
            put_float(c, ir_op1(b, IR_fbox, IR_F64, r));
        break;
    default: put(c, ir_op1(b, IR_f2bits, IR_I64, get_float(c))); break;
    }
}

static void step(Crowd *c)
{
    IrRef r;
    if (c->vectors && chance(c, 2)) {
        vector_step(c);
        return;
    }
    if (c->floats && chance(c, 2)) {
        float_step(c);
        return;
    }
    if (c->particular && chance(c, 4)) {
        particular_step(c);
        return;
    }
    switch (pick(c, 10)) {
    case 0: rotate(c); break;
    case 1: put(c, get(c)); break;
    case 2: ir_put(c->b, VAR_W + pick(c, WORDS), compute(c, half(c), half(c))); break;
    case 3: put(c, ir_load(c->b, IR_I64, 3, c->base, 8 * pick(c, 64))); break;
    case 4: ir_store(c->b, 3, c->base, 8 * pick(c, 64), get(c)); break;
    case 5: case 6: put(c, compute(c, get(c), get(c))); break;
    default:
        r = compute(c, half(c), half(c));
        put(c, ir_op1(c->b, chance(c, 2) ? IR_sext : IR_zext, IR_I64, r));
        if (chance(c, 3)) /* the same value in another form */
            put(c, ir_op1(c->b, chance(c, 2) ? IR_sext : IR_zext, IR_I64, r));
        break;
    }
}

static void steps(Crowd *c, unsigned depth);

static void split(Crowd *c, unsigned depth)
{
    uint32_t side[2] = { new_block(c), new_block(c) }, join = new_block(c);
    go_if(c, condition(c), side[0], side[1]);
    for (unsigned k = 0; k < 2; k++) {
        start(c, side[k]);
        steps(c, depth);
        if (chance(c, 3))
            ir_put(c->b, choice(), ir_const(c->b, IR_I32, pick(c, 3)));
        go(c, join);
    }
    start(c, join);
}

static void steps(Crowd *c, unsigned depth)
{
    for (unsigned k = pick(c, 6); k > 0; k--)
        step(c);
    if (depth && !chance(c, 3))
        split(c, depth - 1);
    if (c->leave && chance(c, 8))
        ir_emit(c->b, IR_exit_if, IR_VOID, 0, 0, condition(c), 0, 0, 0, (int64_t)c->leave);
}

void gen_crowd(LiftContext *ctx, uint64_t *random, IrRef base, GuestAddr leave, bool polls)
{
    Crowd c = { .ctx = ctx, .b = &ctx->b, .random = random, .base = base, .leave = leave };
    choose_vars(&c);
    c.vectors = gen_config.classes & GEN_VEC && chance(&c, 3);
    c.particular = chance(&c, 2);
    c.floats = gen_config.classes & GEN_FP && chance(&c, 3);
    IrRef count = ir_const(c.b, IR_I64, 1 + pick(&c, 5));
    uint32_t head = new_block(&c), latch = new_block(&c), behind = new_block(&c);
    go(&c, head);
    c.b->block = head;
    IrRef left = ir_phi(c.b, IR_I64, 2, count);
    start(&c, head);
    for (unsigned k = 1 + pick(&c, 3); k > 0; k--)
        steps(&c, DEPTH);
    IrRef less = ir_op2i(c.b, IR_sub, left, 1);
    go_if(&c, ir_cmp(c.b, IR_CMP_NE, less, ir_const(c.b, IR_I64, 0)), latch, behind);
    c.b->block = latch;
    unsigned n;
    ir_args(c.b->unit, left, &n)[1] = less;
    if (polls)
        ir_emit(c.b, IR_poll, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)ctx->pc);
    go(&c, head);
    start(&c, behind);
}
