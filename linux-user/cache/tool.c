/*
 * calque-cache: looks at the translation store and fills it.
 */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "linux-user/cache/location.h"
#include "translator/cache/admin.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "Usage: calque-cache [--dir=DIR] COMMAND\n"
    "Looks after the translations that calque keeps for later runs.\n\n"
    "  list                 the files whose code there are translations of\n"
    "  stats                sums, by kind of host, guest and calque\n"
    "  verify               check everything, make damaged files anew from what is sound\n"
    "  prune [--size=BYTES] remove what was used longest ago (K, M and G may follow)\n"
    "  warm PROGRAM|DIR...  translate whole files now; [--calque=FILE] [--jobs=N], and what\n"
    "                       follows -- are options for calque\n"
    "  export FILE          all in one file\n"
    "  import FILE          take it over\n"
    "  dir                  where the translations lie\n";

typedef struct Tool {
    const char *dir_option, *calque;
    int dir;
    uint64_t size;
    bool has_size;
    unsigned jobs;
    char **calque_options;    /* behind "--", or NULL */
    /* sums */
    unsigned files, damaged;
} Tool;

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "calque-cache: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    exit(1);
}

static const char *human(uint64_t n, char *buf)
{
    static const char units[] = "BKMGT";
    unsigned unit = 0;
    double x = (double)n;
    for (; x >= 1024 && unit < 4; unit++)
        x /= 1024;
    sprintf(buf, unit ? "%.1f%c" : "%.0f%c", x, units[unit]);
    return buf;
}

/* -- list, stats, verify, prune ---------------------------------------------------------------- */

static void list_one(void *opaque, int dir, const StoreInfo *i)
{
    Tool *t = opaque;
    char size[32], when[32];
    time_t used = (time_t)i->used;
    strftime(when, sizeof when, "%Y-%m-%d", localtime(&used));
    printf("%.16s %8s %6u units  %s  %s%s%s\n", i->name, human(i->bytes, size), i->units, when,
           *i->path ? i->path : i->name + 17, i->problem ? "  " : "", i->problem ? i->problem : "");
    t->files++;
}

typedef struct KeySum { char key[17]; unsigned files, units; uint64_t bytes, code; } KeySum;

static void sum_one(void *opaque, int dir, const StoreInfo *i)
{
    GArray *sums = opaque;
    KeySum *s = NULL;
    for (guint n = 0; n < sums->len && !s; n++)
        if (!strncmp(g_array_index(sums, KeySum, n).key, i->name, 16))
            s = &g_array_index(sums, KeySum, n);
    if (!s) {
        KeySum fresh = { .files = 0 };
        memcpy(fresh.key, i->name, 16);
        g_array_append_val(sums, fresh);
        s = &g_array_index(sums, KeySum, sums->len - 1);
    }
    s->files++;
    s->units += i->units;
    s->bytes += i->bytes;
    s->code += i->code_bytes;
}

static int print_stats(Tool *t)
{
    GArray *sums = g_array_new(FALSE, FALSE, sizeof(KeySum));
    char size[32], code[32];
    KeySum all = { .key = "all" };
    store_each(t->dir, false, sum_one, sums);
    for (guint n = 0; n <= sums->len; n++) {
        const KeySum *s = n < sums->len ? &g_array_index(sums, KeySum, n) : &all;
        printf("%-16s %6u files %8u units  %8s, %s of it code\n", s->key, s->files, s->units,
               human(s->bytes, size), human(s->code, code));
        all.files += s->files;
        all.units += s->units;
        all.bytes += s->bytes;
        all.code += s->code;
    }
    g_array_free(sums, TRUE);
    return 0;
}

static void verify_one(void *opaque, int dir, const StoreInfo *i)
{
    Tool *t = opaque;
    t->files++;
    if (!i->problem)
        return;
    t->damaged++;
    printf("%s (%s): %s; %s\n", i->name, i->path, i->problem, store_mend(dir, i));
}

static int verify(Tool *t)
{
    store_each(t->dir, true, verify_one, t);
    printf("%u files, %u of them damaged\n", t->files, t->damaged);
    return t->damaged ? 1 : 0;
}

