/* data plane */
/* The processor's features, by cpuid (Intel SDM vol. 2, CPUID) and xgetbv for saved register state. */
#include <cpuid.h>

#include "translator/host/x86_64/target.h"

static uint64_t xcr0(void)
{
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

void host_features_detect(HostFeatures *f)
{
    unsigned a, b, c, d, c1, b7 = 0, c7 = 0, d7 = 0, a71 = 0, ext = 0;
    *f = (HostFeatures) { 0 };
    if (!__get_cpuid(1, &a, &b, &c1, &d))
        return;
    if (__get_cpuid_count(7, 0, &a, &b7, &c7, &d7) && a >= 1)
        __get_cpuid_count(7, 1, &a71, &b, &c, &d);
    if (__get_cpuid(0x80000001, &a, &b, &c, &d))
        ext = c;
    uint64_t x = c1 >> 27 & 1 ? xcr0() : 0;
    bool ymm = (x & 6) == 6, zmm = (x & 0xe6) == 0xe6;
    f->bmi1 = b7 >> 3 & 1;
    f->bmi2 = b7 >> 8 & 1;
    f->adx = b7 >> 19 & 1;
    f->lzcnt = ext >> 5 & 1;
    f->movbe = c1 >> 22 & 1;
    f->pclmul = c1 >> 1 & 1;
    f->aes = c1 >> 25 & 1;
    f->sha = b7 >> 29 & 1;
    f->gfni = c7 >> 8 & 1;
    f->avx = ymm && c1 >> 28 & 1;
    f->f16c = f->avx && c1 >> 29 & 1;
    f->fma = f->avx && c1 >> 12 & 1;
    f->avx2 = f->avx && b7 >> 5 & 1;
    f->avx_vnni = f->avx2 && a71 >> 4 & 1;
    /* BMI's VEX forms need AVX state as well */
    f->bmi1 &= f->avx;
    f->bmi2 &= f->avx;
    f->avx512vl = zmm && f->avx2 && b7 >> 16 & 1 && b7 >> 17 & 1 && b7 >> 30 & 1 && b7 >> 31 & 1;
    f->avx512_vbmi = f->avx512vl && c7 >> 1 & 1;
    f->avx512_bitalg = f->avx512vl && c7 >> 12 & 1;
    f->avx512_vpopcntdq = f->avx512vl && c7 >> 14 & 1;
    f->avx512_vnni = f->avx512vl && c7 >> 11 & 1;
}
