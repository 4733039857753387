/* data plane */
/*
 * Loads and stores of the SIMD&FP registers (simd-ldst.decode; Arm ARM DDI 0487 K.a, C7.2).
 *
 * Everything that may fault comes before any put, as in translate-ldst.c. Structure loads and
 * stores are whole-register accesses with the lanes shuffled between: the manual does not promise
 * in which order or how wide elements are accessed.
 */
#include <string.h>

#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

/* -- one register: the value in memory is of scale's own type ---------------------------------- */

static IrType mem_type(unsigned scale)
{
    return scale < 2 ? IR_I32 : scale == 2 ? IR_F32 : scale == 3 ? IR_F64 : IR_V128;
}

static IrRef get_scaled(LiftContext *ctx, unsigned scale, int r)
{
    IrRef v = a64_get_v(ctx, r);
    if (scale == 4)
        return v;
    IrOp op = scale < 2 ? IR_vget : IR_vtos;
    IrLane lane = scale < 2 ? IR_LANE_I8 + scale : scale == 2 ? IR_LANE_F32 : IR_LANE_F64;
    return ir_emit(&ctx->b, op, mem_type(scale), lane, 0, v, 0, 0, 0, 0);
}

static void put_scaled(LiftContext *ctx, int r, IrRef v)
{
    if (ir_type(&ctx->b, v) == IR_V128)
        a64_put_v(ctx, r, v);
    else
        a64_put_scalar(ctx, r, v);
}

static void access_v(LiftContext *ctx, unsigned scale, bool load, int rt, IrRef base, int64_t disp)
{
    if (load)
        put_scaled(ctx, rt, ir_load(&ctx->b, mem_type(scale), scale, base, disp));
    else
        ir_store(&ctx->b, scale, base, disp, get_scaled(ctx, scale, rt));
}

static void put_base(LiftContext *ctx, int rn, IrRef base, int64_t offset)
{
    a64_put_rsp(ctx, rn, ir_op2i(&ctx->b, IR_add, base, (uint64_t)offset));
}

bool a64_lift_ldst_v(LiftContext *ctx, const Argldst_v *a)
{
    IrRef base = a64_get_xsp(ctx, a->rn);
    access_v(ctx, a->scale, a->load, a->rt, base, a->post ? 0 : a->imm);
    if (a->wback)
        put_base(ctx, a->rn, base, a->imm);
    return true;
}

bool a64_lift_ldst_v_uimm(LiftContext *ctx, const Argldst_v_uimm *a)
{
    IrRef base = a64_get_xsp(ctx, a->rn);
    access_v(ctx, a->scale, a->load, a->rt, base, (int64_t)a->imm << a->scale);
    return true;
}

/* The index register: X, or W extended (option 2 UXTW, 6 SXTW, 3 and 7 X) */
bool a64_lift_ldst_v_reg(LiftContext *ctx, const Argldst_v_reg *a)
{
    if (!(a->opt & 2))
        return false;
    IrBuilder *b = &ctx->b;
    IrRef base = a64_get_xsp(ctx, a->rn), index;
    if (a->opt & 1)
        index = a64_get_x(ctx, a->rm);
    else
        index = ir_op1(b, a->opt & 4 ? IR_sext : IR_zext, IR_I64, a64_get_w(ctx, a->rm));
    unsigned shift = a->shift ? a->scale : 0, mem = a->scale;
    if (shift <= 3)
        mem |= shift << IR_MEM_SCALE_SHIFT;
    else
        index = ir_op2i(b, IR_shl, index, shift);
    IrType type = mem_type(a->scale);
    if (a->load)
        put_scaled(ctx, a->rt, ir_emit(b, IR_load, type, 0, mem, base, index, 0, 0, 0));
    else
        ir_emit(b, IR_store, type, 0, mem, base, index, get_scaled(ctx, a->scale, a->rt), 0, 0);
    return true;
}

bool a64_lift_ldr_v_lit(LiftContext *ctx, const Argldr_v_lit *a)
{
    IrRef addr = a64_codeaddr(ctx, ctx->pc + (int64_t)a->imm * 4);
    access_v(ctx, a->scale, true, a->rt, addr, 0);
    return true;
}

