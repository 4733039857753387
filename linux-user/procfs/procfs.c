/* data plane */
/*
 * Which paths are files of /proc that show the guest, and what they hold.
 */
#include "linux-user/procfs/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "linux-user/arch/text.h"
#include "linux-user/procfs/maps.h"
#include "linux-user/procfs/other.h"
#include "linux-user/procfs/output.h"
#include "linux-user/procfs/status.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"

typedef enum ProcFile {
    PROC_NONE, PROC_EXE, PROC_CMDLINE, PROC_ENVIRON, PROC_AUXV, PROC_MAPS, PROC_SMAPS, PROC_STAT,
    PROC_STATUS, PROC_STATM, PROC_LIMITS, PROC_CPUINFO, PROC_COMM, PROC_NUMA_MAPS, PROC_ROLLUP,
    PROC_SYSCALL, PROC_PAGEMAP,
} ProcFile;

static const struct { const char *name; ProcFile file; } names[] = {
    {"exe", PROC_EXE}, {"cmdline", PROC_CMDLINE}, {"environ", PROC_ENVIRON}, {"auxv", PROC_AUXV},
    {"maps", PROC_MAPS}, {"smaps", PROC_SMAPS}, {"stat", PROC_STAT}, {"cpuinfo", PROC_CPUINFO},
    {"status", PROC_STATUS}, {"statm", PROC_STATM}, {"limits", PROC_LIMITS},
    {"comm", PROC_COMM}, {"numa_maps", PROC_NUMA_MAPS}, {"smaps_rollup", PROC_ROLLUP},
    {"syscall", PROC_SYSCALL}, {"pagemap", PROC_PAGEMAP},
};

typedef struct ProcPath {
    ProcFile file;
    pid_t other;   /* another process, or 0 */
    pid_t tid;     /* of task/TID, else the process's */
    char host[64]; /* /proc/self/NAME or /proc/self/task/TID/NAME, or with that one's number */
} ProcPath;

/* By the last component: most paths end here. */
static ProcFile file_by_name(const char *path)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(base, names[i].name))
            return names[i].file;
    return PROC_NONE;
}

/* Joins and simplifies: no "//", "/./"; ".." takes a component away, which within /proc/self is
 * what it does. False: doesn't fit. */
static bool simplify(char *out, size_t size, size_t n, const char *path)
{
    while (*path) {
        size_t m = strcspn(path, "/");
        if (m == 2 && path[0] == '.' && path[1] == '.') {
            while (n && out[--n] != '/')
                ;
        } else if (m && !(m == 1 && path[0] == '.')) {
            if (n + m + 2 > size)
                return false;
            out[n++] = '/';
            memcpy(out + n, path, m);
            n += m;
        }
        path += m;
        path += *path == '/';
    }
    out[n] = 0;
    return true;
}

static bool absolute_path(int dirfd, const char *path, char *out, size_t size)
{
    char link[40] = "/proc/self/fd/", base[PATH_MAX];
    if (path[0] == '/')
        return simplify(out, size, 0, path);
    if (dirfd == AT_FDCWD) {
        strcpy(link, "/proc/self/cwd");
    } else if (dirfd < 0) {
        return false;
    } else {
        Text t = {link + strlen(link), link + sizeof link - 1};
        text_add_number(&t, (unsigned)dirfd, 10, 1);
        *t.at = 0;
    }
    long n = host_raw(SYS_readlinkat, AT_FDCWD, (uintptr_t)link, (uintptr_t)base, sizeof base - 1);
    if (n <= 0)
        return false;
    base[n] = 0;
    /* The host's /proc/self is named by the process's number there. */
    if (strncmp(base, "/proc", 5) || !simplify(out, size, 0, base))
        return false;
    return simplify(out, size, strlen(out), path);
}

static long parse_id(const char *s, const char **ret_end)
{
    long v = 0;
    const char *p = s;
    while (*p >= '0' && *p <= '9' && p - s < 10)
        v = v * 10 + (*p++ - '0');
    *ret_end = p;
    return p == s ? -1 : v;
}

