/*
 * What a Linux program can see of the RISC-V guest: jumps, reservations, control registers, traps,
 * changed code, signal frames, AES and SHA, hwprobe. Checks itself; prints only what fails, and a
 * last line. With the argument "gc", it expects a processor without extensions beyond RV64GC.
 */
#define _GNU_SOURCE
#include <fenv.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static int n_checks, n_failed;

#define CHECK(condition) check(condition, #condition, __LINE__)
static void check(bool ok, const char *what, int line)
{
    n_checks++;
    if (!ok) {
        n_failed++;
        printf("line %d: %s\n", line, what);
    }
}

/* -- traps ------------------------------------------------------------------------------------- */

static volatile int caught, caught_code;
static volatile uint64_t caught_pc, caught_addr;

/* Notes the signal and goes on behind the instruction. */
static void on_trap(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    caught = sig;
    caught_code = info->si_code;
    caught_addr = (uint64_t)info->si_addr;
    caught_pc = uc->uc_mcontext.__gregs[0];
    uint16_t parcel = *(uint16_t *)caught_pc;
    uc->uc_mcontext.__gregs[0] += (parcel & 3) == 3 ? 4 : 2;
}

#define TRAPS(...) (caught = 0, ({ __asm__ volatile(__VA_ARGS__); }), caught)

static void test_traps(void)
{
    uint64_t buffer[4] = { 0 };
    uint8_t *odd = (uint8_t *)buffer + 1;
    CHECK(TRAPS(".word 0xffffffff") == SIGILL && caught_code == ILL_ILLOPC);
    CHECK(TRAPS(".half 0") == SIGILL);
    CHECK(TRAPS(".word 0x00002057") == SIGILL); /* vector */
    CHECK(TRAPS("csrr a0, mstatus" ::: "a0") == SIGILL);
    CHECK(TRAPS("csrw 0xc00, a0") == SIGILL); /* cycle can't be written */
    CHECK(TRAPS("csrr a0, cycle" ::: "a0") == 0);
    CHECK(TRAPS("ebreak") == SIGTRAP && caught_code == TRAP_BRKPT);
    CHECK(TRAPS("lw a0, 8(zero)" ::: "a0") == SIGSEGV && caught_addr == 8 &&
          caught_code == SEGV_MAPERR);
    CHECK(TRAPS("lw zero, 16(zero)") == SIGSEGV && caught_addr == 16);
    CHECK(TRAPS("sd zero, 24(zero)") == SIGSEGV && caught_addr == 24);
    CHECK(TRAPS("amoadd.w a0, a0, (%0)" : : "r"(odd) : "a0", "memory") == SIGBUS &&
          caught_code == BUS_ADRALN);
    CHECK(TRAPS("lr.d a0, (%0)" : : "r"(odd) : "a0", "memory") == SIGBUS);
    CHECK(buffer[0] == 0);

    /* Misaligned plain accesses work, also across a page. */
    uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t got = 0;
    __asm__ volatile("sd %1, 0(%2)\n ld %0, 0(%2)" : "=&r"(got)
                     : "r"(0x1122334455667788), "r"(pages + 4093) : "memory");
    CHECK(got == 0x1122334455667788 && pages[4093] == 0x88 && pages[4096] == 0x55);
    mprotect(pages + 4096, 4096, PROT_READ);
    memset(pages + 4088, 0, 8);
    CHECK(TRAPS("sd %0, 0(%1)" : : "r"(-1l), "r"(pages + 4093) : "memory") == SIGSEGV &&
          caught_addr == (uint64_t)pages + 4096 && caught_code == SEGV_ACCERR);
    munmap(pages, 8192);
}

/* -- jumps ------------------------------------------------------------------------------------- */

/* Each returns its argument plus a constant; the ways to come back differ. */
__attribute__((naked, noinline)) static long back_odd(long x)
{
    __asm__("addi a0, a0, 1\n ori ra, ra, 1\n ret");
}

