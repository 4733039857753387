/*
 * AArch64 as a Linux program meets it, where the fuzzer doesn't reach: exclusives, atomics of all
 * sizes, pointer authentication, flag manipulation, identification registers, cache maintenance,
 * faults. Self-checking: prints what is wrong and exits with 1.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

static int failures;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __func__, __LINE__, #condition);                                 \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

#define ARCH ".arch armv8.5-a+rng+memtag\n"

/* -- signals: where and what ------------------------------------------------------------------- */
static sigjmp_buf back;
static volatile sig_atomic_t got_signal, got_code;
static uintptr_t got_addr, got_pc;
static uint64_t got_x0;

static void handler(int sig, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;
    got_signal = sig;
    got_code = info->si_code;
    got_addr = (uintptr_t)info->si_addr;
    got_pc = uc->uc_mcontext.pc;
    got_x0 = uc->uc_mcontext.regs[0];
    siglongjmp(back, 1);
}

/* Runs the statement; true if it raised the signal. */
#define RAISES(sig, statement)                                                                     \
    (got_signal = 0, sigsetjmp(back, 1) == 0 ? (void)({ statement; }) : (void)0,                   \
     got_signal == (sig))

static void install(void)
{
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    int signals[] = { SIGILL, SIGBUS, SIGSEGV, SIGTRAP };
    for (unsigned i = 0; i < 4; i++)
        sigaction(signals[i], &sa, NULL);
}

/* -- exclusives -------------------------------------------------------------------------------- */
#define EXCLUSIVE(name, type, suffix, reg)                                                         \
    static void name(void)                                                                         \
    {                                                                                              \
        type cell = (type)0x8182838485868788, old;                                                 \
        uint32_t status;                                                                           \
        asm volatile("ldxr" suffix " %" reg "0, [%1]" : "=&r"(old) : "r"(&cell) : "memory");       \
        CHECK(old == cell);                                                                        \
        asm volatile("stxr" suffix " %w0, %" reg "2, [%1]"                                         \
                     : "=&r"(status) : "r"(&cell), "r"((type)5) : "memory");                       \
        CHECK(status == 0 && cell == 5);                                                           \
        /* The monitor is open now. */                                                             \
        asm volatile("stxr" suffix " %w0, %" reg "2, [%1]"                                         \
                     : "=&r"(status) : "r"(&cell), "r"((type)6) : "memory");                       \
        CHECK(status == 1 && cell == 5);                                                           \
        asm volatile("ldaxr" suffix " %" reg "0, [%1]\n clrex"                                     \
                     : "=&r"(old) : "r"(&cell) : "memory");                                        \
        asm volatile("stlxr" suffix " %w0, %" reg "2, [%1]"                                        \
                     : "=&r"(status) : "r"(&cell), "r"((type)7) : "memory");                       \
        CHECK(status == 1 && cell == 5);                                                           \
        asm volatile("ldaxr" suffix " %" reg "0, [%1]" : "=&r"(old) : "r"(&cell) : "memory");      \
        cell = 9; /* someone else's store */                                                       \
        asm volatile("stlxr" suffix " %w0, %" reg "2, [%1]"                                        \
                     : "=&r"(status) : "r"(&cell), "r"((type)8) : "memory");                       \
        CHECK(status == 1 && cell == 9);                                                           \
    }
EXCLUSIVE(exclusive8, uint8_t, "b", "w")
EXCLUSIVE(exclusive16, uint16_t, "h", "w")
EXCLUSIVE(exclusive32, uint32_t, "", "w")
EXCLUSIVE(exclusive64, uint64_t, "", "x")

static void exclusive_pairs(void)
{
    uint64_t cell[2] __attribute__((aligned(16))) = { 0x1111111122222222, 0x33 }, a, b;
    uint32_t status;
    asm volatile("ldxp %0, %1, [%2]" : "=&r"(a), "=&r"(b) : "r"(cell) : "memory");
    CHECK(a == cell[0] && b == cell[1]);
    asm volatile("stxp %w0, %2, %3, [%1]" : "=&r"(status) : "r"(cell), "r"(7l), "r"(8l) : "memory");
    CHECK(status == 0 && cell[0] == 7 && cell[1] == 8);
    asm volatile("ldaxp %0, %1, [%2]" : "=&r"(a), "=&r"(b) : "r"(cell) : "memory");
    cell[1] = 9;
    asm volatile("stlxp %w0, %2, %3, [%1]"
                 : "=&r"(status)
                 : "r"(cell), "r"(1l), "r"(2l)
                 : "memory");
    CHECK(status == 1 && cell[0] == 7 && cell[1] == 9);
    uint32_t half[2] __attribute__((aligned(8))) = { 0x80000001, 0x90000002 };
    asm volatile("ldxp %w0, %w1, [%2]" : "=&r"(a), "=&r"(b) : "r"(half) : "memory");
    CHECK(a == 0x80000001 && b == 0x90000002);
    asm volatile("stxp %w0, %w2, %w3, [%1]"
                 : "=&r"(status)
                 : "r"(half), "r"(-1l), "r"(-2l)
                 : "memory");
    CHECK(status == 0 && half[0] == UINT32_MAX && half[1] == UINT32_MAX - 1);
}