static bool is_own_thread(long id)
{
    return host_raw(SYS_tgkill, host_raw(SYS_getpid), id, 0) == 0;
}

/* Behind "/proc/": "self/", "thread-self/", "ID/"; *ret_rest behind it. */
static bool skip_process(const char *s, const char **ret_rest, long *ret_tid, pid_t *ret_other)
{
    const char *end;
    *ret_tid = *ret_other = 0;
    if (!strncmp(s, "self/", 5)) {
        *ret_rest = s + 5;
        return true;
    }
    if (!strncmp(s, "thread-self/", 12)) {
        *ret_rest = s + 12;
        *ret_tid = host_raw(SYS_gettid);
        return true;
    }
    long id = parse_id(s, &end);
    if (id <= 0 || *end != '/')
        return false;
    if (!is_own_thread(id))
        *ret_other = (pid_t)id;
    *ret_rest = end + 1;
    return true;
}

static void host_name(ProcPath *p, const char *name, long tid)
{
    Text t = {p->host, p->host + sizeof p->host - 1};
    text_add(&t, "/proc/");
    if (p->other)
        text_add_number(&t, (uint64_t)p->other, 10, 1);
    else
        text_add(&t, "self");
    if (tid) {
        text_add(&t, "/task/");
        text_add_number(&t, (uint64_t)tid, 10, 1);
    }
    text_add(&t, "/");
    text_add(&t, name);
    *t.at = 0;
}

/* Where a folder of some mount of proc is, as if that were /proc; with the last component of path
 * behind it. */
