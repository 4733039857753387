/* data plane */
/* Integer operations on constants, by ops.def's definitions. */
#include "translator/opt/opt.h"

static uint64_t mask_to(IrType t, uint64_t v)
{
    return t == IR_I1 ? v & 1 : t == IR_I32 ? (uint32_t)v : v;
}

static int64_t sign_of(IrType t, uint64_t v)
{
    return t == IR_I32 ? (int32_t)v : (int64_t)v;
}

static bool compare(unsigned cc, IrType t, uint64_t a, uint64_t b)
{
    int64_t sa = sign_of(t, a), sb = sign_of(t, b);
    switch (cc) {
    case IR_CMP_EQ:
        return a == b;
    case IR_CMP_NE:
        return a != b;
    case IR_CMP_ULT:
        return a < b;
    case IR_CMP_UGE:
        return a >= b;
    case IR_CMP_ULE:
        return a <= b;
    case IR_CMP_UGT:
        return a > b;
    case IR_CMP_SLT:
        return sa < sb;
    case IR_CMP_SGE:
        return sa >= sb;
    case IR_CMP_SLE:
        return sa <= sb;
    default:
        return sa > sb;
    }
}

static uint64_t divide(IrOp op, IrType t, uint64_t a, uint64_t b)
{
    int64_t sa = sign_of(t, a), sb = sign_of(t, b);
    switch (op) {
    case IR_udiv:
        return b ? a / b : 0;
    case IR_urem:
        return b ? a % b : a;
    case IR_sdiv:
        return !sb ? 0 : sb == -1 ? -a : (uint64_t)(sa / sb);
    default:
        return !sb ? a : sb == -1 ? 0 : (uint64_t)(sa % sb);
    }
}

static uint64_t multiply_high(IrOp op, IrType t, uint64_t a, uint64_t b)
{
    __int128 x = op == IR_mulhu ? (__int128)a : (__int128)sign_of(t, a);
    __int128 y = op == IR_mulhs ? (__int128)sign_of(t, b) : (__int128)b;
    return (uint64_t)((unsigned __int128)x * (unsigned __int128)y >> (t == IR_I32 ? 32 : 64));
}

uint64_t opt_reverse_bits(uint64_t v)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 64; i++)
        r |= (v >> i & 1) << (63 - i);
    return r;
}

static uint64_t field(const IrInsn *i, uint64_t a)
{
    unsigned lsb = i->attr & 255, len = i->attr >> 8;
    uint64_t v = a << (64 - lsb - len);
    return i->op == IR_ubfx ? v >> (64 - len) : (uint64_t)((int64_t)v >> (64 - len));
}

static uint64_t insert(const IrInsn *i, uint64_t a, uint64_t b)
{
    unsigned lsb = i->attr & 255, len = i->attr >> 8;
    uint64_t mask = (len == 64 ? ~UINT64_C(0) : (UINT64_C(1) << len) - 1) << lsb;
    return (a & ~mask) | (b << lsb & mask);
}

bool opt_eval(const IrInsn *i, IrType at, uint64_t a, uint64_t b, uint64_t *ret_value)
{
    IrType t = (IrType)i->type;
    unsigned w = t == IR_I32 ? 32 : 64, n = (unsigned)b & (w - 1);
    uint64_t v;
    switch (i->op) {
    case IR_copy: case IR_zext: case IR_trunc: case IR_b2i: v = a; break;
    case IR_sext: v = (uint64_t)(int32_t)a; break;
    case IR_add: v = a + b; break;
    case IR_sub: v = a - b; break;
    case IR_mul: v = a * b; break;
    case IR_mulhu: case IR_mulhs: case IR_mulhsu: v = multiply_high(i->op, t, a, b); break;
    case IR_udiv: case IR_sdiv: case IR_urem: case IR_srem: v = divide(i->op, t, a, b); break;
    case IR_and: case IR_band: v = a & b; break;
    case IR_or: case IR_bor: v = a | b; break;
    case IR_xor: case IR_bxor: v = a ^ b; break;
    case IR_andn: v = a & ~b; break;
    case IR_not: case IR_bnot: v = ~a; break;
    case IR_neg: v = -a; break;
    case IR_shl: v = a << n; break;
    case IR_shr: v = a >> n; break;
    case IR_sar: v = (uint64_t)(sign_of(t, a) >> n); break;
    case IR_ror: v = n ? a >> n | a << (w - n) : a; break;
    case IR_index: v = (i->arg[0] ? a : 0) + (b << i->attr) + (uint64_t)i->imm; break;
    case IR_extr: v = i->imm ? b >> i->imm | a << (w - i->imm) : b; break;
    case IR_clz: v = !a ? w : (unsigned)__builtin_clzll(a) - (64 - w); break;
    case IR_ctz: v = !a ? w : (unsigned)__builtin_ctzll(a); break;
    case IR_popcnt: v = (unsigned)__builtin_popcountll(a); break;
    case IR_bswap: v = w == 32 ? __builtin_bswap32((uint32_t)a) : __builtin_bswap64(a); break;
    case IR_bitrev: v = opt_reverse_bits(a) >> (64 - w); break;
    case IR_ubfx: case IR_sbfx: v = field(i, a); break;
    case IR_bfi: v = insert(i, a, b); break;
    case IR_cmp: v = compare(i->cc, at, a, b); break;
    default:
        return false;
    }
    *ret_value = mask_to(t, v);
    return true;
}