__attribute__((naked, noinline)) static long call_odd(long x)
{
    __asm__("addi sp, sp, -16\n sd ra, 8(sp)\n lla t1, back_odd\n ori t1, t1, 1\n jalr t1\n"
            "ld ra, 8(sp)\n addi sp, sp, 16\n addi a0, a0, 10\n jr 1(ra)");
}

/* The second link register, and a jump that swaps the two. */
__attribute__((naked, noinline)) static long two_links(long x)
{
    __asm__("mv t2, ra\n jal t0, 1f\n addi a0, a0, 100\n jr t2\n"
            "1: addi a0, a0, 1\n mv ra, t0\n la t0, 2f\n jalr ra, 0(t0)\n 3: jr t3\n"
            "2: mv t3, t0\n lla t0, 3b\n sub t0, t0, ra\n bnez t0, 4f\n"
            "addi a0, a0, 10\n jr t2\n 4: li a0, -1\n jr t2");
}

/* A call that doesn't come back where it was called from. */
__attribute__((naked, noinline)) static long skip_return(long x)
{
    __asm__("mv t2, ra\n call 1f\n li a0, -1\n addi a0, a0, 5\n jr t2\n"
            "1: addi ra, ra, 2\n ret");
}

static void test_jumps(void)
{
    CHECK(back_odd(1) == 2);
    CHECK(call_odd(1) == 12);
    CHECK(two_links(0) == 11);
    CHECK(skip_return(7) == 12);
    for (int i = 0; i < 1000; i++) /* more calls than any return stack holds, unwound at once */
        if (two_links(i) != i + 11)
            CHECK(false);
}

/* -- reservations ------------------------------------------------------------------------------ */

static void test_reservations(void)
{
    uint64_t place = 5, other = 5, old, failed;
    __asm__ volatile("lr.d %0, (%2)\n sc.d %1, %3, (%2)" : "=&r"(old), "=&r"(failed)
                     : "r"(&place), "r"(6l) : "memory");
    CHECK(old == 5 && failed == 0 && place == 6);
    __asm__ volatile("sc.d %0, %2, (%1)" : "=&r"(failed) : "r"(&place), "r"(7l) : "memory");
    CHECK(failed == 1 && place == 6); /* the reservation was used up */
    __asm__ volatile("lr.d %0, (%2)\n sc.d %1, %4, (%3)" : "=&r"(old), "=&r"(failed)
                     : "r"(&place), "r"(&other), "r"(8l) : "memory");
    CHECK(failed == 1 && other == 5); /* another address */
    __asm__ volatile("lr.d %0, (%2)\n sd %3, 0(%2)\n sc.d %1, %4, (%2)"
                     : "=&r"(old), "=&r"(failed) : "r"(&place), "r"(9l), "r"(10l) : "memory");
    CHECK(failed == 1 && place == 9); /* written in between */
    uint32_t word = 0x80000000;
    __asm__ volatile("lr.w.aqrl %0, (%2)\n sc.w.aqrl %1, %3, (%2)" : "=&r"(old), "=&r"(failed)
                     : "r"(&word), "r"(1l) : "memory");
    CHECK(old == 0xffffffff80000000 && failed == 0 && word == 1);
}

/* -- control registers ------------------------------------------------------------------------- */

static double add_dynamic(double a, double b)
{
    double r;
    __asm__ volatile("fadd.d %0, %1, %2, dyn" : "=f"(r) : "f"(a), "f"(b));
    return r;
}

static void set_frm(unsigned long frm) { __asm__ volatile("fsrm %0" : : "r"(frm)); }