/* -- atomics: every operation at every size against the obvious -------------------------------- */
static uint64_t expect(int op, uint64_t old, uint64_t value, int bits)
{
    uint64_t mask = bits == 64 ? UINT64_MAX : (1ull << bits) - 1, sign = 1ull << (bits - 1);
    uint64_t r;
    old &= mask, value &= mask;
    switch (op) {
    case 0: r = old + value; break;
    case 1: r = old & ~value; break;
    case 2: r = old ^ value; break;
    case 3: r = old | value; break;
    case 4: r = (old ^ sign) > (value ^ sign) ? old : value; break;
    case 5: r = (old ^ sign) < (value ^ sign) ? old : value; break;
    case 6: r = old > value ? old : value; break;
    case 7: r = old < value ? old : value; break;
    default: r = value; break;
    }
    return r & mask;
}

#define RMW1(op, bits, insn, reg)                                                                  \
    do {                                                                                           \
        uint64_t cell = old, got;                                                                  \
        asm volatile(ARCH insn " %" reg "2, %" reg "0, [%1]"                                       \
                     : "=&r"(got) : "r"(&cell), "r"(value) : "memory");                            \
        uint64_t mask = bits == 64 ? UINT64_MAX : (1ull << (bits % 64)) - 1;                       \
        CHECK(got == (old & mask));                                                                \
        CHECK(cell == ((old & ~mask) | expect(op, old, value, bits)));                             \
    } while (0)
#define RMW(op, name)                                                                              \
    RMW1(op, 8, name "b", "w"); RMW1(op, 16, name "alh", "w");                                     \
    RMW1(op, 32, name "a", "w"); RMW1(op, 64, name "l", "x")

static void atomics(void)
{
    static const uint64_t values[] = { 0, 1, UINT64_MAX, 0x8080808080808080, 0x7f7f7f7f7f7f7f7f,
                                       0x0123456789abcdef, 0xfedcba9876543210 };
    for (unsigned i = 0; i < 7; i++)
        for (unsigned k = 0; k < 7; k++) {
            uint64_t old = values[i], value = values[k];
            RMW(0, "ldadd"); RMW(1, "ldclr"); RMW(2, "ldeor"); RMW(3, "ldset");
            RMW(4, "ldsmax"); RMW(5, "ldsmin"); RMW(6, "ldumax"); RMW(7, "ldumin"); RMW(8, "swp");
        }
    uint64_t cell = 5, x = 5;
    asm volatile(ARCH "casal %0, %2, [%1]" : "+&r"(x) : "r"(&cell), "r"(6l) : "memory");
    CHECK(x == 5 && cell == 6);
    asm volatile(ARCH "casal %0, %2, [%1]" : "+&r"(x) : "r"(&cell), "r"(7l) : "memory");
    CHECK(x == 6 && cell == 6);
    cell = 0x1ff, x = 0xabff; /* compares eight bits */
    asm volatile(ARCH "casb %w0, %w2, [%1]" : "+&r"(x) : "r"(&cell), "r"(0x1234l) : "memory");
    CHECK(x == 0xff && cell == 0x134);
    uint64_t pair[2] __attribute__((aligned(16))) = { 1, 2 };
    register uint64_t r0 asm("x0") = 1, r1 asm("x1") = 2, r2 asm("x2") = 3, r3 asm("x3") = 4;
    asm volatile(ARCH "caspal x0, x1, x2, x3, [%4]"
                 : "+r"(r0), "+r"(r1) : "r"(r2), "r"(r3), "r"(pair) : "memory");
    CHECK(r0 == 1 && r1 == 2);
    CHECK(pair[0] == 3 && pair[1] == 4);
    r0 = 3, r1 = 5;
    asm volatile(ARCH "casp x0, x1, x2, x3, [%4]"
                 : "+r"(r0), "+r"(r1) : "r"(r2), "r"(r3), "r"(pair) : "memory");
    CHECK(r0 == 3 && r1 == 4);
}

