/*
 * The command line. Each option has the name that users of the field's usual tool know, and a long
 * GNU spelling; both take one dash or two, and a value may follow "=".
 */
#include "linux-user/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "linux-user/load/origin.h"

typedef enum OptionId {
    OPT_HELP, OPT_GDB, OPT_PREFIX, OPT_STACK, OPT_CPU, OPT_SET_ENV, OPT_UNSET_ENV, OPT_ARGV0,
    OPT_RELEASE, OPT_BASE, OPT_RESERVED, OPT_LOG, OPT_LOG_FILE, OPT_PAGE_SIZE, OPT_ONE_INSN,
    OPT_STRACE, OPT_SEED, OPT_VERSION, OPT_BACKEND, OPT_EXEC_FD, OPT_SECCOMP_FD,
    OPT_EXEC_NAME, OPT_MDWE, OPT_PLUGIN,
    OPT_TB_SIZE,
    OPT_HOST_CPU, OPT_TIER, OPT_TIER_THRESHOLD, OPT_STATS, OPT_NO_CACHE, OPT_WARM,
} OptionId;

typedef struct OptionRow {
    OptionId id;
    const char *name, *long_name; /* without dashes */
    const char *env;              /* behind CALQUE_ and QEMU_, or NULL */
    const char *value;            /* what it takes, or NULL */
    const char *help;             /* NULL: not listed */
} OptionRow;

static const OptionRow rows[] = {
    {OPT_HELP, "h", "help", NULL, NULL, "this list"},
    {OPT_PREFIX, "L", "prefix", "LD_PREFIX", "DIR",
     "the guest's libraries and files: look below DIR first"},
    {OPT_CPU, "cpu", "cpu", "CPU", "MODEL", "the processor that the guest sees; 'help' lists them"},
    {OPT_SET_ENV, "E", "set-env", "SET_ENV", "NAME=VALUE",
     "set a variable of the guest's environment"},
    {OPT_UNSET_ENV, "U", "unset-env", "UNSET_ENV", "NAME", "take one from it"},
    {OPT_ARGV0, "0", "argv0", "ARGV0", "NAME", "the program's argv[0]"},
    {OPT_RELEASE, "r", "uname-release", "UNAME", "RELEASE", "the kernel release that uname tells"},
    {OPT_STACK, "s", "stack-size", "STACK_SIZE", "BYTES",
     "size of the first stack (K, M and G may follow)"},
    {OPT_GDB, "g", "gdb", "GDB", "PORT", "wait for GDB at this TCP port or socket path"},
    {OPT_BASE, "B", "guest-base", "GUEST_BASE", "ADDRESS",
     "no effect: a 64-bit guest has its own addresses"},
    {OPT_RESERVED, "R", "reserved-va", "RESERVED_VA", "BYTES",
     "where the guest's addresses end: 512G for 39 bits"},
    {OPT_PAGE_SIZE, "p", "page-size", "PAGESIZE", "BYTES",
     "the guest's page: 4096, and for aarch64 16384 or 65536"},
    {OPT_LOG, "d", "log", "LOG", "CLASSES",
     "log: in_asm, op, opt, out_asm, unimp, signal …; 'help' lists them"},
    {OPT_LOG_FILE, "D", "log-file", "LOG_FILENAME", "FILE",
     "where the log goes; standard error otherwise"},
    {OPT_STRACE, "strace", "strace", "STRACE", NULL, "print system calls"},
    {OPT_ONE_INSN, "one-insn-per-tb", "one-insn", "ONE_INSN_PER_TB", NULL,
     "translate each instruction by itself"},
    {OPT_ONE_INSN, "singlestep", "singlestep", "SINGLESTEP", NULL, NULL},
    {OPT_SEED, "seed", "seed", "RAND_SEED", "NUMBER", "make addresses and AT_RANDOM repeat"},
    {OPT_BACKEND, "backend", "backend", "BACKEND", "NAME", "x86_64 or interp"},
    {OPT_HOST_CPU, "host-cpu", "host-cpu", "HOST_CPU", "NAME",
     "use no more of the host than x86-64-v2 or x86-64-v3 has"},
    {OPT_TIER, "tier", "tier", "TIER", "NAME",
     "auto: optimize hot code; baseline: none; optimize: all, at once"},
    {OPT_TIER_THRESHOLD, "tier-threshold", "tier-threshold", "TIER_THRESHOLD", "ENTRIES",
     "code is hot after so many entries"},
    {OPT_STATS, "stats", "stats", "STATS", NULL, "tell at the end what the translator did"},
    {OPT_NO_CACHE, "no-cache", "no-cache", "NO_CACHE", NULL,
     "neither use nor fill the translation store"},
    {OPT_WARM, "warm", "warm", NULL, NULL, NULL},
    {OPT_PLUGIN, "plugin", "plugin", "PLUGIN", "FILE", NULL},
    {OPT_TB_SIZE, "tb-size", "tb-size", "TB_SIZE", "UNITS", NULL},
    {OPT_SECCOMP_FD, "seccomp-fd", "seccomp-fd", NULL, "FD", NULL},
    {OPT_MDWE, "mdwe", "mdwe", NULL, NULL, NULL},
    {OPT_EXEC_FD, "exec-fd", "exec-fd", NULL, "FD", NULL},
    {OPT_EXEC_NAME, "exec-name", "exec-name", NULL, "PATH", NULL},
    {OPT_VERSION, "version", "version", NULL, NULL, "print the version"},
    {OPT_VERSION, "v", "v", NULL, NULL, NULL},
};