static void test_control(void)
{
    static const double one = 1, tie = 0x1p-53, little = 0x1p-80;
    static const double above = 1 + 0x1p-52;
    const double expected_tie[] = { 1, 1, 1, 1 + 0x1p-52, 1 + 0x1p-52 };
    for (unsigned frm = 0; frm < 5; frm++) {
        set_frm(frm);
        CHECK(add_dynamic(one, tie) == expected_tie[frm]);
        CHECK(add_dynamic(one, little) == (frm == 3 ? above : one));
    }
    /* Reserved modes: dynamic rounding is undefined, static rounding isn't. */
    for (unsigned frm = 5; frm < 8; frm++) {
        set_frm(frm);
        double r = 0;
        CHECK(TRAPS("fadd.d %0, %1, %1, dyn" : "+f"(r) : "f"(one)) == SIGILL);
        CHECK(TRAPS("fadd.d %0, %1, %1, rne" : "+f"(r) : "f"(one)) == 0 && r == 2);
        unsigned long back;
        __asm__ volatile("frrm %0" : "=r"(back));
        CHECK(back == frm);
    }
    set_frm(0);
    CHECK(TRAPS(".word 0x02b55553") == SIGILL); /* fadd.d with rm = 5 */

    unsigned long flags, old;
    __asm__ volatile("fsflags zero\n fdiv.d fa5, %1, %2\n frflags %0" : "=r"(flags)
                     : "f"(1.0), "f"(0.0) : "fa5");
    CHECK(flags == 8);
    __asm__ volatile("fdiv.d fa5, %1, %1\n frflags %0" : "=r"(flags) : "f"(0.0) : "fa5");
    CHECK(flags == (8 | 16));
    __asm__ volatile("csrrci %0, fflags, 8\n frflags %1" : "=r"(old), "=r"(flags));
    CHECK(old == 24 && flags == 16);
    __asm__ volatile("li %0, 0x7f\n fscsr %0\n frcsr %0\n frrm %1" : "=&r"(old), "=&r"(flags));
    CHECK(old == 0x7f && flags == 3);
    __asm__ volatile("li %0, -1\n fscsr %0\n frcsr %0" : "=&r"(old));
    CHECK(old == 0xff);
    __asm__ volatile("fscsr zero");
}

/* Bits that host arithmetic would let through: NaNs are canonical, singles boxed. */
static void test_nan(void)
{
    uint64_t bits, in = 0x7ff8123456789abc, unboxed = 0x3f800000, small = 0xffffffffff812345;
    __asm__ volatile("fmv.d.x fa5, %1\n fadd.d fa5, fa5, fa5\n fmv.x.d %0, fa5" : "=r"(bits)
                     : "r"(in) : "fa5");
    CHECK(bits == 0x7ff8000000000000);
    __asm__ volatile("fmv.d.x fa5, %1\n fmv.d fa4, fa5\n fmv.x.d %0, fa4" : "=r"(bits)
                     : "r"(in) : "fa4", "fa5");
    CHECK(bits == in);
    __asm__ volatile("fmv.d.x fa5, %1\n fadd.s fa5, fa5, fa5\n fmv.x.d %0, fa5" : "=r"(bits)
                     : "r"(unboxed) : "fa5");
    CHECK(bits == 0xffffffff7fc00000);
    __asm__ volatile("fmv.d.x fa5, %1\n fsqrt.s fa5, fa5\n fsw fa5, 0(%2)\n fmv.x.w %0, fa5"
                     : "=&r"(bits) : "r"(small), "r"(&in) : "fa5", "memory");
    CHECK(bits == 0x7fc00000 && (uint32_t)in == 0x7fc00000);
    __asm__ volatile("fmv.d.x fa5, %1\n fsw fa5, 0(%2)"
                     : "=m"(in)
                     : "r"(unboxed), "r"(&in)
                     : "fa5");
    CHECK((uint32_t)in == 0x3f800000); /* stores don't look at the box */
}

/* -- changed code ------------------------------------------------------------------------------ */

