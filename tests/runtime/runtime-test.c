/*
 * The runtime under test: exits, faults, fetch, kicks at any instant, stepping, invalidation and
 * flushes under threads, fork. The guest is RISC-V, its code is made by the few encoders below;
 * where flags matter it is AArch64.
 * Runs with each backend that is there, in each tier: runtime-test BACKEND [TIER [THRESHOLD]].
 */
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "translator/guest/aarch64/cpu.h"
#include "translator/guest/riscv64/cpu.h"
#include "translator/runtime/runtime.h"
#include "translator/runtime/unit-table.h"

/* -- code -------------------------------------------------------------------------------------- */
enum { ZERO, RA, SP, T0 = 5, T1, T2, A0 = 10, A1, A2, A3, A4 };

static uint32_t i_type(unsigned op, unsigned f3, unsigned rd, unsigned rs1, int imm)
{
    return op | rd << 7 | f3 << 12 | rs1 << 15 | (uint32_t)(imm & 0xfff) << 20;
}
static uint32_t addi(unsigned rd, unsigned rs1, int imm) { return i_type(0x13, 0, rd, rs1, imm); }
static uint32_t ld(unsigned rd, unsigned rs1, int imm) { return i_type(0x03, 3, rd, rs1, imm); }
static uint32_t jalr(unsigned rd, unsigned rs1) { return i_type(0x67, 0, rd, rs1, 0); }
static uint32_t add(unsigned rd, unsigned rs1, unsigned rs2)
{
    return 0x33 | rd << 7 | rs1 << 15 | rs2 << 20;
}
static uint32_t sd(unsigned rs2, unsigned rs1, int imm)
{
    return 0x23 | (unsigned)(imm & 31) << 7 | 3 << 12 | rs1 << 15 | rs2 << 20 |
           (uint32_t)(imm >> 5 & 0x7f) << 25;
}
static uint32_t branch(unsigned f3, unsigned rs1, unsigned rs2, int offset)
{
    uint32_t o = (uint32_t)offset;
    return 0x63 | (o >> 11 & 1) << 7 | (o >> 1 & 15) << 8 | f3 << 12 | rs1 << 15 | rs2 << 20 |
           (o >> 5 & 63) << 25 | (o >> 12 & 1) << 31;
}
static uint32_t bne(unsigned a, unsigned b, int offset) { return branch(1, a, b, offset); }
static uint32_t blt(unsigned a, unsigned b, int offset) { return branch(4, a, b, offset); }
static uint32_t jal(unsigned rd, int offset)
{
    uint32_t o = (uint32_t)offset;
    return 0x6f | rd << 7 | (o & 0xff000) | (o >> 11 & 1) << 20 | (o >> 1 & 0x3ff) << 21 |
           (o >> 20 & 1) << 31;
}
static uint32_t amoadd_d(unsigned rd, unsigned rs1, unsigned rs2)
{
    return 0x2f | rd << 7 | 3 << 12 | rs1 << 15 | rs2 << 20;
}
enum { ECALL = 0x73, FENCE_I = 0x100f };

/* -- the outside ------------------------------------------------------------------------------- */
typedef struct Area {
    uint8_t *base;
    size_t bytes; /* fetchable; an inaccessible page follows */
} Area;

static size_t fetch(void *opaque, GuestAddr pc, size_t want, const uint8_t **ret_host)
{
    Area *a = opaque;
    GuestAddr base = (GuestAddr)(uintptr_t)a->base;
    if (pc < base || pc >= base + a->bytes)
        return 0;
    *ret_host = a->base + (pc - base);
    return MIN(want, base + a->bytes - pc);
}

static Area area_new(size_t bytes)
{
    uint8_t *p = mmap(NULL, bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                      0);
    g_assert(p != MAP_FAILED && !mprotect(p + bytes, 4096, PROT_NONE));
    return (Area){ p, bytes };
}

static void area_free(Area *a)
{
    munmap(a->base, a->bytes + 4096);
}

static const char *backend_name, *guest_name = "riscv64";
static TranslatorTier tier;
static uint32_t tier_threshold;
static const TranslatorCallbacks callbacks = { .fetch = fetch };

static Translator *new_translator(Area *a, size_t code_bytes)
{
    GError *error = NULL;
    TranslatorConfig c = { .guest = guest_name, .backend = backend_name, .callbacks = &callbacks,
                           .opaque = a, .code_bytes = code_bytes, .verify = true, .tier = tier,
                           .tier_threshold = tier_threshold };
    Translator *t = translator_new(&c, &error);
    g_assert_no_error(error);
    return t;
}

static __thread Vcpu *self;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    if (!self || !vcpu_host_signal(self, sig, info, context)) {
        signal(sig, SIG_DFL);
        raise(sig);
    }
}

static uint64_t *x(Vcpu *v) { return ((RiscvCpu *)vcpu_cpu(v))->x; }
static GuestAddr at(const Area *a, size_t insn) { return (GuestAddr)(uintptr_t)a->base + 4 * insn; }

