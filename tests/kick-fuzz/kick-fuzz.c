/*
 * Random guest programs of loops, which are interrupted in the middle and resumed.
 *
 *   kick-fuzz [--guest NAME] [--seed N] [--count N] [--seconds N] [--failures N] [--log MASK]
 *
 * What translated code shows at a poll must be all that the code behind it needs, whoever runs it:
 * in places drawn at random the program kicks itself, by storing to its vcpu or by a trap, and goes
 * on with vcpu_run() after each exit, or as another vcpu of another tier. The interpreter on
 * unoptimized IR, never kicked, is the judge of registers, memory and floating-point status at the
 * end.
 *
 * On a difference the program is cut down to what still differs, and shown. --log: log classes of
 * translator.h while that runs for the last time. The exit status is 1, too, if too few kicks came
 * where they are meant to, in loops.
 */
#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/kick-fuzz/gen.h"
#include "translator/debug/disas.h"
#include "translator/runtime/branch-profile.h"
#include "translator/runtime/runtime.h"

typedef struct Tier {
    const char *name, *backend;
    bool no_opt;
    TranslatorTier tier;
    uint32_t threshold;
    Translator *t;
    Vcpu *v;
} Tier;

enum { INTERP, BASELINE, OPTIMIZE, MIXED, N_TIERS };

/* A way to run a program: where it begins, whether it is kicked and goes on elsewhere. */
typedef struct Way {
    const char *name;
    unsigned tier, rounds;
    bool kicked, moves;
} Way;

static const Way ways[] = {
    {"optimized, not kicked", OPTIMIZE, 1, false, false},
    {"baseline", BASELINE, 1, true, false},
    {"optimized", OPTIMIZE, 2, true, false},
    {"mixed", MIXED, 3, true, false},
    {"moving between tiers", OPTIMIZE, 2, true, true},
};

typedef struct Outcome {
    VcpuExit exit;
    VcpuExitInfo info;
    uint64_t word[KICK_WORDS];
    uint8_t data[KICK_DATA_BYTES];
} Outcome;

typedef struct Fuzz {
    const KickGuest *guest;
    const GuestIsa *isa;
    Tier tier[N_TIERS];
    KickGen gen;
    uint64_t seed;
    uint8_t *code, *data;
    uint8_t initial[KICK_DATA_BYTES];
    uint64_t in[KICK_WORDS];
    Outcome want, got;
    uint64_t kicks, kicks_in_loops, moves;
    unsigned runs[N_TIERS], runs_kicked[N_TIERS]; /* kicked where a loop is */
    unsigned ended;   /* programs that came to their end */
    bool counts;      /* for the statistics */
} Fuzz;

enum { MAX_KICKS = 200000, PATIENCE_SECONDS = 60 };

static struct {
    const char *guest, *way;
    uint64_t seed, traps_left; /* until one kicks */
    Vcpu *v;
} now; /* for signal handlers */

static size_t fetch(void *opaque, GuestAddr pc, size_t want, const uint8_t **ret_host)
{
    if (pc - KICK_CODE >= KICK_CODE_BYTES)
        return 0;
    *ret_host = (const uint8_t *)(uintptr_t)pc;
    return MIN(want, KICK_CODE + KICK_CODE_BYTES - pc);
}

static const TranslatorCallbacks callbacks = {.fetch = fetch};

static void on_signal(int sig, siginfo_t *info, void *context)
{
    if (sig != SIGALRM && now.v && vcpu_host_signal(now.v, sig, info, context)) {
        if (sig == SIGFPE && now.traps_left-- == 0)
            vcpu_kick(now.v);
        return;
    }
    char text[160];
    int n = snprintf(text, sizeof text, "signal %d at --guest %s --seed %" PRIu64 ", %s\n", sig,
                     now.guest, now.seed, now.way);
    if (write(STDERR_FILENO, text, (size_t)n) != n)
        sig = SIGABRT;
    signal(sig, SIG_DFL);
    raise(sig);
}

static void install_handlers(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGALRM};
    struct sigaction sa = {.sa_sigaction = on_signal,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    static uint8_t bytes[1 << 16];
    stack_t stack = {.ss_sp = bytes, .ss_size = sizeof bytes};
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaction(signals[i], &sa, NULL);
}

