/*
 * calque PROGRAM ARGUMENTS…: runs a Linux program of another processor.
 */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib.h>
#include <linux/openat2.h>

#include "linux-user/cache/location.h"
#include "linux-user/cache/warm.h"
#include "linux-user/gdbstub/gdbstub.h"
#include "linux-user/load/libc-start.h"
#include "linux-user/load/load.h"
#include "linux-user/load/origin.h"
#include "linux-user/load/prefix.h"
#include "linux-user/mem/map.h"
#include "linux-user/options.h"
#include "linux-user/process.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/signal.h"
#include "linux-user/strace/strace.h"
#include "linux-user/syscalls/hidden.h"
#include "linux-user/thread/rseq.h"
#include "linux-user/thread/thread.h"
#include "linux-user/vdso/vdso.h"

enum { EXIT_USAGE = 2, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, MAX_SCRIPTS = 4 };

Process process_main;

/* What is to be run, after scripts have been followed. */
typedef struct Target {
    int fd;
    char *path;
    const char *name; /* what was executed: a script, with `path` its interpreter */
    char **argv;
    bool resolved;     /* there is no symbolic link in `path` */
    LoadHead head;
} Target;

static _Noreturn void fail(int status, const char *message)
{
    fprintf(stderr, "calque: %s\n", message);
    exit(status);
}

static _Noreturn void fail_format(int status, const char *format, ...) G_GNUC_PRINTF(2, 3);
static _Noreturn void fail_format(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = g_strdup_vprintf(format, args);
    va_end(args);
    fail(status, message);
}

/* As a shell finds a command: by its path, or without a slash in $PATH if it isn't here. */
static char *find_program(const char *name)
{
    if (strchr(name, '/') || access(name, F_OK) == 0)
        return g_strdup(name);
    char *found = g_find_program_in_path(name);
    return found ? found : g_strdup(name);
}

/* Does it say itself where it leads, but for symbolic links? */
static bool is_plain_path(const char *path)
{
    size_t n = strlen(path);
    return path[0] == '/' && n > 1 && path[n - 1] != '/' && !strstr(path, "//") &&
           !strstr(path, "/.");
}

/* Usually there is no link, and then nobody needs to ask /proc where the file is: for that the
 * kernel makes inodes of this process's, which costs as much as opening five files. */
static void open_path(Target *t)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
    if (is_plain_path(t->path))
        t->fd = (int)syscall(SYS_openat2, AT_FDCWD, t->path, &how, sizeof how);
    t->resolved = t->fd >= 0;
    if (t->fd < 0)
        t->fd = open(t->path, O_RDONLY | O_CLOEXEC);
}

