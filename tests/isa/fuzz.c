/*
 * The engine of the instruction fuzzer; see fuzz.h.
 *
 * usage: fuzz-test [GUEST] [--seed N] [--count N] [--length N] [--rows REGEX] [--no-unicorn]
 *                  [--backend NAME]… [--keep-going] [--list]
 *
 * A fragment is up to --length instructions of random rows, then a breakpoint. It runs from the
 * same random state and memory on every backend (default: all of this host) and on Unicorn;
 * registers, memory and the place where it stopped must agree. An undefined instruction stops all
 * of them at the same place. On a difference the fragment is cut down to one instruction if that
 * still differs.
 */
#include "config.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef HAVE_UNICORN
#include <unicorn/unicorn.h>
#endif

#include "tests/isa/fuzz.h"

typedef struct Fragment {
    uint32_t insn[64];
    uint8_t bytes[64];
    const DecodeRow *row[64];
    unsigned n;
} Fragment;

typedef struct State {
    uint64_t word[FUZZ_MAX_WORDS];
    uint8_t *data; /* [FUZZ_DATA_BYTES] */
    bool undefined, ran;
    VcpuExit exit;
} State;

enum { MAX_RUNNERS = 4 };
typedef struct Runner {
    const char *name;
    Translator *translator; /* NULL: Unicorn */
    Vcpu *vcpu;
    struct uc_struct *uc;
    State out;
} Runner;

typedef struct Fuzz {
    const FuzzGuest *guest;
    const DecodeRow *rows[4096];
    unsigned n_rows;
    Runner runner[MAX_RUNNERS];
    unsigned n_runners;
    uint8_t *code, *data, *initial;
    uint64_t in[FUZZ_MAX_WORDS];
    unsigned code_at; /* the next fragment's place: fresh code each time */
} Fuzz;

static uint64_t random_state[2];

static void seed_random(uint64_t seed)
{
    random_state[0] = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    random_state[1] = seed ^ UINT64_C(0xd1b54a32d192ed03);
    for (int i = 0; i < 8; i++)
        fuzz_random();
}

uint64_t fuzz_random(void) /* xorshift128+ */
{
    uint64_t a = random_state[0], b = random_state[1];
    random_state[0] = b;
    a ^= a << 23;
    random_state[1] = a ^ b ^ a >> 18 ^ b >> 5;
    return random_state[1] + b;
}

uint64_t fuzz_number(void)
{
    static const uint64_t corners[] = {
        0, 1, 2, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN, INT32_MAX, (uint32_t)INT32_MIN,
        UINT32_MAX, (uint64_t)INT32_MIN, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 1ull << 32,
        63, 64, 31, 32,
    };
    switch (fuzz_below(6)) {
    case 0: case 1:
        return corners[fuzz_below(G_N_ELEMENTS(corners))];
    case 2:
        return fuzz_below(256) - 128;
    case 3:
        return fuzz_random() >> fuzz_below(64);
    default:
        return fuzz_random();
    }
}

static uint32_t float32(void)
{
    static const uint32_t corners[] = {
        0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000,
        0x7fc12345, 0x7f812345, 0xff800001, 1, 0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff,
        0x4f000000, 0x5f000000, 0x3effffff, 0x3f000000, 0x4b000001, 0x40490fdb,
    };
    switch (fuzz_below(4)) {
    case 0:
        return corners[fuzz_below(G_N_ELEMENTS(corners))];
    case 1: /* of moderate size */
        return (uint32_t)(fuzz_random() & 0x80ffffff) + ((uint32_t)(0x3a + fuzz_below(10)) << 24);
    default:
        return (uint32_t)fuzz_random();
    }
}

