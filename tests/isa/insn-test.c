/*
 * Generated fragments of guest code, the same state in, the whole state out: every backend against
 * the oracle (oracle.c under another emulator, or on the processor itself), and against each other
 * when there is none.
 *
 * usage: insn-test GUEST [-n FRAGMENTS] [-s SEED] [-r REGEX-OF-ROWS] [-l MAX-LENGTH] [-b BACKEND]
 *                  [-c CPU] [-p ORACLE-PROGRAM] [-o ORACLE-COMMAND] [-k FRAGMENT]
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/isa/profile.h"

typedef struct Options {
    const char *guest, *regex, *backend, *cpu, *program, *oracle;
    int n, seed, max_length, only;
} Options;

typedef struct Fragment {
    const DecodeRow *row[16];
    uint32_t insn[16];
    uint8_t at[17];
    unsigned n;
} Fragment;

typedef struct Test {
    Options options;
    const IsaProfile *profile;
    Fragment *fragment;
    IsaRecord *record;
    const char *broken; /* instruction in which the oracle is wrong */
    uint64_t failed;
} Test;

/* -- generating -------------------------------------------------------------------------------- */

typedef struct Candidate { const DecodeRow *row; unsigned width; } Candidate;

static GArray *find_rows(const Test *t)
{
    GArray *rows = g_array_new(false, false, sizeof(Candidate));
    g_autoptr(GRegex) regex =
        g_regex_new(t->options.regex ? t->options.regex : "", G_REGEX_ANCHORED, 0, NULL);
    for (const TestTable *table = test_tables; table->isa; table++) {
        if (!g_str_equal(table->isa->name, t->profile->guest))
            continue;
        for (unsigned i = 0; i < *table->n_rows; i++)
            if (!t->options.regex || g_regex_match(regex, table->rows[i].name, 0, NULL) ||
                g_regex_match(regex, table->rows[i].assembler, 0, NULL))
                g_array_append_val(rows, ((Candidate){ &table->rows[i], table->width }));
    }
    return rows;
}

/* Jumps go to the start of a later instruction, or to the end. */
static void aim_jumps(const Test *t, GRand *rand, Fragment *f)
{
    for (unsigned i = 0; i < f->n; i++) {
        if (!t->profile->is_jump(f->row[i]))
            continue;
        uint64_t insn = f->insn[i];
        unsigned target = (unsigned)g_rand_int_range(rand, (int)i + 1, (int)f->n + 1);
        isa_set_field(f->row[i], "imm", f->at[target] - f->at[i], &insn);
        f->insn[i] = (uint32_t)insn;
    }
}

static void generate(const Test *t, GRand *rand, const GArray *rows, unsigned number)
{
    Fragment *f = &t->fragment[number];
    IsaRecord *record = &t->record[number];
    unsigned wanted = (unsigned)g_rand_int_range(rand, 1, t->options.max_length + 1);
    unsigned width[16], at = 0;
    for (int tries = 0; f->n < wanted && tries < 1000; tries++) {
        const Candidate *c =
            &g_array_index(rows, Candidate, g_rand_int_range(rand, 0, (int)rows->len));
        if (!t->profile->encode(rand, c->row, c->width, &f->insn[f->n]))
            continue;
        f->row[f->n] = c->row;
        width[f->n] = c->width / 8;
        f->at[f->n++] = (uint8_t)at;
        at += c->width / 8;
    }
    f->at[f->n] = (uint8_t)at;
    aim_jumps(t, rand, f);
    for (unsigned i = 0; i < ISA_CODE_BYTES; i += t->profile->trap_bytes)
        memcpy(record->code + i, &t->profile->trap_insn, t->profile->trap_bytes);
    for (unsigned i = 0; i < f->n; i++)
        memcpy(record->code + f->at[i], &f->insn[i], width[i]);
    t->profile->random_state(rand, &record->state);
    record->state.pc = ISA_CODE_ADDR + (uint64_t)number * ISA_CODE_BYTES;
    record->state.n_code = (uint32_t)t->options.n;
}

