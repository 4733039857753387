/* data plane */
/*
 * Helpers of the hash instructions (Arm ARM DDI 0487 K.a, J1.1, SHAhashupdate and the pages of C7.2;
 * the functions are FIPS 180-4's).
 */
#include "translator/guest/aarch64/helpers.h"

typedef union Words {
    V128 v;
    uint32_t w[4];
    uint64_t d[2];
} Words;

static uint32_t rol32(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }
static uint32_t ror32(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }
static uint64_t ror64(uint64_t x, unsigned n) { return x >> n | x << (64 - n); }

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z) { return ((y ^ z) & x) ^ z; }
static uint32_t parity(uint32_t x, uint32_t y, uint32_t z) { return x ^ y ^ z; }
static uint32_t majority(uint32_t x, uint32_t y, uint32_t z) { return (x & y) | ((x | y) & z); }

/* Four rounds of SHA-1: x = a b c d, y = e, w = schedule + constant. */
static inline V128 sha1_rounds(const V128 *x, const V128 *y, const V128 *w,
                               uint32_t (*f)(uint32_t, uint32_t, uint32_t))
{
    Words s = { .v = *x }, k = { .v = *w };
    uint32_t e = (uint32_t)y->lo;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = e + rol32(s.w[0], 5) + f(s.w[1], s.w[2], s.w[3]) + k.w[i];
        e = s.w[3];
        s.w[3] = s.w[2];
        s.w[2] = rol32(s.w[1], 30);
        s.w[1] = s.w[0];
        s.w[0] = t;
    }
    return s.v;
}

void a64_helper_sha1c(Vcpu *v, V128 *ret, const V128 *a, const V128 *b, const V128 *c)
{
    *ret = sha1_rounds(a, b, c, choose);
}

void a64_helper_sha1p(Vcpu *v, V128 *ret, const V128 *a, const V128 *b, const V128 *c)
{
    *ret = sha1_rounds(a, b, c, parity);
}

void a64_helper_sha1m(Vcpu *v, V128 *ret, const V128 *a, const V128 *b, const V128 *c)
{
    *ret = sha1_rounds(a, b, c, majority);
}

void a64_helper_sha1su1(Vcpu *v, V128 *ret, const V128 *a, const V128 *b)
{
    Words d = { .v = *a }, n = { .v = *b }, r;
    r.w[0] = rol32(d.w[0] ^ n.w[1], 1);
    r.w[1] = rol32(d.w[1] ^ n.w[2], 1);
    r.w[2] = rol32(d.w[2] ^ n.w[3], 1);
    r.w[3] = rol32(d.w[3], 1) ^ rol32(d.w[0] ^ n.w[1], 2);
    *ret = r.v;
}

/* Four rounds of SHA-256 on x = a b c d, y = e f g h. */
static inline void sha256_rounds(Words *x, Words *y, const V128 *w)
{
    Words k = { .v = *w };
    for (unsigned i = 0; i < 4; i++) {
        uint32_t e = y->w[0], a = x->w[0];
        uint32_t t = y->w[3] + (ror32(e, 6) ^ ror32(e, 11) ^ ror32(e, 25))
                   + choose(e, y->w[1], y->w[2]) + k.w[i];
        uint32_t next_e = x->w[3] + t;
        uint32_t next_a = t + (ror32(a, 2) ^ ror32(a, 13) ^ ror32(a, 22))
                        + majority(a, x->w[1], x->w[2]);
        *y = (Words){ .w = { next_e, e, y->w[1], y->w[2] } };
        *x = (Words){ .w = { next_a, a, x->w[1], x->w[2] } };
    }
}

void a64_helper_sha256h(Vcpu *v, V128 *ret, const V128 *a, const V128 *b, const V128 *c)
{
    Words x = { .v = *a }, y = { .v = *b };
    sha256_rounds(&x, &y, c);
    *ret = x.v;
}

/* The destination is e f g h here, the first source a b c d. */
void a64_helper_sha256h2(Vcpu *v, V128 *ret, const V128 *a, const V128 *b, const V128 *c)
{
    Words x = { .v = *b }, y = { .v = *a };
    sha256_rounds(&x, &y, c);
    *ret = y.v;
}

void a64_helper_sha256su0(Vcpu *v, V128 *ret, const V128 *a, const V128 *b)
{
    Words d = { .v = *a }, n = { .v = *b }, r;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = i < 3 ? d.w[i + 1] : n.w[0];
        r.w[i] = d.w[i] + (ror32(t, 7) ^ ror32(t, 18) ^ t >> 3);
    }
    *ret = r.v;
}

void a64_helper_sha256su1(Vcpu *v, V128 *ret, const V128 *a, const V128 *b, const V128 *c)
{
    Words d = { .v = *a }, n = { .v = *b }, m = { .v = *c }, r;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = i < 2 ? m.w[i + 2] : r.w[i - 2];
        uint32_t add = i < 3 ? n.w[i + 1] : m.w[0];
        r.w[i] = d.w[i] + (ror32(t, 17) ^ ror32(t, 19) ^ t >> 10) + add;
    }
    *ret = r.v;
}

/* -- SHA-512: lane 1 of each register is the earlier letter's neighbour, see the pages of C7.2 ------- */

static uint64_t big_sigma1(uint64_t x) { return ror64(x, 14) ^ ror64(x, 18) ^ ror64(x, 41); }
static uint64_t big_sigma0(uint64_t x) { return ror64(x, 28) ^ ror64(x, 34) ^ ror64(x, 39); }
static uint64_t choose64(uint64_t x, uint64_t y, uint64_t z) { return (x & y) ^ (~x & z); }
static uint64_t majority64(uint64_t x, uint64_t y, uint64_t z)
{
    return (x & y) ^ (x & z) ^ (y & z);
}

void a64_helper_sha512h(Vcpu *v, V128 *ret, const V128 *a, const V128 *b, const V128 *c)
{
    uint64_t hi = a->hi + big_sigma1(c->hi) + choose64(c->hi, b->lo, b->hi);
    uint64_t t = hi + c->lo;
    uint64_t lo = a->lo + big_sigma1(t) + choose64(t, c->hi, b->lo);
    *ret = (V128){ lo, hi };
}

void a64_helper_sha512h2(Vcpu *v, V128 *ret, const V128 *a, const V128 *b, const V128 *c)
{
    uint64_t hi = a->hi + big_sigma0(c->lo) + majority64(b->lo, c->hi, c->lo);
    uint64_t lo = a->lo + big_sigma0(hi) + majority64(hi, c->lo, c->hi);
    *ret = (V128){ lo, hi };
}

static uint64_t small_sigma0(uint64_t x) { return ror64(x, 1) ^ ror64(x, 8) ^ x >> 7; }
static uint64_t small_sigma1(uint64_t x) { return ror64(x, 19) ^ ror64(x, 61) ^ x >> 6; }

void a64_helper_sha512su0(Vcpu *v, V128 *ret, const V128 *a, const V128 *b)
{
    *ret = (V128){ a->lo + small_sigma0(a->hi), a->hi + small_sigma0(b->lo) };
}

void a64_helper_sha512su1(Vcpu *v, V128 *ret, const V128 *a, const V128 *b, const V128 *c)
{
    *ret = (V128){ a->lo + small_sigma1(b->lo) + c->lo, a->hi + small_sigma1(b->hi) + c->hi };
}
