/* data plane */
/*
 * Helpers of integer SIMD instructions that have no IR operation.
 */
#include "translator/guest/aarch64/helpers.h"
#include "translator/guest/aarch64/lanes.h"

#include <string.h>

static int64_t sign_extend(uint64_t value, unsigned esize)
{
    unsigned unused = 64 - (8 << esize);
    return (int64_t)(value << unused) >> unused;
}

/* SQRDMLAH, SQRDMLSH: sat((acc << bits +- 2 * n * m + half) >> bits). desc: esize,
 * subtract << 2. */
static int64_t rdmla_lane(uint32_t desc, const V128 *acc, const V128 *n, const V128 *m, unsigned i,
                          bool *ret_saturated)
{
    unsigned esize = desc & 3, bits = 8 << esize;
    __int128 product = (__int128)sign_extend(lane_get(n, esize, i), esize)
                     * sign_extend(lane_get(m, esize, i), esize) * 2;
    __int128 sum = (__int128)sign_extend(lane_get(acc, esize, i), esize) * ((__int128)1 << bits);
    sum = ((desc & 4 ? sum - product : sum + product) + ((__int128)1 << (bits - 1))) >> bits;
    int64_t max = (int64_t)((1ull << (bits - 1)) - 1);
    *ret_saturated = sum > max || sum < -max - 1;
    return sum > max ? max : sum < -max - 1 ? -max - 1 : (int64_t)sum;
}

void a64_helper_rdmla(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b,
                      const V128 *c)
{
    Lanes r = { 0 };
    bool saturated;
    for (unsigned i = 0; i < 16u >> (desc & 3); i++)
        lane_or(&r, desc & 3, i, (uint64_t)rdmla_lane(desc, a, b, c, i, &saturated));
    *ret = lanes_join(&r);
}

void a64_helper_rdmla_sat(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b,
                          const V128 *c)
{
    Lanes r = { 0 };
    bool saturated;
    for (unsigned i = 0; i < 16u >> (desc & 3); i++) {
        rdmla_lane(desc, a, b, c, i, &saturated);
        lane_or(&r, desc & 3, i, saturated ? UINT64_MAX : 0);
    }
    *ret = lanes_join(&r);
}

/* SUQADD (desc bit 2): signed a + unsigned b, signed saturation; USQADD: the other way about. */
void a64_helper_mixed_add(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b)
{
    unsigned esize = desc & 3, bits = 8 << esize;
    bool to_signed = desc & 4;
    __int128 max = to_signed ? ((__int128)1 << (bits - 1)) - 1 : ((__int128)1 << bits) - 1;
    __int128 min = to_signed ? -max - 1 : 0;
    Lanes r = { 0 };
    for (unsigned i = 0; i < 16u >> esize; i++) {
        uint64_t x = lane_get(a, esize, i), y = lane_get(b, esize, i);
        __int128 sum = to_signed ? (__int128)sign_extend(x, esize) + y
                                 : (__int128)x + sign_extend(y, esize);
        sum = sum > max ? max : sum < min ? min : sum;
        lane_or(&r, esize, i, (uint64_t)sum);
    }
    *ret = lanes_join(&r);
}

/* The S-box of SM4 (GB/T 32907-2016, 6.2): x -> A(1 / A(x)) with an affine A over GF(2^8). */
static const uint8_t sm4_sbox[256] = {
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c,
    0x05, 0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86,
    0x06, 0x99, 0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed,
    0xcf, 0xac, 0x62, 0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa,
    0x75, 0x8f, 0x3f, 0xa6, 0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c,
    0x19, 0xe6, 0x85, 0x4f, 0xa8, 0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb,
    0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35, 0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25,
    0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87, 0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52,
    0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e, 0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38,
    0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1, 0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34,
    0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3, 0x1d, 0xf6, 0xe2, 0x2e, 0x82,
    0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f, 0xd5, 0xdb, 0x37, 0x45,
    0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51, 0x8d, 0x1b, 0xaf,
    0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8, 0x0a, 0xc1,
    0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0, 0x89,
    0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39,
    0x48,
};

static uint32_t rotate_left(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static uint32_t sm4_substitute(uint32_t x)
{
    return sm4_sbox[x & 0xff] | (uint32_t)sm4_sbox[x >> 8 & 0xff] << 8 |
           (uint32_t)sm4_sbox[x >> 16 & 0xff] << 16 | (uint32_t)sm4_sbox[x >> 24] << 24;
}

/* SM4E, SM4EKEY: four rounds of encryption, or of key expansion. */
void a64_helper_sm4(Vcpu *v, V128 *ret, uint32_t expand, const V128 *state, const V128 *keys)
{
    uint32_t x[8], k[4];
    memcpy(x, state, 16);
    memcpy(k, keys, 16);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = sm4_substitute(x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ k[i]);
        x[i + 4] = x[i] ^ t ^ (expand ? rotate_left(t, 13) ^ rotate_left(t, 23)
                                      : rotate_left(t, 2) ^ rotate_left(t, 10) ^
                                            rotate_left(t, 18) ^ rotate_left(t, 24));
    }
    memcpy(ret, x + 4, 16);
}