/* -- export, import ---------------------------------------------------------------------------- */

static int move(Tool *t, const char *path, bool out)
{
    FILE *f = !strcmp(path, "-") ? (out ? stdout : stdin) : fopen(path, out ? "we" : "re");
    unsigned files = 0, kept = 0;
    if (!f)
        fail(path, g_strerror(errno));
    errno = 0;
    bool ok = out ? store_export(t->dir, f, &files) : store_import(t->dir, f, &files, &kept);
    if (!ok)
        fail(path, errno ? g_strerror(errno) : "it is damaged, or no exported store");
    if (f != stdout && f != stdin && fclose(f))
        fail(path, g_strerror(errno));
    fprintf(stderr, "%u files %s", files, out ? "exported\n" : "imported");
    if (!out)
        fprintf(stderr, ", %u were there already\n", kept);
    return 0;
}

/* -- warm -------------------------------------------------------------------------------------- */

static bool is_guest_elf(const char *path)
{
    static const uint16_t machines[] = { EM_AARCH64, EM_RISCV };
    Elf64_Ehdr h;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok = fd >= 0 && read(fd, &h, sizeof h) == sizeof h &&
              !memcmp(h.e_ident, ELFMAG, SELFMAG) && h.e_ident[EI_CLASS] == ELFCLASS64 &&
              (h.e_type == ET_EXEC || h.e_type == ET_DYN);
    bool known = false;
    for (size_t n = 0; ok && n < G_N_ELEMENTS(machines); n++)
        known |= h.e_machine == machines[n];
    if (fd >= 0)
        close(fd);
    return known;
}

static void find_files(GPtrArray *to, const char *path, bool named)
{
    struct stat st;
    if ((named ? stat(path, &st) : lstat(path, &st)) < 0) {
        if (named)
            fprintf(stderr, "calque-cache: %s: %s\n", path, g_strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        GDir *d = g_dir_open(path, 0, NULL);
        for (const char *name; d && (name = g_dir_read_name(d));) {
            g_autofree char *inner = g_build_filename(path, name, NULL);
            find_files(to, inner, false);
        }
        if (d)
            g_dir_close(d);
    } else if (S_ISREG(st.st_mode) && is_guest_elf(path)) {
        g_ptr_array_add(to, g_strdup(path));
    } else if (named) {
        fprintf(stderr, "calque-cache: %s: no program or library of a guest\n", path);
    }
}

static pid_t start_one(const Tool *t, const char *path)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, (char *)t->calque);
    g_ptr_array_add(argv, "--warm");
    for (char **o = t->calque_options; o && *o; o++)
        g_ptr_array_add(argv, *o);
    g_ptr_array_add(argv, "--");
    g_ptr_array_add(argv, (char *)path);
    g_ptr_array_add(argv, NULL);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (t->dir_option)
            g_setenv("CALQUE_CACHE_DIR", t->dir_option, TRUE);
        execvp(t->calque, (char **)argv->pdata);
        fprintf(stderr, "calque-cache: %s: %s\n", t->calque, g_strerror(errno));
        _exit(127);
    }
    return pid;
}

static void show_progress(unsigned done, unsigned all)
{
    enum { WIDTH = 40 };
    if (!isatty(STDERR_FILENO))
        return;
    unsigned filled = all ? done * WIDTH / all : WIDTH;
    fprintf(stderr, "\r[%.*s%.*s] %u/%u", (int)filled, "########################################",
            (int)(WIDTH - filled), "                                        ", done, all);
    if (done == all)
        fputc('\n', stderr);
}

static int warm(Tool *t, char **paths)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    for (; *paths && strcmp(*paths, "--"); paths++)
        find_files(files, *paths, true);
    t->calque_options = *paths ? paths + 1 : NULL;
    unsigned started = 0, done = 0, failed = 0;
    while (done < files->len) {
        while (started < files->len && started - done < t->jobs)
            failed += start_one(t, g_ptr_array_index(files, started++)) < 0;
        int status;
        if (wait(&status) < 0)
            break;
        failed += status != 0;
        show_progress(++done, files->len);
    }
    printf("%u files translated, %u failed\n", done - failed, failed);
    return failed || !files->len ? 1 : 0;
}