uint64_t fuzz_float(void)
{
    static const uint64_t corners[] = {
        0, 1ull << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000,
        0xfff0000000000000,
        0x7ff8000000000000, 0xfff8000000000000, 0x7ff8000000012345, 0x7ff0000000000001,
        0xfff4000000000000, 1, 0x8000000000000001, 0x000fffffffffffff, 0x0010000000000000,
        0x7fefffffffffffff, 0x43e0000000000000, 0x41dfffffffc00000, 0x3fe0000000000000,
        0x4330000000000001, 0x36a0000000000000, 0x47efffffe0000000,
    };
    switch (fuzz_below(8)) {
    case 0:
        return corners[fuzz_below(G_N_ELEMENTS(corners))];
    case 1: case 2:
        return (fuzz_random() & 0x800fffffffffffff) | (0x3c0 + fuzz_below(0x80)) << 52;
    case 3:
        return fuzz_random();
    default:
        return float32() | (uint64_t)float32() << 32;
    }
}

bool fuzz_field(const DecodeRow *row, const char *name, unsigned *ret_lsb, unsigned *ret_len)
{
    size_t n = strlen(name);
    for (const char *at = row->fields; at && *at; at = strchr(at, ';'), at += at ? 2 : 0)
        if (!strncmp(at, name, n) && at[n] == '=')
            return sscanf(at + n + 1, "%u:s%u", ret_lsb, ret_len) == 2
                   || sscanf(at + n + 1, "%u:%u", ret_lsb, ret_len) == 2;
    return false;
}

uint32_t fuzz_set_field(const DecodeRow *row, uint32_t insn, const char *name, uint32_t value)
{
    unsigned lsb, len;
    if (!fuzz_field(row, name, &lsb, &len))
        return insn;
    uint32_t mask = (uint32_t)((UINT64_C(1) << len) - 1) << lsb;
    return (insn & ~mask) | (value << lsb & mask);
}

/* -- running ----------------------------------------------------------------------------------- */
static size_t fetch(void *opaque, GuestAddr pc, size_t want, const uint8_t **ret_host)
{
    if (pc < FUZZ_CODE || pc >= FUZZ_CODE + FUZZ_CODE_BYTES)
        return 0;
    *ret_host = (const uint8_t *)(uintptr_t)pc;
    return MIN(want, FUZZ_CODE + FUZZ_CODE_BYTES - pc);
}

static const TranslatorCallbacks callbacks = { .fetch = fetch };

static void run_translator(Fuzz *f, Runner *r)
{
    VcpuExitInfo info;
    memcpy(f->data, f->initial, FUZZ_DATA_BYTES);
    f->guest->set(r->vcpu, f->in);
    r->out.exit = vcpu_run(r->vcpu, &info);
    f->guest->get(r->vcpu, r->out.word);
    r->out.undefined = r->out.exit == VCPU_EXIT_UNDEF;
    memcpy(r->out.data, f->data, FUZZ_DATA_BYTES);
}

static void run_unicorn(Fuzz *f, Runner *r, uint64_t end)
{
#ifdef HAVE_UNICORN
    memcpy(f->data, f->initial, FUZZ_DATA_BYTES);
    f->guest->uc_set(r->uc, f->in);
    uc_err err = uc_emu_start(r->uc, f->in[f->guest->pc_word], end, 0, 100);
    f->guest->uc_get(r->uc, r->out.word);
    r->out.undefined = err != UC_ERR_OK;
    memcpy(r->out.data, f->data, FUZZ_DATA_BYTES);
#endif
}

static const char *difference(const Fuzz *f, const Runner *a, const Runner *b)
{
    static char text[160];
    const FuzzGuest *g = f->guest;
    for (unsigned i = 0; i < g->n_words; i++) {
        if (i && i == g->lazy_word && a->out.undefined)
            continue;
        uint64_t mask = (a->uc || b->uc) && g->uc_mask ? g->uc_mask(i) : UINT64_MAX;
        if ((a->out.word[i] ^ b->out.word[i]) & mask) {
            snprintf(text, sizeof(text), "%s: %#" PRIx64 " in %s, %#" PRIx64 " in %s",
                     g->word_name(i), a->out.word[i], a->name, b->out.word[i], b->name);
            return text;
        }
    }
    if (a->out.undefined != b->out.undefined)
        return b->out.undefined ? "undefined in the second only" : "undefined in the first only";
    for (unsigned i = 0; i < FUZZ_DATA_BYTES; i++)
        if (a->out.data[i] != b->out.data[i]) {
            snprintf(text, sizeof(text), "memory at data + %#x: %#x in %s, %#x in %s", i,
                     a->out.data[i], a->name, b->out.data[i], b->name);
            return text;
        }
    return NULL;
}

