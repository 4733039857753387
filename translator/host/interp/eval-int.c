/* data plane */
/* Integer operations of the IR on plain values. ops.def beside ir.h defines them. */
#include "translator/host/interp/interp.h"

static uint64_t mask_of(unsigned bits)
{
    return bits == 64 ? ~0ull : (1ull << bits) - 1;
}

static int64_t sext(uint64_t x, unsigned bits)
{
    return (int64_t)(x << (64 - bits)) >> (64 - bits);
}

static unsigned type_bits(IrType t)
{
    switch (t) {
    case IR_I1: return 1;
    case IR_I8: return 8;
    case IR_I16: return 16;
    case IR_I32: case IR_F32: return 32;
    default: return 64;
    }
}

static uint32_t nz(uint64_t r, unsigned bits)
{
    return (uint32_t)((r >> (bits - 1) & 1) << 31) | (uint32_t)((r & mask_of(bits)) == 0) << 30;
}

/* NZCV of a + b + carry; subtraction is a + ~b + 1 (or + C). Arm ARM, AddWithCarry(). */
static uint32_t flags_add(uint64_t a, uint64_t b, unsigned carry, unsigned bits)
{
    a &= mask_of(bits);
    b &= mask_of(bits);
    unsigned __int128 wide = (unsigned __int128)a + b + carry;
    uint64_t r = (uint64_t)wide & mask_of(bits);
    uint32_t c = (uint32_t)(wide >> bits) & 1;
    uint32_t v = (uint32_t)(((a ^ r) & (b ^ r)) >> (bits - 1)) & 1;
    return nz(r, bits) | c << 29 | v << 28;
}

/* Arm ARM, ConditionHolds(); pairs differ by their last bit. */
bool interp_cond(unsigned cc, uint32_t nzcv)
{
    bool n = nzcv >> 31 & 1, z = nzcv >> 30 & 1, c = nzcv >> 29 & 1, v = nzcv >> 28 & 1;
    bool r;
    switch (cc >> 1) {
    case IR_CC_EQ >> 1: r = z; break;
    case IR_CC_CS >> 1: r = c; break;
    case IR_CC_MI >> 1: r = n; break;
    case IR_CC_VS >> 1: r = v; break;
    case IR_CC_HI >> 1: r = c && !z; break;
    case IR_CC_GE >> 1: r = n == v; break;
    default: r = !z && n == v; break;
    }
    return cc & 1 ? !r : r;
}

static bool compare(unsigned cc, uint64_t a, uint64_t b, unsigned bits)
{
    int64_t sa = sext(a, bits), sb = sext(b, bits);
    switch (cc) {
    case IR_CMP_EQ: return a == b;
    case IR_CMP_NE: return a != b;
    case IR_CMP_ULT: return a < b;
    case IR_CMP_UGE: return a >= b;
    case IR_CMP_ULE: return a <= b;
    case IR_CMP_UGT: return a > b;
    case IR_CMP_SLT: return sa < sb;
    case IR_CMP_SGE: return sa >= sb;
    case IR_CMP_SLE: return sa <= sb;
    default: return sa > sb;
    }
}

static uint64_t divide(IrOp op, uint64_t a, uint64_t b, unsigned bits)
{
    if (op == IR_udiv)
        return b ? a / b : 0;
    if (op == IR_urem)
        return b ? a % b : a;
    int64_t sa = sext(a, bits), sb = sext(b, bits);
    if (sb == 0)
        return op == IR_sdiv ? 0 : a;
    if (sb == -1) /* MIN / -1 would trap */
        return op == IR_sdiv ? 0 - a : 0;
    return op == IR_sdiv ? (uint64_t)(sa / sb) : (uint64_t)(sa % sb);
}

static uint64_t multiply_high(IrOp op, uint64_t a, uint64_t b, unsigned bits)
{
    __int128 x = op == IR_mulhu ? (__int128)a : sext(a, bits);
    __int128 y = op == IR_mulhs ? sext(b, bits) : (__int128)b;
    return (uint64_t)((unsigned __int128)x * (unsigned __int128)y >> bits);
}

static uint64_t shift(IrOp op, uint64_t a, uint64_t amount, unsigned bits)
{
    unsigned n = amount & (bits - 1);
    switch (op) {
    case IR_shl: return a << n;
    case IR_shr: return a >> n;
    case IR_sar: return (uint64_t)(sext(a, bits) >> n);
    default: return n ? a >> n | a << (bits - n) : a; /* ror */
    }
}