/* -- pointer authentication -------------------------------------------------------------------- */
#define SIGN(insn, p, m)                                                                           \
    ({                                                                                             \
        uint64_t p_ = (p);                                                                         \
        asm(ARCH insn " %0, %1" : "+r"(p_) : "r"((uint64_t)(m)));                                  \
        p_;                                                                                        \
    })

static void authentication(void)
{
    if (!(getauxval(AT_HWCAP) & 1ul << 30)) /* HWCAP_PACA */
        return;
    uint64_t p = (uintptr_t)&failures;
    unsigned changed = 0, caught = 0;
    for (uint64_t m = 0; m < 64; m++) {
        uint64_t s = SIGN("pacia", p, m);
        CHECK(((s ^ p) & ~(0x7full << 48)) == 0);
        changed += s != p;
        CHECK(SIGN("autia", s, m) == p);
        caught += SIGN("autia", s, m + 1) != p;
        CHECK(SIGN("autdb", SIGN("pacdb", p, m), m) == p);
        uint64_t stripped = s;
        asm(ARCH "xpaci %0" : "+r"(stripped));
        CHECK(stripped == p);
    }
    CHECK(changed > 48 && caught > 48);
    /* FEAT_PAuth2 without FEAT_FPAC (ID_AA64ISAR1_EL1.API is 3): the code is exclusive-ored with
     * what is there, on both ways, and nothing traps. */
    uint64_t isar1;
    asm("mrs %0, id_aa64isar1_el1" : "=r"(isar1));
    if ((isar1 >> 8 & 15) == 3) {
        CHECK((SIGN("autib", p | 1ull << 50, 77) ^ SIGN("autib", p, 77)) == 1ull << 50);
        CHECK((SIGN("pacib", p | 1ull << 50, 77) ^ SIGN("pacib", p, 77)) == 1ull << 50);
    }
    /* The tag and bit 55 stay; they and the field aren't what the code is made of. */
    uint64_t kernel = ~0ull << 48 | (p & 0xffffffffffff), high = SIGN("pacda", kernel, 1);
    CHECK(high >> 55 == 0x1ff && SIGN("autda", high, 1) == kernel);
    CHECK(SIGN("autda", SIGN("pacda", p | 0x5aull << 56, 1), 1) == (p | 0x5aull << 56));
    /* Any bit of the modifier or the address counts. */
    unsigned seen = 0;
    for (unsigned i = 0; i < 64; i++)
        seen += SIGN("pacia", p, 1ull << i) != SIGN("pacia", p, 0);
    CHECK(seen > 56);
    seen = 0;
    for (unsigned i = 0; i < 48; i++)
        seen += (SIGN("pacia", p ^ 1ull << i, 5) ^ SIGN("pacia", p, 5)) >> 48 != 0;
    CHECK(seen > 40);
    /* Return address signing, as compilers emit it; a NOP elsewhere. */
    uint64_t lr;
    asm volatile("mov x9, x30\n mov x30, %1\n hint #25\n mov %0, x30\n hint #29\n cmp x30, %1\n"
                 "cset %w1, eq\n mov x30, x9" : "=&r"(lr), "+r"(p) : : "x9", "cc");
    CHECK((uint32_t)p == 1);
    uint64_t g;
    asm(ARCH "pacga %0, %1, %2" : "=r"(g) : "r"(5l), "r"(6l));
    CHECK((uint32_t)g == 0);
}

/* -- flags ------------------------------------------------------------------------------------- */
#define WITH_NZCV(nzcv, insn)                                                                      \
    ({ uint64_t f_ = (uint64_t)(nzcv) << 28;                                                       \
       asm volatile(ARCH "msr nzcv, %0\n" insn "\n mrs %0, nzcv" : "+r"(f_) : : "cc");             \
       (unsigned)(f_ >> 28); })