bool a64_lift_ldst_v_pair(LiftContext *ctx, const Argldst_v_pair *a)
{
    IrType type = mem_type(a->scale);
    int64_t size = 1 << a->scale, offset = a->imm * size, at = a->post ? 0 : offset;
    IrRef base = a64_get_xsp(ctx, a->rn);
    if (a->load) {
        /* the first at once, as load_pair() has it */
        put_scaled(ctx, a->rt, ir_load(&ctx->b, type, a->scale, base, at));
        put_scaled(ctx, a->rt2, ir_load(&ctx->b, type, a->scale, base, at + size));
    } else {
        IrRef first = get_scaled(ctx, a->scale, a->rt), second = get_scaled(ctx, a->scale, a->rt2);
        ir_store(&ctx->b, a->scale, base, at, first);
        ir_store(&ctx->b, a->scale, base, at + size, second);
    }
    if (a->wback)
        put_base(ctx, a->rn, base, offset);
    return true;
}

/* -- multiple structures ----------------------------------------------------------------------- */

typedef struct Regs { IrRef v[4]; } Regs;

/* One register of memory: 16 bytes, or 8 with the upper half zero. */
static IrRef load_vq(LiftContext *ctx, bool q, IrRef base, int64_t disp)
{
    if (q)
        return ir_load(&ctx->b, IR_V128, 4, base, disp);
    IrRef d = ir_load(&ctx->b, IR_F64, 3, base, disp);
    return ir_emit(&ctx->b, IR_vfroms, IR_V128, IR_LANE_F64, IR_F64, d, 0, 0, 0, 0);
}

static void store_vq(LiftContext *ctx, bool q, IrRef base, int64_t disp, IrRef v)
{
    if (q)
        ir_store(&ctx->b, 4, base, disp, v);
    else
        ir_store(&ctx->b, 3, base, disp,
                 ir_emit(&ctx->b, IR_vtos, IR_F64, IR_LANE_F64, 0, v, 0, 0, 0, 0));
}

/* Joined into 16 bytes, so that the shuffles of 64-bit registers are those of half as many. */
static IrRef join(LiftContext *ctx, IrRef low, IrRef high)
{
    return v_op2(ctx, IR_vzip1, IR_LANE_I64, 0, low, high);
}

/* Every second lane of x:y from 0 and from 1 */
static void split(LiftContext *ctx, IrLane lane, IrRef x, IrRef y, IrRef *ret_even, IrRef *ret_odd)
{
    *ret_even = v_op2(ctx, IR_vuzp1, lane, 0, x, y);
    *ret_odd = v_op2(ctx, IR_vuzp2, lane, 0, x, y);
}

static void weave(LiftContext *ctx, IrLane lane, IrRef x, IrRef y, IrRef *ret_low, IrRef *ret_high)
{
    *ret_low = v_op2(ctx, IR_vzip1, lane, 0, x, y);
    *ret_high = v_op2(ctx, IR_vzip2, lane, 0, x, y);
}

static Regs deinterleave2(LiftContext *ctx, bool q, IrLane lane, Regs m)
{
    Regs r = { 0 };
    IrRef y = m.v[1];
    if (!q)
        m.v[0] = y = join(ctx, m.v[0], m.v[1]);
    split(ctx, lane, m.v[0], y, &r.v[0], &r.v[1]);
    return r;
}

static Regs interleave2(LiftContext *ctx, IrLane lane, bool q, Regs r)
{
    Regs m = { 0 };
    weave(ctx, lane, r.v[0], r.v[1], &m.v[0], &m.v[1]);
    if (!q)
        m.v[1] = v_op1(ctx, IR_vdupl, IR_LANE_I64, 0, m.v[0], 1);
    return m;
}

static Regs deinterleave4(LiftContext *ctx, bool q, IrLane lane, Regs m)
{
    Regs r;
    IrRef even[2], odd[2];
    if (!q) {
        IrRef x = join(ctx, m.v[0], m.v[1]), y = join(ctx, m.v[2], m.v[3]);
        split(ctx, lane, x, y, &even[0], &odd[0]);
        even[1] = even[0];
        odd[1] = odd[0];
    } else {
        split(ctx, lane, m.v[0], m.v[1], &even[0], &odd[0]);
        split(ctx, lane, m.v[2], m.v[3], &even[1], &odd[1]);
    }
    split(ctx, lane, even[0], even[1], &r.v[0], &r.v[2]);
    split(ctx, lane, odd[0], odd[1], &r.v[1], &r.v[3]);
    return r;
}

