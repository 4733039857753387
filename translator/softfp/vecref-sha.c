/* data plane */
/* SHA-1 and SHA-256 by four rounds: FIPS 180-4 §6.1.2 and §6.2.2. Lane 0 is the first letter (a, e)
 * and the first word. */
#include "translator/softfp/vecref.h"

typedef union Words { V128 v; uint32_t w[4]; } Words;

static uint32_t rol(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }
static uint32_t ror(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }
static uint32_t choose(uint32_t x, uint32_t y, uint32_t z) { return ((y ^ z) & x) ^ z; }
static uint32_t majority(uint32_t x, uint32_t y, uint32_t z) { return (x & y) | ((x | y) & z); }

static uint32_t sha1_function(unsigned which, uint32_t x, uint32_t y, uint32_t z)
{
    return which == 0 ? choose(x, y, z) : which == 1 ? x ^ y ^ z : majority(x, y, z);
}

static V128 sha1_rounds(unsigned which, V128 abcd, uint32_t e, V128 words)
{
    Words s = { .v = abcd }, k = { .v = words };
    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = e + rol(s.w[0], 5) + sha1_function(which, s.w[1], s.w[2], s.w[3]) + k.w[i];
        e = s.w[3];
        s = (Words){ .w = { t, s.w[0], rol(s.w[1], 30), s.w[2] } };
    }
    return s.v;
}

static V128 sha1_schedule1(V128 a, V128 b)
{
    Words d = { .v = a }, n = { .v = b }, r;
    r.w[0] = rol(d.w[0] ^ n.w[1], 1);
    r.w[1] = rol(d.w[1] ^ n.w[2], 1);
    r.w[2] = rol(d.w[2] ^ n.w[3], 1);
    r.w[3] = rol(d.w[3], 1) ^ rol(d.w[0] ^ n.w[1], 2);
    return r.v;
}

/* The new a b c d, or e f g h. */
static V128 sha256_rounds(V128 abcd, V128 efgh, V128 words, bool second)
{
    Words x = { .v = abcd }, y = { .v = efgh }, k = { .v = words };
    for (unsigned i = 0; i < 4; i++) {
        uint32_t e = y.w[0], a = x.w[0];
        uint32_t t = y.w[3] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + choose(e, y.w[1], y.w[2])
                   + k.w[i];
        uint32_t u = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + majority(a, x.w[1], x.w[2]);
        y = (Words){ .w = { x.w[3] + t, e, y.w[1], y.w[2] } };
        x = (Words){ .w = { t + u, a, x.w[1], x.w[2] } };
    }
    return second ? y.v : x.v;
}

static V128 sha256_schedule0(V128 a, V128 b)
{
    Words d = { .v = a }, n = { .v = b }, r;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = i < 3 ? d.w[i + 1] : n.w[0];
        r.w[i] = d.w[i] + (ror(t, 7) ^ ror(t, 18) ^ t >> 3);
    }
    return r.v;
}

static V128 sha256_schedule1(V128 a, V128 b, V128 c)
{
    Words d = { .v = a }, n = { .v = b }, m = { .v = c }, r;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = i < 2 ? m.w[i + 2] : r.w[i - 2];
        uint32_t add = i < 3 ? n.w[i + 1] : m.w[0];
        r.w[i] = d.w[i] + (ror(t, 17) ^ ror(t, 19) ^ t >> 10) + add;
    }
    return r.v;
}

V128 vecref_sha(IrOp op, int64_t imm, V128 a, V128 b, V128 c)
{
    switch (op) {
    case IR_vsha1: return sha1_rounds((unsigned)imm, a, (uint32_t)b.lo, c);
    case IR_vsha1su1: return sha1_schedule1(a, b);
    case IR_vsha256su0: return sha256_schedule0(a, b);
    case IR_vsha256su1: return sha256_schedule1(a, b, c);
    default: return sha256_rounds(a, b, c, op == IR_vsha256h2);
    }
}
