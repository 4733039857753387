/* data plane */
/*
 * execve: a program of a guest runs under this emulator again, one of the host by itself, a script
 * by its interpreter. The errors are the kernel's, found before the point of no return.
 *
 * If the kernel started this program by binfmt_misc, it starts the next one too: only so do set-uid
 * programs get their rights (flag C), files that can't be read run, and no /proc is needed. What it
 * can't start, because the registration has gone since, starts as without.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>

#include "linux-user/arch/text.h"
#include "linux-user/load/load.h"
#include "linux-user/load/prefix.h"
#include "linux-user/mem/map.h"
#include "linux-user/options.h"
#include "linux-user/procfs/procfs.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/dispatch.h"
#include "linux-user/syscalls/hidden.h"
#include "linux-user/thread/thread.h"
#include "syscall-tables/handlers.h"
#include "translator/memory/own-pages.h"

enum { MAX_DEPTH = 5, MAX_ARGS = 4096 * 64 };

/* The vectors live in a mapping of their own: a guest may pass many. */
typedef struct ExecArgs {
    const char **argv;      /* [extra + n + 1]: the first `extra` slots are for what goes before */
    size_t n_argv, extra;
    const char **envp;      /* [n_envp + 2]: one slot more, for mem_limits_pass() */
    size_t n_envp;
    void *map;
    size_t map_bytes;
} ExecArgs;

enum { EXTRA_SLOTS = OPTIONS_INHERIT_MAX + 8 + 2 * MAX_DEPTH };

/* How many entries a guest's vector has. */
static long count_vector(GuestAddr at)
{
    uint64_t p;
    long n = 0;
    if (!at)
        return 0;
    for (;; n++) {
        if (n >= MAX_ARGS)
            return -E2BIG;
        if (!mem_get(&p, at + (uint64_t)n * 8))
            return -EFAULT;
        if (!p)
            return n;
    }
}

/* Strings aren't copied: the guest's pointers are the host's, and the kernel checks them. */
static long copy_vector(const char **to, GuestAddr at, long n)
{
    if (n && !mem_read(to, at, (size_t)n * sizeof *to))
        return -EFAULT;
    to[n] = NULL;
    for (long i = 0; i < n; i++)
        if (!to[i])
            return -EFAULT; /* it changed meanwhile */
    return 0;
}

static long exec_args_read(ExecArgs *a, GuestAddr argv, GuestAddr envp)
{
    long n = count_vector(argv), m = n < 0 ? 0 : count_vector(envp);
    if (n < 0 || m < 0)
        return n < 0 ? n : m;
    a->extra = EXTRA_SLOTS;
    a->map_bytes = (a->extra + (size_t)n + 2 + (size_t)m + 2) * sizeof(char *);
    a->map = own_pages_map(a->map_bytes);
    if (!a->map)
        return -ENOMEM;
    a->argv = (const char **)a->map;
    a->envp = a->argv + a->extra + n + 2;
    a->n_argv = (size_t)n;
    a->n_envp = (size_t)m;
    long r = copy_vector(a->argv + a->extra, argv, n);
    if (r == 0)
        r = copy_vector(a->envp, envp, m);
    /* Linux since 5.18: an empty argv becomes one empty string. */
    if (r == 0 && n == 0) {
        a->argv[a->extra] = "";
        a->argv[a->extra + 1] = NULL;
        a->n_argv = 1;
    }
    return r;
}

static void exec_args_free(ExecArgs *a)
{
    own_pages_unmap(a->map, a->map_bytes);
}

/* Puts one argument before the others. */
static void push_front(ExecArgs *a, const char *s)
{
    a->argv[--a->extra] = s;
    a->n_argv++;
}

static long read_head(int fd, LoadHead *head)
{
    memset(head, 0, sizeof *head);
    long n = host_raw(SYS_pread64, fd, (uintptr_t)head->bytes, sizeof head->bytes - 1, 0);
    if (n < 0)
        return n;
    load_classify(head, (size_t)n);
    return 0;
}

/* PREFIX followed by a descriptor's number and, behind a slash, a path; false: too long. */
static bool fd_path(char buf[PATH_MAX], const char *prefix, int fd, const char *path)
{
    Text t = {buf, buf + PATH_MAX - 1};
    if (strlen(prefix) + strlen(path) + 12 > PATH_MAX)
        return false;
    text_add(&t, prefix);
    text_add_number(&t, (unsigned)fd, 10, 1);
    text_add(&t, path[0] ? "/" : "");
    text_add(&t, path);
    *t.at = 0;
    return true;
}

/* What only the kernel knows of who may execute what: Landlock's rules and other security modules',
 * writers (ETXTBSY). Linux 6.14 can be asked; before, such rules don't bind programs that
 * binfmt_misc doesn't start. */
static long check_by_kernel(int fd)
{
    enum { EXECVE_CHECK = 0x10000 };
    const char *argv[] = {"", NULL};
    long r = host_raw(SYS_execveat, fd, (uintptr_t) "", (uintptr_t)argv, (uintptr_t)(argv + 1),
                      AT_EMPTY_PATH | EXECVE_CHECK);
    return r == -EINVAL || r == -ENOSYS ? 0 : r;
}