static bool mounted_path(int dirfd, const char *path, char *out, size_t size)
{
    char parent[PATH_MAX], link[40] = "/proc/self/fd/";
    const char *name = strrchr(path, '/');
    size_t n = name ? (size_t)(name - path) + 1 : 0;
    struct statfs fs;
    struct stat st;
    if (n >= sizeof parent)
        return false;
    memcpy(parent, n ? path : ".", n ? n : 1);
    parent[n ? n : 1] = 0;
    long fd = host_raw(SYS_openat, dirfd, (uintptr_t)parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    Text t = {link + strlen(link), link + sizeof link - 1};
    text_add_number(&t, (unsigned)fd, 10, 1);
    *t.at = 0;
    bool is_proc = host_raw(SYS_fstatfs, fd, (uintptr_t)&fs) == 0 &&
                   fs.f_type == PROC_SUPER_MAGIC && host_raw(SYS_fstat, fd, (uintptr_t)&st) == 0;
    long m = is_proc ? host_raw(SYS_readlinkat, AT_FDCWD, (uintptr_t)link, (uintptr_t)parent,
                                sizeof parent - 1) : -1;
    host_raw(SYS_close, fd);
    if (m <= 0)
        return false;
    parent[m] = 0;
    /* The root, or …/PID, …/PID/task/TID: anything else is none of ours. */
    const char *last = strrchr(parent, '/');
    if (st.st_ino == 1 /* PROC_ROOT_INO */)
        last = "";
    else if (last - parent > 5 && !strncmp(last - 5, "/task", 5))
        for (last -= 5; last > parent && *--last != '/';)
            ;
    Text o = {out, out + size - 1};
    text_add(&o, "/proc");
    text_add(&o, last);
    text_add(&o, "/");
    text_add(&o, name ? name + 1 : path);
    *o.at = 0;
    return true;
}

static bool recognize(int dirfd, const char *path, ProcPath *ret)
{
    char full[PATH_MAX];
    const char *rest;
    long tid;
    ProcFile file = file_by_name(path);
    ret->other = 0;
    if (file == PROC_NONE)
        return false;
    if ((!absolute_path(dirfd, path, full, sizeof full) || strncmp(full, "/proc/", 6)) &&
        !mounted_path(dirfd, path, full, sizeof full))
        return false;
    ret->file = file;
    if (file == PROC_CPUINFO)
        return !strcmp(full, "/proc/cpuinfo");
    if (!skip_process(full + 6, &rest, &tid, &ret->other))
        return false;
    if (!ret->other && file == PROC_COMM)
        return false;
    if (!strncmp(rest, "task/", 5)) {
        const char *end;
        tid = parse_id(rest + 5, &end);
        if (tid <= 0 || *end != '/' || (!ret->other && !is_own_thread(tid)))
            return false;
        rest = end + 1;
    }
    if (strchr(rest, '/'))
        return false;
    ret->tid = (pid_t)(tid ? tid : ret->other ? ret->other : host_raw(SYS_getpid));
    host_name(ret, rest, tid);
    return true;
}

/* One block for each processor that the guest may run on. */
static void write_cpuinfo(Thread *t, ProcOutput *o)
{
    char text[4096];
    unsigned long set[128] = {0};
    long n = host_raw(SYS_sched_getaffinity, 0, sizeof set, (uintptr_t)set);
    unsigned count = 0;
    for (long i = 0; i < n / (long)sizeof *set; i++)
        count += (unsigned)__builtin_popcountl(set[i]);
    for (unsigned cpu = 0; cpu < (count ? count : 1); cpu++)
        output_bytes(o, text, t->process->abi->cpuinfo(t, cpu, text, sizeof text));
}

/* In the other's root, which may be another than ours. */
static long open_other_exe(pid_t pid, const char *exe, int flags)
{
    char path[PATH_MAX + 32] = "/proc/";
    Text t = {path + strlen(path), path + sizeof path - 1};
    text_add_number(&t, (uint64_t)pid, 10, 1);
    text_add(&t, "/root");
    text_add(&t, exe);
    *t.at = 0;
    return host_raw(SYS_openat, AT_FDCWD, (uintptr_t)path, flags, 0);
}

static long open_exe(const Process *p, pid_t other, int flags)
{
    if (flags & O_NOFOLLOW)
        return -ELOOP;
    return other ? open_other_exe(other, p->exe_path, flags)
                 : host_raw(SYS_openat, AT_FDCWD, (uintptr_t)p->exe_path, flags, 0);
}

/* A file of p's, whose thread is t if p is this process. */
static long open_file(Thread *t, Process *p, const ProcPath *found, int flags)
{
    ProcOutput o;
    if (found->file == PROC_EXE)
        return open_exe(p, found->other, flags);
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_DIRECTORY))
        return flags & O_DIRECTORY ? -ENOTDIR : -EACCES;
    output_begin(&o, found->host);
    switch (found->file) {
    case PROC_NUMA_MAPS: procfs_write_numa_maps(p, &o, found->host); break;
    case PROC_ROLLUP: procfs_write_rollup(p, &o, found->host); break;
    case PROC_SYSCALL:
        procfs_write_syscall(p, &o, found->host, found->other, found->tid);
        break;
    case PROC_CMDLINE: output_guest(&o, p->arg_start, p->arg_end); break;
    case PROC_ENVIRON: output_guest(&o, p->env_start, p->env_end); break;
    case PROC_AUXV: output_guest(&o, p->auxv_start, p->auxv_start + p->auxv_bytes); break;
    case PROC_MAPS: procfs_write_maps(p, &o, found->host, false); break;
    case PROC_SMAPS: procfs_write_maps(p, &o, found->host, true); break;
    case PROC_STAT: procfs_write_stat(p, &o, found->host); break;
    case PROC_STATUS:
        procfs_write_status(p, &o, found->host, found->other, found->tid);
        break;
    case PROC_STATM: procfs_write_statm(p, &o, found->host); break;
    case PROC_LIMITS: procfs_write_limits(p, &o, found->host); break;
    case PROC_CPUINFO: write_cpuinfo(t, &o); break;
    default: break;
    }
    return output_end(&o, flags);
}