/* -- running ----------------------------------------------------------------------------------- */
/* As if nothing had ever run there: what is made depends on the seed alone. */
static void forget(Tier *tier)
{
    Vcpu *v = tier->v;
    translator_invalidate(tier->t, KICK_CODE, KICK_CODE_BYTES);
    memset(tier->t->hints, 0, tier->t->cap_hints * sizeof *tier->t->hints);
    tier->t->n_hints = 0;
    memset(v->profile, 0, sizeof v->profile);
    memset(v->target, 0, sizeof v->target);
    memset(v->guess, 0, sizeof v->guess);
    memset(v->asked, 0, sizeof v->asked);
    v->n_asked = v->profiling = 0;
    v->fp_tracked = v->fp_tracking_cost = 0;
    if (v->branches)
        memset(v->branches, 0, sizeof *v->branches);
}

static void forget_all(Fuzz *f)
{
    for (unsigned n = 0; n < N_TIERS; n++)
        if (f->tier[n].t)
            forget(&f->tier[n]);
}

/* Triggers until the next kick: mostly few. */
static uint64_t draw_count(uint64_t *random)
{
    KickGen g = {.random = *random};
    unsigned most[] = {1, 3, 20, 300}, n = most[kick_below(&g, 4)];
    uint64_t count = kick_below(&g, n);
    *random = g.random;
    return count;
}

static void set_trigger(const Fuzz *f, Vcpu *v, uint64_t count)
{
    atomic_store(&v->kicked, 0);
    now.traps_left = count;
    f->guest->set_trigger(v, count, (uintptr_t)&v->kicked);
}

static bool in_loop(const KickGen *g, uint64_t pc)
{
    for (unsigned n = 0; n < g->n_loops; n++)
        if (pc - KICK_CODE >= g->loop[n].start && pc - KICK_CODE < g->loop[n].end)
            return true;
    return false;
}

/* All that the guest has, to a vcpu of another translator. */
static void move(const Fuzz *f, Vcpu *to, const Vcpu *from)
{
    memcpy(vcpu_cpu(to), vcpu_cpu((Vcpu *)from), f->isa->cpu_bytes);
    vcpu_fp_set_control(to, vcpu_fp_control(from));
    vcpu_fp_set_flags(to, vcpu_fp_flags(from));
}

static VcpuExit run_once(Vcpu *v, VcpuExitInfo *info)
{
    now.v = v;
    VcpuExit e = vcpu_run(v, info);
    now.v = NULL;
    return e;
}

static void run(Fuzz *f, unsigned tier, const Way *way, uint64_t random, Outcome *out)
{
    static const uint64_t never = 1ull << 40;
    Vcpu *v = f->tier[tier].v;
    unsigned kicks = 0, in_loops = 0, moves = 0;
    now.way = way ? way->name : "judge";
    memcpy(f->data, f->initial, KICK_DATA_BYTES);
    f->guest->set(v, f->in);
    set_trigger(f, v, way && way->kicked ? draw_count(&random) : never);
    while ((out->exit = run_once(v, &out->info)) == VCPU_EXIT_KICK && kicks++ < MAX_KICKS) {
        in_loops += in_loop(&f->gen, vcpu_pc(v));
        uint64_t count = draw_count(&random);
        if (way->moves && random >> 60 < 6) {
            Vcpu *to = f->tier[random >> 32 & (N_TIERS - 1)].v;
            moves += to != v;
            if (to != v)
                move(f, to, v);
            v = to;
        }
        set_trigger(f, v, count);
    }
    f->guest->get(v, out->word);
    memcpy(out->data, f->data, KICK_DATA_BYTES);
    atomic_store(&v->kicked, 0);
    if (f->counts && way && way->kicked) {
        f->kicks += kicks;
        f->kicks_in_loops += in_loops;
        f->moves += moves;
        f->runs[tier]++;
        f->runs_kicked[tier] += in_loops != 0;
    }
}

static bool same_exit(const Outcome *a, const Outcome *b)
{
    return a->exit == b->exit && (a->exit != VCPU_EXIT_FAULT || a->info.addr == b->info.addr);
}

static bool same(const Fuzz *f)
{
    const Outcome *a = &f->want, *b = &f->got;
    for (unsigned n = 0; n < f->guest->n_words; n++)
        if (f->guest->compared(n) && a->word[n] != b->word[n])
            return false;
    return same_exit(a, b) && !memcmp(a->data, b->data, KICK_DATA_BYTES);
}