static bool open_target(Target *t, GError **error)
{
    struct stat st;
    if (t->fd < 0)
        open_path(t);
    if (t->fd < 0)
        return load_error(error, errno == ENOENT || errno == ENOTDIR ? LOAD_NOT_FOUND
                                                                     : LOAD_NOT_EXECUTABLE,
                          "%s: %s", t->path, g_strerror(errno));
    if (fstat(t->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return load_error(error, LOAD_NOT_EXECUTABLE, "%s: not a regular file", t->path);
    if (!load_read_head(t->fd, &t->head))
        return load_error(error, LOAD_NOT_EXECUTABLE, "%s: %s", t->path, g_strerror(errno));
    return true;
}

/* "#!": the interpreter becomes the program, the script its argument. */
static bool follow_script(const Process *p, Target *t, GError **error)
{
    char *interpreter, *argument, buf[PATH_MAX];
    if (!load_parse_script(&t->head, &interpreter, &argument))
        return load_error(error, LOAD_NOT_EXECUTABLE, "%s: no interpreter behind #!", t->path);
    GPtrArray *argv = g_ptr_array_new();
    g_ptr_array_add(argv, g_strdup(interpreter));
    if (argument)
        g_ptr_array_add(argv, g_strdup(argument));
    g_ptr_array_add(argv, t->path);
    for (char **a = t->argv[0] ? t->argv + 1 : t->argv; *a; a++)
        g_ptr_array_add(argv, *a);
    g_ptr_array_add(argv, NULL);
    close(t->fd);
    t->fd = -1;
    t->path = g_strdup(prefix_lookup(p, interpreter, buf, sizeof buf));
    t->argv = (char **)g_ptr_array_free(argv, FALSE);
    return true;
}

static bool resolve_target(const Process *p, Target *t, GError **error)
{
    for (int scripts = 0;; scripts++) {
        if (!open_target(t, error))
            return false;
        if (t->head.kind != LOAD_SCRIPT)
            return true;
        if (scripts == MAX_SCRIPTS)
            return load_error(error, LOAD_NOT_EXECUTABLE, "%s: scripts interpreted by scripts, "
                              "too deep", t->path);
        if (!follow_script(p, t, error))
            return false;
    }
}

static bool choose_guest(Process *p, const Options *o, Target *t, char **envp, GError **error)
{
    const GuestAbi *abi = load_find_abi(&t->head);
    if (abi && o->guest && strcmp(abi->name, o->guest))
        return load_error(error, LOAD_NOT_EXECUTABLE, "%s: a program for %s, not for %s", t->path,
                          abi->name, o->guest);
    if (abi) {
        p->abi = abi;
        return true;
    }
    if (load_is_host(&t->head)) {
        execve(t->path, t->argv, envp);
        return load_error(error, errno == ENOENT ? LOAD_NOT_FOUND : LOAD_NOT_EXECUTABLE, "%s: %s",
                          t->path, g_strerror(errno));
    }
    if (t->head.kind == LOAD_ELF)
        return load_error(error, LOAD_NOT_EXECUTABLE, "%s: an ELF file of a machine that calque "
                          "doesn't know (machine %u, class %u, data %u)", t->path, t->head.machine,
                          t->head.elf_class, t->head.elf_data);
    return load_error(error, LOAD_NOT_EXECUTABLE, "%s: neither an ELF file nor a script", t->path);
}

/* -E and -U, and without the variables that only told us what to do. */
static char **guest_environment(const Options *o, char **envp)
{
    GPtrArray *env = g_ptr_array_new();
    for (char **e = envp; *e; e++)
        g_ptr_array_add(env, *e);
    for (size_t i = 0; i < o->n_set_env; i++) {
        char *item = o->set_env[i], *equals = strchr(item, '=');
        size_t n = equals ? (size_t)(equals - item) : strlen(item);
        for (guint j = env->len; j-- > 0;) {
            char *old = g_ptr_array_index(env, j);
            if (!strncmp(old, item, n) && old[n] == '=')
                g_ptr_array_remove_index(env, j);
        }
        if (equals)
            g_ptr_array_add(env, item);
    }
    g_ptr_array_add(env, NULL);
    return (char **)g_ptr_array_free(env, FALSE);
}

static void start_logging(const Options *o)
{
    GError *error = NULL;
    unsigned mask = 0;
    if ((o->log_file && !log_open(o->log_file, &error)) ||
        (o->log_classes && !log_parse_classes(o->log_classes, &mask, &error)))
        fail(EXIT_USAGE, error->message);
    log_mask = mask | (o->strace ? (unsigned)LOG_STRACE : 0);
}

static Translator *make_translator(Process *p, const Options *o)
{
    static const TranslatorCallbacks callbacks = {
        .fetch = mem_fetch, .aliases = mem_aliases, .callout = vdso_callout,
        .file_path = cache_file_path, .syscall = thread_quick_syscall,
        .critical = rseq_descriptor, .critical_store = rseq_store,
    };
    GError *error = NULL;
    TranslatorConfig config = {
        .guest = p->abi->name, .cpu = o->cpu, .backend = o->backend,
        .host_cpu = o->host_cpu, .one_insn = o->one_insn,
        .stats = o->stats, .tier = o->tier, .tier_threshold = o->tier_entries,
        .callbacks = &callbacks, .opaque = p,
    };
    Translator *t = translator_new(&config, &error);
    if (!t)
        fail(EXIT_USAGE, error->message);
    return t;
}

/* What the kernel shows of this process in /proc to others: arguments, environment and auxiliary
 * vector of the guest. Without CONFIG_CHECKPOINT_RESTORE it fails,
 * and others see the emulator's. */
static void show_arguments(const Process *p)
{
    uint64_t brk = (uintptr_t)sbrk(0);
    struct prctl_mm_map map = {
        .start_code = p->code_start, .end_code = p->code_end,
        .start_data = p->code_end, .end_data = p->code_end,
        .start_brk = brk, .brk = brk, .start_stack = p->start_sp,
        .arg_start = p->arg_start, .arg_end = p->arg_end,
        .env_start = p->env_start, .env_end = p->env_end,
        .auxv = mem_host(p->auxv_start), .auxv_size = p->auxv_bytes, .exe_fd = UINT32_MAX,
    };
    prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0);
}

/* The name that ps and /proc/self/comm show: the kernel takes it from the file executed, which was
 * the emulator. Of a program given as a descriptor it is the file's own. */
static void set_comm(const Process *p, const char *path)
{
    if (g_str_has_prefix(path, "/dev/fd/"))
        path = p->exe_path;
    const char *base = strrchr(path, '/');
    prctl(PR_SET_NAME, base ? base + 1 : path);
}

/* What /proc/self/exe says natively: where the file is, or was. */
static char *resolve_exe(const Target *target)
{
    char link[40], path[PATH_MAX];
    if (target->resolved)
        return g_strdup(target->path);
    g_snprintf(link, sizeof link, "/proc/self/fd/%d", target->fd);
    ssize_t n = readlink(link, path, sizeof path);
    if (n > 0 && n < (ssize_t)sizeof path)
        return g_strndup(path, (size_t)n);
    char *real = realpath(target->path, NULL); /* no /proc here */
    return real ? real : g_strdup(target->path);
}

/* --warm: the translations of one file, without its interpreter and libraries. */
static _Noreturn void warm_and_exit(Process *p, const Target *target)
{
    GError *error = NULL;
    ElfImage image;
    if (!p->has_store)
        fail(EXIT_NOT_EXECUTABLE, "--warm: there is no translation store");
    if (!load_elf(p, target->fd, target->path, false, &image, &error))
        fail(load_exit_status(error), error->message);
    Thread *t = thread_new_main(p);
    if (!t || !signal_init(p))
        fail(EXIT_NOT_EXECUTABLE, "no memory");
    signal_thread_start(t);
    exit(cache_warm(t, target->fd, &image) ? 0 : 1);
}

static void run(Process *p, Options *o, Target *target, char **envp)
{
    GError *error = NULL;
    LoadProgram program = {.fd = target->fd, .argv = target->argv, .path = target->name};
    pthread_mutex_init(&p->threads_lock, NULL);
    pthread_mutex_init(&p->limits_lock, NULL);
    mem_limits_start(p);
    mem_limits_take(p, envp);
    program.envp = guest_environment(o, envp);
    uint64_t page_bytes = o->page_bytes ? o->page_bytes : MEM_PAGE;
    if (!(p->abi->page_sizes & page_bytes))
        fail_format(EXIT_USAGE, "-p: %s has no pages of %" PRIu64 " bytes", p->abi->name,
                    page_bytes);
    if (o->reserved_va % page_bytes)
        fail(EXIT_USAGE, "-R wants whole pages of the size that -p asks for");
    p->mem = mem_new(page_bytes);
    p->signals = calloc(1, sizeof *p->signals);
    if (!p->mem || !p->signals)
        fail(EXIT_NOT_EXECUTABLE, "no memory");
    p->mem->end = o->reserved_va;
    p->translator = make_translator(p, o);
    /* Said once: programs that this one starts don't try. */
    o->no_cache |= !cache_set_up(p, o);
    if (o->warm)
        warm_and_exit(p, target);
    if (!load_program(p, &program, &error))
        fail(load_exit_status(error), error->message);
    p->exe_path = resolve_exe(target);
    close(target->fd);
    set_comm(p, program.path);
    show_arguments(p);
    atomic_store(&p->shown, true);
    Thread *t = thread_new_main(p);
    if (!t || !signal_init(p))
        fail(EXIT_NOT_EXECUTABLE, "no memory");
    if (o->seccomp_fd >= 0 && !seccomp_restore(t, o->seccomp_fd))
        fail(EXIT_USAGE, "--seccomp-fd: no filters of an execve there");
    p->mdwe = o->mdwe;
    load_start(p, t);
    signal_thread_start(t);
    trace_program_start(t, o->gdb ? TRACE_AUXV_MAGIC | 1 : getauxval(AT_BASE));
    thread_loop(t);
    thread_exit(t);
}

static void list_models(const Options *o)
{
    for (const char *const *g = translator_guests(); *g; g++) {
        if (o->guest && strcmp(o->guest, *g))
            continue;
        printf("%s:", *g);
        for (const char *const *m = translator_models(*g); *m; m++)
            printf(" %s", *m);
        puts("");
    }
}

/* Options that want no program. */
static void answer_and_exit(const Options *o, const char *name)
{
    if (o->show_help)
        options_print_help(name);
    else if (o->cpu && !strcmp(o->cpu, "help"))
        list_models(o);
    else if (o->show_version)
        puts(PACKAGE_STRING);
    else if (o->log_classes && !strcmp(o->log_classes, "help"))
        log_list_classes();
    else
        return;
    exit(0);
}

/* The C library's heap lies behind the emulator's image, and all of it there: what it mapped would
 * lie among the guest's mappings (own-pages.h). */
static void keep_heap_together(void)
{
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TOP_PAD, 512 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

int main(int argc, char **argv, char **envp)
{
    GError *error = NULL;
    static Options options;
    Process *p = &process_main;
    libc_start_set_caches();
    keep_heap_together();
    LoadOrigin origin = load_origin(argc, argv);
    if (!options_parse(&options, &origin, argc, argv, &error))
        fail(EXIT_USAGE, error->message);
    if (origin.secure && !origin.by_binfmt && load_emulator_is_setuid())
        fail(EXIT_NOT_EXECUTABLE, "this file is set-uid or has capabilities, which would give them "
             "to any program; binfmt_misc's flag C is for that");
    answer_and_exit(&options, argc ? argv[0] : "calque");
    if (options.argc == 0)
        fail(EXIT_USAGE, "no program to run (--help tells more)");
    start_logging(&options);
    p->options = &options;
    if (options.log_file)
        hidden_fd_note(p, log_descriptor());
    p->personality = (uint32_t)personality(0xffffffff);
    p->random_state = options.seed;
    p->exe_fd = -1;
    /* Of a program that binfmt_misc started, AT_EXECFN is its own. */
    p->emulator_path = origin.by_binfmt ? argv[0] : (char *)getauxval(AT_EXECFN);
    Target target = {.fd = options.exec_fd, .path = options.exec_fd >= 0 ? options.argv[0]
                                                        : find_program(options.argv[0]),
                     .argv = options.argv};
    target.name = options.exec_name ? options.exec_name : target.path;
    if (origin.has_argv0 && options.argc > 1)
        target.argv++; /* the caller's follows the path */
    if (options.argv0) {
        target.argv = g_memdup2(target.argv, (g_strv_length(target.argv) + 1) * sizeof(char *));
        target.argv[0] = (char *)options.argv0;
    }
    if (!resolve_target(p, &target, &error) ||
        !choose_guest(p, &options, &target, envp, &error))
        fail(load_exit_status(error), error->message);
    if (options.gdb && gdbstub_start(p, options.gdb)) {
        /* What this program executes isn't to wait for a debugger again. */
        unsetenv("CALQUE_GDB");
        unsetenv("QEMU_GDB");
    }
    run(p, &options, &target, envp);
    return 0;
}
