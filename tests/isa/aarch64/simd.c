/*
 * Floating point and SIMD instructions that the fuzzer's Unicorn lacks or has wrong (I8MM, BF16,
 * FRINT32x, FJCVTZS), and the ones whose results come from tables: random operands and FPCR, a
 * digest of registers, FPSR and NZCV for each instruction. The digests agree with qemu 7.2's, but
 * for FJCVTZS, where that says that a flushed denormal was converted exactly (Arm ARM DDI 0487 K.a,
 * FPToFixedJS), and FCVTZS Hd with fraction bits, where it leaves the sign in bits 16 to 31. `simd
 * print` prints each case, `simd digests` the digests.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

typedef struct Pattern {
    const char *name;
    uint32_t mask, value; /* fixed bits; registers are chosen from the first eight */
    uint32_t digest;
} Pattern;

static const Pattern patterns[] = {
    { "SMMLA", 0xffe0fc00, 0x4e80a400, 0xb22fd8c3 },
    { "UMMLA", 0xffe0fc00, 0x6e80a400, 0xb090957c },
    { "USMMLA", 0xffe0fc00, 0x4e80ac00, 0x7063b513 },
    { "USDOT", 0xbfe0fc00, 0x0e809c00, 0x398c7bb6 },
    { "USDOT element", 0xbfc0f400, 0x0f80f000, 0xdabcd81a },
    { "SUDOT element", 0xbfc0f400, 0x0f00f000, 0x551d28e0 },
    { "BFDOT", 0xbfe0fc00, 0x2e40fc00, 0x23dd3694 },
    { "BFDOT element", 0xbfc0f400, 0x0f40f000, 0xfd511a6d },
    { "BFMMLA", 0xffe0fc00, 0x6e40ec00, 0x7da6024b },
    { "BFMLAL", 0xbfe0fc00, 0x2ec0fc00, 0xb6d6b136 },
    { "BFMLAL element", 0xbfc0f400, 0x0fc0f000, 0xe18a22a8 },
    { "BFCVT", 0xfffffc00, 0x1e634000, 0x9998b768 },
    { "BFCVTN", 0xbffffc00, 0x0ea16800, 0xd8bbab6a },
    { "FJCVTZS", 0xfffffc00, 0x1e7e0000, 0x87210bd4 },
    { "FRINT32Z", 0xffbffc00, 0x1e284000, 0x04752e12 },
    { "FRINT32X", 0xffbffc00, 0x1e28c000, 0xf46e3c5c },
    { "FRINT64Z", 0xffbffc00, 0x1e294000, 0xe45bb24a },
    { "FRINT64X", 0xffbffc00, 0x1e29c000, 0x3128b5e2 },
    { "FRINT32X vector", 0xbfbffc00, 0x2e21e800, 0xc3a72a03 },
    { "FRINT64Z vector", 0xbfbffc00, 0x0e21f800, 0xf6f8bacd },
    { "FCMLA element half", 0xffc09400, 0x6f401000, 0x6fdb649c },
    { "FCMLA element", 0xffe09400, 0x6f801000, 0x8297f00f },
    { "FRECPS", 0xbfa0fc00, 0x0e20fc00, 0x64dea414 },
    { "FRSQRTS", 0xbfa0fc00, 0x0ea0fc00, 0x8d51e21c },
    { "FMULX", 0xbfa0fc00, 0x0e20dc00, 0xb6905aeb },
    { "FRECPE", 0xbfbffc00, 0x0ea1d800, 0x8e490924 },
    { "FRSQRTE", 0xbfbffc00, 0x2ea1d800, 0x67d94cee },
    { "FRECPX", 0xffbffc00, 0x5ea1f800, 0x855eab84 },
    { "URECPE", 0xbffffc00, 0x0ea1c800, 0x93a8ac64 },
    { "URSQRTE", 0xbffffc00, 0x2ea1c800, 0x4ef71d5b },
    { "FCVTZS Hd, fixed", 0xfff0fc00, 0x5f10fc00, 0x7db751c9 },
    { "SQRDMLAH", 0xbfe0fc00, 0x2e808400, 0x2afeaa45 },
    { "SHA512H", 0xffe0fc00, 0xce608000, 0x338d2d16 },
    { "SHA512H2", 0xffe0fc00, 0xce608400, 0x14a607a0 },
    { "SM3SS1", 0xffe08000, 0xce400000, 0xc5d25447 },
    { "SM3TT1A", 0xffe0cc00, 0xce408000, 0x0d420aff },
    { "SM3TT1B", 0xffe0cc00, 0xce408400, 0x9f91f287 },
    { "SM3TT2A", 0xffe0cc00, 0xce408800, 0x7fec046e },
    { "SM3TT2B", 0xffe0cc00, 0xce408c00, 0xf52ab26c },
    { "SM3PARTW1", 0xffe0fc00, 0xce60c000, 0x11b68546 },
    { "SM3PARTW2", 0xffe0fc00, 0xce60c400, 0x1da4c2ea },
    { "SM4EKEY", 0xffe0fc00, 0xce60c800, 0x941a0898 },
    { "SM4E", 0xfffffc00, 0xcec08400, 0x0e752cd5 },
};