static void put(Area *a, size_t insn, uint32_t word)
{
    memcpy(a->base + 4 * insn, &word, 4);
}

static VcpuExit run(Vcpu *v, VcpuExitInfo *info)
{
    self = v;
    return vcpu_run(v, info);
}

/* -- tests ------------------------------------------------------------------------------------- */

/* a0 = sum of 1 … a1, then a system call at instruction 5. */
static void put_sum(Area *a)
{
    put(a, 0, addi(A0, ZERO, 0));
    put(a, 1, add(A0, A0, A1));
    put(a, 2, addi(A1, A1, -1));
    put(a, 3, bne(A1, ZERO, -8));
    put(a, 4, addi(T0, ZERO, 77));
    put(a, 5, ECALL);
}

static void test_loop(void)
{
    Area a = area_new(4096);
    Translator *t = new_translator(&a, 0);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    put_sum(&a);
    for (unsigned n = 1; n < 2000; n += 97) {
        vcpu_set_pc(v, at(&a, 0));
        x(v)[A1] = n;
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
        g_assert_cmpuint(vcpu_pc(v), ==, at(&a, 6));
        g_assert_cmpuint(x(v)[A0], ==, n * (n + 1) / 2);
        g_assert_cmpuint(x(v)[T0], ==, 77);
    }
    Vcpu *copy = vcpu_new(t, v);
    g_assert_cmpuint(vcpu_pc(copy), ==, at(&a, 6));
    g_assert_cmpuint(x(copy)[T0], ==, 77);
    translator_free(t);
    area_free(&a);
}

/* Recursive fib(a0): calls, returns, a stack. */
static void test_calls(void)
{
    Area a = area_new(4096);
    uint64_t stack[512];
    Translator *t = new_translator(&a, 0);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    put(&a, 0, jal(RA, 8));
    put(&a, 1, ECALL);
    const uint32_t fib[] = {
        addi(T0, ZERO, 2), blt(A0, T0, 15 * 4), addi(SP, SP, -24), sd(RA, SP, 0), sd(A0, SP, 8),
        addi(A0, A0, -1), jal(RA, -6 * 4), sd(A0, SP, 16), ld(A0, SP, 8), addi(A0, A0, -2),
        jal(RA, -10 * 4), ld(T1, SP, 16), add(A0, A0, T1), ld(RA, SP, 0), addi(SP, SP, 24),
        jalr(ZERO, RA), jalr(ZERO, RA),
    };
    for (size_t n = 0; n < G_N_ELEMENTS(fib); n++)
        put(&a, 2 + n, fib[n]);
    vcpu_set_pc(v, at(&a, 0));
    x(v)[A0] = 20;
    x(v)[SP] = (uint64_t)(uintptr_t)(stack + 512);
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
    g_assert_cmpuint(x(v)[A0], ==, 6765);
    translator_free(t);
    area_free(&a);
}

static void test_fetch(void)
{
    Area a = area_new(4096);
    Translator *t = new_translator(&a, 0);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    vcpu_set_pc(v, 0x10);
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_FETCH);
    g_assert_cmpuint(info.addr, ==, 0x10);
    /* Falls off the end: the instructions before are run. */
    put(&a, 1023, addi(A0, ZERO, 5));
    vcpu_set_pc(v, at(&a, 1023));
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_FETCH);
    g_assert_cmpuint(info.addr, ==, at(&a, 1024));
    g_assert_cmpuint(vcpu_pc(v), ==, at(&a, 1024));
    g_assert_cmpuint(x(v)[A0], ==, 5);
    /* A 4-byte instruction with its second half behind the end. */
    uint16_t low = (uint16_t)addi(A0, ZERO, 9), c_nop = 1;
    memcpy(a.base + 4092, &c_nop, 2);
    memcpy(a.base + 4094, &low, 2);
    translator_invalidate(t, at(&a, 1023), 4);
    vcpu_set_pc(v, at(&a, 1023));
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_FETCH);
    g_assert_cmpuint(vcpu_pc(v), ==, at(&a, 1024) - 2);
    g_assert_cmpuint(info.addr, ==, at(&a, 1024));
    g_assert_cmpuint(x(v)[A0], ==, 5);
    translator_free(t);
    area_free(&a);
}

/* The same across two pages that are both there; either page's invalidation is noticed. */
static void test_straddle(void)
{
    Area a = area_new(8192);
    Translator *t = new_translator(&a, 0);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    for (int value = 0; value < 4; value++) {
        uint32_t insn = addi(A0, ZERO, value), ecall = ECALL;
        memcpy(a.base + 4094, &insn, 4);
        memcpy(a.base + 4098, &ecall, 4);
        translator_invalidate(t, at(&a, 1024) - (value & 1), 1);
        vcpu_set_pc(v, at(&a, 1024) - 2);
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
        g_assert_cmpuint(x(v)[A0], ==, (unsigned)value);
    }
    translator_free(t);
    area_free(&a);
}