static uint64_t count(IrOp op, uint64_t a, unsigned bits)
{
    switch (op) {
    case IR_clz: return a ? (unsigned)__builtin_clzll(a) - (64 - bits) : bits;
    case IR_ctz: return a ? (unsigned)__builtin_ctzll(a) : bits;
    default: return (unsigned)__builtin_popcountll(a);
    }
}

static uint64_t bit_reverse(uint64_t a, unsigned bits)
{
    uint64_t r = 0;
    for (unsigned n = 0; n < bits; n++)
        r |= (a >> n & 1) << (bits - 1 - n);
    return r;
}

static uint32_t crc(uint32_t polynomial, uint32_t acc, uint64_t value, unsigned bytes)
{
    for (unsigned n = 0; n < bytes * 8; n++) {
        uint32_t bit = (acc ^ (uint32_t)(value >> n)) & 1;
        acc = acc >> 1 ^ (bit ? polynomial : 0);
    }
    return acc;
}

static uint64_t eval_field(const IrInsn *i, uint64_t a, uint64_t b)
{
    unsigned lsb = i->attr & 0xff, len = i->attr >> 8 & 0xff;
    switch (i->op) {
    case IR_ubfx: return a >> lsb & mask_of(len);
    case IR_sbfx: return (uint64_t)sext(a >> lsb, len);
    default: {
        uint64_t m = mask_of(len) << lsb;
        return (a & ~m) | (b << lsb & m);
    }
    }
}

/* Operations whose result is an integer of type T. */
static uint64_t eval_word(const IrInsn *i, uint64_t a, uint64_t b, uint64_t c, unsigned bits)
{
    switch (i->op) {
    case IR_add: return a + b;
    case IR_sub: return a - b;
    case IR_mul: return a * b;
    case IR_mulhu: case IR_mulhs: case IR_mulhsu: return multiply_high(i->op, a, b, bits);
    case IR_udiv: case IR_sdiv: case IR_urem: case IR_srem: return divide(i->op, a, b, bits);
    case IR_and: return a & b;
    case IR_or: return a | b;
    case IR_xor: return a ^ b;
    case IR_andn: return a & ~b;
    case IR_not: return ~a;
    case IR_neg: return 0 - a;
    case IR_shl: case IR_shr: case IR_sar: case IR_ror: return shift(i->op, a, b, bits);
    case IR_index: return (i->arg[0] ? a : 0) + (b << i->attr) + (uint64_t)i->imm;
    case IR_extr: return i->imm ? b >> i->imm | a << (bits - i->imm) : b;
    case IR_clz: case IR_ctz: case IR_popcnt: return count(i->op, a, bits);
    case IR_bswap: return bits == 32 ? __builtin_bswap32((uint32_t)a) : __builtin_bswap64(a);
    case IR_bitrev: return bit_reverse(a, bits);
    case IR_ubfx: case IR_sbfx: case IR_bfi: return eval_field(i, a, b);
    case IR_sext: return (uint64_t)sext(a, 32);
    case IR_adc: return a + b + (c >> 29 & 1);
    case IR_sbc: return a - b - !(c >> 29 & 1);
    case IR_crc32: return crc(0xedb88320, (uint32_t)a, b, 1u << (i->attr & 3));
    case IR_crc32c: return crc(0x82f63b78, (uint32_t)a, b, 1u << (i->attr & 3));
    default: return a; /* copy, zext, trunc, b2i */
    }
}

uint64_t interp_eval_int(const IrInsn *i, uint64_t a, uint64_t b, uint64_t c)
{
    unsigned flag_bits = type_bits(i->attr);
    switch (i->op) {
    case IR_cmp: return compare(i->cc, a, b, type_bits(i->mark));
    case IR_bnot: return !a;
    case IR_band: return a & b;
    case IR_bor: return a | b;
    case IR_bxor: return a ^ b;
    case IR_fladd: return flags_add(a, b, 0, flag_bits);
    case IR_flsub: return flags_add(a, ~b, 1, flag_bits);
    case IR_fladc: return flags_add(a, b, c >> 29 & 1, flag_bits);
    case IR_flsbc: return flags_add(a, ~b, c >> 29 & 1, flag_bits);
    case IR_flogic: return nz(a, flag_bits);
    case IR_flpack: case IR_flunpack: return a & 0xf0000000;
    case IR_cond: return interp_cond(i->cc, (uint32_t)a);
    default: {
        unsigned bits = type_bits(i->type);
        return eval_word(i, a, b, c, bits) & mask_of(bits);
    }
    }
}
