/* data plane */
/* The processor's features, by cpuid (Intel SDM vol. 2, CPUID)
 * and xgetbv for saved register state. */
#include <cpuid.h>

#include "translator/host/x86_64/target.h"

#include <string.h>

static uint64_t xcr0(void)
{
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

/* Other processors take it for BSR (Intel SDM vol. 2, LZCNT). */
static bool has_lzcnt(void)
{
    uint32_t zeros;
    __asm__("lzcnt %1, %0" : "=r"(zeros) : "r"(1) : "cc");
    return zeros == 31;
}

/* cpuid leaves a virtual machine for 4 to 20 µs each time, which counts at the start of a small
 * program: so nobody asks for the highest leaf, nor for one bit of another. Leaf 7 is there in
 * processors with XSAVE, whose leaf is 13. */
void host_features_detect(HostFeatures *f)
{
    enum { EAX, EBX, ECX, EDX };
    unsigned l1[4], l7[4] = { 0 }, l71[4] = { 0 };
    __cpuid(1, l1[EAX], l1[EBX], l1[ECX], l1[EDX]);
    if (l1[ECX] & bit_XSAVE)
        __cpuid_count(7, 0, l7[EAX], l7[EBX], l7[ECX], l7[EDX]);
    if (l7[EAX] > 0)
        __cpuid_count(7, 1, l71[EAX], l71[EBX], l71[ECX], l71[EDX]);
    unsigned c1 = l1[ECX], b7 = l7[EBX], c7 = l7[ECX], a71 = l71[EAX];
    *f = (HostFeatures) { 0 };
    uint64_t x = c1 >> 27 & 1 ? xcr0() : 0;
    bool ymm = (x & 6) == 6, zmm = (x & 0xe6) == 0xe6;
    f->bmi1 = b7 >> 3 & 1;
    f->bmi2 = b7 >> 8 & 1;
    f->adx = b7 >> 19 & 1;
    f->lzcnt = has_lzcnt();
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

bool host_features_limit(HostFeatures *f, const char *level)
{
    HostFeatures had = *f;
    *f = (HostFeatures) { 0 };
    if (!strcmp(level, "x86-64-v2"))
        return true;
    f->bmi1 = had.bmi1;
    f->bmi2 = had.bmi2;
    f->lzcnt = had.lzcnt;
    f->movbe = had.movbe;
    f->f16c = had.f16c;
    f->fma = had.fma;
    f->avx = had.avx;
    f->avx2 = had.avx2;
    return !strcmp(level, "x86-64-v3");
}