static void test_fault(void)
{
    Area a = area_new(4096);
    Translator *t = new_translator(&a, 0);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    put(&a, 0, addi(A0, ZERO, 1));
    put(&a, 1, addi(A1, A1, 16));
    put(&a, 2, ld(A0, A1, 8));
    put(&a, 3, addi(A0, ZERO, 2));
    put(&a, 4, ECALL);
    vcpu_set_pc(v, at(&a, 0));
    x(v)[A1] = 0x40;
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_FAULT);
    g_assert_cmpuint(vcpu_pc(v), ==, at(&a, 2));
    g_assert_cmpuint(info.addr, ==, 0x58);
    g_assert_cmpint(info.host_signal, ==, SIGSEGV);
    g_assert_cmpint(info.host_code, ==, SEGV_MAPERR);
    g_assert_cmpuint(x(v)[A0], ==, 1);
    g_assert_cmpuint(x(v)[A1], ==, 0x50);
    /* A store to the page that is there but can't be accessed. */
    put(&a, 5, sd(A0, A1, 0));
    vcpu_set_pc(v, at(&a, 5));
    x(v)[A1] = at(&a, 1024);
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_FAULT);
    g_assert_cmpint(info.host_code, ==, SEGV_ACCERR);
    g_assert_cmpuint(info.addr, ==, at(&a, 1024));
    /* It goes on when the guest's handler has mended it. */
    uint64_t value = 4711;
    vcpu_set_pc(v, at(&a, 2));
    x(v)[A1] = (uint64_t)(uintptr_t)&value - 8;
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
    g_assert_cmpuint(x(v)[A0], ==, 2);
    translator_free(t);
    area_free(&a);
}

static void test_step(void)
{
    Area a = area_new(4096);
    Translator *t = new_translator(&a, 0);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    put_sum(&a);
    static const uint8_t want[] = { 1, 2, 3, 1, 2, 3, 4, 5 }; /* a1 = 2 */
    vcpu_set_pc(v, at(&a, 0));
    x(v)[A1] = 2;
    vcpu_set_step(v, true);
    for (size_t n = 0; n < sizeof want; n++) {
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_STEP);
        g_assert_cmpuint(vcpu_pc(v), ==, at(&a, want[n]));
    }
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
    vcpu_set_step(v, false);
    vcpu_set_pc(v, at(&a, 0));
    x(v)[A1] = 10;
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
    g_assert_cmpuint(x(v)[A0], ==, 55);
    translator_free(t);
    area_free(&a);
}

static void test_invalidate(void)
{
    Area a = area_new(4096);
    Translator *t = new_translator(&a, 0);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    put(&a, 0, jal(ZERO, 40));
    put(&a, 11, ECALL);
    for (int n = 0; n < 50; n++) {
        put(&a, 10, addi(A0, ZERO, n));
        translator_invalidate(t, at(&a, 10) + 3, 1);
        for (int again = 0; again < 3; again++) {
            vcpu_set_pc(v, at(&a, 0));
            g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
            g_assert_cmpuint(x(v)[A0], ==, (unsigned)n);
        }
    }
    /* The guest writes an instruction and asks by itself. */
    put(&a, 20, 0x23 | 2 << 12 | T2 << 15 | T1 << 20);
    put(&a, 21, FENCE_I);
    put(&a, 22, jal(ZERO, -22 * 4));
    x(v)[T1] = addi(A0, ZERO, 99);
    x(v)[T2] = at(&a, 10);
    vcpu_set_pc(v, at(&a, 20));
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
    g_assert_cmpuint(x(v)[A0], ==, 99);
    TranslatorStats stats;
    translator_stats(t, &stats);
    g_assert_cmpuint(stats.invalidated, >=, 50);
    translator_free(t);
    area_free(&a);
}

/* Loops that never end by themselves: a direct one, one through jalr, one of calls and returns. */
static void put_endless(Area *a)
{
    put(a, 0, addi(A0, A0, 1));
    put(a, 1, jal(ZERO, -4));
    put(a, 10, addi(A0, A0, 1));
    put(a, 11, jalr(ZERO, T0));
    put(a, 20, jal(RA, 8));
    put(a, 21, jal(ZERO, -4));
    put(a, 22, addi(A0, A0, 1));
    put(a, 23, jalr(ZERO, RA));
}
static const uint8_t endless_entries[] = { 0, 10, 20 };

static Vcpu *volatile kicked_vcpu;
static volatile unsigned kicks_sent;

static void on_alarm(int sig)
{
    if (kicked_vcpu) {
        kicks_sent++;
        vcpu_kick(kicked_vcpu);
    }
}