/* -- running ----------------------------------------------------------------------------------- */

static size_t fetch(void *opaque, GuestAddr pc, size_t want, const uint8_t **ret_host)
{
    const Test *t = opaque;
    uint64_t end = ISA_CODE_ADDR + (uint64_t)t->options.n * ISA_CODE_BYTES;
    if (pc < ISA_CODE_ADDR || pc >= end)
        return 0;
    *ret_host = (const uint8_t *)pc;
    return MIN(want, end - pc);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    Vcpu *v = vcpu_current();
    if (v && vcpu_host_signal(v, sig, info, context))
        return;
    static const char message[] = "insn-test: signal outside of translated code\n";
    if (write(2, message, sizeof message - 1) < 0)
        _exit(4);
    signal(sig, SIG_DFL);
}

static void catch_signals(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    stack_t stack = { .ss_sp = g_malloc(128 * 1024), .ss_size = 128 * 1024 };
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaction(signals[i], &action, NULL);
}

static uint32_t stop_signal(Vcpu *v)
{
    for (;;) {
        VcpuExitInfo info;
        switch (vcpu_run(v, &info)) {
        case VCPU_EXIT_BREAK:
            return SIGTRAP;
        case VCPU_EXIT_UNDEF:
            return SIGILL;
        case VCPU_EXIT_FAULT:
            return (uint32_t)info.host_signal;
        case VCPU_EXIT_ALIGN:
        case VCPU_EXIT_PCALIGN:
            return SIGBUS;
        case VCPU_EXIT_FETCH:
            return SIGSEGV;
        case VCPU_EXIT_KICK:
        case VCPU_EXIT_STEP:
            continue;
        default:
            return 0;
        }
    }
}

/* "optimize" is the host's backend with every fragment a region. */
static IsaState *run_backend(const Test *t, const char *backend)
{
    bool optimize = g_str_equal(backend, "optimize");
    static const TranslatorCallbacks callbacks = { .fetch = fetch };
    TranslatorConfig config = {
        .guest = t->profile->guest, .cpu = t->options.cpu, .verify = true,
        .backend = optimize ? NULL : backend, .tier = optimize ? TIER_OPTIMIZE : TIER_BASELINE,
        .callbacks = &callbacks, .opaque = (void *)t,
    };
    g_autoptr(GError) error = NULL;
    Translator *translator = translator_new(&config, &error);
    if (!translator) {
        fprintf(stderr, "%s: %s\n", backend, error->message);
        return NULL;
    }
    Vcpu *v = vcpu_new(translator, NULL);
    IsaState *result = g_new(IsaState, t->options.n);
    for (int i = 0; i < t->options.n; i++) {
        result[i] = t->record[i].state;
        if (t->options.only >= 0 && i != t->options.only)
            continue;
        memcpy((void *)ISA_DATA_ADDR, t->record[i].state.mem, ISA_MEM_BYTES);
        t->profile->load(v, &t->record[i].state);
        result[i].stop = stop_signal(v);
        t->profile->store(v, &result[i]);
        memcpy(result[i].mem, (void *)ISA_DATA_ADDR, ISA_MEM_BYTES);
    }
    vcpu_free(v);
    translator_free(translator);
    return result;
}

/* The states after each fragment as the oracle has them; NULL when the command can't be run. */
static IsaState *run_oracle(const Test *t, const char *command)
{
    g_autofree char *in = g_strdup_printf("insn-test-%d.in", (int)getpid());
    g_autofree char *out = g_strdup_printf("insn-test-%d.out", (int)getpid());
    g_autofree char *line = g_strdup_printf("%s %s < %s > %s 2>/dev/null", command,
                                            t->options.program, in, out);
    g_autofree char *contents = NULL;
    size_t length = 0, bytes = (size_t)t->options.n * sizeof(IsaState);
    if (!g_file_set_contents(in, (const char *)t->record,
                             (gssize)(sizeof(IsaRecord) * (size_t)t->options.n), NULL))
        return NULL;
    int status = system(line);
    if (g_file_get_contents(out, &contents, &length, NULL) && length != bytes && length)
        fprintf(stderr, "%s: stopped after %zu of %d fragments\n", command,
                length / sizeof(IsaState), t->options.n);
    unlink(in);
    unlink(out);
    return status == 0 && length == bytes ? (IsaState *)g_steal_pointer(&contents) : NULL;
}