static bool option_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool option_error(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    GError *e = g_error_new_valist(g_quark_from_static_string("calque-options"), 0, format, args);
    va_end(args);
    g_propagate_error(error, e);
    return false;
}

/* With 1024's powers behind it. */
static bool parse_number(const char *text, uint64_t *ret)
{
    char *end;
    errno = 0;
    uint64_t n = strtoull(text, &end, 0);
    unsigned shift = 0;
    if (end == text || errno)
        return false;
    switch (*end) {
    case 'k': case 'K': shift = 10; end++; break;
    case 'm': case 'M': shift = 20; end++; break;
    case 'g': case 'G': shift = 30; end++; break;
    }
    if (*end || n > UINT64_MAX >> shift)
        return false;
    *ret = n << shift;
    return true;
}

static void add_env(Options *o, const char *text, size_t n)
{
    o->set_env = g_renew(char *, o->set_env, o->n_set_env + 1);
    o->set_env[o->n_set_env++] = g_strndup(text, n);
}

static bool set_prefix(Options *o, const char *value)
{
    size_t n = strlen(value);
    while (n && value[n - 1] == '/')
        n--;
    o->prefix = n ? g_strndup(value, n) : NULL; /* "/" is the same as none */
    return true;
}

/* Variables that the field's tool takes as a list: NAME=VALUE,NAME=VALUE. */
static void set_env_list(Options *o, const char *value)
{
    while (*value) {
        size_t n = strcspn(value, ",");
        if (n)
            add_env(o, value, n);
        value += n + (value[n] == ',');
    }
}

static bool set_tier(Options *o, const char *value, GError **error)
{
    static const char *const names[] = {
        [TIER_AUTO] = "auto", [TIER_BASELINE] = "baseline", [TIER_OPTIMIZE] = "optimize",
    };
    for (size_t n = 0; n < G_N_ELEMENTS(names); n++)
        if (!strcmp(value, names[n])) {
            o->tier = (TranslatorTier)n;
            o->tier_name = names[n];
            return true;
        }
    return option_error(error, "--tier: there is no tier '%s'; it is auto, baseline or optimize",
                        value);
}