/* Signals at any instant, while it runs and between runs: each is followed by a return. */
static void test_kick_signal(void)
{
    Area a = area_new(4096);
    Translator *t = new_translator(&a, 0);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    put_endless(&a);
    signal(SIGALRM, on_alarm);
    for (size_t e = 0; e < G_N_ELEMENTS(endless_entries); e++) {
        vcpu_set_pc(v, at(&a, endless_entries[e]));
        x(v)[T0] = at(&a, 10);
        kicks_sent = 0;
        kicked_vcpu = v;
        struct itimerval every = { { 0, 137 }, { 0, 137 } }, off = { { 0, 0 }, { 0, 0 } };
        setitimer(ITIMER_REAL, &every, NULL);
        for (unsigned n = 0; n < 2000; n++)
            g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_KICK);
        setitimer(ITIMER_REAL, &off, NULL);
        kicked_vcpu = NULL;
        g_assert_cmpuint(kicks_sent, >=, 2000);
        if (atomic_load(&v->kicked))
            g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_KICK);
    }
    /* Before it is entered; exactly one return. */
    put_sum(&a);
    translator_invalidate(t, at(&a, 0), 64);
    vcpu_set_pc(v, at(&a, 0));
    x(v)[A1] = 4;
    vcpu_kick(v);
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_KICK);
    g_assert_cmpuint(vcpu_pc(v), ==, at(&a, 0));
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
    g_assert_cmpuint(x(v)[A0], ==, 10);
    translator_free(t);
    area_free(&a);
}

typedef struct Kicker {
    Vcpu *v;
    atomic_uint wanted, stop;
} Kicker;

static void *kicker_main(void *opaque)
{
    Kicker *k = opaque;
    unsigned done = 0;
    while (!atomic_load(&k->stop))
        if (atomic_load(&k->wanted) != done) {
            vcpu_kick(k->v);
            done++;
        }
    return NULL;
}

/* Another thread kicks exactly once for each run. */
static void test_kick_thread(void)
{
    Area a = area_new(4096);
    Translator *t = new_translator(&a, 0);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    Kicker k = { .v = v };
    pthread_t thread;
    put_endless(&a);
    pthread_create(&thread, NULL, kicker_main, &k);
    for (unsigned n = 0; n < 6000; n++) {
        if (n % 2000 == 0)
            vcpu_set_pc(v, at(&a, endless_entries[n / 2000]));
        x(v)[T0] = at(&a, 10);
        atomic_fetch_add(&k.wanted, 1);
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_KICK);
    }
    atomic_store(&k.stop, 1);
    pthread_join(thread, NULL);
    translator_free(t);
    area_free(&a);
}

enum { BLOCKS = 3000, WORKERS = 4 };

typedef struct Worker {
    Translator *t;
    Area *a;
    uint64_t *counter, result;
    unsigned rounds;
    pthread_t thread;
} Worker;

/* BLOCKS blocks of 4 instructions, each jumps to the next, the last makes a system call. */
static void put_chain(Area *a)
{
    for (size_t n = 0; n < BLOCKS; n++) {
        put(a, 4 * n, addi(A1, A1, 1));
        put(a, 4 * n + 1, amoadd_d(ZERO, A2, A3));
        put(a, 4 * n + 2, bne(A1, ZERO, 8));
        put(a, 4 * n + 3, n + 1 < BLOCKS ? addi(A4, A4, 1) : ECALL);
    }
    put(a, 4 * BLOCKS - 2, addi(A4, A4, 0));
}

static void *worker_main(void *opaque)
{
    Worker *w = opaque;
    Vcpu *v = vcpu_new(w->t, NULL);
    VcpuExitInfo info;
    for (unsigned r = 0; r < w->rounds; r++) {
        vcpu_set_pc(v, at(w->a, 0));
        x(v)[A1] = 0;
        x(v)[A2] = (uint64_t)(uintptr_t)w->counter;
        x(v)[A3] = 1;
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
        w->result += x(v)[A1];
    }
    vcpu_free(v);
    return NULL;
}

/* Threads run through more code than fits the buffer, while another one invalidates it. */
/* With a threshold of 1 each of the chain's blocks begins a region of 64 of them: a minute's work
 * for 20 rounds. */
static unsigned some_rounds(unsigned rounds)
{
    return tier == TIER_AUTO && tier_threshold ? rounds / 8 + 1 : rounds;
}