/* -- comparing --------------------------------------------------------------------------------- */

static void print_difference(const IsaState *before, const IsaState *a, const IsaState *b)
{
    const uint64_t *words[] = {(const uint64_t *)before, (const uint64_t *)a, (const uint64_t *)b};
    for (size_t i = 0; i < sizeof(IsaState) / 8; i++) {
        if (words[1][i] == words[2][i])
            continue;
        size_t at = i * 8;
        if (at < offsetof(IsaState, v))
            printf("    x%zu", i);
        else if (at < offsetof(IsaState, sp))
            printf("    v%zu.%zu", (at - offsetof(IsaState, v)) / 16, i & 1);
        else if (at < offsetof(IsaState, mem))
            printf("    %s", ((const char *[]){ "sp", "pc", "flags", "fp_control", "fp_status",
                                               "stop" })[(at - offsetof(IsaState, sp)) / 8]);
        else
            printf("    mem+%zu", at - offsetof(IsaState, mem));
        printf(": %016" PRIx64 " expected %016" PRIx64 " (before %016" PRIx64 ")\n", words[1][i],
               words[2][i], words[0][i]);
    }
}

static void print_fragment(const Test *t, int number, const IsaState *state)
{
    const Fragment *f = &t->fragment[number];
    for (unsigned i = 0; i < f->n; i++) {
        printf("    %08x %-10s %s ", f->insn[i], f->row[i]->name, f->row[i]->assembler);
        static const char *const names[] = { "rd", "rs1", "rs2", "rs3", "rm", "imm", "fmt",
                                             "rn", "rm", "ra", "rt" };
        for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
            int64_t value;
            if (isa_get_field(f->row[i], names[n], f->insn[i], &value))
                printf(" %s=%" PRIi64, names[n], value);
        }
        printf("\n");
    }
    for (int r = 0; r < 32; r++)
        printf("    x%-2d %016" PRIx64 "  v%-2d %016" PRIx64 " %016" PRIx64 "\n", r, state->x[r], r,
               state->v[r][1], state->v[r][0]);
}

static bool is_broken(const Test *t, int number)
{
    const Fragment *f = &t->fragment[number];
    for (unsigned i = 0; t->broken && i < f->n; i++)
        if (g_str_has_prefix(f->row[i]->assembler, t->broken))
            return true;
    return false;
}

static void compare(Test *t, const char *name, const IsaState *got, const IsaState *expected)
{
    uint64_t n_failed = 0;
    for (int i = 0; i < t->options.n; i++) {
        if (t->options.only >= 0 && i != t->options.only)
            continue;
        if (memcmp(&got[i], &expected[i], sizeof(IsaState)) == 0 || is_broken(t, i))
            continue;
        if (n_failed++ < 8 || t->options.only >= 0) {
            printf("fragment %d, %s:\n", i, name);
            if (t->options.only >= 0) {
                print_fragment(t, i, &t->record[i].state);
            } else {
                for (unsigned k = 0; k < t->fragment[i].n; k++)
                    printf("    %08x %s %s\n", t->fragment[i].insn[k], t->fragment[i].row[k]->name,
                           t->fragment[i].row[k]->assembler);
            }
            print_difference(&t->record[i].state, &got[i], &expected[i]);
        }
    }
    printf("%s: %d fragments, %" PRIu64 " differ\n", name, t->options.n, n_failed);
    t->failed += n_failed;
}

