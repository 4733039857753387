/*
 * Random IR through every way there is to run it: the interpreter on unoptimized IR is the judge of
 * the optimizer (interpreter on optimized IR) and of each backend. The whole state must agree:
 * variables, memory, sticky flags, the reason for stopping, and for faults the address and pc.
 *
 *   ir-fuzz [--seed N] [--count N] [--seconds N] [--classes MASK] [--max-ops N] [--regions 1]
 *
 * On a difference the program is cut down to the fewest operations that still differ, and shown.
 */
#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/ir-fuzz/gen.h"
#include "translator/runtime/runtime.h"

typedef struct Way {
    const char *name, *backend;
    bool no_opt;
    Translator *t;
    Vcpu *v;
} Way;

enum { N_WAYS = 4 };
#define WAYS \
    { \
        { "interpreter", "interp", true, NULL, NULL }, \
        { "interpreter, optimized", "interp", false, NULL, NULL }, \
        { "x86_64, optimized", "x86_64", false, NULL, NULL }, \
        { "x86_64", "x86_64", true, NULL, NULL }, \
    }
static Way all_ways[2][N_WAYS] = { WAYS, WAYS }; /* [1]: of the lazy guest */

typedef struct Outcome {
    VcpuExit exit;
    VcpuExitInfo info;
    GenCpu cpu;
    uint32_t fp_flags;
    uint8_t memory[GEN_MEM_BYTES];
} Outcome;

static uint8_t memory[GEN_MEM_BYTES] __attribute__((aligned(64)));
static Vcpu *running;
static unsigned gaps; /* programs in which only a known gap showed */

static size_t fetch(void *opaque, GuestAddr pc, size_t want, const uint8_t **ret_host)
{
    static const uint8_t code[8192];
    *ret_host = code; /* lift() looks at the pc only */
    return MIN(want, sizeof code);
}

static const TranslatorCallbacks callbacks = { .fetch = fetch };

static void on_signal(int sig, siginfo_t *info, void *context)
{
    if (!running || !vcpu_host_signal(running, sig, info, context)) {
        char text[64];
        int n = snprintf(text, sizeof text, "signal %d at --seed %" PRIu64 "\n", sig,
                         gen_config.seed);
        if (write(STDERR_FILENO, text, (size_t)n) != n)
            sig = SIGABRT;
        signal(sig, SIG_DFL);
        raise(sig);
    }
}

static void open_ways(Way *ways, const GuestIsa *isa)
{
    for (size_t n = 0; n < N_WAYS; n++) {
        Way *w = &ways[n];
        if (!backend_find(w->backend))
            continue;
        TranslatorConfig c = { .guest = "fuzz", .backend = w->backend, .callbacks = &callbacks,
                               .code_bytes = 8 << 20, .verify = true };
        GError *error = NULL;
        w->t = translator_new_for(&c, isa, &error);
        g_assert_no_error(error);
        w->t->no_opt = w->no_opt;
        w->v = vcpu_new(w->t, NULL);
    }
}

static void run_way(Way *w, Outcome *out)
{
    uint64_t seed = gen_config.seed;
    GenCpu *cpu = vcpu_cpu(w->v);
    memset(out, 0, sizeof *out);
    gen_state(seed, cpu, memory);
    vcpu_fp_set_control(w->v, gen_fp_control(seed));
    vcpu_fp_set_flags(w->v, 0);
    vcpu_set_pc(w->v, gen_pc(seed));
    translator_invalidate(w->t, gen_pc(seed), GEN_INSNS * 4 + 64);
    w->v->patience = 0; /* what is lifted depends on where units begin */
    memset(w->t->hints, 0, w->t->cap_hints * sizeof *w->t->hints);
    w->t->n_hints = 0;
    running = w->v;
    out->exit = vcpu_run(w->v, &out->info);
    running = NULL;
    out->cpu = *cpu;
    out->fp_flags = vcpu_fp_flags(w->v);
    memcpy(out->memory, memory, sizeof memory);
    if (gen_is_lazy(seed) && (out->exit == VCPU_EXIT_FAULT || out->exit == VCPU_EXIT_ALIGN))
        out->cpu.flags = 0; /* may be anything there */
}

static bool same_exit(const Outcome *a, const Outcome *b)
{
    if (a->exit != b->exit)
        return false;
    switch (a->exit) {
    case VCPU_EXIT_SYSCALL: case VCPU_EXIT_BREAK:
        return a->info.payload == b->info.payload;
    case VCPU_EXIT_FAULT:
        return a->info.addr == b->info.addr && a->info.host_signal == b->info.host_signal &&
               a->info.host_code == b->info.host_code;
    case VCPU_EXIT_ALIGN:
        return a->info.addr == b->info.addr;
    default:
        return true;
    }
}

static bool same(const Outcome *a, const Outcome *b)
{
    return same_exit(a, b) && !memcmp(&a->cpu, &b->cpu, sizeof a->cpu) &&
           a->fp_flags == b->fp_flags && !memcmp(a->memory, b->memory, sizeof a->memory);
}