static void test_flush_threads(void)
{
    unsigned rounds = some_rounds(20);
    Area a = area_new(16 * BLOCKS + 4096 - 16 * BLOCKS % 4096);
    Translator *t = new_translator(&a, 1 << 20);
    uint64_t counter = 0;
    Worker w[WORKERS];
    put_chain(&a);
    for (unsigned n = 0; n < WORKERS; n++) {
        w[n] = (Worker){ .t = t, .a = &a, .counter = &counter, .rounds = rounds };
        pthread_create(&w[n].thread, NULL, worker_main, &w[n]);
    }
    for (unsigned n = 0; n < some_rounds(300); n++) {
        translator_invalidate(t, at(&a, n * 37), n % 3 ? 64 : 8192);
        usleep(100);
    }
    for (unsigned n = 0; n < WORKERS; n++) {
        pthread_join(w[n].thread, NULL);
        g_assert_cmpuint(w[n].result, ==, rounds * BLOCKS);
    }
    g_assert_cmpuint(counter, ==, rounds * WORKERS * BLOCKS);
    TranslatorStats stats;
    translator_stats(t, &stats);
    g_test_message("%lu units, %lu flushes, %lu invalidated", (long)stats.units,
                   (long)stats.flushes, (long)stats.invalidated);
    /* Regions take the chain in so few pieces that they may all fit. */
    if (tier != TIER_OPTIMIZE)
        g_assert_cmpuint(stats.flushes, >, 0);
    translator_free(t);
    area_free(&a);
}

/* A child has its own vcpu only, and the translations. Other threads run at the time. */
static void test_fork(void)
{
    Area a = area_new(16 * BLOCKS + 4096 - 16 * BLOCKS % 4096);
    Translator *t = new_translator(&a, 1 << 20);
    uint64_t counter = 0;
    put_chain(&a);
    Worker w[2];
    for (unsigned n = 0; n < 2; n++) {
        w[n] = (Worker){ .t = t, .a = &a, .counter = &counter,
                         .rounds = some_rounds(30) };
        pthread_create(&w[n].thread, NULL, worker_main, &w[n]);
    }
    Worker mine = { .t = t, .a = &a, .counter = &counter, .rounds = 1 };
    for (unsigned n = 0; n < some_rounds(10); n++) {
        worker_main(&mine);
        Vcpu *v = vcpu_new(t, NULL);
        VcpuExitInfo info;
        vcpu_kick(v);
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_KICK);
        translator_fork_prepare(t);
        pid_t child = fork();
        if (!child) {
            alarm(20);
            translator_fork_child(t);
            mine.result = 0;
            worker_main(&mine);
            bool alone = t->vcpus == v && !v->next;
            _exit(mine.result == BLOCKS && alone ? 0 : 1);
        }
        translator_fork_parent(t);
        int status;
        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        g_assert_cmpint(status, ==, 0);
        vcpu_free(v);
    }
    for (unsigned n = 0; n < 2; n++)
        pthread_join(w[n].thread, NULL);
    translator_free(t);
    area_free(&a);
}

/* The link of the unit at `from` to `target`, or NULL. */
static UnitLink *link_between(Translator *t, GuestAddr from, GuestAddr target)
{
    CompiledUnit *u = unit_table_find(t->units, from, 0, 0);
    for (unsigned n = 0; u && n < u->n_links; n++)
        if (link_target(unit_link_at(u, n)) == target)
            return unit_link_at(u, n);
    return NULL;
}

static void run_branch(Vcpu *v, const Area *a, size_t insn, uint64_t taken)
{
    VcpuExitInfo info;
    x(v)[A0] = taken;
    vcpu_set_pc(v, at(a, insn));
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
}

/* The exit that only children take is linked in the parent before the third one. */
static void test_fork_notes(void)
{
    Area a = area_new(4096);
    Translator *t = new_translator(&a, 1 << 20);
    Vcpu *v = vcpu_new(t, NULL);
    put(&a, 0, bne(A0, ZERO, 12));
    put(&a, 1, addi(T0, ZERO, 1));
    put(&a, 2, ECALL);
    put(&a, 3, addi(T0, ZERO, 2));
    put(&a, 4, ECALL);
    run_branch(v, &a, 0, 0);
    run_branch(v, &a, 3, 0);
    for (unsigned n = 0; n < 3; n++) {
        UnitLink *link = link_between(t, at(&a, 0), at(&a, 3));
        g_assert_true(!link || !link->to);
        translator_fork_prepare(t);
        pid_t child = fork();
        if (!child) {
            translator_fork_child(t);
            run_branch(v, &a, 0, 1);
            _exit(x(v)[T0] == 2 ? 0 : 1);
        }
        translator_fork_parent(t);
        int status;
        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        g_assert_cmpint(status, ==, 0);
    }
    UnitLink *link = link_between(t, at(&a, 0), at(&a, 3));
    /* In a region it is a branch. */
    if (t->code && tier != TIER_OPTIMIZE && !tier_threshold)
        g_assert_true(link && link->to);
    run_branch(v, &a, 0, 1);
    g_assert_cmpuint(x(v)[T0], ==, 2);
    vcpu_free(v);
    translator_free(t);
    area_free(&a);
}

/* -- the optimizing tier, whatever the others run in ------------------------------------------- */

static Translator *new_tiered(Area *a)
{
    TranslatorTier before = tier;
    uint32_t threshold = tier_threshold;
    tier = TIER_AUTO;
    tier_threshold = 50;
    Translator *t = new_translator(a, 0);
    tier = before;
    tier_threshold = threshold;
    return t;
}