static void test_changed_code(void)
{
    uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (uint32_t i = 0; i < 20; i++) {
        code[0] = 0x00000513 | i << 20; /* li a0, i */
        code[1] = 0x00008067;           /* ret */
        if (i % 2)
            __asm__ volatile("fence.i" ::: "memory");
        else
            syscall(SYS_riscv_flush_icache, code, code + 2, 0l);
        CHECK(((long (*)(void))code)() == i);
    }
    munmap(code, 4096);
}

/* An instruction whose second half can't be fetched: the fault is there. The handler returns to the
 * address that the frame's ra has. */
static void on_fetch(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    caught = sig;
    caught_addr = (uint64_t)info->si_addr;
    caught_pc = uc->uc_mcontext.__gregs[0];
    uc->uc_mcontext.__gregs[0] = uc->uc_mcontext.__gregs[1];
}

static void test_fetch(void)
{
    struct sigaction action = { .sa_sigaction = on_fetch, .sa_flags = SA_SIGINFO }, old;
    uint8_t *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    memcpy(page + 4094, "\x13\x05", 2); /* the first half of addi a0, … */
    sigaction(SIGSEGV, &action, &old);
    caught = 0;
    ((void (*)(void))(page + 4094))();
    CHECK(caught == SIGSEGV && caught_addr == (uint64_t)page + 4096);
    CHECK(caught_pc == (uint64_t)page + 4094);
    caught = 0;
    ((void (*)(void))(page + 4096))();
    CHECK(caught == SIGSEGV && caught_addr == (uint64_t)page + 4096 && caught_pc == caught_addr);
    sigaction(SIGSEGV, &old, NULL);
    munmap(page, 4096);
}

/* -- signal frames ----------------------------------------------------------------------------- */

static void on_user(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    caught = sig;
    __asm__ volatile("fsrm %0\n fmv.d.x fs0, %0" : : "r"(2l) : "fs0");
    feraiseexcept(FE_OVERFLOW);
    uc->uc_mcontext.__fpregs.__d.__f[9] ^= 1; /* fs1 */
}

static void test_frames(void)
{
    uint64_t f8, f9, rounding, flags;
    caught = 0;
    __asm__ volatile("fsflags zero\n fsrm %4\n fmv.d.x fs0, %5\n fmv.d.x fs1, %6\n"
                     "mv a0, %7\n mv a1, %8\n li a2, 10\n li a7, 131\n ecall\n" /* tgkill */
                     "fmv.x.d %0, fs0\n fmv.x.d %1, fs1\n frrm %2\n frflags %3"
                     : "=&r"(f8), "=&r"(f9), "=&r"(rounding), "=&r"(flags)
                     : "r"(1l), "r"(0x0123456789abcdefl), "r"(0x7ff0000000000000l),
                       "r"((long)getpid()), "r"((long)syscall(SYS_gettid))
                     : "fs0", "fs1", "a0", "a1", "a2", "a7", "memory");
    CHECK(caught == SIGUSR1);
    CHECK(f8 == 0x0123456789abcdef && f9 == 0x7ff0000000000001);
    CHECK(rounding == 1 && flags == 0); /* what the handler did to its own is gone */
    set_frm(0);
}

/* -- Zkne, Zknd, Zknh -------------------------------------------------------------------------- */