static Regs interleave4(LiftContext *ctx, IrLane lane, bool q, Regs r)
{
    Regs m;
    IrRef even[2], odd[2]; /* of registers 0 and 2; 1 and 3 */
    weave(ctx, lane, r.v[0], r.v[2], &even[0], &even[1]);
    weave(ctx, lane, r.v[1], r.v[3], &odd[0], &odd[1]);
    if (!q) {
        weave(ctx, lane, even[0], odd[0], &m.v[0], &m.v[2]);
        m.v[1] = v_op1(ctx, IR_vdupl, IR_LANE_I64, 0, m.v[0], 1);
        m.v[3] = v_op1(ctx, IR_vdupl, IR_LANE_I64, 0, m.v[2], 1);
    } else {
        weave(ctx, lane, even[0], odd[0], &m.v[0], &m.v[1]);
        weave(ctx, lane, even[1], odd[1], &m.v[2], &m.v[3]);
    }
    return m;
}

/* Picks bytes of three registers: byte i of the result is byte from[i] of x:y:z, each `stride`
 * bytes of which count; a table lookup in each, or'ed. */
static IrRef pick3(LiftContext *ctx, const uint8_t from[16], unsigned stride, Regs x)
{
    IrRef r = IR_NONE;
    for (unsigned part = 0; part < 3; part++) {
        V128 index = { 0, 0 };
        for (unsigned i = 0; i < 16; i++) {
            uint64_t at = from[i] / stride == part ? from[i] % stride : 0xff;
            *(i < 8 ? &index.lo : &index.hi) |= at << (i % 8 * 8);
        }
        if (index.lo == UINT64_MAX && index.hi == UINT64_MAX)
            continue;
        IrRef found = v_op2(ctx, IR_vtbl, IR_LANE_I8, 0, x.v[part],
                            ir_vconst(&ctx->b, index.lo, index.hi));
        r = r == IR_NONE ? found : v_op2(ctx, IR_vor, 0, 0, r, found);
    }
    return r;
}

/* Byte b of lane l of register r is at memory byte (3 * l + r) * lane bytes + b, and back. */
static Regs shuffle3(LiftContext *ctx, IrLane lane, bool q, bool load, Regs x)
{
    unsigned bytes = 1u << lane, stride = q ? 16 : 8;
    Regs out = { 0 };
    for (unsigned r = 0; r < 3; r++) {
        uint8_t from[16];
        memset(from, 0xff, sizeof(from)); /* no part: zero */
        for (unsigned i = 0; i < stride; i++) {
            unsigned at = r * stride + i, element = at / bytes;
            from[i] = load ? (3 * (i / bytes) + r) * bytes + i % bytes
                           : element % 3 * stride + element / 3 * bytes + i % bytes;
        }
        out.v[r] = pick3(ctx, from, stride, x);
    }
    return out;
}

static Regs shuffle(LiftContext *ctx, unsigned sel, bool load, bool q, IrLane lane, Regs x)
{
    switch (sel) {
    case 2: return load ? deinterleave2(ctx, q, lane, x) : interleave2(ctx, lane, q, x);
    case 3: return shuffle3(ctx, lane, q, load, x);
    case 4: return load ? deinterleave4(ctx, q, lane, x) : interleave4(ctx, lane, q, x);
    default: return x;
    }
}

/* The base after an access of `bytes`: by register rm, or 31: by what was moved. */
static void post_index(LiftContext *ctx, int rn, int rm, IrRef base, unsigned bytes)
{
    IrRef offset = rm == 31 ? a64_i64(ctx, bytes) : a64_get_x(ctx, rm);
    a64_put_rsp(ctx, rn, ir_op2(&ctx->b, IR_add, base, offset));
}