typedef struct State {
    uint64_t v[16], fpcr, fpsr, nzcv, x0;
} State;

static uint64_t seed;

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1dull;
}

static uint64_t moderate32(void)
{
    return (random64() & 0x80ffffff) + ((0x3a + random64() % 10) << 24);
}

static uint64_t operand(void)
{
    static const uint32_t corners[] = {
        0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f812345,
        0xffc12345, 1, 0x80000001, 0x7fffff, 0x800000, 0x7f7fffff, 0x3f803f80, 0x7f807fc0, 0x10080,
    };
    uint64_t low, high;
    switch (random64() % 5) {
    case 0:
        low = corners[random64() % 17];
        high = corners[random64() % 17];
        return low | high << 32;
    case 1:
        return random64();
    case 2:
        low = random64() & 0x800fffffffffffffull;
        return low | (0x3c0 + random64() % 0x80) << 52;
    default:
        low = moderate32();
        high = moderate32();
        return low | high << 32;
    }
}

/* Runs `code`, which ends in RET, on the state. */
static void run(State *s, const uint32_t *code)
{
    register State *state __asm__("x19") = s;
    register const uint32_t *target __asm__("x20") = code;
    __asm__ volatile("ldp q0, q1, [x19]\n ldp q2, q3, [x19, 32]\n"
                     "ldp q4, q5, [x19, 64]\n ldp q6, q7, [x19, 96]\n"
                     "ldr x1, [x19, 128]\n msr fpsr, xzr\n msr nzcv, xzr\n msr fpcr, x1\n"
                     "mov x0, #0\n blr x20\n"
                     "mrs x2, nzcv\n mrs x1, fpsr\n msr fpcr, xzr\n"
                     "stp q0, q1, [x19]\n stp q2, q3, [x19, 32]\n"
                     "stp q4, q5, [x19, 64]\n stp q6, q7, [x19, 96]\n"
                     "str x1, [x19, 136]\n str x2, [x19, 144]\n str x0, [x19, 152]\n"
                     : : "r"(state), "r"(target)
                     : "x0", "x1", "x2", "x30", "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5",
                       "v6", "v7");
}

/* Reserved forms are undefined: that is a result too. */
static volatile sig_atomic_t undefined;

static void skip(int sig, siginfo_t *info, void *context)
{
    ((ucontext_t *)context)->uc_mcontext.pc += 4;
    undefined = 1;
}

static uint32_t encoding(const Pattern *p)
{
    uint32_t insn = ((uint32_t)random64() & ~p->mask) | p->value;
    static const unsigned fields[] = { 0, 5, 16 };
    for (unsigned i = 0; i < 3; i++)
        if (!(p->mask >> fields[i] & 15)) /* a register or half of an element's: the lower eight */
            insn &= ~(0x18u << fields[i] & ~p->mask);
    if (p->value == 0x1e7e0000)
        insn &= ~31u; /* FJCVTZS to x0 */
    return insn;
}

static uint32_t digest(uint32_t hash, const State *s)
{
    const uint64_t *words = (const uint64_t *)s;
    for (unsigned i = 0; i < sizeof(*s) / 8; i++)
        hash = (hash ^ (uint32_t)(words[i] ^ words[i] >> 32)) * 0x01000193 ^ hash >> 15;
    return hash;
}

static uint32_t run_pattern(const Pattern *p, uint32_t *code, bool print)
{
    uint32_t hash = 0x811c9dc5;
    seed = 88172645463325252ull;
    for (unsigned n = 0; n < 600; n++, code += 2) {
        State s = { 0 };
        for (unsigned i = 0; i < 16; i++)
            s.v[i] = operand();
        s.fpcr = random64() & 1 ? 0 : random64() & 0x07c80000;
        if (p->value == 0x1e7e0000) /* see above */
            s.fpcr &= ~(1u << 24);
        code[0] = encoding(p);
        code[1] = 0xd65f03c0; /* RET */
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        uint64_t fpcr = s.fpcr;
        undefined = 0;
        run(&s, code);
        s.x0 ^= (uint64_t)undefined << 63;
        hash = digest(hash, &s);
        if (print)
            printf("%s %08x fpcr %lx: v%d %016lx%016lx x0 %lx nzcv %lx fpsr %lx\n", p->name,
                   code[0], fpcr, code[0] & 7, s.v[2 * (code[0] & 7) + 1], s.v[2 * (code[0] & 7)],
                   s.x0, s.nzcv, s.fpsr);
    }
    return hash;
}

int main(int argc, char **argv)
{
    struct sigaction sa = { .sa_sigaction = skip, .sa_flags = SA_SIGINFO };
    sigaction(SIGILL, &sa, NULL);
    uint32_t *code = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int failures = 0;
    for (unsigned i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
        uint32_t hash = run_pattern(&patterns[i], code, argc > 1 && !strcmp(argv[1], "print"));
        if (argc > 1 && !strcmp(argv[1], "digests"))
            printf("%s %#010x\n", patterns[i].name, hash);
        else if (hash != patterns[i].digest) {
            printf("%s: digest %#010x instead of %#010x\n", patterns[i].name, hash,
                   patterns[i].digest);
            failures++;
        }
    }
    return failures > 0;
}