/* The first way that differs, or NULL; what it gave is in f->got then. */
static const Way *try_program(Fuzz *f)
{
    forget_all(f);
    run(f, INTERP, NULL, 0, &f->want);
    for (size_t n = 0; n < G_N_ELEMENTS(ways); n++)
        for (unsigned k = 0; k < ways[n].rounds; k++) {
            if (f->gen.traps && ways[n].kicked)
                forget_all(f); /* who traps often is made anew so that it doesn't */
            run(f, ways[n].tier, &ways[n], f->seed * 64 + n * 8 + k, &f->got);
            if (!same(f))
                return &ways[n];
        }
    return NULL;
}

/* -- reporting --------------------------------------------------------------------------------- */
/* Makes no-ops of items, many at a time at first, as long as a difference stays. */
static void cut(Fuzz *f)
{
    static uint8_t saved[KICK_CODE_BYTES];
    const KickGen *g = &f->gen;
    for (unsigned step = g->n_items / 2 + 1; step > 0; step = step == 1 ? 0 : (step + 1) / 2)
        for (unsigned from = 0; from < g->n_items; from += step) {
            memcpy(saved, f->code, KICK_CODE_BYTES);
            for (unsigned n = from; n < from + step && n < g->n_items; n++)
                f->guest->nop(f->code + g->item[n].start, g->item[n].end - g->item[n].start);
            if (memcmp(saved, f->code, KICK_CODE_BYTES) != 0 && !try_program(f))
                memcpy(f->code, saved, KICK_CODE_BYTES);
        }
}

static void show_program(const Fuzz *f)
{
    g_autoptr(GString) text = g_string_new(NULL);
    disas_append(text, f->isa->capstone, false, f->code, f->gen.n, KICK_CODE);
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
    for (char **line = lines; *line; line++)
        if (!strstr(*line, " nop"))
            printf("    %s\n", *line);
}

static void show_difference(const Fuzz *f, const Way *way)
{
    const Outcome *want = &f->want, *got = &f->got;
    printf("%s: %s differs from the judge:\n", f->guest->name, way->name);
    if (!same_exit(want, got))
        printf("  exit %d addr %#" PRIx64 ", not %d %#" PRIx64 "\n", got->exit, got->info.addr,
               want->exit, want->info.addr);
    for (unsigned n = 0; n < f->guest->n_words; n++)
        if (f->guest->compared(n) && got->word[n] != want->word[n])
            printf("  %-6s %#" PRIx64 ", not %#" PRIx64 " (at first %#" PRIx64 ")\n",
                   f->guest->word_name(n), got->word[n], want->word[n], f->in[n]);
    unsigned shown = 0;
    for (unsigned n = 0; n < KICK_DATA_BYTES && shown < 16; n++)
        if (want->data[n] != got->data[n]) {
            printf("  data[%#x] %02x, not %02x\n", n, got->data[n], want->data[n]);
            shown++;
        }
}

static void report(Fuzz *f, unsigned log)
{
    cut(f);
    log_mask = log;
    fflush(stdout);
    const Way *way = try_program(f);
    log_mask = 0;
    if (way)
        show_difference(f, way);
    else
        printf("(not after cutting)\n");
    show_program(f);
    printf("kick-fuzz --guest %s --seed %" PRIu64 " --count 1\n", f->guest->name, f->seed);
    fflush(stdout);
}

/* -- set-up ------------------------------------------------------------------------------------ */
static bool open_tiers(Fuzz *f)
{
    static const Tier tiers[N_TIERS] = {
        [INTERP] = {"interpreter", "interp", true, TIER_BASELINE, 0, NULL, NULL},
        [BASELINE] = {"baseline", "x86_64", false, TIER_BASELINE, 0, NULL, NULL},
        [OPTIMIZE] = {"optimize", "x86_64", false, TIER_OPTIMIZE, 0, NULL, NULL},
        [MIXED] = {"mixed", "x86_64", false, TIER_AUTO, 2, NULL, NULL},
    };
    for (unsigned n = 0; n < N_TIERS; n++) {
        Tier *tier = &f->tier[n];
        *tier = tiers[n];
        if (!backend_find(tier->backend))
            return false;
        TranslatorConfig c = {.guest = f->guest->name, .backend = tier->backend,
                              .tier = tier->tier, .tier_threshold = tier->threshold,
                              .callbacks = &callbacks, .code_bytes = 8 << 20};
        GError *error = NULL;
        tier->t = translator_new(&c, &error);
        g_assert_no_error(error);
        tier->t->no_opt = tier->no_opt;
        tier->v = vcpu_new(tier->t, NULL);
    }
    return true;
}

