/* See gen-bytes.h. */
#include "tests/ir-fuzz/gen-bytes.h"

#include "tests/ir-fuzz/gen.h"

enum { MAX = 16, FROM = 64 };

static unsigned pick(uint64_t *random, unsigned n)
{
    uint64_t z = *random += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (unsigned)((z ^ z >> 31) % n);
}

/* Bits 8 * k … of the value, as compilers take them. */
static IrRef part(IrBuilder *b, uint64_t *random, IrRef value, unsigned k)
{
    IrRef n;
    switch (pick(random, 4)) {
    case 0:
        if (k >= 4)
            break;
        n = ir_const(b, IR_I32, 8 * k);
        n = ir_op2(b, pick(random, 2) ? IR_shr : IR_sar, ir_op1(b, IR_trunc, IR_I32, value), n);
        return pick(random, 2) ? n : ir_op1(b, pick(random, 2) ? IR_sext : IR_zext, IR_I64, n);
    case 1:
        return ir_emit(b, IR_ubfx, IR_I64, 0, (k & 7) * 8 | 8 << 8, value, 0, 0, 0, 0);
    default:
        break;
    }
    n = ir_const(b, IR_I64, 8 * k);
    return ir_op2(b, pick(random, 2) ? IR_shr : IR_sar, value, n);
}

static void order(uint64_t *random, unsigned *at, unsigned n)
{
    unsigned how = pick(random, 4);
    for (unsigned k = 0; k < n; k++)
        at[k] = how == 1 ? n - 1 - k : k;
    for (unsigned k = n; how >= 2 && k > 1; k--) { /* in any order; or all but one */
        unsigned j = pick(random, k), t = at[j];
        at[j] = at[k - 1];
        at[k - 1] = t;
        if (how == 3)
            break;
    }
}

static void between(LiftContext *ctx, uint64_t *random, unsigned var, IrRef v)
{
    switch (pick(random, 6)) {
    case 0:
        ir_emit(&ctx->b, IR_insn, IR_VOID, 0, 4, 0, 0, 0, 0, (int64_t)ctx->pc);
        break;
    case 1:
        if (ir_type(&ctx->b, v) == IR_I64)
            ir_put(&ctx->b, var + pick(random, 4), v);
        break;
    default:
        break;
    }
}

IrRef gen_bytes(LiftContext *ctx, uint64_t *random, IrRef base, IrRef value, unsigned vars)
{
    IrBuilder *b = &ctx->b;
    unsigned n = 4 + pick(random, MAX - 3), what = pick(random, 4), at[MAX];
    int64_t to = FROM + pick(random, 16), from = FROM + 16 + pick(random, 16);
    IrRef v[MAX] = { 0 };
    bool first = pick(random, 2), swapped = pick(random, 2), gap = !pick(random, 6);
    order(random, at, n);
    for (unsigned turn = !first; turn < 2; turn++)
        for (unsigned k = 0; k < n; k++) {
            unsigned w = at[k], bytes = what == 0 ? 4 : 8, p = w % bytes;
            if (!v[w] && what < 2)
                v[w] = part(b, random, value, swapped ? bytes - 1 - p : p);
            else if (!v[w] && what == 2)
                v[w] = ir_load(b, pick(random, 2) ? IR_I64 : IR_I32,
                               pick(random, 8) ? 0 : 0 | IR_MEM_SIGNED, base, from + w);
            else if (!v[w])
                v[w] = pick(random, 3) ? ir_const(b, IR_I64, pick(random, 256)) : value;
            between(ctx, random, vars, v[w]);
            if (turn)
                ir_store(b, 0, base, to + w + (gap && w > n / 2), v[w]);
        }
    return ir_load(b, IR_I64, 3, base, to + pick(random, 2) * 4);
}