static bool is_region(Translator *t, const Area *a, size_t insn)
{
    const CompiledUnit *u = unit_table_find(t->units, at(a, insn), 0, 0);
    return u && u->flags & IR_UNIT_REGION;
}

/* A loop that runs becomes a region, which serves the next run too. */
static void test_tier_up(void)
{
    Area a = area_new(4096);
    Translator *t = new_tiered(&a);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    TranslatorStats stats;
    put_sum(&a);
    for (unsigned round = 0; round < 3; round++) {
        uint64_t n = round == 0 ? 20 : 1000;
        vcpu_set_pc(v, at(&a, 0));
        x(v)[A1] = n;
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
        g_assert_cmpuint(x(v)[A0], ==, n * (n + 1) / 2);
        translator_stats(t, &stats);
        g_assert_cmpuint(stats.regions, ==, round ? 1 : 0);
        g_assert_cmpint(is_region(t, &a, 1), ==, round != 0);
    }
    translator_free(t);
    area_free(&a);
}

/* So does one that is entered by a jump forward, behind which units needn't count. */
static void test_tier_jump(void)
{
    Area a = area_new(4096);
    Translator *t = new_tiered(&a);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    put(&a, 0, addi(A0, ZERO, 0));
    put(&a, 1, jal(ZERO, 8));
    put(&a, 2, ECALL);
    put(&a, 3, add(A0, A0, A1));
    put(&a, 4, addi(A1, A1, -1));
    put(&a, 5, bne(A1, ZERO, -8));
    put(&a, 6, ECALL);
    vcpu_set_pc(v, at(&a, 0));
    x(v)[A1] = 1000;
    g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
    g_assert_cmpuint(x(v)[A0], ==, 500500);
    g_assert_true(is_region(t, &a, 3));
    vcpu_free(v);
    translator_free(t);
    area_free(&a);
}

/* A function that calls itself expects its returns to be those of its region. When others return
 * for it, from behind a system call, each still drops its own frame, and no other. */
static void test_tier_recursion(void)
{
    enum { MAIN = 16, DEPTH = 40, ROUNDS = 12, FRAME = 16 };
    static const uint32_t function[] = {
        0xd10043ff, /* sub sp, sp, #16 */
        0xf90003fe, /* str x30, [sp] */
        0xb40000a0, /* cbz x0, 7 */
        0xd1000400, /* sub x0, x0, #1 */
        0x97fffffc, /* bl 0 */
        0xf100001f, /* cmp x0, #0 */
        0xf94003fe, /* ldr x30, [sp] */
        0xd4000001, /* 7: svc #0 */
        0xf94003fe, /* ldr x30, [sp] */
        0x910043ff, /* add sp, sp, #16 */
        0xd65f03c0, /* ret */
    };
    static uint64_t stack[2 * DEPTH + 16];
    Area a = area_new(4096);
    guest_name = "aarch64";
    Translator *t = new_tiered(&a);
    guest_name = "riscv64";
    Vcpu *v = vcpu_new(t, NULL);
    Aarch64Cpu *cpu = vcpu_cpu(v);
    VcpuExitInfo info;
    bool checked = false;
    for (size_t n = 0; n < G_N_ELEMENTS(function); n++)
        put(&a, n, function[n]);
    put(&a, MAIN, 0x97fffff0);     /* bl 0 */
    put(&a, MAIN + 1, 0xf100001f); /* cmp x0, #0 */
    put(&a, MAIN + 2, 0xd4000001); /* svc #0 */
    for (unsigned round = 0; round < ROUNDS; round++) {
        vcpu_set_pc(v, at(&a, MAIN));
        cpu->x[0] = DEPTH;
        cpu->sp = (GuestAddr)(uintptr_t)(stack + G_N_ELEMENTS(stack));
        const uint8_t *deepest = NULL;
        bool region = is_region(t, &a, 0);
        for (size_t n = 0; n <= DEPTH; n++) {
            g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
            g_assert_cmpuint(vcpu_pc(v), ==, at(&a, 8));
            deepest = n ? deepest : v->return_stack;
            region &= !v->profiling; /* calls have left no frames */
            if (v->return_stack && region)
                g_assert_true(v->return_stack == deepest + n * FRAME);
        }
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
        g_assert_cmpuint(vcpu_pc(v), ==, at(&a, MAIN + 3));
        checked |= region;
    }
    if (v->return_stack)
        g_assert_true(checked);
    vcpu_free(v);
    translator_free(t);
    area_free(&a);
}

