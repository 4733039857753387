/* data plane */
/*
 * Helpers of the SHA-512 instructions (Arm ARM DDI 0487 K.a, C7.2; the functions are FIPS 180-4's).
 */
#include "translator/guest/aarch64/helpers.h"

static uint64_t ror64(uint64_t x, unsigned n) { return x >> n | x << (64 - n); }

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