/* A regular file that may be executed, open for reading. One that may be executed but not read
 * can't be emulated: EACCES. */
static long open_program(int dfd, const char *path, int flags, LoadHead *head)
{
    struct stat st;
    int open_flags = O_RDONLY | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
    long fd;
    if (!path[0] && (flags & AT_EMPTY_PATH)) {
        /* The guest's descriptor may be O_PATH or at its own place; open it anew. */
        char self[PATH_MAX];
        fd_path(self, "/proc/self/fd/", dfd, "");
        fd = host_raw(SYS_openat, AT_FDCWD, (uintptr_t)self, O_RDONLY | O_CLOEXEC, 0);
        if (fd == -ENOENT)
            fd = -EBADF;
    } else {
        fd = host_raw(SYS_openat, dfd, (uintptr_t)path, open_flags, 0);
    }
    if (fd < 0)
        return fd == -ENXIO || fd == -EISDIR ? -EACCES : fd;
    long r = host_raw(SYS_fstat, fd, (uintptr_t)&st);
    if (r == 0 && (!S_ISREG(st.st_mode)))
        r = -EACCES;
    if (r == 0)
        r = host_raw(SYS_faccessat2, fd, (uintptr_t) "", 1 /* X_OK */, AT_EMPTY_PATH | AT_EACCESS);
    if (r == -ENOSYS) /* before Linux 5.8 */
        r = st.st_mode & 0111 ? 0 : -EACCES;
    if (r == 0)
        r = check_by_kernel((int)fd);
    if (r == 0)
        r = read_head((int)fd, head);
    if (r < 0) {
        host_raw(SYS_close, fd);
        return r;
    }
    return fd;
}

/* The point of no return. A signal accepted before it is delivered first, and then the guest's
 * execve runs again; later ones wait in the kernel and go to the new program. */
static long exec_host(Thread *t, int dfd, const char *path, const ExecArgs *a, int flags)
{
    long r = signal_exec_prepare(t);
    if (r < 0)
        return r;
    thread_save_translations(t, 0, UINT64_MAX);
    char limits[MEM_LIMITS_TEXT];
    a->envp[a->n_envp] = mem_limits_pass(t->process, limits) ? limits : NULL;
    mem_limits_exec(t->process, false);
    r = host_syscall(t, SYS_execveat, (uint64_t)dfd, (uintptr_t)path,
                     (uintptr_t)(a->argv + a->extra), (uintptr_t)a->envp, (uint64_t)flags, 0);
    mem_limits_exec(t->process, true);
    a->envp[a->n_envp] = NULL;
    signal_exec_failed(t);
    return r;
}

/* The emulator as a descriptor, so that it is found in any chroot; else by its path. */
static long exec_emulator(Thread *t, const ExecArgs *a)
{
    Process *p = t->process;
    long fd = p->exe_fd;
    if (fd < 0)
        fd = host_raw(SYS_openat, AT_FDCWD, (uintptr_t) "/proc/self/exe", O_PATH | O_CLOEXEC, 0);
    if (fd < 0)
        return exec_host(t, AT_FDCWD, p->emulator_path, a, 0);
    long r = exec_host(t, (int)fd, "", a, AT_EMPTY_PATH);
    if (p->exe_fd < 0)
        host_raw(SYS_close, fd);
    return r;
}

/* What is to be executed, by a path or a descriptor. */
typedef struct ExecFile {
    int dfd;
    const char *path; /* of the guest's; behind `dfd` */
    int flags;
    /* What the kernel calls it: AT_EXECFN, and the argument of a script's interpreter. */
    const char *name;
    bool by_fd;       /* the path says nothing to another process: it gets the descriptor */
} ExecFile;

/* calque [options] [--mdwe] [--seccomp-fd N] -0 ARGV0 [--exec-name NAME] [--exec-fd N] -- PATH
 * ARGS…; fd -1: by the path. */
static long exec_guest(Thread *t, ExecArgs *a, const char *path, const char *name, int fd)
{
    const char *options[OPTIONS_INHERIT_MAX];
    size_t n = options_inherit(t->process->options, options, OPTIONS_INHERIT_MAX);
    const char *argv0 = a->argv[a->extra];
    char digits[PATH_MAX], filters[16];
    long seccomp_fd = t->seccomp ? seccomp_save(t) : -1;
    if (t->seccomp && seccomp_fd < 0)
        return seccomp_fd;
    a->argv[a->extra] = path;
    push_front(a, "--");
    if (fd >= 0) {
        fd_path(digits, "", fd, "");
        push_front(a, digits);
        push_front(a, "--exec-fd");
    }
    if (strcmp(name, path)) {
        push_front(a, name);
        push_front(a, "--exec-name");
    }
    push_front(a, argv0);
    push_front(a, "-0");
    if (seccomp_fd >= 0) {
        Text x = {filters, filters + sizeof filters - 1};
        text_add_number(&x, (unsigned)seccomp_fd, 10, 1);
        *x.at = 0;
        push_front(a, filters);
        push_front(a, "--seccomp-fd");
    }
    if (t->process->mdwe & 1 && !(t->process->mdwe & 2))
        push_front(a, "--mdwe");
    while (n > 0)
        push_front(a, options[--n]);
    push_front(a, "calque");
    long r = exec_emulator(t, a);
    if (seccomp_fd >= 0)
        host_raw(SYS_close, seccomp_fd);
    return r;
}