static bool unicorn_can(const Fuzz *f, const Fragment *frag)
{
    for (unsigned i = 0; i < frag->n; i++)
        if (!f->guest->uc_knows(frag->row[i], frag->insn[i]))
            return false;
    return true;
}

/* Places the fragment, runs it everywhere; NULL: all agree. */
static const char *run_fragment(Fuzz *f, const Fragment *frag)
{
    unsigned bytes = 0;
    if (f->code_at + 64 * 4 + 32 > FUZZ_CODE_BYTES) {
        f->code_at = 0;
        for (unsigned i = 0; i < f->n_runners; i++) {
            if (f->runner[i].translator)
                translator_invalidate(f->runner[i].translator, FUZZ_CODE, FUZZ_CODE_BYTES);
#ifdef HAVE_UNICORN
            else
                uc_ctl_remove_cache(f->runner[i].uc, FUZZ_CODE, FUZZ_CODE + FUZZ_CODE_BYTES);
#endif
        }
    }
    uint8_t *at = f->code + f->code_at;
    if (f->guest->first) {
        memcpy(at, &f->guest->first, 4);
        bytes = 4;
    }
    for (unsigned i = 0; i < frag->n; i++) {
        memcpy(at + bytes, &frag->insn[i], frag->bytes[i]);
        bytes += frag->bytes[i];
    }
    memset(at + bytes, 0, 16); /* where a branch beyond the stop leads */
    memcpy(at + bytes, &f->guest->stop, f->guest->stop_bytes);
    f->in[f->guest->pc_word] = FUZZ_CODE + f->code_at;
    f->code_at += (bytes + 15) & ~15u;
    f->code_at += 16;
    const Runner *reference = NULL;
    for (unsigned i = 0; i < f->n_runners; i++)
        f->runner[i].out.ran = false;
    for (unsigned i = 0; i < f->n_runners; i++) {
        Runner *r = &f->runner[i];
        if (r->uc) {
            if (!unicorn_can(f, frag))
                continue;
            run_unicorn(f, r, f->in[f->guest->pc_word] + bytes);
        } else {
            run_translator(f, r);
            if (r->out.exit != VCPU_EXIT_BREAK && r->out.exit != VCPU_EXIT_UNDEF) {
                static char text[80];
                snprintf(text, sizeof(text), "%s stopped with exit %d", r->name, r->out.exit);
                return text;
            }
        }
        r->out.ran = true;
        const char *what = reference ? difference(f, reference, r) : NULL;
        if (what)
            return what;
        reference = reference ? reference : r;
    }
    return NULL;
}

/* -- making and reporting ---------------------------------------------------------------------- */
static void make_fragment(Fuzz *f, Fragment *frag, unsigned length)
{
    frag->n = 0;
    for (unsigned tries = 0; frag->n < length && tries < 64 * 16; tries++) {
        const DecodeRow *row = f->rows[fuzz_below(f->n_rows)];
        uint32_t insn = (uint32_t)((fuzz_random() & ~row->mask) | row->value);
        unsigned bytes = 4;
        if (!f->guest->adapt(row, &insn, &bytes))
            continue;
        frag->insn[frag->n] = insn;
        frag->bytes[frag->n] = (uint8_t)bytes;
        frag->row[frag->n++] = row;
    }
    f->guest->randomise(f->in);
    for (unsigned i = 0; i < FUZZ_DATA_BYTES; i += 8) {
        uint64_t value = fuzz_below(2) ? fuzz_float() : fuzz_number();
        memcpy(f->initial + i, &value, 8);
    }
}

