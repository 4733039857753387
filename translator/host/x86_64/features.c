/* data plane */
/* The processor's features, by cpuid (Intel SDM vol. 2, CPUID)
 * and xgetbv for saved register state. */
#include <cpuid.h>
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif

#include "translator/host/x86_64/target.h"

#include <string.h>

static uint64_t xcr0(void)
{
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

/* One leaf of cpuid as eax, ebx, ecx, edx. The instruction leaves a virtual machine for some 20 µs
 * each time, so that it counts at the start of a small program: the C library's copy serves where
 * there is one (all zero for a leaf that the processor lacks). */
static void leaf(unsigned number, unsigned sub, unsigned *ret)
{
    for (unsigned n = 0; n < 4; n++)
        ret[n] = 0;
#if __has_include(<sys/platform/x86.h>)
    unsigned index = number == 1 ? CPUID_INDEX_1 : number != 7 ? CPUID_INDEX_80000001
                     : sub ? CPUID_INDEX_7_ECX_1 : CPUID_INDEX_7;
    const struct cpuid_feature *f = __x86_get_cpuid_feature_leaf(index);
    for (unsigned n = 0; f && n < 4; n++)
        ret[n] = f->cpuid_array[n];
#else
    __get_cpuid_count(number, sub, &ret[0], &ret[1], &ret[2], &ret[3]);
#endif
}

void host_features_detect(HostFeatures *f)
{
    enum { EAX, EBX, ECX, EDX };
    unsigned l1[4], l7[4], l71[4], l80000001[4];
    leaf(1, 0, l1);
    leaf(7, 0, l7);
    leaf(7, 1, l71);
    leaf(0x80000001, 0, l80000001);
    unsigned c1 = l1[ECX], b7 = l7[EBX], c7 = l7[ECX], a71 = l71[EAX], ext = l80000001[ECX];
    *f = (HostFeatures) { 0 };
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