static bool apply(Options *o, const OptionRow *row, const char *value, GError **error)
{
    uint64_t number = 0;
    switch (row->id) {
    case OPT_HELP: o->show_help = true; return true;
    case OPT_VERSION: o->show_version = true; return true;
    case OPT_PREFIX: return set_prefix(o, value);
    case OPT_CPU: o->cpu = value; return true;
    case OPT_ARGV0: o->argv0 = value; return true;
    case OPT_EXEC_NAME: o->exec_name = value; return true;
    case OPT_RELEASE: o->uname_release = value; return true;
    case OPT_GDB: o->gdb = value; return true;
    case OPT_LOG: o->log_classes = value; return true;
    case OPT_LOG_FILE: o->log_file = value; return true;
    case OPT_STRACE: o->strace = true; return true;
    case OPT_ONE_INSN: o->one_insn = true; return true;
    case OPT_BACKEND: o->backend = value; return true;
    case OPT_HOST_CPU: o->host_cpu = value; return true;
    case OPT_TIER: return set_tier(o, value, error);
    case OPT_TIER_THRESHOLD:
        if (!parse_number(value, &number) || number == 0 || number > UINT32_MAX)
            return option_error(error, "--tier-threshold wants a number, not '%s'", value);
        o->tier_threshold = value;
        o->tier_entries = (uint32_t)number;
        return true;
    case OPT_MDWE: o->mdwe = true; return true;
    case OPT_WARM: o->warm = true; return true;
    case OPT_NO_CACHE: o->no_cache = true; return true;
    case OPT_STATS: o->stats = true; return true;
    case OPT_SET_ENV:
        if (!strchr(value, '=') || value[0] == '=')
            return option_error(error, "-E wants NAME=VALUE, not '%s'", value);
        set_env_list(o, value);
        return true;
    case OPT_UNSET_ENV:
        if (strchr(value, '='))
            return option_error(error, "-U wants a name, not '%s'", value);
        set_env_list(o, value);
        return true;
    case OPT_PLUGIN:
        return option_error(error, "-plugin: there are no plugins yet");
    case OPT_STACK: case OPT_SEED: case OPT_EXEC_FD: case OPT_SECCOMP_FD:
    case OPT_BASE: case OPT_RESERVED:
    case OPT_PAGE_SIZE: case OPT_TB_SIZE:
        if (!parse_number(value, &number))
            return option_error(error, "-%s wants a number, not '%s'", row->name, value);
        break;
    }
    if (row->id == OPT_RESERVED) {
        /* Enough for the stack's reserve, and no more than every x86-64 host has. */
        if (number && (number % 4096 || number < UINT64_C(1) << 28 || number > UINT64_C(1) << 47))
            return option_error(error, "-R wants pages from 256M to 131072G, not '%s'", value);
        o->reserved_va = number;
        o->reserved_text = value;
    }
    if (row->id == OPT_PAGE_SIZE) {
        if (number != 4096 && number != 16384 && number != 65536)
            return option_error(error, "-p wants 4096, 16384 or 65536, not '%s'", value);
        o->page_bytes = number;
        o->page_text = value;
    }
    if (row->id == OPT_STACK)
        o->stack_bytes = number;
    if (row->id == OPT_SECCOMP_FD)
        o->seccomp_fd = (int)number;
    if (row->id == OPT_EXEC_FD)
        o->exec_fd = (int)number;
    if (row->id == OPT_SEED) {
        o->seed = number;
        o->has_seed = true;
    }
    return true;
}

/* The row of an argument "-name", "--name", "--name=value"; *ret_value: behind "=", or NULL. */
static const OptionRow *find_row(const char *arg, const char **ret_value)
{
    const char *name = arg + 1 + (arg[1] == '-');
    size_t n = strcspn(name, "=");
    *ret_value = name[n] ? name + n + 1 : NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if ((!strncmp(rows[i].name, name, n) && !rows[i].name[n]) ||
            (!strncmp(rows[i].long_name, name, n) && !rows[i].long_name[n]))
            return &rows[i];
    return NULL;
}

/* NULL: the text doesn't begin so. */
static const char *behind(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) ? NULL : text + n;
}

/* Of the environment, once: each program that starts comes by here. */
static bool parse_environment(Options *o, GError **error)
{
    const char *value[G_N_ELEMENTS(rows)][2] = {{NULL}}; /* ours and the usual tool's */
    for (char **e = environ; e && *e; e++) {
        const char *name = behind(*e, "CALQUE_"), *equals;
        bool usual = !name;
        if ((!name && !(name = behind(*e, "QEMU_"))) || !(equals = strchr(name, '=')))
            continue;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
            const char *rest = rows[i].env ? behind(name, rows[i].env) : NULL;
            if (rest == equals && !value[i][usual])
                value[i][usual] = equals + 1;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *v = value[i][0] ? value[i][0] : value[i][1];
        if (v && rows[i].id != OPT_PLUGIN && !apply(o, &rows[i], v, error))
            return false;
    }
    return true;
}