/* Does a register field of the fragment have the number in the word's name ("x12", "v3.hi")? */
static bool mentions(const Fuzz *f, const Fragment *frag, unsigned word)
{
    static const char *const fields[] = {"rd",  "rn", "rm",  "ra",  "rt",
                                         "rt2", "rs", "rs1", "rs2", "rs3"};
    unsigned number, lsb, len;
    if (sscanf(f->guest->word_name(word), "%*1[xvf]%u", &number) != 1)
        return false;
    for (unsigned i = 0; i < frag->n; i++)
        for (size_t k = 0; k < G_N_ELEMENTS(fields); k++)
            if (fuzz_field(frag->row[i], fields[k], &lsb, &len)
                && (frag->insn[i] >> lsb & ((1u << len) - 1)) == number)
                return true;
    return false;
}

/* Leaves out what isn't needed for a difference. */
static Fragment cut(Fuzz *f, const Fragment *whole)
{
    Fragment frag = *whole;
    for (unsigned i = frag.n; i-- > 0 && frag.n > 1;) {
        Fragment less = frag;
        memmove(&less.insn[i], &less.insn[i + 1], (less.n - i - 1) * sizeof(less.insn[0]));
        memmove(&less.bytes[i], &less.bytes[i + 1], less.n - i - 1);
        memmove(&less.row[i], &less.row[i + 1], (less.n - i - 1) * sizeof(less.row[0]));
        less.n--;
        if (run_fragment(f, &less))
            frag = less;
    }
    return frag;
}

/* Does what is left of a fragment differ by a stated gap only? Runners behind the first are
 * compared with it. */
static bool is_gap(Fuzz *f, const Fragment *frag)
{
    const State *right = &f->runner[0].out;
    bool found = false;
    if (!f->guest->gap || f->runner[0].uc || !run_fragment(f, frag))
        return false;
    for (unsigned i = 1; i < f->n_runners && !f->runner[i].uc; i++) { /* Unicorn is the last */
        Runner *r = &f->runner[i];
        run_translator(f, r);
        if (!difference(f, &f->runner[0], r))
            continue;
        if (r->out.exit != right->exit || memcmp(r->out.data, right->data, FUZZ_DATA_BYTES) ||
            !f->guest->gap(right->word, r->out.word))
            return false;
        found = true;
    }
    return found;
}

static void report(Fuzz *f, Fragment frag, const char *what)
{
    printf("%s\n", what);
    what = run_fragment(f, &frag);
    printf("  %s\n", what ? what : "(not after cutting)");
    for (unsigned i = 0; i < frag.n; i++)
        printf("    %0*" PRIx32 "  %s\n", frag.bytes[i] * 2, frag.insn[i], frag.row[i]->name);
    for (unsigned i = 0; i < f->guest->n_words; i++) {
        bool changed = false;
        for (unsigned r = 0; r < f->n_runners; r++)
            changed |= f->runner[r].out.ran && f->runner[r].out.word[i] != f->in[i];
        if (!changed && !mentions(f, &frag, i))
            continue;
        printf("    %-6s %#18" PRIx64 " ->", f->guest->word_name(i), f->in[i]);
        for (unsigned r = 0; changed && r < f->n_runners; r++)
            if (f->runner[r].out.ran)
                printf(" %#" PRIx64, f->runner[r].out.word[i]);
        printf("\n");
    }
    fflush(stdout);
}

/* -- set-up ------------------------------------------------------------------------------------ */
/* "optimize" is the host's backend with every fragment a region. */
static bool add_backend(Fuzz *f, const char *name)
{
    g_autoptr(GError) error = NULL;
    bool optimize = !strcmp(name, "optimize");
    TranslatorConfig config = { .guest = f->guest->name, .backend = optimize ? NULL : name,
                                .tier = optimize ? TIER_OPTIMIZE : TIER_BASELINE,
                                .callbacks = &callbacks };
    Translator *t = translator_new(&config, &error);
    if (!t) {
        fprintf(stderr, "fuzz-test: %s\n", error->message);
        return false;
    }
    f->runner[f->n_runners++] = (Runner){ .name = name, .translator = t, .vcpu = vcpu_new(t, NULL),
                                          .out.data = g_malloc(FUZZ_DATA_BYTES) };
    return true;
}

