/* data plane */
/* See bits.h. */
#include "translator/opt/bits.h"

static unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
static unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }

static unsigned width_of(IrType t) { return t == IR_I1 ? 1 : t == IR_I32 ? 32 : 64; }

/* Consistent: a value below 2^u has u + 1 signed bits, unless that is all there is room for. */
static OptBits bits(unsigned width, unsigned u, unsigned s)
{
    u = min(u, width);
    s = min(s, width);
    if (u < width)
        s = min(s, u + 1);
    return (OptBits){ (uint8_t)u, (uint8_t)s };
}

static OptBits of_constant(IrType t, uint64_t v)
{
    unsigned w = width_of(t);
    int64_t x = t == IR_I32 ? (int32_t)v : (int64_t)v;
    uint64_t magnitude = (uint64_t)(x < 0 ? ~x : x);
    unsigned s = 1 + (magnitude ? 64 - (unsigned)__builtin_clzll(magnitude) : 0);
    unsigned u = v ? 64 - (unsigned)__builtin_clzll(v) : 0;
    return bits(w, u, s);
}

static OptBits of_load(const IrInsn *i, unsigned w)
{
    unsigned n = 8u << (i->attr & IR_MEM_SIZE);
    return i->attr & IR_MEM_SIGNED ? bits(w, w, n) : bits(w, n, w);
}

static OptBits of_shift(const IrUnit *u, const IrInsn *i, unsigned w, OptBits a)
{
    const IrInsn *by = &u->insn[i->arg[1]];
    if (by->op != IR_const) /* to the right: no more bits than before */
        return i->op == IR_shr && a.u < w ? a : i->op == IR_sar ? a : bits(w, w, w);
    unsigned n = (unsigned)by->imm & (w - 1);
    if (i->op == IR_shl)
        return bits(w, a.u + n, a.s + n);
    if (i->op == IR_shr)
        return bits(w, a.u > n ? a.u - n : 0, n ? w : a.s);
    return bits(w, a.u < w ? (a.u > n ? a.u - n : 0) : w, a.s > n ? a.s - n : 1);
}

static OptBits of_widening(const IrInsn *i, OptBits a)
{
    switch (i->op) {
    case IR_zext:
        return bits(64, a.u, 64);
    case IR_sext:
        return bits(64, a.u < 32 ? a.u : 64, a.s);
    default: /* trunc */
        return bits(32, a.u, a.s);
    }
}

OptBits opt_bits_of(const IrUnit *u, const OptBits *of, IrRef r)
{
    const IrInsn *i = &u->insn[r];
    unsigned w = width_of((IrType)i->type);
    OptBits a = of[i->arg[0]], b = of[i->arg[1]];
    switch (i->op) {
    case IR_const:
        return of_constant((IrType)i->type, (uint64_t)i->imm);
    case IR_load:
        return of_load(i, w);
    case IR_copy:
        return a;
    case IR_and:
        return bits(w, min(a.u, b.u), max(a.s, b.s));
    case IR_andn:
        return bits(w, a.u, max(a.s, b.s));
    case IR_or: case IR_xor:
        return bits(w, max(a.u, b.u), max(a.s, b.s));
    case IR_not:
        return bits(w, w, a.s);
    case IR_add:
        return bits(w, max(a.u, b.u) + 1, max(a.s, b.s) + 1);
    case IR_sub:
        return bits(w, w, max(a.s, b.s) + 1);
    case IR_neg:
        return bits(w, w, a.s + 1);
    case IR_mul:
        return bits(w, a.u + b.u, a.s + b.s);
    case IR_shl: case IR_shr: case IR_sar:
        return of_shift(u, i, w, a);
    case IR_ubfx:
        return bits(w, i->attr >> 8, w);
    case IR_sbfx:
        return bits(w, w, i->attr >> 8);
    case IR_bfi: {
        unsigned lsb = i->attr & 255, len = i->attr >> 8 & 255;
        return bits(w, max(a.u, b.u ? lsb + min(b.u, len) : 0), w);
    }
    case IR_udiv: case IR_urem:
        return bits(w, a.u, w);
    case IR_srem:
        return bits(w, a.u < w ? a.u : w, a.s);
    case IR_zext: case IR_sext: case IR_trunc:
        return of_widening(i, a);
    case IR_b2i:
        return bits(w, 1, w);
    case IR_clz: case IR_ctz: case IR_popcnt:
        return bits(w, 7, w);
    case IR_vmask:
        return bits(w, 16, w);
    case IR_vget:
        if (i->attr & IR_V_SIGNED)
            return bits(w, w, 8u << (i->cc & 3));
        return bits(w, 8u << (i->cc & 3), w);
    case IR_select: {
        OptBits c = of[i->arg[2]];
        return bits(w, max(b.u, c.u), max(b.s, c.s));
    }
    default:
        return bits(w, w, w);
    }
}