static uint8_t *map_at(uint64_t addr, size_t bytes)
{
    void *p = mmap((void *)(uintptr_t)addr, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p == MAP_FAILED)
        g_error("kick-fuzz: no memory at %#" PRIx64, addr);
    return p;
}

static void fuzz_free(Fuzz *f)
{
    for (unsigned n = 0; n < N_TIERS; n++)
        if (f->tier[n].t) {
            vcpu_free(f->tier[n].v);
            translator_free(f->tier[n].t);
        }
    munmap(f->code, KICK_CODE_BYTES);
    munmap(f->data, KICK_DATA_BYTES);
    g_free(f);
}

typedef struct Options {
    char *guest;
    gint64 seed, count;
    int seconds, failures, log;
} Options;

/* False: hardly any kick came where it was to come. */
static bool show_statistics(const Fuzz *f, gint64 done, int differ)
{
    bool enough = true;
    printf("%s: %" PRId64 " programs (%u end), %d differ\n", f->guest->name, done, f->ended,
           differ);
    for (unsigned n = BASELINE; n < N_TIERS; n++) {
        TranslatorStats s;
        translator_stats(f->tier[n].t, &s);
        printf("  %s: %u of %u runs kicked in loops, %" PRIu64 " regions\n", f->tier[n].name,
               f->runs_kicked[n], f->runs[n], s.regions);
        enough &= f->runs_kicked[n] >= f->runs[n] / 2;
    }
    printf("  %" PRIu64 " kicks, %" PRIu64 " in loops; %" PRIu64 " moves to another tier\n",
           f->kicks, f->kicks_in_loops, f->moves);
    if (done < 20 || enough)
        return true;
    printf("  too few are kicked\n");
    return false;
}

/* 0: all is well; 1: something differs; 77: this host can't. */
static int fuzz_guest(const KickGuest *guest, const Options *o)
{
    Fuzz *f = g_new0(Fuzz, 1);
    f->guest = guest;
    f->isa = guest_find(guest->name);
    f->code = map_at(KICK_CODE, KICK_CODE_BYTES);
    f->data = map_at(KICK_DATA, KICK_DATA_BYTES);
    if (!open_tiers(f)) {
        printf("%s: no code generator for this host\n", guest->name);
        fuzz_free(f);
        return 77;
    }
    printf("%s, seed %" PRId64 "\n", guest->name, o->seed);
    now.guest = guest->name;
    gint64 end = g_get_monotonic_time() + o->seconds * G_USEC_PER_SEC, done = 0;
    int differ = 0;
    for (; done < o->count && g_get_monotonic_time() < end && differ < o->failures; done++) {
        now.seed = f->seed = (uint64_t)(o->seed + done);
        alarm(PATIENCE_SECONDS);
        f->counts = true;
        kick_generate(&f->gen, guest, f->seed, f->code, f->initial);
        guest->randomise(&f->gen.random, f->in);
        const Way *way = try_program(f);
        f->ended += f->want.exit == VCPU_EXIT_BREAK;
        f->counts = false;
        if (way) {
            alarm(10 * PATIENCE_SECONDS);
            report(f, (unsigned)o->log);
            differ++;
        }
    }
    alarm(0);
    bool enough = show_statistics(f, done, differ);
    fuzz_free(f);
    return differ || !enough;
}

int main(int argc, char **argv)
{
    static const KickGuest *const guests[] = {&kick_aarch64, &kick_riscv64};
    Options o = {.seed = 1, .count = G_MAXINT64 / 2, .seconds = 15, .failures = 1};
    const GOptionEntry entries[] = {
        {"guest", 0, 0, G_OPTION_ARG_STRING, &o.guest, "Only this guest", "NAME"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &o.seed, "First program's seed", "N"},
        {"count", 0, 0, G_OPTION_ARG_INT64, &o.count, "Programs", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_INT, &o.seconds, "For each guest", "N"},
        {"failures", 0, 0, G_OPTION_ARG_INT, &o.failures, "Stop after so many", "N"},
        {"log", 0, 0, G_OPTION_ARG_INT, &o.log, "Log classes of a cut program's run", "MASK"},
        {0},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "kick-fuzz: %s\n", error ? error->message : "takes options only");
        return 2;
    }
    install_handlers();
    int status = o.guest ? 2 : 0;
    for (size_t i = 0; i < G_N_ELEMENTS(guests); i++)
        if (!o.guest || g_str_equal(guests[i]->name, o.guest)) {
            int one = fuzz_guest(guests[i], &o);
            status = status == 1 ? 1 : one;
        }
    g_free(o.guest);
    return status;
}