#ifdef HAVE_UNICORN
static uc_engine *open_unicorn(Fuzz *f)
{
    uc_engine *uc = f->guest->uc_new();
    if (uc_mem_map_ptr(uc, FUZZ_CODE, FUZZ_CODE_BYTES, UC_PROT_ALL, f->code) != UC_ERR_OK
        || uc_mem_map_ptr(uc, FUZZ_DATA, FUZZ_DATA_BYTES, UC_PROT_READ | UC_PROT_WRITE, f->data)
           != UC_ERR_OK)
        g_error("fuzz-test: Unicorn can't map memory");
    return uc;
}
#endif

static void add_unicorn(Fuzz *f)
{
#ifdef HAVE_UNICORN
    if (f->guest->uc_new)
        f->runner[f->n_runners++] = (Runner){ .name = "unicorn", .uc = open_unicorn(f),
                                              .out.data = g_malloc(FUZZ_DATA_BYTES) };
#endif
}

/* One that has run a few million fragments crashes (2.0.1: tb_set_jmp_target()). */
static void renew_unicorn(Fuzz *f)
{
#ifdef HAVE_UNICORN
    for (unsigned i = 0; i < f->n_runners; i++)
        if (f->runner[i].uc) {
            uc_close(f->runner[i].uc);
            f->runner[i].uc = open_unicorn(f);
        }
#endif
}

static uint8_t *map_at(uint64_t addr, size_t bytes, int prot)
{
    void *p = mmap((void *)(uintptr_t)addr, bytes, prot,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p == MAP_FAILED)
        g_error("fuzz-test: no memory at %#" PRIx64, addr);
    return p;
}

static void choose_rows(Fuzz *f, const char *pattern)
{
    g_autoptr(GRegex) regex = pattern ? g_regex_new(pattern, G_REGEX_ANCHORED, 0, NULL) : NULL;
    for (unsigned t = 0; f->guest->tables[t]; t++)
        for (unsigned i = 0; i < *f->guest->n_rows[t]; i++) {
            const DecodeRow *row = &f->guest->tables[t][i];
            uint32_t insn = (uint32_t)row->value;
            unsigned bytes;
            if (row->unimp || (regex && !g_regex_match(regex, row->name, 0, NULL)))
                continue;
            for (int n = 0; n < 64; n++) { /* some encoding of it must be acceptable */
                insn = (uint32_t)((fuzz_random() & ~row->mask) | row->value);
                if (f->guest->adapt(row, &insn, &bytes)) {
                    f->rows[f->n_rows++] = row;
                    break;
                }
            }
        }
}

/* Faults of translated code, which the backends use for their own ends too. */
static void crash_handler(int sig, siginfo_t *info, void *context)
{
    Vcpu *v = vcpu_current();
    if (v && vcpu_host_signal(v, sig, info, context))
        return;
    signal(sig, SIG_DFL);
    raise(sig);
}