static void flags(void)
{
    for (unsigned f = 0; f < 16; f++) {
        unsigned n = f >> 3, z = f >> 2 & 1, c = f >> 1 & 1, v = f & 1;
        CHECK(WITH_NZCV(f, "nop") == f);
        CHECK(WITH_NZCV(f, "cfinv") == (f ^ 2));
        CHECK(WITH_NZCV(f, "axflag") == ((z | v) << 2 | (c & !v) << 1));
        CHECK(WITH_NZCV(f, "xaflag")
              == ((!c & !z) << 3 | (z & c) << 2 | (c | z) << 1 | (z & ~c)));
        for (unsigned x = 0; x < 0x20000; x += 0x7f) {
            uint64_t out = (uint64_t)f << 28;
            asm volatile(ARCH "msr nzcv, %0\n setf8 %w1\n mrs %0, nzcv"
                         : "+r"(out)
                         : "r"(x)
                         : "cc");
            CHECK(out >> 28 ==
                  ((x >> 7 & 1) << 3 | !(x & 255) << 2 | c << 1 | ((x >> 8 ^ x >> 7) & 1)));
            out = (uint64_t)f << 28;
            asm volatile(ARCH "msr nzcv, %0\n rmif %1, #3, #5\n mrs %0, nzcv"
                         : "+r"(out)
                         : "r"((uint64_t)x)
                         : "cc");
            CHECK(out >> 28 == ((n << 3 | c << 1) | ((x >> 3) & 5)));
        }
    }
}

/* -- system registers -------------------------------------------------------------------------- */
#define MRS(name) ({ uint64_t v_; asm volatile(ARCH "mrs %0, " name : "=r"(v_)); v_; })

static void registers(void)
{
    unsigned long cap = getauxval(AT_HWCAP);
    uint64_t isar0 = MRS("id_aa64isar0_el1"), isar1 = MRS("id_aa64isar1_el1");
    uint64_t pfr0 = MRS("id_aa64pfr0_el1");
    CHECK(cap & 1ul << 11); /* CPUID: these are readable */
    CHECK(!!(cap & 1ul << 3) == !!(isar0 >> 4 & 15));   /* AES */
    CHECK(!!(cap & 1ul << 4) == ((isar0 >> 4 & 15) == 2)); /* PMULL */
    CHECK(!!(cap & 1ul << 7) == !!(isar0 >> 16 & 15));  /* CRC32 */
    CHECK(!!(cap & 1ul << 8) == !!(isar0 >> 20 & 15));  /* ATOMICS */
    CHECK(!!(cap & 1ul << 15) == !!(isar1 >> 20 & 15)); /* LRCPC */
    CHECK(!!(cap & 1ul << 9) == ((pfr0 >> 16 & 15) == 1)); /* FPHP */
    CHECK((pfr0 & 0xff) == 0x11);
    CHECK(MRS("midr_el1") != 0);
    CHECK((MRS("ctr_el0") >> 31 & 1) == 1);
    uint64_t t0 = MRS("cntvct_el0"), t1 = MRS("cntvct_el0");
    CHECK(t1 >= t0 && MRS("cntfrq_el0") != 0);
    asm volatile("msr fpcr, %0" : : "r"(3ul << 22));
    CHECK(MRS("fpcr") == 3ul << 22);
    asm volatile("msr fpcr, xzr\n msr fpsr, %0" : : "r"(0x0800009ful));
    CHECK(MRS("fpsr") == 0x0800009f);
    asm volatile("msr fpsr, xzr");
    CHECK(MRS("fpsr") == 0);
    uint64_t tp = MRS("tpidr_el0");
    asm volatile("msr tpidr_el0, %0\n mrs %0, tpidr_el0\n msr tpidr_el0, %1" : "+r"(t0) : "r"(tp));
    if (getauxval(AT_HWCAP2) & 1ul << 16) { /* RNG */
        uint64_t a = 0, b = 0, f;
        asm volatile(ARCH "mrs %0, rndr\n mrs %2, nzcv\n mrs %1, rndrrs"
                     : "=r"(a), "=r"(b), "=&r"(f)
                     :
                     : "cc");
        CHECK(f != 0 || a != b);
    }
}