/* calque-aarch64, calque-riscv64-static … fix the guest. */
static const char *guest_by_name(const char *argv0)
{
    const char *base = strrchr(argv0, '/');
    base = base ? base + 1 : argv0;
    if (!g_str_has_prefix(base, "calque-"))
        return NULL;
    base += strlen("calque-");
    return g_str_has_suffix(base, "-static") ? g_strndup(base, strlen(base) - strlen("-static"))
                                             : base;
}

/* What exec.c passes on; it says nothing that the invoking user couldn't say by execve. */
static bool allowed_if_secure(const OptionRow *row)
{
    return row->id == OPT_ARGV0 || row->id == OPT_EXEC_FD || row->id == OPT_EXEC_NAME ||
           row->id == OPT_SECCOMP_FD || row->id == OPT_MDWE;
}

bool options_parse(Options *o, const LoadOrigin *origin, int argc, char **argv, GError **error)
{
    memset(o, 0, sizeof *o);
    o->exec_fd = origin->exec_fd;
    o->seccomp_fd = -1;
    o->exec_name = origin->exec_name;
    o->by_binfmt = origin->by_binfmt;
    o->secure = origin->secure;
    o->guest = argc ? guest_by_name(argv[0]) : NULL;
    if (!o->secure && !parse_environment(o, error))
        return false;
    int i = 1;
    while (!o->by_binfmt && i < argc && argv[i][0] == '-' && argv[i][1]) {
        const char *arg = argv[i++], *value;
        if (!strcmp(arg, "--"))
            break;
        const OptionRow *row = find_row(arg, &value);
        if (!row)
            return option_error(error, "unknown option '%s' (--help lists them)", arg);
        if (o->secure && !allowed_if_secure(row))
            return option_error(error, "option '%s' isn't taken by a program that runs with more "
                                "rights than its user", arg);
        if (row->value && !value) {
            if (i >= argc)
                return option_error(error, "option '%s' wants %s", arg, row->value);
            value = argv[i++];
        }
        if (!apply(o, row, value, error))
            return false;
    }
    o->argv = argv + i;
    o->argc = argc > i ? argc - i : 0;
    return true;
}

void options_print_help(const char *name)
{
    printf("Usage: %s [OPTION…] PROGRAM [ARGUMENT…]\n"
           "Runs a Linux program of another processor.\n\n", name);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const OptionRow *r = &rows[i];
        if (!r->help)
            continue;
        char left[80];
        bool same = !strcmp(r->name, r->long_name);
        g_snprintf(left, sizeof left, "-%s%s%s%s%s%s", r->name, r->value && same ? " " : "",
                   r->value && same ? r->value : "", same ? "" : ", --", same ? "" : r->long_name,
                   "");
        if (!same && r->value) {
            size_t n = strlen(left);
            g_snprintf(left + n, sizeof left - n, "=%s", r->value);
        }
        printf("  %-30s %s\n", left, r->help);
        if (r->env)
            printf("  %-30s   (environment: CALQUE_%s, QEMU_%s)\n", "", r->env, r->env);
    }
    printf("\nExit status: the program's; 126 if it can't be run, 127 if it isn't there.\n");
}

size_t options_inherit(const Options *o, const char **ret, size_t size)
{
    size_t n = 0;
    const struct { const char *name, *value; } valued[] = {
        {"-L", o->prefix}, {"-cpu", o->cpu}, {"-r", o->uname_release}, {"--backend", o->backend},
        {"-d", o->log_classes}, {"-D", o->log_file}, {"--tier", o->tier_name},
        {"--host-cpu", o->host_cpu}, {"-R", o->reserved_text}, {"-p", o->page_text},
        {"--tier-threshold", o->tier_threshold},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(valued); i++) {
        if (valued[i].value && n + 2 < size) {
            ret[n++] = valued[i].name;
            ret[n++] = valued[i].value;
        }
    }
    if (o->strace && n + 1 < size)
        ret[n++] = "-strace";
    if (o->no_cache && n + 1 < size)
        ret[n++] = "--no-cache";
    if (o->stats && n + 1 < size)
        ret[n++] = "-stats";
    if (o->one_insn && n + 1 < size)
        ret[n++] = "-one-insn-per-tb";
    if (size)
        ret[n] = NULL;
    return n;
}