static void install_handlers(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    struct sigaction sa = {.sa_sigaction = crash_handler,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    stack_t stack = { .ss_sp = g_malloc(1 << 16), .ss_size = 1 << 16 };
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaction(signals[i], &sa, NULL);
}

typedef struct Options {
    int seed, count, length;
    char *rows;
    gboolean no_unicorn, keep_going, list;
    char **backends;
} Options;

static bool add_runners(Fuzz *f, const Options *o)
{
    for (char **b = o->backends; b && *b; b++)
        if (!add_backend(f, *b))
            return false;
    if (!o->backends) {
        if (!add_backend(f, "interp"))
            return false;
#ifdef HOST_X86_64
        if (!add_backend(f, "x86_64") || !add_backend(f, "optimize"))
            fprintf(stderr, "fuzz-test: goes on without it\n");
#endif
    }
    if (!o->no_unicorn)
        add_unicorn(f);
    return true;
}

static void fuzz_free(Fuzz *f)
{
    for (unsigned i = 0; i < f->n_runners; i++) {
        vcpu_free(f->runner[i].vcpu);
        translator_free(f->runner[i].translator);
        g_free(f->runner[i].out.data);
#ifdef HAVE_UNICORN
        if (f->runner[i].uc)
            uc_close(f->runner[i].uc);
#endif
    }
    munmap(f->code, FUZZ_CODE_BYTES);
    munmap(f->data, FUZZ_DATA_BYTES);
    g_free(f->initial);
    g_free(f);
}

static int fuzz_guest(const FuzzGuest *guest, const Options *o)
{
    Fuzz *f = g_new0(Fuzz, 1);
    f->guest = guest;
    seed_random(1);
    choose_rows(f, o->rows);
    for (unsigned i = 0; o->list && i < f->n_rows; i++)
        printf("%s\n", f->rows[i]->name);
    f->code = map_at(FUZZ_CODE, FUZZ_CODE_BYTES, PROT_READ | PROT_WRITE);
    f->data = map_at(FUZZ_DATA, FUZZ_DATA_BYTES, PROT_READ | PROT_WRITE);
    f->initial = g_malloc(FUZZ_DATA_BYTES);
    bool able = f->n_rows && add_runners(f, o);
    unsigned failures = 0, gaps = 0;
    int count = able && !o->list ? o->count : 0;
    for (int n = 0; n < count && failures < (o->keep_going ? 50u : 1u); n++) {
        enum { RENEW = 500000 };
        Fragment frag;
        if (n % RENEW == RENEW - 1)
            renew_unicorn(f);
        seed_random((uint64_t)(o->seed + n));
        make_fragment(f, &frag, 1 + (unsigned)fuzz_below((unsigned)CLAMP(o->length, 1, 60)));
        const char *what = run_fragment(f, &frag);
        if (!what)
            continue;
        g_autofree char *text = g_strdup(what);
        Fragment less = cut(f, &frag);
        if (is_gap(f, &less)) {
            gaps++;
            continue;
        }
        failures++;
        printf("seed %d: ", o->seed + n);
        report(f, less, text);
    }
    if (!o->list)
        printf("%s: %u rows, %d fragments, %u runners, %u differences\n", guest->name, f->n_rows,
               count, f->n_runners, failures);
    if (gaps)
        printf("%u differ by a gap that is stated\n", gaps);
    fuzz_free(f);
    return able ? failures > 0 : 2;
}

static const FuzzGuest *const guests[] = { &fuzz_aarch64 };

int main(int argc, char **argv)
{
    Options options = { .seed = 1, .count = 20000, .length = 8 };
    const GOptionEntry entries[] = {
        { "seed", 0, 0, G_OPTION_ARG_INT, &options.seed, "First fragment's seed", "N" },
        { "count", 0, 0, G_OPTION_ARG_INT, &options.count, "Fragments", "N" },
        { "length", 0, 0, G_OPTION_ARG_INT, &options.length,
          "Instructions of a fragment at most", "N" },
        { "rows", 0, 0, G_OPTION_ARG_STRING, &options.rows,
          "Only rows whose name matches", "REGEX" },
        { "no-unicorn", 0, 0, G_OPTION_ARG_NONE, &options.no_unicorn,
          "Compare backends only", NULL },
        { "backend", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.backends,
          "Only this backend", "NAME" },
        { "keep-going", 0, 0, G_OPTION_ARG_NONE, &options.keep_going,
          "Report 50 differences", NULL },
        { "list", 0, 0, G_OPTION_ARG_NONE, &options.list, "List the rows", NULL },
        { 0 },
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("[GUEST]");
    g_option_context_add_main_entries(context, entries, NULL);
    install_handlers();
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 2) {
        fprintf(stderr, "fuzz-test: %s\n", error ? error->message : "one guest at most");
        return 2;
    }
    int status = argc > 1 ? 2 : 0;
    for (size_t i = 0; i < G_N_ELEMENTS(guests); i++)
        if (argc == 1 || g_str_equal(guests[i]->name, argv[1]))
            status = fuzz_guest(guests[i], &options);
    return status;
}