/* -- FEAT_CSSC, which the assembler may not know: x0 from x0 and x1 ---------------------------- */
#define CSSC(insn, n, m)                                                                           \
    ({ register uint64_t n_ asm("x0") = (n);                                                       \
       register uint64_t m_ asm("x1") = (m);                                                       \
       asm volatile(".inst " #insn : "+r"(n_) : "r"(m_));                                          \
       n_; })
#define MIN64 0x8000000000000000

static void common_short_sequences(void)
{
    unsigned has = getauxval(AT_HWCAP2) >> 34 & 1;
    CHECK((MRS("s3_0_c0_c6_2") >> 52 & 15) == has); /* ID_AA64ISAR2_EL1.CSSC */
    if (!has) {
        CHECK(RAISES(SIGILL, CSSC(0xdac01c00, 0, 0)));
        return;
    }
    CHECK(CSSC(0xdac01c00, 0x8000000000000f01, 0) == 6);               /* cnt x0, x0 */
    CHECK(CSSC(0xdac01c00, UINT64_MAX, 0) == 64);
    CHECK(CSSC(0x5ac01c00, 0xffffffff80000f01, 0) == 6);               /* cnt w0, w0 */
    CHECK(CSSC(0xdac01800, 0x0000500000000000, 0) == 44);              /* ctz x0, x0 */
    CHECK(CSSC(0xdac01800, 0, 0) == 64);
    CHECK(CSSC(0x5ac01800, 0xffffffff00000000, 0) == 32);              /* ctz w0, w0 */
    CHECK(CSSC(0x5ac01800, 0xffffffff80000000, 0) == 31);
    CHECK(CSSC(0xdac02000, (uint64_t)-77, 0) == 77);                   /* abs x0, x0 */
    CHECK(CSSC(0xdac02000, 77, 0) == 77);
    CHECK(CSSC(0xdac02000, MIN64, 0) == MIN64);
    CHECK(CSSC(0x5ac02000, 0x7fffffff80000000, 0) == 0x80000000);      /* abs w0, w0 */
    CHECK(CSSC(0x5ac02000, 0x12345678fffffffe, 0) == 2);

    CHECK(CSSC(0x9ac16000, MIN64, 5) == 5);                            /* smax x0, x0, x1 */
    CHECK(CSSC(0x9ac16000, 6, UINT64_MAX) == 6);
    CHECK(CSSC(0x9ac16400, MIN64, 5) == MIN64);                        /* umax x0, x0, x1 */
    CHECK(CSSC(0x9ac16400, 6, UINT64_MAX) == UINT64_MAX);
    CHECK(CSSC(0x9ac16800, MIN64, 5) == MIN64);                        /* smin x0, x0, x1 */
    CHECK(CSSC(0x9ac16800, 6, UINT64_MAX) == UINT64_MAX);
    CHECK(CSSC(0x9ac16c00, MIN64, 5) == 5);                            /* umin x0, x0, x1 */
    CHECK(CSSC(0x9ac16c00, 6, UINT64_MAX) == 6);
    CHECK(CSSC(0x1ac16000, 0xffffffff00000005, 0xf0000000) == 5);      /* smax w0, w0, w1 */
    CHECK(CSSC(0x1ac16400, 0xffffffff00000005, 0xf0000000) == 0xf0000000); /* umax w0, w0, w1 */
    CHECK(CSSC(0x1ac16800, 0xffffffff00000005, 0xf0000000) == 0xf0000000); /* smin w0, w0, w1 */
    CHECK(CSSC(0x1ac16c00, 0xffffffff00000005, 0xf0000000) == 5);      /* umin w0, w0, w1 */

    CHECK(CSSC(0x91c3fc00, MIN64, 0) == UINT64_MAX);                   /* smax x0, x0, #-1 */
    CHECK(CSSC(0x91c3fc00, 0, 0) == 0);
    CHECK(CSSC(0x91c7fc00, 254, 0) == 255);                            /* umax x0, x0, #255 */
    CHECK(CSSC(0x91c7fc00, UINT64_MAX, 0) == UINT64_MAX);
    CHECK(CSSC(0x91ca0000, 3, 0) == (uint64_t)-128);                   /* smin x0, x0, #-128 */
    CHECK(CSSC(0x91ca0000, (uint64_t)-129, 0) == (uint64_t)-129);
    CHECK(CSSC(0x91ce0000, (uint64_t)-129, 0) == 128);                 /* umin x0, x0, #128 */
    CHECK(CSSC(0x91ce0000, 127, 0) == 127);
    CHECK(CSSC(0x11c3fc00, 0x7fffffff80000000, 0) == 0xffffffff);      /* smax w0, w0, #-1 */
    CHECK(CSSC(0x11c7fc00, 0xffffffff00000007, 0) == 255);             /* umax w0, w0, #255 */
    CHECK(CSSC(0x11ca0000, 0xffffffff00000007, 0) == 0xffffff80);      /* smin w0, w0, #-128 */
    CHECK(CSSC(0x11ce0000, 0x00000001f0000000, 0) == 128);             /* umin w0, w0, #128 */
}

/* -- cache maintenance, changed code ----------------------------------------------------------- */
static void caches(void)
{
    static uint8_t block[3 << 11] __attribute__((aligned(2048)));
    unsigned bytes = 4u << (MRS("dczid_el0") & 15), wrong = 0;
    memset(block, 0xff, sizeof(block));
    CHECK(bytes <= 2048);
    asm volatile("dc zva, %0" : : "r"(block + bytes + 13) : "memory");
    for (unsigned i = 0; i < 3 * bytes; i++)
        wrong += block[i] != (i >= bytes && i < 2 * bytes ? 0 : 0xff);
    CHECK(wrong == 0);
    uint32_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(code != MAP_FAILED);
    for (uint32_t i = 0; i < 50; i++) {
        code[0] = 0x52800000 | i << 5; /* mov w0, #i */
        code[1] = 0xd65f03c0;          /* ret */
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        CHECK(((uint32_t (*)(void))code)() == i);
    }
    /* A branch to a tagged address goes to the address. */
    uintptr_t tagged = (uintptr_t)code | 0x5aul << 56;
    CHECK(((uint32_t (*)(void))tagged)() == 49);
    munmap(code, 4096);
}

/* -- exceptions -------------------------------------------------------------------------------- */
static void exceptions(void)
{
    static uint64_t cells[4] __attribute__((aligned(32)));
    uint64_t r;
    CHECK(RAISES(SIGILL, asm volatile(".inst 0x00000000")));
    CHECK(got_code == ILL_ILLOPC && got_addr == got_pc);
    CHECK(*(uint32_t *)got_pc == 0);
    CHECK(RAISES(SIGILL, asm volatile("mrs x0, sctlr_el1" : : : "x0")));
    CHECK(RAISES(SIGILL, asm volatile("hlt #0")));
    CHECK(RAISES(SIGTRAP, asm volatile("brk #7")));
    CHECK(got_code == TRAP_BRKPT && *(uint32_t *)got_pc == 0xd42000e0);
    CHECK(RAISES(SIGSEGV, asm volatile("mov x0, #0x1234\n mov x1, #16\n ldr x0, [x1]"
                                       :
                                       :
                                       : "x0", "x1")));
    CHECK(got_code == SEGV_MAPERR && got_addr == 16 && got_x0 == 0x1234);
    CHECK(RAISES(SIGBUS, asm volatile("ldxr %0, [%1]" : "=r"(r) : "r"((char *)cells + 1))));
    CHECK(got_code == BUS_ADRALN && got_addr == (uintptr_t)cells + 1);
    CHECK(RAISES(SIGBUS, asm volatile("ldaxr %w0, [%1]" : "=r"(r) : "r"((char *)cells + 2))));
    CHECK(RAISES(SIGSEGV, ((void (*)(void))8)()));
    CHECK(got_pc == 8 && got_addr == 8);
    /* A pair whose second half faults changes nothing. */
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    CHECK(RAISES(SIGSEGV, asm volatile("mov x0, %0\n ldp x1, x2, [x0], #16"
                                       :
                                       : "r"(page + 4088)
                                       : "x0", "x1", "x2")));
    CHECK(got_addr == (uintptr_t)page + 4096 && got_x0 == (uintptr_t)page + 4088);
    CHECK(RAISES(SIGSEGV, asm volatile("mov x0, %0\n str x1, [x0, #8]!"
                                       :
                                       : "r"(page + 4088)
                                       : "x0", "x1")));
    CHECK(got_x0 == (uintptr_t)page + 4088);
    /* Tagged data addresses reach the cell. */
    uintptr_t tagged = (uintptr_t)cells | 0xa5ul << 56;
    asm volatile("str %1, [%0]" : : "r"(tagged), "r"(77l) : "memory");
    CHECK(cells[0] == 77);
    asm volatile(ARCH "ldadd %1, %0, [%2]" : "=r"(r) : "r"(1l), "r"(tagged) : "memory");
    CHECK(r == 77 && cells[0] == 78);
    munmap(page, 4096);
}

int main(void)
{
    install();
    exclusive8();
    exclusive16();
    exclusive32();
    exclusive64();
    exclusive_pairs();
    atomics();
    authentication();
    flags();
    registers();
    common_short_sequences();
    caches();
    exceptions();
    printf(failures ? "%d failures\n" : "ok\n", failures);
    return failures != 0;
}