/* Of another process the kernel knows these itself (main.c, show_arguments). */
static bool is_the_hosts(ProcFile file)
{
    return file == PROC_CMDLINE || file == PROC_ENVIRON || file == PROC_AUXV || file == PROC_COMM;
}

static long open_copy(const ProcPath *found, int flags)
{
    ProcOutput o;
    size_t n, map_bytes;
    char *text = host_file_read(found->host, &n, &map_bytes);
    if (!text)
        return -ENOENT; /* and the host's call tells why */
    output_begin(&o, found->host);
    output_bytes(&o, text, n);
    host_file_free(text, map_bytes);
    return output_end(&o, flags);
}

/*
 * Another process's, as it is at one moment: all is read again if it has executed another program
 * meanwhile. A file of the host's would show the emulator, if that process executed one of ours
 * between now and the guest's read(): natively execve changes all at once.
 */
static bool open_of_other(Thread *t, const ProcPath *found, int flags, int *ret_fd)
{
    enum { TRIES = 5 };
    OtherImage before, after;
    OtherProcess other;
    bool copies = is_the_hosts(found->file);
    for (int i = 0; i < TRIES; i++) {
        other_settle(found->other);
        other_image(found->other, &before);
        long fd = -ENOENT;
        bool ours = !copies && other_open(found->other, &other);
        if (copies) {
            fd = open_copy(found, flags);
        } else if (ours) {
            fd = open_file(t, &other.process, found, flags);
            other_close(&other);
        }
        other_image(found->other, &after);
        bool started = before.arg_start || !before.is_guest;
        if (started && !memcmp(&before, &after, sizeof before)) {
            *ret_fd = (int)fd;
            return ours || (copies && fd >= 0);
        }
        if (fd >= 0)
            host_raw(SYS_close, fd);
    }
    return false;
}

bool procfs_open(Thread *t, int dirfd, const char *path, int flags, int *ret_fd)
{
    ProcPath found;
    tracer_note_open(t->process, path, flags);
    if ((flags & O_PATH) || !recognize(dirfd, path, &found))
        return false;
    if (found.file == PROC_PAGEMAP) {
        /* It has a word for each of the host's pages; kernels may be without it. */
        *ret_fd = -ENOENT;
        return t->process->mem->page > MEM_PAGE;
    }
    if (!found.other) {
        *ret_fd = (int)open_file(t, t->process, &found, flags);
        return true;
    }
    if (is_the_hosts(found.file) && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_DIRECTORY)))
        return false;
    return open_of_other(t, &found, flags, ret_fd);
}

/* The program of the process that path names, into exe unless it is this one's own; NULL: path is
 * no such link. */
static const char *exe_of(Thread *t, int dirfd, const char *path, char *exe)
{
    ProcPath found;
    OtherProcess other;
    if (!recognize(dirfd, path, &found) || found.file != PROC_EXE)
        return NULL;
    if (!found.other)
        return t->process->exe_path;
    other_settle(found.other);
    if (!other_open(found.other, &other))
        return NULL;
    strcpy(exe, other.exe_path);
    other_close(&other);
    return exe;
}

bool procfs_readlink(Thread *t, int dirfd, const char *path, char *buf, size_t size, long *ret)
{
    char storage[PATH_MAX];
    const char *exe = exe_of(t, dirfd, path, storage);
    if (!exe)
        return false;
    size_t n = strlen(exe);
    if (n > size)
        n = size;
    memcpy(buf, exe, n);
    *ret = (long)n;
    return true;
}

const char *procfs_follow(Thread *t, int dirfd, const char *path)
{
    ProcFile file = file_by_name(path);
    if (__builtin_expect(file != PROC_EXE, 1))
        return path;
    if (!t->follow && !(t->follow = malloc(PATH_MAX)))
        return path;
    const char *exe = exe_of(t, dirfd, path, t->follow);
    return exe ? exe : path;
}