/* Also settles the cpu model, unless it was given. */
static IsaState *find_oracle(Test *t, const char **ret_name)
{
    if (!t->options.program)
        return NULL;
    if (t->options.oracle) {
        *ret_name = t->options.oracle;
        return run_oracle(t, t->options.oracle);
    }
    for (const IsaOracle *o = t->profile->oracles; o->command; o++) {
        IsaState *states = run_oracle(t, o->command);
        *ret_name = o->command;
        if (!states)
            continue;
        if (!t->options.cpu)
            t->options.cpu = o->cpu;
        t->broken = o->broken;
        return states;
    }
    return NULL;
}

static bool map_areas(const Test *t)
{
    size_t bytes = (size_t)t->options.n * ISA_CODE_BYTES;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    if (mmap((void *)ISA_CODE_ADDR, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED ||
        mmap((void *)ISA_DATA_ADDR, 4096, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) {
        fprintf(stderr, "mapping of code and data: %s\n", g_strerror(errno));
        return false;
    }
    for (int i = 0; i < t->options.n; i++)
        memcpy((uint8_t *)ISA_CODE_ADDR + i * ISA_CODE_BYTES, t->record[i].code, ISA_CODE_BYTES);
    return true;
}

static bool run_all(Test *t)
{
    const char *name = NULL;
    IsaState *expected = find_oracle(t, &name);
    if (expected)
        printf("%s: oracle is %s\n", t->profile->guest, name);
    const char *const backends[] = { "interp", "x86_64", "optimize", NULL };
    for (const char *const *b = backends; *b; b++) {
        if (t->options.backend && !g_str_equal(t->options.backend, *b))
            continue;
        IsaState *got = run_backend(t, *b);
        if (!got && (t->options.backend || b == backends))
            return false;
        if (!got) /* a host without a code generator has said so */
            continue;
        if (expected)
            compare(t, *b, got, expected);
        else
            expected = got;
        if (got != expected)
            g_free(got);
    }
    g_free(expected);
    return t->failed == 0;
}

static bool parse_options(int argc, char **argv, Options *o)
{
    int c;
    *o = (Options){ .n = 4000, .seed = 1, .max_length = 6, .only = -1 };
    while ((c = getopt(argc, argv, "n:s:r:l:b:c:p:o:k:")) != -1)
        switch (c) {
        case 'n': o->n = atoi(optarg); break;
        case 's': o->seed = atoi(optarg); break;
        case 'r': o->regex = optarg; break;
        case 'l': o->max_length = CLAMP(atoi(optarg), 1, 16); break;
        case 'b': o->backend = optarg; break;
        case 'c': o->cpu = optarg; break;
        case 'p': o->program = optarg; break;
        case 'o': o->oracle = optarg; break;
        case 'k': o->only = atoi(optarg); break;
        default: return false;
        }
    o->guest = argv[optind];
    return o->guest && o->n > 0;
}

int main(int argc, char **argv)
{
    static const IsaProfile *const profiles[] = { &isa_profile_riscv64 };
    Test t = { 0 };
    if (!parse_options(argc, argv, &t.options)) {
        fprintf(stderr, "usage: insn-test [options] GUEST\n");
        return 2;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++)
        if (g_str_equal(profiles[i]->guest, t.options.guest))
            t.profile = profiles[i];
    if (!t.profile) {
        fprintf(stderr, "%s: no such guest\n", t.options.guest);
        return 2;
    }
    t.fragment = g_new0(Fragment, t.options.n);
    t.record = g_new0(IsaRecord, t.options.n);
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)t.options.seed);
    g_autoptr(GArray) rows = find_rows(&t);
    if (!rows->len) {
        fprintf(stderr, "no rows\n");
        return 2;
    }
    for (int i = 0; i < t.options.n; i++)
        generate(&t, rand, rows, (unsigned)i);
    if (!map_areas(&t))
        return 1;
    catch_signals();
    bool ok = run_all(&t);
    g_free(t.fragment);
    g_free(t.record);
    return !ok;
}