#define ZKN ".option push\n\t.option arch, +zkn\n\t"
#define ZKN_2(name)                                                                                \
    static uint64_t name(uint64_t a, uint64_t b)                                                   \
    {                                                                                              \
        uint64_t r;                                                                                \
        __asm__(ZKN #name " %0, %1, %2\n\t.option pop" : "=r"(r) : "r"(a), "r"(b));                \
        return r;                                                                                  \
    }
#define ZKN_1(name)                                                                                \
    static uint64_t name(uint64_t a)                                                               \
    {                                                                                              \
        uint64_t r;                                                                                \
        __asm__(ZKN #name " %0, %1\n\t.option pop" : "=r"(r) : "r"(a));                            \
        return r;                                                                                  \
    }
ZKN_2(aes64es) ZKN_2(aes64esm) ZKN_2(aes64ds) ZKN_2(aes64dsm) ZKN_2(aes64ks2) ZKN_1(aes64im)
ZKN_1(sha256sig0) ZKN_1(sha256sig1) ZKN_1(sha256sum0) ZKN_1(sha256sum1)
ZKN_1(sha512sig0) ZKN_1(sha512sig1) ZKN_1(sha512sum0) ZKN_1(sha512sum1)

typedef struct Half { uint64_t low, high; } Half;

/* FIPS 197, appendix C.1: the cipher of 128 bits, and back by the equivalent inverse cipher. */
static void test_aes(void)
{
    static const Half plain = { 0x7766554433221100, 0xffeeddccbbaa9988 };
    static const uint8_t expected[16] = { 0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
                                          0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a };
    Half key[11] = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } }, x = plain;
#define NEXT(n)                                                                                    \
    do {                                                                                           \
        uint64_t t;                                                                                \
        __asm__(ZKN "aes64ks1i %0, %1, " #n "\n\t.option pop" : "=r"(t) : "r"(key[n].high));       \
        key[n + 1].low = aes64ks2(t, key[n].low);                                                  \
        key[n + 1].high = aes64ks2(key[n + 1].low, key[n].high);                                   \
    } while (0)
    NEXT(0); NEXT(1); NEXT(2); NEXT(3); NEXT(4);
    NEXT(5); NEXT(6); NEXT(7); NEXT(8); NEXT(9);
    for (int n = 0; n < 10; n++) {
        Half y = { x.low ^ key[n].low, x.high ^ key[n].high };
        x.low = n < 9 ? aes64esm(y.low, y.high) : aes64es(y.low, y.high);
        x.high = n < 9 ? aes64esm(y.high, y.low) : aes64es(y.high, y.low);
    }
    x.low ^= key[10].low;
    x.high ^= key[10].high;
    CHECK(memcmp(&x, expected, sizeof expected) == 0);
    for (int n = 10; n > 0; n--) {
        Half k = key[n];
        if (n < 10)
            k = (Half){ aes64im(k.low), aes64im(k.high) };
        Half y = { x.low ^ k.low, x.high ^ k.high };
        x.low = n > 1 ? aes64dsm(y.low, y.high) : aes64ds(y.low, y.high);
        x.high = n > 1 ? aes64dsm(y.high, y.low) : aes64ds(y.high, y.low);
    }
    CHECK((x.low ^ key[0].low) == plain.low && (x.high ^ key[0].high) == plain.high);
    uint64_t t; /* no rotation, no constant: the S-box of 0, 1, 2 and 3 */
    __asm__(ZKN "aes64ks1i %0, %1, 10\n\t.option pop" : "=r"(t) : "r"(0x0302010000000000));
    CHECK(t == 0x7b777c637b777c63);
}

/* FIPS 180-4, 4.1.2 and 4.1.3. */
static void test_sha(void)
{
#define ROTR(x, n) ((x) >> (n) | (x) << (8 * sizeof(x) - (n)))
    for (uint64_t x = 0x9e3779b97f4a7c15, n = 0; n < 8; n++, x = ROTR(x, 11) * 3) {
        uint32_t w = (uint32_t)x;
        CHECK(sha256sig0(x) == (uint64_t)(int32_t)(ROTR(w, 7) ^ ROTR(w, 18) ^ w >> 3));
        CHECK(sha256sig1(x) == (uint64_t)(int32_t)(ROTR(w, 17) ^ ROTR(w, 19) ^ w >> 10));
        CHECK(sha256sum0(x) == (uint64_t)(int32_t)(ROTR(w, 2) ^ ROTR(w, 13) ^ ROTR(w, 22)));
        CHECK(sha256sum1(x) == (uint64_t)(int32_t)(ROTR(w, 6) ^ ROTR(w, 11) ^ ROTR(w, 25)));
        CHECK(sha512sig0(x) == (ROTR(x, 1) ^ ROTR(x, 8) ^ x >> 7));
        CHECK(sha512sig1(x) == (ROTR(x, 19) ^ ROTR(x, 61) ^ x >> 6));
        CHECK(sha512sum0(x) == (ROTR(x, 28) ^ ROTR(x, 34) ^ ROTR(x, 39)));
        CHECK(sha512sum1(x) == (ROTR(x, 14) ^ ROTR(x, 18) ^ ROTR(x, 41)));
    }
}

/* -- hwprobe ----------------------------------------------------------------------------------- */

static void test_hwprobe(bool gc)
{
    struct { int64_t key; uint64_t value; } pairs[] = { { 4, 0 }, { 6, 0 }, { 1000, 1 } };
    CHECK(syscall(258, pairs, 3l, 0l, 0l, 0l) == 0);
    CHECK(pairs[2].key == -1 && pairs[2].value == 0);
    CHECK((pairs[0].value & 3) == 3); /* F and D, C */
    static uint64_t block[16] __attribute__((aligned(64)));
    block[0] = block[7] = block[8] = 1;
    struct { int bit, trap; } seen[] = {
        { 3, TRAPS(".word 0x20a52533" ::: "a0") },      /* sh1add a0, a0, a0 */
        { 4, TRAPS(".word 0x60051513" ::: "a0") },      /* clz a0, a0 */
        { 5, TRAPS(".word 0x28a51533" ::: "a0") },      /* bset a0, a0, a0 */
        { 7, TRAPS(".word 0x0aa51533" ::: "a0") },      /* clmul a0, a0, a0 */
        { 11, TRAPS(".word 0x3aa50533" ::: "a0") },     /* aes64ds a0, a0, a0 */
        { 12, TRAPS(".word 0x32a50533" ::: "a0") },     /* aes64es a0, a0, a0 */
        { 13, TRAPS(".word 0x10051513" ::: "a0") },     /* sha256sum0 a0, a0 */
        { 6, TRAPS("mv a0, %0\n .word 0x0045200f" : : "r"(block) : "a0", "memory") }, /* cbo.zero */
        { 27, TRAPS(".word 0x04a57553" ::: "fa0") },    /* fadd.h fa0, fa0, fa0 */
        { 32, TRAPS(".word 0xf2180553" ::: "fa0") },    /* fli.d fa0, 1.0 */
        { 35, TRAPS(".word 0x0ea55533" ::: "a0") },     /* czero.eqz a0, a0, a0 */
        { 44, TRAPS(".half 0x9d75" ::: "a0") },         /* c.not a0 */
        { 2, TRAPS(".word 0x02a50557") },               /* vadd.vv */
    };
    for (unsigned i = 0; i < sizeof seen / sizeof *seen; i++) {
        bool has = pairs[0].value >> seen[i].bit & 1;
        CHECK(seen[i].trap == (has ? 0 : SIGILL));
        CHECK(has == (!gc && seen[i].bit != 2));
    }
    CHECK(pairs[1].value == (gc ? 0 : 64));
    CHECK(block[0] == gc && block[7] == gc && block[8] == 1);
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
    static const int signals[] = { SIGILL, SIGTRAP, SIGSEGV, SIGBUS };
    for (unsigned i = 0; i < 4; i++)
        sigaction(signals[i], &action, NULL);
    action.sa_sigaction = on_user;
    sigaction(SIGUSR1, &action, NULL);
    test_traps();
    test_jumps();
    test_reservations();
    test_control();
    test_nan();
    test_changed_code();
    test_fetch();
    test_frames();
    bool gc = argc > 1 && strcmp(argv[1], "gc") == 0;
    if (!gc) {
        test_aes();
        test_sha();
    }
    test_hwprobe(gc);
    printf("%d checks, %d failed\n", n_checks, n_failed);
    return n_failed != 0;
}