static void show_difference(const Way *w, const Outcome *want, const Outcome *got)
{
    printf("%s differs from the interpreter:\n", w->name);
    if (!same_exit(want, got))
        printf("  exit %d addr %#" PRIx64 " payload %#" PRIx64 ", not %d %#" PRIx64 " %#" PRIx64
               "\n",
               got->exit, got->info.addr, got->info.payload, want->exit, want->info.addr,
               want->info.payload);
    if (want->fp_flags != got->fp_flags)
        printf("  sticky flags %#x, not %#x\n", got->fp_flags, want->fp_flags);
    for (unsigned n = 0; n < gen_isa.n_vars; n++) {
        const IrVar *var = &gen_isa.vars[n];
        unsigned bytes = var->type == IR_V128                         ? 16
                         : var->type == IR_I64 || var->type == IR_F64 ? 8
                                                                      : 4;
        const uint8_t *a = (const uint8_t *)&want->cpu + var->offset;
        const uint8_t *b = (const uint8_t *)&got->cpu + var->offset;
        if (!memcmp(a, b, bytes))
            continue;
        printf("  %-4s ", var->name);
        for (unsigned k = bytes; k-- > 0;)
            printf("%02x", b[k]);
        printf(", not ");
        for (unsigned k = bytes; k-- > 0;)
            printf("%02x", a[k]);
        printf("\n");
    }
    for (unsigned n = 0; n < GEN_MEM_BYTES; n++)
        if (want->memory[n] != got->memory[n])
            printf("  memory[%#x] %02x, not %02x\n", n, got->memory[n], want->memory[n]);
}

/* The first way that differs, or NULL. */
static Way *try_ways(uint64_t seed, unsigned max_ops, bool show)
{
    static Outcome want, got;
    Way *ways = all_ways[gen_is_lazy(seed)];
    gen_config.seed = seed;
    gen_config.max_ops = max_ops;
    run_way(&ways[0], &want);
    for (size_t n = 1; n < N_WAYS; n++) {
        Way *w = &ways[n];
        if (!w->t)
            continue;
        /* Allocation over regions takes variables as opt/ssa.c leaves them. */
        if (gen_is_region(seed) && w->no_opt && !strcmp(w->backend, "x86_64"))
            continue;
        run_way(w, &got);
        if (same(&want, &got))
            continue;
        if (show) {
            log_mask = LOG_IR | LOG_IR_OPT | LOG_OUT;
            fflush(stdout);
            run_way(w, &got);
            log_mask = 0;
            show_difference(w, &want, &got);
        }
        return w;
    }
    return NULL;
}

/* The same, but for a gap that the x86-64 backend's fp-site.h states: when a result becomes the
 * smallest normal number by rounding, Arm's underflow isn't raised. Then nothing differs if the
 * program has its tininess detected after rounding, as the host does. */
static Way *try_program(uint64_t seed, unsigned max_ops, bool show)
{
    Way *w = try_ways(seed, max_ops, false);
    if (!w)
        return NULL;
    gen_config.tiny_after = true;
    w = try_ways(seed, max_ops, show);
    gen_config.tiny_after = false;
    gaps += !w;
    return w;
}

/* Cuts operations off the end while it still fails. */
static void report(uint64_t seed, unsigned max_ops)
{
    unsigned most = MIN(max_ops, GEN_INSNS * 6), least = most;
    for (unsigned n = 0; n < most; n++)
        if (try_program(seed, n, false)) {
            least = n;
            break;
        }
    try_program(seed, least, true);
    printf("--seed %" PRIu64 " --count 1 --classes %u --max-ops %u\n", seed, gen_config.classes,
           least);
}

static gint64 option(int argc, char **argv, const char *name, gint64 otherwise)
{
    for (int n = 1; n + 1 < argc; n++)
        if (!strcmp(argv[n], name))
            return (gint64)g_ascii_strtoull(argv[n + 1], NULL, 0);
    return otherwise;
}

int main(int argc, char **argv)
{
    const char *seed_text = g_getenv("IR_FUZZ_SEED");
    uint64_t seed = (uint64_t)option(argc, argv, "--seed",
                                     seed_text ? (gint64)g_ascii_strtoull(seed_text, NULL, 0) : 1);
    uint64_t count = (uint64_t)option(argc, argv, "--count", G_MAXINT64);
    gint64 seconds = option(argc, argv, "--seconds", 10);
    unsigned max_ops = (unsigned)option(argc, argv, "--max-ops", 100000);
    bool regions = option(argc, argv, "--regions", 0); /* no other programs */
    gen_config.classes = (unsigned)option(argc, argv, "--classes", GEN_ALL);
    struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    for (size_t n = 0; n < G_N_ELEMENTS(signals); n++)
        sigaction(signals[n], &sa, NULL);
    open_ways(all_ways[0], &gen_isa);
    open_ways(all_ways[1], &gen_lazy_isa);
    printf("seed %" PRIu64 "\n", seed);
    gint64 end = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    uint64_t done = 0;
    unsigned exits[VCPU_N_EXITS] = { 0 }, failed = 0;
    for (; done < count && g_get_monotonic_time() < end; done++) {
        if (regions)
            seed += 7 - (seed + done) % 8;
        bool bad = try_program(seed + done, max_ops, false);
        unsigned exit = all_ways[gen_is_lazy(seed + done)][0].v->exit_reason;
        exits[exit < VCPU_N_EXITS ? exit : 0]++;
        if (bad) {
            report(seed + done, max_ops);
            if (++failed == option(argc, argv, "--failures", 1))
                break;
        }
    }
    if (gaps)
        printf("%u lack an underflow (fp-site.h's known gap)\n", gaps);
    printf("%" PRIu64 " programs (%u end, %u break, %u fault, %u misaligned), %u differ\n", done,
           exits[VCPU_EXIT_SYSCALL], exits[VCPU_EXIT_BREAK], exits[VCPU_EXIT_FAULT],
           exits[VCPU_EXIT_ALIGN], failed);
    for (size_t n = 0; n < 2 * N_WAYS; n++)
        translator_free(all_ways[n / N_WAYS][n % N_WAYS].t);
    return failed != 0;
}
