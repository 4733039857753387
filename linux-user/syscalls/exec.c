/* data plane */
/*
 * execve: a program of a guest runs under this emulator again, one of the host by itself, a script
 * by its interpreter. The errors are the kernel's, found before the point of no return.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "linux-user/load/load.h"
#include "linux-user/load/prefix.h"
#include "linux-user/mem/map.h"
#include "linux-user/options.h"
#include "linux-user/procfs/procfs.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/dispatch.h"
#include "linux-user/syscalls/hidden.h"
#include "syscall-tables/handlers.h"

enum { MAX_DEPTH = 5, MAX_ARGS = 4096 * 64 };

/* The vectors live in a mapping of their own: a guest may pass many. */
typedef struct ExecArgs {
    const char **argv;      /* [extra + n + 1]: the first `extra` slots are for what goes before */
    size_t n_argv, extra;
    const char **envp;
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
    a->map_bytes = (a->extra + (size_t)n + 2 + (size_t)m + 1) * sizeof(char *);
    long map = host_raw(SYS_mmap, 0, a->map_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map < 0 && map >= -4095)
        return -ENOMEM;
    a->map = (void *)map;
    a->argv = (const char **)a->map;
    a->envp = a->argv + a->extra + n + 2;
    a->n_argv = (size_t)n;
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
    if (a->map)
        host_raw(SYS_munmap, (uintptr_t)a->map, a->map_bytes);
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

/* A regular file that may be executed, open for reading. One that may be executed but not read
 * can't be emulated: EACCES. */
static long open_program(int dfd, const char *path, int flags, LoadHead *head)
{
    struct stat st;
    int open_flags = O_RDONLY | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
    long fd;
    if (!path[0] && (flags & AT_EMPTY_PATH)) {
        /* The guest's descriptor may be O_PATH or at its own place; open it anew. */
        char self[40] = "/proc/self/fd/";
        char *at = self + strlen(self), digits[12], *d = digits + sizeof digits;
        unsigned n = (unsigned)dfd;
        *--d = 0;
        do
            *--d = (char)('0' + n % 10);
        while (n /= 10);
        memcpy(at, d, strlen(d) + 1);
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
    r = host_syscall(t, SYS_execveat, (uint64_t)dfd, (uintptr_t)path,
                     (uintptr_t)(a->argv + a->extra), (uintptr_t)a->envp, (uint64_t)flags, 0);
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

/* calque [options] -0 ARGV0 [--exec-fd N] -- PATH ARGS…; fd -1: by the path. */
static long exec_guest(Thread *t, ExecArgs *a, const char *path, int fd)
{
    static const char *const none = "";
    const char *options[OPTIONS_INHERIT_MAX];
    size_t n = options_inherit(t->process->options, options, OPTIONS_INHERIT_MAX);
    const char *argv0 = a->n_argv ? a->argv[a->extra] : none;
    char digits[12], *d = digits + sizeof digits;
    if (a->n_argv)
        a->argv[a->extra] = path;
    else
        push_front(a, path);
    push_front(a, "--");
    if (fd >= 0) {
        *--d = 0;
        for (unsigned v = (unsigned)fd; *--d = (char)('0' + v % 10), v /= 10;)
            ;
        push_front(a, d);
        push_front(a, "--exec-fd");
    }
    push_front(a, argv0);
    push_front(a, "-0");
    while (n > 0)
        push_front(a, options[--n]);
    push_front(a, "calque");
    return exec_emulator(t, a);
}

/* Where a program in `path` is to be found. */
static const char *program_path(Thread *t, int dfd, const char *path, char *buf)
{
    const char *follow = procfs_follow(t, dfd, path);
    return follow != path ? follow : prefix_lookup(t->process, path, buf, PATH_MAX);
}

static long exec_file(Thread *t, ExecArgs *a, int dfd, const char *path, int flags, int depth)
{
    LoadHead head;
    char buf[PATH_MAX];
    if (depth > MAX_DEPTH)
        return -ELOOP;
    const char *found = path[0] ? program_path(t, dfd, path, buf) : path;
    long fd = open_program(dfd, found, flags, &head);
    if (fd < 0)
        return fd;
    long r = -ENOEXEC;
    /* A path relative to a descriptor says nothing to another process: it gets the descriptor. */
    bool by_fd = !path[0] || (dfd != AT_FDCWD && path[0] != '/');
    if (head.kind == LOAD_ELF && load_is_host(&head)) {
        r = exec_host(t, dfd, found, a, flags);
    } else if (head.kind == LOAD_ELF && load_find_abi(&head)) {
        if (by_fd)
            host_raw(SYS_fcntl, fd, F_SETFD, 0);
        r = exec_guest(t, a, by_fd && !path[0] ? "/proc/self/exe" : found, by_fd ? (int)fd : -1);
    } else if (head.kind == LOAD_SCRIPT && by_fd) {
        r = -ENOENT; /* as when the descriptor is closed by the exec */
    } else if (head.kind == LOAD_SCRIPT) {
        char *interpreter, *argument;
        if (load_parse_script(&head, &interpreter, &argument)) {
            if (a->n_argv) {
                a->extra++;
                a->n_argv--;
            }
            push_front(a, path);
            if (argument)
                push_front(a, argument);
            push_front(a, interpreter);
            r = exec_file(t, a, AT_FDCWD, interpreter, 0, depth + 1);
        }
    }
    host_raw(SYS_close, fd);
    return r;
}

static long exec(Thread *t, int dfd, GuestAddr path_at, GuestAddr argv, GuestAddr envp, int flags)
{
    char path[PATH_MAX];
    ExecArgs a = {0};
    long r = mem_read_string(path, path_at, sizeof path);
    if (r < 0)
        return r;
    if (!path[0] && !(flags & AT_EMPTY_PATH))
        return -ENOENT;
    r = exec_args_read(&a, argv, envp);
    if (r == 0)
        r = exec_file(t, &a, dfd, path, flags, 0);
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
