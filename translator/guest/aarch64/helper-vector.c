/* data plane */
/*
 * Helpers of integer SIMD instructions that have no IR operation.
 */
#include "translator/guest/aarch64/helpers.h"
#include "translator/guest/aarch64/lanes.h"

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