/* Where a program in `path` is to be found. */
static const char *program_path(Thread *t, int dfd, const char *path, char *buf)
{
    const char *follow = procfs_follow(t, dfd, path);
    return follow != path ? follow : prefix_lookup(t->process, path, buf, PATH_MAX);
}

static long exec_file(Thread *t, ExecArgs *a, const ExecFile *f, int depth);

/* argv[0] gives way to the interpreter, its argument and the script's name. */
static long exec_script(Thread *t, ExecArgs *a, const ExecFile *f, LoadHead *head, int depth)
{
    char *interpreter, *argument;
    if (f->by_fd && (host_raw(SYS_fcntl, f->dfd, F_GETFD) & FD_CLOEXEC))
        return -ENOENT; /* the interpreter won't find it */
    if (!load_parse_script(head, &interpreter, &argument))
        return -ENOEXEC;
    a->argv[a->extra] = depth ? f->path : f->name;
    if (argument)
        push_front(a, argument);
    push_front(a, interpreter);
    ExecFile next = {AT_FDCWD, interpreter, 0, f->name, false};
    return exec_file(t, a, &next, depth + 1);
}

static long exec_elf(Thread *t, ExecArgs *a, const ExecFile *f, const char *found, int fd)
{
    if (f->by_fd) {
        host_raw(SYS_fcntl, fd, F_SETFD, 0);
        return exec_guest(t, a, f->name, f->name, fd);
    }
    return exec_guest(t, a, found, f->name, -1);
}

/* The filters are about the guest's numbers: a program of the host they couldn't judge. */
static long refuse_native(const char *path)
{
    if (log_on(LOG_UNIMP))
        log_write("execve: %s isn't the guest's; seccomp filters couldn't judge it\n", path);
    return -EACCES;
}

static long exec_file(Thread *t, ExecArgs *a, const ExecFile *f, int depth)
{
    Process *p = t->process;
    LoadHead head;
    char buf[PATH_MAX];
    if (depth > MAX_DEPTH)
        return -ELOOP;
    const char *found = f->path[0] ? program_path(t, f->dfd, f->path, buf) : f->path;
    /* Filters of seccomp and PR_SET_MDWE are passed on by the emulator itself. */
    bool by_kernel = p->options->by_binfmt && !p->options->prefix && !f->by_fd && depth == 0 &&
                     !t->seccomp && !p->mdwe;
    long fd = open_program(f->dfd, found, f->flags, &head), r;
    if (fd == -EACCES && by_kernel)
        return exec_host(t, f->dfd, found, a, f->flags);
    if (fd < 0)
        return fd;
    const GuestAbi *abi = load_find_abi(&head);
    r = abi ? load_check(p, (int)fd, &head) : 0;
    if (r == 0) {
        bool script = head.kind == LOAD_SCRIPT;
        r = -ENOEXEC;
        /* An ELF file or another that isn't ours may have a registration of its own. */
        if (!abi && !script && t->seccomp)
            r = refuse_native(found);
        else if (by_kernel || (!abi && !script))
            r = exec_host(t, f->dfd, found, a, f->flags);
        if (r == -ENOEXEC && abi)
            r = exec_elf(t, a, f, found, (int)fd);
        else if (r == -ENOEXEC && script)
            r = exec_script(t, a, f, &head, depth);
    }
    host_raw(SYS_close, fd);
    return r;
}

static long exec(Thread *t, int dfd, GuestAddr path_at, GuestAddr argv, GuestAddr envp, int flags)
{
    char path[PATH_MAX];
    char name[PATH_MAX];
    ExecArgs a = {0};
    long r = mem_read_string(path, path_at, sizeof path);
    if (r < 0)
        return r;
    if (!path[0] && !(flags & AT_EMPTY_PATH))
        return -ENOENT;
    ExecFile f = {dfd, path, flags, path, !path[0] || (dfd != AT_FDCWD && path[0] != '/')};
    if (f.by_fd) {
        if (!fd_path(name, "/dev/fd/", dfd, path))
            return -ENAMETOOLONG;
        f.name = name;
    }
    r = exec_args_read(&a, argv, envp);
    if (r == 0)
        r = exec_file(t, &a, &f, 0);
    exec_args_free(&a);
    return r;
}

long sys_execve(Thread *t, const uint64_t *args)
{
    return exec(t, AT_FDCWD, args[0], args[1], args[2], 0);
}

long sys_execveat(Thread *t, const uint64_t *args)
{
    int flags = (int)args[4];
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    return exec(t, (int)args[0], args[1], args[2], args[3], flags);
}