/* A side that was never taken when the region was made, and always later: it is taken in. */
static void test_tier_rebuild(void)
{
    Area a = area_new(4096);
    Translator *t = new_tiered(&a);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    put(&a, 0, addi(A0, A0, 1));
    put(&a, 1, bne(A3, ZERO, 6 * 4)); /* to 7 */
    put(&a, 2, addi(A2, A2, 1));
    put(&a, 3, bne(A0, A1, -3 * 4));
    put(&a, 4, ECALL);
    put(&a, 7, addi(A4, A4, 2));
    put(&a, 8, jal(ZERO, -5 * 4));
    for (unsigned round = 0; round < 2; round++) {
        vcpu_set_pc(v, at(&a, 0));
        x(v)[A0] = x(v)[A2] = x(v)[A4] = 0;
        x(v)[A1] = 1000;
        x(v)[A3] = round;
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
        g_assert_cmpuint(x(v)[A2], ==, round ? 0 : 1000);
        g_assert_cmpuint(x(v)[A4], ==, round ? 2000 : 0);
    }
    TranslatorStats stats;
    translator_stats(t, &stats);
    /* Two versions; and the loop's end for itself, which the first version's side came to too. */
    g_assert_cmpuint(stats.regions, <=, 3);
    g_assert_cmpuint(stats.regions_rebuilt, ==, 1);
    translator_free(t);
    area_free(&a);
}

/* A side that is known but rare when the region is made stays outside; when it is what the loop
 * does, it is taken in. */
static void test_tier_rare(void)
{
    enum { RARE = 10, RARE_INSNS = 8 };
    static const struct { uint64_t from, to, below, rare; } round[] = {
        { 1022, 1026, 1, 1 },    /* becomes known */
        { 0, 5000, 1, 4 },       /* one time in 1024 */
        { 0, 2000, 1024, 2000 }, /* always */
    };
    Area a = area_new(4096);
    Translator *t = new_tiered(&a);
    Vcpu *v = vcpu_new(t, NULL);
    put(&a, 0, addi(A0, A0, 1));
    put(&a, 1, i_type(0x13, 7, T0, A0, 1023)); /* andi */
    put(&a, 2, blt(T0, A3, (RARE - 2) * 4));
    put(&a, 3, addi(A2, A2, 1));
    put(&a, 4, bne(A0, A1, -4 * 4));
    put(&a, 5, ECALL);
    for (unsigned n = 0; n < RARE_INSNS; n++)
        put(&a, RARE + n, addi(A4, A4, 1));
    put(&a, RARE + RARE_INSNS, jal(ZERO, -(RARE + RARE_INSNS - 3) * 4));
    for (unsigned n = 0; n < G_N_ELEMENTS(round); n++) {
        VcpuExitInfo info;
        TranslatorStats stats;
        vcpu_set_pc(v, at(&a, 0));
        x(v)[A0] = round[n].from;
        x(v)[A1] = round[n].to;
        x(v)[A2] = x(v)[A4] = 0;
        x(v)[A3] = round[n].below;
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
        g_assert_cmpuint(x(v)[A2], ==, round[n].to - round[n].from);
        g_assert_cmpuint(x(v)[A4], ==, round[n].rare * RARE_INSNS);
        translator_stats(t, &stats);
        g_assert_cmpuint(stats.regions_rebuilt, ==, n == 2);
        if (n < 2)
            g_assert_cmpuint(stats.region_insns, ==, n * 5);
        else
            g_assert_cmpuint(stats.region_insns, >, 2 * 5 + RARE_INSNS);
    }
    vcpu_free(v);
    translator_free(t);
    area_free(&a);
}

/* Fills words from a1 up to the page that can't be accessed; a0 counts them. */
static void test_tier_fault(void)
{
    Area a = area_new(4096);
    Translator *t = new_tiered(&a);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    put(&a, 0, addi(A0, A0, 1));
    put(&a, 1, addi(A2, A0, 5));
    put(&a, 2, sd(A0, A1, 0));
    put(&a, 3, addi(A1, A1, 8));
    put(&a, 4, addi(A2, ZERO, 0));
    put(&a, 5, jal(ZERO, -5 * 4));
    for (unsigned round = 0; round < 2; round++) {
        vcpu_set_pc(v, at(&a, 0));
        x(v)[A0] = 0;
        x(v)[A1] = at(&a, 1024) - 8 * 300;
        g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_FAULT);
        g_assert_true(is_region(t, &a, 0));
        g_assert_cmpuint(vcpu_pc(v), ==, at(&a, 2));
        g_assert_cmpuint(info.addr, ==, at(&a, 1024));
        g_assert_cmpuint(x(v)[A0], ==, 301);
        g_assert_cmpuint(x(v)[A1], ==, at(&a, 1024));
        g_assert_cmpuint(x(v)[A2], ==, 306);
    }
    translator_free(t);
    area_free(&a);
}