/* -- the command line -------------------------------------------------------------------------- */

static uint64_t parse_size(const char *text)
{
    char *end;
    uint64_t n = strtoull(text, &end, 0);
    const char *unit = *end ? strchr("kKmMgG", *end) : NULL;
    if (end == text || (*end && (!unit || end[1])))
        fail(text, "not a size");
    return unit ? n << 10 * ((unit - "kKmMgG") / 2 + 1) : n;
}

static char **parse_options(Tool *t, char **argv)
{
    char **out = argv, **to = argv;
    for (; *argv; argv++) {
        if (!strcmp(*argv, "--")) {
            while (*argv)
                *to++ = *argv++;
            break;
        }
        if (g_str_has_prefix(*argv, "--dir="))
            t->dir_option = *argv + 6;
        else if (g_str_has_prefix(*argv, "--calque="))
            t->calque = *argv + 9;
        else if (g_str_has_prefix(*argv, "--jobs="))
            t->jobs = (unsigned)MAX(1, atoi(*argv + 7));
        else if (g_str_has_prefix(*argv, "--size="))
            t->size = parse_size(*argv + 7), t->has_size = true;
        else if (!strcmp(*argv, "--help") || !strcmp(*argv, "-h"))
            fputs(usage, stdout), exit(0);
        else if (!strcmp(*argv, "--version"))
            puts(PACKAGE_STRING), exit(0);
        else if (**argv == '-' && (*argv)[1])
            fail(*argv, "unknown option (--help lists them)");
        else
            *to++ = *argv;
    }
    *to = NULL;
    return out;
}

/* The calque beside this program, else the one on the PATH. */
static const char *find_calque(const char *self)
{
    if (!strchr(self, '/'))
        return "calque";
    g_autofree char *folder = g_path_get_dirname(self);
    char *beside = g_build_filename(folder, "calque", NULL);
    return access(beside, X_OK) == 0 ? beside : "calque";
}

static void open_store(Tool *t, bool make)
{
    CacheLocation at;
    if (t->dir_option)
        g_setenv("CALQUE_CACHE_DIR", t->dir_option, TRUE);
    cache_locate(&at, false, make);
    if (!at.path)
        fail("there is no translation store (CALQUE_CACHE_DIR is empty)", NULL);
    if (at.problem)
        fail(at.path, at.problem);
    t->dir = at.config.dir ? open(at.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (!t->has_size)
        t->size = at.config.limit_bytes;
    if (t->dir < 0)
        fail(at.path, "there is nothing yet");
    t->dir_option = at.path;
}

int main(int argc, char **argv)
{
    Tool t = { .dir = -1, .jobs = g_get_num_processors() };
    char **words = parse_options(&t, argv + 1);
    const char *command = words[0];
    if (!command) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (!t.calque)
        t.calque = find_calque(argv[0]);
    unsigned n = g_strv_length(words) - 1;
    bool is_warm = !strcmp(command, "warm"), in = !strcmp(command, "import");
    bool out = !strcmp(command, "export");
    bool plain = !strcmp(command, "list") || !strcmp(command, "stats") ||
                 !strcmp(command, "verify") || !strcmp(command, "prune") ||
                 !strcmp(command, "dir");
    if (!(is_warm && n) && !((in || out) && n == 1) && !(plain && n == 0)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    open_store(&t, is_warm || in);
    if (is_warm)
        return warm(&t, words + 1);
    if (in || out)
        return move(&t, words[1], out);
    if (!strcmp(command, "stats"))
        return print_stats(&t);
    if (!strcmp(command, "verify"))
        return verify(&t);
    if (!strcmp(command, "dir"))
        puts(t.dir_option);
    else if (!strcmp(command, "prune"))
        store_prune(t.dir, t.size);
    else
        store_each(t.dir, false, list_one, &t);
    return 0;
}