/* LD1 … LD4, ST1 … ST4 of whole registers: rpt or sel is 1 */
bool a64_lift_ld_multi(LiftContext *ctx, const Argld_multi *a)
{
    if (a->size == 3 && !a->q && a->sel > 1)
        return false;
    unsigned n = a->rpt * a->sel, bytes = 8u << a->q;
    IrLane lane = IR_LANE_I8 + a->size;
    IrRef base = a64_get_xsp(ctx, a->rn);
    Regs x = { 0 };
    if (a->load) {
        for (unsigned i = 0; i < n; i++)
            x.v[i] = load_vq(ctx, a->q, base, i * bytes);
        x = shuffle(ctx, a->sel, true, a->q, lane, x);
        for (unsigned i = 0; i < n; i++)
            a64_put_vq(ctx, a->q || a->sel == 1, (a->rt + i) & 31, x.v[i]);
    } else {
        for (unsigned i = 0; i < n; i++)
            x.v[i] = a64_get_v(ctx, (a->rt + i) & 31);
        x = shuffle(ctx, a->sel, false, a->q, lane, x);
        for (unsigned i = 0; i < n; i++)
            store_vq(ctx, a->q, base, i * bytes, x.v[i]);
    }
    if (a->p)
        post_index(ctx, a->rn, a->rm, base, n * bytes);
    return true;
}

/* -- one lane ---------------------------------------------------------------------------------- */

/* LD1R … LD4R */
static void load_replicate(LiftContext *ctx, const ArgVlane *a, IrRef base)
{
    unsigned n = a->sel + 1, esize = a->size;
    IrType type = esize == 3 ? IR_I64 : IR_I32;
    IrRef x[4];
    for (unsigned i = 0; i < n; i++)
        x[i] = ir_load(&ctx->b, type, esize, base, i << esize);
    for (unsigned i = 0; i < n; i++)
        a64_put_vq(ctx, a->q, (a->rt + i) & 31,
                   v_op1(ctx, IR_vdup, IR_LANE_I8 + esize, 0, x[i], 0));
}

static void access_lanes(LiftContext *ctx, const ArgVlane *a, IrRef base, unsigned esize,
                         unsigned index)
{
    unsigned n = a->sel + 1;
    IrLane lane = IR_LANE_I8 + esize;
    IrType type = esize == 3 ? IR_I64 : IR_I32;
    IrRef x[4];
    for (unsigned i = 0; i < n; i++) {
        if (a->load)
            x[i] = ir_load(&ctx->b, type, esize, base, i << esize);
        else
            x[i] = ir_emit(&ctx->b, IR_vget, type, lane, 0, a64_get_v(ctx, (a->rt + i) & 31), 0, 0,
                           0, index);
    }
    for (unsigned i = 0; i < n; i++) {
        int r = (a->rt + i) & 31;
        if (a->load)
            a64_put_v(
                ctx, r,
                ir_emit(&ctx->b, IR_vset, IR_V128, lane, 0, a64_get_v(ctx, r), x[i], 0, 0, index));
        else
            ir_store(&ctx->b, esize, base, i << esize, x[i]);
    }
}

/* sel is R:opcode<0>'s number of registers less one; kind opcode<2:1>. The lane's number is in
 * Q:S:size from the bit that its width leaves. */
bool a64_lift_ld_lane(LiftContext *ctx, const Argld_lane *a)
{
    unsigned esize = a->kind, number = (unsigned)(a->q << 3 | a->s << 2 | a->size);
    if (a->kind == 3) {
        if (!a->load || a->s)
            return false;
        esize = a->size;
    } else if ((a->kind == 1 && a->size & 1) || (a->kind == 2 && a->size & 2)
               || (a->kind == 2 && a->size == 1 && a->s)) {
        return false;
    } else if (a->kind == 2 && a->size == 1) {
        esize = 3;
    }
    IrRef base = a64_get_xsp(ctx, a->rn);
    if (a->kind == 3)
        load_replicate(ctx, a, base);
    else
        access_lanes(ctx, a, base, esize, number >> esize);
    if (a->p)
        post_index(ctx, a->rn, a->rm, base, (unsigned)(a->sel + 1) << esize);
    return true;
}