/* A region on two pages: a change on either of them is noticed, one elsewhere leaves it alone. */
static void test_tier_invalidate(void)
{
    Area a = area_new(12288);
    Translator *t = new_tiered(&a);
    Vcpu *v = vcpu_new(t, NULL);
    VcpuExitInfo info;
    enum { FAR = 1500 };
    put(&a, 0, addi(A0, A0, 1));
    put(&a, 1, jal(ZERO, (FAR - 1) * 4));
    put(&a, FAR, addi(A2, A2, 1));
    put(&a, FAR + 1, blt(A0, A1, 8));
    put(&a, FAR + 2, ECALL);
    put(&a, FAR + 3, jal(ZERO, -(FAR + 3) * 4));
    for (int step = 1; step < 6; step++) {
        put(&a, 0, addi(A0, A0, step & 1 ? 1 : 2));
        put(&a, FAR, addi(A2, A2, step));
        translator_invalidate(t, at(&a, 0), 4);
        translator_invalidate(t, at(&a, FAR), 1);
        for (unsigned round = 0; round < 2; round++) {
            vcpu_set_pc(v, at(&a, 0));
            x(v)[A0] = x(v)[A2] = 0;
            x(v)[A1] = 2000;
            g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_SYSCALL);
            g_assert_cmpuint(x(v)[A0], ==, 2000);
            g_assert_cmpuint(x(v)[A2], ==, (uint64_t)step * (step & 1 ? 2000 : 1000));
            g_assert_true(is_region(t, &a, 0));
        }
        translator_invalidate(t, at(&a, FAR + 20), 64);
        translator_invalidate(t, at(&a, 2048), 4096);
        g_assert_true(is_region(t, &a, 0));
        translator_invalidate(t, step & 1 ? at(&a, FAR + 3) : at(&a, 1), 4);
        g_assert_false(is_region(t, &a, 0));
    }
    translator_free(t);
    area_free(&a);
}

/* Kicks at any instant while an endless loop turns into a region, and in the region. */
static void test_tier_kick(void)
{
    Area a = area_new(4096);
    VcpuExitInfo info;
    put_endless(&a);
    signal(SIGALRM, on_alarm);
    for (unsigned n = 0; n < 200; n++) {
        Translator *t = new_tiered(&a);
        Vcpu *v = vcpu_new(t, NULL);
        vcpu_set_pc(v, at(&a, 0));
        kicked_vcpu = v;
        struct itimerval every = { { 0, 211 }, { 0, 1 + 37 * (n & 7) } }, off = { 0 };
        setitimer(ITIMER_REAL, &every, NULL);
        uint64_t before = 0;
        for (unsigned k = 0; k < 10; k++) {
            g_assert_cmpint(run(v, &info), ==, VCPU_EXIT_KICK);
            g_assert_true(vcpu_pc(v) == at(&a, 0) || vcpu_pc(v) == at(&a, 1));
            g_assert_cmpuint(x(v)[A0], >=, before);
            before = x(v)[A0];
        }
        setitimer(ITIMER_REAL, &off, NULL);
        kicked_vcpu = NULL;
        translator_free(t);
    }
    area_free(&a);
}

static void add_tests(const char *backend)
{
    static const struct { const char *name; void (*fn)(void); } tests[] = {
        { "loop", test_loop }, { "calls", test_calls }, { "fetch", test_fetch },
        { "straddle", test_straddle }, { "fault", test_fault }, { "step", test_step },
        { "invalidate", test_invalidate }, { "kick-signal", test_kick_signal },
        { "kick-thread", test_kick_thread }, { "flush-threads", test_flush_threads },
        { "fork", test_fork }, { "fork-notes", test_fork_notes },
        { "tier-up", test_tier_up }, { "tier-jump", test_tier_jump },
        { "tier-recursion", test_tier_recursion }, { "tier-rebuild", test_tier_rebuild },
        { "tier-rare", test_tier_rare },
        { "tier-fault", test_tier_fault }, { "tier-invalidate", test_tier_invalidate },
        { "tier-kick", test_tier_kick },
    };
    for (size_t n = 0; n < G_N_ELEMENTS(tests); n++) {
        g_autofree char *path = g_strdup_printf("/%s/%s", backend, tests[n].name);
        g_test_add_func(path, tests[n].fn);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Translated code runs on a stack of its own, which may be at its end. */
    static uint8_t signal_stack[256 << 10];
    stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof signal_stack };
    sigaltstack(&stack, NULL);
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    sigaction(SIGFPE, &sa, NULL);
    sigaction(SIGTRAP, &sa, NULL);
    sigaction(SIGILL, &sa, NULL);
    if (argc > 1 && !backend_find(argv[1])) {
        fprintf(stderr, "no backend %s\n", argv[1]);
        return 77; /* skipped */
    }
    backend_name = argc > 1 ? argv[1] : "interp";
    if (argc > 2)
        tier = !strcmp(argv[2], "baseline") ? TIER_BASELINE
             : !strcmp(argv[2], "optimize") ? TIER_OPTIMIZE : TIER_AUTO;
    if (argc > 3)
        tier_threshold = (uint32_t)atoi(argv[3]);
    add_tests(backend_name);
    return g_test_run();
}
